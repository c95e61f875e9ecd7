"""The ready strategies end to end: each sentence is read, and the engine fires exactly the planted truths."""

from __future__ import annotations

import pytest

from core.text import Lang
from core.times import parse_time
from knowledge.packs.retail import catalog, strategies, world
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.engine.port import Firing
from strategy.engine.python import PythonEngine
from strategy.language import read_sentence

ANCHOR = parse_time("2026-05-20T10:30:00+08:00")


def ready(lang: Lang) -> list[Strategy]:
    known = catalog().catalog
    return [read_sentence(s.sentence.say(lang), known, name=s.name).document for s in strategies()]


def test_each_sentence_means_the_same_in_both_languages() -> None:
    assert ready("zh") == ready("en")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_sentences_are_read_without_warnings(lang: Lang) -> None:
    known = catalog().catalog
    for s in strategies():
        reading = read_sentence(s.sentence.say(lang), known, name=s.name)
        assert reading.warnings == ()
        assert check_strategy(reading.document, known) == []


@pytest.mark.parametrize("seed", [7, 21])
def test_the_engine_fires_the_planted_truths_and_nothing_else(seed: int) -> None:
    demo = world(seed, anchor=ANCHOR, customers=300 if seed != 7 else 600)
    engine = PythonEngine(catalog().catalog, 0)
    for strategy in ready("zh"):
        engine.deploy(strategy, 1)
    inputs = list(demo.inputs())
    firings: list[Firing] = []
    for start in range(0, len(inputs), 1_000):
        firings += engine.ingest(inputs[start : start + 1_000]).firings
    firings += engine.advance(demo.anchor).firings
    assert {(f.at, f.strategy, f.subject) for f in firings} == {
        (f.at, f.strategy, f.subject) for f in demo.truths.fires
    }
    assert len(firings) == len(demo.truths.fires)

    after = [*engine.ingest(demo.live).firings, *engine.advance(demo.truths.pending.at).firings]
    found = {(f.at, f.strategy, f.subject) for f in after}
    for expected in (demo.truths.swiper_fires, demo.truths.pending):
        assert (expected.at, expected.strategy, expected.subject) in found
