"""Whatever bytes come, the fast path and strategy.stream together say of every line what strategy.stream says alone."""

from __future__ import annotations

import json
import random
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput, ZhongshuError
from core.events import Event
from core.times import parse_time
from knowledge.catalog import Catalog
from knowledge.catalog.check import _is_date
from strategy.columnar.columns import Columns, Layout, value_of
from strategy.columnar.decode import Decoder, decode, read_chunks
from strategy.stream import MAX_LINE, input_of, number_lines, read_json

NUMBER = {"type": "number", "unit": "CNY", "min": -10, "max": 1000}
CATALOG = Catalog.model_validate(
    {
        "catalog": 1,
        "events": {
            "order.paid": {
                "subject": "customer",
                "fields": {
                    "amount": NUMBER,
                    "weight": {"type": "number"},
                    "paid": {"type": "boolean"},
                    "level": {"type": "enum", "values": {"low": {"zh": ["低"]}, "a rather high level": {}}},
                    "where": {"type": "geo"},
                    "day": {"type": "date"},
                    "note": {"type": "text"},
                    "unused": {"type": "number"},
                    "remark": {"type": "text"},
                },
            },
            "app.login": {"subject": "customer"},
            "device.下线": {"subject": "device", "fields": {"amount": {"type": "text"}}},
            "lost": {"subject": "a b"},
        },
    }
)
LAYOUT = Layout(
    tuple(sorted(CATALOG.events)),
    (("free", "screen"), ("amount",), (), ("amount", "day", "level", "note", "paid", "weight", "where", "undeclared")),
)
DECODER = Decoder(LAYOUT, CATALOG)
GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "till",
    "type": "order.paid",
    "time": "2026-05-01T08:00:00.25+08:00",
    "subject": "customer/c1",
    "data": {"amount": 12.5, "paid": True, "level": "low", "note": "好的", "where": {"lat": 31.2, "lon": -0.5}},
}


def slowly(raw: bytes) -> Event | None:
    try:
        found = input_of(read_json(raw), CATALOG)
    except ZhongshuError:
        return None
    return found if isinstance(found, Event) else None


def events_of(columns: Columns) -> list[Event]:
    """Rows as events with the fields that the layout keeps."""
    told = []
    for i in range(columns.rows):
        kind = LAYOUT.types[columns.type[i]]
        data = {}
        for w, name in enumerate(LAYOUT.fields[columns.type[i]]):
            at, length = int(columns.at[i, w]), int(columns.len[i, w])
            raw = columns.text[at : at + length].tobytes()
            data[name] = value_of(int(columns.kind[i, w]), float(columns.number[i, w]), raw)
        id_, subject, source = (
            columns.string(int(getattr(columns, f"{name}_at")[i]), int(getattr(columns, f"{name}_len")[i]))
            for name in ("id", "subject", "source")
        )
        told.append(Event(id_, kind, columns.time[i], subject, data, source))
    return told


def check(chunk: bytes) -> int:
    """How many lines the fast path took; all it took are as the slow path has them, and no line is lost."""
    found = DECODER.decode(chunk)
    numbered = dict(number_lines(BytesIO(chunk)))
    rows = [*zip(found.lines.tolist(), events_of(found.columns), strict=True)]
    assert sorted([*(line for line, _ in rows), *(line for line, _ in found.leftovers)]) == sorted(numbered)
    for line, raw in found.leftovers:
        assert raw == numbered[line]
    for line, event in rows:
        wanted = slowly(numbered[line])
        assert wanted is not None, numbered[line]
        used = LAYOUT.fields[LAYOUT.types.index(event.type)]
        kept = {name: wanted.data.get(name) for name in used}
        assert event == Event(wanted.id, wanted.type, wanted.time, wanted.subject, kept, wanted.source)
        for name, value in event.data.items():
            assert isinstance(value, bool) == isinstance(kept[name], bool)
    return len(rows)


def line_of(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}, ensure_ascii=False).encode()


def with_data(raw: str) -> bytes:
    return line_of(data="@").replace(b'"@"', raw.encode())


TAKEN = [
    line_of(),
    line_of(data={}),
    b" \t" + line_of() + b" \r",
    line_of(source="", dataschema="x", extension={"a": [1, {"b": []}, "\\n"], "c": {}}),
    json.dumps(dict(reversed(GOOD.items())), ensure_ascii=False).encode(),
    line_of(subject="customer/张三", id="订单-1"),
    line_of(type="device.下线", subject="device/d1", data={"amount": "x"}),
    line_of(type="app.login", data={"free": 1.5, "screen": None, "more": {"x": [True, None]}}),
    with_data('{"amount":-0,"weight":1e3,"unused":999999999999999}'),
    with_data('{"amount":-0.0,"weight":0.00000000000001E-2,"remark":"a\\nb"}'),
    with_data('{"level":"a rather high level","day":"2024-02-29"}'),
    with_data('{"weight":1234567890.123456789,"amount":0.30000000000000004,"undeclared":1e-30}'),
    with_data('{"weight":-2.5e20,"where":{"lat":31.230416666666667,"lon":121.47370000000001}}'),
    with_data('{"day":"1950-01-01"}'),
    with_data('{"day":"2026-05-01t08:00:00z"}'),
    with_data('{ "where" : { "lon" : 180 , "lat" : -90 } , "paid" : null }'),
    line_of(time="2000-02-29 23:59:59.1234567-23:59"),
]
LEFT = [
    b"not json",
    b"[]",
    b"{}",
    b'{"id":"e1"}',
    line_of(specversion="0.3"),
    line_of(specversion=1.0),
    line_of(id=""),
    line_of(id=5),
    line_of(type="order.paidx"),
    line_of(type="lost", subject="a b/c"),
    line_of(subject="device/d1"),
    line_of(subject="customer/"),
    line_of(subject="customer//c1"),
    line_of(subject="customer/c 1"),
    line_of(subject="customer/c\u30001"),
    line_of(subject="customer/c\u00a01"),
    line_of(data=None),
    line_of(data=[]),
    line_of().replace(b'"id": "e1"', b'"id": "e1", "id": "e2"'),
    line_of().replace(b'"e1"', b'"e\\u0031"'),
    line_of().replace(b'"id"', b'"\\u0069d"'),
    line_of().replace(b"e1", b"\xc3\x28"),
    line_of().replace(b"e1", b"\xed\xa0\x80"),
    line_of().replace(b"e1", b"\xf4\x90\x80\x80"),
    line_of().replace(b"e1", b"a\x01b"),
    line_of(extra=0).replace(b'"extra": 0', b'"extra": 01'),
    line_of(extra=0).replace(b'"extra": 0', b'"extra": 1e999'),
    line_of(extra=0).replace(b'"extra": 0', b'"extra": "\\ud800"'),
    line_of(extra=0).replace(b'"extra": 0', b'"extra": [1,]'),
    line_of(extra=0).replace(b'"extra": 0', b'"extra": {"a":1,}'),
    line_of(extra=0).replace(b'"extra": 0', b'"extra": [1}'),
    line_of() + b"x",
    line_of()[:-1],
    line_of()[:-1] + b",}",
    with_data('{"amount":1,}'),
    with_data('{"amount":1001}'),
    with_data('{"amount":"5 CNY"}'),
    with_data('{"amount":{"value":5,"unit":"CNY"}}'),
    with_data('{"amount":true}'),
    with_data('{"amount":1,"amount":2}'),
    with_data('{"amount":null,"amount":2}'),
    with_data('{"weight":12345678901234567}'),
    with_data('{"weight":1e400}'),
    with_data('{"amount":1000.00000000000000001}'),
    with_data('{"where":{"lat":90.00000000000000001,"lon":1}}'),
    with_data('{"unused":"x"}'),
    with_data('{"unused":12345678901234567890}'),
    with_data('{"remark":1}'),
    with_data('{"paid":1}'),
    with_data('{"paid":"true"}'),
    with_data('{"level":"低"}'),
    with_data('{"level":"high"}'),
    with_data('{"day":"2026-02-29"}'),
    with_data('{"day":"2026-5-1"}'),
    with_data('{"where":{"lat":91,"lon":0}}'),
    with_data('{"where":{"lat":1,"lat":2}}'),
    with_data('{"note":"a\\tb"}'),
    with_data('{"undeclared":{"a":1}}'),
]


@pytest.mark.parametrize("raw", TAKEN)
def test_an_ordinary_line_is_taken(raw: bytes) -> None:
    assert check(raw) == 1


@pytest.mark.parametrize("raw", LEFT)
def test_whatever_is_out_of_the_ordinary_is_left_over(raw: bytes) -> None:
    assert check(raw) == 0


def test_a_left_over_line_leaves_nothing_behind_in_the_row_of_the_next() -> None:
    broken = with_data('{"amount":5,"paid":true,"note":"x","weight":"?"}')
    assert check(broken + b"\n" + line_of(data={"level": "low"}, source=None).replace(b'"source": null, ', b"")) == 1


def test_lines_keep_their_numbers_over_blank_and_bad_ones() -> None:
    chunk = b"\xef\xbb\xbf" + b"\r\n".join([line_of(), b"", b" \x0b ", b"?", line_of(), b"", line_of()])
    found = DECODER.decode(chunk)
    assert found.lines.tolist() == [1, 5, 7] and found.leftovers == [(4, b"?")]
    assert check(chunk) == 3
    assert DECODER.decode(line_of(), first=7).lines.tolist() == [7]


def test_a_line_at_the_limit_is_taken_and_a_longer_one_left_over_cut() -> None:
    filler = MAX_LINE - len(line_of(extra=""))
    assert check(line_of(extra="x" * filler)) == 1
    assert check(line_of(extra="x" * (filler + 1))) == 0
    assert check(line_of(extra="x" * (filler + 9)) + b"\n" + line_of()) == 1
    assert check(b" " * (MAX_LINE + 1)) == 0


def test_more_bad_lines_than_there_is_room_for_at_a_time_are_all_told() -> None:
    assert check(b"\n".join([b"?", line_of()] * 2_000)) == 2_000


def test_nothing_and_nothing_but_blanks_are_no_rows() -> None:
    assert check(b"") == 0 and check(b"\n\n  \n") == 0


def test_a_file_in_utf_16_is_refused() -> None:
    with pytest.raises(InvalidInput):
        decode("{}".encode("utf-16"), LAYOUT, CATALOG)


@given(st.lists(st.sampled_from([b"", b"{}", b"x" * 30, line_of(), b"y" * (MAX_LINE + 5)]), max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_stream_in_chunks_has_the_lines_of_the_whole(lines: list[bytes], ended: bool) -> None:
    whole = b"\n".join(lines) + (b"\n" if ended else b"")
    found = [
        (first + n - 1, raw)
        for first, chunk in read_chunks(BytesIO(whole), 40)
        for n, raw in number_lines(BytesIO(chunk))
    ]
    assert found == list(number_lines(BytesIO(whole)))


_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
    | st.sampled_from(["low", "低", "5 CNY", "2026-05-01", "2026-13-01", "a rather high level"])
    | st.builds(lambda lat, lon: {"lat": lat, "lon": lon}, st.floats(-95, 95), st.integers(-190, 190)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=4,
)
_FIELDS = [*CATALOG.events["order.paid"].fields, "undeclared", "free", "other"]
_TIMES = st.sampled_from(
    ["2026-05-01T08:00:00Z", "1970-01-05T00:00:00Z", "2026-05-01T08:00:00", "2026-02-30T08:00:00Z"]
)
_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "specversion": st.sampled_from(["1.0", "1.1", 1]),
        "id": _TEXT,
        "source": _TEXT | st.none(),
        "type": st.sampled_from([*CATALOG.events, "order.paid", "order.paid", "other"]),
        "time": _TIMES,
        "subject": st.sampled_from(["customer/c1", "device/d1", "customer", "customer/a b"])
        | _TEXT.map(lambda key: f"customer/{key}"),
        "data": st.dictionaries(st.sampled_from(_FIELDS), _VALUE, max_size=6),
        "extra": _VALUE,
    },
)


@given(st.lists(_EVENTS, max_size=6), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_events_are_read_as_the_slow_path_reads_them(
    events: list[dict[str, Any]], escaped: bool, spaced: bool
) -> None:
    separators = (" , ", " : ") if spaced else (",", ":")
    lines = [json.dumps({**GOOD, **event}, ensure_ascii=escaped, separators=separators) for event in events]
    check("\n".join(lines).encode())


def test_mutated_lines_are_never_taken_for_what_they_are_not() -> None:
    chance = random.Random(20260501)
    pieces = [
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"0",
        b"9",
        b"-",
        b".",
        b"e",
        b" ",
        b"\r",
        b"\x00",
        b"\xe4",
    ]
    taken = 0
    for _ in range(300):
        lines = []
        for _ in range(20):
            raw = bytearray(chance.choice(TAKEN))
            for _ in range(chance.randint(0, 2)):
                at, kind = chance.randrange(len(raw)), chance.random()
                if kind < 0.4:
                    raw[at : at + 1] = chance.choice(pieces)
                elif kind < 0.7:
                    del raw[at : at + chance.randint(1, 4)]
                else:
                    raw[at:at] = chance.choice(pieces)
            lines.append(bytes(raw))
        taken += check(b"\n".join(lines))
    assert taken > 2_000


def test_times_are_read_as_parse_time_reads_them() -> None:
    chance = random.Random(7)
    base, taken = "2024-02-29T23:59:59.123456+08:00", 0
    starts = [
        base,
        "2026-05-01T08:00:00Z",
        "1999-12-31t00:00:00.5z",
        "2000-03-01 12:30:00-11:30",
        "2099-12-31T23:59:59Z",
    ]
    for _ in range(6_000):
        raw = list(chance.choice(starts))
        for _ in range(chance.randint(0, 2)):
            raw[chance.randrange(len(raw))] = chance.choice("0123456789012345678901234567890TtZz:+-. ")
        if chance.random() < 0.1:
            del raw[chance.randrange(len(raw))]
        text = "".join(raw)
        found = DECODER.decode(line_of(time=text))
        if len(found.lines):
            taken += 1
            assert found.columns.time[0] == parse_time(text)
    assert taken > 1_500


def test_days_that_exist_are_dates_and_no_others() -> None:
    lines, wanted = [], 0
    for year in (1, 1600, 1900, 1970, 1999, 2000, 2023, 2024, 2100, 9999):
        for month in range(14):
            for day in range(33):
                text = f"{year:04}-{month:02}-{day:02}"
                wanted += _is_date(text)
                lines.append(with_data(json.dumps({"day": text})))
    assert check(b"\n".join(lines)) == wanted


@given(st.floats(-1e16, 1e16) | st.integers(-(10**17), 10**17) | st.decimals(-(10**9), 10**9, places=7))
@settings(max_examples=300, deadline=None)
def test_numbers_have_the_value_that_a_correct_parser_gives(number: object) -> None:
    check(
        with_data(f'{{"weight":{number}}}')
        + b"\n"
        + line_of(type="app.login", data={}).replace(b"{}", b'{"free":%a}' % 1)
    )
