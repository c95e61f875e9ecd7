"""So many passing events in a row, or so many consecutive local days, nights, weeks or months with one."""

from __future__ import annotations

from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from knowledge.catalog.model import Catalog
from strategy.document import EventFilter, Streak
from strategy.engine.calendars import period
from strategy.engine.nodes import EVIDENCE, TRUTHS, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import FALSE, TRUE


class Run:
    """How many in a row, the newest ids of them, and the period the last one lay in."""

    __slots__ = ("count", "ids", "last")

    def __init__(self) -> None:
        self.count = 0
        self.ids: list[str] = []
        self.last = 0

    def stop(self) -> None:
        self.count = 0
        self.ids.clear()


class StreakLeaf(Leaf):
    """The first filter is the one that counts, the others break it; so does an event of the first's type that fails it,
    which comes without a role."""

    kind: ClassVar[str] = "streak"
    minds_failing: ClassVar[bool] = True
    opens: ClassVar[int] = 1

    def __init__(self, path: str, slot: int, condition: Streak, catalog: Catalog) -> None:
        super().__init__(path, slot, condition)
        self.filters = (EventFilter(event=condition.event, where=condition.where), *condition.without)
        self.history = None
        self.times, self.per, self._zone = condition.times, condition.per, catalog.timezone
        self.marks = (condition.times,)

    @property
    def looks(self) -> str:
        return self.condition.model_dump_json(exclude={"times"})

    def feed(self, cell: Run | None, event: Event, roles: int) -> Run | None:
        if roles != 1:
            if cell is not None:
                cell.stop()
            return cell
        run = Run() if cell is None else cell
        if self.per != "event":
            now = period(event.time, self.per, self._zone)
            if run.count and now == run.last:
                return run
            if run.count and now != run.last + 1:
                run.stop()
            run.last = now
        run.count += 1
        run.ids.append(event.id)
        if len(run.ids) > EVIDENCE:
            del run.ids[0]
        return run

    def level(self, cell: Run | None, now: Now) -> int:
        return 0 if cell is None else cell.count

    def judge(self, level: int) -> int:
        return TRUE if level >= self.times else FALSE

    def observe(self, cell: Run | None, now: Now) -> Observation:
        count = self.level(cell, now)
        return Observation(
            self.path,
            self.kind,
            TRUTHS[self.judge(count)],
            observed=count,
            op=">=",
            threshold=self.times,
            evidence=() if cell is None else tuple(cell.ids[-self.times :]),
        )

    def idle(self, cell: Run, at: Micros) -> bool:
        return cell.count == 0

    def dump(self, cell: Run) -> Any:
        return [cell.count, cell.ids, cell.last]

    def load(self, data: Any) -> Run:
        run = Run()
        run.count, run.ids, run.last = data
        return run
