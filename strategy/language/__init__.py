"""Sentence ↔ strategy: a closed grammar over the catalog's names, in Chinese and English, that would rather ask than guess."""

from strategy.language.read import Reading, read_sentence
from strategy.language.readback import readback

__all__ = ["Reading", "read_sentence", "readback"]
