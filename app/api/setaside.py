"""Inputs that were not taken, kept for inspection: what came, and what was wrong with it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from app.api.deps import allow, the_hub
from app.api.shapes import Before, Limit, Page, read_mark
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action
from strategy.repository import JournalRepository
from strategy.schemas import SetAsideOut

router = APIRouter(prefix="/v1/set-aside", tags=["events"])


@router.get("", summary="List what was set aside")
def list_set_aside(
    ctx: Annotated[RequestContext, Depends(allow(Action.SETASIDE_READ))],
    hub: Annotated[Hub, Depends(the_hub)],
    reason: Annotated[Literal["rejected", "late", "undecided", "not_kept"] | None, Query()] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[SetAsideOut]:
    mark = read_mark(before)
    with hub.database.reading() as session:
        rows = JournalRepository(session, ctx.tenant).aside(mark.at if mark else None, limit, reason)
    items = [SetAsideOut.of(row, ctx.lang) for row in rows]
    return Page(items=items, next=str(rows[-1].seq) if len(rows) == limit else None)
