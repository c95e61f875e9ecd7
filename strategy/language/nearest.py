"""The known names that come closest to an unknown one: by spelling, and where someone lends a sense of meaning, by
meaning too, so that a slip of the finger and another word for the same thing are both found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rapidfuzz import fuzz, process, utils

_SPELLED, _MEANT = 0.5, 0.45
"""From which likeness on a name is shown at all."""
_FOREIGN = 0.15
"""What a label of the other language has to be more alike by: people look for names in the language they write."""


class Likeness(Protocol):
    """How alike names are in meaning. Asked only about what no vocabulary knows."""

    def __call__(self, said: str, labels: Sequence[str]) -> Sequence[float]:
        """One number a label, -1 to 1: the cosine of `said` and the label."""
        ...


def closest(said: str, labels: Sequence[str], likeness: Likeness | None, limit: int = 3) -> list[str]:
    """The labels closest to `said`, best first; empty when none is close. Without `likeness`, by spelling alone."""
    known = list(dict.fromkeys(labels))
    spelled = process.extract(said, known, scorer=fuzz.WRatio, processor=utils.default_process, limit=None)
    scores = {label: _above(score / 100, _SPELLED) for label, score, _ in spelled}
    if likeness is not None:
        for label, meant in zip(known, likeness(said, known), strict=True):
            own = meant if label.isascii() == said.isascii() else meant - _FOREIGN
            two = sorted((scores.get(label, 0.0), _above(own, _MEANT)))
            scores[label] = two[1] + two[0] / 4
    found = sorted((label for label, score in scores.items() if score > 0), key=lambda label: -scores[label])
    return found[:limit]


def _above(value: float, bar: float) -> float:
    """How far above its bar, so that likenesses of two kinds can stand beside each other; something at the bar."""
    return 0.01 + (value - bar) / (1 - bar) if value >= bar else 0.0
