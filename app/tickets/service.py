"""Taking tickets in, handing them to the supervisor, keeping what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.tickets import repository
from app.tickets.tables import TicketRow
from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.text import Text

if TYPE_CHECKING:
    from agents.schemas import TicketOutcome


class Tickets:
    """A ticket is on disk before the agents see it; the same id again is the same ticket."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def receive(self, ctx: RequestContext, text: str, subject: str | None, ticket_id: str | None) -> TicketRow:
        """Write it down; a ticket that is here already is given back as it is.

        Raises:
            Conflict: the id is taken by another text.
        """
        with self._database.transaction() as session:
            known = repository.find(session, ctx, ticket_id) if ticket_id else None
            if known is not None:
                if (known.text, known.subject) != (text, subject):
                    raise Conflict(
                        Text(f"工单号 {ticket_id!r} 已用于另一封来信", f"ticket id {ticket_id!r} is another message's")
                    )
                return known
            row = TicketRow(
                tenant=ctx.tenant,
                id=ticket_id or new_id("tkt", self._clock),
                subject=subject,
                text=text,
                status="received",
                received_by=ctx.actor,
                received_at=self._clock.now(),
            )
            session.add(row)
            session.flush()
            audit.record(session, ctx, self._clock, "tickets.receive", f"ticket/{row.id}", {"subject": subject})
        return row

    def answered(self, ctx: RequestContext, ticket_id: str, outcome: TicketOutcome) -> TicketRow:
        """Keep the agents' outcome."""
        with self._database.transaction() as session:
            row = self._found(repository.find(session, ctx, ticket_id), ticket_id)
            self._keep(row, outcome)
            session.add(row)
            detail = {"route": outcome.route, "status": outcome.status}
            audit.record(session, ctx, self._clock, "tickets.answer", f"ticket/{ticket_id}", detail)
        return row

    def went_on(self, ctx: RequestContext, outcome: TicketOutcome) -> None:
        """A conversation went on (an approval was answered): its ticket, if it is one, has a new outcome."""
        with self._database.transaction() as session:
            if row := repository.of_thread(session, ctx, outcome.thread):
                self._keep(row, outcome)
                session.add(row)

    def show(self, ctx: RequestContext, ticket_id: str) -> TicketRow:
        with self._database.reading() as session:
            return self._found(repository.find(session, ctx, ticket_id), ticket_id)

    def list(
        self,
        ctx: RequestContext,
        *,
        subject: str | None = None,
        status: str | None = None,
        before: tuple[int, str] | None = None,
        limit: int = 50,
    ) -> list[TicketRow]:
        with self._database.reading() as session:
            return repository.newest(session, ctx, subject, status, before, limit)

    def _keep(self, row: TicketRow, outcome: TicketOutcome) -> None:
        row.status, row.route, row.thread = outcome.status, outcome.route, outcome.thread
        row.outcome, row.answered_at = outcome.model_dump(mode="json"), self._clock.now()

    def _found(self, row: TicketRow | None, ticket_id: str) -> TicketRow:
        if row is None:
            raise NotFound(Text(f"没有工单 {ticket_id!r}", f"there is no ticket {ticket_id!r}"))
        return row
