"""What reading a text gives: language, intent scores, entities with their places, tone, promises, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.text import Lang, Text

Intent = Literal["churn", "renewal", "service", "billing", "faq", "praise", "strategy", "other"]
INTENTS: tuple[Intent, ...] = ("churn", "renewal", "service", "billing", "faq", "praise", "strategy", "other")

EntityKind = Literal["customer", "contract", "order", "serial", "phone", "product", "amount", "discount", "date"]

Flag = Literal["asks_for_person", "injury", "legal", "instructs_reader"]


@dataclass(frozen=True, slots=True)
class Entity:
    """A piece of the text that names something: `text[start:end]`, offsets in characters.

    `value` is its normal form: a catalog id for a product, digits for a phone, a number for an amount (`unit` has the
    currency) or a discount (percent off), for a date `2026-05-01`, `--05-01` (no year said), `+1d` (relative to the
    day of writing), `weekday:5` or `month_end`; dates come resolved to a day when the reader was told the time.
    None when only the wording is known.
    """

    kind: EntityKind
    text: str
    start: int
    end: int
    value: str | float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that someone said would be done. `by` is who owes it; `what` its sentence; `when` the words that say
    until when, or None."""

    by: Literal["company", "customer"]
    what: str
    when: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NextAction:
    """A proposal, not a decision: an action id, why, and how sure (the score of its intent)."""

    action: str
    reason: Text
    score: float


@dataclass(frozen=True, slots=True)
class TextMeaning:
    """`intents` are probabilities over INTENTS, highest first, summing to 1. `sentiment` -1..1, `urgency` 0..1.
    `excerpted`: the text was too long to weigh whole (4,000 characters); intents and tone rest on its beginning and
    end. Entities, promises and flags are always sought in all of it."""

    lang: Lang
    intents: Mapping[Intent, float]
    entities: tuple[Entity, ...]
    sentiment: float
    urgency: float
    flags: frozenset[Flag]
    promises: tuple[Promise, ...]
    next_actions: tuple[NextAction, ...]
    excerpted: bool = False

    @property
    def intent(self) -> Intent:
        return next(iter(self.intents))

    @property
    def confidence(self) -> float:
        return next(iter(self.intents.values()))

    def of_kind(self, kind: EntityKind) -> list[Entity]:
        return [e for e in self.entities if e.kind == kind]
