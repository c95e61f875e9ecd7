"""Conflicts at scale: a portfolio of strategies, and how long the check of one more takes.

`python -m benchmarks.conflicts [--strategies 1000] [--new 20] [--seed 0] [--json]`

Strategies are drawn over the retail catalog: one to three conditions (attributes, events with filters, counts in
windows, streaks, sequences, forecasts), an audience for half of them, one or two actions, a cap for a third. They are
checked against a portfolio that knows what each of its strategies fires on and how the catalog speaks, as a hub keeps
it; to build that takes the "warming".
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from random import Random
from typing import Any

import numpy as np

from benchmarks.machine import machine_facts
from core.errors import ZhongshuError
from knowledge.catalog import Catalog
from knowledge.packs import retail
from strategy.conflicts import Portfolio
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.language.lexicon import lexicon_of

TARGET_MS = 300.0
_EVENTS = ("app.login", "web.visit", "cart.added", "order.placed", "complaint.opened", "coupon.used", "app.swipe")
_WINDOWS = ("1d", "3d", "7d", "14d", "30d")


def _condition(chance: Random) -> dict[str, Any]:
    event = chance.choice(_EVENTS)
    where = []
    if event == "order.placed" and chance.random() < 0.6:
        where = [{"field": "amount", "op": ">", "value": chance.choice((50, 100, 200, 500))}]
    match chance.randrange(7):
        case 0:
            return {
                "kind": "attribute",
                "name": "points",
                "op": chance.choice((">", "<")),
                "value": chance.randrange(0, 5000, 100),
            }
        case 1:
            return {
                "kind": "attribute",
                "name": "city",
                "op": "==",
                "value": chance.choice(("shanghai", "beijing", "hangzhou", "chengdu")),
            }
        case 2:
            return {"kind": "forecast", "forecast": "churn_risk", "op": ">", "value": chance.randrange(30, 95, 5)}
        case 3:
            return {"kind": "streak", "event": event, "where": where, "times": chance.randrange(2, 5)}
        case 4:
            then = {"event": chance.choice(_EVENTS), "absent": True, "within": chance.choice(("1h", "2h", "1d"))}
            return {"kind": "sequence", "steps": [{"event": event, "where": where}, then]}
        case _:
            return {
                "kind": "aggregate", "event": event, "where": where, "function": "count",
                "window": {"over": chance.choice(_WINDOWS)}, "op": chance.choice((">=", ">=", "<")),
                "value": chance.randrange(1, 6),
            }  # fmt: skip


def drawn(number: int, chance: Random, catalog: Catalog) -> Strategy:
    """One strategy that fits the catalog and may fire."""
    actions = sorted(catalog.actions)
    while True:
        parts = [_condition(chance) for _ in range(chance.choice((1, 1, 2, 2, 3)))]
        if chance.random() < 0.4:
            parts.append({"kind": "event", "event": chance.choice(_EVENTS)})
        body: dict[str, Any] = {
            "name": f"s{number}",
            "trigger": parts[0] if len(parts) == 1 else {"kind": "all", "of": parts},
            "actions": [{"action": name} for name in chance.sample(actions, chance.choice((1, 1, 2)))],
        }
        if chance.random() < 0.5:
            value = chance.choice(("vip", "regular", "new"))
            body["audience"] = {"kind": "attribute", "name": "tier", "op": "==", "value": value}
        if chance.random() < 0.33:
            body["guards"] = {"cap": {"times": chance.choice((1, 1, 2)), "per": chance.choice(("1d", "7d", "30d"))}}
        strategy = Strategy.model_validate(body)
        try:
            check_strategy(strategy, catalog)
        except ZhongshuError:
            continue
        return strategy


def run(strategies: int, new: int, seed: int) -> dict[str, Any]:
    catalog, chance = retail.catalog().catalog, Random(seed)
    portfolio = Portfolio([drawn(n, chance, catalog) for n in range(strategies)], catalog)
    started, spent = time.perf_counter(), time.process_time()
    portfolio.warm()
    lexicon_of(catalog)
    warming = time.perf_counter() - started, time.process_time() - spent
    wall, cpu, kinds, undecided, found = [], [], Counter[str](), 0, []
    for number in range(new):
        strategy = drawn(strategies + number, chance, catalog)
        started, spent = time.perf_counter(), time.process_time()
        clashes = portfolio.clashes_of(strategy)
        wall.append((time.perf_counter() - started) * 1_000)
        cpu.append((time.process_time() - spent) * 1_000)
        kinds.update(clash.kind.value for clash in clashes if clash.decided)
        undecided += sum(not clash.decided for clash in clashes)
        found.append(len(clashes))
    return {
        "machine": machine_facts(),
        "strategies": strategies,
        "new": new,
        "warming_seconds": {"wall": round(warming[0], 1), "cpu": round(warming[1], 1)},
        "check_ms": {
            f"{name}_{label}": round(float(np.percentile(values, p)), 1)
            for name, values in (("wall", wall), ("cpu", cpu))
            for label, p in (("p50", 50), ("p95", 95), ("max", 100))
        },
        "clashes_each": round(float(np.mean(found)), 1),
        "kinds": dict(kinds),
        "not_decided": undecided,
        "target_ms": TARGET_MS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategies", type=int, default=1_000)
    parser.add_argument("--new", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report = run(args.strategies, args.new, args.seed)
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        for name, value in report.items():
            print(f"{name:>16}  {value}")
    return 0 if report["check_ms"]["cpu_p95"] < TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
