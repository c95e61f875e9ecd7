"""All event filters of one event type at once: each field's value lies in a cell that holds the set of filters it does
not rule out, as bits of one int; the filters an event passes are what is left when every field has been asked.

Numbers and texts are cut at the bounds that filters name; a filter's bit is turned on or off where its answer changes
(bit by bit, so that adding or removing one touches none of the others), and a cell is the sum of the turns before it.
The answers are those of `values.comparison`, one filter at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from knowledge.catalog.model import Catalog
from strategy.document import EventFilter, Filter
from strategy.engine.values import Test, comparison, is_date, is_number

KEPT = 4_096
"""Answers remembered for texts that were compared one by one; then all are forgotten."""


class FilterIndex:
    """The filters on events of one type, each known by its bit."""

    __slots__ = ("_catalog", "_event", "_fields", "_where", "all")

    def __init__(self, event: str, catalog: Catalog) -> None:
        self._event, self._catalog = event, catalog
        self.all = 0
        self._fields: list[tuple[str, _Field]] = []
        """A field that a filter asks twice is there twice, once for each question."""
        self._where: dict[int, Sequence[Filter]] = {}

    def add(self, found: EventFilter) -> int:
        """Take a filter in; the number of its bit."""
        place = (~self.all & (self.all + 1)).bit_length() - 1
        self.all |= 1 << place
        self._where[place] = found.where
        for field, each in self._asked(found.where):
            field.turn(each, 1 << place)
        return place

    def remove(self, place: int) -> None:
        self.all ^= 1 << place
        for field, each in self._asked(self._where.pop(place)):
            field.turn(each, 1 << place)
        self._fields = [(name, field) for name, field in self._fields if field.mentioned]

    def passing(self, data: Mapping[str, Any]) -> int:
        """The filters that an event with these data passes."""
        found = self.all
        for name, field in self._fields:
            found &= ~field.ruled_out(data.get(name))
        return found

    def _asked(self, where: Sequence[Filter]) -> Iterator[tuple[_Field, Filter]]:
        """Each comparison of a filter with the field that answers it."""
        asked: list[_Field] = []
        for each in where:
            field = next((f for name, f in self._fields if name == each.field and f not in asked), None)
            if field is None:
                field = _Field(is_date(self._catalog.field(self._event, each.field)))
                self._fields.append((each.field, field))
            asked.append(field)
            yield field, each


class _Field:
    """What one field's value rules out. `turn` adds a comparison, or, with the same bit again, takes it away."""

    __slots__ = ("_date", "_false", "_missing", "_numbers", "_odd", "_present", "_texts", "_true", "mentioned")

    def __init__(self, date: bool) -> None:
        self._date = date
        self._numbers, self._texts = _Line(), _Line()
        self.mentioned = self._missing = self._present = self._true = self._false = 0
        self._odd: dict[int, Test] = {}
        """Every test, for values that JSON does not have: asked one by one."""

    def turn(self, asked: Filter, bit: int) -> None:
        op, value, test = asked.op, asked.value, comparison(asked.op, asked.value, date=self._date)
        self.mentioned ^= bit
        if self._odd.pop(bit, None) is None:
            self._odd[bit] = test
        if op == "missing":
            self._missing ^= bit
        elif op == "present":
            self._present ^= bit
        else:
            values: list[Any] = value if isinstance(value, list) else [value]
            sample = values[0] if values else ""
            if isinstance(sample, bool):
                self._true ^= bit if test(True) else 0
                self._false ^= bit if test(False) else 0
            elif isinstance(sample, str):
                texts = [v[:10] if self._date else v for v in values if isinstance(v, str)]
                self._texts.turn(op, texts, test, bit)
            else:
                self._numbers.turn(op, [v for v in values if not isinstance(v, str)], test, bit)

    def ruled_out(self, value: Any) -> int:
        if value is None:
            passed = self._missing
        elif (kind := type(value)) is str:
            passed = self._present | self._texts.at(value[:10] if self._date else value)
        elif kind is bool:
            passed = self._present | (self._true if value else self._false)
        elif is_number(value):
            passed = self._present | self._numbers.at(value)
        else:
            passed = sum(bit for bit, test in self._odd.items() if test(value) is True)
        return self.mentioned ^ passed


class _Line:
    """Values of one kind in their order. Bits turn at single points and at the borders of half-lines; what has no place
    in the order (a text within a text) is asked one by one, and remembered."""

    __slots__ = ("_after", "_before", "_borders", "_cells", "_points", "_seen", "_start", "_tests")

    def __init__(self) -> None:
        self._start = 0
        self._points: dict[Any, int] = {}
        self._before: dict[Any, int] = {}
        """What turns at a border, it included. `_after`: just after it."""
        self._after: dict[Any, int] = {}
        self._borders: list[Any] = []
        self._cells: list[int] | None = None
        """Made when asked for: below the first border, at it, after it, at the second, …"""
        self._tests: dict[int, Test] = {}
        self._seen: dict[Any, int] = {}

    def turn(self, op: str, values: list[Any], test: Test, bit: int) -> None:
        if op in ("==", "!=", "in", "not_in"):
            if op in ("!=", "not_in"):
                self._start ^= bit
            for value in set(values):
                _turn(self._points, value, bit)
        elif op == "between" and values[0] > values[1]:
            pass  # nothing lies there
        elif op in ("<", "<=", ">", ">=", "between"):
            if op in ("<", "<="):
                self._start ^= bit
            if op in (">=", "<", "between"):
                _turn(self._before, values[0], bit)
            if op in (">", "<=", "between"):
                _turn(self._after, values[-1], bit)
        elif self._tests.pop(bit, None) is None:
            self._tests[bit] = test
        self._cells = None
        self._seen.clear()

    def at(self, value: Any) -> int:
        """The bits that are on at a value."""
        cells = self._cells
        if cells is None:
            cells = self._made()
        borders = self._borders
        place = bisect_left(borders, value)
        at_border = place < len(borders) and borders[place] == value
        found = cells[2 * place + at_border] ^ self._points.get(value, 0)
        return found | self._asked(value) if self._tests else found

    def _made(self) -> list[int]:
        self._borders = sorted({*self._before, *self._after})
        on = self._start
        self._cells = [on]
        for border in self._borders:
            on ^= self._before.get(border, 0)
            self._cells.append(on)
            on ^= self._after.get(border, 0)
            self._cells.append(on)
        return self._cells

    def _asked(self, value: Any) -> int:
        seen = self._seen.get(value)
        if seen is None:
            if len(self._seen) >= KEPT:
                self._seen.clear()
            seen = self._seen[value] = sum(bit for bit, test in self._tests.items() if test(value) is True)
        return seen


def _turn(bits: dict[Any, int], value: Any, bit: int) -> None:
    """Turn a bit; nothing is kept where none is left."""
    turned = bits.get(value, 0) ^ bit
    if turned:
        bits[value] = turned
    else:
        del bits[value]


def places(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, from the lowest."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
