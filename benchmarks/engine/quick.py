"""The figures in under a minute on two cores: the same measurements as the full run on less work. The peers are set up
meanwhile if they are not there yet; one whose turn does not come in time is left out and named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engine import figures, memory, peers, truth
from benchmarks.engine.figures import Extent
from benchmarks.engine.matchers import matchers
from benchmarks.engine.measure import Rate

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
    """What a matcher is given. `filters`: how many are matched alone, under each label; None: it is not asked."""

    extent: Extent
    customers: int
    filters: dict[str, int | None] = field(default_factory=lambda: {"1k": 1_000, "10k": 10_000, "100k": 100_000})
    mixed: int = 1_000
    beside: int = 10_000
    rounds: int = 5


SIZES = {
    "python": Size(Extent(300, 500, 3), 1_000, {"1k": 1_000, "10k": 10_000, "100k": None}),
    "columnar": Size(Extent(20_000, 40_000), 20_000),
}
"""The pure Python matcher is made for stores, not for streams."""
Say = Callable[[str], None]


def to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def quick(say: Say = to_stderr) -> dict[str, Any]:
    """All of `KEYS`, what they are to be read with, and a `ratio_vs_` each peer that answered right and in time."""
    begun = time.perf_counter()
    with _Setup(say) as setup:
        found = own(say)
        if setup.done(begun + SECONDS - PER_PEER):
            found |= ratios(found["match_cpu_eps_1k"], begun + SECONDS, say)
    return found | {"seconds": round(time.perf_counter() - begun, 1)}


def own(say: Say, name: str | None = None, size: Size | None = None) -> dict[str, Any]:
    """The engine's own figures, of the fastest matcher there is unless one is named."""
    name = name or list(matchers())[-1]
    size = size or SIZES[name]
    wrong, fired = truth.differences(matchers(), size.rounds)
    say(f"differences to the oracle, in {fired} firings: {wrong}")
    decided = figures.decision(name, size.extent, size.mixed)
    say(f"JSON in → decision, {size.mixed:,} mixed strategies: {_rate(decided)}")
    found: dict[str, Any] = {
        "matcher": name,
        "cores": len(os.sched_getaffinity(0)),
        "decision_eps_1k": round(decided.wall),
        "decision_cpu_eps_1k": round(decided.cpu),
        "firings_per_event": round(decided.found, 4),
    }
    for label, count in size.filters.items():
        if count is None:
            found[f"match_eps_{label}"] = None
            say(f"match only, {label} filters: not asked of the {name} matcher in a quick run")
            continue
        matched = figures.match_only(name, size.extent, count)
        found |= {f"match_eps_{label}": round(matched.wall), f"match_cpu_eps_{label}": round(matched.cpu)}
        say(f"match only, {count:,} filters: {_rate(matched)}")
    pace = min(100_000, round(decided.wall / 2))
    waited = figures.latency(name, size.extent, pace, size.mixed)
    say(f"arrivals at {pace:,}/s: p50 {waited.p50:.2f} ms, p99 {waited.p99:.2f} ms, {waited.batch:.0f} events a call")
    return found | {
        "p99_ms": round(waited.p99, 3),
        "p99_at_eps": pace,
        "bytes_per_state": round(memory.bytes_per_state(name, size.customers), 1),
        "change_ms_10k": round(figures.change(name, size.extent, size.beside), 2),
        "oracle_differences": sum(wrong.values()),
    }


def _rate(rate: Rate) -> str:
    return f"{rate.wall:,.0f} events/s, {rate.cpu:,.0f} a CPU second, {rate.found:.4f} found an event"


def ratios(ours: float, end: float, say: Say, python: Path = peers.PYTHON) -> dict[str, Any]:
    """Matching alone against matching alone, in events a CPU second, on 1,000 stateless filters."""
    work = figures.work(1_000, SAMPLE)
    found = {}
    for peer in peers.PEERS:
        if time.perf_counter() + PER_PEER > end:
            say(f"{peer.name}: left out, the minute is nearly over")
            continue
        for result in peers.ask(peer, work, PACE, python):
            if result.why:
                say(f"{peer.name}, {result.form}: {result.why}")
                continue
            found[f"ratio_vs_{peer.name}{'_tuned' * result.tuned}"] = round(ours / result.eps, 1)
            say(f"{peer.name}, {result.form}: {result.eps:,.0f} events a CPU second")
    return found


class _Setup:
    """Setting up the peers beside everything that needs no clock; ended when it takes too long."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Setup:
        if not peers.is_set_up():
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
        return peers.is_set_up()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
