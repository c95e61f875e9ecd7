"""What is measured on one store: loading by group commit, reads, missing steps; and two hops by recursive SQL."""

from __future__ import annotations

import itertools
import random
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.graph.world import FACTS, SPAN, START, claims, events
from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.events import Event, Fact
from core.times import Micros
from knowledge.catalog import read_catalog
from knowledge.graph import Assertion, Derivations, Follower, GraphService, SqliteGraphStore
from knowledge.graph.pattern import read_pattern

BATCH = 5_000
CTX = system_context()
ABSENCE = read_pattern("customer then checkup[result = abnormal] then no visit within 30d")
_RECURSIVE = """
WITH RECURSIVE near(node, hop) AS (
  VALUES (:start, 0)
  UNION SELECT CASE WHEN e.subject = near.node THEN e.object ELSE e.subject END, hop + 1
  FROM near JOIN edge e ON e.subject = near.node OR e.object = near.node
  WHERE hop < 2 AND e.valid_from <= :at)
SELECT node, min(hop) FROM near GROUP BY node"""


def percentiles(run: Callable[[int], object], times: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    taken = []
    for i in range(times):
        begin = time.perf_counter()
        run(i)
        taken.append((time.perf_counter() - begin) * 1e3)
    cut = quantiles(taken, n=100)
    return round(cut[49], 3), round(cut[98], 3)


def grow(folder: Path, sizes: list[int], reads: int = 500) -> list[dict[str, Any]]:
    """One store that grows to each number of customers in turn, measured at each."""
    points: list[dict[str, Any]] = []
    with closing(Database(f"sqlite:///{folder}/graph.db")) as database:
        database.create_tables()
        store = SqliteGraphStore(database, ManualClock(START + SPAN))
        there = 0
        for customers in sizes:
            begin, cpu = time.perf_counter(), time.process_time()
            facts = claims(there, customers)
            while batch := list(itertools.islice(facts, BATCH)):
                store.assert_facts(CTX, batch)
            wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
            added, there = (customers - there) * FACTS, customers
            points.append({"customers": customers, "facts": customers * FACTS, "load_s": round(wall, 2),
                           "facts_per_second_group_commit": round(added / wall),
                           "cpu_us_per_fact": round(cpu / added * 1e6, 1), **_reads(store, customers, reads),
                           "disk_mb": round(sum(f.stat().st_size for f in folder.glob("graph.db*")) / 1e6, 1),
                           "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)})  # fmt: skip
    return points


def _reads(store: SqliteGraphStore, customers: int, reads: int) -> dict[str, float]:
    dice = random.Random(2)
    asked = [(f"customer/c{dice.randrange(customers)}", Micros(START + dice.randrange(SPAN))) for _ in range(reads)]
    two_hop = percentiles(lambda i: store.neighbourhood(CTX, asked[i][0], 2, asked[i][1]), reads)
    profile = percentiles(lambda i: store.profile(CTX, *asked[i]), reads)
    return {"two_hop_p50_ms": two_hop[0], "two_hop_p99_ms": two_hop[1], "profile_p50_ms": profile[0]}


def absence(folder: Path, customers: int) -> float:
    """Milliseconds a customer to look for an abnormal check-up with no visit in 30 days after it."""
    with closing(Database(f"sqlite:///{folder}/events.db")) as database:
        database.create_tables()
        store = SqliteGraphStore(database, ManualClock(START + SPAN))
        store.record_events(CTX, list(events(customers)))
        begin = time.perf_counter()
        found = store.matches(CTX, ABSENCE, limit=customers)
        assert found, "no customer misses a visit"
        return round((time.perf_counter() - begin) * 1e3 / customers, 3)


_CATALOG = """
catalog: 1
objects: {customer: {}, device: {}}
relations: {owns: {from: customer, to: device}}
events: {fault: {subject: device}, repair: {subject: device}}
patterns: {faulty: {subject: customer, path: customer -owns-> device then fault then no repair}}
"""


def derived(folder: Path, times: int = 200) -> tuple[float, float]:
    """Milliseconds (median, 99th percentile) from an event's arrival at the graph to the fact that a registered
    pattern, which goes over a relation to its subject, holds: what the engine's stream is given."""
    catalog = read_catalog(_CATALOG).catalog
    with closing(Database(f"sqlite:///{folder}/derived.db")) as database:
        database.create_tables()
        store = SqliteGraphStore(database, ManualClock(START + SPAN), derived=Derivations(lambda: catalog))
        owned = [Assertion(f"customer/c{i}", "owns", object=f"device/d{i}", valid_from=START) for i in range(times)]
        store.assert_facts(CTX, owned)
        service, told = GraphService(store), list[Fact]()

        def tell(ctx: RequestContext, facts: Sequence[Fact]) -> None:
            told.extend(facts)
            service.sink(ctx, facts)

        follower = Follower(store, CTX, ManualClock(START + SPAN), tell)
        follower.catch_up()

        def run(i: int) -> None:
            store.record_events(CTX, [Event(f"f{i}", "fault", Micros(START + i), f"device/d{i}")])
            assert follower.catch_up() == 1, "the pattern did not turn true"

        return percentiles(run, times)


def recursive(folder: Path, customers: int, reads: int = 200) -> dict[str, float]:
    """Two hops at a past moment by one recursive statement over one edge table, as a baseline."""
    dice = random.Random(2)
    with closing(Database(f"sqlite:///{folder}/plain.db")) as database, database.transaction() as session:
        cursor = session.connection().connection.cursor()
        cursor.execute("CREATE TABLE edge (subject TEXT, object TEXT, valid_from INTEGER)")
        rows = ((c.subject, c.object, c.valid_from) for c in claims(0, customers) if c.object)
        cursor.executemany("INSERT INTO edge VALUES (?, ?, ?)", rows)
        for column in ("subject", "object"):
            cursor.execute(f"CREATE INDEX edge_{column} ON edge ({column})")

        def run(i: int) -> object:
            asked = {"start": f"customer/c{dice.randrange(customers)}", "at": START + dice.randrange(SPAN)}
            return cursor.execute(_RECURSIVE, asked).fetchall()

        p50, p99 = percentiles(run, reads)
    return {"recursive_two_hop_p50_ms": p50, "recursive_two_hop_p99_ms": p99}
