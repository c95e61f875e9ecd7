"""Strategies against each other: what is claimed has a customer on whom the oracle fires both, what cannot meet is not
claimed, and one more strategy is compared with what is there."""

from __future__ import annotations

from typing import Any

import pytest

from strategy.conflicts import Clash, Kind, Portfolio, conflicts_of
from strategy.document import Strategy
from tests.strategy.conflicts.conflict_world import (
    CATALOG,
    PLAIN,
    VIP,
    attribute,
    awaited,
    count,
    every,
    fires_as_shown,
    happens,
    strategy,
    streak,
)


def found(*strategies: Strategy) -> list[Clash]:
    return Portfolio(strategies, CATALOG).clashes()


def test_opposite_actions_on_one_customer_are_a_conflict_with_a_customer_to_show_it() -> None:
    a = strategy("a", every(VIP, happens("order", {"field": "amount", "op": ">", "value": 100})), "offer")
    b = strategy("b", count("complaint", ">=", 2), "silence")
    (clash,) = found(a, b)
    assert (clash.kind, clash.strategies, clash.actions) == (Kind.OPPOSITE, ("a", "b"), ("offer", "silence"))
    assert clash.decided and clash.witness is not None
    assert {shot.strategy for shot in clash.witness.shots} == {"a", "b"}
    assert fires_as_shown(clash.witness, a, b)


def test_actions_that_exclude_each_other_conflict_whichever_names_the_other() -> None:
    a, b = strategy("a", happens("login"), "visit_home"), strategy("b", happens("login"), "call")
    (clash,) = found(a, b)
    assert clash.kind is Kind.EXCLUSIVE
    assert clash.witness is not None and fires_as_shown(clash.witness, a, b)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (every(VIP, happens("login")), every(PLAIN, happens("login"))),
        (count("login", "<", 2), count("login", ">=", 2)),
        (count("order", ">=", 3, "1d"), count("order", "<", 3, "7d")),
        (every(attribute("points", ">", 5), happens("order")), attribute("points", "<=", 5)),
        ({"kind": "any", "of": [VIP, attribute("points", ">", 9)]}, every(PLAIN, attribute("points", "<", 9))),
        (count("order", ">=", 3, "3d", above=50), count("order", "<", 1, above=20)),
        (every(VIP, happens("order")), every(count("order", "<", 1), happens("login"))),
        (awaited("order", "login", "1h"), every(count("order", "<", 1), happens("login"))),
        (streak(2, above=0), every(count("order", "<", 1), happens("login"))),
        (
            every(count("order", "<", 1, "14d", above=50), streak(2, above=90), happens("login")),
            every(count("order", ">=", 2, "3d"), happens("complaint")),
        ),
    ],
)
def test_strategies_that_never_hold_together_do_not_conflict(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert found(strategy("a", one, "offer"), strategy("b", other, "silence")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (awaited("order", "login", "2h"), happens("login")),
        (every(VIP, awaited("order", "login", "1h"), happens("order")), every(VIP, happens("login"))),
        (count("login", ">=", 5), every(count("login", "<", 4, "1d"), attribute("points", ">", 9))),
        (happens("order"), count("order", "<", 1, "1d")),
        (every(VIP, streak(2, above=0)), every(count("order", "<", 1), happens("login"))),
        (happens("order"), every(count("order", "<", 1, above=50), happens("login"))),
    ],
)
def test_strategies_that_fire_some_hours_apart_meet(one: dict[str, Any], other: dict[str, Any]) -> None:
    pair = strategy("a", one, "offer"), strategy("b", other, "silence")
    (clash,) = found(*pair)
    assert clash.decided and clash.witness is not None and fires_as_shown(clash.witness, *pair)


def test_audiences_are_looked_at_as_triggers_are() -> None:
    a = strategy("a", happens("login"), "offer", audience=VIP)
    b = strategy("b", happens("order"), "silence", audience=PLAIN)
    assert found(a, b) == []
    (clash,) = found(a, strategy("b", happens("order"), "silence"))
    assert clash.witness is not None
    assert fires_as_shown(clash.witness, a, strategy("b", happens("order"), "silence"))


def test_actions_that_have_nothing_to_do_with_each_other_are_no_conflict() -> None:
    assert found(strategy("a", happens("login"), "offer"), strategy("b", happens("login"), "call")) == []


def test_two_strategies_on_a_channel_break_a_cap_that_each_of_them_keeps() -> None:
    once = {"cap": {"times": 1, "per": "7d"}}
    a, b = strategy("a", happens("login"), "offer", guards=once), strategy("b", happens("login"), "remind")
    piled = [clash for clash in found(a, b) if clash.kind is Kind.PILE_UP]
    assert [(clash.strategies, clash.actions) for clash in piled] == [(("a", "b"), ("wechat",))]
    assert piled[0].witness is not None and fires_as_shown(piled[0].witness, a, b)
    assert "每7天最多 1 次" in piled[0].said.zh and "1 per 7 days" in piled[0].said.en


def test_without_a_cap_or_on_different_channels_nothing_piles_up() -> None:
    once = {"cap": {"times": 1, "per": "7d"}}
    a, b = strategy("a", happens("order"), "offer"), strategy("b", happens("order"), "remind")
    assert found(a, b) == []
    assert found(strategy("a", happens("order"), "offer", guards=once), strategy("b", happens("order"), "call")) == []


def test_a_strategy_whose_cases_and_actions_another_has_is_swallowed_by_it() -> None:
    narrow = strategy("narrow", every(VIP, count("login", ">", 5)), "call")
    wide = strategy("wide", count("login", ">=", 3, "14d"), "call", "remind")
    (clash,) = found(wide, narrow)
    assert (clash.kind, clash.strategies) == (Kind.SWALLOWED, ("narrow", "wide"))
    assert clash.witness is not None and fires_as_shown(clash.witness, narrow, wide)
    assert found(strategy("narrow", every(VIP, count("login", ">", 5)), "silence"), wide) == []


def test_a_condition_that_holds_of_everybody_keeps_none_from_being_swallowed() -> None:
    narrow = strategy("narrow", every(VIP, happens("login")), "call")
    (clash,) = found(strategy("wide", every(happens("login"), count("order", ">=", 0)), "call"), narrow)
    assert (clash.kind, clash.strategies) == (Kind.SWALLOWED, ("narrow", "wide"))


def test_a_count_that_may_still_be_short_is_not_taken_for_the_whole() -> None:
    """The longer window may be unknown where the shorter one is known: it does not swallow it."""
    a, b = strategy("a", count("login", "<", 2, "1d"), "call"), strategy("b", count("login", "<", 9, "7d"), "call")
    assert found(a, b) == []


def test_actions_that_set_off_each_other_s_triggers_are_a_circle() -> None:
    a, b = strategy("a", happens("login"), "offer"), strategy("b", happens("coupon"), "remind")
    (clash,) = [clash for clash in found(a, b) if clash.kind is Kind.CYCLE]
    assert clash.actions in (("coupon", "login"), ("login", "coupon"))
    assert clash.witness is not None
    assert [shot.strategy for shot in clash.witness.shots] == [*clash.strategies, clash.strategies[0]]
    assert fires_as_shown(clash.witness, a, b)


def test_a_strategy_that_sets_itself_off_is_a_circle() -> None:
    (clash,) = found(strategy("a", happens("login"), "remind"))
    assert (clash.kind, clash.strategies) == (Kind.CYCLE, ("a",))


def test_a_cooldown_ends_a_circle() -> None:
    assert found(strategy("a", happens("login"), "remind", guards={"cooldown": "7d"})) == []


def test_a_condition_that_stays_true_is_no_part_of_a_circle() -> None:
    a, b = strategy("a", count("login", ">=", 3), "offer"), strategy("b", happens("coupon"), "remind")
    assert [clash for clash in found(a, b) if clash.kind is Kind.CYCLE] == []


def test_a_strategy_that_can_never_fire_is_dead_and_says_why() -> None:
    trigger = every({"kind": "any", "of": [VIP, attribute("points", ">", 100)]}, PLAIN, attribute("points", "<", 50))
    (clash,) = conflicts_of(strategy("a", trigger), [], CATALOG)
    assert clash.kind is Kind.DEAD
    assert "never hold together" in clash.said.en and "不能同时成立" in clash.said.zh


@pytest.mark.parametrize(
    "trigger",
    [
        every(awaited("order", "login", "1h"), happens("login")),
        every(awaited("order", "login", "1h"), count("order", "<", 1, "1d")),
        every(awaited("order", "login", "2h"), awaited("login", "order", "1h")),
    ],
)
def test_waiting_in_vain_for_what_another_condition_asks_is_dead(trigger: dict[str, Any]) -> None:
    (clash,) = conflicts_of(strategy("a", trigger), [], CATALOG)
    assert clash.kind is Kind.DEAD


def test_a_strategy_that_no_longer_fits_the_catalog_is_dead_and_clashes_with_nothing() -> None:
    stale = strategy("stale", happens("gone"), "offer")
    kept = Portfolio([stale], CATALOG)
    assert kept.clashes_of(strategy("b", happens("login"), "silence")) == []
    assert [clash.kind for clash in kept.clashes()] == [Kind.DEAD]


def test_a_strategy_is_not_compared_with_its_own_older_version() -> None:
    a = strategy("a", happens("login"), "offer")
    assert conflicts_of(strategy("a", happens("login"), "silence"), [a], CATALOG) == []


def test_what_was_removed_is_not_compared_with() -> None:
    kept = Portfolio([strategy("a", happens("login"), "offer")], CATALOG)
    new = strategy("b", happens("login"), "silence")
    assert [clash.kind for clash in kept.clashes_of(new)] == [Kind.OPPOSITE]
    kept.remove("a")
    assert kept.clashes_of(new) == []


def test_groups_conflict_as_customers_do() -> None:
    a = strategy("a", count("order", ">=", 3, "1d"), "offer", subject="store")
    b = strategy("b", happens("order"), "silence", subject="store")
    (clash,) = found(a, b)
    assert clash.witness is not None and clash.witness.subject.startswith("store/")
    assert fires_as_shown(clash.witness, a, b)


def test_strategies_for_different_kinds_of_subjects_do_not_meet() -> None:
    a = strategy("a", happens("order"), "offer", subject="store")
    assert found(a, strategy("b", happens("order"), "silence")) == []
