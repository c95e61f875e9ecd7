"""Answers to questions about a sentence: the words that were asked about are replaced by what they stand for, and the
sentence is read again. Words that are no question stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import NeedsAnswer, UnknownName
from core.text import Text
from knowledge.catalog import Catalog
from strategy.language.lexer import lex
from strategy.language.lexicon import lexicon_of
from strategy.language.normalise import normalise, plain

Phrases = Mapping[str, str]
"""Words as `phrase_key` gives them → what they stand for."""


def phrase_key(said: str) -> str:
    """Words in the form they are compared in: half width, lower case, simplified, single spaces."""
    return " ".join(plain(said).split())


def check_phrase(means: str, catalog: Catalog) -> None:
    """Raises UnknownName unless the grammar knows every word of it."""
    normal, lexicon = normalise(means), lexicon_of(catalog)
    for part in lex(normal, lexicon):
        if part.has("UNKNOWN"):
            from strategy.language.scope import Scope

            Scope(catalog, lexicon, normal, "zh").unknown(part)


@dataclass(frozen=True, slots=True)
class Answered:
    """A sentence with some of its words replaced; `back[i]` is where its i-th character stood in the original."""

    text: str
    back: tuple[int, ...]
    warnings: tuple[Text, ...] = ()

    @staticmethod
    def of(text: str) -> Answered:
        return Answered(text, tuple(range(len(text) + 1)))

    def answer(self, question: NeedsAnswer | UnknownName, phrases: Phrases) -> Answered | None:
        """The sentence with the words asked about replaced; None when no phrase answers the question."""
        at, length = question.where.get("offset"), question.where.get("length")
        if not phrases or not isinstance(at, int) or not length:
            return None
        said = self.text[at : at + length]
        means = phrases.get(phrase_key(said))
        if means is None:
            return None
        put = means
        if isinstance(question, NeedsAnswer):
            chosen = next((i for i, c in enumerate(question.choices) if means in (c.zh, c.en)), None)
            put = question.means[chosen] if chosen is not None and question.means else means
        if phrase_key(put) == phrase_key(said):
            return None
        start = self.back[at]
        warning = Text(
            f"“{said.strip()}”按已记住的“{means}”理解", f"{said.strip()!r} was read as {means!r}, as answered before"
        )
        return Answered(
            self.text[:at] + put + self.text[at + length :],
            (*self.back[:at], *([start] * len(put)), *self.back[at + length :]),
            (*self.warnings, warning),
        )

    def place(self, where: dict[str, int]) -> dict[str, int]:
        """A place in this text as one in the original."""
        if "offset" not in where:
            return where
        at, length = where["offset"], where.get("length", 0)
        start, stop = self.back[at], self.back[min(at + length, len(self.text))]
        return {"offset": start, "length": max(stop - start, 1) if length else 0}
