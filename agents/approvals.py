"""Asking for an approval and answering it: one transaction each, with its audit row. Going on with the conversation
afterwards is the supervisor's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from agents.repository import ApprovalRepository
from agents.schemas import ApprovalView
from agents.state import Proposal
from agents.tables import Approval, ApprovalState
from core import audit
from core.context import RequestContext
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.ids import stable_id
from core.telemetry import span
from core.text import Text
from core.times import format_time
from knowledge.governance import ROLE_NAMES
from tools import TOOLS, ApprovalRequired, Scope, ToolDeps, ToolError, args_hash

Answer = Literal["approve", "reject"]


class Approvals:
    """Approvals of every tenant, each call for the tenant of its context."""

    def __init__(self, deps: ToolDeps) -> None:
        self._deps = deps

    def ask(
        self, scope: Scope, proposal: Proposal, needed: ApprovalRequired, route: str, reasons: Sequence[str]
    ) -> ApprovalView:
        """The approval for this act: asked for now, or as it was asked for when the step ran before."""
        args = TOOLS[proposal["tool"]].read_args(proposal["args"]).model_dump()
        digest = args_hash(proposal["tool"], args)
        key = stable_id("apr", scope.ctx.tenant, scope.thread, proposal["call"], digest)
        now = self._deps.clock.now()
        with span("agent.ask_approval", tool=proposal["tool"]), self._deps.db.transaction() as session:
            rows = ApprovalRepository(session, scope.ctx.tenant)
            found = rows.get(key)
            if found is None:
                found = Approval(
                    id=key,
                    tenant=scope.ctx.tenant,
                    thread=scope.thread,
                    call=proposal["call"],
                    route=route,
                    subject=scope.subject,
                    tool=proposal["tool"],
                    args=args,
                    asked_args=args,
                    args_hash=digest,
                    reasons=list(reasons),
                    evidence=list(scope.evidence),
                    policy_version=needed.policy_version,
                    roles=list(needed.roles),
                    requested_by=scope.ctx.actor,
                    requested_at=now,
                    expires_at=now + needed.expires,
                )
                rows.add(found)
                detail = {"tool": found.tool, "args_hash": digest, "policy": found.policy_version}
                audit.record(session, scope.ctx, self._deps.clock, "approval.ask", key, detail)
            return ApprovalView.of(found)

    def get(self, ctx: RequestContext, approval_id: str) -> Approval:
        with self._deps.db.reading() as session:
            found = ApprovalRepository(session, ctx.tenant).get(approval_id)
        if found is None:
            raise NotFound(Text(f"没有审批 {approval_id}", f"there is no approval {approval_id}"))
        return found

    def listed(self, ctx: RequestContext, states: Sequence[str] = ("pending",)) -> list[ApprovalView]:
        """Newest first.

        Raises:
            Forbidden: the role may not read approvals.
        """
        self._deps.policy.check(ctx, "approvals.read")
        with self._deps.db.reading() as session:
            return [ApprovalView.of(row) for row in ApprovalRepository(session, ctx.tenant).listed(states)]

    def answer(
        self,
        ctx: RequestContext,
        row: Approval,
        answer: Answer,
        edited_args: dict[str, Any] | None,
        note: str | None,
        scope: Scope,
    ) -> ApprovalState:
        """Record a person's answer. `scope`: the conversation's own, for which an edit must be within limits.

        Raises:
            Forbidden: the role may not decide this one, or it is the customer it is about.
            Conflict: it is answered or its time is over.
            InvalidInput: the edited arguments do not fit the tool or go beyond the limits.
        """
        self.check_may_decide(ctx, row)
        now = self._deps.clock.now()
        if row.state != ApprovalState.PENDING:
            raise _already(row)
        if row.expires_at <= now:
            raise Conflict(
                Text(
                    f"审批 {row.id} 已于 {format_time(row.expires_at)} 过期",
                    f"approval {row.id} expired at {format_time(row.expires_at)}",
                )
            )
        state = ApprovalState.APPROVED if answer == "approve" else ApprovalState.REJECTED
        values: dict[str, Any] = {"decided_by": ctx.actor, "decided_role": str(ctx.role), "note": note}
        if edited_args is not None:
            values |= _edited(scope, row, edited_args)
        self._close(ctx, row, state, now, values)
        return state

    def lapse(self, ctx: RequestContext, row: Approval, state: ApprovalState) -> None:
        """Close a pending approval without anyone's answer: expired, or superseded by new input."""
        self._close(ctx, row, state, self._deps.clock.now(), {})

    def resumed(self, ctx: RequestContext, approval_id: str) -> None:
        with self._deps.db.transaction() as session:
            ApprovalRepository(session, ctx.tenant).resumed(approval_id, self._deps.clock.now())

    def unfinished(self, ctx: RequestContext) -> list[Approval]:
        with self._deps.db.reading() as session:
            return ApprovalRepository(session, ctx.tenant).unfinished(self._deps.clock.now())

    def check_may_decide(self, ctx: RequestContext, row: Approval) -> None:
        """
        Raises:
            Forbidden: policy or the approval's own list of roles does not let this actor decide.
        """
        self._deps.policy.check(ctx, "approvals.decide", row.id)
        if str(ctx.role) not in row.roles or ctx.actor == row.subject:
            known = {str(role): text for role, text in ROLE_NAMES.items()}
            names = [known.get(role, Text(role, role)) for role in row.roles]
            raise Forbidden(
                Text("您不能批准这一项", "you may not decide this approval"),
                where={"approval": row.id},
                hint=Text(
                    f"需要的角色：{'、'.join(n.zh for n in names)}", f"Needs the role: {', '.join(n.en for n in names)}"
                ),
            )

    def _close(
        self, ctx: RequestContext, row: Approval, state: ApprovalState, now: int, values: dict[str, Any]
    ) -> None:
        with span("agent.answer_approval", state=str(state)), self._deps.db.transaction() as session:
            if not ApprovalRepository(session, ctx.tenant).decide(row.id, state, now, **values):
                raise _already(row)
            detail = {"tool": row.tool, "args_hash": values.get("args_hash", row.args_hash), "edited": "args" in values}
            audit.record(session, ctx, self._deps.clock, f"approval.{_VERBS[state]}", row.id, detail)


def _edited(scope: Scope, row: Approval, edited: dict[str, Any]) -> dict[str, Any]:
    """The edit as columns. The tool stays: an edit is arguments of the same tool, within the same limits."""
    tool = TOOLS[row.tool]
    try:
        args = tool.read_args(edited).model_dump()
        digest = args_hash(row.tool, args)
        tool.admit(replace(scope, tools=frozenset({row.tool}), approved=frozenset({digest})), edited)
    except ToolError as error:
        raise InvalidInput(error.text, where=error.where, nearest=error.nearest) from error
    return {"args": args, "args_hash": digest}


_VERBS = {
    ApprovalState.APPROVED: "approve",
    ApprovalState.REJECTED: "reject",
    ApprovalState.EXPIRED: "expire",
    ApprovalState.SUPERSEDED: "supersede",
}


def _already(row: Approval) -> Conflict:
    return Conflict(
        Text(f"审批 {row.id} 已有结果", f"approval {row.id} is answered already"), where={"state": row.state}
    )
