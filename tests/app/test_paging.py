"""Pages lose nothing and repeat nothing, also when many items share one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.tickets import TicketRow, Tickets
from core.clock import ManualClock
from core.context import system_context
from core.db import Database
from strategy.delivery import repository
from strategy.delivery.tables import InboxRow

CTX = system_context()
Mark = tuple[int, str]
Look = Callable[[Mark | None], list[Mark]]


@pytest.fixture
def db() -> Database:
    database = Database("sqlite://")
    database.create_tables()
    return database


def everything(look: Look) -> list[Mark]:
    found: list[Mark] = []
    while page := look(found[-1] if found else None):
        found += page
    return found


def test_tickets_of_one_moment_are_all_on_some_page(db: Database) -> None:
    tickets = Tickets(db, ManualClock(7))
    for number in range(7):
        tickets.receive(CTX, "hello", None, f"t{number}")

    def look(before: Mark | None) -> list[Mark]:
        rows: list[TicketRow] = tickets.list(CTX, before=before, limit=3)
        return [(row.received_at, row.id) for row in rows]

    assert sorted(key for _, key in everything(look)) == [f"t{number}" for number in range(7)]


def test_inbox_items_of_one_moment_are_all_on_some_page(db: Database) -> None:
    with db.transaction() as session:
        for number in range(7):
            more: dict[str, Any] = {"subject": "customer/c1", "strategy": "s", "decision": "d", "content": {}}
            session.add(InboxRow(id=f"m{number}", tenant=CTX.tenant, kind="task", created_at=7, **more))

    def look(before: Mark | None) -> list[Mark]:
        with db.reading() as session:
            return [(row.created_at, row.id) for row in repository.inbox(session, CTX, before=before, limit=3)]

    assert sorted(key for _, key in everything(look)) == [f"m{number}" for number in range(7)]
