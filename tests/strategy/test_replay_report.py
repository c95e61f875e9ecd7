"""The report of a replay counts what happened, explains a sample of it, and says why not where nothing fired."""

from __future__ import annotations

from typing import Any

import pytest

from core.clock import ManualClock
from core.events import Fact, Input
from core.text import Lang, has_chinese
from core.times import DAY, HOUR, MINUTE, Micros
from strategy.document import Strategy
from strategy.replay import Replay
from strategy.replay_report import Report
from strategy.stream import GoodLine, input_of
from tests.strategy.livehub import CATALOG, NOW, every_login, login, mail, unread

VIP = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}
LOGIN = {"kind": "event", "event": "app.login"}


def reported(
    *documents: dict[str, Any],
    events: list[dict[str, Any]],
    facts: list[Fact] | None = None,
    until: int | None = None,
    since: int | None = None,
    **sampling: int,
) -> Report:
    strategies = [Strategy.model_validate(document) for document in documents]
    replay = Replay(
        CATALOG,
        strategies,
        lateness=0,
        since=None if since is None else Micros(since),
        until=None if until is None else Micros(until),
        clock=ManualClock(NOW),
    )
    report = Report(CATALOG, strategies, **sampling)
    inputs: list[Input] = [input_of(event, CATALOG) for event in events]
    known = (GoodLine(n, fact) for n, fact in enumerate(facts or [], 1))
    for item in replay.run(known, (GoodLine(n, found) for n, found in enumerate(inputs, 1))):
        report.add(item)
    report.finish(replay)
    return report


def only(report: Report, lang: Lang = "en") -> dict[str, Any]:
    (found,) = report.as_dict(lang)["strategies"]
    assert isinstance(found, dict)
    return found


def test_firings_are_counted_by_local_day_with_the_days_on_which_there_were_none() -> None:
    # NOW is 20:00 in Shanghai: four hours on it is the next day there
    events = [login("e1", NOW), login("e2", NOW + HOUR), login("e3", NOW + 4 * HOUR), login("e4", NOW + 3 * DAY)]
    found = only(reported(every_login(), events=events))
    assert [day["firings"] for day in found["by_day"]] == [2, 1, 0, 1]
    assert [day["day"][-2:] for day in found["by_day"]] == ["01", "02", "03", "04"]
    assert (found["firings"], found["per_day"]) == (4, 1.0)
    assert (found["first"], found["last"]) == ("2026-05-01T12:00:00Z", "2026-05-04T12:00:00Z")


def test_the_period_is_the_one_asked_for() -> None:
    events = [login(f"e{n}", NOW + n * DAY) for n in range(4)]
    found = reported(every_login(), events=events, since=NOW + 2 * DAY, until=NOW + 5 * DAY).as_dict("en")
    assert (found["from"], found["until"]) == ("2026-05-03T12:00:00Z", "2026-05-06T12:00:00Z")
    assert (found["days"], found["firings"], found["left_out"]["firings_before_from"]) == (4, 2, 2)


def test_subjects_reached_stand_beside_all_of_their_kind_that_inputs_named() -> None:
    events = [login("e1", NOW, "customer/a"), login("e2", NOW, "customer/a"), mail("m", NOW, True, "customer/b")]
    facts = [Fact(f"customer/{name}", "dwell", 1.0, Micros(NOW)) for name in "cd"]
    found = only(reported(every_login(), events=events, facts=facts))
    assert (found["subjects"], found["known_subjects"], found["share"]) == (1, 4, 0.25)


def test_what_guards_stopped_is_counted_by_reason() -> None:
    events = [login(f"e{n}", NOW + n * MINUTE) for n in range(4)]
    found = only(reported(every_login(guards={"cap": {"times": 1, "per": "1h"}}), events=events), "zh")
    assert found["firings"] == 1
    assert found["dropped"] == [{"reason": "cap", "said": "已达频次上限", "firings": 3}]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_sample_is_explained_and_spread_over_the_strategies_that_fired(lang: Lang) -> None:
    events = [login(f"e{n}", NOW + n * MINUTE) for n in range(50)]
    events += [mail(f"m{n}", NOW + HOUR + n * MINUTE, False) for n in range(3)]
    report = reported(every_login(), unread(3), every_login("never", audience=VIP), events=events, sample=3)
    sample = report.as_dict(lang)["sample"]
    assert sorted(one["strategy"] for one in sample) == ["login", "login", "unread"]
    assert all(has_chinese(" ".join(one["why"])) == (lang == "zh") for one in sample)
    assert [one["at"] for one in sample] == sorted(one["at"] for one in sample)


def test_the_same_seed_gives_the_same_sample_and_another_seed_another() -> None:
    events = [login(f"e{n}", NOW + n * MINUTE) for n in range(200)]

    def sampled(seed: int) -> list[str]:
        report = reported(every_login(), events=events, sample=5, seed=seed)
        return [fired.firing.key for fired in report.sample()]

    assert sampled(1) == sampled(1)
    assert len({*map(tuple, map(sampled, range(5)))}) > 1


def test_a_strategy_that_never_fired_names_the_condition_that_was_most_often_in_the_way() -> None:
    few = {"kind": "aggregate", "event": "app.login", "function": "count", "op": ">=", "value": 1}
    trigger = {
        "kind": "all",
        "of": [few, {"kind": "not", "of": {"kind": "attribute", "name": "tier", "op": "present"}}],
    }
    facts = [Fact(f"customer/{n}", "tier", "vip", Micros(NOW - DAY)) for n in range(4)]
    events = [login(f"e{n}", NOW, f"customer/{n}") for n in range(3)]
    told = only(reported(every_login(trigger=trigger), events=events, facts=facts))["why_not"]
    assert told["looked_at"] == 4
    assert [(each["path"], each["missing"], each["unknown"]) for each in told["conditions"]] == [
        ("trigger.of.1.of", 4, 0),
        ("trigger.of.0", 1, 0),
    ]
    assert told["conditions"][0]["condition"].startswith("not (tier")
    assert told["nearest"]["subject"] == "customer/0"
    assert any("tier" in line for line in told["nearest"]["lines"])


def test_an_event_that_came_is_not_in_the_way_only_because_its_moment_has_passed() -> None:
    trigger = {"kind": "all", "of": [LOGIN, VIP]}
    told = only(reported(every_login(trigger=trigger), events=[login("e1", NOW)]), "zh")["why_not"]
    assert [(each["path"], each["missing"]) for each in told["conditions"]] == [
        ("trigger.of.1", 1),
        ("trigger.of.0", 0),
    ]
    assert told["conditions"][1]["occurred"] == 1
    assert has_chinese(told["conditions"][0]["condition"])


def test_an_audience_in_the_way_is_named_and_an_event_that_never_came_is_too() -> None:
    told = only(reported(every_login(audience=VIP), events=[login("e1", NOW)]))["why_not"]
    assert told["conditions"][0]["path"] == "audience"
    silent = only(reported(every_login(), events=[mail("m1", NOW, True)]))["why_not"]
    assert (silent["conditions"][0]["occurred"], silent["conditions"][0]["missing"]) == (0, 1)


def test_a_strategy_whose_firings_were_all_stopped_has_reasons_and_no_why_not() -> None:
    guards = {"quiet_hours": {"start": "00:00", "end": "23:59", "mode": "drop"}}
    found = only(reported(every_login(guards=guards), events=[login("e1", NOW)]))
    assert found["firings"] == 0
    assert found["dropped"][0]["reason"] == "quiet_hours"
    assert found["why_not"] is None


def test_without_any_input_the_report_is_empty() -> None:
    found = reported(every_login(), events=[]).as_dict("en")
    assert (found["from"], found["days"], found["sample"]) == (None, 0, [])
    assert only(reported(every_login(), events=[]))["why_not"] == {
        "looked_at": 0,
        "conditions": [
            {"path": "trigger", "condition": "“app login” happens", "missing": 0, "unknown": 0, "occurred": 0}
        ],
    }
