"""No store is left out of erasure: every column of every table and of every file in the data folder is answered for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from app.checklist import run_checklist
from app.coverage import answered_for, kept_columns, uncovered
from app.hub import Hub
from app.migrations.metadata import all_tables
from core.context import Purpose
from knowledge.retrieval import Document
from tests.app.hubclient import settings_for


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub all of whose stores have been opened."""
    with Hub.open(settings_for(tmp_path_factory.mktemp("coverage"))) as hub:
        hub.retriever.get().add(hub.context(), [Document("doc", "article", "How to descale")])
        assert list(hub.supervisor.get().chat(hub.context(), "thread", "Hello"))
        yield hub


def test_every_column_that_can_name_a_customer_is_forgotten_by_a_store(used: Hub) -> None:
    assert uncovered(used) == []


def test_what_is_looked_at_are_the_tables_of_all_rooms_and_the_files_beside_them(used: Hub) -> None:
    kept = kept_columns(used)
    tables = {column.split(".")[0] for column in kept if ":" not in column}
    assert tables >= {table.name for table in all_tables().sorted_tables} - {"engine_position"}
    assert {column.split(":")[0] for column in kept if ":" in column} == {"checkpoints.db", "index/chroma.sqlite3"}


def test_no_store_and_no_exception_speaks_of_a_column_that_is_gone(used: Hub) -> None:
    kept = kept_columns(used)
    stale = [pattern for pattern in answered_for(used) if not any(fnmatchcase(column, pattern) for column in kept)]
    assert stale == []


def test_a_new_table_and_a_new_file_fail_the_checklist_until_a_store_forgets_them(used: Hub, tmp_path: Path) -> None:
    beside = used.settings.data_dir / "notes.db"
    with closing(sqlite3.connect(beside)) as connection:
        connection.execute("CREATE TABLE note (said TEXT, at INTEGER)")
    with used.database.transaction() as session:
        session.connection().exec_driver_sql("CREATE TABLE contact (tenant TEXT, name TEXT, at BIGINT)")
    try:
        assert uncovered(used) == ["contact.name", "notes.db:note.said"]
        lines = run_checklist(used, used.context().for_purpose(Purpose.COMPLIANCE), "gdpr")["lines"]
        failed = {line["id"]: line["found"] for line in lines if not line["passed"]}
        assert "contact.name, notes.db:note.said" in failed["erasure"]
    finally:
        beside.unlink()
        with used.database.transaction() as session:
            session.connection().exec_driver_sql("DROP TABLE contact")
