"""Where a text goes: to one of the specialists, or to a person when it is unsure or must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.telemetry import span
from knowledge.parse import tone
from knowledge.parse.intents import intent_model
from knowledge.parse.model import Flag, Intent
from knowledge.parse.reader import check_size
from knowledge.parse.width import narrow

Target = Literal["churn", "renewal", "service", "strategist", "faq", "person"]

TARGETS: Mapping[Intent, Target] = {
    "churn": "churn",
    "renewal": "renewal",
    "service": "service",
    "billing": "service",
    "faq": "faq",
    "praise": "person",
    "strategy": "strategist",
    "other": "person",
}
"""Money matters are service cases: they need the customer's orders and a decision. Thanks deserve a person's answer."""

ABSTAIN_BELOW = 0.4
"""Below this share of the best target, nobody is sure enough: a person reads it."""
ABSTAIN_MARGIN = 0.08
"""So much must the best target be ahead of the second."""


@dataclass(frozen=True, slots=True)
class Route:
    """`scores` are shares by target, highest first. `abstained`: sent to a person because the reading was not sure
    enough or the text is about nothing the specialists do, not because it is for a person."""

    target: Target
    confidence: float
    abstained: bool
    scores: Mapping[Target, float]
    flags: frozenset[Flag] = frozenset()


def route_of(intents: Mapping[Intent, float], flags: frozenset[Flag]) -> Route:
    """Where a text goes that was read so; `intents` highest first, as in `TextMeaning`. Flags (injury, law, a wish for
    a person, orders to the reader) go to a person whatever the words are about."""
    scores: dict[Target, float] = {}
    for intent, share in intents.items():
        target = TARGETS[intent]
        scores[target] = scores.get(target, 0.0) + share
    ranked = dict(sorted(scores.items(), key=lambda pair: -pair[1]))
    if flags:
        return Route("person", 1.0, False, ranked, flags)
    (best, share), (_, second) = list(ranked.items())[:2]
    nothing_we_do = next(iter(intents)) == "other"
    if nothing_we_do or share < ABSTAIN_BELOW or share - second < ABSTAIN_MARGIN:
        return Route("person", share, True, ranked)
    return Route(best, share, False, ranked)


class Router:
    """The deterministic router of the playbook."""

    def route(self, text: str) -> Route:
        """Where `text` (subject and body) should go; see `route_of`.

        Raises:
            InvalidInput: there is no text.
            TooLarge: it is longer than is read.
        """
        check_size(text)
        with span("parse.route", characters=len(text)):
            return route_of(intent_model().scores(text), tone.flags(narrow(text)))
