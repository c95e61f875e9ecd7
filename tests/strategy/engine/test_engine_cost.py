"""State is estimated by a formula that can be checked by hand, and held to a budget."""

from __future__ import annotations

from typing import Any

import pytest
from stage import VIP, attribute, count, happens, reduced

from core.errors import Refused
from core.text import has_chinese
from knowledge.catalog import read_catalog
from strategy.document import Strategy
from strategy.engine.cost import Load, check_budget, state_cost

CATALOG = read_catalog("""
catalog: 1
objects: {customer: {}, store: {}}
events:
  login: {subject: customer}
  mail: {subject: customer, fields: {opened: {type: boolean}}}
  order: {subject: customer, fields: {amount: {type: number, min: 0}, shop: {type: text}}, groups: {store: shop}}
metrics: {open_rate: {subject: customer, ratio: {of: login, per: mail}}}
""").catalog
LOAD = Load({"login": 2.0, "order": 0.5, "mail": 1.0}, {"customer": 1_000, "store": 10})

Condition = dict[str, Any]


def strategy(trigger: Condition, name: str = "s", **more: Any) -> Strategy:
    return Strategy.model_validate({"name": name, "trigger": trigger, "actions": [{"task": "call"}], **more})


def steps(*of: Condition) -> Condition:
    return {"kind": "sequence", "steps": list(of)}


def change(function: str, **more: Any) -> Condition:
    made = {"kind": "change", "event": "login", "function": function, "window": "10d", "direction": "rise"}
    return {**made, "percent": 10, **more}


RATIO: Condition = {"kind": "ratio", "of": {"event": "login"}, "per": {"event": "mail"}, "op": "<", "value": 1}
ANSWERED = steps({"event": "mail"}, {"event": "order", "within": "1d"})

EACH: list[tuple[Condition, float]] = [
    (VIP, 16),
    (happens("order"), 16),
    (count("login", "1d"), 16),
    (count("login", "10d"), 16 + 8 * 17),
    (count("login", "10d", op="<", value=9), 16 + 8 * 17),
    (count("login", window={"last": 5}), 16 + 8 * 2),
    (count("login", None), 16 + 8 * 17),
    (reduced("sum", ">", 5, window={"over": "10d"}), 16 + 24 * 5),
    (reduced("max", ">", 5, window={"last": 7}), 16 + 24 * 7),
    (reduced("last", ">", 5, window={"over": "10d"}), 16 + 24),
    (reduced("distinct", ">", 5, window={}), 16 + 24 * 0.5 * 365),
    ({"kind": "metric", "metric": "open_rate", "op": "<", "value": 1, "window": {"over": "10d"}}, 16 + 8 * (17 + 7)),
    ({**RATIO, "window": {"over": "10d"}}, 16 + 8 * (17 + 7)),
    (change("count"), 16 + 8 * 37),
    (change("sum", event="order", field="amount"), 16 + 24 * 10),
    ({"kind": "streak", "event": "mail", "times": 2}, 16),
    ({"kind": "streak", "event": "mail", "times": 100}, 16 + 8 * 17),
    (ANSWERED, 16 + 24),
    (steps({"event": "mail"}, {"event": "login"}, {"event": "order", "absent": True, "within": "1h"}), 16 + 2 * 24),
    (steps({"event": "login"}, {"event": "order", "absent": True, "within": "5d"}), 16 + 24 * 10),
    ({"kind": "all", "of": [VIP, count("login", "10d")]}, 2 * 16 + 8 * 17),
    ({"kind": "not", "of": count("login", "10d")}, 16 + 8 * 17),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "each"), EACH)
def test_the_state_of_a_condition_follows_from_its_window_and_the_rate(trigger: Condition, each: float) -> None:
    cost = state_cost(strategy(trigger), CATALOG, LOAD)
    assert cost.each == pytest.approx(each)
    assert cost.total == pytest.approx(1_000 * each)


def test_a_group_s_subjects_share_the_events_of_their_members() -> None:
    """1,000 customers with half an order a day are 50 orders a day for each of 10 stores."""
    cost = state_cost(strategy(count("order", "1d"), subject="store"), CATALOG, LOAD)
    assert (cost.each, cost.subjects) == (16 + 8 * 47, 10)


def test_what_nothing_is_known_of_is_one_event_a_day_for_one_subject() -> None:
    cost = state_cost(strategy(count("login", "10d")), CATALOG, Load())
    assert (cost.each, cost.total) == (16 + 8 * 7, 16 + 8 * 7)


def test_events_in_the_same_window_are_kept_once_for_all() -> None:
    shared: set[str] = set()
    first = state_cost(strategy(count("login", "10d", ">", 3)), CATALOG, LOAD, shared)
    second = state_cost(strategy(count("login", "10d", "<", 1), "t"), CATALOG, LOAD, shared)
    assert (first.each, second.each) == (16 + 8 * 17, 16)


def budget(size: int, *triggers: Condition) -> list[str]:
    strategies = [strategy(each, f"s{i}") for i, each in enumerate(triggers)]
    return [warning.en for warning in check_budget(strategies, CATALOG, LOAD.rates, LOAD.subjects, size)]


def test_state_within_the_budget_passes_without_a_word() -> None:
    assert budget(200_000, count("login", "10d")) == []


def test_state_near_the_budget_is_a_warning_with_the_costliest_place_and_the_cure() -> None:
    (warning,) = budget(200_000, {"kind": "all", "of": [VIP, count("login", "10d")]})
    assert warning.startswith(
        "trigger.of.1: all running strategies are estimated to keep 164 KiB of a budget of 195 KiB"
    )
    assert warning.endswith("shorten its window, take the last N events, or raise ZHONGSHU_ENGINE_STATE_BUDGET")


def test_state_beyond_the_budget_is_refused_with_the_costliest_place_and_the_cure() -> None:
    with pytest.raises(Refused) as found:
        budget(200_000, count("login", "10d"), {"kind": "all", "of": [VIP, count("mail", "20d")]})
    error = found.value
    assert error.where == {"field": "trigger.of.1"}
    assert "152 B a customer, for 1000" in error.text.en and has_chinese(error.text.zh)
    assert error.hint is not None and "last N events" in error.hint.en and has_chinese(error.hint.zh)


def test_an_audience_counts_as_well() -> None:
    made = strategy(happens("order"), audience=attribute("tier", "==", "vip"))
    assert state_cost(made, CATALOG, LOAD).parts == {"trigger": 16, "audience": 16}
