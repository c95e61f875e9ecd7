"""The corpus in tests/data/corpus as cases: a sentence over its industry's catalog, and what must come of it. A meaning
is written once, with the ways to say it; a digest of its first sentence puts it into the seen part or the hold-out.
What was written later, blind, and has been mended since, is a part of its own, over industries of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from core.text import Lang
from core.yamls import read_yaml
from knowledge.catalog import Catalog, load_catalog
from strategy.document import Strategy
from tests.strategy.timelines import Timeline, timeline_of

DATA = Path(__file__).parents[2] / "tests" / "data" / "corpus"
INDUSTRIES = ("retail", "finance", "healthcare", "education", "manufacturing")
BLIND_INDUSTRIES = ("telecom", "insurance", "saas", "energy", "games")
Part = Literal["seen", "holdout", "blind"]
PARTS: tuple[Part, ...] = ("seen", "holdout", "blind")
Wanted = Literal["read", "refused", "asked"]
SEED = "zhongshu corpus 322"
"""The first number that holds out 15% to 25% of every industry and outcome and leaves every kind of condition seen."""
HISTORY = "-400d"
"""Since when history is complete in every timeline that does not say otherwise."""
_OWNERS = ("customer", "patient", "student", "device", "user", "household", "player")
"""Whose a line without a subject is, when the strategy is for them; else (for stores, classes) every line says it."""
_LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True)
class Meaning:
    """One meaning, or one reason not to read.

    Attributes:
        says: the ways to say it. gold: what it means, with a name that tells nothing; None where it must be `refused`
            or `asked`, for `reason`.
        timeline: inputs and the firings expected of `gold`.
    """

    industry: str
    part: Part
    catalog: Catalog
    says: tuple[tuple[Lang, str], ...]
    wanted: Wanted
    reason: str = ""
    gold: Strategy | None = None
    timeline: Timeline | None = None

    @property
    def first(self) -> str:
        return self.says[0][1]


@dataclass(frozen=True)
class Case:
    """One sentence of a meaning."""

    lang: Lang
    text: str
    meaning: Meaning


def part_of(first: str) -> Part:
    """A fifth is held out, by the digest of a meaning's first sentence: nobody chooses which."""
    return "holdout" if hashlib.sha256(f"{SEED}\n{first}".encode()).digest()[0] % 5 == 0 else "seen"


@cache
def meanings(part: Part, industry: str) -> tuple[Meaning, ...]:
    path = DATA / f"{part}.{industry}.yaml"
    if not path.exists():
        return ()
    catalog = load_catalog(DATA / "catalogs" / f"{industry}.yaml").catalog
    return tuple(_meaning(part, industry, catalog, told) for told in read_yaml(path.read_text(encoding="utf-8")))


def cases(*parts: Part) -> Iterator[Case]:
    for part in parts or PARTS:
        for industry in (*INDUSTRIES, *BLIND_INDUSTRIES):
            for meaning in meanings(part, industry):
                for lang, text in meaning.says:
                    yield Case(lang, text, meaning)


def _meaning(part: Part, industry: str, catalog: Catalog, told: dict[str, Any]) -> Meaning:
    says = tuple((lang, text) for lang in _LANGS for text in told.get(lang, ()))
    if "reads" in told:
        gold = Strategy.model_validate({"name": "s", **told["reads"]})
        who = gold.subject if gold.subject in _OWNERS else "customer"
        block = f"subject: {gold.subject}\nwho: {who}/1\nhistory: {HISTORY}\n{told['plays']}"
        return Meaning(industry, part, catalog, says, "read", gold=gold, timeline=timeline_of((gold,), catalog, block))
    wanted: Wanted = "refused" if "refused" in told else "asked"
    return Meaning(industry, part, catalog, says, wanted, reason=told[wanted])
