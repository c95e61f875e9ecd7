"""Lines become inputs or bad lines with their number, field and nearest choice; one bad line never stops the rest."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.events import Event, Fact, Relation
from knowledge.catalog import Catalog, load_catalog
from strategy.stream import (
    MAX_LINE,
    BadLine,
    GoodLine,
    event_of,
    fact_of,
    input_of,
    number_lines,
    open_lines,
    read_lines,
)

GOOD = b'{"id":"e1","type":"app.login","time":"2026-05-01T08:00:00+08:00","subject":"customer/c1"}'


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(Path(__file__).parents[1] / "data" / "catalog.yaml").catalog


def numbered(content: bytes) -> Iterator[tuple[int, bytes]]:
    return number_lines(io.BytesIO(content))


def only_bad(line: bytes, catalog: Catalog) -> BadLine:
    (found,) = read_lines([(7, line)], catalog, event_of)
    assert isinstance(found, BadLine)
    assert found.line == 7
    assert found.error.where["line"] == 7
    return found


def test_bom_crlf_blank_lines_and_a_missing_last_line_end_are_fine(catalog: Catalog) -> None:
    content = b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n   \n" + GOOD.replace(b"e1", b"e2")
    found = list(read_lines(numbered(content), catalog, event_of))
    assert [
        (line.line, line.input.id) for line in found if isinstance(line, GoodLine) and isinstance(line.input, Event)
    ] == [
        (1, "e1"),
        (4, "e2"),
    ]
    assert len(found) == 2


def test_a_line_of_more_than_a_megabyte_is_refused_and_the_next_one_read(catalog: Catalog) -> None:
    content = b'{"id":"' + b"x" * (3 * MAX_LINE) + b'"}\n' + GOOD + b"\n"
    bad, good = read_lines(numbered(content), catalog, event_of)
    assert isinstance(bad, BadLine)
    assert bad.error.code == "too-large"
    assert len(bad.raw) == 64 * 1024
    assert isinstance(good, GoodLine)
    assert good.line == 2


@pytest.mark.parametrize(
    ("line", "code", "field", "nearest"),
    [
        (b'{"id":"e1",', "invalid-input", None, None),
        (GOOD.replace(b"app.login", b"app.logn"), "unknown-name", "type", "app.login"),
        (GOOD.replace(b"+08:00", b""), "invalid-input", "time", None),
        (GOOD.replace(b"2026-", b"2199-"), "invalid-input", "time", None),
        (GOOD.replace(b"2026-05", b"1970-01"), "absurd-clock", "time", None),
        (GOOD.replace(b"customer/c1", b"device/c1"), "invalid-input", "subject", "customer/c1"),
        (GOOD.replace(b"customer/c1", b"c1"), "invalid-input", "subject", None),
        (b'{"type":"app.login","time":"2026-05-01T08:00:00Z","subject":"customer/c1"}', "invalid-input", "id", None),
        (GOOD[:-1] + b',"data":[1]}', "invalid-input", "data", None),
        (b"[1, 2]", "invalid-input", None, None),
        (b'{"id": NaN}', "invalid-input", None, None),
        (b'{"id": "\xff"}', "invalid-input", None, None),
        (b'{"id": "\\ud800"}', "invalid-input", None, None),
    ],
)
def test_a_bad_line_names_its_field_and_the_nearest_choice(
    line: bytes, code: str, field: str | None, nearest: str | None, catalog: Catalog
) -> None:
    bad = only_bad(line, catalog)
    assert bad.error.code == code
    assert bad.error.where.get("field") == field
    assert nearest is None or nearest in bad.error.nearest
    assert bad.error.text.zh != bad.error.text.en


def test_values_of_the_wrong_type_or_unit_name_the_field_and_what_would_be_right(catalog: Catalog) -> None:
    pressure = GOOD.replace(b"app.login", b"vitals.pressure")[:-1]
    wrong_unit = only_bad(pressure + b',"data":{"systolic":"160 kg"}}', catalog)
    assert wrong_unit.error.code == "wrong-unit"
    assert wrong_unit.error.where["field"] == "data.systolic"
    assert "mmHg" in wrong_unit.error.nearest
    wrong_type = only_bad(pressure + b',"data":{"systolic":"high"}}', catalog)
    assert wrong_type.error.where["field"] == "data.systolic"


def test_a_value_in_another_unit_of_the_same_kind_is_converted(catalog: Catalog) -> None:
    line = GOOD.replace(b"app.login", b"vitals.pressure")[:-1] + b',"data":{"systolic":"16 kPa"}}'
    (found,) = read_lines([(1, line)], catalog, event_of)
    assert isinstance(found, GoodLine)
    assert isinstance(found.input, Event)
    assert found.input.data["systolic"] == pytest.approx(120.01, abs=0.01)


def test_facts_and_events_in_each_others_file_are_told_where_they_belong(catalog: Catalog) -> None:
    fact = {"subject": "customer/c1", "property": "tier", "value": "vip", "from": "2026-01-01T00:00:00Z"}
    with pytest.raises(InvalidInput, match="fact") as misplaced:
        event_of(fact, catalog)
    assert misplaced.value.hint is not None
    assert "--facts" in misplaced.value.hint.en
    with pytest.raises(InvalidInput, match="event"):
        fact_of({"id": "e1", "type": "app.login"}, catalog)


def test_live_inputs_are_told_apart_by_their_keys(catalog: Catalog) -> None:
    fact = {"subject": "customer/c1", "property": "tier", "value": "vip", "from": "2026-01-01T00:00:00Z"}
    owns = {"subject": "customer/c1", "relation": "owns", "object": "device/d1", "from": "2026-01-01T00:00:00Z"}
    login = {"id": "e", "type": "app.login", "time": "2026-01-01T00:00:00Z", "subject": "customer/c1"}
    assert isinstance(input_of(fact, catalog), Fact)
    assert isinstance(input_of(owns, catalog), Relation)
    assert isinstance(input_of(login, catalog), Event)


def test_a_file_that_is_missing_a_directory_or_utf16_is_named(tmp_path: Path) -> None:
    utf16 = tmp_path / "wide.ndjson"
    utf16.write_text("{}", encoding="utf-16")
    for path in (tmp_path / "none.ndjson", tmp_path, utf16):
        with pytest.raises(InvalidInput) as error:
            list(open_lines(str(path)))
        assert error.value.where["file"] == str(path)
