"""Aggregates, metrics and changes: exact windows, short history, exact numbers."""

from __future__ import annotations

import pytest
from stage import ME, SINCE_LONG, START, Stage, count, hour, reduced, strategy

from core.times import HOUR
from strategy.engine.port import Truth


def test_an_event_at_the_window_edge_has_left() -> None:
    stage = Stage(count("login", "2h", ">=", 2), catalog=SINCE_LONG)
    stage.event("login", 0)
    stage.event("login", 2)
    assert stage.until(3) == []


def test_an_event_a_microsecond_inside_the_window_still_counts() -> None:
    stage = Stage(count("login", "2h", ">=", 2), catalog=SINCE_LONG)
    stage.event("login", 0)
    stage.event("login", 2 - 1e-9)
    stage.until(3)
    assert len(stage.fired) == 1


def test_a_condition_turns_true_by_timer_exactly_when_an_event_leaves() -> None:
    stage = Stage(count("login", "2h", "<", 1), catalog=SINCE_LONG)
    stage.event("login", 1)
    stage.event("order", 1.5)
    assert stage.until(10) == [(ME, 3)]


def test_a_timer_due_at_the_end_of_time_fires() -> None:
    stage = Stage(count("login", "2h", "<", 1), catalog=SINCE_LONG)
    stage.event("login", 1)
    assert stage.until(3) == [(ME, 3)]


def test_one_event_entering_as_another_leaves_causes_no_flicker() -> None:
    stage = Stage(count("login", "2h", ">=", 1), catalog=SINCE_LONG)
    for at in (0, 2, 4):
        stage.event("login", at)
    assert stage.until(5) == [(ME, 0)]


def test_a_timer_at_an_instant_acts_after_its_inputs() -> None:
    stage = Stage(count("login", "2h", "<", 1), catalog=SINCE_LONG)
    stage.event("login", 0)
    stage.event("login", 2)
    assert stage.until(3.9) == []


def test_fewer_than_is_unknown_until_the_window_is_full_of_history() -> None:
    stage = Stage(count("login", "7d", "<", 2))
    stage.event("login", 0)
    assert stage.look().truth is Truth.UNKNOWN
    assert stage.until(7 * 24 - 0.001) == []
    assert stage.until(7 * 24) == [(ME, 168)]


def test_more_than_may_be_true_before_history_is_full() -> None:
    stage = Stage(count("login", "7d", ">", 1))
    stage.event("login", 0)
    stage.event("login", 1)
    assert stage.until(1) == [(ME, 1)]


@pytest.mark.parametrize(
    ("op", "value", "truth"),
    [
        (">", 2, "true"),
        (">=", 3, "true"),
        (">", 3, "unknown"),
        ("<", 3, "false"),
        ("<=", 2, "false"),
        ("<=", 3, "unknown"),
        ("==", 2, "false"),
        ("==", 3, "unknown"),
        ("!=", 2, "true"),
        ("!=", 4, "unknown"),
        ("in", [0, 1], "false"),
    ],
)
def test_a_short_count_is_a_lower_bound(op: str, value: object, truth: str) -> None:
    stage = Stage(count("login", "1d", op, value))
    for at in (0, 1, 2):
        stage.event("login", at)
    stage.until(2)
    assert stage.look().truth.value == truth


def test_history_begins_with_the_earliest_event_of_any_subject_and_type() -> None:
    stage = Stage(count("login", "2h", "<", 1))
    stage.event("order", 0, who="customer/2")
    stage.event("complaint", 1.5)
    assert stage.until(5) == [(ME, 2), ("customer/2", 2)]


def test_history_from_of_the_catalog_makes_windows_full_at_once() -> None:
    stage = Stage(count("login", "2h", "==", 0), catalog=SINCE_LONG)
    stage.event("order", 0)
    assert stage.until(0) == [(ME, 0)]


def test_all_history_is_never_short() -> None:
    stage = Stage(count("login", None, "==", 0))
    stage.event("order", 0)
    assert stage.until(0) == [(ME, 0)]


def test_a_silent_subject_known_from_facts_is_counted_and_fires_by_timer() -> None:
    stage = Stage(count("login", "7d", "==", 0))
    stage.fact("tier", "vip", 0, who="customer/silent")
    stage.event("login", 0)
    assert stage.until(7 * 24 + 1) == [(ME, 168), ("customer/silent", 168)]


def test_the_object_of_a_relation_is_a_subject_too() -> None:
    alarms = {
        "kind": "aggregate",
        "event": "alarm",
        "function": "count",
        "window": {"over": "1h"},
        "op": "==",
        "value": 0,
    }
    stage = Stage(strategy(alarms, subject="device"), catalog=SINCE_LONG)
    stage.owns("device/d1", 1)
    assert stage.until(2) == [("device/d1", 1)]


def test_a_window_of_the_last_n_is_short_while_fewer_exist() -> None:
    stage = Stage(reduced("avg", "<", 100, window={"last": 3}))
    for at, amount in enumerate((10, 20)):
        stage.event("order", at, amount=amount)
    assert stage.look().truth is Truth.UNKNOWN
    stage.event("order", 2, amount=30)
    assert stage.until(2) == [(ME, 2)]


def test_the_last_n_forgets_the_one_before() -> None:
    stage = Stage(reduced("max", "<", 100, window={"last": 2}))
    for at, amount in enumerate((500, 20, 30)):
        stage.event("order", at, amount=amount)
    assert stage.until(2) == [(ME, 2)]


def test_sums_are_exact_as_written_and_never_drift() -> None:
    stage = Stage(reduced("sum", "==", 0.6), catalog=SINCE_LONG)
    for step in range(1_000):
        stage.event("order", step, amount=0.1)
        stage.event("order", step + 0.5, amount=0.2)
    stage.until(1_000)
    assert stage.hours == [1.5]
    stage.until(2_000)
    assert stage.look().observed == 0


def test_a_sum_over_short_history_is_a_lower_bound_unless_signed() -> None:
    stage = Stage(reduced("sum", ">", 5), reduced("sum", ">", 5, field="change", event="balance"))
    stage.event("order", 0, amount=10)
    stage.event("balance", 0, change=10)
    stage.until(0)
    assert stage.look(name="s").truth is Truth.TRUE
    assert stage.look(name="s1").truth is Truth.UNKNOWN


def test_max_is_a_lower_bound_and_min_an_upper_bound_over_short_history() -> None:
    stage = Stage(*(reduced(f, op, 50) for f, op in (("max", ">"), ("max", "<"), ("min", "<"), ("min", ">"))))
    stage.event("order", 0, amount=80)
    stage.event("order", 0, amount=20)
    stage.until(0)
    truths = [stage.look(name=name).truth.value for name in ("s", "s1", "s2", "s3")]
    assert truths == ["true", "false", "true", "false"]


def test_avg_is_unknown_over_short_history_and_over_nothing() -> None:
    stage = Stage(reduced("avg", "<", 50))
    stage.event("order", 0, amount=20)
    assert stage.look().truth is Truth.UNKNOWN
    stage.until(2.5)
    assert stage.look().truth is Truth.UNKNOWN
    assert stage.look().note == "no_data"


def test_last_is_known_as_soon_as_one_event_is_there() -> None:
    stage = Stage(reduced("last", "==", "north", field="shop"))
    stage.event("order", 0, shop="north")
    assert stage.until(0) == [(ME, 0)]


def test_distinct_counts_different_values() -> None:
    stage = Stage(reduced("distinct", ">=", 2, field="shop"))
    for at, shop in ((0, "a"), (0.5, "a"), (1, "b")):
        stage.event("order", at, shop=shop)
    assert stage.until(1) == [(ME, 1)]


def test_an_event_without_the_field_or_with_a_word_in_it_does_not_enter_an_aggregate_of_it() -> None:
    stage = Stage(reduced("avg", ">=", 10), catalog=SINCE_LONG)
    stage.event("order", 0)
    stage.event("order", 0, amount="much")
    stage.event("order", 1, amount=10)
    assert stage.until(1) == [(ME, 1)]


def test_the_observation_has_window_value_and_at_most_twenty_evidence_ids_oldest_first() -> None:
    stage = Stage(count("login", "2h", ">=", 30))
    for i in range(30):
        stage.event("login", i / 60, id=f"l{i:02}")
    stage.until(1)
    seen = stage.firings[0].trigger
    assert (seen.observed, seen.op, seen.threshold) == (30, ">=", 30)
    assert seen.window == (hour(29 / 60 - 2), hour(29 / 60))
    assert seen.evidence == tuple(f"l{i:02}" for i in range(10, 30))


def rate(op: str, value: float, **window: object) -> dict[str, object]:
    return {"kind": "metric", "metric": "open_rate", "window": window, "op": op, "value": value}


def test_a_ratio_is_in_percent_and_unknown_over_nothing() -> None:
    stage = Stage(rate("<", 50, over="2h"), catalog=SINCE_LONG)
    stage.event("login", 0)
    assert stage.look().truth is Truth.UNKNOWN
    for i in range(3):
        stage.event("mail", 0.5 + i / 10)
    assert stage.until(1) == [(ME, 0.7)]


def test_a_ratio_over_short_history_is_unknown_even_when_it_could_be_told() -> None:
    stage = Stage(rate(">=", 0, over="2h"))
    stage.event("mail", 0)
    stage.event("mail", 1)
    assert stage.until(3) == [(ME, 2)]


def test_a_ratio_over_the_last_n_takes_what_came_since_the_oldest_of_them() -> None:
    stage = Stage(rate("==", 50, last=2))
    for kind, at in (("mail", 0), ("login", 1), ("mail", 2), ("mail", 3), ("login", 4)):
        stage.event(kind, at)
    assert stage.until(4) == [(ME, 2), (ME, 4)]


def change(direction: str, percent: float, **more: object) -> dict[str, object]:
    made = {"kind": "change", "event": "order", "function": "count", "window": "2h"}
    return {**made, "direction": direction, "percent": percent, **more}


def test_a_rise_compares_with_the_window_just_before() -> None:
    stage = Stage(change("rise", 100), catalog=SINCE_LONG)
    stage.event("order", 0)
    for at in (2, 2.5):
        stage.event("order", at)
    assert stage.until(2.5) == [(ME, 2.5)]


def test_a_drop_is_noticed_by_timer() -> None:
    stage = Stage(change("drop", 50), catalog=SINCE_LONG)
    for at in (0, 0.5, 1):
        stage.event("order", at)
    assert stage.until(10) == [(ME, 2.5)]


def test_a_change_from_nothing_or_over_short_history_is_unknown() -> None:
    stage = Stage(change("rise", 10))
    stage.event("order", 0)
    assert stage.look().note == "short_history"
    stage.until(20)
    assert stage.look().note == "nothing_to_divide"
    assert stage.fired == []


def test_a_change_of_an_average_needs_values_on_both_sides() -> None:
    stage = Stage(change("rise", 50, function="avg", field="amount"), catalog=SINCE_LONG)
    stage.event("order", 0, amount=10)
    stage.event("order", 1, amount=10)
    stage.event("order", 2, amount=10)
    stage.event("order", 2.5, amount=30)
    stage.until(2.5)
    assert stage.fired == [(ME, 2.5)]
    assert stage.firings[0].at == START + 2.5 * HOUR
    assert stage.firings[0].trigger.observed == {
        "current": pytest.approx(50 / 3),
        "previous": 10.0,
        "percent": pytest.approx(200 / 3),
    }
