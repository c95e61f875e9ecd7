"""One peer in a process of its own environment: loads, answers, and is timed when it answered rightly. Uses nothing but
the standard library and the peer."""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def percentiles(run: Callable[[str, int], object], asked: list[Any], rounds: int) -> dict[str, float]:
    """Milliseconds, each the median of rounds, as benchmarks/graph/measure.py takes them."""
    size, found = len(asked) // rounds, []
    for number in range(rounds):
        taken = []
        for subject, at in asked[number * size : (number + 1) * size]:
            cpu, wall = time.process_time(), time.perf_counter()
            run(subject, at)
            taken.append((time.perf_counter() - wall, time.process_time() - cpu))
        cuts = [statistics.quantiles(each, n=100) for each in zip(*taken, strict=True)]
        found.append([cut[place] * 1e3 for cut in cuts for place in (49, 98)])
    names = ("p50", "p99", "cpu_p50", "cpu_p99")
    return {n: round(statistics.median(each), 3) for n, each in zip(names, zip(*found, strict=True), strict=True)}


def main() -> None:
    module, folder = Path(sys.argv[1]), Path(sys.argv[2])
    spec = importlib.util.spec_from_file_location(module.stem, module)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    job = json.loads((folder / "job.json").read_text())
    cpu, wall = time.process_time(), time.perf_counter()
    peer = loaded.Peer(folder)
    base = {"load_s": round(time.perf_counter() - wall, 2), "load_cpu_s": round(time.process_time() - cpu, 2),
            "disk_mb": round(peer.disk() / 1e6, 1)}  # fmt: skip
    results = []
    for form in job["forms"]:
        run = peer.forms[form]
        said = [run(subject, at) for subject, at in job["asked"][: len(job["right"])]]
        wrong = sum(mine != right for mine, right in zip(said, job["right"], strict=True))
        times = {"why": f"wrong about {wrong} of {len(said)}"} if wrong else {}
        results.append({"form": form, **base, **(times or percentiles(run, job["asked"], job["rounds"]))})
    print(json.dumps(results))


if __name__ == "__main__":
    main()
