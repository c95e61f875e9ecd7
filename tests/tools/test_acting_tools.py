"""Acting: limits, approvals by exact arguments, consent, and each act once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import select

from core.context import Purpose
from knowledge.governance import record_consent
from strategy.delivery.tables import Decision, OutboxRow
from tests.agentworld import ADMIN, AgentWorld, context
from tools import TOOLS, ApprovalRequired, Scope, ToolFailed, args_hash


@pytest.fixture
def renewer(hub: AgentWorld) -> Scope:
    ctx = context(purpose=Purpose.RETENTION)
    return Scope(hub.tools, ctx, "acts", hub.world.truths.renewer, frozenset(TOOLS), call="0.0")


def offer(percent: float) -> dict[str, object]:
    return {"action": "renewal_offer", "params": {"percent": percent}}


def rows(hub: AgentWorld, decision: str) -> list[OutboxRow]:
    with hub.db.reading() as session:
        return list(session.exec(select(OutboxRow).where(OutboxRow.decision == decision)).all())


def test_an_act_within_the_automatic_limit_goes_out(hub: AgentWorld, renewer: Scope) -> None:
    found = TOOLS["send_action"](replace(renewer, call="within"), offer(5)).data
    assert found["verdict"] == "delivered"
    assert [r.payload["action"] for r in rows(hub, found["decision"])] == ["renewal_offer"]


def test_the_same_call_acts_once_however_often_it_is_run(hub: AgentWorld, renewer: Scope) -> None:
    scope = replace(renewer, call="once")
    first, again = (TOOLS["send_action"](scope, offer(5)).data for _ in range(2))
    assert first == again and len(rows(hub, first["decision"])) == 1


def test_above_the_automatic_limit_exactly_the_approved_arguments_go_out(renewer: Scope) -> None:
    scope = replace(renewer, call="approved")
    with pytest.raises(ApprovalRequired) as asked:
        TOOLS["send_action"](scope, offer(6))
    assert asked.value.roles == ("admin", "strategist")
    approved = replace(scope, approved=frozenset({args_hash("send_action", offer(6))}))
    with pytest.raises(ApprovalRequired):
        TOOLS["send_action"](approved, offer(7))
    assert TOOLS["send_action"](approved, offer(6)).data["verdict"] == "delivered"


def test_no_approval_lifts_the_limit(renewer: Scope) -> None:
    approved = replace(renewer, approved=frozenset({args_hash("send_action", offer(9))}))
    with pytest.raises(ToolFailed, match="above the limit of 8"):
        TOOLS["send_action"](approved, offer(9))


def test_without_a_contract_nothing_is_given_on_its_strength(hub: AgentWorld, renewer: Scope) -> None:
    stranger = replace(renewer, subject="customer/nobody", seen={})
    with pytest.raises(ToolFailed, match="above the limit of 0"):
        TOOLS["send_action"](stranger, offer(1))


def test_compensation_is_limited_by_what_the_contract_owes(hub: AgentWorld) -> None:
    truth = hub.world.truths.breach
    scope = Scope(hub.tools, context(), "acts", truth.customer, frozenset(TOOLS), call="credit")

    def credit(amount: float) -> dict[str, object]:
        return {"action": "compensation_credit", "params": {"amount": amount}}

    with pytest.raises(ApprovalRequired):
        TOOLS["send_action"](scope, credit(truth.amount))
    with pytest.raises(ToolFailed, match="above the limit of 144"):
        TOOLS["send_action"](scope, credit(truth.amount + 1))


def test_a_withdrawn_consent_stops_the_act_and_says_so(hub: AgentWorld) -> None:
    subject = hub.world.truths.namesakes[0]
    with hub.db.transaction() as session:
        record_consent(session, ADMIN, hub.clock, subject, Purpose.RETENTION, False)
    ctx = context(purpose=Purpose.RETENTION)
    scope = Scope(hub.tools, ctx, "acts", subject, frozenset(TOOLS), call="no-consent")
    with pytest.raises(ToolFailed, match="consent"):
        TOOLS["send_action"](scope, {"action": "care_visit", "params": {}})


def test_a_hand_over_needs_no_customer_and_reaches_the_inbox(hub: AgentWorld) -> None:
    scope = Scope(hub.tools, context(), "nobody", None, frozenset(TOOLS), call="0.person")
    found = TOOLS["escalate_to_person"](scope, {"summary": "somebody has to look"}).data
    assert found["channel"] == "inbox"
    assert rows(hub, found["decision"])[0].subject == "conversation/nobody"


def test_an_act_keeps_what_it_rests_on_for_its_why(hub: AgentWorld, renewer: Scope) -> None:
    scope = replace(renewer, call="why", evidence=("fact_1", "fact_2"))
    decision = TOOLS["create_work_order"](scope, {"title": "Look at the machine"}).data["decision"]
    with hub.db.reading() as session:
        kept = session.exec(select(Decision).where(Decision.id == decision)).one()
    assert kept.why["trigger"]["evidence"] == ["fact_1", "fact_2"]


def test_every_limited_action_and_every_bound_is_of_the_demo_catalog(hub: AgentWorld) -> None:
    from tools.limits import limits

    assert set(limits().offers) <= set(hub.tools.catalog(ADMIN).actions)
    assert all(b.auto <= b.most for bounds in limits().offers.values() for b in bounds.values())
