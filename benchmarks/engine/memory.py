"""What state costs: a process that keeps so many counts for so many customers, and says how much memory it has then.

Run: python -m benchmarks.engine.memory MATCHER CUSTOMERS AGGREGATES
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.engine.generator import START
from benchmarks.engine.matchers import Matcher, matchers, started
from core.times import SECOND, format_time
from strategy.document import Strategy

TIMES = 3
"""Events of each customer: as many as the counts wait for, so that none of their places is empty."""
AT_ONCE = 1_024


def bytes_per_state(matcher: str, customers: int, aggregates: int = 20) -> float:
    """Resident bytes a (customer, count ≥ 3 in 7 days): what a process that keeps them grows by when so many customers
    come, less what one grows by that sees the same events and keeps none."""
    with ThreadPoolExecutor() as beside:
        full, bare = beside.map(lambda kept: _resident(matcher, customers, kept), (aggregates, 0))
    return (full - bare) / (customers * aggregates)


def _resident(matcher: str, customers: int, aggregates: int) -> int:
    command = [sys.executable, "-m", __name__, matcher, str(customers), str(aggregates)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    return int(json.loads(done.stdout.splitlines()[-1])["resident"])


def strategies(aggregates: int) -> list[Strategy]:
    """Counts whose filters differ and all pass, so that none can be shared; and one strategy without state."""
    counts = [
        {
            "kind": "aggregate",
            "event": "page.view",
            "where": [{"field": "seconds", "op": "<", "value": 1_000_000 + i}],
            "function": "count",
            "window": {"over": "7d"},
            "op": ">=",
            "value": TIMES,
        }
        for i in range(aggregates)
    ]
    never = {"kind": "event", "event": "page.view", "where": [{"field": "seconds", "op": ">", "value": 1e9}]}
    made = [{"name": f"s{i}", "trigger": t, "actions": [{"task": "call"}]} for i, t in enumerate([never, *counts])]
    return [Strategy.model_validate(each) for each in made]


def views(customers: range, number: int) -> bytes:
    """One view by each of these customers, a second of event time for each of their rounds."""
    time = format_time(START + number * SECOND)
    return "\n".join(
        f'{{"id":"{number}-{i}","type":"page.view","time":"{time}","subject":"customer/c{i}","data":{{"seconds":7.5}}}}'
        for i in customers
    ).encode()


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    name, customers, aggregates = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    matcher = started(matchers()[name], strategies(aggregates))
    seen(matcher, range(-AT_ONCE, 0), -TIMES)  # what is compiled and made once is no state
    before = resident()
    seen(matcher, range(customers), 0)
    print(json.dumps({"resident": resident() - before}))


def seen(matcher: Matcher, customers: range, start: int) -> None:
    """As many views of each as the counts wait for, from some second on."""
    for number in range(start, start + TIMES):
        for first in range(customers.start, customers.stop, AT_ONCE):
            matcher.decide(views(range(first, min(first + AT_ONCE, customers.stop)), number))


if __name__ == "__main__":
    main()
