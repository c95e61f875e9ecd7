"""The audit log: every change and every refusal, sealed row by row."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlmodel import col, func, select

from app.api.deps import allow, the_hub
from app.api.shapes import Before, Limit, Page, read_mark
from app.hub import Hub
from core.audit import AuditRow, first_broken
from core.context import RequestContext
from core.times import format_time
from knowledge.governance import Action

router = APIRouter(prefix="/v1/audit", tags=["audit"])
MayRead = Annotated[RequestContext, Depends(allow(Action.AUDIT_READ))]


class AuditOut(BaseModel):
    seq: int
    at: str
    actor: str
    role: str
    purpose: str
    action: str
    target: str
    detail: dict[str, Any]


class WholeOut(BaseModel):
    whole: bool
    rows: int
    first_broken: int | None


@router.get("", summary="List audit rows")
def list_rows(
    ctx: MayRead,
    hub: Annotated[Hub, Depends(the_hub)],
    action: Annotated[str | None, Query(description="only this action, such as `strategy.approve`")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[AuditOut]:
    query = select(AuditRow).where(AuditRow.tenant == ctx.tenant)
    if action:
        query = query.where(AuditRow.action == action)
    if mark := read_mark(before):
        query = query.where(col(AuditRow.seq) < mark.at)
    with hub.database.reading() as session:
        rows = list(session.exec(query.order_by(col(AuditRow.seq).desc()).limit(limit)))
    items = [
        AuditOut(**row.model_dump(include=set(AuditOut.model_fields) - {"at"}), at=format_time(row.at)) for row in rows
    ]
    return Page(items=items, next=str(rows[-1].seq) if len(rows) == limit else None)


@router.get("/verify", summary="Is the log whole?")
def verify(ctx: MayRead, hub: Annotated[Hub, Depends(the_hub)]) -> WholeOut:
    """Checks each row's seal and its link to the row before."""
    with hub.database.reading() as session:
        broken = first_broken(session, ctx.tenant)
        rows = session.exec(select(func.count()).select_from(AuditRow).where(AuditRow.tenant == ctx.tenant)).one()
    return WholeOut(whole=broken is None, rows=rows, first_broken=broken)
