"""A graph of any size, the same for the same seed: two values, a phone, and two relations a customer; and events of
some customers, with a pattern and a weight over them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from core.clock import ManualClock
from core.context import system_context
from core.db import Database
from core.events import Event
from core.times import DAY, Micros
from knowledge.catalog import read_catalog
from knowledge.graph import Assertion, Derivations, SqliteGraphStore
from knowledge.graph.pattern import read_pattern

CTX = system_context()
START = 1_700_000_000_000_000
SPAN = 200 * DAY
FACTS = 5
"""Facts a customer."""
ABSENCE = read_pattern("customer then checkup[result = abnormal] then no visit within 30d")
WEIGHT = "attention"
CATALOG = read_catalog(
    """
catalog: 1
objects: {customer: {}, device: {}}
relations: {owns: {from: customer, to: device}}
events: {checkup: {subject: customer, fields: {result: {type: text}}}, visit: {subject: customer},
  fault: {subject: device}, repair: {subject: device}}
weights:
  attention:
    subject: customer
    terms: [{event: visit, half_life: 30d, points: 2}, {event: checkup, half_life: 90d, cap: 5}]
"""
).catalog


def opened(folder: Path) -> tuple[Database, SqliteGraphStore]:
    """The store of a folder, as a hub has it; whoever opens it closes the database."""
    database = Database(f"sqlite:///{folder}/graph.db")
    database.create_tables()
    return database, SqliteGraphStore(database, ManualClock(Micros(START + SPAN)), derived=Derivations(lambda: CATALOG))


def claims(first: int, last: int, seed: int = 1) -> Iterator[Assertion]:
    """The facts of customers `first` to `last` - 1: each owns a device, and knows a customer that is there already;
    the hub learned it within five days."""
    for i in range(first, last):
        dice = random.Random(seed * 1_000_003 + i)
        subject, since = f"customer/c{i}", Micros(START + dice.randrange(SPAN // 2))
        told = Micros(since + dice.randrange(5 * DAY))
        yield Assertion(subject, "phone", f"138{i:08d}", valid_from=since, source="crm", recorded_at=told)
        for k in range(2):
            later = Micros(since + k * DAY)
            yield Assertion(subject, "spend", dice.random(), valid_from=later, source="erp", recorded_at=told)
        friend = f"customer/c{dice.randrange(max(1, i))}"
        yield Assertion(subject, "owns", object=f"device/d{i // 2}", valid_from=since, source="iot", recorded_at=told)
        yield Assertion(subject, "knows", object=friend, valid_from=since, recorded_at=told)


def events(customers: int, seed: int = 1) -> Iterator[Event]:
    """Check-ups, and visits that often stay away, of the first customers."""
    dice = random.Random(seed)
    for i in range(customers):
        time = START + dice.randrange(SPAN // 2)
        yield Event(f"k{i}", "checkup", Micros(time), f"customer/c{i}", {"result": dice.choice(("abnormal", "normal"))})
        if dice.random() < 0.5:
            yield Event(f"v{i}", "visit", Micros(time + dice.randrange(60 * DAY)), f"customer/c{i}")


def questions(customers: int, count: int, seed: int = 2) -> list[tuple[str, Micros]]:
    """Random customers, each with a random moment."""
    dice = random.Random(seed)
    return [(f"customer/c{dice.randrange(customers)}", Micros(START + dice.randrange(SPAN))) for _ in range(count)]
