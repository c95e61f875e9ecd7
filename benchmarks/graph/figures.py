"""What is measured on a store that is there, in a process of its own: reads at rest and while another process writes,
memory, and how long it takes to open after that one was killed.

Run: python -m benchmarks.graph.figures FOLDER CUSTOMERS EVENTS [--reads 200] | --write FOLDER CUSTOMERS
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.graph.measure import ROUNDS, spent, spread
from benchmarks.graph.world import ABSENCE, CTX, SPAN, START, WEIGHT, claims, events, opened, questions
from core.times import Micros
from knowledge.graph import Assertion

ROOT = Path(__file__).parents[2]
MODULE = "benchmarks.graph.figures"
BATCH = 5_000
BESIDE = 500
"""Claims a batch of the process that writes while reads are timed."""


def load(folder: Path, first: int, last: int) -> dict[str, float]:
    """The facts of so many more customers, in batches, each one transaction that reaches the disk."""
    database, store = opened(folder)
    with closing(database):
        wall = cpu = 0.0
        told = claims(first, last)
        while batch := list(itertools.islice(told, BATCH)):
            took = spent(lambda: store.assert_facts(CTX, batch))
            wall, cpu = wall + took.wall, cpu + took.cpu
    return {"load_s": round(wall, 2), "load_cpu_s": round(cpu, 2)}


def remember(folder: Path, customers: int) -> None:
    """Events of the first customers."""
    database, store = opened(folder)
    with closing(database):
        store.record_events(CTX, list(events(customers)))


def reads(folder: Path, customers: int, eventful: int, count: int = 200, rounds: int = ROUNDS) -> dict[str, Any]:
    """Every read, by name. The first `eventful` customers have events."""
    asked = questions(customers, count * rounds)
    about = [f"customer/c{i % eventful}" for i in range(count * rounds)]
    database, store = opened(folder)
    with closing(database):
        found: dict[str, Any] = {
            name: spread(run, count, rounds)
            for name, run in {
                "two_hop": lambda i: store.neighbourhood(CTX, asked[i][0], 2, asked[i][1]),
                "two_hop_known_at": lambda i: store.neighbourhood(CTX, asked[i][0], 2, asked[i][1], asked[i][1]),
                "profile": lambda i: store.profile(CTX, *asked[i]),
                "profile_known_at": lambda i: store.profile(CTX, *asked[i], asked[i][1]),
                "series": lambda i: store.series(CTX, asked[i][0], "spend"),
                "absence": lambda i: store.match(CTX, ABSENCE, about[i]),
                "weight": lambda i: store.weight(CTX, about[i], WEIGHT),
            }.items()
        }
        with writing(folder, customers):
            found["two_hop_beside_writer"] = spread(
                lambda i: store.neighbourhood(CTX, asked[i][0], 2, asked[i][1]), count, rounds
            )
    found["open"] = spent(lambda: _open(folder, asked[0][0]))
    return {**found, "resident_mb": resident_mb(), "disk_mb": disk_mb(folder)}


def _open(folder: Path, subject: str) -> None:
    """What a hub does that starts again, up to its first answer."""
    database, store = opened(folder)
    with closing(database):
        assert store.record(CTX, subject).values


def disk_mb(folder: Path) -> float:
    return round(sum(f.stat().st_size for f in folder.glob("graph.db*")) / 1e6, 1)


def resident_mb() -> float:
    """What this process holds in memory now."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    raise OSError("this system does not say what a process holds")


@contextmanager
def writing(folder: Path, customers: int) -> Iterator[None]:
    """Another process writes as fast as it can, until it is killed at the end of the block."""
    command = [sys.executable, "-m", MODULE, "--write", str(folder), str(customers)]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline(), "the writer did not begin"
        yield
        assert writer.poll() is None, "the writer ended"
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()


def _write(folder: Path, customers: int) -> None:
    dice = random.Random(3)
    database, store = opened(folder)
    with closing(database):
        for number in itertools.count():
            batch = [
                Assertion(f"customer/c{dice.randrange(customers)}", "spend", dice.random(),
                          valid_from=Micros(START + dice.randrange(SPAN)))
                for _ in range(BESIDE)
            ]  # fmt: skip
            store.assert_facts(CTX, batch)
            if number == 0:
                print("begun", flush=True)


def apart(folder: Path, customers: int, eventful: int, count: int) -> dict[str, Any]:
    """`reads` in a process of its own."""
    command = [sys.executable, "-m", MODULE, str(folder), str(customers), str(eventful), "--reads", str(count)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m benchmarks.graph.figures", description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("customers", type=int)
    words.add_argument("events", type=int, nargs="?", default=1)
    words.add_argument("--reads", type=int, default=200)
    words.add_argument("--write", action="store_true")
    said = words.parse_args()
    if said.write:
        _write(said.folder, said.customers)
    found = reads(said.folder, said.customers, said.events, said.reads)
    print(json.dumps({k: v._asdict() if hasattr(v, "_asdict") else v for k, v in found.items()}))


if __name__ == "__main__":
    main()
