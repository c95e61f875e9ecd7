"""What a graph database that is not the relational store owes its writers: nothing lost, and one audit log in the order
of their turns, whoever dies on the way."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from neo4j import GraphDatabase
from neo4j.exceptions import Neo4jError
from sqlmodel import Session, col, select

from core import audit
from core.clock import ManualClock, SystemClock
from core.db import Database
from knowledge.graph import outbox
from knowledge.graph.neo4j import Neo4jGraphStore
from tests.boltserver import AUTH, DATABASE
from tests.graphs import C1, NOW, SERVICE, claim, edge

WRITERS, BATCHES = 2, 5


@pytest.fixture
def empty(bolt: str) -> str:
    with GraphDatabase.driver(bolt, auth=AUTH) as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n", database_=DATABASE)
    return bolt


@pytest.fixture
def audits(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path}/audit.db")) as database:
        database.create_tables()
        yield database


def opened(address: str, audits: Database) -> Neo4jGraphStore:
    return Neo4jGraphStore(address, AUTH, audits, ManualClock(NOW), database=DATABASE)


def rows(audits: Database) -> list[audit.AuditRow]:
    with Session(audits.engine) as session:
        return list(session.exec(select(audit.AuditRow).order_by(col(audit.AuditRow.seq))))


def unbroken(audits: Database) -> bool:
    with Session(audits.engine) as session:
        return audit.first_broken(session, SERVICE.tenant) is None


def write(address: str, url: str, name: str) -> list[str]:
    """A process's batches, each of two facts; the ids that were acknowledged."""
    with closing(Database(url)) as audits:
        store = Neo4jGraphStore(address, AUTH, audits, SystemClock(), database=DATABASE)
        with closing(store):
            return [
                fact
                for number in range(BATCHES)
                for fact in store.assert_facts(
                    SERVICE, [claim(C1, f"p{name}", number, number), edge(C1, "owns", f"device/{name}-{number}", 1)]
                )
            ]


def test_processes_that_write_at_once_lose_nothing_and_leave_one_audit_log_in_order(
    empty: str, audits: Database
) -> None:
    told = [(empty, audits.url, str(number)) for number in range(WRITERS)]
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        ids = [fact for each in pool.starmap(write, told) for fact in each]
    with closing(opened(empty, audits)) as store:
        facts = {fact: store.explain(SERVICE, fact).fact.seq for fact in ids}
    assert sorted(facts.values()) == list(range(1, 2 * WRITERS * BATCHES + 1))
    assert unbroken(audits)
    assert [facts[row.detail["first"]] for row in rows(audits)] == list(range(1, 2 * WRITERS * BATCHES, 2))


def test_what_a_writer_could_not_tell_the_audit_log_before_it_died_is_told_by_the_next(
    empty: str, audits: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(opened(empty, audits)) as store, monkeypatch.context() as patch:
        patch.setattr(outbox, "copy", lambda session, audits: None)
        store.assert_facts(SERVICE, [claim(C1, "tier", "vip", 1)])
        assert not rows(audits)
    opened(empty, audits).close()
    assert [(row.action, row.actor) for row in rows(audits)] == [("graph.assert", "ana")]
    assert unbroken(audits)


def test_what_was_told_but_not_taken_off_the_list_is_not_told_again(
    empty: str, audits: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(opened(empty, audits)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "_DONE", "no statement")
            with pytest.raises(Neo4jError):
                store.assert_facts(SERVICE, [claim(C1, "tier", "vip", 1)])
        assert len(rows(audits)) == 1
        store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 2)])
    assert len({row.detail["turn"] for row in rows(audits)}) == len(rows(audits)) == 2
    assert unbroken(audits)
