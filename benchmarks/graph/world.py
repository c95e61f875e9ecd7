"""A graph of any size, the same for the same seed: two values, a phone, and two relations a customer."""

from __future__ import annotations

import random
from collections.abc import Iterator

from core.events import Event
from core.times import DAY, Micros
from knowledge.graph import Assertion

START = 1_700_000_000_000_000
SPAN = 200 * DAY
FACTS = 5
"""Facts a customer."""


def claims(first: int, last: int, seed: int = 1) -> Iterator[Assertion]:
    """The facts of customers `first` to `last` - 1: each owns a device, and knows a customer that is there already."""
    for i in range(first, last):
        dice = random.Random(seed * 1_000_003 + i)
        subject, since = f"customer/c{i}", Micros(START + dice.randrange(SPAN // 2))
        yield Assertion(subject, "phone", f"138{i:08d}", valid_from=since, source="crm")
        for k in range(2):
            yield Assertion(subject, "spend", dice.random(), valid_from=Micros(since + k * DAY), source="erp")
        yield Assertion(subject, "owns", object=f"device/d{i // 2}", valid_from=since, source="iot")
        yield Assertion(subject, "knows", object=f"customer/c{dice.randrange(max(1, i))}", valid_from=since)


def events(customers: int, seed: int = 1) -> Iterator[Event]:
    """Check-ups, and visits that often stay away, of the first customers."""
    dice = random.Random(seed)
    for i in range(customers):
        time = START + dice.randrange(SPAN // 2)
        yield Event(f"k{i}", "checkup", Micros(time), f"customer/c{i}", {"result": dice.choice(("abnormal", "normal"))})
        if dice.random() < 0.5:
            yield Event(f"v{i}", "visit", Micros(time + dice.randrange(60 * DAY)), f"customer/c{i}")
