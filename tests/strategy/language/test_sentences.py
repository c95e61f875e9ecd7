"""The corpus: what each sentence means, in both languages, and which are refused or asked about, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import ZhongshuError
from core.text import Lang
from knowledge.catalog import Catalog, load_catalog
from strategy.document import Strategy
from strategy.language import read_sentence, readback

DATA = Path("tests/data")
CATALOGS = {
    "sample": load_catalog(DATA / "catalog.yaml").catalog,
    "learning": load_catalog(DATA / "sentences_learning.yaml").catalog,
    "rich": load_catalog(DATA / "sentences_catalog.yaml").catalog,
}


def corpus(lang: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((DATA / f"sentences_{lang}.yaml").read_text(encoding="utf-8"))
    return found


ALL = [(lang, case) for lang in ("zh", "en") for case in corpus(lang)]
READ = [(lang, case) for lang, case in ALL if "reads" in case]
REFUSED = [(lang, case) for lang, case in ALL if "raises" in case]


def catalog_of(case: dict[str, Any]) -> Catalog:
    return CATALOGS[case.get("catalog", "sample")]


def said(entry: tuple[str, dict[str, Any]]) -> str:
    return str(entry[1]["say"])


@pytest.mark.parametrize("entry", READ, ids=said)
def test_a_sentence_means_what_the_corpus_says(entry: tuple[Lang, dict[str, Any]]) -> None:
    lang, case = entry
    gold = Strategy.model_validate({"name": "gold", **case["reads"]})
    reading = read_sentence(case["say"], catalog_of(case), name="gold")
    assert reading.document == gold
    assert reading.lang == lang


@pytest.mark.parametrize("entry", READ, ids=said)
def test_its_readback_means_the_same_in_both_languages(entry: tuple[Lang, dict[str, Any]]) -> None:
    _, case = entry
    catalog = catalog_of(case)
    gold = Strategy.model_validate({"name": "gold", **case["reads"]})
    for lang in ("zh", "en"):
        spoken = readback(gold, catalog, lang)
        assert "`" not in spoken, "labels suffice in these catalogs"
        assert read_sentence(spoken, catalog, name="gold", lang=lang).document == gold


@pytest.mark.parametrize("entry", REFUSED, ids=said)
def test_a_sentence_that_is_not_understood_is_refused_at_its_place(entry: tuple[Lang, dict[str, Any]]) -> None:
    _, case = entry
    with pytest.raises(ZhongshuError) as caught:
        read_sentence(case["say"], catalog_of(case))
    error = caught.value
    assert type(error).__name__ == case["raises"]
    assert [error.where["offset"], error.where["length"]] == case["at"]
    assert case["say"][case["at"][0] : sum(case["at"])] == case["there"]
    assert error.nearest[: len(case.get("nearest", []))] == case.get("nearest", [])
    assert len(getattr(error, "choices", [])) == case.get("choices", 0)
    assert error.text.zh
    assert error.text.en


def test_the_corpus_is_broad_enough_in_both_languages() -> None:
    for lang in ("zh", "en"):
        cases = corpus(lang)
        kinds = {_kind(part) for case in cases if "reads" in case for part in _conditions(case["reads"]["trigger"])}
        assert len(cases) >= 60
        assert sum("raises" in case for case in cases) >= 15
        assert kinds >= {
            "attribute", "event", "aggregate", "metric", "streak", "sequence", "change", "near", "forecast", "date",
            "all", "any", "not",
        }  # fmt: skip


def _kind(condition: dict[str, Any]) -> str:
    return str(condition["kind"])


def _conditions(condition: dict[str, Any]) -> list[dict[str, Any]]:
    inner = condition.get("of", [])
    members = [inner] if isinstance(inner, dict) else inner
    return [condition, *(c for m in members for c in _conditions(m))]
