"""Two rankings into one: scores are brought to mean 0 and deviation 1 over the candidates, and added."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


_FULL = 0.6
"""Share of the query's words that a passage must hold for BM25 to weigh as much as meaning does."""


def lexical_weight(best: float, ideal: float) -> float:
    """How far BM25 is to be trusted for a query, 0 to 0.5: in proportion to how much of the query its best passage
    holds. `ideal` is the score of a passage of average length with each term once. A question over texts in another
    language shares a few chance n-grams with them, which z-scores alone would blow up into an opinion."""
    return 0.5 * min(1.0, best / (_FULL * ideal)) if ideal > 0 else 0.0


def fuse(dense: Scores, lexical: Scores, weight: float) -> Scores:
    """z-scores of both, weighted (`weight` is BM25's) and added. Both give a score for every candidate."""
    return np.asarray((1 - weight) * _z(dense) + weight * _z(lexical), dtype=np.float32)


def _z(scores: Scores) -> Scores:
    deviation = float(scores.std()) if scores.size else 0.0
    if deviation < 1e-9:
        return np.zeros_like(scores)
    return np.asarray((scores - scores.mean()) / deviation, dtype=np.float32)
