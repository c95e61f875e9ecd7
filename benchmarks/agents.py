"""A ticket from hand-in to decision on the playbook, after warm-up: wall and CPU time over letters of the demo world,
by route, with real graph, index, checkpoints and outbox on disk.

`python -m benchmarks.agents [--tickets 120] [--json]`
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from agents.schemas import TicketIn
from benchmarks.machine import machine_facts
from tests.agentworld import context, open_world, retail_world

_WARM_UP = 12


def measure(count: int) -> dict[str, Any]:
    """Handle `count` letters, spread over the demo world's, each by its own customer."""
    world = retail_world()
    step = max(1, len(world.tickets) // (count + _WARM_UP))
    letters = [*world.tickets[::step], *world.tickets[1::step]][: count + _WARM_UP]
    wall: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        hub = open_world(Path(folder), {t.customer for t in letters})
        supervisor = hub.supervisor("bench")
        for n, letter in enumerate(letters):
            given = TicketIn(id=f"bench-{letter.id}", text=letter.text, subject=letter.customer)
            began, spent = time.perf_counter(), time.process_time()
            outcome = supervisor.handle_ticket(context(), given)
            if n >= _WARM_UP:
                for name in ("all", outcome.route):
                    wall[name].append((time.perf_counter() - began) * 1_000)
                    cpu[name].append((time.process_time() - spent) * 1_000)
        supervisor.close()
    rows = [_row(name, wall[name], cpu[name]) for name in sorted(wall, key=lambda n: (n != "all", n))]
    return {"machine": machine_facts(), "unit": "ms", "rows": rows}


def _row(name: str, wall: list[float], cpu: list[float]) -> dict[str, Any]:
    return {
        "route": name,
        "tickets": len(wall),
        "wall_median": round(median(wall), 1),
        "wall_p95": round(_p95(wall), 1),
        "cpu_median": round(median(cpu), 1),
        "cpu_p95": round(_p95(cpu), 1),
    }


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measure(args.tickets)
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"machine: {found['machine']}")
    print(f"{'route':12s}{'tickets':>8s}{'wall p50':>10s}{'wall p95':>10s}{'cpu p50':>10s}{'cpu p95':>10s}   (ms)")
    for row in found["rows"]:
        figures = (row[k] for k in ("wall_median", "wall_p95", "cpu_median", "cpu_p95"))
        print(f"{row['route']:12s}{row['tickets']:8d}" + "".join(f"{f:10.1f}" for f in figures))


if __name__ == "__main__":
    main()
