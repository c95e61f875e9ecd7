"""The tests' brute-force oracle for the benchmark: it evaluates documents the slow and obvious way and shares nothing
with the engine. Peers' answers and the matchers' firings are held against it before anything is timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson

from benchmarks.engine.generator import Rule, Stream
from benchmarks.engine.matchers import Matcher, started
from benchmarks.engine.mixed import event_filter, mixed
from benchmarks.engine.world import catalog
from core.events import read_event
from core.times import DAY, Micros
from strategy.document import EventFilter
from tests.strategy.engine.oracle import Oracle

FIRING_OFTEN = (5e-3, 1e-1)
"""Stateless filters of the differential rounds pass so much that a hundred events fire something."""


def matches(rules: Sequence[Rule], lines: Sequence[bytes]) -> list[list[str]]:
    """For each event the names of the rules that it passes, sorted."""
    passes = Oracle(catalog(), [])._matches
    filters = [(rule.name, EventFilter.model_validate(event_filter(rule.event, rule.where))) for rule in rules]
    events = [read_event(orjson.loads(line)) for line in lines]
    return [sorted(name for name, asked in filters if passes(event, asked)) for event in events]


def differences(
    made: Mapping[str, Callable[[], Matcher]], rounds: int, seed: int = 0, events: int = 40
) -> tuple[dict[str, int], int]:
    """Mixed strategies over small streams in batches of several sizes, then a day of nothing.

    Returns:
        In how many firings each matcher and the oracle disagree, and how many the oracle says there are.
    """
    wrong, fired = dict.fromkeys(made, 0), 0
    for number in range(seed, seed + rounds):
        strategies = mixed(8, number, FIRING_OFTEN)
        stream = Stream(customers=3, daily=2_000, seed=number)
        facts, lines = list(stream.facts()), stream.lines(events)
        oracle = Oracle(catalog(), strategies)
        oracle.ingest([*facts, *(read_event(orjson.loads(line)) for line in lines)])
        end = Micros(stream.moment(events) + DAY)
        oracle.advance(end)
        true = set(oracle.firings())
        fired += len(true)
        size = (1, 7, events)[number % 3]
        for name, each in made.items():
            matcher = started(each, strategies, facts)
            parts = [b"\n".join(lines[i : i + size]) for i in range(0, events, size)]
            firings = [f for part in parts for f in matcher.decide(part).firings]
            firings += matcher.engine.advance(end).firings
            wrong[name] += len({(f.strategy, f.subject, f.at) for f in firings} ^ true)
    return wrong, fired
