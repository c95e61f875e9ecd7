"""Files of other systems become facts, relations and events; bad rows are reported by line and the good ones kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput, UnknownName
from core.events import Event, Fact, Relation
from core.times import parse_time
from knowledge.sources import load_mapping, read_inputs, read_rows

MAPPING = """
mapping: 1
source: crm
subject: customer/{客户号}
time: 更新时间
timezone: Asia/Shanghai
facts:
  name: 姓名
  phone: {column: 手机, type: text}
  spend: {column: 消费额, type: number}
  vip: {column: 大客户, type: boolean}
relations:
  - {relation: owns, object: "device/{设备}"}
events:
  - {type: order.paid, id: "{订单}", data: {amount: {column: 消费额, type: number}}}
"""
HEADER = "客户号,姓名,手机,消费额,大客户,设备,订单,更新时间\n"
GOOD = 'c1,王伟,13800000001,"1,280.5",是,d9,o1,2026-05-01 08:00:00\n'
AT = parse_time("2026-05-01T08:00:00+08:00")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def _read(tmp_path: Path, mapping: Path, content: bytes, name: str = "rows.csv") -> list[object]:
    (tmp_path / name).write_bytes(content)
    return [m.error or list(m.inputs) for m in read_inputs(tmp_path / name, load_mapping(mapping))]


def test_a_row_becomes_facts_relations_and_events(tmp_path: Path, mapping: Path) -> None:
    (inputs,) = _read(tmp_path, mapping, (HEADER + GOOD).encode())
    assert inputs == [
        Fact("customer/c1", "name", "王伟", AT, "crm"),
        Fact("customer/c1", "phone", "13800000001", AT, "crm"),
        Fact("customer/c1", "spend", 1280.5, AT, "crm"),
        Fact("customer/c1", "vip", True, AT, "crm"),
        Relation("customer/c1", "owns", "device/d9", AT, source="crm"),
        Event("o1", "order.paid", AT, "customer/c1", {"amount": 1280.5}, "crm"),
    ]


def test_a_number_may_be_grouped_with_full_width_commas(tmp_path: Path, mapping: Path) -> None:
    (inputs,) = _read(tmp_path, mapping, (HEADER + GOOD.replace('"1,280.5"', "1\uff0c280.5")).encode())
    assert isinstance(inputs, list)
    assert Fact("customer/c1", "spend", 1280.5, AT, "crm") in inputs


def test_a_spreadsheet_saved_in_a_chinese_encoding_reads_the_same(tmp_path: Path, mapping: Path) -> None:
    assert _read(tmp_path, mapping, (HEADER + GOOD).encode("gb18030")) == _read(
        tmp_path, mapping, (HEADER + GOOD).encode("utf-8-sig")
    )


def test_empty_cells_give_nothing(tmp_path: Path, mapping: Path) -> None:
    (inputs,) = _read(tmp_path, mapping, (HEADER + "c1,,,,,,o1,2026-05-01T08:00:00+08:00\n").encode())
    assert inputs == [Event("o1", "order.paid", AT, "customer/c1", {}, "crm")]


def test_bad_rows_are_named_by_line_and_column_and_good_ones_kept(tmp_path: Path, mapping: Path) -> None:
    rows = [
        GOOD,
        "c2,李,1,很多,是,d1,o2,2026-05-01 08:00:00\n",
        "c3,张,1,5,也许,d1,o3,2026-05-01 08:00:00\n",
        ",陈,1,5,是,d1,o4,2026-05-01 08:00:00\n",
        "c5,赵,1,5,是,d1,o5,昨天\n",
        "c6,钱\n",
        "c7,周,1,5,是,d1,o7,2199-01-01 08:00:00\n",
    ]
    read = _read(tmp_path, mapping, (HEADER + "".join(rows)).encode())
    assert isinstance(read[0], list)
    errors = [e for e in read if isinstance(e, InvalidInput)]
    assert [(e.where["line"], e.where.get("field")) for e in errors] == [
        (3, "消费额"),
        (4, "大客户"),
        (5, "客户号"),
        (6, "更新时间"),
        (7, None),
        (8, "更新时间"),
    ]
    assert all(e.where["file"].endswith("rows.csv") for e in errors)


def test_a_time_without_an_offset_is_an_error_unless_the_mapping_has_a_time_zone(tmp_path: Path, mapping: Path) -> None:
    mapping.write_text(MAPPING.replace("timezone: Asia/Shanghai\n", ""), encoding="utf-8")
    (error,) = _read(tmp_path, mapping, (HEADER + GOOD).encode())
    assert isinstance(error, InvalidInput)
    assert error.where["field"] == "更新时间"


def test_json_and_ndjson_rows_keep_their_types(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text(
        "{mapping: 1, source: iot, subject: 'device/{id}', time: at, facts: {oil: temp, spot: place}}", encoding="utf-8"
    )
    row = '{"id": 7, "at": "2026-05-01T00:00:00Z", "temp": 81.5, "place": {"lat": 1.0, "lon": 2.0}}'
    expected = [
        Fact("device/7", "oil", 81.5, parse_time("2026-05-01T00:00:00Z"), "iot"),
        Fact("device/7", "spot", {"lat": 1.0, "lon": 2.0}, parse_time("2026-05-01T00:00:00Z"), "iot"),
    ]
    assert _read(tmp_path, mapping, f"[{row}]".encode(), "a.json") == [expected]
    first, broken, last = _read(tmp_path, mapping, f"{row}\n\n{{oops\n[1]\n".encode(), "a.ndjson")
    assert first == expected
    assert isinstance(broken, InvalidInput)
    assert broken.where["line"] == 3
    assert isinstance(last, InvalidInput)
    assert last.where["line"] == 4


def test_a_column_that_the_file_does_not_have_names_the_nearest(tmp_path: Path, mapping: Path) -> None:
    with pytest.raises(UnknownName) as caught:
        _read(tmp_path, mapping, (HEADER.replace("手机", "手机号") + GOOD).encode())
    assert "手机号" in caught.value.nearest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("mapping: 1\nsource: x\ntime: t\n", "Field required"),
        ("mapping: 1\nsource: x\nsubject: s\ntime: t\nfact: {}\n", "Extra inputs"),
        ("mapping: 1\nsource: x\nsubject: s\ntime: t\ntimezone: Mars/Base\n", "no time zone"),
        ("mapping: [", "cannot be read"),
    ],
)
def test_a_broken_mapping_is_explained(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=said):
        load_mapping(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"", "not supported"),
        ("a.csv", b"", "no header"),
        ("a.csv", b"x,x\n1,2\n", "occurs twice"),
        ("a.csv", b'x,y\n"1,2\n', "not valid CSV"),
        ("a.json", b"{", "not valid JSON"),
        ("a.json", b"{}", "array of objects"),
        ("a.csv", b"\xff\xff\xff\x00", "neither in UTF-8"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        list(read_rows(tmp_path / name))
