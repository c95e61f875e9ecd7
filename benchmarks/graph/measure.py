"""How long a read takes: percentiles of wall and CPU time, each the median of rounds. What is read is in figures.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import NamedTuple

ROUNDS = 5


class Spread(NamedTuple):
    """Milliseconds. `cpu_…` is the time of this process's processor, which others on the machine hardly change."""

    p50: float
    p99: float
    cpu_p50: float
    cpu_p99: float


def spread(run: Callable[[int], object], times: int, rounds: int = ROUNDS) -> Spread:
    """Of `times` calls; each figure is the median of so many rounds."""
    found = []
    for number in range(rounds):
        taken = []
        for i in range(times):
            cpu, wall = time.process_time(), time.perf_counter()
            run(number * times + i)
            taken.append((time.perf_counter() - wall, time.process_time() - cpu))
        cuts = [quantiles(each, n=100) for each in zip(*taken, strict=True)]
        found.append([cut[place] * 1e3 for cut in cuts for place in (49, 98)])
    return Spread(*(round(median(each), 3) for each in zip(*found, strict=True)))


class Spent(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def spent(run: Callable[[], object]) -> Spent:
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return Spent(round(time.perf_counter() - wall, 3), round(time.process_time() - cpu, 3))
