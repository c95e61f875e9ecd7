"""Data frames (Parquet, Arrow) → columns, a column at a time. Rows that this cannot vouch for are read by
strategy.rows: both together give exactly what strategy.rows gives for every row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.times import LATEST
from knowledge.catalog import Catalog
from strategy.columnar.columns import FALSE, NUMBER, OTHER, TEXT, TRUE, Columns, Layout
from strategy.columnar.lines import is_date, is_subject
from strategy.columnar.memory import compiled
from strategy.columnar.names import ANY, BOOLEAN, DATE, ENUM, GEO, NUMERIC, RULES, WORDS, padded, tables
from strategy.columnar.scan import moment
from strategy.rows import Rows
from strategy.stream import CLOCK_NEVER_SET, Line

Array = NDArray[Any]
_NONE = -1
"""The rule of a field that an event's type neither declares nor is asked for."""
_BOUNDS = {"lat": 90, "lon": 180}
_EXACT = 1_000_000_000_000_000
_TENS = np.array([10.0**n for n in range(23)])


@dataclass(frozen=True, slots=True)
class Framed:
    """`rows[i]` is the number of the row that row i of `columns` was; `leftovers`: every other row, in order."""

    columns: Columns
    rows: NDArray[np.int64]
    leftovers: list[Line]


class FrameDecoder:
    """Reads frames of one schema, for one layout and catalog.

    Raises:
        InvalidInput: a column is missing, or of a type that cannot be read.
    """

    def __init__(self, schema: pl.Schema, layout: Layout, catalog: Catalog) -> None:
        self.plain = Rows(schema, catalog, events=True)
        self._layout, self._types = layout, tables(layout, catalog)
        data = schema.get("data", pl.Struct([]))
        inside = [part.name for part in data.fields] if isinstance(data, pl.Struct) else []
        flat = [name.removeprefix("data.") for name in schema if name.startswith("data.")]
        # Of JSON in a text, and of fields told twice, only the plain path knows what is meant.
        self._readable = isinstance(data, pl.Struct) and not set(inside) & set(flat)
        self._fields = [(name, name in inside, _rules_of(name, layout, catalog)) for name in (*inside, *flat)]

    def decode(self, frame: pl.DataFrame, first: int = 1) -> Framed:
        """`first` is the number of the frame's first row."""
        if not self._readable or not frame.height:
            empty = Columns.empty(0, self._layout.width, padded(b""))
            return Framed(empty, np.zeros(0, np.int64), list(self.plain.lines(frame, first)))
        types = self._layout.types
        numbered = (
            frame["type"].cast(pl.String).replace_strict(types, range(len(types)), default=-1, return_dtype=pl.Int32)
        )
        read = _Reading(numbered.fill_null(-1).to_numpy(), self._layout.width)
        heads = [read.spans(_column(frame, name)) for name in ("id", "subject", "source")]
        times = read.spans(frame["time"]) if frame["time"].dtype == pl.String else None
        if "specversion" in frame.columns:
            read.good &= (frame["specversion"].cast(pl.String).fill_null("1.0") == "1.0").to_numpy()
        for name, inside, rules in self._fields:
            read.field(frame["data"].struct.field(name) if inside else frame[f"data.{name}"], rules)
        text = padded(b"".join(read.texts))
        if times is None:
            time = frame["time"].dt.epoch("us").fill_null(-1).to_numpy()
        else:
            time = _moments(text.ctypes.data, *times)
        read.good &= (heads[0].len > 0) & (time >= CLOCK_NEVER_SET) & (time < LATEST)
        _subjects(text.ctypes.data, read.types, self._types.types, *heads[1], read.good)
        for dated, spans in read.dates:
            _dates(text.ctypes.data, dated, *spans, read.good)
        rows = np.flatnonzero(read.good)
        told = [part[rows] for spans in heads for part in spans]
        cells = (read.kind, read.number, read.at, read.len)
        columns = Columns(text, time[rows], read.types[rows], *told, *(cell[rows] for cell in cells))
        return Framed(columns, rows + first, list(self._leftovers(frame, read.good, first)))

    def _leftovers(self, frame: pl.DataFrame, good: Array, first: int) -> Iterator[Line]:
        """Runs of rows that were not taken, as the plain path reads them."""
        edges = np.flatnonzero(np.diff(np.concatenate(([True], good, [True])).astype(np.int8)))
        for start, end in edges.reshape(-1, 2).tolist():
            yield from self.plain.lines(frame.slice(start, end - start), first + start)


class _Rules(NamedTuple):
    """What a field is to each event type: its column (-1: checked, but not kept), its rule, its bounds; the values of
    enums by type. The last place is that of a type nobody knows."""

    column: Array
    rule: Array
    low: Array
    high: Array
    values: dict[int, list[str]]


class _Spans(NamedTuple):
    at: Array
    len: Array


class _Cells(NamedTuple):
    """A field's values whatever their types' rules are: those that are `good` are of a kind that fits `rules`."""

    kind: Any
    number: Any
    spans: _Spans
    good: Any
    rules: tuple[int, ...]


class _Reading:
    """A frame as far as it is read: the type of each row, whether it is good so far, and its cells."""

    def __init__(self, types: Array, width: int) -> None:
        rows = len(types)
        self.types = types
        self.good = types >= 0
        self.kind = np.zeros((rows, width), np.uint8)
        self.number = np.zeros((rows, width), np.float64)
        self.at = np.zeros((rows, width), np.int64)
        self.len = np.zeros((rows, width), np.int32)
        self.texts: list[bytes] = []
        self.dates: list[tuple[Array, _Spans]] = []
        self._size = 0

    def spans(self, values: pl.Series) -> _Spans:
        """Keep texts; null is the empty one."""
        texts = values.cast(pl.String).fill_null("")
        lengths = texts.str.len_bytes().cast(pl.Int32).to_numpy()
        return self._spans(texts.str.join("").item().encode(), lengths)

    def _spans(self, joined: bytes, lengths: Array) -> _Spans:
        ends = np.cumsum(lengths, dtype=np.int64) + self._size
        self.texts.append(joined)
        self._size += len(joined)
        return _Spans(ends - lengths, lengths)

    def field(self, values: pl.Series, rules: _Rules) -> None:
        """One field's cells, checked by the rule of each row's type."""
        rule = rules.rule[self.types]
        told = values.is_not_null().to_numpy() & (rule != _NONE)
        if not told.any():
            return
        cells = self._cells(values)
        fits = cells.good & np.isin(rule, cells.rules)
        if NUMERIC in cells.rules:
            within = (rules.low[self.types] <= cells.number) & (cells.number <= rules.high[self.types])
            fits &= within | (rule != NUMERIC)
        if ENUM in cells.rules:
            texts = values.cast(pl.String)
            for place, known in rules.values.items():
                fits &= texts.is_in(known).fill_null(False).to_numpy() | (self.types != place)
            if DATE in rules.rule and values.dtype != pl.Date:
                self.dates.append((told & (rule == DATE), cells.spans))
        self.good &= fits | ~told
        column = rules.column[self.types]
        kept = np.flatnonzero(told & fits & (column >= 0))
        column = column[kept]
        self.kind[kept, column] = cells.kind[kept]
        self.number[kept, column] = np.where(cells.kind == NUMBER, cells.number, 0.0)[kept]
        self.at[kept, column], self.len[kept, column] = (part[kept] for part in cells.spans)

    def _cells(self, values: pl.Series) -> _Cells:
        rows, kind = len(values), values.dtype
        every, none = np.ones(rows, np.bool_), np.zeros(rows, np.int64)
        spans = _Spans(none, none.astype(np.int32))
        if kind == pl.Boolean:
            truth = np.where(values.fill_null(False).to_numpy(), TRUE, FALSE)
            return _Cells(truth, none, spans, every, (ANY, BOOLEAN))
        if kind.is_integer():
            number = values.cast(pl.Int64, strict=False)
            small = (number.abs() < _EXACT).fill_null(False).to_numpy()
            return _Cells(
                np.where(every, NUMBER, 0), number.fill_null(0).to_numpy() * 1.0, spans, small, (ANY, NUMERIC)
            )
        if kind.is_float():
            return self._floats(values.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0)
        if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
            return _Cells(np.where(every, TEXT, 0), none, self.spans(values), every, (ANY, WORDS, ENUM, DATE))
        if kind == pl.Date:
            return _Cells(np.where(every, TEXT, 0), none, self.spans(values), every, (ANY, WORDS, DATE))
        if isinstance(kind, pl.Struct) and {part.name for part in kind.fields} == set(_BOUNDS):
            good = every
            for name, bound in _BOUNDS.items():
                part = values.struct.field(name)
                if not part.dtype.is_integer() and not part.dtype.is_float():
                    return _Cells(none, none, spans, ~every, ())
                good = good & part.cast(pl.Float64).abs().le(bound).fill_null(False).to_numpy()
            return _Cells(np.where(every, OTHER, 0), none, self.spans(values.struct.json_encode()), good, (GEO,))
        return _Cells(none, none, spans, ~every, ())

    def _floats(self, number: Array) -> _Cells:
        """Those of more than 15 digits are kept as they are written."""
        exact = _exact(number)
        written = [repr(value).encode() for value in number[~exact].tolist()]
        lengths = np.zeros(len(number), np.int32)
        lengths[~exact] = [*map(len, written)]
        spans = self._spans(b"".join(written), lengths)
        return _Cells(np.where(exact, NUMBER, OTHER), number, spans, np.isfinite(number), (ANY, NUMERIC))


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    return frame[name] if name in frame.columns else pl.Series(name, [None] * frame.height, pl.String)


def _rules_of(name: str, layout: Layout, catalog: Catalog) -> _Rules:
    columns, rules, lows, highs, values = [], [], [], [], {}
    for place, kind in enumerate(layout.types):
        used, declared = layout.fields[place], catalog.field(kind, name)
        columns.append(used.index(name) if name in used else -1)
        rules.append(RULES[declared.type] if declared else ANY if name in used else _NONE)
        lows.append(-np.inf if declared is None or declared.min is None else declared.min)
        highs.append(np.inf if declared is None or declared.max is None else declared.max)
        if declared is not None and declared.type == "enum":
            values[place] = [*declared.values]
    return _Rules(
        np.array([*columns, -1]), np.array([*rules, _NONE]), np.array([*lows, 0.0]), np.array([*highs, 0.0]), values
    )


@compiled
def _exact(numbers: Any) -> Any:
    """Which are decimals of at most 15 digits: the whole number made of these, divided again, gives the very same."""
    found = np.zeros(len(numbers), np.bool_)
    for i in range(len(numbers)):
        size = abs(numbers[i])
        for power in range(23):
            whole = np.rint(size * _TENS[power])
            if not whole < _EXACT:
                break
            if whole / _TENS[power] == size:
                found[i] = True
                break
    return found


@compiled
def _moments(base: Any, at: Any, length: Any) -> Any:
    found = np.zeros(len(at), np.int64)
    for i in range(len(at)):
        found[i] = moment(base + at[i], length[i])
    return found


@compiled
def _subjects(base: Any, types: Any, known: Any, at: Any, length: Any, good: Any) -> Any:
    for i in range(len(good)):
        if good[i]:
            kind = types[i]
            good[i] = known[kind, 0] >= 0 and is_subject(base + at[i], length[i], known[kind, 2], known[kind, 3])


@compiled
def _dates(base: Any, dated: Any, at: Any, length: Any, good: Any) -> Any:
    for i in range(len(good)):
        if dated[i] and not is_date(base + at[i], length[i]):
            good[i] = False
