"""When a strategy fires: turns to true, audience, cooldown, joins of conditions, deployment and edits."""

from __future__ import annotations

from typing import Any

import pytest
from stage import ME, SINCE_LONG, VIP, Stage, attribute, count, happens, hour, strategy

from core.errors import NotFound
from core.events import Event, Fact, Input
from strategy.engine.port import Truth


def all_of(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "all", "of": list(parts)}


def any_of(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "any", "of": list(parts)}


def not_(part: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "not", "of": part}


def logins(*hours: float) -> list[Input]:
    return [Event(f"h{i}", "login", hour(at), ME) for i, at in enumerate(hours)]


def test_every_event_is_a_new_turn_to_true() -> None:
    stage = Stage(happens("order"))
    for at in (0, 1, 1 + 1e-9):
        stage.event("order", at)
    stage.until(2)
    assert len(stage.fired) == 3


def test_an_event_with_a_missing_field_does_not_pass() -> None:
    stage = Stage(happens("order", {"field": "amount", "op": "!=", "value": 5}))
    stage.event("order", 0)
    stage.event("order", 1, amount=6)
    assert stage.until(2) == [(ME, 1)]


def test_a_condition_that_stays_true_fires_once() -> None:
    stage = Stage(count("login", "9h", ">=", 1))
    for at in range(5):
        stage.event("login", at)
    assert stage.until(5) == [(ME, 0)]


def test_a_condition_that_became_false_may_fire_again() -> None:
    stage = Stage(count("login", "1h", ">=", 1))
    for at in (0, 5):
        stage.event("login", at)
    assert stage.until(9) == [(ME, 0), (ME, 5)]


@pytest.mark.parametrize(
    ("trigger", "truth"),
    [
        (all_of(VIP, count("login", None, ">=", 1)), "unknown"),
        (all_of(VIP, count("login", None, ">=", 9)), "false"),
        (any_of(VIP, count("login", None, ">=", 1)), "true"),
        (any_of(VIP, count("login", None, ">=", 9)), "unknown"),
        (not_(VIP), "unknown"),
        (not_(count("login", None, ">=", 9)), "true"),
    ],
)
def test_three_truth_values_join_as_written(trigger: dict[str, Any], truth: str) -> None:
    stage = Stage(trigger)
    stage.event("login", 0)
    stage.until(1)
    assert stage.look().truth.value == truth


def test_an_event_and_a_state_fire_together_at_the_event() -> None:
    stage = Stage(all_of(happens("order"), VIP))
    stage.event("order", 0)
    stage.fact("tier", "vip", 1)
    stage.event("order", 2)
    assert stage.until(3) == [(ME, 2)]


def test_a_fact_of_the_same_instant_counts_before_the_event() -> None:
    stage = Stage(all_of(happens("order"), VIP))
    stage.event("order", 1)
    stage.fact("tier", "vip", 1)
    assert stage.until(2) == [(ME, 1)]


def test_the_passing_of_an_instant_is_no_turn_to_true() -> None:
    stage = Stage(all_of(VIP, not_(happens("order"))))
    stage.fact("tier", "vip", 0)
    for at in (1, 2):
        stage.event("order", at)
    assert stage.until(3) == [(ME, 0)]


def test_outside_the_audience_a_turn_is_lost_not_kept() -> None:
    stage = Stage(count("login", "9h", ">=", 1), audience=VIP)
    stage.event("login", 0)
    stage.fact("tier", "vip", 1)
    stage.event("login", 2)
    assert stage.until(3) == []


def test_an_unknown_audience_is_not_in_it_and_a_true_one_is_reported() -> None:
    stage = Stage(happens("login"), audience=VIP)
    stage.event("login", 0)
    stage.fact("tier", "vip", 1)
    stage.event("login", 2)
    assert stage.until(3) == [(ME, 2)]
    audience = stage.firings[0].audience
    assert audience is not None
    assert (audience.path, audience.truth, audience.observed) == ("audience", Truth.TRUE, "vip")


def test_an_audience_over_events_is_kept_up_to_date_without_firing() -> None:
    stage = Stage(happens("mail"), audience=count("order", "2h", ">=", 1))
    stage.event("order", 0)
    stage.event("mail", 1)
    stage.event("mail", 2)
    assert stage.until(3) == [(ME, 1)]


def test_within_the_cooldown_a_turn_is_dropped_and_exactly_after_it_fires() -> None:
    stage = Stage(happens("order"), guards={"cooldown": "2h"})
    for at in (0, 1, 2, 3.5, 4):
        stage.event("order", at)
    assert stage.until(5) == [(ME, 0), (ME, 2), (ME, 4)]


def test_a_dropped_turn_does_not_prolong_the_cooldown_and_a_restart_keeps_it() -> None:
    stage = Stage(happens("order"), guards={"cooldown": "2h"})
    stage.event("order", 0)
    stage.event("order", 1.9)
    stage.restart()
    stage.event("order", 1.95)
    stage.event("order", 2.5)
    assert stage.until(3) == [(ME, 0), (ME, 2.5)]


def test_a_turn_outside_the_audience_starts_no_cooldown() -> None:
    stage = Stage(happens("order"), audience=VIP, guards={"cooldown": "9h"})
    stage.event("order", 0)
    stage.fact("tier", "vip", 1)
    stage.event("order", 2)
    assert stage.until(3) == [(ME, 2)]


def test_the_cooldown_is_one_subjects_own() -> None:
    stage = Stage(happens("order"), guards={"cooldown": "9h"})
    stage.event("order", 0)
    stage.event("order", 1, who="customer/2")
    assert stage.until(2) == [(ME, 0), ("customer/2", 1)]


def test_a_firings_key_names_version_subject_and_instant() -> None:
    stage = Stage(happens("order"))
    stage.event("order", 0)
    stage.until(0)
    assert stage.firings[0].key == f"s@1/{ME}/{hour(0)}"


# deployment and edits


def test_history_warms_a_strategy_without_firing() -> None:
    stage = Stage()
    stage.take(*logins(0, 1))
    stage.until(1)
    stage.engine.deploy(strategy(count("login", "9h", ">=", 3)), 1, logins(0, 1))
    stage.event("login", 2)
    assert stage.until(3) == [(ME, 2)]
    assert stage.firings[0].trigger.evidence == ("h0", "h1", "e001")


def test_what_is_true_already_at_deployment_fires_only_after_it_was_not() -> None:
    stage = Stage()
    stage.take(*logins(0), Fact(ME, "tier", "vip", hour(0)))
    stage.until(1)
    stage.engine.deploy(strategy(VIP), 1, logins(0))
    stage.fact("tier", "plain", 2)
    stage.fact("tier", "vip", 3)
    assert stage.until(4) == [(ME, 3)]


def test_a_window_warmed_by_history_fires_by_timer() -> None:
    stage = Stage(catalog=SINCE_LONG)
    stage.take(*logins(0))
    stage.until(1)
    stage.engine.deploy(strategy(count("login", "2h", "<", 1)), 1, logins(0))
    assert stage.until(5) == [(ME, 2)]


def test_without_history_a_running_stream_begins_at_deployment() -> None:
    stage = Stage()
    stage.take(*logins(0))
    stage.until(1)
    stage.engine.deploy(strategy(count("login", "2h", "<", 1)), 1)
    stage.until(3)
    assert stage.look().truth is Truth.UNKNOWN
    stage.until(4)
    assert [f.at for f in stage.firings] == [hour(3) + 1]


def test_history_on_a_fresh_engine_brings_time_to_its_end() -> None:
    stage = Stage()
    stage.engine.deploy(strategy(count("login", "2h", ">=", 2)), 1, logins(0, 1))
    assert stage.engine.watermark == hour(1)
    stage.event("login", 0.5)
    assert [s.reason for s in stage.aside] == ["late"]
    stage.take(*logins(0))
    assert [s.reason for s in stage.aside] == ["late", "duplicate"]


def test_deployed_says_how_much_history_it_needs() -> None:
    engine = Stage().engine
    needs = [count("login", "2h"), count("login", None), happens("login"), VIP]
    both = all_of(count("login", "2h"), {**count("login", "3h", "<", 9)})
    spans = [engine.deploy(strategy(t, f"n{i}"), 1).warm_up for i, t in enumerate([*needs, both])]
    assert spans == [hour(2) - hour(0), None, 0, 0, hour(3) - hour(0)]


def test_an_edit_leaves_other_strategies_alone() -> None:
    stage = Stage(happens("mail"), count("login", "9h", ">=", 2))
    stage.event("login", 0)
    stage.until(0.5)
    stage.engine.deploy(strategy(happens("order")), 2)
    stage.event("login", 1)
    stage.until(2)
    assert [(f.strategy, f.version) for f in stage.firings] == [("s1", 1)]


def test_the_cooldown_counts_on_over_an_edit() -> None:
    guards = {"cooldown": "9h"}
    stage = Stage(strategy(happens("order"), guards=guards))
    stage.event("order", 0)
    stage.until(1)
    stage.engine.deploy(strategy(happens("order"), guards=guards), 2)
    stage.event("order", 2)
    stage.event("order", 9)
    stage.until(9)
    assert [(f.version, f.at) for f in stage.firings] == [(1, hour(0)), (2, hour(9))]


def test_a_retired_strategy_is_silent_and_unknown_to_look() -> None:
    stage = Stage(count("login", "2h", "<", 1), catalog=SINCE_LONG)
    stage.event("login", 0)
    stage.until(0)
    stage.engine.retire("s")
    assert stage.until(9) == []
    with pytest.raises(NotFound):
        stage.look()


def test_retiring_what_does_not_run_changes_nothing() -> None:
    Stage().engine.retire("nothing")


def test_looking_for_a_misspelt_strategy_names_the_nearest() -> None:
    stage = Stage(strategy(happens("order"), "churn alarm"))
    with pytest.raises(NotFound) as missing:
        stage.engine.look("churn alrm", ME)
    assert missing.value.nearest == ["churn alarm"]


def test_look_shows_a_subject_nobody_has_heard_of() -> None:
    stage = Stage(all_of(attribute("dwell", "<", 15), count("login", None, ">=", 1)))
    seen = stage.look("customer/nobody")
    assert [c.truth for c in seen.children] == [Truth.UNKNOWN, Truth.FALSE]
    assert [c.path for c in seen.children] == ["trigger.of.0", "trigger.of.1"]
