"""Recorded history from files: Parquet and Arrow say what the same NDJSON says, a slice at a time, and a row that
cannot be used is told by its number and column."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import strategy.recorded
from core.errors import InvalidInput
from core.events import Event, Fact, Input, Relation
from strategy.recorded import Recording, open_events, open_facts
from strategy.stream import BadLine, GoodLine
from tests.strategy.livehub import CATALOG

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MAIL: dict[str, Any] = {
    "id": ["m1", "m2", "m3"],
    "type": ["email.marketing"] * 3,
    "time": [NOON + timedelta(minutes=n) for n in range(3)],
    "subject": ["customer/c1", "customer/c2", "customer/c1"],
    "source": ["mail", None, "mail"],
    "data": [{"opened": True, "campaign": None}, {"opened": None, "campaign": "spring"}, {"opened": False}],
}
ENDINGS = pytest.mark.parametrize("ending", ["parquet", "arrow", "ipc", "feather"])


def keep(folder: Path, frame: pl.DataFrame, ending: str = "parquet") -> str:
    path = folder / f"history.{ending}"
    if ending == "parquet":
        frame.write_parquet(path, row_group_size=2)
    else:
        frame.write_ipc(path)
    return str(path)


def good(recording: Recording) -> list[Input]:
    lines = list(recording)
    assert [line for line in lines if isinstance(line, BadLine)] == []
    return [line.input for line in lines if isinstance(line, GoodLine)]


@ENDINGS
def test_a_columnar_file_says_what_the_same_lines_of_json_say(tmp_path: Path, ending: str) -> None:
    frame = pl.DataFrame(MAIL)
    lines = tmp_path / "history.ndjson"
    rows = [{k: v for k, v in row.items() if v is not None} for row in frame.to_dicts()]
    for row in rows:
        row["data"] = {k: v for k, v in row["data"].items() if v is not None}
    lines.write_text("\n".join(json.dumps(row, default=datetime.isoformat) for row in rows), encoding="utf-8")
    found = good(open_events(keep(tmp_path, frame, ending), CATALOG))
    assert found == good(open_events(str(lines), CATALOG))
    assert found[1] == Event("m2", "email.marketing", found[1].time, "customer/c2", {"campaign": "spring"})


def test_fields_may_be_columns_of_their_own_and_times_text(tmp_path: Path) -> None:
    flat = {"data.opened": [True, None, False], "data.campaign": [None, "spring", None]}
    frame = pl.DataFrame({**{k: v for k, v in MAIL.items() if k != "data"}, **flat})
    texts = frame.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), pl.col("type").cast(pl.Categorical))
    expected = good(open_events(keep(tmp_path, pl.DataFrame(MAIL)), CATALOG))
    assert good(open_events(keep(tmp_path, texts), CATALOG)) == expected


def test_data_may_be_json_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({**MAIL, "data": ['{"opened": true}', None, '{"opened"']})
    first, second, broken = open_events(keep(tmp_path, frame), CATALOG)
    assert isinstance(first, GoodLine) and isinstance(first.input, Event)
    assert first.input.data == {"opened": True}
    assert isinstance(second, GoodLine)
    assert isinstance(broken, BadLine)
    assert broken.error.where["row"] == 3


def test_times_in_other_zones_and_resolutions_are_the_same_moments(tmp_path: Path) -> None:
    moments = pl.Series([NOON], dtype=pl.Datetime("ns", "UTC")).dt.convert_time_zone("Asia/Shanghai")
    frame = pl.DataFrame({k: v[:1] for k, v in MAIL.items()}).with_columns(time=moments)
    (found,) = good(open_events(keep(tmp_path, frame), CATALOG))
    assert found.time == round(NOON.timestamp()) * 1_000_000


def test_dates_decimals_and_nested_values_become_what_json_has(tmp_path: Path) -> None:
    data = {"due": date(2026, 6, 1), "price": Decimal("12.50"), "items": [{"day": date(2026, 1, 2)}], "n": Decimal("3")}
    frame = pl.DataFrame({**{k: v[:1] for k, v in MAIL.items() if k != "data"}, "data": [data]})
    (found,) = good(open_events(keep(tmp_path, frame), CATALOG))
    assert isinstance(found, Event)
    assert found.data == {"due": "2026-06-01", "price": 12.5, "items": [{"day": "2026-01-02"}], "n": 3}


def test_facts_and_relations_stand_in_one_file(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "subject": ["customer/c1"] * 4,
            "property": ["tier", "dwell", "tier", None],
            "value.text": ["vip", None, None, None],
            "value.number": [None, 40.0, None, None],
            "relation": [None, None, None, "owns"],
            "object": [None, None, None, "device/d1"],
            "from": [NOON] * 4,
        }
    )
    tier, dwell, ended, owns = good(open_facts(keep(tmp_path, frame), CATALOG))
    assert isinstance(tier, Fact) and isinstance(dwell, Fact) and isinstance(ended, Fact)
    assert (tier.value, dwell.value, ended.value) == ("vip", 40.0, None)
    assert isinstance(owns, Relation)
    assert owns.object == "device/d1"


def test_a_row_that_cannot_be_used_is_told_by_number_and_column_and_the_rest_is_read(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": ["e1", None, "e3", "e4", "e5", "e6"],
            "type": ["app.login", "app.login", "app.logn", "app.login", "email.marketing", "app.login"],
            "time": [NOON, NOON, NOON, datetime(2150, 1, 1, tzinfo=UTC), NOON, None],
            "subject": ["customer/c1", "customer/c1", "customer/c1", "customer/c1", "device/d1", "customer/c1"],
        }
    )
    lines = list(open_events(keep(tmp_path, frame), CATALOG))
    assert [line.line for line in lines if isinstance(line, GoodLine)] == [1]
    wrong = [line.error for line in lines if isinstance(line, BadLine)]
    assert [error.where for error in wrong] == [
        {"row": 2, "field": "id"},
        {"row": 3, "field": "type"},
        {"row": 4, "field": "time"},
        {"row": 5, "field": "subject"},
        {"row": 6, "field": "time"},
    ]
    assert wrong[1].say("en").startswith("row 3, field type: there is no event type 'app.logn'. Nearest: app.login")
    assert wrong[1].say("zh").startswith("行 3, 字段 type：")


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        (lambda f: f.drop("time").rename({"id": "event_id"}), "id", "missing"),
        (lambda f: f.with_columns(pl.col("time").dt.replace_time_zone(None)), "time", "Datetime"),
        (lambda f: f.with_columns(pl.col("time").dt.date()), "time", "Date"),
        (lambda f: f.with_columns(pl.col("time").dt.epoch("s")), "time", "Int64"),
        (lambda f: f.with_columns(id=pl.int_range(pl.len())), "id", "Int64"),
        (lambda f: f.with_columns(pl.lit(b"x").alias("data.raw")), "data.raw", "Binary"),
    ],
)
def test_a_column_that_is_missing_or_of_a_wrong_type_ends_it_before_the_first_row(
    tmp_path: Path, change: Any, field: str, said: str
) -> None:
    path = keep(tmp_path, change(pl.DataFrame(MAIL)))
    with pytest.raises(InvalidInput, match=said) as error:
        open_events(path, CATALOG)
    assert error.value.where == {"field": field, "file": path}


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    frame = pl.DataFrame(MAIL).with_columns(amount=pl.lit(3))
    (warning,) = open_events(keep(tmp_path, frame), CATALOG).warnings
    assert "amount" in warning.en
    assert "data.<field>" in warning.en


def test_only_a_slice_of_rows_is_held_and_the_share_read_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategy.recorded, "SLICE", 2)
    recording = open_events(keep(tmp_path, pl.concat([pl.DataFrame(MAIL)] * 2)), CATALOG)
    assert recording.share == 0
    rows = iter(recording)
    assert [next(rows).line for _ in range(3)] == [1, 2, 3]
    assert recording.share == 0.5
    assert [line.line for line in rows] == [4, 5, 6]
    assert recording.share == 1


@pytest.mark.parametrize("content", [b"PAR1 and nothing more", b"id,type\n", b"", b"\xff\xff\xff\xff\x00\x00\x00\x00"])
def test_a_damaged_columnar_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.parquet"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as error:
        open_events(str(path), CATALOG)
    assert error.value.where["file"] == str(path)


def test_a_columnar_file_is_known_by_its_content_whatever_its_name(tmp_path: Path) -> None:
    plain = tmp_path / "export"
    Path(keep(tmp_path, pl.DataFrame(MAIL))).rename(plain)
    assert len(good(open_events(str(plain), CATALOG))) == 3


def test_gzipped_lines_are_read_and_a_file_that_breaks_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.ndjson.gz"
    line = json.dumps({"id": "e1", "type": "app.login", "time": NOON.isoformat(), "subject": "customer/c1"}).encode()
    packed = gzip.compress(line + b"\n" + line)
    path.write_bytes(packed)
    recording = open_events(str(path), CATALOG)
    assert len(good(recording)) == 2
    assert recording.share == 1
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InvalidInput, match="breaks off"):
        list(open_events(str(path), CATALOG))
