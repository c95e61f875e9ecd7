"""How things are timed: CPU of this process and wall time, an odd number of times, the median kept."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.engine.generator import Stream
from benchmarks.engine.matchers import Matcher

AT_MOST = 1_024
"""Events taken at a time when more are queued."""


_REST: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar("rest", default=nullcontext)


@contextmanager
def resting(rest: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Within it, `rest` is entered while anything is timed by the clock: work of ours on the side stands still then."""
    token = _REST.set(rest)
    try:
        yield
    finally:
        _REST.reset(token)


class Pass(NamedTuple):
    """One stretch of work: how many events, and how many firings or matches came of them."""

    events: int
    found: int
    cpu: float
    wall: float


class Rate(NamedTuple):
    """Events a second of CPU and of wall time: medians. `found`: firings (or matches) an event."""

    cpu: float
    wall: float
    found: float


def spent(work: Callable[[], int], events: int) -> Pass:
    gc.collect()
    with _REST.get()():
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        return Pass(events, found, time.process_time() - cpu, time.perf_counter() - wall)


def rate(passes: Sequence[Pass]) -> Rate:
    return Rate(
        median(p.events / max(p.cpu, 1e-9) for p in passes),
        median(p.events / max(p.wall, 1e-9) for p in passes),
        sum(p.found for p in passes) / sum(p.events for p in passes),
    )


def deciding(matcher: Matcher, stream: Stream, each: int, batch: int, rounds: int = 5, warm: int = 0) -> Rate:
    """JSON in, decisions out: consecutive stretches of one stream, so that state grows as it does in life. The stretch
    before the first is not counted; it compiles what is to be compiled."""
    passes = []
    first = warm or each
    _decide(matcher, cut(stream.chunk(first), batch))
    for _ in range(rounds):
        batches = cut(stream.chunk(each, first), batch)
        passes.append(spent(lambda: _decide(matcher, batches), each))  # noqa: B023  # it runs at once
        first += each
    return rate(passes)


def _decide(matcher: Matcher, batches: Sequence[bytes]) -> int:
    return sum(len(matcher.decide(batch).firings) for batch in batches)


def cut(chunk: bytes, size: int) -> list[bytes]:
    """NDJSON in pieces of so many lines."""
    ends = line_ends(chunk)
    places = [0, *ends[size - 1 :: size].tolist()]
    if places[-1] != len(chunk):
        places.append(len(chunk))
    return [chunk[a:b] for a, b in pairwise(places)]


def line_ends(chunk: bytes) -> Any:
    """Where each line ends, behind its line end."""
    return np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + 1


class Latency(NamedTuple):
    """Milliseconds from arrival to decision, and how many events a call took on average."""

    p50: float
    p99: float
    batch: float


def paced(matcher: Matcher, chunk: bytes, per_second: int) -> Latency:
    """Events come evenly at a pace of their own, whatever the matcher does; it takes what is queued, at most
    `AT_MOST`, never waits for more. With no lateness an event is decided when the next instant begins: the last of
    a batch therefore counts as decided by the batch after it."""
    with _REST.get()():
        return _paced(matcher, chunk, per_second)


def _paced(matcher: Matcher, chunk: bytes, per_second: int) -> Latency:
    ends = [0, *line_ends(chunk).tolist()]
    count, done, calls, decided = len(ends) - 1, 0, 0, 0
    waits: list[Any] = []
    begun = time.perf_counter()
    while done < count:
        due = min(count, int((time.perf_counter() - begun) * per_second), done + AT_MOST)
        if due <= done:
            continue
        matcher.decide(chunk[ends[done] : ends[due]])
        now = time.perf_counter() - begun
        waits.append(now - np.arange(decided, due - 1) / per_second)
        done, decided, calls = due, due - 1, calls + 1
    every = np.concatenate(waits) * 1e3
    return Latency(float(np.quantile(every, 0.5)), float(np.quantile(every, 0.99)), count / calls)


def alone(matcher: Matcher, lines: Sequence[bytes]) -> Latency:
    """One event at a time, each taken when the one before is done: milliseconds a call."""
    taken = []
    for line in lines:
        begun = time.perf_counter()
        matcher.decide(line)
        taken.append(time.perf_counter() - begun)
    every = np.array(taken) * 1e3
    return Latency(float(np.quantile(every, 0.5)), float(np.quantile(every, 0.99)), 1.0)
