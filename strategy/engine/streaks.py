"""So many passing events in a row, or so many consecutive local days, nights, weeks or months with one."""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

from core.events import Event
from knowledge.catalog.model import Catalog
from strategy.document import Streak
from strategy.engine.calendars import period
from strategy.engine.nodes import EVIDENCE, TRUTHS, Cells, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import FALSE, TRUE, passes


class Run:
    """How many in a row, the ids of the newest `shown` of them, and the period the last one lay in."""

    __slots__ = ("count", "ids", "last")

    def __init__(self, shown: int) -> None:
        self.count = 0
        self.ids: deque[str] = deque(maxlen=shown)
        self.last = 0

    def stop(self) -> int:
        """Set it to 0; what it was."""
        was, self.count = self.count, 0
        self.ids.clear()
        return was


class StreakLeaf(Leaf):
    kind: ClassVar[str] = "streak"

    def __init__(self, path: str, slot: int, condition: Streak, catalog: Catalog) -> None:
        super().__init__(path, slot)
        self.events = tuple(dict.fromkeys([condition.event, *(w.event for w in condition.without)]))
        self.history = None
        self.times, self.per, self._zone = condition.times, condition.per, catalog.timezone
        self._shown = min(condition.times, EVIDENCE)
        self._event = condition.event
        self._passes = passes(condition, catalog)
        self._without = [(w.event, passes(w, catalog)) for w in condition.without]

    def feed(self, cells: Cells, event: Event) -> bool:
        run: Run | None = cells[self.slot]
        kind, data = event.type, event.data
        for name, test in self._without:
            if kind == name and (test is None or test(data)):
                return run is not None and run.stop() >= self.times
        if kind != self._event:
            return False
        if self._passes is not None and not self._passes(data):
            return run is not None and run.stop() >= self.times
        if run is None:
            run = cells[self.slot] = Run(self._shown)
        if self.per == "event":
            run.count += 1
            run.ids.append(event.id)
            return run.count == self.times
        now = period(event.time, self.per, self._zone)
        if run.count and now == run.last:
            return False
        before = run.count
        if before and now != run.last + 1:
            run.stop()
        run.count += 1
        run.last = now
        run.ids.append(event.id)
        return (before >= self.times) != (run.count >= self.times)

    def truth(self, cells: Cells, now: Now) -> int:
        run: Run | None = cells[self.slot]
        return TRUE if run is not None and run.count >= self.times else FALSE

    def observe(self, cells: Cells, now: Now) -> Observation:
        run: Run = cells[self.slot] or Run(self._shown)
        return Observation(
            self.path,
            self.kind,
            TRUTHS[self.truth(cells, now)],
            observed=run.count,
            op=">=",
            threshold=self.times,
            evidence=tuple(run.ids),
        )

    def idle(self, cell: Run) -> bool:
        return cell.count == 0

    def dump(self, cell: Run) -> Any:
        return [cell.count, list(cell.ids), cell.last]

    def load(self, data: Any) -> Run:
        run = Run(self._shown)
        run.count, ids, run.last = data
        run.ids.extend(ids)
        return run
