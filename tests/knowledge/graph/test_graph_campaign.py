"""A share of the two campaigns: random graphs against the oracle, and kills under write load."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from core.clock import ManualClock
from core.db import Database
from knowledge.graph import SqliteGraphStore
from tests.knowledge.graph.campaign import run_case
from tests.knowledge.graph.kill_rounds import Kills, kill_rounds


def test_three_hundred_random_graphs_answer_as_the_oracle_does(tmp_path: Path) -> None:
    clock = ManualClock(1_000_000)
    with closing(Database(f"sqlite:///{tmp_path}/graph.db")) as database:
        database.create_tables()
        store = SqliteGraphStore(database, clock)
        for case in range(300):
            run_case([store], clock, case, seed=7)


def test_writers_that_are_killed_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    found = kill_rounds(tmp_path, 4)
    assert found == Kills(4, found.acknowledged)
    assert found.acknowledged > 0
