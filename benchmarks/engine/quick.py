"""The figures in under a minute on two cores: the same measurements as the full run on less work. The peers are set up
meanwhile if they are not there yet; one whose turn does not come in time is left out and named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.engine import figures, memory, peers, truth
from benchmarks.engine.figures import Extent
from benchmarks.engine.matchers import matchers
from benchmarks.engine.measure import Rate, resting

SECONDS = 55.0
"""No peer is begun that is not likely to be done by then."""
PER_PEER = 6.0
PACE = peers.Pace(seconds=0.15, rounds=3, warm=0.5)
SAMPLE = 150
KEYS = (
    "decision_eps_1k",
    "match_eps_1k",
    "match_eps_10k",
    "match_eps_100k",
    "p99_ms",
    "bytes_per_state",
    "change_ms_10k",
    "oracle_differences",
)


@dataclass(frozen=True)
class Size:
    """What a matcher is given. `filters`: how many are matched alone, under each label; None: it is not asked. `less`:
    for what takes long or waits."""

    extent: Extent
    less: Extent
    customers: int
    filters: dict[str, int | None] = field(default_factory=lambda: {"1k": 1_000, "10k": 10_000, "100k": 100_000})
    mixed: int = 1_000
    beside: int = 10_000
    rounds: int = 5


SIZES = {
    "python": Size(Extent(300, 500, 3), Extent(300, 500, 3), 1_000, {"1k": 1_000, "10k": 10_000, "100k": None}),
    "columnar": Size(Extent(20_000, 40_000), Extent(20_000, 12_000), 50_000),
}
"""The pure Python matcher is made for stores, not for streams."""
Say = Callable[[str], None]


def to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def quick(say: Say = to_stderr) -> dict[str, Any]:
    """All of `KEYS`, what they are to be read with, and a `ratio_vs_` each peer that answered right and in time."""
    begun = time.perf_counter()
    name = list(matchers())[-1]
    size = SIZES[name]
    ready = peers.ENVIRONMENT.ready
    with _Setup(say) as setup, _Aside(name, size, begun + 0.6 * SECONDS if ready else 0) as aside:
        found = own(say, name, size, aside)
        results = aside.peers
        if not ready and setup.done(begun + SECONDS - PER_PEER):
            results = asked(begun + SECONDS, say)
    return found | ratios(found["match_cpu_eps_1k"], results, say) | {"seconds": round(time.perf_counter() - begun, 1)}


def own(say: Say, name: str, size: Size, aside: _Aside | None = None) -> dict[str, Any]:
    """A matcher's own figures."""
    with resting(aside.held if aside else nullcontext):
        return _own(say, name, size, aside)


def _own(say: Say, name: str, size: Size, aside: _Aside | None) -> dict[str, Any]:
    wrong, fired = truth.differences(matchers(), size.rounds)
    say(f"differences to the oracle, in {fired} firings: {wrong}")
    decided = figures.decision(name, size.extent, size.mixed)
    say(f"JSON in → decision, {size.mixed:,} mixed strategies: {_rate(decided)}")
    pace = min(100_000, round(decided.wall / 2))
    waited = figures.latency(name, size.less, pace, size.mixed)
    say(f"arrivals at {pace:,}/s: p50 {waited.p50:.2f} ms, p99 {waited.p99:.2f} ms, {waited.batch:.0f} events a call")
    found: dict[str, Any] = {
        "matcher": name,
        "cores": len(os.sched_getaffinity(0)),
        "decision_eps_1k": round(decided.wall),
        "decision_cpu_eps_1k": round(decided.cpu),
        "firings_per_event": round(decided.found, 4),
        "p99_ms": round(waited.p99, 3),
        "p99_at_eps": pace,
        "bytes_per_state": round(memory.bytes_per_state(name, size.customers), 1),
        "change_ms_10k": round(figures.change(name, size.less, size.beside), 2),
        "oracle_differences": sum(wrong.values()),
    }
    for label, count in size.filters.items():
        if count is None:
            found[f"match_eps_{label}"] = None
            say(f"match only, {label} filters: not asked of the {name} matcher in a quick run")
            continue
        if aside and count == aside.filters:
            matched = aside.matched()
        else:
            matched = figures.match_only(name, size.extent, count)
        found |= {f"match_eps_{label}": round(matched.wall), f"match_cpu_eps_{label}": round(matched.cpu)}
        say(f"match only, {count:,} filters: {_rate(matched)}")
    return found


class _Aside:
    """What can go on beside figures that need a clock, in a process of its own: asking peers, whose CPU time counts, up
    to a moment; then putting together the most filters that there are, to be matched when they are asked for."""

    def __init__(self, name: str, size: Size, end: float) -> None:
        self.filters = max(count for count in size.filters.values() if count)
        self._pipe, there = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(
            target=_aside, args=(there, end, name, size.less, self.filters), daemon=True
        )

    def __enter__(self) -> _Aside:
        self._process.start()
        return self

    @contextmanager
    def held(self) -> Iterator[None]:
        """It stands still, with the peers it asks, so that a figure by the clock has all cores."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):  # it has not begun yet, or is over
            os.killpg(self._process.pid, number)

    def matched(self) -> Rate:
        """Asked when nothing else is measured."""
        self.peers: list[peers.Result] = self._pipe.recv()
        self._pipe.send(None)
        found: Rate = self._pipe.recv()
        return found

    def __exit__(self, *_: object) -> None:
        self._signal(signal.SIGTERM)
        self._process.terminate()
        self._process.join()


def _aside(pipe: Connection, end: float, name: str, extent: Extent, count: int) -> None:
    os.setpgid(0, 0)
    pipe.send(asked(end, to_stderr) if end else [])
    found = figures.filters(name, count)
    pipe.recv()
    pipe.send(figures.matching(found, extent))


def _rate(rate: Rate) -> str:
    return f"{rate.wall:,.0f} events/s, {rate.cpu:,.0f} a CPU second, {rate.found:.4f} found an event"


def asked(end: float, say: Say, python: Path = peers.PYTHON) -> list[peers.Result]:
    """What peers that are likely to be done by then make of 1,000 stateless filters."""
    work = figures.work(1_000, SAMPLE)
    found = []
    for peer in peers.PEERS:
        if time.perf_counter() + PER_PEER > end:
            say(f"{peer.name}: left out, the time is nearly over")
            continue
        found += peers.ask(peer, work, PACE, python)
    return found


def ratios(ours: float, results: Sequence[peers.Result], say: Say) -> dict[str, Any]:
    """Matching alone against matching alone, in events a CPU second."""
    found = {}
    for result in results:
        if result.why:
            say(f"{result.peer}, {result.form}: {result.why}")
            continue
        found[f"ratio_vs_{result.peer}{'_tuned' * result.tuned}"] = round(ours / result.eps, 1)
        say(f"{result.peer}, {result.form}: {result.eps:,.0f} events a CPU second")
    return found


class _Setup:
    """Setting up the peers beside everything that needs no clock; ended when it takes too long."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Setup:
        if not peers.ENVIRONMENT.ready:
            self._say("the peers are not there yet; they are being set up meanwhile")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.engine", "--peers-setup"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def done(self, end: float) -> bool:
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.1, end - time.perf_counter()))
        except subprocess.TimeoutExpired:
            self._say("the peers could not be set up in time; do it with: python -m benchmarks.engine --peers-setup")
            return False
        return peers.ENVIRONMENT.ready

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
