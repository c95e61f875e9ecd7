"""The graph backends that the suite of the port is run against: SQLite, and Cypher over Bolt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from neo4j import GraphDatabase
from sqlmodel import Session

from core.clock import ManualClock
from core.db import Database
from knowledge.graph import Derivations, GraphStore, PurposeLimits, SqliteGraphStore
from knowledge.graph.forgetting import ForgetfulGraph
from knowledge.graph.neo4j import Neo4jGraphStore
from tests.boltserver import AUTH, DATABASE, bolt_server
from tests.graphs import NOW, Bench


@pytest.fixture(scope="session")
def bolt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with bolt_server(tmp_path_factory.mktemp("bolt")) as address:
        yield address


@pytest.fixture(params=["sqlite", "neo4j"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    database = Database(f"sqlite:///{tmp_path}/{request.param}.db")
    database.create_tables()
    opened: list[ForgetfulGraph] = []

    def make(clock: ManualClock, limits: PurposeLimits | None, derived: Derivations | None) -> GraphStore:
        if request.param == "sqlite":
            opened.append(SqliteGraphStore(database, clock, limits, derived))
        else:
            opened.append(Neo4jGraphStore(bolt, AUTH, database, clock, limits, derived, DATABASE))
        return opened[-1]

    if request.param == "neo4j":
        bolt: str = request.getfixturevalue("bolt")
        with GraphDatabase.driver(bolt, auth=AUTH) as driver:
            driver.execute_query("MATCH (n) DETACH DELETE n", database_=DATABASE)
    clock = ManualClock(NOW)
    with closing(database):
        yield Bench(make, lambda: Session(database.engine), clock, make(clock, None, None))
        for store in opened:
            store.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Bench]:
    """SQLite alone, for many random cases; tests/knowledge/graph/campaign.py holds the backends to each other."""
    database = Database(f"sqlite:///{tmp_path}/graph.db")
    database.create_tables()

    def make(clock: ManualClock, limits: PurposeLimits | None, derived: Derivations | None) -> GraphStore:
        return SqliteGraphStore(database, clock, limits, derived)

    clock = ManualClock(NOW)
    with closing(database):
        yield Bench(make, lambda: Session(database.engine), clock, make(clock, None, None))
