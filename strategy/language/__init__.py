"""Sentence ↔ strategy: a closed grammar over a catalog's names, in two languages, that rather asks than guesses."""

from strategy.language.read import Reading, read_sentence
from strategy.language.readback import readback

__all__ = ["Reading", "read_sentence", "readback"]
