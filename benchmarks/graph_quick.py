"""The graph at a small scale: how fast facts are taken (each batch fsynced) and how fast reads answer.

`python -m benchmarks.graph_quick [--customers 20000] [--json]` makes a random graph of five facts and three relations a
customer, reads at random moments, and prints one table; with --json one object.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.machine import machine_facts
from core.clock import ManualClock
from core.context import system_context
from core.db import Database
from core.times import DAY, Micros
from knowledge.graph import Assertion, SqliteGraphStore

_START = 1_700_000_000_000_000
_BATCH = 1_000


def _claims(customers: int, dice: random.Random) -> list[Assertion]:
    claims: list[Assertion] = []
    for i in range(customers):
        subject, since = f"customer/c{i}", Micros(_START + dice.randrange(100 * DAY))
        claims.append(Assertion(subject, "name", f"客户{i}", valid_from=since, source="crm"))
        claims.append(Assertion(subject, "phone", f"138{i:08d}", valid_from=since, source="crm"))
        claims += [
            Assertion(subject, "spend", dice.random(), valid_from=Micros(since + k * DAY), source="erp")
            for k in range(3)
        ]
        claims.append(Assertion(subject, "owns", object=f"device/d{i}", valid_from=since, source="iot"))
        claims.append(Assertion(subject, "visits", object=f"shop/s{i % (customers // 20)}", valid_from=since))
        claims.append(Assertion(subject, "knows", object=f"customer/c{dice.randrange(customers)}", valid_from=since))
    return claims


def _percentiles(run: Callable[[int], object], times: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    taken = []
    for i in range(times):
        begin = time.perf_counter()
        run(i)
        taken.append((time.perf_counter() - begin) * 1e3)
    cut = quantiles(taken, n=100)
    return round(cut[49], 3), round(cut[98], 3)


def measure(customers: int) -> dict[str, Any]:
    dice, ctx = random.Random(1), system_context()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/graph.db")
        database.create_tables()
        store = SqliteGraphStore(database, ManualClock(_START + 200 * DAY))
        claims = _claims(customers, dice)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        for i in range(0, len(claims), _BATCH):
            store.assert_facts(ctx, claims[i : i + _BATCH])
        wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        moments = [Micros(_START + dice.randrange(200 * DAY)) for _ in range(500)]
        someone = [f"customer/c{dice.randrange(customers)}" for _ in range(500)]
        one_hop = _percentiles(lambda i: store.neighbourhood(ctx, someone[i], 1, moments[i]), 500)
        two_hop = _percentiles(lambda i: store.neighbourhood(ctx, someone[i], 2, moments[i]), 500)
        profile = _percentiles(lambda i: store.profile(ctx, someone[i], moments[i]), 500)
        find = _percentiles(lambda i: store.find(ctx, f"138{dice.randrange(customers):08d}"), 200)
        size = sum(f.stat().st_size for f in Path(folder).glob("graph.db*"))
        database.close()
    return {
        "customers": customers,
        "facts": len(claims),
        "batch": _BATCH,
        "facts_per_second_group_commit": round(len(claims) / wall),
        "cpu_us_per_fact": round(cpu / len(claims) * 1e6, 1),
        "one_hop_p50_ms": one_hop[0],
        "two_hop_p50_ms": two_hop[0],
        "two_hop_p99_ms": two_hop[1],
        "profile_p50_ms": profile[0],
        "profile_p99_ms": profile[1],
        "find_p50_ms": find[0],
        "bytes_per_fact": round(size / len(claims)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = {**measure(options.customers), "machine": machine_facts()}
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        for name, value in result.items():
            print(f"{name:32} {value}")


if __name__ == "__main__":
    main()
