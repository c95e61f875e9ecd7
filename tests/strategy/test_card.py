"""The card of a strategy: over recorded history, beside others, against the version before."""

from __future__ import annotations

import pytest

from core.events import Event
from core.times import DAY, Micros, parse_time
from strategy.card import Reach, Recorded, card_of
from strategy.differences import differences
from strategy.stream import GoodLine
from tests.strategy.conflicts.conflict_world import CATALOG, VIP, attribute, count, every, happens, strategy

START = parse_time("2026-05-01T10:00:00+08:00")


def history(*events: tuple[float, str, str]) -> Recorded:
    """Days after the start, type, subject."""
    lines = [
        GoodLine(i, Event(f"e{i}", kind, Micros(START + round(day * DAY)), who), "line")
        for i, (day, kind, who) in enumerate(events, start=1)
    ]
    return Recorded(events=lines)


def test_the_card_says_what_it_would_have_done_and_to_how_many() -> None:
    past = history(
        (0, "login", "customer/1"), (1, "login", "customer/2"), (3, "login", "customer/1"), (4, "answer", "customer/3")
    )
    card = card_of(strategy("a", happens("login"), rollout={"percent": 50, "holdout": 10}), CATALOG, history=past)
    told = card.as_dict("en")
    assert told["replay"]["strategies"][0]["firings"] == 3
    assert told["replay"]["strategies"][0]["per_day"] == 0.6
    reach = told["reach"]
    assert (reach["days"], reach["known_subjects"], reach["reached"]) == (5, 3, 2)
    assert reach["subjects"]["expected"] == pytest.approx(2 * 0.5 * 0.9)
    assert reach["subjects"]["low"] < reach["subjects"]["expected"] < reach["subjects"]["high"] <= 3 * 0.45
    assert "5 days" in reach["said"]


def test_the_reach_of_what_never_fired_ends_above_zero() -> None:
    reach = Reach.of(0, 100, 30, strategy("a", happens("login"), rollout={"percent": 100}))
    assert reach is not None
    low, middle, high = reach.expected
    assert (low, middle) == (0, 0) and high == pytest.approx(3.7, abs=0.1)  # Wilson, 0 of 100
    assert Reach.of(0, 0, 30, strategy("a", happens("login"))) is None


def test_the_card_counts_how_often_a_conflict_really_happened() -> None:
    a, b = strategy("a", happens("login"), "offer"), strategy("b", happens("complaint"), "silence")
    past = history(
        (0, "login", "customer/1"), (0.1, "complaint", "customer/1"),
        (2, "login", "customer/2"), (5, "complaint", "customer/2"), (6, "login", "customer/3"),
    )  # fmt: skip
    (clash,) = card_of(a, CATALOG, others=[b], history=past).conflicts
    assert clash.happened is not None
    assert (clash.happened.times, clash.happened.subjects) == (1, 1)
    assert clash.happened.examples[0][0] == "customer/1"
    report = card_of(a, CATALOG, others=[b], history=past).as_dict("zh")["replay"]
    assert [told["name"] for told in report["strategies"]] == ["a"] and report["firings"] == 3


def test_the_card_shows_the_trigger_as_a_tree_in_words() -> None:
    trigger = every(VIP, {"kind": "not", "of": {"kind": "any", "of": [happens("login"), count("order", ">", 2)]}})
    told = card_of(strategy("a", trigger), CATALOG).as_dict("en")["trigger"]
    assert told["kind"] == "all"
    assert [part["kind"] for part in told["of"]] == ["attribute", "not"]
    assert [part["path"] for part in told["of"][1]["of"][0]["of"]] == [
        "trigger.of.1.of.of.0",
        "trigger.of.1.of.of.1",
    ]
    assert "more than 2 times" in told["of"][1]["of"][0]["of"][1]["says"]


def test_the_difference_to_the_version_before_is_said_change_by_change() -> None:
    before = strategy(
        "a", every(VIP, count("login", "<", 2)), "offer",
        guards={"cap": {"times": 1, "per": "7d"}, "quiet_hours": {"start": "22:00", "end": "08:00"}},
    )  # fmt: skip
    after = strategy(
        "a", every(count("login", "<", 5), attribute("points", ">", 10)), "offer", "call",
        guards={"cap": {"times": 2, "per": "7d"}}, rollout={"percent": 5},
    )  # fmt: skip
    said = [change.en for change in differences(before, after, CATALOG)]
    assert said[0].startswith("trigger: no longer") and "vip" in said[0]
    assert "fewer than 2" in said[1] and "fewer than 5" in said[1]
    assert said[2].startswith("trigger: added") and "10" in said[2]
    assert said[3:] == [
        "action: added call",
        "cap: was at most 1 time per 7 days per subject, is now at most 2 times per 7 days per subject",
        "quiet hours: no longer 22:00 to 08:00 (deferred until after)",
        "share: was 1%, is now 5%",
    ]


def test_equal_versions_differ_in_nothing_and_another_joint_is_a_change() -> None:
    parts = [VIP, count("login", "<", 2)]
    one, other = (strategy("a", {"kind": kind, "of": parts}) for kind in ("all", "any"))
    assert differences(one, one, CATALOG) == []
    (change,) = differences(one, other, CATALOG)
    assert change.en.startswith("trigger: was") and " or " in change.en
