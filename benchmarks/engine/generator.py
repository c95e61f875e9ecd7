"""What is drawn from the world: event filters with a known share of events they pass, and a stream of events as NDJSON
CloudEvents. The same seed gives the same bytes."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.engine.world import EVENTS, RATES, TIER_STEPS, TIERS, Field
from core.events import Fact
from core.times import DAY, HOUR, MINUTE, Micros, parse_time

START = parse_time("2026-05-04T08:00:00Z")
SESSION, PER_SESSION = 10 * MINUTE, 8
SELECTIVE = (1e-6, 2e-4)
"""A stateless filter passes a share of all events between these, spread evenly on a log scale: 3.8e-5 on average, so
that an event matches 0.038 of 1,000 strategies and 38 of a million. More strategies are not more selective ones."""
PREDICATES = (0.25, 0.35, 0.25, 0.15)
"""How likely a stateless filter has 1, 2, 3 or 4 predicates."""

Predicate = tuple[str, str, Any]
"""Field, `==`, `in`, `>=` or `<`, value."""


@dataclass(frozen=True)
class Rule:
    """An event filter in the plainest form, which every peer's is made from. `share`: of all events, that pass."""

    name: str
    event: str
    where: tuple[Predicate, ...]
    share: float


def rules(count: int, seed: int = 1, selective: tuple[float, float] = SELECTIVE) -> list[Rule]:
    """Stateless filters. Each first draws the share it aims at; then type (in proportion to the square root of how
    often it comes) and predicates until the filter passes within a factor 1.5 of that."""
    dice = random.Random(f"rules {seed}")
    low, high = (math.log(bound) for bound in selective)
    return [_rule(f"r{i}", math.exp(dice.uniform(low, high)), dice) for i in range(count)]


def _rule(name: str, aim: float, dice: random.Random) -> Rule:
    while True:
        event = draw_type(dice)
        count = dice.choices((1, 2, 3, 4), PREDICATES)[0]
        where, share = draw_filter(event, count, aim / RATES[event], dice)
        if aim / 1.5 <= share * RATES[event] <= aim * 1.5:
            return Rule(name, event, where, share * RATES[event])


def draw_type(dice: random.Random) -> str:
    names, steps = _types()
    return dice.choices(names, cum_weights=steps)[0]


@cache
def _types() -> tuple[list[str], list[float]]:
    return list(RATES), list(accumulate(math.sqrt(rate) for rate in RATES.values()))


def draw_filter(event: str, count: int, aim: float, dice: random.Random) -> tuple[tuple[Predicate, ...], float]:
    """Predicates on so many different fields of an event, and the share of such events that pass all of them. The
    values of equalities and sets are drawn without regard to how often they come; ranges on numbers then do what is
    left to do to come to `aim`."""
    fields = sorted(dice.sample(EVENTS[event], count), key=lambda field: field.type == "number")
    where: list[Predicate] = []
    share = 1.0
    for left, field in zip(range(count, 0, -1), fields, strict=True):
        if field.type == "number":
            wanted = (aim / share) ** (1 / left) * dice.uniform(0.7, 1.4)
            found, passing = _range(field, min(0.9, wanted), dice)
        else:
            one = _values(field, dice)
            found, passing = [one], field.share(*one[1:])
        where += found
        share *= passing
        if share < aim / 2:
            break
    return tuple(where), share


def _values(field: Field, dice: random.Random) -> Predicate:
    values = field.values
    if field.type == "boolean" or dice.random() < 0.5:
        return field.name, "==", values[int(dice.random() * len(values))]
    return field.name, "in", dice.sample(values, 2 + int(dice.random() * (min(8, len(values) // 2) - 1)))


def _range(field: Field, wanted: float, dice: random.Random) -> tuple[list[Predicate], float]:
    """A range that about `wanted` of the values are in: above, below, or (two comparisons) between. Returns also how
    many really are."""
    side = dice.random() * 3
    start = 0.0 if side < 1 else 1 - wanted if side < 2 else dice.random() * (1 - wanted)
    low, high = _threshold(field, start, dice), _threshold(field, start + wanted, dice)
    if side < 1:
        return [(field.name, "<", high)], field.share("<", high)
    if side < 2:
        return [(field.name, ">=", low)], field.share(">=", low)
    inside = field.share("<", high) - field.share("<", low)
    return [(field.name, ">=", low), (field.name, "<", high)], inside


def _threshold(field: Field, share: float, dice: random.Random) -> float:
    """The value that this share lies below, or a little above it: thresholds are not levels, and those of fields that
    are not whole numbers are rarely alike."""
    place = min(len(field.values) - 2, int(share * len(field.values)))
    low, high = float(field.values[place]), float(field.values[place + 1])
    between = low + (high - low) * dice.random()
    return math.ceil(between) if field.whole else round(between, 4)


# the stream


@dataclass(frozen=True)
class Stream:
    """What happens, described: the i-th batch of a stream is the same whoever asks for it, in whatever order.

    Customers come in sessions of ten minutes and 8 events on average. The busiest 1% of customers have 10% of the
    sessions, the busiest half 71%. The instants of events lie evenly apart.

    Args:
        daily: events a customer and day, on average; with the number of customers it says how dense event time is.
    """

    customers: int = 100_000
    daily: float = 20
    seed: int = 7

    @property
    def gap(self) -> int:
        """Microseconds of event time from one event to the next."""
        return max(1, round(DAY / (self.daily * self.customers)))

    def moment(self, number: int) -> Micros:
        """When the event of this number happens."""
        return Micros(START + number * self.gap)

    def facts(self, most: int | None = None) -> Iterator[Fact]:
        """The tier of each customer (or of so many), known since an hour before the stream."""
        since = Micros(START - HOUR)
        draws = np.random.default_rng([self.seed, 1]).random(self.customers)
        tiers = np.searchsorted(TIER_STEPS, draws, side="right")
        for customer in range(min(self.customers, most or self.customers)):
            yield Fact(f"customer/c{customer}", "tier", TIERS[int(tiers[customer])], since)

    def lines(self, count: int, first: int = 0) -> list[bytes]:
        """Events `first` to `first + count` as JSON, without line ends."""
        return self.chunk(count, first).splitlines()

    def chunk(self, count: int, first: int = 0) -> bytes:
        """The same as NDJSON."""
        dice = np.random.default_rng([self.seed, 2, first])
        types = dice.choice(len(RATES), count, p=list(RATES.values()))
        numbers = np.arange(first, first + count)
        moments = pl.Series(START + numbers * self.gap).cast(pl.Datetime("us"))
        head = pl.DataFrame(
            {
                "id": pl.Series(numbers).cast(pl.String).str.zfill(9),
                "time": moments.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
                "customer": self._present(numbers, dice),
            }
        )
        places = [np.flatnonzero(types == place) for place in range(len(EVENTS))]
        parts = [_texts(event, head[at], dice) for event, at in zip(EVENTS, places, strict=True)]
        texts = pl.concat(parts).gather(np.argsort(np.concatenate(places)))
        return ("\n".join(texts.to_list()) + "\n").encode()

    def _present(self, numbers: NDArray[np.int64], dice: np.random.Generator) -> NDArray[np.int64]:
        """Who makes each event: one of those whose session goes on, of which each has its turn in a slot."""
        slots = max(1, round(SESSION / self.gap / PER_SESSION))
        slot = dice.integers(0, slots, len(numbers))
        turn = (numbers * self.gap + slot * SESSION // slots) // SESSION
        shares = _scattered(slot.astype(np.uint64) << np.uint64(32) | turn.astype(np.uint64), self.seed)
        return (self.customers * shares**2).astype(np.int64)


def _scattered(keys: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Numbers spread evenly over [0, 1), one for each key: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    mixed = keys + np.uint64(0x9E3779B97F4A7C15 * (seed + 1) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64


def _texts(event: str, head: pl.DataFrame, dice: np.random.Generator) -> pl.Series:
    """Events of one type as JSON, their fields drawn."""
    data = pl.concat_str([_drawn(field, len(head), dice) for field in EVENTS[event]], separator=",", ignore_nulls=True)
    pieces = (
        pl.lit('{"specversion":"1.0","id":"e'),
        pl.col("id"),
        pl.lit(f'","source":"shop","type":"{event}","time":"'),
        pl.col("time"),
        pl.lit('","subject":"customer/c'),
        pl.col("customer"),
        pl.lit('","data":{'),
        data,
        pl.lit("}}"),
    )
    return head.select(text=pl.concat_str(pieces))["text"]


def _drawn(field: Field, count: int, dice: np.random.Generator) -> pl.Series:
    """So many values of a field, each as the JSON member it stands for; null where it is missing."""
    members, steps = _rendered(field)
    return members.gather(np.searchsorted(steps, dice.random(count), side="right"))


@cache
def _rendered(field: Field) -> tuple[pl.Series, Any]:
    name = json.dumps(field.name)
    members = [f"{name}:{json.dumps(value)}" for value in field.values]
    return pl.Series([*members, None]), np.cumsum([weight * field.present for weight in field.weights])
