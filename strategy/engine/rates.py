"""Two counts against each other: a ratio (a catalog metric is one), and a change against the period just before."""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from knowledge.catalog.model import Catalog, Metric
from knowledge.catalog.units import canonical
from strategy.document import Change, EventFilter, MetricIs, Ratio
from strategy.engine.nodes import EVIDENCE, TRUTHS, Cells, Leaf, Now
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
    passes,
    take,
    times,
    unpacked,
)

Mark = tuple[Micros, str, int]
"""Time, event id, running number."""


class Pair:
    """The two sides of a ratio. With all history only the newest items are kept; `n` counts everything."""

    __slots__ = ("n", "of", "per", "serial")

    def __init__(self) -> None:
        self.of: deque[Mark] = deque()
        self.per: deque[Mark] = deque()
        self.n = [0, 0]
        self.serial = 0


class RatioLeaf(Leaf):
    """Events per events, compared with a value. Over the last N: the newest N `per` events, and the `of` events since
    the oldest of those."""

    kind: ClassVar[str] = "ratio"
    restless = True

    def __init__(self, path: str, slot: int, condition: Ratio, catalog: Catalog) -> None:
        super().__init__(path, slot)
        self._of, self._per = condition.of.event, condition.per.event
        self._of_passes, self._per_passes = passes(condition.of, catalog), passes(condition.per, catalog)
        self.events = tuple(dict.fromkeys((self._of, self._per)))
        self.over, self.newest = condition.window.over, condition.window.last
        self.history = self.over
        self.op, self.value = condition.op, condition.value
        self._threshold = exact(condition.value)
        self._scale = 100 if condition.percent else 1
        self._empty = Pair()

    def feed(self, cells: Cells, event: Event) -> bool:
        kind, data = event.type, event.data
        above = kind == self._of and (self._of_passes is None or self._of_passes(data))
        below = kind == self._per and (self._per_passes is None or self._per_passes(data))
        if not above and not below:
            return False
        pair = cells[self.slot]
        if pair is None:
            pair = cells[self.slot] = Pair()
        pair.serial += 1
        mark = (event.time, event.id, pair.serial)
        if above:
            pair.of.append(mark)
            pair.n[0] += 1
        if below:
            pair.per.append(mark)
            pair.n[1] += 1
        self._trim(pair, event.time)
        return True

    def _trim(self, pair: Pair, at: Micros) -> None:
        of, per = pair.of, pair.per
        if self.over is not None:
            start = at - self.over
            for side in (of, per):
                while side and side[0][0] <= start:
                    side.popleft()
        elif self.newest is not None:
            if len(per) > self.newest:
                per.popleft()
            while len(per) == self.newest and of and of[0][2] < per[0][2]:
                of.popleft()
        else:
            for side in (of, per):
                while len(side) > EVIDENCE:
                    side.popleft()

    def _counts(self, pair: Pair) -> tuple[int, int]:
        if self.over is None and self.newest is None:
            return pair.n[0], pair.n[1]
        return len(pair.of), len(pair.per)

    def _pair(self, cells: Cells, now: Now) -> Pair:
        pair: Pair = cells[self.slot] or self._empty
        if self.over is not None:
            self._trim(pair, now.at)
        return pair

    def _short(self, pair: Pair, now: Now) -> bool:
        if self.newest is not None:
            return len(pair.per) < self.newest
        return self.over is not None and (now.begin is None or now.at - self.over < now.begin)

    def truth(self, cells: Cells, now: Now) -> int:
        pair = self._pair(cells, now)
        of, per = self._counts(pair)
        if per == 0 or self._short(pair, now):
            return UNKNOWN
        return TRUE if compare(self.op, self._scale * of, times(self._threshold, per)) else FALSE

    def due(self, cells: Cells, now: Now) -> Micros | None:
        if self.over is None:
            return None
        pair = self._pair(cells, now)
        moments = [side[0][0] + self.over for side in (pair.of, pair.per) if side]
        if now.begin is not None and now.at < now.begin + self.over:
            moments.append(now.begin + self.over)
        return Micros(min(moments)) if moments else None

    def observe(self, cells: Cells, now: Now) -> Observation:
        pair = self._pair(cells, now)
        of, per = self._counts(pair)
        truth = self.truth(cells, now)
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

    def idle(self, cell: Pair) -> bool:
        return self.over is not None and not cell.of and not cell.per

    def dump(self, cell: Pair) -> Any:
        return [list(cell.of), list(cell.per), cell.n, cell.serial]

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
        self.before: deque[tuple[Micros, Exact, str]] = deque()
        self.recent: deque[tuple[Micros, Exact, str]] = deque()
        self.totals: list[Exact] = [0, 0]


class ChangeLeaf(Leaf):
    """(t-w, t] against (t-2w, t-w]: up or down by at least so many percent."""

    kind: ClassVar[str] = "change"
    restless = True

    def __init__(self, path: str, slot: int, condition: Change, catalog: Catalog) -> None:
        super().__init__(path, slot)
        self.events = (condition.event,)
        self.over = condition.window
        self.history = 2 * condition.window
        self.function, self.field = condition.function, condition.field
        self.rise = condition.direction == "rise"
        self.percent = condition.percent
        self._factor = add(100, exact(condition.percent) if self.rise else -exact(condition.percent))
        self._passes = passes(condition, catalog)
        self._empty = Periods()

    def feed(self, cells: Cells, event: Event) -> bool:
        if self._passes is not None and not self._passes(event.data):
            return False
        value: Exact = 1
        if self.field is not None:
            seen = event.data.get(self.field)
            if seen is None or (self.function != "count" and not is_number(seen)):
                return False
            value = 1 if self.function == "count" else exact(seen)
        periods = cells[self.slot]
        if periods is None:
            periods = cells[self.slot] = Periods()
        self._move(periods, event.time)
        periods.recent.append((event.time, value, event.id))
        periods.totals[0] = add(periods.totals[0], value)
        return True

    def _move(self, periods: Periods, at: Micros) -> None:
        recent, before, totals = periods.recent, periods.before, periods.totals
        while recent and recent[0][0] <= at - self.over:
            item = recent.popleft()
            totals[0] = take(totals[0], item[1])
            before.append(item)
            totals[1] = add(totals[1], item[1])
        while before and before[0][0] <= at - 2 * self.over:
            totals[1] = take(totals[1], before.popleft()[1])

    def _periods(self, cells: Cells, now: Now) -> Periods:
        periods: Periods = cells[self.slot] or self._empty
        self._move(periods, now.at)
        return periods

    def _short(self, now: Now) -> bool:
        return now.begin is None or now.at - 2 * self.over < now.begin

    def truth(self, cells: Cells, now: Now) -> int:
        periods = self._periods(cells, now)
        if self._short(now) or periods.totals[1] <= 0:
            return UNKNOWN
        current, previous = periods.totals
        if self.function == "avg":
            if not periods.recent:
                return UNKNOWN
            current = times(current, len(periods.before))
            previous = times(previous, len(periods.recent))
        left, right = times(100, current), times(previous, self._factor)
        return TRUE if (left >= right if self.rise else left <= right) else FALSE

    def due(self, cells: Cells, now: Now) -> Micros | None:
        periods = self._periods(cells, now)
        moments = []
        if periods.recent:
            moments.append(periods.recent[0][0] + self.over)
        if periods.before:
            moments.append(periods.before[0][0] + 2 * self.over)
        if now.begin is not None and now.at < now.begin + 2 * self.over:
            moments.append(now.begin + 2 * self.over)
        return Micros(min(moments)) if moments else None

    def observe(self, cells: Cells, now: Now) -> Observation:
        periods = self._periods(cells, now)
        truth = self.truth(cells, now)
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

    def _value(self, total: Exact, items: deque[tuple[Micros, Exact, str]]) -> float | None:
        if self.function == "avg":
            return float(total) / len(items) if items else None
        return int(total) if isinstance(total, int) else float(total)

    def idle(self, cell: Periods) -> bool:
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
