"""The specialists: what each may read, propose and decide, and for which purpose; each built with `create_agent`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models.chat_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

import prompts
from agents.decision import (
    ChurnDecision,
    Decision,
    FaqDecision,
    RenewalDecision,
    Route,
    ServiceDecision,
    StrategistDecision,
)
from agents.state import RunContext
from agents.toolbelt import BudgetGuard, describe, offered
from core.context import Purpose
from core.text import Lang
from tools.limits import limits

_READS = (
    *("customer_profile", "contracts", "recent_events", "open_complaints", "property_over_time", "next_actions"),
    "search_tickets_and_transcripts",
)
_ACTS = ("send_action", "create_work_order", "escalate_to_person")

UNPROVEN = frozenset({"hand_over", "ask", "asked", "refused"})
"""Actions that may come without evidence: they say that there is none, or ask for it."""


@dataclass(frozen=True)
class Specialist:
    """One desk. `purpose` is what its data is used for (None: what the request is for);
    `to_customer`: its replies go to customers, so they are checked for promises."""

    route: Route
    decision: type[Decision]
    reads: tuple[str, ...]
    acts: tuple[str, ...]
    purpose: Purpose | None
    to_customer: bool = True

    @cached_property
    def actions(self) -> tuple[str, ...]:
        schema = self.decision.model_json_schema()["properties"]["action"]
        return tuple(schema.get("enum") or [schema["const"]])

    def system_prompt(self, lang: Lang) -> str:
        decision = prompts.load("decision", lang).fill(
            actions=", ".join(self.actions), tools=describe(self.acts, lang), limits=_limits_of(self.acts)
        )
        return prompts.load(self.route, lang).fill(rules=prompts.load("rules", lang).fill(), decision=decision)


SPECIALISTS: dict[str, Specialist] = {
    s.route: s
    for s in (
        Specialist("churn", ChurnDecision, (*_READS, "search_knowledge"), _ACTS, Purpose.RETENTION),
        Specialist("renewal", RenewalDecision, (*_READS, "search_knowledge"), _ACTS, Purpose.RETENTION),
        Specialist("service", ServiceDecision, (*_READS, "contract_terms", "search_knowledge"), _ACTS, Purpose.SERVICE),
        Specialist("faq", FaqDecision, ("search_knowledge",), ("escalate_to_person",), Purpose.SERVICE),
        Specialist(
            "strategist",
            StrategistDecision,
            (
                "draft_strategy",
                "refine_strategy",
                "compare_strategy",
                "rehearse_strategy",
                "strategy_results",
                "show_strategy",
            ),
            ("start_strategy", "escalate_to_person"),
            None,
            to_customer=False,
        ),
    )
}

Agent = CompiledStateGraph[Any, RunContext, Any, Any]


class Desks:
    """The specialists' agents for one chat model, made when first needed.

    They have no checkpoints of their own: inside them nothing leaves the hub, so a turn that was cut off is taken up
    again at the specialist, and what is done and approved happens in the supervisor's graph, which is checkpointed.
    """

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model
        self._made: dict[tuple[str, Lang], Agent] = {}

    def agent(self, route: str, lang: Lang) -> Agent:
        if (route, lang) not in self._made:
            desk = SPECIALISTS[route]
            made: Any = create_agent(
                self._model,
                offered(desk.reads, lang),
                system_prompt=desk.system_prompt(lang),
                middleware=[BudgetGuard()],
                response_format=ToolStrategy(desk.decision),
                context_schema=RunContext,
                checkpointer=False,
                name=route,
            )
            self._made[(route, lang)] = made
        return self._made[(route, lang)]


def _limits_of(acts: tuple[str, ...]) -> str:
    """The limits in the model's prompt; the guard holds them whatever the model makes of this."""
    said = []
    if "send_action" in acts:
        said += [
            f"{action}: " + (", ".join(f"{n} ≤ {b.most:g}" for n, b in bounds.items()) or "-")
            for action, bounds in limits().offers.items()
        ]
    if "start_strategy" in acts:
        said.append(f"start_strategy: percent ≤ {limits().start_percent:g}")
    return "; ".join(said) or "-"
