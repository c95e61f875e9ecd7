"""Accuracy on letters that neither the examples nor the demo contain, with stated floors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.text import guess_lang
from knowledge.parse import Router, read_text
from knowledge.parse.lexicon import load
from knowledge.parse.route import TARGETS

Case = dict[str, Any]


def letters(name: str) -> list[Case]:
    cases: list[Case] = yaml.safe_load(Path(__file__).with_name(f"letters_{name}.yaml").read_text(encoding="utf-8"))
    return cases


SETS = {"fresh": letters("fresh"), "seen": letters("seen")}
FLOOR = {"fresh": 0.85, "seen": 0.93}
"""Share of letters whose intent must be right."""


def about_us(name: str) -> list[Case]:
    return [case for case in SETS[name] if case["intent"] != "other"]


def target_of(case: Case) -> str:
    return str(case.get("target") or TARGETS[case["intent"]])


def test_none_of_the_letters_is_an_example() -> None:
    learned = {text for texts in load("examples.yaml").values() for text in texts}
    letters_ = {case["text"] for cases in SETS.values() for case in cases}
    assert len(letters_) >= 120
    assert not learned & letters_


@pytest.mark.parametrize("name", SETS)
def test_the_intent_is_right_for_most_letters(name: str) -> None:
    cases = [case for case in about_us(name) if "target" not in case]
    assert len(cases) >= 56
    assert sum(read_text(case["text"]).intent == case["intent"] for case in cases) / len(cases) >= FLOOR[name]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_few_letters_reach_the_wrong_desk_and_few_are_given_up(name: str, lang: str) -> None:
    cases = [case for case in about_us(name) if guess_lang(case["text"]) == lang]
    routes = [Router().route(case["text"]) for case in cases]
    wrong = [c for c, r in zip(cases, routes, strict=True) if not r.abstained and r.target != target_of(c)]
    assert len(wrong) <= len(cases) * 0.11
    assert sum(r.abstained for r in routes) <= len(cases) * 0.2


def test_most_of_what_is_about_nothing_we_do_goes_to_a_person() -> None:
    cases = [case for cases in SETS.values() for case in cases if case["intent"] == "other"]
    assert sum(Router().route(case["text"]).target == "person" for case in cases) >= len(cases) - 1


def test_language_is_told_apart() -> None:
    cases = [case for cases in SETS.values() for case in cases]
    assert all(read_text(case["text"]).lang == guess_lang(case["text"]) for case in cases)


def test_every_intent_has_thirty_examples_in_both_languages() -> None:
    for intent, texts in load("examples.yaml").items():
        assert len(texts) >= 30, intent
        assert {guess_lang(text) for text in texts} == {"zh", "en"}
        assert len(set(texts)) == len(texts)
