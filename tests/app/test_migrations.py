"""Migrations: they make exactly the tables that the code has, and refuse what is newer."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.migrations import current_revision, migrate, newest_revision
from app.migrations.metadata import MODULES, all_tables
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


def test_a_store_of_a_newer_version_is_left_alone(database: Database) -> None:
    migrate(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(Refused, match="newer than the program"):
        migrate(database)
    assert current_revision(database) == "9999"
