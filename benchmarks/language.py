"""Sentences to strategies and back: wall and CPU time a sentence, a whole card (over the corpus but for its hold-out),
and the cost of a new catalog.

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

from benchmarks.corpus.cases import Case, cases
from benchmarks.machine import machine_facts
from core.errors import ZhongshuError
from knowledge.catalog import Catalog, load_catalog
from strategy.card import card_of
from strategy.language import read_sentence, readback
from strategy.language.lexicon import Lexicon, lexicon_of

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


def _card(case: Case) -> None:
    """What `zhongshu strategy draft` does with a sentence: read, check, read back in both languages."""
    reading = read_sentence(case.text, case.meaning.catalog)
    card_of(reading.document, case.meaning.catalog, sentence=case.text, path=reading.read_by, warnings=reading.warnings)


def _cards(rounds: int) -> dict[str, float]:
    """Only sentences that become a strategy: a refusal has no card."""
    carded = []
    for case in (*cases("seen"), *cases("blind")):
        lexicon_of(case.meaning.catalog)
        with contextlib.suppress(ZhongshuError):
            _card(case)
            carded.append(partial(_card, case))
    return {"sentences": len(carded), **_measure(carded, rounds)}


def run(rounds: int) -> dict[str, Any]:
    catalogs = {name: load_catalog(_DATA / f"{name}.yaml").catalog for name in ("catalog", "sentences_catalog")}
    said: list[tuple[str, Catalog]] = []
    for lang in ("zh", "en"):
        for case in yaml.safe_load((_DATA / f"sentences_{lang}.yaml").read_text(encoding="utf-8")):
            said.append((case["say"], catalogs["sentences_catalog" if case.get("catalog") else "catalog"]))
    lexicon = _measure([partial(Lexicon, catalogs["sentences_catalog"])], rounds)
    read_sentence(*said[0])
    strategies = []
    for text, catalog in said:
        with contextlib.suppress(ZhongshuError):
            strategies.append((read_sentence(text, catalog).document, catalog))
    return {
        "machine": machine_facts(),
        "new_catalog": lexicon,
        "read": {
            "sentences": len(said),
            **_measure([partial(read_sentence, text, catalog) for text, catalog in said], rounds),
        },
        "readback": {
            "strategies": len(strategies),
            **_measure([partial(readback, strategy, catalog, "zh") for strategy, catalog in strategies], 1),
        },
        "card": _cards(rounds),
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
    return 0 if report["card"]["cpu_p95"] < TARGET_P95_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
