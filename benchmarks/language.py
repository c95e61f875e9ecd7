"""Sentences to strategies and back: wall and CPU time a sentence over the test corpus, and the cost of a new catalog.

`python -m benchmarks.language [--rounds 5] [--json]`
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.machine import machine_facts
from core.errors import ZhongshuError
from knowledge.catalog import Catalog, load_catalog
from strategy.language import read_sentence, readback
from strategy.language.lexicon import Lexicon

TARGET_P95_MS = 30.0
_DATA = Path(__file__).parent.parent / "tests" / "data"


def _measure(work: Iterable[Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds a call, wall and CPU. Refused sentences count as well: they are answers too."""
    calls = list(work)
    wall, cpu = [], []
    for call in calls * rounds:
        started, spent = time.perf_counter(), time.process_time()
        with contextlib.suppress(ZhongshuError):
            call()
        wall.append((time.perf_counter() - started) * 1_000)
        cpu.append((time.process_time() - spent) * 1_000)
    return {
        f"{name}_{label}": round(float(np.percentile(values, p)), 2)
        for name, values in (("wall", wall), ("cpu", cpu))
        for label, p in (("p50", 50), ("p95", 95), ("p99", 99))
    }


def run(rounds: int) -> dict[str, Any]:
    catalogs = {name: load_catalog(_DATA / f"{name}.yaml").catalog for name in ("catalog", "sentences_catalog")}
    cases: list[tuple[str, Catalog]] = []
    for lang in ("zh", "en"):
        for case in yaml.safe_load((_DATA / f"sentences_{lang}.yaml").read_text(encoding="utf-8")):
            cases.append((case["say"], catalogs["sentences_catalog" if case.get("catalog") else "catalog"]))
    lexicon = _measure([partial(Lexicon, catalogs["sentences_catalog"])], rounds)
    read_sentence(*cases[0])
    strategies = []
    for text, catalog in cases:
        with contextlib.suppress(ZhongshuError):
            strategies.append((read_sentence(text, catalog).document, catalog))
    return {
        "machine": machine_facts(),
        "new_catalog": lexicon,
        "read": {
            "sentences": len(cases),
            **_measure([partial(read_sentence, text, catalog) for text, catalog in cases], rounds),
        },
        "readback": {
            "strategies": len(strategies),
            **_measure([partial(readback, strategy, catalog, "zh") for strategy, catalog in strategies], 1),
        },
        "target_p95_ms": TARGET_P95_MS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report = run(args.rounds)
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        for name, value in report.items():
            print(f"{name:>16}  {value}")
    return 0 if report["read"]["wall_p95"] < TARGET_P95_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
