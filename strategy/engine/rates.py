"""Two counts against each other: a ratio (a catalog metric is one), and a change against the period just before."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from knowledge.catalog.model import Metric
from knowledge.catalog.units import canonical
from strategy.document import Change, EventFilter, MetricIs, Ratio
from strategy.engine.nodes import EVIDENCE, TRUTHS, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import (
    FALSE,
    TRUE,
    UNKNOWN,
    Exact,
    add,
    compare,
    exact,
    is_number,
    packed,
    take,
    times,
    unpacked,
)

Mark = tuple[Micros, str, int]
"""Time, event id, running number."""
_time = itemgetter(0)


class Pair:
    """The two sides of a ratio. With all history only the newest items are kept; `n` counts everything."""

    __slots__ = ("n", "of", "per", "serial")

    def __init__(self) -> None:
        self.of: list[Mark] = []
        self.per: list[Mark] = []
        self.n = [0, 0]
        self.serial = 0


class RatioLeaf(Leaf):
    """Events per events, compared with a value. Over the last N: the newest N `per` events, and the `of` events since
    the oldest of those."""

    kind: ClassVar[str] = "ratio"

    def __init__(self, path: str, slot: int, condition: Ratio) -> None:
        super().__init__(path, slot, condition)
        self.filters = (condition.of, condition.per)
        self.over, self.newest = condition.window.over, condition.window.last
        self.history = self.full = self.over
        self.op, self.value = condition.op, condition.value
        self._threshold = exact(condition.value)
        self._scale = 100 if condition.percent else 1
        self._empty = Pair()

    @property
    def looks(self) -> str:
        return self.condition.model_dump_json(exclude={"op", "value", "percent"})

    def feed(self, cell: Pair | None, event: Event, roles: int) -> Pair:
        pair = Pair() if cell is None else cell
        pair.serial += 1
        mark = (event.time, event.id, pair.serial)
        if roles & 1:
            pair.of.append(mark)
            pair.n[0] += 1
        if roles & 2:
            pair.per.append(mark)
            pair.n[1] += 1
        self._trim(pair, event.time)
        return pair

    def _trim(self, pair: Pair, at: Micros) -> None:
        of, per = pair.of, pair.per
        if self.over is not None:
            start = at - self.over
            for side in (of, per):
                if side and side[0][0] <= start:
                    del side[: bisect_right(side, start, key=_time)]
        elif self.newest is not None:
            if len(per) > self.newest:
                del per[0]
            while len(per) == self.newest and of and of[0][2] < per[0][2]:
                del of[0]
        else:
            del of[:-EVIDENCE], per[:-EVIDENCE]

    def _counts(self, pair: Pair) -> tuple[int, int]:
        if self.over is None and self.newest is None:
            return pair.n[0], pair.n[1]
        return len(pair.of), len(pair.per)

    def _pair(self, cell: Pair | None, now: Now) -> Pair:
        if cell is None:
            return self._empty
        if self.over is not None:
            self._trim(cell, now.at)
        return cell

    def _short(self, pair: Pair, now: Now) -> bool:
        if self.newest is not None:
            return len(pair.per) < self.newest
        return self.over is not None and (now.begin is None or now.at - self.over < now.begin)

    def level(self, cell: Pair | None, now: Now) -> tuple[int, int] | None:
        pair = self._pair(cell, now)
        of, per = self._counts(pair)
        return None if per == 0 or self._short(pair, now) else (of, per)

    def judge(self, level: tuple[int, int] | None) -> int:
        if level is None:
            return UNKNOWN
        of, per = level
        return TRUE if compare(self.op, self._scale * of, times(self._threshold, per)) else FALSE

    def due(self, cell: Pair | None, now: Now) -> Micros | None:
        if self.over is None or cell is None:
            return None
        pair = self._pair(cell, now)
        return min((Micros(side[0][0] + self.over) for side in (pair.of, pair.per) if side), default=None)

    def observe(self, cell: Pair | None, now: Now) -> Observation:
        truth = self.truth(cell, now)
        pair = self._pair(cell, now)
        of, per = self._counts(pair)
        short = self._short(pair, now)
        ids = [mark[1] for mark in sorted({*pair.of, *pair.per}, key=lambda m: m[2])]
        return Observation(
            self.path,
            self.kind,
            TRUTHS[truth],
            observed=self._scale * of / per if per else None,
            op=self.op,
            threshold=self.value,
            window=None if self.over is None else (Micros(now.at - self.over), now.at),
            evidence=tuple(ids[-EVIDENCE:]),
            note=None if truth != UNKNOWN else "nothing_to_divide" if per == 0 and not short else "short_history",
        )

    def idle(self, cell: Pair, at: Micros) -> bool:
        if self.over is None:
            return False
        self._trim(cell, at)
        return not cell.of and not cell.per

    def dump(self, cell: Pair) -> Any:
        return [cell.of, cell.per, cell.n, cell.serial]

    def load(self, data: Any) -> Pair:
        pair = Pair()
        of, per, pair.n, pair.serial = data
        pair.of.extend((Micros(t), i, n) for t, i, n in of)
        pair.per.extend((Micros(t), i, n) for t, i, n in per)
        return pair


class MetricLeaf(RatioLeaf):
    """A ratio that the catalog has a name for."""

    kind: ClassVar[str] = "metric"


def ratio_of(condition: MetricIs, metric: Metric) -> Ratio:
    """What a metric's name stands for."""
    return Ratio(
        of=EventFilter(event=metric.ratio.of),
        per=EventFilter(event=metric.ratio.per),
        window=condition.window,
        op=condition.op,
        value=condition.value,
        percent=metric.unit is not None and canonical(metric.unit) == "percent",
    )


class Periods:
    """The current period's items and those of the period before it, each with its exact total."""

    __slots__ = ("before", "recent", "totals")

    def __init__(self) -> None:
        self.before: list[tuple[Micros, Exact, str]] = []
        self.recent: list[tuple[Micros, Exact, str]] = []
        self.totals: list[Exact] = [0, 0]


class ChangeLeaf(Leaf):
    """(t-w, t] against (t-2w, t-w]: up or down by at least so many percent."""

    kind: ClassVar[str] = "change"

    def __init__(self, path: str, slot: int, condition: Change) -> None:
        super().__init__(path, slot, condition)
        self.filters = (EventFilter(event=condition.event, where=condition.where),)
        self.over = condition.window
        self.history = self.full = 2 * condition.window
        self.function, self.field = condition.function, condition.field
        self.rise = condition.direction == "rise"
        self.percent = condition.percent
        self._factor = add(100, exact(condition.percent) if self.rise else -exact(condition.percent))
        self._empty = Periods()

    @property
    def looks(self) -> str:
        return self.condition.model_dump_json(exclude={"direction", "percent"})

    def feed(self, cell: Periods | None, event: Event, roles: int) -> Periods | None:
        value: Exact = 1
        if self.field is not None:
            seen = event.data.get(self.field)
            if seen is None or (self.function != "count" and not is_number(seen)):
                return cell
            value = 1 if self.function == "count" else exact(seen)
        periods = Periods() if cell is None else cell
        self._move(periods, event.time)
        periods.recent.append((event.time, value, event.id))
        periods.totals[0] = add(periods.totals[0], value)
        return periods

    def _move(self, periods: Periods, at: Micros) -> None:
        recent, before, totals = periods.recent, periods.before, periods.totals
        if recent and recent[0][0] <= at - self.over:
            moved = recent[: bisect_right(recent, at - self.over, key=_time)]
            del recent[: len(moved)]
            before += moved
            for _, value, _ in moved:
                totals[0], totals[1] = take(totals[0], value), add(totals[1], value)
        if before and before[0][0] <= at - 2 * self.over:
            gone = before[: bisect_right(before, at - 2 * self.over, key=_time)]
            del before[: len(gone)]
            for _, value, _ in gone:
                totals[1] = take(totals[1], value)

    def _periods(self, cell: Periods | None, now: Now) -> Periods:
        periods = self._empty if cell is None else cell
        self._move(periods, now.at)
        return periods

    def _short(self, now: Now) -> bool:
        return now.begin is None or now.at - 2 * self.over < now.begin

    def level(self, cell: Periods | None, now: Now) -> tuple[Exact, Exact] | None:
        """Both totals; both averages, each times both numbers of events."""
        periods = self._periods(cell, now)
        current, previous = periods.totals
        if self._short(now) or previous <= 0:
            return None
        if self.function == "avg":
            if not periods.recent:
                return None
            return times(current, len(periods.before)), times(previous, len(periods.recent))
        return current, previous

    def judge(self, level: tuple[Exact, Exact] | None) -> int:
        if level is None:
            return UNKNOWN
        left, right = times(100, level[0]), times(level[1], self._factor)
        return TRUE if (left >= right if self.rise else left <= right) else FALSE

    def due(self, cell: Periods | None, now: Now) -> Micros | None:
        periods = self._periods(cell, now)
        sides = ((periods.recent, self.over), (periods.before, 2 * self.over))
        return min((Micros(side[0][0] + after) for side, after in sides if side), default=None)

    def observe(self, cell: Periods | None, now: Now) -> Observation:
        truth = self.truth(cell, now)
        periods = self._periods(cell, now)
        current, previous = (
            self._value(periods.totals[0], periods.recent),
            self._value(periods.totals[1], periods.before),
        )
        ids = [item[2] for item in [*periods.before, *periods.recent]]
        percent = None
        if current is not None and previous is not None and previous > 0:
            percent = 100 * (current - previous) / previous
        return Observation(
            self.path,
            self.kind,
            TRUTHS[truth],
            observed={"current": current, "previous": previous, "percent": percent},
            op=">=" if self.rise else "<=",
            threshold=self.percent if self.rise else -self.percent,
            window=(Micros(now.at - 2 * self.over), now.at),
            evidence=tuple(ids[-EVIDENCE:]),
            note=None if truth != UNKNOWN else "short_history" if self._short(now) else "nothing_to_divide",
        )

    def _value(self, total: Exact, items: list[tuple[Micros, Exact, str]]) -> float | None:
        if self.function == "avg":
            return float(total) / len(items) if items else None
        return int(total) if isinstance(total, int) else float(total)

    def idle(self, cell: Periods, at: Micros) -> bool:
        self._move(cell, at)
        return not cell.recent and not cell.before

    def dump(self, cell: Periods) -> Any:
        sides = [[[t, packed(value), i] for t, value, i in side] for side in (cell.recent, cell.before)]
        return [*sides, [packed(total) for total in cell.totals]]

    def load(self, data: Any) -> Periods:
        periods = Periods()
        recent, before, totals = data
        periods.recent.extend((Micros(t), unpacked(value), i) for t, value, i in recent)
        periods.before.extend((Micros(t), unpacked(value), i) for t, value, i in before)
        periods.totals = [unpacked(total) for total in totals]
        return periods
