"""The figures of the issue, each from one function; `Extent` says how much work each takes, so that a quick run and a
full one measure the same."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from benchmarks.engine.generator import SELECTIVE, Rule, Stream, rules
from benchmarks.engine.matchers import Index, Matcher, index, matchers, started
from benchmarks.engine.measure import AT_MOST, Latency, Rate, alone, cut, deciding, paced, rate, spent
from benchmarks.engine.memory import AT_ONCE, bytes_per_state, resident, views
from benchmarks.engine.mixed import mixed, stateless
from benchmarks.engine.peers import Work
from benchmarks.engine.truth import matches
from core.times import format_time
from strategy.document import Strategy

KNOWN = 1_000_000
"""No more customers than these have facts: a fact that is a Python object takes longer than an event that is bytes."""


@dataclass(frozen=True)
class Extent:
    """How much a matcher is given: customers with facts, events a stretch, stretches, batch."""

    customers: int
    events: int
    rounds: int = 5
    batch: int = AT_MOST


def decision(name: str, extent: Extent, count: int = 1_000) -> Rate:
    """JSON in → decision, of mixed strategies, firings with all their evidence."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], mixed(count), stream.facts())
    return deciding(matcher, stream, extent.events, extent.batch, extent.rounds)


def match_only(name: str, extent: Extent, count: int, wider: float = 1) -> Rate:
    """Events that are read already → which of so many stateless filters pass, each of which passes `wider` times as
    many events as usual."""
    return matching(filters(name, count, wider), extent)


def filters(name: str, count: int, wider: float = 1) -> Index:
    low, high = SELECTIVE
    gc.disable()
    try:
        return index(name, rules(count, selective=(wider * low, wider * high)))
    finally:
        gc.enable()
        gc.freeze()  # many filters are many objects, which each of the passes would else look through


def matching(found: Index, extent: Extent) -> Rate:
    stream = Stream(extent.customers)
    passes = []
    for number in range(extent.rounds + 1):
        chunk = stream.chunk(extent.events, number * extent.events)
        batches = [found.read(part) for part in cut(chunk, extent.batch)]
        passes.append(spent(partial(_matched, found, batches), extent.events))
    return rate(passes[1:])


def _matched(found: Index, batches: Sequence[Any]) -> int:
    return sum(found.match(batch) for batch in batches)


def from_bytes(name: str, extent: Extent, count: int) -> Rate:
    """JSON in → decision, of stateless strategies: the whole of the engine on the work that peers can do."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], stateless(count))
    return deciding(matcher, stream, extent.events, extent.batch, extent.rounds)


def latency(name: str, extent: Extent, per_second: int = 100_000, count: int = 1_000) -> Latency:
    """Arrivals at a pace, `extent.rounds` times; medians."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], mixed(count), stream.facts())
    for batch in cut(stream.chunk(extent.events), AT_MOST):
        matcher.decide(batch)
    found = [
        paced(matcher, stream.chunk(extent.events, number * extent.events), per_second)
        for number in range(1, extent.rounds + 1)
    ]
    return Latency(*(median(each) for each in zip(*found, strict=True)))


def single(name: str, extent: Extent, count: int = 1_000) -> Latency:
    """One event a call."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], mixed(count), stream.facts())
    lines = stream.lines(extent.events)
    alone(matcher, lines[: len(lines) // 10])
    return alone(matcher, lines[len(lines) // 10 :])


def change(name: str, extent: Extent, count: int = 10_000) -> float:
    """Milliseconds from the wish to have one more strategy among so many until it has fired."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], mixed(count))
    for batch in cut(stream.chunk(extent.events), AT_MOST):
        matcher.decide(batch)
    end = stream.moment(extent.events)
    taken = [_change(matcher, f"new{i}", end + 10 * i) for i in range(extent.rounds + 1)]
    return median(taken[1:])


def _change(matcher: Matcher, name: str, at: int) -> float:
    where = [{"field": "amount", "op": ">=", "value": 1_000_000}]
    trigger = {"kind": "event", "event": "order.placed", "where": where}
    made = Strategy.model_validate({"name": name, "trigger": trigger, "actions": [{"task": "call"}]})
    chunk = b"".join(_order(f"{name} {i}", at + i) for i in range(2))
    begun = time.perf_counter()
    matcher.engine.deploy(made, 1)
    outcome = matcher.decide(chunk)
    taken = time.perf_counter() - begun
    assert name in {f.strategy for f in outcome.firings}, "the new strategy did not fire"
    return taken * 1e3


def _order(key: str, at: int) -> bytes:
    text = f'{{"id":"{key}","type":"order.placed","time":"{format_time(at)}","subject":"customer/c1"'
    return f'{text},"data":{{"amount":2000000.5}}}}\n'.encode()


class Grown(NamedTuple):
    """With every customer seen: the rate of what comes then, and resident memory, in bytes."""

    cpu: float
    wall: float
    resident: int


def grown(name: str, extent: Extent, count: int = 1_000) -> Grown:
    """Each of so many customers has come once, the busiest `KNOWN` with a fact; then the stream goes on."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], mixed(count), stream.facts(KNOWN))
    everyone(matcher, extent.customers)
    found = deciding(matcher, stream, extent.events, extent.batch, extent.rounds)
    return Grown(found.cpu, found.wall, resident())


def everyone(matcher: Matcher, customers: int) -> None:
    """One view by each customer, at one instant before the stream."""
    for first in range(0, customers, AT_ONCE):
        matcher.decide(views(range(first, min(first + AT_ONCE, customers)), -60))


class Recovered(NamedTuple):
    """Seconds to write a snapshot, to read it in a fresh engine, and to take the journal behind it; its bytes."""

    write: float
    read: float
    replay: float
    size: int


def recovery(name: str, extent: Extent, count: int = 1_000) -> Recovered:
    """A snapshot with state of so many customers, and a journal of so many events since."""
    stream = Stream(extent.customers)
    matcher = started(matchers()[name], mixed(count), stream.facts(KNOWN))
    everyone(matcher, extent.customers)
    for batch in cut(stream.chunk(extent.events), AT_MOST):
        matcher.decide(batch)
    marks = [time.perf_counter()]
    kept = matcher.engine.snapshot()
    marks.append(time.perf_counter())
    fresh = matchers()[name]()
    fresh.engine.restore(kept)
    marks.append(time.perf_counter())
    for batch in cut(stream.chunk(extent.events, extent.events), AT_MOST):
        fresh.decide(batch)
    marks.append(time.perf_counter())
    write, read, replay = (b - a for a, b in pairwise(marks))
    return Recovered(write, read, replay, len(kept))


def states(name: str, extent: Extent) -> float:
    return bytes_per_state(name, extent.customers)


def work(count: int, sample: int, timed: int = 5_000, wanted: Sequence[Rule] | None = None) -> Work:
    """The peers' work: a sample of which a third passes some rule, and other events to be timed on."""
    chosen = list(wanted or rules(count))
    lines = Stream().lines(20 * sample)
    passing = [line for line, found in zip(lines, matches(chosen, lines), strict=True) if found]
    mixed_in = [*passing[: sample // 3], *lines[: sample - min(len(passing), sample // 3)]]
    return Work(chosen, mixed_in, Stream().lines(timed, 1_000_000))
