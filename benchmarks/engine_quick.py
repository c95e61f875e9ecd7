"""How many events a second the pure-Python engine takes on one core: ten strategies over a retail-like stream.

Run: python -m benchmarks.engine_quick [events]
"""

from __future__ import annotations

import gc
import platform
import random
import sys
import time

from core.events import Event
from core.times import MINUTE, SECOND, Micros
from knowledge.catalog import read_catalog
from strategy.document import Strategy
from strategy.engine.python import PythonEngine

CATALOG = """
catalog: 1
objects: {customer: {attributes: {tier: {type: enum, values: {vip: {}, plain: {}}}}}}
events:
  login: {subject: customer}
  view: {subject: customer, fields: {seconds: {type: number, unit: s, min: 0}}}
  order: {subject: customer, fields: {amount: {type: number, unit: CNY, min: 0}}}
  mail: {subject: customer, fields: {opened: {type: boolean}}}
"""
TRIGGERS = [
    {"kind": "aggregate", "event": "login", "function": "count", "window": {"over": "7d"}, "op": ">=", "value": 5},
    {"kind": "aggregate", "event": "login", "function": "count", "window": {"over": "1d"}, "op": "<", "value": 1},
    {
        "kind": "aggregate",
        "event": "order",
        "function": "sum",
        "field": "amount",
        "window": {"over": "30d"},
        "op": ">",
        "value": 2000,
    },
    {
        "kind": "aggregate",
        "event": "view",
        "function": "avg",
        "field": "seconds",
        "window": {"last": 10},
        "op": "<",
        "value": 15,
    },
    {"kind": "streak", "event": "mail", "times": 3, "where": [{"field": "opened", "op": "==", "value": False}]},
    {"kind": "streak", "event": "view", "times": 5, "without": [{"event": "order"}]},
    {"kind": "sequence", "steps": [{"event": "view"}, {"event": "order", "absent": True, "within": "2h"}]},
    {"kind": "sequence", "steps": [{"event": "mail"}, {"event": "login", "within": "1h"}, {"event": "order"}]},
    {"kind": "event", "event": "order", "where": [{"field": "amount", "op": ">", "value": 900}]},
    {"kind": "change", "event": "view", "function": "count", "window": "1d", "direction": "drop", "percent": 50},
]


def strategies() -> list[Strategy]:
    return [
        Strategy.model_validate({"name": f"s{i}", "trigger": trigger, "actions": [{"task": "call"}]})
        for i, trigger in enumerate(TRIGGERS)
    ]


def stream(count: int, customers: int, seed: int) -> list[Event]:
    """Events 0.2 s apart on average; half are views, the rest logins, mails and orders."""
    dice = random.Random(seed)
    at, events = 1_750_000_000 * SECOND, []
    for i in range(count):
        at += dice.randrange(1, 400_000)
        kind = dice.choices(("view", "login", "mail", "order"), (50, 25, 15, 10))[0]
        data: dict[str, object] = {}
        if kind == "view":
            data = {"seconds": float(dice.randrange(1, 60))}
        elif kind == "order":
            data = {"amount": dice.randrange(100, 100_000) / 100}
        elif kind == "mail":
            data = {"opened": dice.random() < 0.3}
        events.append(Event(f"e{i}", kind, Micros(at), f"customer/c{dice.randrange(customers)}", data))
    return events


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    catalog = read_catalog(CATALOG).catalog
    for lateness, batch in ((0, 1000), (10 * MINUTE, 1000), (0, 1)):
        engine = PythonEngine(catalog, lateness)
        for strategy in strategies():
            engine.deploy(strategy, 1)
        events = stream(count, 5_000, seed=7)
        gc.collect()
        firings, begun = 0, time.process_time()
        for i in range(0, count, batch):
            firings += len(engine.ingest(events[i : i + batch]).firings)
        spent = time.process_time() - begun
        print(
            f"{len(TRIGGERS)} strategies, lateness {lateness // MINUTE} min, batches of {batch}: "
            f"{count / spent:,.0f} events/s CPU, {firings} firings"
        )
    print(f"Python {platform.python_version()}, {platform.machine()}")


if __name__ == "__main__":
    main()
