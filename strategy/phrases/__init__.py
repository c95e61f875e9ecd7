"""What a tenant's words stand for: answers to questions about sentences, remembered where the user agreed."""

from strategy.phrases.service import NO_ANSWERS, Answers, Phrase, PhraseBook

__all__ = ["NO_ANSWERS", "Answers", "Phrase", "PhraseBook"]
