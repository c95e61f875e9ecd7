"""Whatever frame comes, the columnar reader and strategy.rows together say of every row what strategy.rows says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import Event
from strategy.columnar.arrow import FrameDecoder
from strategy.rows import Rows
from strategy.stream import BadLine, GoodLine
from tests.strategy.columnar.test_decode import CATALOG, LAYOUT, events_of

UTC = pl.Datetime("us", "UTC")
WHEN = dt.datetime(2026, 5, 1, 8, 0, 0, 250, tzinfo=dt.UTC)
PLACE = pl.Struct({"lat": pl.Float64, "lon": pl.Float64})


def check(frame: pl.DataFrame, first: int = 1) -> int:
    """How many rows were taken; all are as the plain path has them, and none is lost."""
    found = FrameDecoder(frame.schema, LAYOUT, CATALOG).decode(frame, first)
    plain = {line.line: line for line in Rows(frame.schema, CATALOG, events=True).lines(frame, first)}
    rows = [*zip(found.rows.tolist(), events_of(found.columns), strict=True)]
    assert sorted([*(row for row, _ in rows), *(line.line for line in found.leftovers)]) == sorted(plain)
    for row, event in rows:
        wanted = plain[row]
        assert isinstance(wanted, GoodLine) and isinstance(wanted.input, Event), wanted
        used = LAYOUT.fields[LAYOUT.types.index(event.type)]
        kept = {name: wanted.input.data.get(name) for name in used}
        assert event == Event(event.id, event.type, event.time, event.subject, kept, event.source)
        assert (event.id, event.time, event.source) == (wanted.input.id, wanted.input.time, wanted.input.source)
        for name, value in event.data.items():
            assert isinstance(value, bool) == isinstance(kept[name], bool)
    for line in found.leftovers:
        same = plain[line.line]
        assert isinstance(line, BadLine) == isinstance(same, BadLine)
        if isinstance(line, BadLine) and isinstance(same, BadLine):
            assert (line.error.as_dict("en"), line.raw, line.place) == (same.error.as_dict("en"), same.raw, "row")
        else:
            assert line == same
    return len(rows)


def frame_of(n: int = 1, **columns: pl.Series) -> pl.DataFrame:
    base = {
        "id": pl.Series([f"e{i}" for i in range(n)]),
        "type": pl.Series(["order.paid"] * n),
        "time": pl.Series([WHEN] * n, dtype=UTC),
        "subject": pl.Series(["customer/c1"] * n),
    }
    return pl.DataFrame({**base, **columns})


TAKEN = {
    "nothing but what is needed": frame_of(),
    "times as text": frame_of(time=pl.Series(["2026-05-01T08:00:00+08:00"])),
    "times to the nanosecond": frame_of(time=pl.Series([WHEN]).cast(pl.Datetime("ns", "Asia/Shanghai"))),
    "categories": frame_of(type=pl.Series(["order.paid"], dtype=pl.Categorical)),
    "a source and a version": frame_of(source=pl.Series(["till"]), specversion=pl.Series(["1.0"])),
    "a struct": frame_of(data=pl.Series([{"amount": 1.5, "paid": True, "note": "好"}])),
    "flat columns": frame_of(**{"data.amount": pl.Series([7]), "data.level": pl.Series(["low"])}),
    "a struct and flat columns": frame_of(data=pl.Series([{"amount": 1.5}]), **{"data.day": pl.Series(["2026-05-01"])}),
    "a column of nulls": frame_of(**{"data.amount": pl.Series([None])}),
    "many digits": frame_of(**{"data.weight": pl.Series([0.1 + 0.2])}),
    "single precision": frame_of(**{"data.weight": pl.Series([0.1], dtype=pl.Float32)}),
    "large numbers": frame_of(**{"data.weight": pl.Series([-2.5e20])}),
    "a position": frame_of(**{"data.where": pl.Series([{"lat": 31.2, "lon": -121.47370000000001}], dtype=PLACE)}),
    "a date": frame_of(**{"data.day": pl.Series([dt.date(1950, 1, 1)])}),
    "what no catalog knows": frame_of(**{"data.undeclared": pl.Series([2]), "data.other": pl.Series([[1, 2]])}),
}
LEFT = {
    "another type": frame_of(type=pl.Series(["order.paidx"])),
    "no type": frame_of(type=pl.Series([None], dtype=pl.String)),
    "a type of no subject": frame_of(type=pl.Series(["lost"]), subject=pl.Series(["a b/c"])),
    "no id": frame_of(id=pl.Series([None], dtype=pl.String)),
    "an empty id": frame_of(id=pl.Series([""])),
    "another subject": frame_of(subject=pl.Series(["device/d1"])),
    "a subject with a space": frame_of(subject=pl.Series(["customer/c\n1"])),
    "no time": frame_of(time=pl.Series([None], dtype=UTC)),
    "a time of no zone": frame_of(time=pl.Series(["2026-05-01T08:00:00"])),
    "a time of 1970": frame_of(time=pl.Series([dt.datetime(1970, 5, 1, tzinfo=dt.UTC)], dtype=UTC)),
    "a time of 2100": frame_of(time=pl.Series([dt.datetime(2100, 1, 1, tzinfo=dt.UTC)], dtype=UTC)),
    "another version": frame_of(specversion=pl.Series(["0.3"])),
    "JSON in a text": frame_of(data=pl.Series(['{"amount":1}'])),
    "a field told twice": frame_of(data=pl.Series([{"amount": 1.5}]), **{"data.amount": pl.Series([2.5])}),
    "out of bounds": frame_of(**{"data.amount": pl.Series([1001])}),
    "not a number": frame_of(**{"data.weight": pl.Series([float("nan")])}),
    "a large whole number": frame_of(**{"data.weight": pl.Series([2**53 + 1])}),
    "a larger whole number": frame_of(**{"data.weight": pl.Series([2**63], dtype=pl.UInt64)}),
    "an amount with its unit": frame_of(**{"data.amount": pl.Series(["5 CNY"])}),
    "a decimal": frame_of(**{"data.amount": pl.Series([Decimal("1.50")])}),
    "a number for a truth value": frame_of(**{"data.paid": pl.Series([1])}),
    "a truth value for a number": frame_of(**{"data.amount": pl.Series([True])}),
    "a word for a value": frame_of(**{"data.level": pl.Series(["低"])}),
    "no date": frame_of(**{"data.day": pl.Series(["2026-02-30"])}),
    "no place on earth": frame_of(**{"data.where": pl.Series([{"lat": 91.0, "lon": 0.0}], dtype=PLACE)}),
    "half a place": frame_of(**{"data.where": pl.Series([{"lat": 1.0, "lon": None}], dtype=PLACE)}),
    "a list": frame_of(**{"data.undeclared": pl.Series([[1]])}),
    "an unused field that is wrong": frame_of(**{"data.remark": pl.Series([5])}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_an_ordinary_row_is_taken(name: str) -> None:
    assert check(TAKEN[name]) == 1


@pytest.mark.parametrize("name", LEFT)
def test_whatever_is_out_of_the_ordinary_is_left_to_the_plain_path(name: str) -> None:
    assert check(LEFT[name]) == 0


def test_rows_keep_their_numbers_among_leftovers() -> None:
    frame = frame_of(7, **{"data.amount": pl.Series([1, 2000, 3, None, -50, -50, 7])})
    found = FrameDecoder(frame.schema, LAYOUT, CATALOG).decode(frame, 101)
    assert found.rows.tolist() == [101, 103, 104, 107]
    assert [line.line for line in found.leftovers] == [102, 105, 106]
    assert check(frame, 101) == 4


def test_no_rows_are_no_columns() -> None:
    assert check(frame_of(0)) == 0


_CELLS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "amount": (pl.Float64, st.floats(width=64) | st.floats(-20, 1100)),
    "weight": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "paid": (pl.Boolean, st.booleans()),
    "level": (pl.String, st.sampled_from(["low", "低", "a rather high level", "", "high"])),
    "day": (pl.String, st.sampled_from(["2026-05-01", "2026-02-29", "", "2026-05-01T08:00:00Z", "x"])),
    "note": (pl.String, st.text(st.characters(codec="utf-8"), max_size=6)),
    "where": (PLACE, st.builds(lambda lat, lon: {"lat": lat, "lon": lon}, st.floats(-95, 95), st.floats(-190, 190))),
    "undeclared": (pl.Float32, st.floats(width=32)),
    "free": (pl.Categorical, st.sampled_from(["a", "b"])),
    "unused": (pl.UInt8, st.integers(0, 255)),
    "remark": (pl.String, st.text(st.characters(codec="utf-8"), max_size=6)),
}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    n = draw(st.integers(1, 5))

    def column(kind: Any, cells: st.SearchStrategy[Any]) -> pl.Series:
        return pl.Series(draw(st.lists(cells | st.none(), min_size=n, max_size=n)), dtype=kind)

    names = draw(st.lists(st.sampled_from([*_CELLS]), unique=True, max_size=5))
    fields = {name: column(*_CELLS[name]) for name in names}
    nested = draw(st.booleans()) and bool(fields)
    data = {"data": pl.DataFrame(fields).to_struct()} if nested else {f"data.{k}": v for k, v in fields.items()}
    text = st.text(st.characters(codec="utf-8"), max_size=4)
    return frame_of(
        n,
        **{
            "id": column(pl.String, text | st.just("e1")),
            "type": column(pl.String, st.sampled_from([*CATALOG.events, "order.paid", "other"])),
            "subject": column(pl.String, st.sampled_from(["customer/c1", "device/d1"]) | text.map("customer/".__add__)),
            "source": column(pl.String, text),
            **data,
        },
    )


@given(frames())
@settings(max_examples=200, deadline=None)
def test_any_frame_is_read_as_the_plain_path_reads_it(frame: pl.DataFrame) -> None:
    check(frame)
