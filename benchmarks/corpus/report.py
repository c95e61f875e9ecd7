"""Verdicts as counts and shares: one row a group of sentences, and the table of them in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.corpus.score import Verdict

COLUMNS = (
    "sentences", "exact", "same", "task", "refused_right", "asked_right",
    "asked_needlessly", "refused_wrongly", "wrong",
)  # fmt: skip
"""`same`: another document, equal on the timeline. `task`: an action was kept as a task, with a warning.
`asked_needlessly`, `refused_wrongly`: no strategy where one was said, or a question and a refusal mixed up. `wrong`: a
strategy that is not the one said, or where none should be."""


def counted(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The row of a group: counts, the share that came out right, and of the wrong ones those without a warning."""
    counts = Counter(_column(verdict) for verdict in verdicts)
    wall = [verdict.wall_ms for verdict in verdicts]
    cpu = [verdict.cpu_ms for verdict in verdicts]
    return {
        "sentences": len(verdicts),
        **{name: counts[name] for name in COLUMNS[1:]},
        "silently_wrong": sum(v.outcome == "wrong" and not v.warned for v in verdicts),
        "right_percent": _share(sum(v.right for v in verdicts), len(verdicts)),
        "exact_percent_of_read": _share(counts["exact"], sum(v.case.meaning.wanted == "read" for v in verdicts)),
        "wrong_percent": _share(counts["wrong"], len(verdicts)),
        "p50_ms": _percentile(wall, 50),
        "p95_ms": _percentile(wall, 95),
        "cpu_p95_ms": _percentile(cpu, 95),
    }


def _column(verdict: Verdict) -> str:
    if verdict.outcome in ("exact", "same", "task", "wrong"):
        return verdict.outcome
    if verdict.right:
        return f"{verdict.outcome}_right"
    return "asked_needlessly" if verdict.outcome == "asked" else "refused_wrongly"


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _percentile(values: Sequence[float], percent: int) -> float | None:
    return round(float(np.percentile(values, percent)), 2) if values else None


def table(rows: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """Rows of `counted` with their names."""
    shown = [*COLUMNS, "silently_wrong", "right_percent", "p50_ms", "p95_ms", "cpu_p95_ms"]
    head = ["", *(name.replace("_", " ") for name in shown)]
    lines = [head, *([name, *(str(row[key]) for key in shown)] for name, row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
