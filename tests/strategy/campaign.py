"""Many random worlds: oracle, Python matcher and columnar matcher held equal, firing for firing, as the tests of
tests/strategy/engine/test_engine_oracle.py hold them for a few.

Run: python -m tests.strategy.campaign [--cases 200000] [--seed 1] [--jobs 2]. A case is one random world: a catalog,
strategies, and a stream with ties, disorder, duplicates, gaps, restarts and, in every fourth, strategies that come,
change and go. A world that fails is shrunk, printed and counted; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "engine"))

import test_bounds_oracle
import test_engine_oracle as worlds

from benchmarks.machine import machine_facts
from tests.backends import BACKENDS

ROUND = 500
"""Cases drawn from one seed: Hypothesis looks for variety within a round, and remembers what it drew."""


class Kind(NamedTuple):
    name: str
    inner: Callable[..., None]
    fixed: dict[str, Any]


def _kind(test: Any, **fixed: Any) -> Kind:
    return Kind(test.__name__.removeprefix("test_"), test.hypothesis.inner_test, fixed)


KINDS = (
    *[_kind(worlds.test_oracle_and_both_matchers_fire_and_see_the_same)] * 8,
    *[
        _kind(test, backend=backend)
        for test in (
            worlds.test_deployed_edited_and_retired_while_the_stream_runs_it_fires_as_the_oracle_says,
            worlds.test_strategies_that_share_conditions_come_change_and_go_as_the_oracle_says,
        )
        for backend in BACKENDS
    ],
    _kind(worlds.test_a_strategy_refused_as_never_firing_would_not_have_fired),
    _kind(test_bounds_oracle.test_a_condition_has_only_the_truths_that_its_bounds_leave_it),
)


class Round(NamedTuple):
    kind: str
    seed: int
    cases: int
    cpu: float
    failure: str | None


def try_worlds(number: int, first_seed: int, cases: int) -> Round:
    """The `number`-th round of the campaign: `cases` worlds of one kind, or the smallest one that failed."""
    name, inner, fixed = KINDS[number % len(KINDS)]
    backends = {key: BACKENDS[value] for key, value in fixed.items()}
    tried = 0

    def once(data: st.DataObject) -> None:
        nonlocal tried
        inner(**backends, data=data)
        tried += 1

    hold = settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )(seed(first_seed + number)(given(st.data())(once)))
    spent = time.process_time()
    failure = None
    try:
        hold()
    except Exception:
        failure = traceback.format_exc()
    return Round(" ".join([name, *fixed.values()]), first_seed + number, tried, time.process_time() - spent, failure)


def rounds(cases: int, first_seed: int, jobs: int) -> Iterator[Round]:
    numbers = range(-(-cases // ROUND))
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(try_worlds, numbers, [first_seed] * len(numbers), [ROUND] * len(numbers))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    say(str(machine_facts()))
    tried: Counter[str] = Counter()
    cpu, failures = 0.0, 0
    for done in rounds(asked.cases, asked.seed, asked.jobs):
        tried[done.kind] += done.cases
        cpu += done.cpu
        if done.failure is not None:
            failures += 1
            say(f"FAILED {done.kind} (seed {done.seed})\n{done.failure}")
        say(f"{tried.total()} cases, {failures} rounds with a difference, {cpu:.0f} CPU s")
    for kind, cases in tried.most_common():
        say(f"{cases:>8} {kind}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
