"""What the router and the specialists end in: typed decisions, the same for the playbook and for a language model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Route = Literal["churn", "renewal", "service", "strategist", "faq", "person"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Routing(_Part):
    """Which desk takes the message."""

    route: Route
    confidence: float = Field(ge=0, le=1)
    why: str = Field(max_length=500)


class ProposedAction(_Part):
    """Something to be done once the decision has passed the guard and, where policy asks, an approval."""

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)


class Decision(_Part):
    """A specialist's decision.

    Args:
        action: the next best action, one of the specialist's own.
        reasons: one sentence each, with the observed value.
        evidence: ids of graph facts, events, documents and articles that the tools returned.
        confidence: 0 to 1.
        missing: what would have been needed and was not found.
        reply: what the customer (or the colleague, in a chat) is told, in their language.
        actions: what is to be done.
        interim: what the customer may be told while an approval is pending; empty: a neutral holding reply.
    """

    action: str
    reasons: list[str] = Field(min_length=1, max_length=10)
    evidence: list[str] = Field(default_factory=list, max_length=60)
    confidence: float = Field(ge=0, le=1)
    missing: list[str] = Field(default_factory=list, max_length=10)
    reply: str = Field(min_length=1, max_length=6_000)
    actions: list[ProposedAction] = Field(default_factory=list, max_length=4)
    interim: str = Field(default="", max_length=3_000)


class ChurnDecision(Decision):
    """The retention specialist's decision."""

    action: Literal["retain_offer", "fix_cause", "schedule_call", "hand_over"]


class RenewalDecision(Decision):
    """The renewal specialist's decision."""

    action: Literal["offer_renewal", "confirm_terms", "schedule_review", "hand_over"]


class ServiceDecision(Decision):
    """The service-escalation specialist's decision."""

    action: Literal["escalate", "dispatch", "answer", "ask", "hand_over"]


class FaqDecision(Decision):
    """The FAQ specialist's decision."""

    action: Literal["answer", "hand_over"]


class StrategistDecision(Decision):
    """The strategist's decision."""

    action: Literal["drafted", "refined", "showed", "asked", "refused", "start", "hand_over"]
