"""A strategy → sentences that say exactly it, in Chinese or English. What is said here the grammar reads back as the
same document; where labels could be misread, names are given by id."""

from __future__ import annotations

from core.errors import ZhongshuError
from core.telemetry import span
from core.text import Lang
from knowledge.catalog import Catalog
from strategy.document import Condition, Strategy
from strategy.language.chinese import Chinese
from strategy.language.english import English
from strategy.language.lexicon import lexicon_of
from strategy.language.read import read_sentence
from strategy.language.speech import Speech
from strategy.language.voice import Voice


def readback(strategy: Strategy, catalog: Catalog, lang: Lang) -> str:
    """The strategy in plain sentences with defaults spelled out, such that `read_sentence(readback(s)).document == s`
    (name aside)."""
    with span("language.readback"):
        spoken = _voice(strategy, catalog, lang, exact=False).all()
        if _reads_back(spoken, strategy, catalog, lang):
            return spoken
        return _voice(strategy, catalog, lang, exact=True).all()


def condition_in_words(condition: Condition, strategy: Strategy, catalog: Catalog, lang: Lang) -> str:
    """One condition of a strategy, as its readback says it."""
    return _voice(strategy, catalog, lang, exact=False).condition(condition)


def _voice(strategy: Strategy, catalog: Catalog, lang: Lang, *, exact: bool) -> Voice:
    voice = Chinese if lang == "zh" else English
    return voice(strategy, Speech(catalog, lexicon_of(catalog), lang, exact=exact))


def _reads_back(spoken: str, strategy: Strategy, catalog: Catalog, lang: Lang) -> bool:
    try:
        return read_sentence(spoken, catalog, name=strategy.name, lang=lang).document == strategy
    except ZhongshuError:
        return False
