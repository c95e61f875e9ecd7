"""Tickets forget: the message and what the agents made of it go."""

from __future__ import annotations

from app.tickets.tables import TicketRow
from core.db import Database
from knowledge.governance.forgetful import ForgetfulTables, Rows


def ticket_traces(database: Database) -> ForgetfulTables:
    return ForgetfulTables(
        "tickets",
        database,
        (
            Rows(
                TicketRow,
                owner=("subject", "id", "thread"),
                ids=("id", "thread"),
                text=("text", "outcome"),
                mentions_go=True,
            ),
        ),
    )
