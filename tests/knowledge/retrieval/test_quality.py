"""Retrieval quality on a small hand-written set in Chinese and English (tests/data/retrieval.yaml): fusing must pay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from core.context import Purpose, system_context
from knowledge.retrieval import Document, Retriever, use_embedder
from knowledge.retrieval.lexical import LexicalIndex, grams

_SET: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "data" / "retrieval.yaml").read_text("utf-8"))
_IDS, _TEXTS = list(_SET["passages"]), [p["text"] for p in _SET["passages"].values()]
_QUESTIONS: list[dict[str, Any]] = _SET["questions"]


def _recall(ranked: list[list[str]]) -> float:
    """Mean share of a question's answers that are among the first five."""
    found = [
        len({*q["answers"]} & {*best[:5]}) / min(5, len(q["answers"]))
        for q, best in zip(_QUESTIONS, ranked, strict=True)
    ]
    return float(np.mean(found))


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    ctx = system_context(Purpose.SERVICE)
    retriever = Retriever(use_embedder(), tmp_path_factory.mktemp("quality"))
    retriever.add(ctx, [Document(i, p["kind"], p["text"]) for i, p in _SET["passages"].items()])
    ranked = [[p.document_id for p in retriever.search(ctx, q["ask"], 10)] for q in _QUESTIONS]
    retriever.close()
    return ranked


def test_the_set_is_large_enough_and_every_answer_exists() -> None:
    assert len(_IDS) >= 60
    assert len(_QUESTIONS) >= 24
    assert {a for q in _QUESTIONS for a in q["answers"]} <= {*_IDS}


def test_fused_recall_is_at_least_that_of_bm25_and_of_dense_alone(fused: list[list[str]]) -> None:
    vectors = use_embedder().embed(_TEXTS)
    asked = use_embedder().embed([q["ask"] for q in _QUESTIONS])
    dense = [[_IDS[i] for i in np.argsort(-(vectors @ v), kind="stable")] for v in asked]
    index = LexicalIndex()
    for slot, text in enumerate(_TEXTS):
        index.add(slot, grams(text))
    lexical = [[_IDS[i] for i in np.argsort(-index.scores(grams(q["ask"])), kind="stable")] for q in _QUESTIONS]
    assert _recall(fused) >= _recall(dense)
    assert _recall(fused) >= _recall(lexical)
    assert _recall(fused) >= 0.8


def test_a_code_or_number_in_a_question_finds_the_passage_that_has_it(fused: list[list[str]]) -> None:
    coded = {q["ask"]: best for q, best in zip(_QUESTIONS, fused, strict=True)}
    assert coded["HT-2026-0087"][0] == "p18"
    assert coded["agreement SA-7731"][0] == "p43"
    assert coded["order 99120"][0] == "p49"
    assert set(coded["错误代码E17"][:2]) == {"p28", "p51"}
