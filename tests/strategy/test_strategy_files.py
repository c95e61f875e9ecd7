"""Strategy files are read with their lines in mind and written so that they read back equal."""

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.times import HOUR
from strategy.document import All, AttributeIs, Sequence
from strategy.files import dump_strategy, load_strategy, read_strategy

GOOD = """
name: unresolved
audience: {kind: attribute, name: tier, op: "==", value: vip}
trigger:
  kind: all
  of:
    - kind: sequence
      steps:
        - {event: complaint.opened}
        - {event: complaint.resolved, within: 2h, absent: true}
    - {kind: attribute, name: dwell, op: "<", value: 15}
actions: [{task: 升级给总监}]
guards: {cap: {times: 1, per: 7d}, quiet_hours: {start: "22:00", end: "08:00"}}
"""


def test_a_file_becomes_a_document() -> None:
    strategy = read_strategy(GOOD)
    assert isinstance(strategy.trigger, All) and isinstance(strategy.trigger.of[0], Sequence)
    assert strategy.trigger.of[0].steps[1].within == 2 * HOUR
    assert isinstance(strategy.audience, AttributeIs)


def test_a_document_written_and_read_is_equal() -> None:
    strategy = read_strategy(GOOD)
    assert read_strategy(dump_strategy(strategy)) == strategy


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind: sequence", "kind: sequnce", 7, "Nearest: sequence"),
        ("kind: all", "knd: all", 4, "has no kind"),
        ("value: 15", "valu: 15", 11, "value"),
        ("within: 2h", "within: 2 hours", 10, "not a duration"),
        ("name: unresolved", "nam: unresolved", 2, "Nearest: name"),
        ("times: 1", "times: 0", 13, "greater than or equal to 1"),
        ("[{task: 升级给总监}]", "[]", 12, "at least 1"),
        ('"22:00"', '"25:00"', 13, "pattern"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_strategy(GOOD.replace(old, new))
    assert caught.value.where["line"] == line
    assert says in caught.value.say("en")


@pytest.mark.parametrize("text", ["", "- a", "[", "a: b: c"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_strategy(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_strategy(tmp_path / "none.yaml")
    assert caught.value.where["file"].endswith("none.yaml")
