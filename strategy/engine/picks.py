"""Aggregates that pick values: the largest or smallest, the different ones, the newest."""

from __future__ import annotations

import json
from typing import Any

from core.events import Event
from knowledge.catalog.model import Catalog
from strategy.document import Aggregate
from strategy.engine.aggregates import AggregateLeaf, Bag, Valued, plain
from strategy.engine.nodes import Now
from strategy.engine.values import FALSE, TRUE, UNKNOWN, comparison, exact, is_date, packed, unpacked


class Ranked(Valued):
    """With the events' running numbers, for a window of the last N."""

    __slots__ = ("numbers",)

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []


class ExtremeLeaf(AggregateLeaf):
    """The largest or smallest value. It keeps only what may still become it; the first of them is it."""

    numeric = True
    bag = Ranked

    def __init__(self, path: str, slot: int, condition: Aggregate, catalog: Catalog) -> None:
        super().__init__(path, slot, condition, catalog)
        self._largest = condition.function == "max"
        self._bound = "lower" if self._largest else "upper"

    def _put(self, bag: Ranked, event: Event, value: Any) -> None:
        values, value = bag.values, exact(value)
        kept = len(values)
        while kept and (values[kept - 1] <= value if self._largest else values[kept - 1] >= value):
            kept -= 1
        del bag.times[kept:], bag.ids[kept:], values[kept:], bag.numbers[kept:]
        if self.over is not None or self.newest is not None or not values:
            super()._put(bag, event, value)
            values.append(value)
            bag.numbers.append(bag.n)

    def _drop(self, bag: Ranked, number: int) -> None:
        super()._drop(bag, number)
        del bag.values[:number], bag.numbers[:number]

    def _trim(self, bag: Ranked) -> None:
        if self.newest is not None and bag.numbers[0] <= bag.n - self.newest:
            self._drop(bag, 1)

    def level(self, cell: Ranked | None, now: Now) -> Any:
        bag = self._bag(cell, now)
        if not bag.values:
            return None
        return (self._bound, bag.values[0]) if self._short(bag, now) else bag.values[0]

    def _observed(self, bag: Ranked) -> Any:
        return plain(bag.values[0]) if bag.values else None

    def _evidence(self, bag: Bag) -> tuple[str, ...]:
        return tuple(bag.ids[:1])

    def dump(self, cell: Ranked) -> Any:
        return [*super().dump(cell), [packed(value) for value in cell.values], cell.numbers]

    def load(self, data: Any) -> Ranked:
        bag: Ranked = super().load(data)
        bag.values, bag.numbers = [unpacked(value) for value in data[3]], data[4]
        return bag


class Kinds(Valued):
    """With how often each value is in it. A truth value is another than the number it equals."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[tuple[bool, Any], int] = {}


class DistinctLeaf(AggregateLeaf):
    bag = Kinds

    def _put(self, bag: Kinds, event: Event, value: Any) -> None:
        super()._put(bag, event, value)
        value = _scalar(value)
        key = (type(value) is bool, value)
        bag.seen[key] = bag.seen.get(key, 0) + 1
        if self.over is not None or self.newest is not None:
            bag.values.append(value)

    def _drop(self, bag: Kinds, number: int) -> None:
        super()._drop(bag, number)
        for value in bag.values[:number]:
            key = (type(value) is bool, value)
            bag.seen[key] -= 1
            if not bag.seen[key]:
                del bag.seen[key]
        del bag.values[:number]

    def level(self, cell: Kinds | None, now: Now) -> Any:
        bag = self._bag(cell, now)
        return ("lower", len(bag.seen)) if self._short(bag, now) else len(bag.seen)

    def _observed(self, bag: Kinds) -> int:
        return len(bag.seen)

    def dump(self, cell: Kinds) -> Any:
        return [*super().dump(cell), cell.values, [[flag, value, n] for (flag, value), n in cell.seen.items()]]

    def load(self, data: Any) -> Kinds:
        bag: Kinds = super().load(data)
        bag.values, bag.seen = data[3], {(flag, value): n for flag, value, n in data[4]}
        return bag


class LastLeaf(AggregateLeaf):
    """It sees the newest value, and whether that is a truth value, for True equals 1."""

    bag = Valued

    def __init__(self, path: str, slot: int, condition: Aggregate, catalog: Catalog) -> None:
        super().__init__(path, slot, condition, catalog)
        field = catalog.field(condition.event, condition.field or "")
        self._test = comparison(condition.op, condition.value, date=is_date(field))

    def _compared_with(self, condition: Aggregate) -> Any:
        return None

    def _put(self, bag: Valued, event: Event, value: Any) -> None:
        bag.times, bag.ids, bag.values = [event.time], [event.id], [_scalar(value)]

    def _drop(self, bag: Valued, number: int) -> None:
        super()._drop(bag, number)
        bag.values.clear()

    def level(self, cell: Valued | None, now: Now) -> tuple[bool, Any] | None:
        values = self._bag(cell, now).values
        return (type(values[0]) is bool, values[0]) if values else None

    def judge(self, level: tuple[bool, Any] | None) -> int:
        found = None if level is None else self._test(level[1])
        return UNKNOWN if found is None else TRUE if found else FALSE

    def _observed(self, bag: Valued) -> Any:
        return bag.values[0] if bag.values else None

    def dump(self, cell: Valued) -> Any:
        return [*super().dump(cell), cell.values]

    def load(self, data: Any) -> Valued:
        bag: Valued = super().load(data)
        bag.values = data[3]
        return bag


def _scalar(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | float) else json.dumps(value, sort_keys=True)
