"""What is expected before anything is seen: a model for where there is too little to learn from, and what learning is
held towards."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from knowledge.identity.compare import LEVELS
from knowledge.identity.fields import Field
from knowledge.identity.model import Comparison, MatchModel
from knowledge.identity.rules import Rules

_EXPECTED: dict[int, tuple[tuple[float, ...], tuple[float, ...]]] = {
    3: ((0.85, 0.08, 0.07), (0.01, 0.01, 0.98)),
    4: ((0.80, 0.10, 0.05, 0.05), (0.005, 0.005, 0.01, 0.98)),
    5: ((0.78, 0.10, 0.03, 0.04, 0.05), (0.005, 0.004, 0.001, 0.02, 0.97)),
}
"""Number of levels → m and u before anything is seen."""
STRANGERS = 11.0
"""Bits of `kin` where nothing points to families."""


def untrained(fields: Sequence[Field], rules: Rules, records: int) -> MatchModel:
    """The model for about so many records of which nothing is known. Its prior says: one other record of the same
    entity for every record."""
    comparisons = tuple(expected(f) for f in fields)
    return MatchModel(comparisons, -log2(max(2, records)), STRANGERS, {}, rarest_of(records), frozenset(), rules)


def expected(field: Field) -> Comparison:
    m, u = _EXPECTED[len(LEVELS[field.kind])]
    return Comparison(field, m, u)


def rarest_of(records: int) -> float:
    """The share of a value that no more than two of so many records have."""
    return 1 / max(4, records)
