"""What a tenant's words stand for: answers to questions about sentences, remembered where the user agreed."""

from strategy.phrases.service import Phrase, PhraseBook

__all__ = ["Phrase", "PhraseBook"]
