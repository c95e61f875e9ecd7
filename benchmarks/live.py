"""The live path on a real SQLite folder: what concurrent senders have acknowledged a second (each acknowledgement is on
disk), how long they wait, and how long a restart takes against the journal's rows behind the last snapshot.

Run: python -m benchmarks.live [--seconds 3] [--tails 0,5000,20000] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlmodel import Session

import strategy.delivery.tables
import strategy.tables  # noqa: F401  # so that create_tables knows them
from benchmarks.machine import machine_facts
from core.clock import SystemClock
from core.context import RequestContext, system_context
from core.db import Database
from core.times import HOUR, SECOND, format_time
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.port import Firing
from strategy.live import LiveEngine
from strategy.service import StrategyService

CTX = system_context()
FIELDS = {"amount": {"type": "number", "unit": "CNY", "min": 0}, "store": {"type": "text"}}
CATALOG = Catalog.model_validate(
    {
        "catalog": 1,
        "objects": {"customer": {}},
        "events": {f"shop.event{n}": {"subject": "customer", "fields": FIELDS} for n in range(4)},
        "actions": {"call": {"channel": "voice"}},
    }
)
SENDERS = (1, 8, 32)
SIZES = (1, 20, 500)
STRATEGIES = 20
BEFORE = 5_000


class Ignored:
    """Decides nothing, so that what is measured is the way there."""

    def decide(self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy) -> None:
        return None


@contextmanager
def hub(folder: Path, snapshot_every: int = 20_000) -> Iterator[tuple[LiveEngine, StrategyService]]:
    """An engine on the folder; leaving it is a crash: nobody calls stop."""
    db, clock = Database(f"sqlite:///{folder / 'hub.db'}"), SystemClock()
    db.create_tables()
    service = StrategyService(db, clock, lambda ctx: CATALOG)
    live = LiveEngine(db, clock, lambda ctx: CATALOG, Ignored(), snapshot_every=snapshot_every)
    service.listeners.append(live.strategy_changed)
    try:
        yield live, service
    finally:
        db.close()


def strategies(live: LiveEngine, service: StrategyService) -> None:
    for n in range(STRATEGIES):
        trigger = {
            "kind": "aggregate",
            "event": f"shop.event{n % 4}",
            "function": "count",
            "where": [{"field": "amount", "op": ">", "value": 10 * n}],
            "window": {"over": "1d"},
            "op": ">=",
            "value": 3 + n,
        }
        document = {"name": f"s{n}", "trigger": trigger, "actions": [{"action": "call"}]}
        service.draft(CTX, document=document)
        service.approve(CTX, f"s{n}", 1, percent=100)
    live.settle()


def line(sender: int, n: int, at: int | None = None) -> bytes:
    event = {
        "id": f"{sender}-{n}",
        "source": "bench",
        "type": f"shop.event{n % 4}",
        "time": format_time(SystemClock().now() if at is None else at),
        "subject": f"customer/c{(sender * 7919 + n) % 5_000}",
        "data": {"amount": n % 500, "store": f"s{n % 50}"},
    }
    return json.dumps(event).encode()


def send(folder: Path, senders: int, size: int, seconds: float) -> dict[str, float]:
    """Acknowledged events a second while `senders` each send batches of `size`, one after another."""
    waits: list[float] = []
    counts = [0] * senders
    with hub(folder) as (live, service):
        strategies(live, service)
        live.start()
        stop = time.perf_counter() + seconds

        def work(sender: int) -> None:
            n = 0
            while time.perf_counter() < stop:
                batch = [line(sender, n + k) for k in range(size)]
                began = time.perf_counter()
                receipt = live.accept_events(CTX, batch)
                waits.append(time.perf_counter() - began)
                counts[sender] += receipt.accepted
                n += size

        threads = [threading.Thread(target=work, args=(sender,)) for sender in range(senders)]
        began, spent = time.perf_counter(), time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        live.settle(600)
        settled, used = time.perf_counter() - began, time.process_time() - spent
        live.stop()
    waits.sort()
    return {
        "acknowledged_per_s": round(sum(counts) / took),
        "decided_per_s": round(sum(counts) / settled),
        "cpu_us_per_event": round(used / max(1, sum(counts)) * 1e6),
        "wait_p50_ms": round(statistics.median(waits) * 1e3, 1),
        "wait_p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3, 1),
    }


def recovery(folder: Path, tail: int) -> dict[str, float]:
    """Seconds until an engine stands again where the crash found it, `tail` rows after its last snapshot."""
    began = SystemClock().now() - 6 * HOUR

    def feed(live: LiveEngine, since: int, count: int) -> None:
        for first in range(since, since + count, 500):
            last = min(first + 500, since + count)
            live.accept_events(CTX, [line(1, n, began + n * SECOND // 5) for n in range(first, last)])
        live.settle(600)

    with hub(folder, snapshot_every=1 << 40) as (live, service):
        strategies(live, service)
        feed(live, 0, BEFORE)
        live.stop()  # keeps a snapshot
    with hub(folder, snapshot_every=1 << 40) as (live, _):
        feed(live, BEFORE, tail)
    with hub(folder, snapshot_every=1 << 40) as (live, _):
        began, spent = time.perf_counter(), time.process_time()
        live.step()
        return {
            "tail_rows": tail,
            "seconds": round(time.perf_counter() - began, 2),
            "cpu_s": round(time.process_time() - spent, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--tails", default="0,5000,20000")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found: dict[str, Any] = {"machine": machine_facts(), "senders": [], "recovery": []}
    for size in SIZES:
        for senders in SENDERS:
            with tempfile.TemporaryDirectory() as folder:
                figures = {"batch": size, "senders": senders, **send(Path(folder), senders, size, args.seconds)}
            found["senders"].append(figures)
            if not args.json:
                print("  ".join(f"{name} {value:,}" for name, value in figures.items()), flush=True)
    for tail in map(int, args.tails.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            found["recovery"].append(figures := recovery(Path(folder), tail))
            if not args.json:
                print("recovery:  " + "  ".join(f"{name} {value:,}" for name, value in figures.items()), flush=True)
    if args.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
