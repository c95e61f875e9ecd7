"""Aggregates over a subject's events: exact half-open windows, the last N events, or all history, with what is known
of the result when history is short."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal
from math import floor
from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from knowledge.catalog.model import Catalog
from strategy.document import SUBJECT, Aggregate, EventFilter
from strategy.engine.nodes import EVIDENCE, TRUTHS, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import (
    FALSE,
    OPERATORS,
    TRUE,
    UNKNOWN,
    Exact,
    add,
    bounded,
    exact,
    is_number,
    packed,
    take,
    times,
    unpacked,
)


class Bag:
    """What one window holds: events' times and ids, oldest first; with all history only the newest for evidence, while
    `n` and what subclasses add cover everything. Lists, for most windows hold few."""

    __slots__ = ("ids", "n", "times")

    def __init__(self) -> None:
        self.times: list[Micros] = []
        self.ids: list[str] = []
        self.n = 0


class Valued(Bag):
    """With the events' values (exact where they are added up)."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        super().__init__()
        self.values: list[Any] = []


class AggregateLeaf(Leaf):
    """A function of a field, compared with a value. What it sees is a plain number; (bound, number) when that is all
    that is known of it; None when nothing is."""

    kind: ClassVar[str] = "aggregate"
    numeric: ClassVar[bool] = False
    bag: ClassVar[type[Bag]] = Bag

    def __init__(self, path: str, slot: int, condition: Aggregate, catalog: Catalog) -> None:
        super().__init__(path, slot, condition)
        self.filters = (EventFilter(event=condition.event, where=condition.where),)
        self.over, self.newest = condition.window.over, condition.window.last
        self.history = self.full = self.over
        self.field = condition.field
        self.op, self.value = condition.op, condition.value
        self._holds = OPERATORS[condition.op]
        self._empty = self.bag()
        self._threshold = self._compared_with(condition)

    def _compared_with(self, condition: Aggregate) -> Any:
        value = condition.value
        found = [exact(_number(v)) for v in value] if isinstance(value, list) else exact(_number(value))
        self.marks = tuple(found) if isinstance(found, list) else (found,)
        return found

    @property
    def looks(self) -> str:
        return self.condition.model_dump_json(exclude={"op", "value"})

    # what comes and goes

    def feed(self, cell: Any, event: Event, roles: int) -> Any:
        value: Any = None
        if self.field is not None:
            value = event.subject if self.field == SUBJECT else event.data.get(self.field)
            if value is None or (self.numeric and not is_number(value)):
                return cell
        bag = self.bag() if cell is None else cell
        if self.over is not None:
            self._expire(bag, event.time)
        bag.n += 1
        self._put(bag, event, value)
        if self.over is None:
            self._trim(bag)
        return bag

    def _put(self, bag: Any, event: Event, value: Any) -> None:
        bag.times.append(event.time)
        bag.ids.append(event.id)

    def _drop(self, bag: Any, number: int) -> None:
        """Let the oldest events go."""
        del bag.times[:number], bag.ids[:number]

    def _trim(self, bag: Any) -> None:
        """Keep the last N, or of all history what is shown."""
        if self.newest is not None:
            if len(bag.times) > self.newest:
                self._drop(bag, 1)
        elif len(bag.times) > EVIDENCE:
            AggregateLeaf._drop(self, bag, 1)

    def _expire(self, bag: Bag, at: Micros) -> None:
        times, start = bag.times, at - (self.over or 0)
        if times and times[0] <= start:
            self._drop(bag, bisect_right(times, start))

    def _bag(self, cell: Any, now: Now) -> Any:
        if cell is None:
            return self._empty
        if self.over is not None:
            self._expire(cell, now.at)
        return cell

    def _short(self, bag: Bag, now: Now) -> bool:
        if self.over is not None:
            return now.begin is None or now.at - self.over < now.begin
        return self.newest is not None and bag.n < self.newest

    def _count(self, bag: Bag) -> int:
        return bag.n if self.over is None and self.newest is None else len(bag.times)

    # what it sees

    def judge(self, level: Any) -> int:
        if type(level) is tuple:
            return bounded(self.op, level[1], self._threshold, level[0])
        if level is None:
            return UNKNOWN
        return TRUE if self._holds(level, self._threshold) else FALSE

    def due(self, cell: Any, now: Now) -> Micros | None:
        if self.over is None or cell is None:
            return None
        times = self._bag(cell, now).times
        return Micros(times[0] + self.over) if times else None

    def observe(self, cell: Any, now: Now) -> Observation:
        truth = self.truth(cell, now)
        bag = self._bag(cell, now)
        return Observation(
            self.path,
            self.kind,
            TRUTHS[truth],
            observed=self._observed(bag),
            op=self.op,
            threshold=self.value,
            window=None if self.over is None else (Micros(now.at - self.over), now.at),
            evidence=self._evidence(bag),
            note=None if truth != UNKNOWN else "short_history" if self._short(bag, now) else "no_data",
        )

    @abstractmethod
    def _observed(self, bag: Any) -> Any: ...

    def _evidence(self, bag: Bag) -> tuple[str, ...]:
        return tuple(bag.ids[-EVIDENCE:])

    # what is kept

    def idle(self, cell: Any, at: Micros) -> bool:
        if self.over is None:
            return False
        self._expire(cell, at)
        return not cell.times

    def dump(self, cell: Any) -> Any:
        return [cell.n, cell.times, cell.ids]

    def load(self, data: Any) -> Any:
        bag = self.bag()
        bag.n, bag.times, bag.ids = data[:3]
        return bag


class CountLeaf(AggregateLeaf):
    def level(self, cell: Bag | None, now: Now) -> Any:
        bag = self._bag(cell, now)
        return ("lower", self._count(bag)) if self._short(bag, now) else self._count(bag)

    def falls_to(self, cell: Bag | None, now: Now, counts: Sequence[int]) -> Micros | None:
        """When a count in a window of time falls to the first of these numbers (in order) that lie below it."""
        times = self._bag(cell, now).times
        place = bisect_left(counts, len(times)) - 1
        return Micros(times[len(times) - counts[place] - 1] + (self.over or 0)) if place >= 0 else None

    def crossings(self, wanted: int) -> set[int]:
        """The numbers at which a falling count turns this comparison to a truth."""
        near = {floor(mark) + step for mark in self.marks for step in (-1, 0, 1)}
        return {n for n in near if n >= 0 and self.judge(n) == wanted != self.judge(n + 1)}

    def _observed(self, bag: Bag) -> int:
        return self._count(bag)


class Total(Valued):
    """With their exact total, and how many negative ones are in it."""

    __slots__ = ("negatives", "total")

    def __init__(self) -> None:
        super().__init__()
        self.total: Exact = 0
        self.negatives = 0


class SumLeaf(AggregateLeaf):
    numeric = True
    bag = Total

    def __init__(self, path: str, slot: int, condition: Aggregate, catalog: Catalog) -> None:
        super().__init__(path, slot, condition, catalog)
        field = catalog.field(condition.event, condition.field or "")
        self._signed = field is not None and field.min is not None and field.min < 0
        self._whole = self.over is None and self.newest is None

    def _put(self, bag: Total, event: Event, value: Any) -> None:
        super()._put(bag, event, value)
        value = exact(value)
        bag.total = add(bag.total, value)
        bag.negatives += value < 0
        if not self._whole:
            bag.values.append(value)

    def _drop(self, bag: Total, number: int) -> None:
        super()._drop(bag, number)
        for value in bag.values[:number]:
            bag.total = take(bag.total, value)
            bag.negatives -= value < 0
        del bag.values[:number]

    def level(self, cell: Total | None, now: Now) -> Any:
        bag = self._bag(cell, now)
        if self._short(bag, now):
            return None if self._signed or bag.negatives else ("lower", bag.total)
        return bag.total

    def _observed(self, bag: Total) -> Any:
        return plain(bag.total)

    def dump(self, cell: Total) -> Any:
        return [*super().dump(cell), [packed(value) for value in cell.values], packed(cell.total), cell.negatives]

    def load(self, data: Any) -> Total:
        bag: Total = super().load(data)
        bag.values = [unpacked(value) for value in data[3]]
        bag.total, bag.negatives = unpacked(data[4]), data[5]
        return bag


class AverageLeaf(SumLeaf):
    """It sees the total and how many there are."""

    def _compared_with(self, condition: Aggregate) -> Any:
        found, self.marks = super()._compared_with(condition), ()
        return found

    def level(self, cell: Total | None, now: Now) -> tuple[Exact, int] | None:
        bag = self._bag(cell, now)
        return (bag.total, self._count(bag)) if bag.times and not self._short(bag, now) else None

    def judge(self, level: tuple[Exact, int] | None) -> int:
        if level is None:
            return UNKNOWN
        (total, n), threshold = level, self._threshold
        many = [times(v, n) for v in threshold] if isinstance(threshold, list) else times(threshold, n)
        return TRUE if self._holds(total, many) else FALSE

    def _observed(self, bag: Total) -> float | None:
        return float(bag.total) / self._count(bag) if bag.times else None


def _number(value: Any) -> float:
    return float(value)


def plain(value: Any) -> Any:
    """An exact number as JSON has numbers."""
    return float(value) if isinstance(value, Decimal) else value
