"""What a tool is: a name, typed arguments, an effect and a function that works inside a scope. The scope (who asks, for
which one customer, in which conversation) is set by the hub; no argument of any tool can widen it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import ZhongshuError
from core.ids import stable_id
from core.telemetry import span
from core.text import Text
from core.times import format_time
from knowledge.catalog import Catalog
from knowledge.governance import Policy
from knowledge.graph.port import GraphStore

if TYPE_CHECKING:
    from knowledge.retrieval import Retriever
    from strategy.cards import CardService
    from strategy.delivery.decider import Decider
    from strategy.service import StrategyService

Effect = Literal["read", "draft", "act"]
"""read: changes nothing. draft: changes nothing that runs or leaves the hub. act: reaches customers or colleagues."""


@dataclass(frozen=True, slots=True)
class ToolDeps:
    """The services that tools stand on."""

    graph: GraphStore
    retriever: Retriever
    strategies: StrategyService
    cards: CardService
    decider: Decider
    policy: Policy
    db: Database
    clock: Clock
    catalog: Callable[[RequestContext], Catalog]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one run may touch.

    Args:
        subject: the one customer it is about (`customer/c1`), or None when there is none.
        thread: the conversation; part of every effect's idempotency key.
        tools: the names of the tools this run may use.
        message_id: evidence id of the message itself, or None.
        approved: argument hashes that a person approved, for `act` tools.
        focus: the strategy draft the conversation is about, if any.
        call: the tool call that is being executed; part of an effect's idempotency key.
        evidence: what the act rests on, for the `why` of its decision row.
        seen: what tools of this scope already read, so that several of them read the contracts once.
    """

    deps: ToolDeps
    ctx: RequestContext
    thread: str
    subject: str | None = None
    tools: frozenset[str] = frozenset()
    message_id: str | None = None
    approved: frozenset[str] = frozenset()
    focus: dict[str, Any] = field(default_factory=dict)
    call: str = ""
    evidence: tuple[str, ...] = ()
    seen: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def customer(self) -> str:
        """The customer; a tool that needs one and has none fails."""
        if self.subject is None:
            raise ToolFailed(Text("这次对话没有指明客户", "this conversation is about no particular customer"))
        return self.subject


class ToolError(Exception):
    """Base: `text` is shown to people, its English to the model."""

    kind = "failed"

    def __init__(self, text: Text, *, nearest: Sequence[str] = (), where: dict[str, Any] | None = None) -> None:
        super().__init__(text.en)
        self.text = text
        self.nearest = list(nearest)
        self.where = dict(where or {})


class ToolRetry(ToolError):
    """The model may call again with other arguments."""

    kind = "retry"


class ToolFailed(ToolError):
    """Calling again will not help; the model goes on without."""


class ApprovalRequired(ToolError):
    """A person of one of `roles` has to approve these arguments first."""

    kind = "approval"

    def __init__(self, text: Text, roles: Sequence[str], expires: int, policy_version: str) -> None:
        super().__init__(text)
        self.roles = tuple(roles)
        self.expires = expires
        self.policy_version = policy_version


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found or did, as data, with the evidence ids a decision may cite."""

    data: dict[str, Any]
    evidence: tuple[str, ...] = ()

    def payload(self) -> dict[str, Any]:
        return {"ok": True, "data": self.data, "evidence": list(self.evidence)}


class Args(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoArgs(Args):
    """Nothing to say."""


A = TypeVar("A", bound=Args)


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    name: str
    effect: Effect
    args: type[A]
    run: Callable[[Scope, A], ToolResult]
    check: Callable[[Scope, A], None] | None = None

    def read_args(self, raw: dict[str, Any]) -> A:
        """
        Raises:
            ToolRetry: they do not fit; says which and why.
        """
        try:
            return self.args.model_validate(raw)
        except ValidationError as cause:
            problem = cause.errors()[0]
            place = ".".join(str(p) for p in problem["loc"]) or "args"
            raise ToolRetry(
                Text(f"参数 {place} 不对：{problem['msg']}", f"argument {place}: {problem['msg']}"),
                where={"field": place},
            ) from cause

    def __call__(self, scope: Scope, raw: dict[str, Any]) -> ToolResult:
        """Check scope, policy, arguments and limits, then run.

        Raises:
            ToolRetry, ToolFailed, ApprovalRequired.
        """
        with span("tool.call", tool=self.name, effect=self.effect), _as_tool_errors():
            return self.run(scope, self.admit(scope, raw))

    def admit(self, scope: Scope, raw: dict[str, Any]) -> A:
        """Everything that has to hold before it runs; nothing is changed. Returns the arguments.

        Raises:
            ToolRetry, ToolFailed, ApprovalRequired.
        """
        if self.name not in scope.tools:
            raise ToolFailed(Text(f"此处不可用工具 {self.name}", f"the tool {self.name} may not be used here"))
        with _as_tool_errors():
            scope.deps.policy.check(scope.ctx, f"tool.{self.name}", scope.subject or scope.thread)
            args = self.read_args(raw)
            if self.check is not None:
                self.check(scope, args)
        return args


AnyTool = Tool[Any]


@contextmanager
def _as_tool_errors() -> Iterator[None]:
    try:
        yield
    except ZhongshuError as error:
        raise ToolFailed(error.text, nearest=error.nearest, where=error.where) from error


def tool(
    name: str,
    effect: Effect,
    args: type[A],
    run: Callable[[Scope, A], ToolResult],
    check: Callable[[Scope, A], None] | None = None,
) -> AnyTool:
    return Tool(name, effect, args, run, check)


def args_hash(name: str, args: dict[str, Any]) -> str:
    """What an approval is for: SHA-256 of the tool and its arguments in canonical JSON."""
    body = json.dumps([name, args], sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(body.encode()).hexdigest()


def effect_key(scope: Scope) -> str:
    """The idempotency key of a side effect: the same (tenant, thread, tool call) acts once, however often it is run."""
    return stable_id("act", scope.ctx.tenant, scope.thread, scope.call)


def local(scope: Scope, moment: int) -> str:
    """`2026-05-31 14:05`, in the catalog's time zone."""
    return format_time(moment, scope.deps.catalog(scope.ctx).timezone)[:16].replace("T", " ")
