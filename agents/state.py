"""The state of one conversation as it is checkpointed: plain data and messages only, so that a strict reader can bring
it back after a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from langchain_core.messages import AnyMessage

from agents.budget import Budget
from agents.schemas import ChatEvent
from core.context import Purpose, RequestContext, Role
from core.ids import TenantId
from tools import Scope

Emit = Callable[[ChatEvent], None]


class Turn(TypedDict):
    """The message being handled. `text` is masked before it is stored; the raw text is never checkpointed."""

    kind: str
    id: str
    number: int
    text: str
    lang: str
    subject: str | None


class Proposal(TypedDict):
    """An act of the decision that is still to be done; `call` is its idempotency key within the thread."""

    call: str
    tool: str
    args: dict[str, Any]


class HubState(TypedDict, total=False):
    owner: dict[str, str]
    turn: Turn
    case: dict[str, Any]
    routing: dict[str, Any] | None
    route: str
    work: list[AnyMessage]
    decision: dict[str, Any] | None
    problems: list[str]
    repairs: int
    queue: list[Proposal]
    done: list[dict[str, Any]]
    pending: str | None
    verdict: str | None
    focus: dict[str, Any]
    history: list[dict[str, str]]
    trouble: list[str]
    status: str
    reply: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run needs and a checkpoint must not hold: where events go, what may be spent, what may be touched."""

    emit: Emit
    budget: Budget
    scope: Scope | None = None


def write_context(ctx: RequestContext) -> dict[str, str]:
    return {
        "tenant": ctx.tenant,
        "actor": ctx.actor,
        "role": str(ctx.role),
        "purpose": str(ctx.purpose),
        "lang": ctx.lang,
        "request_id": ctx.request_id,
    }


def read_context(owner: dict[str, str]) -> RequestContext:
    """Who the conversation belongs to; its acts are theirs, whoever approved them."""
    return RequestContext(
        TenantId(owner["tenant"]),
        owner["actor"],
        Role(owner["role"]),
        Purpose(owner["purpose"]),
        "zh" if owner["lang"] == "zh" else "en",
        owner["request_id"],
    )
