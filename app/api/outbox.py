"""Messages on their way out: what was sent, what waits, what was given up and may be sent again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Limit, Page
from app.hub import Hub
from core.context import RequestContext
from core.text import Lang
from core.times import format_time
from knowledge.governance import Action
from strategy.delivery import repository
from strategy.delivery.tables import OutboxRow, SendState

router = APIRouter(prefix="/v1/outbox", tags=["decisions"])
TheHub = Annotated[Hub, Depends(the_hub)]


class MessageOut(BaseModel):
    id: str = Field(description="its idempotency key, the same on every try")
    decision: str
    strategy: str
    subject: str
    channel: str
    state: SendState
    attempts: int
    created_at: str
    next_try: str | None
    sent_at: str | None
    error: str | None

    @staticmethod
    def of(row: OutboxRow, lang: Lang) -> MessageOut:
        return MessageOut(
            id=row.id,
            decision=row.decision,
            strategy=row.strategy,
            subject=row.subject,
            channel=row.channel,
            state=SendState(row.state),
            attempts=row.attempts,
            created_at=format_time(row.created_at),
            next_try=format_time(row.next_try) if row.state == SendState.PENDING else None,
            sent_at=format_time(row.sent_at) if row.sent_at is not None else None,
            error=row.last_error[lang] if row.last_error else None,
        )


@router.get("", summary="List messages")
def list_messages(
    ctx: Annotated[RequestContext, Depends(allow(Action.OUTBOX_READ))],
    hub: TheHub,
    state: Annotated[SendState | None, Query()] = None,
    limit: Limit = 50,
) -> Page[MessageOut]:
    """Newest first."""
    with hub.database.reading() as session:
        rows = repository.outbox(session, ctx, state.value if state else None, limit)
    return Page(items=[MessageOut.of(row, ctx.lang) for row in rows])


@router.post("/{message_id}/send-again", summary="Try a message again that was given up")
def send_again(
    message_id: str, ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_APPROVE))], hub: TheHub
) -> MessageOut:
    """Under its old key, so that a receiver that has it already does not act twice."""
    row = hub.delivery.send_again(ctx, message_id)
    hub.outbox.wake()
    return MessageOut.of(row, ctx.lang)
