"""Runs of the supervisor: one at a time in a conversation, finished after a stop in the middle, within a budget."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from agents.budget import Budget, BudgetSpent
from agents.nodes import Nodes
from agents.schemas import TicketIn
from agents.state import HubState, RunContext
from agents.supervisor import Supervisor
from core.errors import NotFound
from tests.agentworld import STRATEGIST, AgentWorld, context

TEXT = "We would like to renew for another year, please send a renewal quote."


class Stop(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("step", ["route", "specialist", "guard", "act", "reply"])
def test_a_ticket_cut_off_at_any_step_is_finished_when_it_is_handed_in_again(
    hub: AgentWorld, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ticket = TicketIn(id=f"cut-{step}", text=TEXT, subject=hub.world.truths.renewer)

    def stopped(*_args: Any) -> None:
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(Nodes, step, stopped)
        before = hub.supervisor(f"cut-{step}")
        with pytest.raises(Stop):
            before.handle_ticket(context(), ticket)
        before.close()
    after = hub.supervisor(f"cut-{step}")
    outcome = after.handle_ticket(context(), ticket)
    after.close()
    assert outcome.status == "replied"
    assert [d.tool for d in outcome.done] == ["send_action"]


def test_an_act_repeated_after_a_stop_goes_out_once(hub: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = TicketIn(id="acted-twice", text=TEXT, subject=hub.world.truths.renewer)
    real = Nodes.act
    first: list[Any] = []

    def act_then_stop(self: Nodes, state: HubState, runtime: Runtime[RunContext]) -> Any:
        first.append(real(self, state, runtime))
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(Nodes, "act", act_then_stop)
        before = hub.supervisor("acted")
        with pytest.raises(Stop):
            before.handle_ticket(context(), ticket)
        before.close()
    after = hub.supervisor("acted")
    outcome = after.handle_ticket(context(), ticket)
    after.close()
    assert outcome.done[0].result["decision"] == first[0]["done"][0]["result"]["decision"]


def test_two_at_once_on_one_conversation_wait_for_each_other(hub: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    real = Nodes.specialist
    guard = threading.Lock()

    def counted(self: Nodes, state: HubState, runtime: Runtime[RunContext]) -> Any:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        try:
            return real(self, state, runtime)
        finally:
            with guard:
                running -= 1

    monkeypatch.setattr(Nodes, "specialist", counted)
    supervisor = hub.supervisor("locked")
    ticket = TicketIn(id="both", text=TEXT, subject=hub.world.truths.renewer)
    outcomes: list[Any] = []

    def hand_in() -> None:
        outcomes.append(supervisor.handle_ticket(context(), ticket))

    threads = [threading.Thread(target=hand_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    supervisor.close()
    assert most == 1 and len(outcomes) == 4 and all(o == outcomes[0] for o in outcomes)


def test_a_reader_that_goes_away_does_not_stop_the_turn(hub: AgentWorld) -> None:
    supervisor = hub.supervisor("left")
    events = supervisor.chat(STRATEGIST, "left", "客户30天内登录少于2次,就安排外呼")
    next(events)
    events.close()  # type: ignore[attr-defined]  # chat is a generator behind its Iterator type
    assert supervisor.outcome(STRATEGIST, "left").status == "replied"
    supervisor.close()


def test_a_finished_conversation_keeps_its_newest_state_alone(hub: AgentWorld) -> None:
    supervisor = hub.supervisor("pruned")
    ticket = TicketIn(id="pruned", text=TEXT, subject=hub.world.truths.renewer)
    outcome = supervisor.handle_ticket(context(), ticket)
    kept = supervisor._checkpoints.conn.execute("SELECT count(*) FROM checkpoints").fetchone()
    assert kept == (1,) and supervisor.outcome(context(), outcome.thread) == outcome
    supervisor.close()


def test_an_unknown_conversation_is_not_found(hub: AgentWorld) -> None:
    supervisor: Supervisor = hub.supervisor("unknown")
    with pytest.raises(NotFound):
        supervisor.outcome(context(), "thread_none")
    supervisor.close()


def test_a_budget_counts_rounds_tools_and_tokens() -> None:
    budget = Budget(rounds=2, tool_calls=1, tokens=1_000)
    budget.spend_round([HumanMessage("hello")])
    budget.spend_tool_call()
    with pytest.raises(BudgetSpent, match="tool_calls"):
        budget.spend_tool_call()
    with pytest.raises(BudgetSpent, match="tokens"):
        budget.spend_round([HumanMessage("word " * 2_000)])
    with pytest.raises(BudgetSpent, match="rounds"):
        budget.spend_round([HumanMessage("hello")])
