"""Approvals: what agents want to do and may not do without a person."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from agents.tables import ApprovalState
from app.api.deps import allow, the_hub
from app.api.shapes import JsonObject
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action

router = APIRouter(prefix="/v1/approvals", tags=["tickets"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayRead = Annotated[RequestContext, Depends(allow(Action.APPROVALS_READ))]
MayDecide = Annotated[RequestContext, Depends(allow(Action.APPROVALS_DECIDE))]


class AnswerIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "agreed by phone"}]})

    args: JsonObject | None = Field(default=None, description="other arguments for the same act, within its limits")
    note: str | None = Field(default=None, max_length=1_000)


@router.get("", summary="List approvals")
def list_approvals(
    ctx: MayRead,
    hub: TheHub,
    state: Annotated[list[ApprovalState] | None, Query(description="default: pending")] = None,
) -> dict[str, Any]:
    """Newest first: the tool, its arguments, reasons, evidence, who may decide, until when."""
    found = hub.supervisor.get().approvals(ctx, [str(s) for s in state] if state else ["pending"])
    return {"items": [approval.model_dump(mode="json") for approval in found], "next": None}


@router.post("/{approval_id}/{answer}", summary="Approve or reject")
def decide(
    approval_id: str,
    answer: Literal["approve", "reject"],
    ctx: MayDecide,
    hub: TheHub,
    body: AnswerIn | None = None,
) -> dict[str, Any]:
    """The conversation goes on at once; the answer is its outcome."""
    given = body or AnswerIn()
    outcome = hub.supervisor.get().approve(ctx, approval_id, answer, given.args, given.note)
    hub.tickets.went_on(ctx, outcome)
    hub.outbox.wake()
    return outcome.model_dump(mode="json")
