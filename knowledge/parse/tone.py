"""How a text sounds: sentiment and urgency from weighted words, with negation and emphasis; and flags that decide
whether a person must see it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.text import Lang
from knowledge.parse.lexicon import lexicon
from knowledge.parse.model import Flag, Intent

_PRIOR: dict[Intent, float] = {"praise": 0.9, "service": -0.4, "churn": -0.4, "billing": -0.3}
"""How people sound who write about this, before their words are weighed."""


def sentiment(text: str, lang: Lang, intents: Mapping[Intent, float]) -> float:
    """-1 (angry) to 1 (delighted): two parts what the words say, one part what such letters sound like."""
    words = lexicon().sentiment[lang]
    total = 0.0
    for match in words.pattern.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()]
        weight = words.weights[match.group().lower()]
        if lexicon().negated[lang].search(before):
            weight *= -0.6
        elif lexicon().boosted[lang].search(before):
            weight *= 1.5
        total += weight
    prior = sum(_PRIOR.get(intent, 0.0) * share for intent, share in intents.items())
    return round(max(-1.0, min(1.0, 0.67 * math.tanh(total / 3) + 0.33 * prior)), 3)


def urgency(text: str, lang: Lang, flags: frozenset[Flag], let_down: bool) -> float:
    """0 (any day will do) to 1 (now). Each sign covers part of what is left to 1, a repeated word counts once.

    Args:
        let_down: the writer is unhappy and tells of something promised.
    """
    words = lexicon().urgency[lang]
    left = 1.0
    for word in {match.group().lower() for match in words.pattern.finditer(text)}:
        left *= 1 - words.weights[word]
    if flags & {"injury", "legal"}:
        left *= 0.3
    if "asks_for_person" in flags:
        left *= 0.7
    if let_down:
        left *= 0.6
    left *= 0.9 ** min(3, text.count("!"))
    return round(1 - left, 3)


def flags(text: str) -> frozenset[Flag]:
    """Signs that no automatic answer should be given, looked for in the whole text."""
    found: set[Flag] = set()
    known: tuple[Flag, ...] = ("asks_for_person", "injury", "legal", "instructs_reader")
    for flag in known:
        if lexicon().flags[flag].search(text):
            found.add(flag)
    return frozenset(found)
