"""Tickets of the demo world through the whole supervisor on the playbook: the right desk, a decision that rests on what
is recorded, acts within limits, a reply in the customer's language."""

from __future__ import annotations

import pytest

from agents.schemas import TicketIn, TicketOutcome
from agents.supervisor import Supervisor
from core.context import Purpose
from core.errors import InvalidInput, TooLarge
from tests.agentworld import ADMIN, STRATEGIST, AgentWorld, context


@pytest.fixture(scope="module")
def supervisor(hub: AgentWorld) -> Supervisor:
    return hub.supervisor("tickets")


def handled(hub: AgentWorld, supervisor: Supervisor, ticket_id: str) -> TicketOutcome:
    ticket = hub.ticket(ticket_id)
    return supervisor.handle_ticket(context(), TicketIn(id=ticket.id, text=ticket.text, subject=ticket.customer))


def rests_on_records(hub: AgentWorld, outcome: TicketOutcome, purpose: Purpose) -> bool:
    ctx = context(purpose=purpose)
    return bool(outcome.evidence) and all(
        hub.tools.graph.exists(ctx, i) or hub.tools.retriever.exists(ctx, i) for i in outcome.evidence
    )


def test_a_key_account_that_threatens_to_leave_is_called_and_offered_within_limits(
    hub: AgentWorld, supervisor: Supervisor
) -> None:
    outcome = handled(hub, supervisor, hub.world.truths.leaver_ticket)
    assert (outcome.route, outcome.status) == ("churn", "replied")
    assert outcome.decision is not None and outcome.decision.action == "schedule_call"
    reasons = " ".join(outcome.decision.reasons)
    assert "churn risk 83%" in reasons and "LZ-2025-00005" in reasons and "high-value" in reasons
    assert rests_on_records(hub, outcome, Purpose.RETENTION)
    offers = [d.args["params"] for d in outcome.done if d.args.get("action") == "exclusive_offer"]
    assert [o["percent"] for o in offers] == [10]
    assert outcome.lang == "en" and "within one working day" in outcome.reply
    assert outcome.models == ["playbook"] and outcome.trouble == []


def test_a_renewal_above_the_contracts_limit_is_countered_at_the_limit_after_approval(
    hub: AgentWorld, supervisor: Supervisor
) -> None:
    outcome = handled(hub, supervisor, hub.world.truths.renewer_ticket)
    assert (outcome.route, outcome.status) == ("renewal", "waiting")
    assert outcome.pending is not None
    assert outcome.pending.args["params"]["percent"] == 8.0
    assert "8%" not in outcome.reply and "2026-06-22" in outcome.reply
    assert rests_on_records(hub, outcome, Purpose.RETENTION)
    after = supervisor.approve(ADMIN, outcome.pending.id, "approve")
    assert after.status == "replied" and "8% off" in after.reply
    assert after.done[-1].result["verdict"] == "delivered"


def test_a_breached_promise_is_escalated_with_its_clause_and_what_it_owes(
    hub: AgentWorld, supervisor: Supervisor
) -> None:
    breach = hub.world.truths.breach
    outcome = handled(hub, supervisor, breach.ticket)
    assert (outcome.route, outcome.status, outcome.lang) == ("service", "waiting", "zh")
    assert outcome.decision is not None and outcome.decision.action == "escalate"
    assert [d.tool for d in outcome.done] == ["escalate_to_person", "create_work_order"]
    assert outcome.pending is not None
    assert outcome.pending.args["params"] == {
        "amount": breach.amount,
        "clause": breach.clause,
        "contract": breach.contract,
    }
    assert breach.complaint_event in outcome.evidence
    cited = [hub.tools.retriever.get(context(), i).document_id for i in outcome.evidence if i.startswith("passage_")]
    assert breach.document in cited
    assert "总监" in outcome.reply and "144" not in outcome.reply
    after = supervisor.approve(ADMIN, outcome.pending.id, "approve")
    assert "144" in after.reply and f"第 {breach.clause} 条" in after.reply


@pytest.mark.parametrize(
    ("text", "article", "word"),
    [
        ("会员积分多久过期,能换什么?", "faq-points-zh", "两年"),
        ("How often should I descale the espresso machine?", "faq-descale-en", "descaling"),
    ],
)
def test_a_question_is_answered_from_an_article_that_is_named(
    hub: AgentWorld, supervisor: Supervisor, text: str, article: str, word: str
) -> None:
    outcome = supervisor.handle_ticket(context(), TicketIn(id=f"faq-{article}", text=text))
    assert (outcome.route, outcome.status) == ("faq", "replied")
    found = hub.tools.retriever.get(context(), outcome.evidence[0])
    assert found.document_id == article
    assert word in outcome.reply and found.title in outcome.reply


def test_a_question_that_no_article_answers_goes_to_a_person_with_what_is_missing(supervisor: Supervisor) -> None:
    text = "你们公司打算什么时候上市,能买到原始股吗?"
    outcome = supervisor.handle_ticket(context(), TicketIn(id="faq-none", text=text))
    assert outcome.status == "handed_over"
    task = next(d for d in outcome.done if d.tool == "escalate_to_person")
    assert "上市" in task.args["summary"]


@pytest.mark.parametrize(
    "text",
    [
        "昨天在徐家汇店热咖啡洒出来把我女儿的手烫伤了,请你们负责人立刻联系我,否则我找律师。",
        "I've been going round in circles with your chatbot. Put me through to a human being, please.",
    ],
)
def test_injuries_law_and_the_wish_for_a_person_go_to_a_person(supervisor: Supervisor, text: str) -> None:
    outcome = supervisor.handle_ticket(context(), TicketIn(id=f"person-{text[:8]}", text=text))
    assert (outcome.route, outcome.status) == ("person", "handed_over")
    assert outcome.decision is None and outcome.done[0].result["verdict"] == "delivered"


def test_a_customer_nobody_knows_is_handed_over_and_nothing_is_offered(supervisor: Supervisor) -> None:
    text = "We are comparing other suppliers and will probably leave at the end of the quarter."
    ticket = TicketIn(id="stranger", text=text, subject="customer/nobody")
    outcome = supervisor.handle_ticket(context(), ticket)
    assert outcome.status == "handed_over"
    assert [d.tool for d in outcome.done] == ["escalate_to_person"]
    assert outcome.decision is not None and outcome.decision.missing


def test_the_same_ticket_twice_is_handled_once(hub: AgentWorld, supervisor: Supervisor) -> None:
    leaver = hub.ticket(hub.world.truths.leaver_ticket)
    ticket = TicketIn(id="twice", text=leaver.text, subject=leaver.customer)
    first = supervisor.handle_ticket(context(), ticket)
    again = supervisor.handle_ticket(context(), ticket)
    assert again == first
    decisions = [d.result["decision"] for d in first.done]
    assert len(decisions) == len(set(decisions))


def test_a_service_matter_of_one_without_the_service_purpose_still_reaches_a_person(supervisor: Supervisor) -> None:
    events = list(supervisor.chat(STRATEGIST, "marketing-complaint", "我的咖啡机又坏了，漏水了", "customer/c0001"))
    outcome = TicketOutcome.model_validate(events[-1].data)
    assert (outcome.route, outcome.status) == ("service", "handed_over")
    assert outcome.done[-1].result["verdict"] == "delivered"


def test_personal_data_is_masked_before_anything_is_kept(hub: AgentWorld, supervisor: Supervisor) -> None:
    ticket = TicketIn(id="masked", text="请转人工,我的手机是13800138000。")
    supervisor.handle_ticket(context(), ticket)
    supervisor._checkpoints.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = (hub.folder / "tickets.db").read_bytes()
    assert b"13800138000" not in kept


def test_an_empty_ticket_is_refused(supervisor: Supervisor) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        supervisor.handle_ticket(context(), TicketIn(id="empty", text=" \n "))


def test_a_ticket_of_a_megabyte_is_refused_with_the_limit(supervisor: Supervisor) -> None:
    with pytest.raises(TooLarge, match="20000"):
        supervisor.handle_ticket(context(), TicketIn(id="big", text="x" * 1_000_000))
