"""Sentence ↔ strategy: a closed grammar over a catalog's names, in two languages, that rather asks than guesses."""

from strategy.language.answers import Phrases, check_phrase, phrase_key
from strategy.language.nearest import Likeness
from strategy.language.read import Reading, read_sentence
from strategy.language.readback import condition_in_words, part_in_words, readback

__all__ = [
    "Likeness",
    "Phrases",
    "Reading",
    "check_phrase",
    "condition_in_words",
    "part_in_words",
    "phrase_key",
    "read_sentence",
    "readback",
]
