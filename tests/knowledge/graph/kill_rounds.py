"""Kills processes that write to the graph, at random moments: what was acknowledged has to be there afterwards, and the
store has to open.

Run: python -m tests.knowledge.graph.kill_rounds --rounds 500
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from core.clock import SystemClock
from core.context import system_context
from core.db import Database
from core.times import Micros
from knowledge.graph import Assertion, SqliteGraphStore

_CTX = system_context()
_WRITERS = 2
_ID = 30  # bytes of an acknowledgement: a fact's id and a line end


@dataclass
class Kills:
    """What came of it. `lost`: facts that were acknowledged and are not there; `torn`: facts that are there without the
    others of their batch."""

    rounds: int = 0
    acknowledged: int = 0
    failed_opens: int = 0
    lost: int = 0
    torn: int = 0


def kill_rounds(folder: Path, rounds: int, seed: int = 1) -> Kills:
    """Rounds on one store that grows: two processes write, both are killed once so many facts were acknowledged."""
    dice, found = random.Random(seed), Kills()
    url = f"sqlite:///{folder}/graph.db"
    with closing(Database(url)) as database:
        database.create_tables()
    for number in range(rounds):
        acknowledged = _round(url, number, dice.randint(1, 40))
        found.rounds += 1
        found.acknowledged += len(acknowledged)
        try:
            with closing(Database(url)) as database, database.snapshot() as cursor:
                known = {row[0] for row in cursor.execute("SELECT id FROM graph_fact")}
                edges = cursor.execute("SELECT count(*) FROM graph_edge_out").fetchone()[0]
        except SQLAlchemyError:
            found.failed_opens += 1
            continue
        found.lost += len(acknowledged - known)
        found.torn += abs(len(known) - 3 * edges)
    return found


def _round(url: str, number: int, enough: int) -> set[str]:
    """The ids that the writers of a round have acknowledged before they were killed."""
    pipes, children = [], []
    for writer in range(_WRITERS):
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            try:
                _write(url, f"{number}-{writer}", writing)
            finally:
                os._exit(1)
        os.close(writing)
        pipes.append(reading)
        children.append(child)
    heard = b"".join(_first(pipes, enough))
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    for pipe in pipes:
        with os.fdopen(pipe, "rb") as rest:
            heard += rest.read()
    return {line.decode() for line in heard.split(b"\n") if len(line) == _ID - 1}


def _first(pipes: list[int], enough: int) -> Iterator[bytes]:
    """What comes until so many batches were acknowledged."""
    while enough > 0:
        ready, _, _ = select.select(pipes, [], [], 30)
        if not ready:
            raise RuntimeError("no writer writes")
        for pipe in ready:
            heard = os.read(pipe, 3 * _ID)
            enough -= len(heard) // _ID
            yield heard


def _write(url: str, name: str, acknowledgements: int) -> None:
    """Batches of two values and an edge, for ever; each is acknowledged in one piece once it is committed."""
    store = SqliteGraphStore(Database(url), SystemClock())
    count = 0
    while True:
        subject = f"customer/{name}-{count}"
        batch = [
            Assertion(subject, "name", f"n{count}", valid_from=Micros(count)),
            Assertion(subject, "spend", count, valid_from=Micros(count)),
            Assertion(subject, "owns", object=f"device/{count}", valid_from=Micros(count)),
        ]
        ids = store.assert_facts(_CTX, batch)
        os.write(acknowledgements, "".join(f"{i}\n" for i in ids).encode())
        count += 1


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.knowledge.graph.kill_rounds", description=__doc__)
    words.add_argument("--rounds", type=int, default=500)
    words.add_argument("--seed", type=int, default=1)
    said = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_rounds(Path(folder), said.rounds, said.seed)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return int(bool(found.failed_opens or found.lost or found.torn))


if __name__ == "__main__":
    raise SystemExit(main())
