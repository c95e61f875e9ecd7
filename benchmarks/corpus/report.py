"""Verdicts as counts and shares: one row a group of sentences, and the table of them in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.corpus.score import Verdict

COLUMNS = ("sentences", "exact", "same", "refused_right", "asked_right", "asked_needlessly", "refused_wrongly", "wrong")
"""`same`: another document, equal on the timeline. `asked_needlessly`, `refused_wrongly`: no strategy where one was
said, or a question and a refusal mixed up. `wrong`: a strategy that is not the one said, or where none should be."""


def counted(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The row of a group: counts, the share that came out right, and of the wrong ones those without a warning."""
    counts = Counter(_column(verdict) for verdict in verdicts)
    times = [verdict.milliseconds for verdict in verdicts]
    return {
        "sentences": len(verdicts),
        **{name: counts[name] for name in COLUMNS[1:]},
        "silently_wrong": sum(v.outcome == "wrong" and not v.warned for v in verdicts),
        "right_percent": _share(sum(v.right for v in verdicts), len(verdicts)),
        "exact_percent_of_read": _share(counts["exact"], sum(v.case.meaning.wanted == "read" for v in verdicts)),
        "wrong_percent": _share(counts["wrong"], len(verdicts)),
        "p50_ms": round(float(np.percentile(times, 50)), 2) if times else None,
        "p95_ms": round(float(np.percentile(times, 95)), 2) if times else None,
    }


def _column(verdict: Verdict) -> str:
    if verdict.outcome in ("exact", "same", "wrong"):
        return verdict.outcome
    if verdict.right:
        return f"{verdict.outcome}_right"
    return "asked_needlessly" if verdict.outcome == "asked" else "refused_wrongly"


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def table(rows: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """Rows of `counted` with their names."""
    shown = [*COLUMNS, "silently_wrong", "right_percent", "p50_ms", "p95_ms"]
    head = ["", *(name.replace("_", " ") for name in shown)]
    lines = [head, *([name, *(str(row[key]) for key in shown)] for name, row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
