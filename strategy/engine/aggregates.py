"""Aggregates over a subject's events: exact half-open windows, the last N events, or all history, with what is known
of the result when history is short."""

from __future__ import annotations

import json
from collections import deque
from decimal import Decimal
from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from knowledge.catalog.model import Catalog
from strategy.document import SUBJECT, Aggregate
from strategy.engine.nodes import EVIDENCE, TRUTHS, Cells, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import (
    FALSE,
    TRUE,
    UNKNOWN,
    Exact,
    add,
    bounded,
    comparison,
    exact,
    is_date,
    is_number,
    packed,
    passes,
    take,
    times,
    unpacked,
)

Item = tuple[Micros, Any, str, int]
"""Time, value (exact where it is added up), event id, running number."""


class Bag:
    """What one window holds. `items` in order, oldest first; with all history only the newest for evidence, while `n`,
    `total` and `best` cover everything. For min and max `items` holds only what may still become the extreme."""

    __slots__ = ("items", "n", "negatives", "seen", "total")

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self.n = 0
        self.total: Exact = 0
        self.negatives = 0
        self.seen: dict[Any, int] = {}


class AggregateLeaf(Leaf):
    """count, sum, avg, min, max, distinct or last of a field, compared with a value."""

    kind: ClassVar[str] = "aggregate"
    restless = True

    def __init__(self, path: str, slot: int, condition: Aggregate, catalog: Catalog) -> None:
        super().__init__(path, slot)
        self.events = (condition.event,)
        self.over = condition.window.over
        self.newest = condition.window.last
        self.history = self.over
        self.function = condition.function
        self.field = condition.field
        self.op, self.value = condition.op, condition.value
        self._passes = passes(condition, catalog)
        field = catalog.field(condition.event, condition.field) if condition.field else None
        self._signed = field is not None and field.min is not None and field.min < 0
        self._numeric = self.function in ("sum", "avg", "min", "max")
        self._extreme = self.function in ("min", "max")
        self._test = comparison(condition.op, condition.value, date=is_date(field))
        self._threshold: Any = None
        if self.function != "last":
            value = condition.value
            self._threshold = [exact(_number(v)) for v in value] if isinstance(value, list) else exact(_number(value))
        self._empty = Bag()

    def feed(self, cells: Cells, event: Event) -> bool:
        data = event.data
        if self._passes is not None and not self._passes(data):
            return False
        value: Any = None
        if self.field is not None:
            value = event.subject if self.field == SUBJECT else data.get(self.field)
            if value is None or (self._numeric and not is_number(value)):
                return False
            if self._numeric:
                value = exact(value)
            elif not isinstance(value, str | bool | int | float):
                value = json.dumps(value, sort_keys=True)
        bag = cells[self.slot]
        if bag is None:
            bag = cells[self.slot] = Bag()
        if self.over is not None:
            self._expire(bag, event.time)
        self._add(bag, event, value)
        return True

    def _add(self, bag: Bag, event: Event, value: Any) -> None:
        bag.n += 1
        items = bag.items
        if self._extreme:
            if self.function == "max":
                while items and items[-1][1] <= value:
                    items.pop()
            else:
                while items and items[-1][1] >= value:
                    items.pop()
        elif self.function in ("sum", "avg"):
            bag.total = add(bag.total, value)
            bag.negatives += value < 0
        elif self.function == "distinct":
            key = (type(value) is bool, value)
            bag.seen[key] = bag.seen.get(key, 0) + 1
        items.append((event.time, value, event.id, bag.n))
        if self.newest is not None:
            if self._extreme:
                while items[0][3] <= bag.n - self.newest:
                    items.popleft()
            elif len(items) > self.newest:
                self._remove(bag)
        elif self.over is None:
            if self._extreme:
                while len(items) > 1:
                    items.pop()
            elif len(items) > EVIDENCE:
                items.popleft()
        if self.function == "last" and len(items) > 1:
            items.popleft()

    def _remove(self, bag: Bag) -> None:
        value = bag.items.popleft()[1]
        if self.function in ("sum", "avg"):
            bag.total = take(bag.total, value)
            bag.negatives -= value < 0
        elif self.function == "distinct":
            key = (type(value) is bool, value)
            bag.seen[key] -= 1
            if not bag.seen[key]:
                del bag.seen[key]

    def _expire(self, bag: Bag, at: Micros) -> None:
        start = at - (self.over or 0)
        while bag.items and bag.items[0][0] <= start:
            self._remove(bag)

    def _bag(self, cells: Cells, now: Now) -> Bag:
        bag: Bag | None = cells[self.slot]
        if bag is None:
            return self._empty
        if self.over is not None:
            self._expire(bag, now.at)
        return bag

    def _short(self, bag: Bag, now: Now) -> bool:
        if self.newest is not None:
            return bag.n < self.newest
        return self.over is not None and (now.begin is None or now.at - self.over < now.begin)

    def truth(self, cells: Cells, now: Now) -> int:
        bag = self._bag(cells, now)
        return self._judge(bag, self._short(bag, now))

    def _judge(self, bag: Bag, short: bool) -> int:
        function, items = self.function, bag.items
        if function == "count":
            return bounded(self.op, self._count(bag), self._threshold, "lower" if short else "exact")
        if function == "distinct":
            return bounded(self.op, len(bag.seen), self._threshold, "lower" if short else "exact")
        if function == "sum":
            if short and (self._signed or bag.negatives):
                return UNKNOWN
            return bounded(self.op, bag.total, self._threshold, "lower" if short else "exact")
        if not items:
            return UNKNOWN
        if function == "last":
            found = self._test(items[-1][1])
            return UNKNOWN if found is None else TRUE if found else FALSE
        if function == "avg":
            if short:
                return UNKNOWN
            n, threshold = self._count(bag), self._threshold
            scaled = [times(v, n) for v in threshold] if isinstance(threshold, list) else times(threshold, n)
            return bounded(self.op, bag.total, scaled, "exact")
        bound = "exact" if not short else "lower" if function == "max" else "upper"
        return bounded(self.op, items[0][1], self._threshold, bound)

    def _count(self, bag: Bag) -> int:
        return bag.n if self.over is None and self.newest is None else len(bag.items)

    def due(self, cells: Cells, now: Now) -> Micros | None:
        if self.over is None:
            return None
        bag = self._bag(cells, now)
        leaves = Micros(bag.items[0][0] + self.over) if bag.items else None
        if now.begin is not None and now.at < now.begin + self.over:
            full = Micros(now.begin + self.over)
            return full if leaves is None or full < leaves else leaves
        return leaves

    def observe(self, cells: Cells, now: Now) -> Observation:
        bag = self._bag(cells, now)
        short = self._short(bag, now)
        truth = self._judge(bag, short)
        ids = [item[2] for item in bag.items]
        return Observation(
            self.path,
            self.kind,
            TRUTHS[truth],
            observed=self._observed(bag),
            op=self.op,
            threshold=self.value,
            window=None if self.over is None else (Micros(now.at - self.over), now.at),
            evidence=tuple(ids[:1] if self._extreme else ids[-EVIDENCE:]),
            note=None if truth != UNKNOWN else "short_history" if short else "no_data",
        )

    def _observed(self, bag: Bag) -> Any:
        if self.function == "count":
            return self._count(bag)
        if self.function == "distinct":
            return len(bag.seen)
        if self.function == "sum":
            return _plain(bag.total)
        if not bag.items:
            return None
        if self.function == "avg":
            return float(bag.total) / self._count(bag)
        return _plain(bag.items[-1 if self.function == "last" else 0][1])

    def idle(self, cell: Bag) -> bool:
        return self.over is not None and not cell.items

    def dump(self, cell: Bag) -> Any:
        items = [[time, packed(value), id_, n] for time, value, id_, n in cell.items]
        seen = [[flag, packed(value), n] for (flag, value), n in cell.seen.items()]
        return [items, cell.n, packed(cell.total), cell.negatives, seen]

    def load(self, data: Any) -> Bag:
        bag = Bag()
        items, bag.n, total, bag.negatives, seen = data
        bag.items.extend((Micros(time), unpacked(value), id_, n) for time, value, id_, n in items)
        bag.total = unpacked(total)
        bag.seen = {(flag, unpacked(value)): n for flag, value, n in seen}
        return bag


def _number(value: Any) -> float:
    return float(value)


def _plain(value: Any) -> Any:
    """An exact number as JSON has numbers."""
    return float(value) if isinstance(value, Decimal) else value
