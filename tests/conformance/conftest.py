"""The graph backends that the suite of the port is run against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import Session

from core.clock import ManualClock
from core.db import Database
from knowledge.graph import GraphStore, PurposeLimits, SqliteGraphStore
from tests.graphs import NOW, Bench


@pytest.fixture(params=["sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    database = Database(f"sqlite:///{tmp_path}/{request.param}.db")
    database.create_tables()

    def make(clock: ManualClock, limits: PurposeLimits | None) -> GraphStore:
        return SqliteGraphStore(database, clock, limits)

    clock = ManualClock(NOW)
    with closing(database):
        yield Bench(make, lambda: Session(database.engine), clock, make(clock, None))
