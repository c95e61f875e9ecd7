"""Sentence ↔ strategy: a closed grammar over a catalog's names, in two languages, that rather asks than guesses."""

from strategy.language.read import Reading, read_sentence
from strategy.language.readback import condition_in_words, readback

__all__ = ["Reading", "condition_in_words", "read_sentence", "readback"]
