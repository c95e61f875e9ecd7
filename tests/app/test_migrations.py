"""Migrations: they make exactly the tables that the code has, and refuse what is newer."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update
from sqlmodel import Session, col, select

from app.migrations import config, current_revision, migrate, newest_revision
from app.migrations.metadata import MODULES, all_tables
from core.audit import AuditRow, digest, first_broken, record, redact, seal
from core.clock import ManualClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import Refused
from core.ids import TenantId

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
    alembic = config()
    with database.engine.begin() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "0002")
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
    alembic = config()
    with database.engine.begin() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "0004")
        _old_audit(connection, forged)
    migrate(database)
    with database.reading() as session:
        assert first_broken(session, "t") == broken


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store from before an audit chain could not fork."""
    path = tmp_path_factory.mktemp("before") / "store.db"
    with closing(Database(f"sqlite:///{path}")) as database, database.engine.begin() as connection:
        alembic = config()
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "0011")
    return path


@contextmanager
def _forked(before: Path, parents: Sequence[int | None], emptied: int | None = None) -> Iterator[Database]:
    """Such a store with a log in which row n follows the row `parents[n - 1]`. One row may be empty, and the row after
    it says so."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Database(f"sqlite:///{shutil.copy(before, folder)}")) as database,
    ):
        _write_audit(database, parents, emptied)
        yield database


def _write_audit(database: Database, parents: Sequence[int | None], emptied: int | None) -> None:
    hashes: dict[int | None, str] = {None: ""}
    with database.transaction() as session:
        for seq, parent in enumerate(parents, 1):
            says = ("privacy.erase", {"audit_rows": [emptied]}) if emptied == seq - 1 else ("do", {"n": seq})
            row = AuditRow(
                tenant="t", actor="me", role="admin", purpose="operations", action=says[0], target=f"customer/{seq}",
                detail=says[1], at=seq, previous=hashes[parent], hash="", salt="s", content="",
            )  # fmt: skip
            row.content = digest(row)
            row.hash = hashes[seq] = seal(row)
            if emptied == seq:
                redact(row)
            session.add(row)
            session.flush()


def _told(session: Session) -> list[tuple[str, str]]:
    return [(r.action, r.target) for r in session.exec(select(AuditRow).order_by(col(AuditRow.seq)))]


FORKED = (None, 1, 1, 3, 2, 4)
"""Rows 2 and 3 both follow row 1, row 5 is on the branch of row 2, and rows 4 and 6 on that of row 3."""


def test_a_log_that_forked_is_refused_with_its_rows_and_left_as_it_was(before: Path) -> None:
    with _forked(before, FORKED) as database:
        with pytest.raises(Refused, match="rows 2, 3 of tenant t follow one and the same row") as refused:
            migrate(database)
        assert "第 2、3 行" in refused.value.text.zh and "--rejoin-audit" in refused.value.say("zh")
        assert current_revision(database) == "0011"


def test_the_branches_of_a_log_become_one_chain_in_which_both_can_be_checked(before: Path) -> None:
    with _forked(before, FORKED) as database:
        migrate(database, rejoin_audit=True)
        with database.transaction() as session:
            targets = [*(f"customer/{n}" for n in (1, 3, 4, 6, 2, 5)), "2 rows"]
            assert [target for _, target in _told(session)] == targets
            assert first_broken(session, "t") is None
            me = RequestContext(TenantId("t"), "me", Role.ADMIN, Purpose.OPERATIONS)
            record(session, me, ManualClock(9), "do", "more")
            assert first_broken(session, "t") is None


@pytest.mark.parametrize("field", ["previous", "hash", "target"])
def test_a_branch_that_was_not_what_the_log_says_is_found(before: Path, field: str) -> None:
    with _forked(before, FORKED) as database:
        with database.transaction() as session:
            session.execute(update(AuditRow).where(col(AuditRow.seq) == 5).values({field: "0" * 64}))
        migrate(database, rejoin_audit=True)
        with database.reading() as session:
            assert first_broken(session, "t") is not None


def test_a_row_that_was_emptied_for_an_erasure_may_be_on_a_branch(before: Path) -> None:
    with _forked(before, FORKED, emptied=2) as database:
        migrate(database, rejoin_audit=True)
        with database.reading() as session:
            assert first_broken(session, "t") is None


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_way_a_log_forked_it_becomes_one_chain_of_the_same_rows(before: Path, data: st.DataObject) -> None:
    parents = [data.draw(st.sampled_from([None, *range(1, seq)])) for seq in range(1, data.draw(st.integers(1, 8)) + 1)]
    with _forked(before, parents) as database:
        migrate(database, rejoin_audit=True)
        with database.reading() as session:
            assert first_broken(session, "t") is None
            kept = sorted(target for action, target in _told(session) if action == "do")
            assert kept == [f"customer/{n}" for n in range(1, len(parents) + 1)]
