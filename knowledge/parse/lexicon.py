"""The word lists of data/lexicon.yaml, compiled once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from core.text import Lang


def load(name: str) -> Any:
    """A YAML file of the data folder."""
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)


# A safe loader, in C where there is one.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _words(words: list[str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return "|".join(rf"\b{re.escape(w)}\b" if w.isascii() else re.escape(w) for w in longest_first)


@dataclass(frozen=True, slots=True)
class Weighted:
    """Words with weights, found longest first."""

    pattern: re.Pattern[str]
    weights: dict[str, float]

    @classmethod
    def of(cls, by_weight: dict[float, list[str]]) -> Weighted:
        weights = {word.lower(): float(weight) for weight, words in by_weight.items() for word in words}
        return cls(re.compile(_words([*weights]), re.IGNORECASE), weights)


@dataclass(frozen=True, slots=True)
class Lexicon:
    sentiment: dict[Lang, Weighted]
    urgency: dict[Lang, Weighted]
    negated: dict[Lang, re.Pattern[str]]
    boosted: dict[Lang, re.Pattern[str]]
    flags: dict[str, re.Pattern[str]]
    reported: re.Pattern[str]
    own: re.Pattern[str]
    when: re.Pattern[str]
    cues: dict[str, re.Pattern[str]]


@cache
def lexicon() -> Lexicon:
    """The compiled word lists."""
    data = load("lexicon.yaml")
    langs: tuple[Lang, ...] = ("zh", "en")
    negated = {
        # Directly before the word in Chinese, up to two words before it in English.
        "zh": rf"(?:{_words(data['negations']['zh'])})[太很怎么]{{0,2}}$",
        "en": rf"(?:{_words(data['negations']['en'])})(?: [\w']{{1,15}}){{0,2}} $",
    }
    boosted = {
        "zh": rf"(?:{_words(data['boosters']['zh'])})[的地]?$",
        "en": rf"(?:{_words(data['boosters']['en'])}) $",
    }

    def both(part: dict[str, list[str]]) -> re.Pattern[str]:
        return re.compile("|".join(part["zh"] + part["en"]), re.IGNORECASE)

    return Lexicon(
        sentiment={lang: Weighted.of(data["sentiment"][lang]) for lang in langs},
        urgency={lang: Weighted.of(data["urgency"][lang]) for lang in langs},
        negated={lang: re.compile(negated[lang], re.IGNORECASE) for lang in langs},
        boosted={lang: re.compile(boosted[lang], re.IGNORECASE) for lang in langs},
        flags={name: both(part) for name, part in data["flags"].items()},
        reported=both(data["promises"]["reported"]),
        own=both(data["promises"]["own"]),
        when=both(data["promises"]["when"]),
        cues={intent: both(part) for intent, part in data["cues"].items()},
    )
