"""What the guard lets pass and what it stops, on decisions made by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agents import guard
from agents.decision import RenewalDecision
from agents.specialists import SPECIALISTS
from core.context import Purpose
from core.text import Lang
from tests.agentworld import AgentWorld, context
from tools import Scope

DESK = SPECIALISTS["renewal"]


@pytest.fixture
def scope(hub: AgentWorld) -> Scope:
    ctx = context(purpose=Purpose.RETENTION)
    return Scope(hub.tools, ctx, "guard", hub.world.truths.renewer, frozenset(DESK.reads), message_id="t-1")


def seen(tool: str, data: Any, *evidence: str) -> list[BaseMessage]:
    """A conversation in which a tool returned this."""
    call = {"name": tool, "args": {}, "id": f"call-{tool}", "type": "tool_call"}
    content = json.dumps({"ok": True, "data": data, "evidence": list(evidence)})
    return [AIMessage(content="", tool_calls=[call]), ToolMessage(content, tool_call_id=f"call-{tool}")]


def decided(**changes: Any) -> RenewalDecision:
    given = {"action": "confirm_terms", "reasons": ["r"], "confidence": 0.5, "reply": "Fine.", "evidence": ["t-1"]}
    return RenewalDecision.model_validate({**given, **changes})


def a_fact(hub: AgentWorld, scope: Scope) -> str:
    return hub.tools.graph.profile(scope.ctx, hub.world.truths.renewer).values["tier"].id


def test_evidence_that_exists_and_was_shown_passes(hub: AgentWorld, scope: Scope) -> None:
    fact = a_fact(hub, scope)
    assert guard.check(scope, DESK, decided(evidence=[fact]), seen("customer_profile", {}, fact)) == []


def test_evidence_that_exists_but_was_not_shown_in_this_case_is_stopped(hub: AgentWorld, scope: Scope) -> None:
    problems = guard.check(scope, DESK, decided(evidence=[a_fact(hub, scope)]), [])
    assert len(problems) == 1 and "not returned by any tool" in problems[0]


def test_evidence_that_a_tool_result_only_claims_is_stopped(scope: Scope) -> None:
    problems = guard.check(scope, DESK, decided(evidence=["fact_none"]), seen("contracts", {}, "fact_none"))
    assert problems == ["evidence: 'fact_none' does not exist"]


def test_a_decision_without_evidence_passes_only_when_it_says_that_there_is_none(scope: Scope) -> None:
    assert guard.check(scope, DESK, decided(evidence=[]), []) != []
    assert guard.check(scope, DESK, decided(evidence=[], action="hand_over"), []) == []


@pytest.mark.parametrize(
    "reply",
    [
        "We give you 30% off.",
        "We will refund CNY 10,000.",
        "You will receive ¥500 today.",
        "We pay 200 yuan.",
        "30 percent, agreed.",
    ],
)
def test_a_promise_that_no_act_gives_is_stopped(scope: Scope, reply: str) -> None:
    assert any("promises" in p for p in guard.check(scope, DESK, decided(reply=reply), []))


def test_a_promise_hidden_in_a_message_to_the_customer_is_stopped(scope: Scope) -> None:
    params = {"percent": 3, "message": "and CNY 9,999 in cash"}
    act = {"tool": "send_action", "args": {"action": "renewal_offer", "params": params}}
    assert any("9,999" in p for p in guard.check(scope, DESK, decided(actions=[act]), []))


def test_an_amount_that_only_the_customer_named_is_no_ground_for_a_promise(scope: Scope) -> None:
    earlier = seen("search_tickets_and_transcripts", {"passages": [{"text": "give me 5000 yuan"}]})
    assert guard.check(scope, DESK, decided(reply="You get 5000 yuan."), earlier) != []
    recorded = seen("contracts", {"annual_fee": 5000})
    assert guard.check(scope, DESK, decided(reply="The fee is 5000 yuan."), recorded) == []


@pytest.mark.parametrize(
    ("reply", "percent"),
    [
        ("给您9折优惠。", 10),
        ("给您九折优惠。", 10),
        ("给您95折优惠。", 5),
        ("给您九五折优惠。", 5),
        ("为您让利一成。", 10),
        ("优惠百分之十。", 10),
        ("We can do ten percent.", 10),
    ],
)
def test_a_discount_in_words_is_read_as_the_percentage_it_means(hub: AgentWorld, reply: str, percent: int) -> None:
    ctx = context(purpose=Purpose.RETENTION, lang="en" if reply.isascii() else "zh")
    scope = Scope(hub.tools, ctx, "guard", hub.world.truths.renewer, frozenset(DESK.reads), message_id="t-1")
    act = {"tool": "send_action", "args": {"action": "exclusive_offer", "params": {"percent": percent}}}
    assert guard.check(scope, DESK, decided(reply=reply, actions=[act]), []) == []
    assert any("promises" in p for p in guard.check(scope, DESK, decided(reply=reply), []))


@pytest.mark.parametrize("reply", ["为您退款一万元。", "赔您1万。", "We refund ten thousand yuan.", "补偿两千元"])
def test_an_amount_in_words_is_a_promise_too(scope: Scope, reply: str) -> None:
    assert any("promises" in p for p in guard.check(scope, DESK, decided(reply=reply), []))


@pytest.mark.parametrize(
    ("act", "objection"),
    [
        ({"tool": "drop_tables", "args": {}}, "not one of"),
        ({"tool": "send_action", "args": {"action": "renewal_ofer", "params": {}}}, "renewal_offer"),
        (
            {"tool": "send_action", "args": {"action": "renewal_offer", "params": {"percent": 9}}},
            "above the limit of 8",
        ),
        ({"tool": "send_action", "args": {"action": "renewal_offer", "params": {"percent": -1}}}, "above the limit"),
        ({"tool": "send_action", "args": {"action": "renewal_offer", "params": {"cash": 50}}}, "no number cash"),
        ({"tool": "send_action", "args": {"action": "upgrade_tier", "params": {}}}, "may not take the action"),
        ({"tool": "escalate_to_person", "args": {"to": "president", "summary": "x"}}, "argument to"),
    ],
)
def test_an_act_outside_rights_or_limits_is_stopped(scope: Scope, act: dict[str, Any], objection: str) -> None:
    problems = guard.check(scope, DESK, decided(actions=[act]), [])
    assert len(problems) == 1 and objection in problems[0]


def test_an_act_that_needs_an_approval_passes_the_guard(scope: Scope) -> None:
    act = {"tool": "send_action", "args": {"action": "renewal_offer", "params": {"percent": 8}}}
    assert guard.check(scope, DESK, decided(actions=[act]), []) == []


@pytest.mark.parametrize(("lang", "reply"), [("zh", "All right."), ("en", "好的,我们会尽快处理。")])
def test_a_reply_in_the_wrong_language_is_stopped(hub: AgentWorld, lang: Lang, reply: str) -> None:
    scope = Scope(hub.tools, context(lang=lang), "guard", None, message_id="t-1")
    assert any("must be in" in p for p in guard.check(scope, DESK, decided(reply=reply), []))
