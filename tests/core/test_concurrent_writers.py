"""Several writers at once: the audit chain must not fork."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core import audit
from core.clock import SystemClock
from core.context import system_context
from core.db import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/hub.db")
    database.create_tables()
    return database


def _write(session: Session, target: str = "row") -> None:
    audit.record(session, system_context(), SystemClock(), "test.write", target)


def _rival(row: audit.AuditRow, **changes: str) -> dict[str, Any]:
    """The columns of another writer's row, sealed as it should be."""
    rival = audit.AuditRow(**row.model_dump(exclude={"seq"}) | {"target": "rival"} | changes)
    rival.content = audit.digest(rival)
    rival.hash = audit.seal(rival)
    return rival.model_dump(exclude={"seq"})


def test_the_audit_chain_stays_whole_under_concurrent_writers(database: Database) -> None:
    others = [Database(database.url) for _ in range(2)]  # as in processes of their own: they share no lock but SQLite's

    def write(through: Database) -> None:
        for _ in range(20):
            with through.transaction() as session:
                _write(session)

    threads = [threading.Thread(target=write, args=(each,)) for each in (*others, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    with database.reading() as session:
        assert audit.first_broken(session, "default") is None
        assert len(session.exec(select(audit.AuditRow.seq)).all()) == 80
    for each in others:
        each.close()


@pytest.mark.parametrize("target", ["first", "second"])
def test_the_database_itself_refuses_a_second_row_after_the_same_one(database: Database, target: str) -> None:
    with database.transaction() as session:
        _write(session, "first")
        _write(session, "second")
        row = session.exec(select(audit.AuditRow).where(audit.AuditRow.target == target)).one()
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(insert(audit.AuditRow), _rival(row))


def test_a_writer_whose_place_was_taken_takes_the_next_one(database: Database) -> None:
    with database.transaction() as session:
        _write(session, "before")
        last = session.exec(select(audit.AuditRow)).one()
        overtaken: list[str] = []

        def overtake(connection: Connection, _name: str) -> None:
            if not overtaken:  # after the writer has read which row is the last, before it writes its own
                overtaken.append("once")
                connection.execute(insert(audit.AuditRow), _rival(last, previous=last.hash))

        event.listen(database.engine, "savepoint", overtake)
        _write(session, "after")
    with database.reading() as session:
        rows = session.exec(select(audit.AuditRow.target).order_by(col(audit.AuditRow.seq))).all()
        assert rows == ["before", "rival", "after"]
        assert audit.first_broken(session, "default") is None
