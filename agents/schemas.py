"""What goes into the supervisor and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.decision import Decision, Route, Routing
from agents.models.resilient import ModelSettings
from agents.tables import Approval
from core.text import Lang
from core.times import Micros, format_time
from tools import ToolDeps

if TYPE_CHECKING:
    from knowledge.parse import TextMeaning

MAX_TEXT = 20_000
"""Characters of one message; more is refused, not cut, so that nothing is silently left out."""


@dataclass(frozen=True, slots=True)
class AgentDeps:
    """What the supervisor stands on. `checkpoints` is the file of the conversations' states, apart from the store."""

    tools: ToolDeps
    read_text: Callable[[str], TextMeaning]
    checkpoints: Path
    model: ModelSettings = field(default_factory=ModelSettings)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class TicketIn(_Part):
    """A message that came in. The same `id` twice is the same ticket: the second gets the first one's outcome."""

    id: str = Field(min_length=1, max_length=200)
    text: str
    subject: str | None = Field(default=None, description="the customer who wrote, such as customer/c1")


class ApprovalView(_Part):
    """An approval as people see it; times are RFC 3339."""

    id: str
    thread: str
    route: str
    subject: str | None
    tool: str
    args: dict[str, Any]
    reasons: list[str]
    evidence: list[str]
    roles: list[str]
    state: str
    policy_version: str
    requested_by: str
    requested_at: str
    expires_at: str
    decided_by: str | None = None
    note: str | None = None

    @classmethod
    def of(cls, row: Approval) -> ApprovalView:
        told = {name: getattr(row, name) for name in cls.model_fields if not name.endswith("_at")}
        return cls(
            **told,
            requested_at=format_time(Micros(row.requested_at)),
            expires_at=format_time(Micros(row.expires_at)),
        )


class Done(_Part):
    """An act that was carried out: the tool, its arguments, and what it returned (a decision id with its `why`)."""

    tool: str
    args: dict[str, Any]
    result: dict[str, Any]


class TicketOutcome(_Part):
    """What became of a message.

    `status`: replied; waiting (for the approval in `pending`); handed_over (a person has a task with the summary).
    `reply` is what the customer is told now; while waiting it is a holding reply and `decision.reply` the drafted one.
    `models` are those that answered; `trouble` says what fell back or was rejected on the way.
    """

    id: str
    thread: str
    lang: Lang
    status: Literal["replied", "waiting", "handed_over"]
    route: Route
    routing: Routing | None
    decision: Decision | None
    reply: str
    evidence: list[str]
    pending: ApprovalView | None = None
    done: list[Done] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    trouble: list[str] = Field(default_factory=list)


ChatEventType = Literal[
    "routed", "tool_started", "tool_finished", "decision", "approval_requested", "text", "error", "done"
]


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """One event of a chat turn, ready for SSE.

    routed: route, confidence, why. tool_started / tool_finished: tool (and ok). decision: the Decision.
    approval_requested: the ApprovalView. text: text, shown only after the guard passed it. error: code, message.
    done: the TicketOutcome; always the last one.
    """

    type: ChatEventType
    data: dict[str, Any]
