"""The in-app inbox: messages and tasks for people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from app.api.deps import allow, the_hub
from app.api.shapes import Before, Limit, Mark, Page, read_mark
from app.hub import Hub
from core.context import RequestContext
from core.text import Lang
from core.times import format_time
from knowledge.governance import Action
from strategy.delivery import repository
from strategy.delivery.tables import InboxRow

router = APIRouter(prefix="/v1/inbox", tags=["inbox"])
TheHub = Annotated[Hub, Depends(the_hub)]


class InboxOut(BaseModel):
    id: str
    kind: str
    title: str
    body: str
    note: str | None
    subject: str
    strategy: str
    decision: str
    created_at: str
    read_at: str | None
    done_at: str | None

    @staticmethod
    def of(row: InboxRow, lang: Lang) -> InboxOut:
        content = row.content
        return InboxOut(
            id=row.id,
            kind=row.kind,
            title=_said(content.get("title"), lang) or "",
            body=_said(content.get("body"), lang) or "",
            note=_said(content.get("note"), lang),
            subject=row.subject,
            strategy=row.strategy,
            decision=row.decision,
            created_at=format_time(row.created_at),
            read_at=format_time(row.read_at) if row.read_at else None,
            done_at=format_time(row.done_at) if row.done_at else None,
        )


def _said(text: Any, lang: Lang) -> str | None:
    return str(text[lang]) if isinstance(text, dict) else text


@router.get("", summary="List messages and tasks")
def list_inbox(
    ctx: Annotated[RequestContext, Depends(allow(Action.INBOX_READ))],
    hub: TheHub,
    unread: Annotated[bool | None, Query()] = None,
    kind: Annotated[Literal["task", "message"] | None, Query()] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[InboxOut]:
    """Newest first. A task is here when an action names no channel, or one that is not configured (see `note`)."""
    with hub.database.reading() as session:
        rows = repository.inbox(session, ctx, unread=unread, kind=kind, before=read_mark(before), limit=limit)
    items = [InboxOut.of(row, ctx.lang) for row in rows]
    return Page(items=items, next=str(Mark(rows[-1].created_at, rows[-1].id)) if len(rows) == limit else None)


@router.post("/{item_id}/{mark}", summary="Mark as read or done")
def mark_item(
    item_id: str,
    mark: Literal["read", "done"],
    ctx: Annotated[RequestContext, Depends(allow(Action.INBOX_WRITE))],
    hub: TheHub,
) -> InboxOut:
    service = hub.delivery
    row = service.mark_read(ctx, item_id) if mark == "read" else service.mark_done(ctx, item_id)
    return InboxOut.of(row, ctx.lang)
