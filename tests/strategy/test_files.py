"""Strategy files: what is written reads back equal; what is wrong is told with its line, field and nearest choice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.catalog import load_catalog
from strategy.files import InvalidStrategy, dump_strategy, load_strategy, read_strategy

sys.path.insert(0, str(Path(__file__).parent / "language"))
from documents import Documents

DOCUMENTS = Documents(load_catalog(Path("tests/data/sentences_catalog.yaml")).catalog)
GOOD = """\
strategy: 1
name: night
trigger: {kind: event, event: app.login}
actions: [{action: outbound_call}]
guards: {cooldown: 3d, quiet_hours: {start: 22:00, end: 08:00}}
"""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_a_strategy_written_to_a_file_reads_back_equal(data: st.DataObject) -> None:
    strategy = data.draw(DOCUMENTS.strategies())
    assert read_strategy(dump_strategy(strategy)) == strategy


def test_kinds_are_kept_and_defaults_left_out() -> None:
    text = dump_strategy(read_strategy(GOOD))
    assert "kind: event" in text
    assert "where" not in text
    assert "rollout" not in text


def test_clock_times_and_dates_mean_what_they_look_like() -> None:
    strategy = read_strategy(
        GOOD.replace("{kind: event, event: app.login}", "{kind: attribute, name: d, op: <, value: 2026-05-01}")
    )
    assert strategy.guards.quiet_hours is not None
    assert strategy.guards.quiet_hours.start == "22:00"
    assert strategy.trigger.value == "2026-05-01"  # type: ignore[union-attr] # it is an attribute test


def test_json_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(read_strategy(GOOD).model_dump_json(), encoding="utf-8")
    assert load_strategy(path) == read_strategy(GOOD)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "near"),
    [
        ("cooldown", "coldown", 5, "guards.coldown", "cooldown"),
        ("kind: event,", "kind: evnt,", 3, "trigger", "event"),
        ("event: app.login", "evnt: app.login", 3, "trigger.evnt", "event"),
        ("3d", "3x", 5, "guards.cooldown", None),
        ("name: night", "nam: night", 2, "nam", "name"),
        ("22:00", "25:00", 5, "guards.quiet_hours.start", None),
    ],
)
def test_a_mistake_is_told_with_its_line_field_and_nearest_choice(
    old: str, new: str, line: int, field: str, near: str | None
) -> None:
    with pytest.raises(InvalidStrategy) as caught:
        read_strategy(GOOD.replace(old, new))
    assert (caught.value.where["line"], caught.value.where["field"]) == (line, field)
    if near:
        assert near in caught.value.nearest


@pytest.mark.parametrize("text", ["", "[1]", "{", "strategy: 2\nname: x", "name: x", "\x00", "a: b: c"])
def test_what_is_no_strategy_at_all_is_an_error(text: str) -> None:
    with pytest.raises(InvalidStrategy):
        read_strategy(text)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidStrategy) as caught:
        load_strategy(tmp_path / "none.yaml")
    assert caught.value.where["file"].endswith("none.yaml")
