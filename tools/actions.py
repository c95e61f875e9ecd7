"""Acting for the customer of the scope through the strategy executor: the same consent, caps, decision rows, outbox and
`why` as for any strategy. The tool call's key makes each act happen once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.text import Text
from knowledge.catalog import nearest
from strategy.document import ActionCall, EventFilter, Guards, Happens, Rollout, Strategy
from strategy.engine.port import Firing, Observation, Truth
from tools.base import AnyTool, Args, Scope, ToolFailed, ToolResult, effect_key, tool
from tools.limits import check_offer, require_approval

OCCASION = "ticket.received"
"""The event that an agent's act answers."""

_PEOPLE = {
    "agent": Text("客服", "a service agent"),
    "account_manager": Text("客户经理", "the account manager"),
    "director": Text("服务总监", "the service director"),
}


class SendAction(Args):
    action: str
    params: dict[str, Any] = Field(default_factory=dict)


class CreateWorkOrder(Args):
    title: str = Field(min_length=1, max_length=200)
    detail: str = Field(default="", max_length=4_000)
    priority: Literal["low", "normal", "high"] = "normal"
    due_hours: float | None = Field(default=None, gt=0, le=24 * 90)


class EscalateToPerson(Args):
    to: Literal["agent", "account_manager", "director"] = "agent"
    summary: str = Field(min_length=1, max_length=4_000)
    urgency: Literal["low", "normal", "high"] = "normal"


def _check_action(scope: Scope, args: SendAction) -> None:
    known = scope.deps.catalog(scope.ctx).actions
    if args.action not in known:
        raise ToolFailed(
            Text(f"目录中没有动作 {args.action}", f"the catalog has no action {args.action}"),
            nearest=nearest(args.action, known),
        )
    if check_offer(scope, args.action, args.params):
        require_approval(scope, "send_action", args.model_dump())


def _send_action(scope: Scope, args: SendAction) -> ToolResult:
    call = ActionCall(action=args.action, params=args.params)
    return execute(scope, call, scope.customer, consent=str(scope.ctx.purpose))


def _create_work_order(scope: Scope, args: CreateWorkOrder) -> ToolResult:
    params = {"title": args.title, "text": args.detail or args.title, "priority": args.priority}
    if args.due_hours is not None:
        params["due_hours"] = f"{args.due_hours:g}"
    return execute(scope, _task(scope, "work_order", args.title, params), scope.customer)


def _escalate_to_person(scope: Scope, args: EscalateToPerson) -> ToolResult:
    who = _PEOPLE[args.to]
    title = Text(f"请{who.zh}处理", f"For {who.en}")
    params: dict[str, Any] = {
        "title": title._asdict(),
        "text": args.summary,
        "to": args.to,
        "urgency": args.urgency,
        "thread": scope.thread,
    }
    name = "escalate_to_director" if args.to == "director" else "escalate_to_person"
    return execute(scope, _task(scope, name, title.say(scope.ctx.lang), params), scope.subject)


def _task(scope: Scope, action: str, otherwise: str, params: dict[str, Any]) -> ActionCall:
    """The catalog's action of that name, or a free task for a person where the catalog has none."""
    known = action in scope.deps.catalog(scope.ctx).actions
    return ActionCall(action=action, params=params) if known else ActionCall(task=otherwise, params=params)


def execute(scope: Scope, call: ActionCall, subject: str | None, consent: str | None = None) -> ToolResult:
    """Decide and, if nothing objects, queue one action. `consent`: the purpose the customer must allow; tasks for
    colleagues need none.

    Raises:
        ToolFailed: consent, a cap or another guard objects; says which.
    """
    key = effect_key(scope)
    about = subject or f"conversation/{scope.thread}"
    strategy = Strategy(
        name="agents",
        subject=about.split("/", 1)[0],
        trigger=Happens(**EventFilter(event=OCCASION).model_dump()),
        actions=(call,),
        guards=Guards(consent=consent),
        rollout=Rollout(percent=100),
    )
    seen = Observation("trigger", "event", Truth.TRUE, evidence=scope.evidence[:20])
    firing = Firing("agents", 1, about, scope.deps.clock.now(), key, seen)
    with scope.deps.db.transaction() as session:
        row = scope.deps.decider.decide(session, scope.ctx, firing, strategy)
    told = row.actions[0]
    if row.verdict not in ("delivered", "deferred"):
        said = Text(**row.why["layers"][-1]["said"])
        raise ToolFailed(said, where={"decision": row.id, "verdict": row.verdict})
    data = {
        "decision": row.id,
        "verdict": row.verdict,
        "label": told["label"][scope.ctx.lang],
        "channel": told.get("channel"),
    }
    return ToolResult(data)


TOOLS: tuple[AnyTool, ...] = (
    tool("send_action", "act", SendAction, _send_action, _check_action),
    tool("create_work_order", "act", CreateWorkOrder, _create_work_order),
    tool("escalate_to_person", "act", EscalateToPerson, _escalate_to_person),
)
