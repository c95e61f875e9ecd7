"""SQL of tickets."""

from __future__ import annotations

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from app.tickets.tables import TicketRow
from core.context import RequestContext


def find(session: Session, ctx: RequestContext, ticket_id: str) -> TicketRow | None:
    return session.get(TicketRow, (ctx.tenant, ticket_id))


def of_thread(session: Session, ctx: RequestContext, thread: str) -> TicketRow | None:
    return session.exec(select(TicketRow).where(TicketRow.tenant == ctx.tenant, TicketRow.thread == thread)).first()


def newest(
    session: Session,
    ctx: RequestContext,
    subject: str | None,
    status: str | None,
    before: tuple[int, str] | None,
    limit: int,
) -> list[TicketRow]:
    """Newest first; `before` is the (arrival, id) of the last one on the page before."""
    query = select(TicketRow).where(TicketRow.tenant == ctx.tenant)
    if subject is not None:
        query = query.where(TicketRow.subject == subject)
    if status is not None:
        query = query.where(TicketRow.status == status)
    if before is not None:
        query = query.where(tuple_(col(TicketRow.received_at), col(TicketRow.id)) < tuple_(*before))
    return list(session.exec(query.order_by(col(TicketRow.received_at).desc(), col(TicketRow.id).desc()).limit(limit)))
