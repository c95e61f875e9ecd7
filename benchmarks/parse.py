"""Reading letters: wall and CPU time a letter over the demo world's, the start, and a text near the limit.

`python -m benchmarks.parse [--rounds 3] [--json]`
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.machine import machine_facts
from core.times import parse_time
from knowledge.packs.retail import world
from knowledge.parse import Router, read_text

TARGET_P95_MS = 15.0
_MARK = itertools.count()


def _measure(read: Callable[[str], object], texts: list[str], rounds: int) -> dict[str, float]:
    """Milliseconds a text, wall and CPU (all threads)."""
    wall, cpu = [], []
    # Each reading is of a text not seen before: the embedder remembers the newest ones.
    fresh = [f"{text} ({next(_MARK)})" for _ in range(rounds) for text in texts]
    for text in fresh:
        started, spent = time.perf_counter(), time.process_time()
        read(text)
        wall.append((time.perf_counter() - started) * 1_000)
        cpu.append((time.process_time() - spent) * 1_000)
    return {
        f"{name}_{label}": round(float(np.percentile(values, p)), 2)
        for name, values in (("wall", wall), ("cpu", cpu))
        for label, p in (("p50", 50), ("p95", 95), ("p99", 99))
    }


def _start() -> dict[str, float]:
    """Import and first letter in a fresh process: what a start pays when the model is already kept."""
    code = (
        "import time; t = time.perf_counter(); from knowledge.parse import read_text; "
        "i = time.perf_counter(); read_text('hello'); print(i - t, time.perf_counter() - i)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, first = (round(float(part), 2) for part in done.stdout.split())
    return {"import_s": imported, "first_letter_s": first}


def run(rounds: int) -> dict[str, Any]:
    began = time.process_time()
    demo = world(7, anchor=parse_time("2026-05-20T10:30:00+08:00"))
    world_s = round(time.process_time() - began, 2)
    letters = [f"{t.subject}\n{t.text}" for t in demo.tickets]
    calls = [t.text for t in demo.transcripts]
    read_text(letters[0])
    long = "我的订单DD202605011234扣了128元，请退款。" * 3_600
    return {
        "machine": machine_facts(),
        "world_cpu_s": world_s,
        "start": _start(),
        "letters": {"texts": len(letters), **_measure(read_text, letters, rounds)},
        "calls": {"texts": len(calls), **_measure(read_text, calls, rounds)},
        "route": {"texts": len(letters), **_measure(Router().route, letters, rounds)},
        "text_of_200_kb": {"bytes": len(long.encode()), **_measure(read_text, [long], 3)},
        "target_p95_ms": TARGET_P95_MS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report = run(args.rounds)
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        for name, value in report.items():
            print(f"{name:>16}  {value}")
    return 0 if report["letters"]["wall_p95"] < TARGET_P95_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
