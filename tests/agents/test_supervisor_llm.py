"""The supervisor with a language model, through the real client against a scripted server: the same path as the
playbook's, with everything that can go wrong on the way."""

from __future__ import annotations

from typing import Any

from agents.models.resilient import ModelSettings
from agents.schemas import TicketIn, TicketOutcome
from tests.agentworld import AgentWorld, context
from tests.llmock import Body, LlMock, Reply, Step, serve, tool_results

RENEWAL = Reply(calls=[("Routing", {"route": "renewal", "confidence": 0.9, "why": "asks for a quote"})])
READ = Reply(calls=[("customer_profile", {}), ("contracts", {})])
TEXT = "We would like to renew for another year, please send a renewal quote."


def offer(body: Body) -> Reply:
    """A good decision, made from what the tools returned."""
    contract = tool_results(body)["contracts"]["data"]["current"]
    end = contract["attributes"]["end_date"]
    params = {"percent": 4, "years": 1}
    decision = {
        "action": "offer_renewal",
        "reasons": [f"the agreement ends on {end['value']}"],
        "evidence": [end["evidence"]],
        "confidence": 0.8,
        "missing": [],
        "reply": f"Your agreement ends on {end['value']}; we can renew it with 4% off.",
        "actions": [{"tool": "send_action", "args": {"action": "renewal_offer", "params": params}}],
    }
    return Reply(calls=[("RenewalDecision", decision)])


def ask(hub: AgentWorld, name: str, *script: Step, **settings: Any) -> tuple[TicketOutcome, LlMock]:
    with serve(*script) as mock:
        model = ModelSettings(base_url=mock.url, model="scripted", longest_wait=0.05, **settings)
        supervisor = hub.supervisor("llm", model)
        ticket = TicketIn(id=f"llm-{name}", text=TEXT, subject=hub.world.truths.renewer)
        outcome = supervisor.handle_ticket(context(), ticket)
        supervisor.close()
    return outcome, mock


def test_a_model_reads_decides_and_answers(hub: AgentWorld) -> None:
    outcome, mock = ask(hub, "good", RENEWAL, READ, offer)
    assert (outcome.route, outcome.status, outcome.trouble) == ("renewal", "replied", [])
    assert outcome.models == ["scripted"]
    assert outcome.done[0].result["verdict"] == "delivered" and "4% off" in outcome.reply
    assert len(mock.requests) == 3


def test_the_model_is_told_its_rules_and_given_the_letter_as_data(hub: AgentWorld) -> None:
    _, mock = ask(hub, "told", RENEWAL, READ, offer)
    router, specialist = mock.requests[0], mock.requests[1]
    assert router["messages"][0]["role"] == "system" and "<data>" in router["messages"][1]["content"]
    assert router["parallel_tool_calls"] is False
    offered = {t["function"]["name"] for t in specialist["tools"]}
    assert "RenewalDecision" in offered and "send_action" not in offered
    assert "renewal_offer: percent ≤ 15" in specialist["messages"][0]["content"]


def test_a_cut_stream_is_asked_for_again(hub: AgentWorld) -> None:
    outcome, mock = ask(hub, "cut", RENEWAL, Reply(calls=[("contracts", {})], cut=True), READ, offer)
    assert outcome.status == "replied" and outcome.models == ["scripted"]
    assert len(mock.requests) == 4


def test_broken_arguments_are_asked_for_again(hub: AgentWorld) -> None:
    broken = Reply(calls=[("RenewalDecision", '{"action": "offer_rene')])
    outcome, _ = ask(hub, "broken", RENEWAL, READ, broken, offer)
    assert outcome.status == "replied" and outcome.models == ["scripted"]


def test_a_rate_limit_is_waited_for_when_it_is_short(hub: AgentWorld) -> None:
    limited = Reply(status=429, headers={"retry-after": "0.02"})
    outcome, _ = ask(hub, "limited", limited, RENEWAL, READ, limited, offer)
    assert outcome.status == "replied" and outcome.models == ["scripted"]


def test_the_playbook_goes_on_in_the_middle_when_the_endpoint_fails(hub: AgentWorld) -> None:
    outcome, _ = ask(hub, "middle", RENEWAL, READ, Reply(status=500), Reply(status=500))
    assert outcome.status == "replied" and outcome.models == ["playbook", "scripted"]
    assert outcome.decision is not None and outcome.decision.action == "offer_renewal"
    assert "renewal: broken" in outcome.trouble


def test_with_the_breaker_open_tickets_are_still_answered_without_asking_the_endpoint(hub: AgentWorld) -> None:
    with serve(*[Reply(status=500)] * 8) as mock:
        model = ModelSettings(base_url=mock.url, model="scripted", attempts=1, failures=2)
        supervisor = hub.supervisor("open", model)
        for name in ("a", "b"):
            ticket = TicketIn(id=f"open-{name}", text=TEXT, subject=hub.world.truths.renewer)
            outcome = supervisor.handle_ticket(context(), ticket)
            assert outcome.status == "replied" and outcome.models == ["playbook"]
        supervisor.close()
        assert len(mock.requests) == 2
    assert "router: open" in outcome.trouble


def test_an_endpoint_that_is_not_there_does_not_stop_the_hub(hub: AgentWorld) -> None:
    with serve() as mock:
        gone = mock.url
    supervisor = hub.supervisor("gone", ModelSettings(base_url=gone, model="scripted", timeout=2))
    outcome = supervisor.handle_ticket(context(), TicketIn(id="gone", text=TEXT, subject=hub.world.truths.renewer))
    supervisor.close()
    assert outcome.status == "replied" and "router: unreachable" in outcome.trouble


def test_a_decision_that_is_refused_is_repaired_once(hub: AgentWorld) -> None:
    def too_much(body: Body) -> Reply:
        (name, decision), *_ = offer(body).calls
        decision["actions"][0]["args"]["params"]["percent"] = 40
        decision["reply"] = decision["reply"].replace("4%", "40%")
        return Reply(calls=[(name, decision)])

    outcome, mock = ask(hub, "repaired", RENEWAL, READ, too_much, offer)
    assert outcome.status == "replied" and outcome.done[0].args["params"]["percent"] == 4
    assert any("above the limit of 8" in t for t in outcome.trouble)
    assert "above the limit of 8" in mock.requests[-1]["messages"][-1]["content"]


def test_a_model_that_only_talks_ends_with_a_person(hub: AgentWorld) -> None:
    talk = Reply(text="I would rather not decide.")
    outcome, _ = ask(hub, "talks", RENEWAL, talk, talk)
    assert outcome.status == "handed_over" and outcome.decision is None


def test_a_model_that_never_ends_spends_its_budget_and_a_person_takes_over(hub: AgentWorld) -> None:
    outcome, mock = ask(hub, "endless", RENEWAL, *[READ] * 20)
    assert outcome.status == "handed_over"
    assert len(mock.requests) <= 9
    assert [d.tool for d in outcome.done] == ["escalate_to_person"]


def test_a_router_that_names_two_desks_is_not_believed(hub: AgentWorld) -> None:
    churn = ("Routing", {"route": "churn", "confidence": 0.5, "why": "?"})
    outcome, _ = ask(hub, "two", Reply(calls=[*RENEWAL.calls, churn]), READ, offer)
    assert outcome.route == "renewal" and "router: no usable answer" in outcome.trouble


def test_a_tool_that_is_called_wrongly_says_how_and_may_be_called_again(hub: AgentWorld) -> None:
    wrong = Reply(calls=[("recent_events", {"days": -3})])
    outcome, mock = ask(hub, "wrong", RENEWAL, wrong, READ, offer)
    told = tool_results(mock.requests[2])["recent_events"]
    assert told["ok"] is False and told["error"]["kind"] == "retry" and "days" in told["error"]["message"]
    assert outcome.status == "replied"
