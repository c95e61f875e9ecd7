"""Approvals: who may answer, what an edit may change, expiry, new input, and going on after a restart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from sqlmodel import select

from agents.schemas import TicketIn, TicketOutcome
from agents.supervisor import Supervisor
from agents.tables import Approval, ApprovalState
from core.audit import AuditRow
from core.context import Purpose, Role
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.times import DAY
from strategy.delivery.tables import OutboxRow
from tests.agentworld import ADMIN, AgentWorld, context

_numbers = itertools.count()


@pytest.fixture
def supervisor(hub: AgentWorld) -> Iterator[Supervisor]:
    made = hub.supervisor("approvals")
    yield made
    made.close()
    hub.clock.set(hub.world.anchor)


def waiting(hub: AgentWorld, supervisor: Supervisor) -> TicketOutcome:
    """A renewal whose 8% need an approval."""
    ticket = hub.ticket(hub.world.truths.renewer_ticket)
    given = TicketIn(id=f"approval-{next(_numbers)}", text=ticket.text, subject=ticket.customer)
    outcome = supervisor.handle_ticket(context(), given)
    assert outcome.status == "waiting" and outcome.pending is not None
    return outcome


def pending_id(outcome: TicketOutcome) -> str:
    assert outcome.pending is not None
    return outcome.pending.id


def messages_of(hub: AgentWorld, outcome: TicketOutcome) -> list[OutboxRow]:
    decisions = {d.result.get("decision") for d in outcome.done}
    with hub.db.reading() as session:
        return [row for row in session.exec(select(OutboxRow)).all() if row.decision in decisions]


def test_nothing_goes_out_before_the_approval_and_once_after_it(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    assert outcome.done == []
    after = supervisor.approve(ADMIN, pending_id(outcome), "approve")
    sent = messages_of(hub, after)
    assert [m.payload["action"] for m in sent] == ["renewal_offer"]
    assert sent[0].payload["params"]["percent"] == 8.0


def test_a_restart_in_the_middle_of_an_approval_loses_nothing(hub: AgentWorld) -> None:
    before = hub.supervisor("restart")
    outcome = waiting(hub, before)
    before.close()
    after_restart = hub.supervisor("restart")
    again = after_restart.outcome(context(), outcome.thread)
    assert again == outcome
    done = after_restart.approve(ADMIN, pending_id(outcome), "approve")
    assert done.status == "replied" and len(messages_of(hub, done)) == 1
    after_restart.close()


def test_an_answer_given_just_before_a_stop_is_gone_on_with_by_the_sweep(hub: AgentWorld) -> None:
    before = hub.supervisor("stopped")
    outcome = waiting(hub, before)
    row = before._nodes.approvals.get(ADMIN, pending_id(outcome))
    scope = before._nodes.scope(before._state(ADMIN, row.thread))
    before._nodes.approvals.answer(ADMIN, row, "approve", None, None, scope)
    before.close()
    later = hub.supervisor("stopped")
    assert later.outcome(context(), outcome.thread).done == []
    assert later.sweep(ADMIN) >= 1
    done = later.outcome(context(), outcome.thread)
    assert done.status == "replied" and len(messages_of(hub, done)) == 1
    later.close()


def test_an_edit_changes_arguments_within_limits_and_is_what_goes_out(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    edited = {"action": "renewal_offer", "params": {"percent": 6.0, "years": 1}}
    done = supervisor.approve(ADMIN, pending_id(outcome), "approve", edited_args=edited)
    assert messages_of(hub, done)[0].payload["params"] == {"percent": 6.0, "years": 1}
    row = supervisor._nodes.approvals.get(ADMIN, pending_id(outcome))
    assert row.asked_args["params"]["percent"] == 8.0 and row.args["params"]["percent"] == 6.0
    assert "6" in done.reply and "8%" not in done.reply


def test_an_unchanged_approval_sends_the_drafted_reply(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    done = supervisor.approve(ADMIN, pending_id(outcome), "approve")
    assert outcome.decision is not None and done.reply == outcome.decision.reply


@pytest.mark.parametrize(
    "edited",
    [
        {"tool": "create_work_order", "args": {"title": "something else"}},
        {"title": "a work order instead", "priority": "high"},
        {"action": "renewal_offer", "params": {"percent": 8.5}},
        {"action": "upgrade_tier", "params": {}},
        {"action": "no_such_action", "params": {}},
    ],
)
def test_an_edit_cannot_change_the_tool_or_pass_a_limit(
    hub: AgentWorld, supervisor: Supervisor, edited: dict[str, object]
) -> None:
    outcome = waiting(hub, supervisor)
    with pytest.raises(InvalidInput):
        supervisor.approve(ADMIN, pending_id(outcome), "approve", edited_args=edited)
    assert supervisor.outcome(ADMIN, outcome.thread).status == "waiting"


def test_a_rejection_hands_the_case_to_a_person_and_sends_nothing(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    after = supervisor.approve(ADMIN, pending_id(outcome), "reject", note="not this one")
    assert after.status == "handed_over"
    assert [d.tool for d in after.done] == ["escalate_to_person"]
    assert "8%" not in after.reply


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EVALUATOR, Role.SERVICE_AGENT])
def test_a_role_that_is_not_named_may_not_answer(hub: AgentWorld, supervisor: Supervisor, role: Role) -> None:
    outcome = waiting(hub, supervisor)
    purpose = Purpose.ANALYTICS if role != Role.SERVICE_AGENT else Purpose.SERVICE
    with pytest.raises(Forbidden):
        supervisor.approve(context(role, purpose), pending_id(outcome), "approve")


def test_the_customer_may_not_answer_whatever_the_role(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    customer = context(Role.ADMIN, Purpose.OPERATIONS, actor=hub.world.truths.renewer)
    with pytest.raises(Forbidden):
        supervisor.approve(customer, pending_id(outcome), "approve")


def test_an_answer_counts_once(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    supervisor.approve(ADMIN, pending_id(outcome), "approve")
    with pytest.raises(Conflict):
        supervisor.approve(ADMIN, pending_id(outcome), "reject")


def test_an_expired_approval_cannot_be_given_and_a_person_takes_over(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    hub.clock.advance(DAY)
    with pytest.raises(Conflict, match="expired"):
        supervisor.approve(ADMIN, pending_id(outcome), "approve")
    after = supervisor.outcome(ADMIN, outcome.thread)
    assert after.status == "handed_over"
    assert supervisor._nodes.approvals.get(ADMIN, pending_id(outcome)).state == ApprovalState.EXPIRED


def test_what_is_asked_answered_and_by_whom_is_audited(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    supervisor.approve(ADMIN, pending_id(outcome), "approve")
    with hub.db.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.target == pending_id(outcome))).all()
        kept = session.exec(select(Approval).where(Approval.id == pending_id(outcome))).one()
    assert [(r.action, r.actor) for r in rows] == [("approval.ask", "agent-1"), ("approval.approve", "owner")]
    assert rows[0].detail["args_hash"] == kept.args_hash
    assert kept.policy_version == "limits@1" and kept.decided_role == "admin"


def test_an_unknown_approval_is_not_found(supervisor: Supervisor) -> None:
    with pytest.raises(NotFound):
        supervisor.approve(ADMIN, "apr_none", "approve")


def test_pending_approvals_are_listed_for_those_who_may_read_them(hub: AgentWorld, supervisor: Supervisor) -> None:
    outcome = waiting(hub, supervisor)
    assert pending_id(outcome) in [a.id for a in supervisor.approvals(ADMIN)]
    with pytest.raises(Forbidden):
        supervisor.approvals(context(Role.VIEWER, Purpose.ANALYTICS))
