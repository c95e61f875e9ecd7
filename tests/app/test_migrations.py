"""Migrations: they make exactly the tables that the code has, and refuse what is newer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from app.migrations import config, current_revision, migrate, newest_revision
from app.migrations.metadata import MODULES, all_tables
from core.audit import first_broken
from core.db import Database
from core.errors import Refused

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/store.db")


def test_migrations_make_the_tables_that_the_code_has(database: Database) -> None:
    migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, all_tables()) == []


def test_every_rooms_tables_are_known_to_the_migrations() -> None:
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ("core", "knowledge", "strategy", "tools", "agents", "evals", "app")
        for path in (ROOT / room).rglob("tables.py")
    }
    assert found <= set(MODULES)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert migrate(database)
    assert migrate(database) == []
    assert current_revision(database) == newest_revision()


def test_journals_of_before_are_found_by_related_object_and_by_strategy(database: Database) -> None:
    settings = config()
    with database.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0002")
        insert = "insert into journal (tenant, kind, type, subject, time, body, backfill, received_at)"
        for what in (
            """'relation', 'owns', 'customer/1', 1, '{"object": "device/1", "ended": false}'""",
            """'fact', 'tier', 'customer/1', 1, '{"value": "vip"}'""",
            """'deploy', 's', '', 1, '{}'""",
        ):
            connection.exec_driver_sql(f"{insert} values ('t', {what}, 0, 1)")
    migrate(database)
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("select kind, subject, object from journal order by seq").all()
    assert [tuple(row) for row in found] == [
        ("relation", "customer/1", "device/1"),
        ("fact", "customer/1", None),
        ("deploy", "strategy/s", None),
    ]


def test_a_store_of_a_newer_version_is_left_alone(database: Database) -> None:
    migrate(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(Refused, match="newer than the program"):
        migrate(database)
    assert current_revision(database) == "9999"


def _old_audit(connection: Connection, forged: bool) -> None:
    previous = ""
    for seq in (1, 2, 3):
        body: list[Any] = ["t", "me", "admin", "operations", "do", f"customer/{seq}", {"n": seq}, seq, previous]
        seal = hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        row = (seq, *body[:6], json.dumps({"n": 9 if forged and seq == 2 else seq}), seq, previous, seal)
        connection.exec_driver_sql(f"insert into audit values ({', '.join('?' * len(row))})", row)
        previous = seal


@pytest.mark.parametrize("forged, broken", [(False, None), (True, 2)])
def test_an_audit_log_of_before_is_sealed_anew_and_a_broken_one_stays_broken(
    database: Database, forged: bool, broken: int | None
) -> None:
    settings = config()
    with database.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0004")
        _old_audit(connection, forged)
    migrate(database)
    with database.reading() as session:
        assert first_broken(session, "t") == broken
