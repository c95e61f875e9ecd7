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
from strategy.language.speech import Speech, number
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


def part_in_words(part: str, strategy: Strategy, catalog: Catalog, lang: Lang) -> str:
    """A part of a strategy that is no condition, as its readback says it: `subject`, `verify`, or the name of a guard
    or of something about its rollout."""
    voice = _voice(strategy, catalog, lang, exact=False)
    guards, rollout, joint = strategy.guards, strategy.rollout, "，" if lang == "zh" else ", "
    match part:
        case "subject":
            return voice.speech.name("object", strategy.subject)
        case "verify":
            return "" if strategy.verify is None else voice.goal(strategy.verify)
        case "cap":
            return "" if guards.cap is None else voice.cap(guards.cap)
        case "quiet_hours":
            return "" if guards.quiet_hours is None else voice.quiet(guards.quiet_hours)
        case "cooldown":
            return "" if guards.cooldown is None else voice.span(guards.cooldown)
        case "budget":
            return f"{guards.budget}次" if lang == "zh" else f"{guards.budget} deliveries"
        case "consent":
            return guards.consent or ""
        case "variants":
            return joint.join(map(voice.variant, rollout.variants))
        case _:
            return f"{number(getattr(rollout, part))}%"


def _voice(strategy: Strategy, catalog: Catalog, lang: Lang, *, exact: bool) -> Voice:
    voice = Chinese if lang == "zh" else English
    return voice(strategy, Speech(catalog, lexicon_of(catalog), lang, exact=exact))


def _reads_back(spoken: str, strategy: Strategy, catalog: Catalog, lang: Lang) -> bool:
    try:
        return read_sentence(spoken, catalog, name=strategy.name, lang=lang).document == strategy
    except ZhongshuError:
        return False
