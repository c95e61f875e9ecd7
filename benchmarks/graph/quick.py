"""The figures of the issue in under a minute, at the scale they state."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.graph.figures import load, reads, remember
from benchmarks.graph.growth import beside
from benchmarks.graph.measure import Spread, spread
from benchmarks.graph.peers import PEERS
from benchmarks.graph.world import CTX, FACTS, SPAN, START
from benchmarks.identity import febrl3_f1, febrl4_f1
from core.clock import ManualClock
from core.context import RequestContext
from core.db import Database
from core.events import Event, Fact
from core.times import Micros
from knowledge.catalog import read_catalog
from knowledge.graph import Assertion, Derivations, Follower, GraphService, SqliteGraphStore
from tests.knowledge.graph.kill_rounds import kill_rounds

CUSTOMERS, EVENTFUL = 10_000, 1_000
SHARE = 0.2
"""Of the people of febrl3 and febrl4; `python -m benchmarks.identity` takes all."""
_CATALOG = """
catalog: 1
objects: {customer: {}, device: {}}
relations: {owns: {from: customer, to: device}}
events: {fault: {subject: device}, repair: {subject: device}}
patterns: {faulty: {subject: customer, path: customer -owns-> device then fault then no repair}}
"""


def quick(
    rounds: int = 10, customers: int = CUSTOMERS, eventful: int = EVENTFUL, share: float = SHARE
) -> dict[str, Any]:
    """All figures by name; times in milliseconds."""
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(2, get_context("spawn")) as beside_kills:
        folder = Path(name)
        (folder / "kills").mkdir()
        scores = [beside_kills.submit(score, share) for score in (febrl4_f1, febrl3_f1)]  # these need no clock
        kills = kill_rounds(folder / "kills", rounds)
        febrl4, febrl3 = (score.result() for score in scores)
        took = load(folder, 0, customers)
        remember(folder, eventful)
        read = reads(folder, customers, eventful, 100)
        plain = beside(folder, customers, [p for p in PEERS if p.name.startswith("sqlite")], 100)[0]
        told = derived(folder)
    facts = customers * FACTS
    found: dict[str, Any] = {}
    for name in ("two_hop", "two_hop_beside_writer"):
        found |= {f"{name}_{k}_ms": v for k, v in read[name]._asdict().items()}
    return {
        **found,
        "recursive_two_hop_cpu_p50_ms": plain["cpu_p50"],
        "facts_per_second_group_commit": round(facts / took["load_s"]),
        "facts_per_cpu_second": round(facts / took["load_cpu_s"]),
        "absence_ms_per_customer": read["absence"].p50,
        "weight_ms_per_customer": read["weight"].p50,
        **{f"derived_{k}_ms": v for k, v in told._asdict().items()},
        "febrl4_f1_without_ssn": febrl4,
        "febrl3_f1_without_ssn": febrl3,
        "febrl_share": share,
        "kill_rounds": kills.rounds,
        "facts_lost": kills.lost + kills.failed_opens + kills.torn,
        "customers": customers,
        "facts": facts,
    }


def derived(folder: Path, times: int = 100) -> Spread:
    """From an event's arrival at the graph to the fact that a registered pattern, which goes over a relation to its
    subject, holds: what the engine's stream is given."""
    catalog = read_catalog(_CATALOG).catalog
    with closing(Database(f"sqlite:///{folder}/derived.db")) as database:
        database.create_tables()
        clock = ManualClock(Micros(START + SPAN))
        store = SqliteGraphStore(database, clock, derived=Derivations(lambda: catalog))
        owned = [Assertion(f"customer/c{i}", "owns", object=f"device/d{i}", valid_from=START) for i in range(times)]
        store.assert_facts(CTX, owned)
        service, told = GraphService(store), list[Fact]()

        def tell(ctx: RequestContext, facts: Sequence[Fact]) -> None:
            told.extend(facts)
            service.sink(ctx, facts)

        follower = Follower(store, CTX, clock, tell)
        follower.catch_up()

        def run(i: int) -> None:
            store.record_events(CTX, [Event(f"f{i}", "fault", Micros(START + i), f"device/d{i}")])
            assert follower.catch_up() == 1, "the pattern did not turn true"

        return spread(run, times, 1)
