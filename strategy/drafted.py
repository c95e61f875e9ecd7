"""What became of a sentence, as data: the document with its readback, or a question, or why it was refused. It is read
as a hub reads it, by the language model too where there is one; nothing is stored, and no hub is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput, NeedsAnswer, Refused, UnknownName, ZhongshuError
from core.text import Lang, Text
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.language import phrase_key, readback
from strategy.phrases import NO_ANSWERS, Answers
from strategy.reading import SentenceReader


@dataclass(frozen=True, slots=True)
class Drafted:
    """`path`: what read the sentence or asks about it, "grammar" or "model". `document` or `error` is None."""

    sentence: str
    document: Strategy | None
    readback: Text | None
    path: str
    warnings: tuple[Text, ...] = ()
    error: ZhongshuError | None = None

    @property
    def exit_code(self) -> int:
        """For a script: 0 it was read, 3 it asks back, 4 it was refused."""
        if self.error is None:
            return 0
        return NeedsAnswer.exit_code if isinstance(self.error, NeedsAnswer) else Refused.exit_code

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        """As JSON. `questions` have the readings to choose from, `unknown` the words that the catalog lacks."""
        document = None if self.document is None else self.document.model_dump(mode="json", exclude_none=True)
        return {
            "sentence": self.sentence,
            "document": document,
            "readback": None if self.readback is None else {"zh": self.readback.zh, "en": self.readback.en},
            "path": self.path,
            "warnings": [warning.say(lang) for warning in self.warnings],
            "questions": self._questions(lang),
            "unknown": self._unknown(),
            "refused": None if self.exit_code != Refused.exit_code or self.error is None else self.error.as_dict(lang),
        }

    def _questions(self, lang: Lang) -> list[dict[str, Any]]:
        if not isinstance(self.error, NeedsAnswer):
            return []
        choices = [choice.say(lang) for choice in self.error.choices]
        return [{"question": self.error.text.say(lang), "choices": choices, **self._place()}]

    def _unknown(self) -> list[dict[str, Any]]:
        if not isinstance(self.error, UnknownName):
            return []
        place = self._place()
        word = self.sentence[place["offset"] : place["offset"] + place["length"]] if place else None
        return [{"word": word, **place, "nearest": self.error.nearest}]

    def _place(self) -> dict[str, int]:
        where = {} if self.error is None else self.error.where
        return {name: where[name] for name in ("offset", "length") if isinstance(where.get(name), int)}


def drafted(
    sentence: str,
    catalog: Catalog,
    reader: SentenceReader,
    *,
    name: str | None = None,
    answers: Answers = NO_ANSWERS,
) -> Drafted:
    """Read a sentence and check what it says; `answers` tell what its words stand for where that would be a question.
    What is wrong with it is part of the answer, not raised."""
    phrases = {phrase_key(said): means for said, means in answers.items()}
    try:
        reading = reader.read(sentence, catalog, name=name, phrases=phrases)
        checked = check_strategy(reading.document, catalog)
    except (InvalidInput, NeedsAnswer, Refused) as error:
        return Drafted(sentence, None, None, error.where.get("read_by", "grammar"), error=error)
    document, path = reading.document, reading.read_by
    warnings = (*reading.warnings, *(w for w in checked if w not in reading.warnings))
    said = Text(readback(document, catalog, "zh"), readback(document, catalog, "en"))
    return Drafted(sentence, document, said, path, warnings)
