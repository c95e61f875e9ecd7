"""Which event filters an event passes: every field's value falls into a cell, every cell holds a bitset of the filters
that field does not rule out, and AND across fields leaves those that pass. Filters come and go in place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from math import inf, nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategy.columnar.memory import borrowing
from strategy.columnar.strings import grown
from strategy.document import Filter
from strategy.engine.values import comparison

CELLS = 1024
"""A field is cut into at most about so many cells of numbers; bounds beyond are checked filter by filter."""
TABLE = 1 << 21
"""Words of one field's table that cutting it finer may not exceed."""
UNRESOLVED = -1
"""A value whose cell Python has yet to find."""

Test = Callable[[Any], bool | None]


def key_of(filters: Sequence[Filter]) -> tuple[str, ...]:
    """The same for filters that ask the same."""
    return tuple(sorted(f"{f.field} {f.op} {f.value!r}" for f in filters))


class Clause:
    """What one filter asks of one field: all its comparisons on it. `date`: of texts only the day counts."""

    def __init__(self, filters: Sequence[Filter], date: bool = False) -> None:
        self.key = key_of(filters)
        self._tests: list[Test] = [comparison(f.op, f.value, date=date) for f in filters]
        values = [v for f in filters for v in (f.value if isinstance(f.value, list) else [f.value])]
        self.bounds = sorted({float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)})
        only = filters[0]
        asks_equal = not date and len(filters) == 1 and only.op in ("==", "in")
        self.texts = {v for v in values if isinstance(v, str)} if asks_equal and _all_text(values) else None
        """The only values that pass, when they are texts."""
        self.plain = not date and all(_plain(f) for f in filters)
        """Only numbers pass, and which is said by ranges alone."""
        self.spans = _within(filters) if self.plain else self._spans()

    def passes(self, value: Any) -> bool:
        for test in self._tests:
            if test(value) is not True:
                return False
        return True

    def _spans(self) -> list[tuple[float, float]]:
        """The closed ranges of numbers that pass: the answer can only change at a bound."""
        spans: list[tuple[float, float]] = []
        edges = [-inf, *self.bounds, inf]
        for i, edge in enumerate(edges[1:], 1):
            low, high = nextafter(edges[i - 1], inf), nextafter(edge, -inf)
            if low <= high and self.passes(_between(low, high)):
                spans.append((low, high))
            if edge != inf and self.passes(_number(edge)):
                spans.append((edge, edge))
        return _joined(spans)


_RANGES: dict[str, Callable[[float], list[tuple[float, float]]]] = {
    "==": lambda v: [(v, v)],
    "!=": lambda v: [(-inf, nextafter(v, -inf)), (nextafter(v, inf), inf)],
    "<": lambda v: [(-inf, nextafter(v, -inf))],
    "<=": lambda v: [(-inf, v)],
    ">": lambda v: [(nextafter(v, inf), inf)],
    ">=": lambda v: [(v, inf)],
}


def _plain(asked: Filter) -> bool:
    value = asked.value
    return asked.op in _RANGES and isinstance(value, float) and abs(value) < 1e300


def _within(filters: Sequence[Filter]) -> list[tuple[float, float]]:
    """The closed ranges of finite numbers that pass all of these comparisons, without trying any."""
    spans = [(nextafter(-inf, inf), nextafter(inf, -inf))]
    for each in filters:
        assert isinstance(each.value, float)
        ranges = _RANGES[each.op](each.value)
        spans = [(max(a, c), min(b, d)) for a, b in spans for c, d in ranges if max(a, c) <= min(b, d)]
    return spans


def _all_text(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(v, str) for v in values)


def _between(low: float, high: float) -> float:
    middle = low / 2 + high / 2
    return middle if low <= middle <= high else low


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for low, high in spans:
        if joined and low <= nextafter(joined[-1][1], inf):
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


class Field:
    """One field's cells. Rows of its table: 0 missing, 1 true, 2 false, then numbers (2·bounds + 1), then one for each
    kind of text. `clauses`: position of a filter → what it asks here; `asked`: the filters that ask something; the
    others pass whatever the cell."""

    def __init__(self, name: str, column: int, words: int) -> None:
        self.name, self.column = name, column
        self.bounds: list[float] = []
        self.table = np.zeros((8, words), np.uint64)
        self.rows = 4
        self.clauses: dict[int, Clause] = {}
        self.by_text: dict[str, list[int]] = {}
        self.others: dict[int, Clause] = {}
        self.asked = np.zeros(words, np.uint64)
        self.text_rows: dict[bytes, int] = {}
        self.version = 0
        """Goes up when rows of texts are to be found anew."""
        self.dirty = True
        """The table is to be laid out anew for compiled code."""

    @property
    def first_text(self) -> int:
        return 3 + 2 * len(self.bounds) + 1

    def widen(self, words: int) -> None:
        table = np.zeros((len(self.table), words), np.uint64)
        table[:, : self.table.shape[1]] = self.table
        asked = np.zeros(words, np.uint64)
        asked[: len(self.asked)] = self.asked
        self.table, self.asked = table, asked
        self._forget_texts()

    def add(self, position: int, clause: Clause) -> bool:
        """Let a filter be told apart here; False when numbers must be checked one by one."""
        word, bit = position >> 6, np.uint64(1 << (position & 63))
        self.asked[word] |= bit
        self.clauses[position] = clause
        exact = self._cut(clause)
        for row, value in () if clause.plain else ((0, None), (1, True), (2, False)):
            if clause.passes(value):
                self.table[row, word] |= bit
        for low, high in clause.spans:
            first, last = self._cell(low, False), self._cell(high, True)
            self.table[first : last + 1, word] |= bit
        if clause.texts is not None:
            for text in clause.texts:
                self.by_text.setdefault(text, []).append(position)
        else:
            self.others[position] = clause
        self._forget_texts()
        return exact

    def remove(self, position: int) -> None:
        clause = self.clauses.pop(position, None)
        if clause is None:
            return
        word, keep = position >> 6, ~np.uint64(1 << (position & 63))
        self.asked[word] &= keep
        self.table[: self.rows, word] &= keep
        if clause.texts is not None:
            for text in clause.texts:
                self.by_text[text].remove(position)
                if not self.by_text[text]:
                    del self.by_text[text]
        self.others.pop(position, None)
        self._forget_texts()

    def _forget_texts(self) -> None:
        self.dirty = True
        self.rows = self.first_text
        self.text_rows.clear()
        self.version += 1

    def _cut(self, clause: Clause) -> bool:
        """Make the clause's bounds edges of cells, as long as the table may grow."""
        words = self.table.shape[1]
        exact = True
        for bound in clause.bounds:
            at = bisect_left(self.bounds, bound)
            if at < len(self.bounds) and self.bounds[at] == bound:
                continue
            if len(self.bounds) * 2 >= CELLS or (len(self.table) + 2) * words > TABLE:
                exact = False
                continue
            self._forget_texts()
            self.bounds.insert(at, bound)
            gap = 3 + 2 * at
            if self.rows + 2 > len(self.table):
                self.table = grown(self.table, self.rows + 2)
            self.table[gap + 2 : self.rows + 2] = self.table[gap : self.rows].copy()
            self.table[gap + 1] = self.table[gap]
            self.rows += 2
        return exact

    def _cell(self, value: float, upper: bool) -> int:
        """The row of a number; of the bounds ±inf the outermost. With bounds left out it may hold others as well."""
        at = bisect_left(self.bounds, value)
        if at < len(self.bounds) and self.bounds[at] == value:
            return 3 + 2 * at + 1
        return 3 + 2 * at

    def text_row(self, value: Any) -> int:
        """The row of a value that is no number, boolean or null (or a number too large for a float)."""
        bits = np.zeros(self.table.shape[1], np.uint64)
        if isinstance(value, str):
            for position in self.by_text.get(value, ()):
                bits[position >> 6] |= np.uint64(1 << (position & 63))
        told: dict[tuple[str, ...], bool] = {}
        for position, clause in self.others.items():
            if clause.key not in told:
                told[clause.key] = clause.passes(value)
            if told[clause.key]:
                bits[position >> 6] |= np.uint64(1 << (position & 63))
        key = bits.tobytes()
        if key not in self.text_rows:
            self.table = grown(self.table, self.rows + 1)
            self.table[self.rows] = bits
            self.text_rows[key] = self.rows
            self.rows += 1
        return self.text_rows[key]


class FilterIndex:
    """The filters on one type of event. Positions are places in the bitsets; a position freed is used again."""

    def __init__(self, columns: Sequence[str], dates: Collection[str] = ()) -> None:
        self.columns = list(columns)
        self._dates = frozenset(dates)
        self.words = 1
        self.live = np.zeros(1, np.uint64)
        self.fields: list[Field] = []
        self.free: list[int] = []
        self.count = 0
        self.checks: dict[int, list[tuple[int, Clause]]] = {}
        """Position → (place in `fields`, clause) that the cells alone do not decide."""

    def add(self, where: Sequence[Filter]) -> int:
        """Put a filter in; its position."""
        position = self.free.pop() if self.free else self.count
        self.count = max(self.count, position + 1)
        if position >= 64 * self.words:
            self._widen(self.words + max(1, self.words // 4))
        asked: dict[str, list[Filter]] = {}
        for each in where:
            asked.setdefault(each.field, []).append(each)
        unsure = []
        for name, filters in asked.items():
            place = self._place(name)
            clause = Clause(filters, name in self._dates)
            if not self.fields[place].add(position, clause):
                unsure.append((place, clause))
        if unsure:
            self.checks[position] = unsure
        self.live[position >> 6] |= np.uint64(1 << (position & 63))
        return position

    def remove(self, position: int) -> None:
        for field in self.fields:
            field.remove(position)
        self.live[position >> 6] &= ~np.uint64(1 << (position & 63))
        self.checks.pop(position, None)
        self.free.append(position)

    def _place(self, name: str) -> int:
        """Where a field is among those that filters ask of."""
        for place, field in enumerate(self.fields):
            if field.name == name:
                return place
        self.fields.append(Field(name, self.columns.index(name), self.words))
        return len(self.fields) - 1

    def _widen(self, words: int) -> None:
        self.words = words
        live = np.zeros(words, np.uint64)
        live[: len(self.live)] = self.live
        self.live = live
        for field in self.fields:
            field.widen(words)

    @property
    def bytes(self) -> int:
        return sum(field.table.nbytes for field in self.fields)


@borrowing
def number_row(bounds: Any, first: int, last: int, value: float) -> int:
    """The row of a number among `bounds[first:last]`: 3 + 2·i + 1 at a bound, 3 + 2·i below it."""
    low, high = first, last
    while low < high:
        middle = (low + high) >> 1
        if bounds[middle] < value:
            low = middle + 1
        else:
            high = middle
    row = 3 + 2 * (low - first)
    if low < last and bounds[low] == value:
        row += 1
    return row


BIT_OF = np.zeros(64, np.int64)
"""Place of the one set bit of a word, by the de Bruijn product's top six bits."""
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
for _bit in range(64):
    BIT_OF[int((int(_DE_BRUIJN) << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit


@borrowing
def bit_place(lowest: Any) -> int:
    """Which bit is set in a word with exactly one."""
    return BIT_OF[np.int64((lowest * _DE_BRUIJN) >> np.uint64(58))]


Pool = NDArray[np.uint64]
