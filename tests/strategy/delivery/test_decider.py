"""The written order of a decision, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput
from core.ids import TenantId
from core.times import DAY, HOUR, format_time, parse_time
from strategy.delivery import Decider, Decision, OutboxRow, repository
from strategy.delivery.record import read_layers, read_observation
from strategy.document import Strategy
from strategy.engine.port import Firing, Truth
from tests.strategy.delivery.delivery_world import NOON, firing, strategy

CAP = {"cap": {"times": 2, "per": "7d"}}


@pytest.fixture
def decided(
    db: Database, ctx: RequestContext, decider_of: Callable[..., Decider]
) -> Callable[[Firing, Strategy], Decision]:
    decider = decider_of()

    def run(fired: Firing, about: Strategy) -> Decision:
        with db.transaction() as session:
            return decider.decide(session, ctx, fired, about)

    return run


def outbox(db: Database) -> list[OutboxRow]:
    with db.reading() as session:
        return list(session.exec(select(OutboxRow)))


def test_with_consent_and_no_other_guard_it_goes_out_at_once(db: Database, decided: Any, consent: Any) -> None:
    consent()
    decision = decided(firing(), strategy())
    assert (decision.verdict, decision.reason, decision.due) == ("delivered", None, NOON)
    [row] = outbox(db)
    assert (row.decision, row.subject, row.next_try, row.state) == (decision.id, "customer/c1", NOON, "pending")


def test_a_customer_channel_without_consent_is_dropped_with_that_reason(db: Database, decided: Any) -> None:
    """spec: D2 D3"""
    decision = decided(firing(), strategy())
    assert (decision.verdict, decision.reason) == ("dropped", "no_consent")
    assert outbox(db) == []


def test_consent_withdrawn_on_one_channel_stops_only_the_actions_on_it(
    db: Database, decided: Any, consent: Any
) -> None:
    """spec: D3"""
    consent()
    consent(given=False, channel="voice", at=NOON - 1)
    decision = decided(firing(), strategy(actions=[{"action": "outbound_call"}, {"action": "send_coupon"}]))
    assert decision.verdict == "delivered"
    assert [row.wanted for row in outbox(db)] == ["wechat"]
    assert "message" not in decision.actions[0]
    assert decision.why["layers"][0]["detail"]["missing"] == [0]


def test_inner_tasks_the_inbox_and_webhooks_need_no_consent(db: Database, decided: Any) -> None:
    actions = [{"task": "回访"}, {"action": "show_banner"}, {"action": "open_order"}]
    assert decided(firing(), strategy(actions=actions)).verdict == "delivered"
    assert len(outbox(db)) == 3


def test_a_strategy_for_service_may_use_a_customer_channel_without_marketing_consent(decided: Any) -> None:
    assert decided(firing(), strategy(guards={"consent": "service"})).verdict == "delivered"


def test_a_strategy_that_asks_for_consent_asks_for_all_its_actions(decided: Any) -> None:
    decision = decided(firing(), strategy(actions=[{"task": "回访"}], guards={"consent": "marketing"}))
    assert (decision.verdict, decision.reason) == ("dropped", "no_consent")


def test_a_purpose_nobody_knows_is_an_error_with_the_nearest_one(decided: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        decided(firing(), strategy(guards={"consent": "marketting"}))
    assert caught.value.nearest[0] == "marketing"


@pytest.mark.parametrize(
    ("truth", "verdict", "reason"),
    [
        (Truth.TRUE, "delivered", None),
        (Truth.FALSE, "dropped", "outside_audience"),
        (Truth.UNKNOWN, "dropped", "audience_unknown"),
        (None, "dropped", "audience_unknown"),
    ],
)
def test_only_a_known_member_of_the_audience_gets_it(
    decided: Any, consent: Any, truth: Truth | None, verdict: str, reason: str | None
) -> None:
    consent()
    about = strategy(audience={"kind": "attribute", "name": "tier", "op": "==", "value": "vip"})
    decision = decided(firing(audience=truth), about)
    assert (decision.verdict, decision.reason) == (verdict, reason)


def test_outside_the_rollout_nothing_goes_out(decided: Any, consent: Any) -> None:
    consent()
    decision = decided(firing(), strategy(rollout={"percent": 0}))
    assert (decision.verdict, decision.reason) == ("dropped", "not_in_rollout")


def test_held_out_customers_are_recorded_as_such_and_get_nothing(db: Database, decided: Any, consent: Any) -> None:
    consent()
    decision = decided(firing(), strategy(rollout={"percent": 100, "holdout": 100}))
    assert (decision.verdict, decision.reason, decision.variant) == ("holdout", "holdout", None)
    assert outbox(db) == []


def test_a_variant_changes_the_parameters_of_the_actions(db: Database, decided: Any, consent: Any) -> None:
    consent()
    about = strategy(
        actions=[{"action": "send_coupon", "params": {"off": 10, "days": 7}}],
        rollout={"percent": 100, "variants": [{"name": "half", "weight": 1, "params": {"off": 50}}]},
    )
    assert decided(firing(), about).variant == "half"
    assert outbox(db)[0].payload["params"] == {"off": 50, "days": 7}


def test_the_cap_counts_deliveries_in_a_half_open_window(decided: Any, consent: Any) -> None:
    """spec: D4"""
    consent()
    about = strategy(guards=CAP)
    for at in (NOON, NOON + DAY):
        assert decided(firing(at), about).verdict == "delivered"
    last_inside = decided(firing(NOON + 7 * DAY - 1), about)
    assert (last_inside.verdict, last_inside.reason) == ("dropped", "cap")
    assert decided(firing(NOON + 7 * DAY), about).verdict == "delivered"


def test_drops_and_holdouts_do_not_count_towards_the_cap_and_other_customers_have_their_own(
    decided: Any, consent: Any
) -> None:
    about = strategy(guards={"cap": {"times": 1, "per": "7d"}})
    assert decided(firing(NOON - HOUR), about).reason == "no_consent"
    consent(at=NOON - 1)
    consent(subject="customer/c2")
    assert decided(firing(NOON), about).verdict == "delivered"
    assert decided(firing(NOON + 1), about).reason == "cap"
    assert decided(firing(NOON + 2, subject="customer/c2"), about).verdict == "delivered"


def test_a_new_version_does_not_reset_the_cap(decided: Any, consent: Any) -> None:
    consent()
    about = strategy(guards={"cap": {"times": 1, "per": "7d"}})
    decided(firing(), about)
    assert decided(replace(firing(NOON + 1), version=2), about).reason == "cap"


def test_within_quiet_hours_it_is_deferred_to_their_end_and_counts_there(
    db: Database, decided: Any, consent: Any
) -> None:
    """spec: D4 D5"""
    consent()
    about = strategy(
        guards={"quiet_hours": {"start": "22:00", "end": "08:00"}, "cap": {"times": 1, "per": "12h"}},
    )
    evening = parse_time("2026-05-13T23:30:00+08:00")
    morning = parse_time("2026-05-14T08:00:00+08:00")
    decision = decided(firing(evening), about)
    assert (decision.verdict, decision.reason) == ("deferred", "quiet_hours")
    assert format_time(decision.due, "Asia/Shanghai") == "2026-05-14T08:00:00+08:00"
    assert outbox(db)[0].next_try == morning
    assert decided(firing(morning + 12 * HOUR - 1), about).reason == "cap"
    assert decided(firing(morning + 12 * HOUR), about).verdict == "delivered"


def test_within_quiet_hours_it_is_dropped_when_the_strategy_says_so(decided: Any, consent: Any) -> None:
    """spec: D5"""
    consent()
    about = strategy(guards={"quiet_hours": {"start": "11:00", "end": "13:00", "mode": "drop"}})
    decision = decided(firing(), about)
    assert (decision.verdict, decision.reason) == ("dropped", "quiet_hours")


def test_when_the_budget_is_used_up_nothing_goes_out(decided: Any, consent: Any) -> None:
    """spec: D6"""
    for subject in ("customer/c1", "customer/c2", "customer/c3"):
        consent(subject=subject)
    about = strategy(guards={"budget": 2})
    verdicts = [decided(firing(subject=f"customer/c{i}"), about).verdict for i in (1, 2, 3)]
    assert verdicts == ["delivered", "delivered", "dropped"]


def test_the_first_objection_in_the_written_order_is_the_reason(decided: Any, consent: Any) -> None:
    """spec: D1"""
    guards = {"cap": {"times": 1, "per": "1d"}, "quiet_hours": {"start": "11:00", "end": "13:00"}, "budget": 1}
    audience = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}
    full = strategy(guards=guards, audience=audience)
    assert decided(firing(NOON), full).reason == "no_consent"
    consent()
    assert decided(firing(NOON + 1, audience=Truth.FALSE), full).reason == "outside_audience"
    out = strategy(guards=guards, audience=audience, rollout={"percent": 0, "holdout": 100})
    assert decided(firing(NOON + 2, audience=Truth.TRUE), out).reason == "not_in_rollout"
    held = strategy(guards=guards, audience=audience, rollout={"percent": 100, "holdout": 100})
    assert decided(firing(NOON + 3, audience=Truth.TRUE), held).reason == "holdout"
    first = decided(firing(NOON + 4, audience=Truth.TRUE), full)
    assert first.verdict == "deferred"
    assert [x.guard for x in read_layers(first.why)] == [
        *("consent", "audience", "rollout", "holdout", "cap", "quiet_hours", "budget"),
    ]
    assert decided(firing(NOON + 5, audience=Truth.TRUE), full).reason == "cap"
    other = firing(NOON + 6, audience=Truth.TRUE, subject="customer/c2")
    consent(subject="customer/c2")
    last = decided(other, full)
    assert last.reason == "budget"
    assert [x.guard for x in read_layers(last.why) if not x.passed] == ["quiet_hours", "budget"]


def test_the_same_firing_is_decided_once(db: Database, decided: Any, consent: Any) -> None:
    """spec: D7"""
    first = decided(firing(), strategy())
    consent(at=NOON)
    again = decided(firing(), strategy())
    assert (again.id, again.verdict) == (first.id, "dropped")
    other = decided(firing(NOON + 1), strategy())
    assert other.id != first.id
    with db.reading() as session:
        assert len(session.exec(select(Decision)).all()) == 2
    assert len(outbox(db)) == 1


def test_a_transaction_that_fails_leaves_neither_decision_nor_message(
    db: Database, ctx: RequestContext, decider_of: Callable[..., Decider], consent: Any
) -> None:
    """spec: D7"""
    consent()
    with pytest.raises(RuntimeError), db.transaction() as session:
        decider_of().decide(session, ctx, firing(), strategy())
        raise RuntimeError
    with db.reading() as session:
        assert session.exec(select(Decision)).all() == []
    assert outbox(db) == []


def test_another_tenant_decides_for_itself(
    db: Database, ctx: RequestContext, decider_of: Callable[..., Decider], consent: Any
) -> None:
    consent()
    other = replace(ctx, tenant=TenantId("other"))
    with db.transaction() as session:
        mine = decider_of().decide(session, ctx, firing(), strategy())
        theirs = decider_of().decide(session, other, firing(), strategy())
        assert (mine.verdict, theirs.verdict) == ("delivered", "dropped")
        assert repository.decision(session, other, mine.id) is None
        assert [d.id for d in repository.decisions(session, other)] == [theirs.id]


def test_a_channel_that_is_not_configured_becomes_a_task_and_the_decision_says_so(
    db: Database, decided: Any, consent: Any
) -> None:
    consent()
    decision = decided(firing(), strategy())
    [row] = outbox(db)
    assert (row.channel, row.wanted, row.payload["kind"]) == ("inbox", "wechat", "task")
    assert "wechat is not configured" in decision.actions[0]["note"]["en"]
    assert "wechat 未配置" in decision.actions[0]["note"]["zh"]


def test_what_was_observed_is_kept_as_it_was(decided: Any, consent: Any) -> None:
    consent()
    fired = firing(audience=Truth.TRUE)
    about = strategy(audience={"kind": "attribute", "name": "tier", "op": "==", "value": "vip"})
    why = decided(fired, about).why
    assert read_observation(why["trigger"]) == fired.trigger
    assert read_observation(why["audience"]) == fired.audience
