"""Tickets: a message comes in, is read, routed, decided and answered with evidence."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Before, Limit, Mark, Page, read_mark
from app.hub import Hub
from app.tickets import TicketRow
from core.context import RequestContext
from core.times import format_time
from knowledge.governance import Action

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayHandle = Annotated[RequestContext, Depends(allow(Action.TICKETS_WRITE))]
_EXAMPLES: dict[str, Any] = {
    "chinese": {"value": {"subject": "customer/c0001", "text": "咖啡机第三次坏了，再修不好我就不续约了"}},
    "english": {"value": {"subject": "customer/c0001", "text": "My machine broke for the third time. Fix it!"}},
}


class TicketBody(BaseModel):
    """`id` makes sending it again safe: the same id is the same ticket."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="the message as it was written, up to 20,000 characters")
    subject: str | None = Field(
        default=None, pattern=r"^customer/\S+$", description="who wrote, such as customer/c0001"
    )
    id: str | None = Field(default=None, min_length=1, max_length=200)


class TicketOut(BaseModel):
    """`outcome` has the routing, the decision with its evidence, what was done, and the approval it waits for."""

    id: str
    subject: str | None
    text: str
    status: str
    route: str | None
    reply: str | None
    reasons: list[str]
    evidence: list[str]
    approval: str | None = Field(description="the approval it waits for")
    thread: str | None
    received_at: str
    answered_at: str | None
    outcome: dict[str, Any] | None

    @staticmethod
    def of(row: TicketRow) -> TicketOut:
        outcome = row.outcome or {}
        decision = outcome.get("decision") or {}
        pending = outcome.get("pending") or {}
        return TicketOut(
            id=row.id,
            subject=row.subject,
            text=row.text,
            status=row.status,
            route=row.route,
            reply=outcome.get("reply"),
            reasons=decision.get("reasons", []),
            evidence=outcome.get("evidence", []),
            approval=pending.get("id"),
            thread=row.thread,
            received_at=format_time(row.received_at),
            answered_at=format_time(row.answered_at) if row.answered_at else None,
            outcome=row.outcome,
        )


@router.post("", summary="Hand in a ticket")
def hand_in(body: Annotated[TicketBody, Body(openapi_examples=_EXAMPLES)], ctx: MayHandle, hub: TheHub) -> TicketOut:
    """Answered when the agents have decided: `replied`, `waiting` (for an approval) or `handed_over` (to a person)."""
    from agents.intake import check_text
    from agents.schemas import TicketIn

    check_text(body.text)
    supervisor = hub.supervisor.get()
    row = hub.tickets.receive(ctx, body.text, body.subject, body.id)
    began = time.perf_counter()
    outcome = supervisor.handle_ticket(ctx, TicketIn(id=row.id, text=row.text, subject=row.subject))
    hub.metrics.tickets.labels(outcome.route).observe(time.perf_counter() - began)
    hub.outbox.wake()
    return TicketOut.of(hub.tickets.answered(ctx, row.id, outcome))


@router.get("", summary="List tickets")
def list_tickets(
    ctx: MayHandle,
    hub: TheHub,
    subject: Annotated[str | None, Query()] = None,
    status: Annotated[str | None, Query(description="received, replied, waiting or handed_over")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[TicketOut]:
    rows = hub.tickets.list(ctx, subject=subject, status=status, before=read_mark(before), limit=limit)
    following = str(Mark(rows[-1].received_at, rows[-1].id)) if len(rows) == limit else None
    return Page(items=[TicketOut.of(row) for row in rows], next=following)


@router.get("/{ticket_id}", summary="Show a ticket")
def show(ticket_id: str, ctx: MayHandle, hub: TheHub) -> TicketOut:
    return TicketOut.of(hub.tickets.show(ctx, ticket_id))
