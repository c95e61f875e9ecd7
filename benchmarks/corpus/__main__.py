"""The corpus of sentences: what is read rightly, what is asked or refused as it should be, and what comes out wrong.

`python -m benchmarks.corpus [--part seen|holdout|blind|all] [--noise] [--seed 7] [--failures] [--json]`; exits with
1 when more than 0.5% of a part's sentences give a wrong strategy. `--failures` shows those that did not come out
right, but never those of the hold-out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from benchmarks.corpus.cases import BLIND_INDUSTRIES, INDUSTRIES, PARTS, Part, cases
from benchmarks.corpus.noise import KINDS, noisy
from benchmarks.corpus.report import counted, table
from benchmarks.corpus.score import Verdict, judge
from benchmarks.machine import machine_facts

WRONG_PERCENT = 0.5


def _groups(verdicts: Sequence[Verdict]) -> dict[str, dict[str, Any]]:
    groups = {"all": list(verdicts)}
    for lang in ("zh", "en"):
        groups[lang] = [v for v in verdicts if v.case.lang == lang]
    for industry in (*INDUSTRIES, *BLIND_INDUSTRIES):
        if told := [v for v in verdicts if v.case.meaning.industry == industry]:
            groups[industry] = told
    for wanted in ("read", "refused", "asked"):
        groups[f"to be {wanted}"] = [v for v in verdicts if v.case.meaning.wanted == wanted]
    return {name: counted(group) for name, group in groups.items()}


def run(parts: Sequence[Part], seed: int | None) -> tuple[dict[str, Any], list[Verdict]]:
    """The report, and the verdicts it counts; with a seed, of noisy variants too, of what is read rightly."""
    report: dict[str, Any] = {"machine": machine_facts(), "parts": {}, "noise": {}}
    told: list[Verdict] = []
    for part in parts:
        found = list(cases(part))
        judge(found[0])  # the lexicon of a catalog is made once
        verdicts = [judge(case) for case in found]
        report["parts"][part] = _groups(verdicts)
        told += verdicts
        if seed is not None:
            plain = [verdict.case for verdict in verdicts if verdict.right]
            report["noise"][part] = {
                kind: counted([judge(each) for each in noisy(plain, kind, seed)]) for kind in KINDS
            }
    return report, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=(*PARTS, "all"), default="all")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--failures", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    parts: Sequence[Part] = PARTS if args.part == "all" else (args.part,)
    report, verdicts = run(parts, args.seed if args.noise else None)
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        _print(report)
    if args.failures:
        for verdict in verdicts:
            if verdict.case.meaning.part != "holdout" and verdict.outcome != "exact" and not verdict.right:
                _tell(verdict)
    wrong = max(groups["all"]["wrong_percent"] for groups in report["parts"].values())
    return 0 if wrong <= WRONG_PERCENT else 1


def _print(report: dict[str, Any]) -> None:
    print("  ".join(f"{name}: {value}" for name, value in report["machine"].items()))
    for part, groups in report["parts"].items():
        print(f"\n{part}\n{table(groups.items())}")
    for part, kinds in report["noise"].items():
        print(f"\n{part}, with noise\n{table(kinds.items())}")


def _tell(verdict: Verdict) -> None:
    meaning = verdict.case.meaning
    print(f"\n{verdict.outcome}: {verdict.case.text}  ({meaning.industry})\n  got   {verdict.answer}")
    if meaning.gold is not None:
        gold = meaning.gold.model_dump_json(exclude_defaults=True, exclude={"strategy", "name"})
        print(f"  meant {gold}")
    else:
        print(f"  meant {meaning.wanted}: {meaning.reason}")


if __name__ == "__main__":
    raise SystemExit(main())
