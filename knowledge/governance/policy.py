"""May this role do this, to this thing, for this purpose? Cedar decides from policies.cedar; default deny."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy

from core import audit
from core.clock import Clock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import Forbidden
from core.telemetry import span
from core.text import Text
from knowledge.catalog import nearest
from knowledge.governance.actions import Action, known_action

POLICIES = Path(__file__).with_name("policies.cedar")

ROLE_NAMES = {
    Role.ADMIN: Text("管理员", "admin"),
    Role.STRATEGIST: Text("策略师", "strategist"),
    Role.SERVICE_AGENT: Text("客服", "service agent"),
    Role.EVALUATOR: Text("评测员", "evaluator"),
    Role.VIEWER: Text("访客", "viewer"),
}
PURPOSE_NAMES = {
    Purpose.SERVICE: Text("服务", "service"),
    Purpose.MARKETING: Text("营销", "marketing"),
    Purpose.RETENTION: Text("客户保留", "retention"),
    Purpose.ANALYTICS: Text("分析", "analytics"),
    Purpose.OPERATIONS: Text("运营", "operations"),
    Purpose.COMPLIANCE: Text("合规", "compliance"),
}
_DEFAULT_PURPOSE = {
    Role.ADMIN: Purpose.OPERATIONS,
    Role.STRATEGIST: Purpose.MARKETING,
    Role.SERVICE_AGENT: Purpose.SERVICE,
    Role.EVALUATOR: Purpose.ANALYTICS,
    Role.VIEWER: Purpose.ANALYTICS,
}


def default_purpose(role: Role) -> Purpose:
    """What a request of this role is for when it does not say."""
    return _DEFAULT_PURPOSE[role]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`policies`: the ids of the policies that decided; ("default-deny",) when none permits."""

    allowed: bool
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused, as the audit log keeps it."""

    action: str
    resource: str
    item_purposes: tuple[str, ...]
    policies: tuple[str, ...]
    needs: Text


OnRefusal = Callable[[RequestContext, Refusal], None]


def audit_refusals(db: Database, clock: Clock) -> OnRefusal:
    """Write each refusal to the audit log in a transaction of its own, so that it stays although the request fails."""

    def write(ctx: RequestContext, refusal: Refusal) -> None:
        with db.transaction() as session:
            detail = {
                "action": refusal.action,
                "item_purposes": list(refusal.item_purposes),
                "policies": list(refusal.policies),
            }
            audit.record(session, ctx, clock, "policy.refuse", refusal.resource or refusal.action, detail)

    return write


class Policy:
    """The one gate. `check` comes before the work and before its transaction is opened: a refusal is written to the
    audit log in a transaction of its own, which would wait for an open one."""

    def __init__(self, on_refusal: OnRefusal | None = None, text: str | None = None) -> None:
        self._policies = cedarpy.PolicySet.from_str(text or POLICIES.read_text(encoding="utf-8"))
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._on_refusal = on_refusal

    def decide(self, ctx: RequestContext, action: str, resource: str = "", purposes: Iterable[str] = ()) -> Verdict:
        """The verdict alone: nothing is raised or recorded."""
        known = known_action(action)
        if known is None:
            return Verdict(False, ("unknown-action",))
        return self._ask([_request(ctx.role, ctx.purpose, known, action, resource, purposes)])[0]

    def check(self, ctx: RequestContext, action: str, resource: str = "", purposes: Iterable[str] = ()) -> None:
        """Pass silently when a policy permits it.

        Args:
            action: an `Action`, or `tool.<name>`.
            resource: what it is done to, such as `customer/c1`; for the audit log and resource policies.
            purposes: what the item may be used for (`Named.purposes` of the catalog); empty: any purpose.

        Raises:
            Forbidden: no policy permits it; says which role or purpose would be needed. The refusal is recorded first.
        """
        items = tuple(purposes)
        with span("governance.check", action=action, role=str(ctx.role), purpose=str(ctx.purpose)) as current:
            verdict = self.decide(ctx, action, resource, items)
            current.set_attribute("zhongshu.policies", list(verdict.policies))
        if verdict.allowed:
            return
        refusal = Refusal(action, resource, items, verdict.policies, self._needs(ctx, action, resource, items))
        if self._on_refusal:
            self._on_refusal(ctx, refusal)
        raise self._forbidden(ctx, refusal)

    def allows(self, ctx: RequestContext, purposes: Iterable[str]) -> bool:
        """True when something with these purposes may be used for the request's purpose: the filter of lists, where a
        withheld item is left out rather than raised."""
        items = tuple(purposes)
        return not items or str(ctx.purpose) in items

    def _ask(self, requests: list[dict[str, Any]]) -> list[Verdict]:
        return [_verdict(a) for a in cedarpy.is_authorized_batch(requests, self._policies, self._entities)]

    def _needs(self, ctx: RequestContext, action: str, resource: str, items: tuple[str, ...]) -> Text:
        """Which other purpose of this role, else which other role, would be allowed."""
        known = known_action(action)
        if known is None:
            return Text("检查动作名", "Check the action's name")
        purposes = [
            p
            for p, v in zip(
                Purpose,
                self._ask([_request(ctx.role, p, known, action, resource, items) for p in Purpose]),
                strict=True,
            )
            if v.allowed
        ]
        if purposes:
            zh, en = _listed([PURPOSE_NAMES[p] for p in purposes])
            return Text(f"以下目的可以：{zh}", f"Allowed for the purpose: {en}")
        pairs = [(r, p) for r in Role for p in Purpose]
        verdicts = self._ask([_request(r, p, known, action, resource, items) for r, p in pairs])
        roles = list(dict.fromkeys(r for (r, _), v in zip(pairs, verdicts, strict=True) if v.allowed))
        if not roles:
            return Text("没有角色可以这样做", "No role may do this")
        zh, en = _listed([ROLE_NAMES[r] for r in roles])
        return Text(f"需要的角色：{zh}", f"Needs the role: {en}")

    def _forbidden(self, ctx: RequestContext, refusal: Refusal) -> Forbidden:
        if refusal.policies == ("unknown-action",):
            return Forbidden(
                Text(f"没有动作 {refusal.action!r}", f"there is no action {refusal.action!r}"),
                hint=refusal.needs,
                nearest=nearest(refusal.action, [str(a) for a in Action]),
            )
        role, purpose = ROLE_NAMES[ctx.role], PURPOSE_NAMES[ctx.purpose]
        if "items-serve-only-their-purposes" in refusal.policies:
            named = {str(p): text for p, text in PURPOSE_NAMES.items()}
            zh, en = _listed([named.get(p, Text(p, p)) for p in refusal.item_purposes])
            return Forbidden(
                Text(
                    f"{refusal.resource or refusal.action} 只可用于{zh}，不可用于{purpose.zh}",
                    f"{refusal.resource or refusal.action} may be used for {en} only, not for {purpose.en}",
                ),
                where={"action": refusal.action},
                hint=refusal.needs,
            )
        return Forbidden(
            Text(
                f"角色“{role.zh}”以“{purpose.zh}”为目的不可执行 {refusal.action}",
                f"the role {role.en} may not do {refusal.action} for the purpose {purpose.en}",
            ),
            where={"action": refusal.action},
            hint=refusal.needs,
        )


def _request(
    role: Role, purpose: Purpose, known: Action, action: str, resource: str, purposes: Iterable[str]
) -> dict[str, Any]:
    is_tool = known is Action.TOOL_USE
    target = {"type": "Tool", "id": action} if is_tool else {"type": "Resource", "id": resource}
    return {
        "principal": {"type": "Role", "id": str(role)},
        "action": {"type": "Action", "id": str(known)},
        "resource": target,
        "context": {"purpose": str(purpose), "item_purposes": list(purposes), "target": resource},
    }


def _verdict(answer: Any) -> Verdict:
    named = answer.diagnostics.id_annotations_by_reason
    ids = tuple(sorted(named.get(r, r) for r in answer.diagnostics.reasons))
    return Verdict(bool(answer.allowed), ids or ("default-deny",))


def _listed(names: list[Text]) -> tuple[str, str]:
    return "、".join(n.zh for n in names), ", ".join(n.en for n in names)
