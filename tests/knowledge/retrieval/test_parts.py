"""Cutting texts, counting n-grams and fusing ranks: the parts of retrieval, each against its rule or a reference."""

from __future__ import annotations

import random

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.retrieval.chunk import passages, sentences, weight
from knowledge.retrieval.fuse import fuse, lexical_weight
from knowledge.retrieval.lexical import LexicalIndex, grams


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好。我要退货\uff01可以吗\uff1f好", ["你好。", "我要退货\uff01", "可以吗\uff1f", "好"]),
        ("先退货;再买新的!行吗?好", ["先退货;", "再买新的!", "行吗?", "好"]),
        ("他说\uff1a“坏了。”然后走了。", ["他说\uff1a“坏了。”", "然后走了。"]),
        ("see a;b and c?d=1 now", ["see a;b and c?d=1 now"]),
        ("It broke. Please help! Why?", ["It broke.", "Please help!", "Why?"]),
        ("Mr. Smith paid 3.50 euros. Thanks.", ["Mr. Smith paid 3.50 euros.", "Thanks."]),
        ("Agent: Hello\nCustomer: Hi", ["Agent: Hello", "Customer: Hi"]),
        ("版本1.2.3发布了。see v1.2.3 now", ["版本1.2.3发布了。", "see v1.2.3 now"]),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == expected


_texts = st.text(alphabet="字很好。\uff01\uff0c!,ab c.?;\n", max_size=300)


@given(text=_texts, size=st.sampled_from([5.0, 20.0, 60.0]))
@settings(max_examples=200, deadline=None)
def test_passages_cover_every_character_that_is_not_white_space_and_none_is_too_long(text: str, size: float) -> None:
    cut = passages(text, size)
    covered = {i for a, b in cut for i in range(a, b)}
    assert {i for i, c in enumerate(text) if not c.isspace()} <= covered
    assert all(text[a:b] and weight(text[a:b]) <= size + 1e-9 for a, b in cut)
    assert [s.start for s in cut] == sorted({s.start for s in cut})


def test_a_short_last_sentence_is_repeated_at_the_start_of_the_next_passage() -> None:
    text = "这是第一句比较长的话,讲了一件事情。编号七。这是第三句比较长的话,讲了另一件事情。"
    first, second = (text[a:b] for a, b in passages(text, 26))
    assert first.endswith("编号七。")
    assert second.startswith("编号七。")


def test_terms_are_pairs_of_chinese_characters_and_parts_of_words() -> None:
    assert grams("退货款,HT-2026") == ["退货", "货款", "ht", "2026"]
    assert grams("Leaking") == ["_le", "lea", "eak", "aki", "kin", "ing", "ng_"]
    assert grams("A4 ok") == ["a4", "ok"]


def test_scores_are_those_of_bm25s_also_after_removals() -> None:
    dice = random.Random(7)
    words = [f"w{i}" for i in range(60)]
    corpus = [[dice.choice(words[: dice.randint(2, 60)]) for _ in range(dice.randint(1, 30))] for _ in range(120)]
    index = LexicalIndex()
    for slot, terms in enumerate(corpus):
        index.add(slot, terms)
    gone = set(dice.sample(range(120), 40))
    for slot in gone:
        index.remove(slot, corpus[slot])
    kept = [slot for slot in range(120) if slot not in gone]
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    reference.index([corpus[s] for s in kept], show_progress=False)
    for _ in range(20):
        query = [dice.choice(words) for _ in range(5)]
        scores = index.scores(query)
        assert np.allclose(scores[kept], reference.get_scores(query), atol=1e-4)
        assert not scores[sorted(gone)].any()


def test_a_slot_that_was_freed_is_used_again() -> None:
    index = LexicalIndex()
    index.add(0, ["a", "b"])
    index.remove(0, ["a", "b"])
    assert not index.scores(["a"]).any()
    index.add(0, ["c"])
    assert index.scores(["a"])[0] == 0
    assert index.scores(["c"])[0] > 0


def test_fusion_adds_weighted_z_scores_and_ignores_a_ranking_that_says_nothing() -> None:
    dense = np.array([0.9, 0.1, 0.5], dtype=np.float32)
    flat = np.zeros(3, dtype=np.float32)
    assert list(np.argsort(-fuse(dense, flat, 0.5))) == [0, 2, 1]
    assert list(np.argsort(-fuse(flat, dense, 0.5))) == [0, 2, 1]
    assert np.allclose(fuse(dense, dense, 0.5), (dense - dense.mean()) / dense.std(), atol=1e-5)
    assert list(np.argsort(-fuse(dense, dense[::-1], 0.2))) == [0, 2, 1]


def test_bm25_weighs_by_how_much_of_the_query_its_best_passage_holds() -> None:
    index = LexicalIndex()
    for slot, text in enumerate(["咖啡机漏水", "咖啡机除垢", "净化器离线"]):
        index.add(slot, grams(text))
    weights = {}
    for query in ("咖啡机漏水", "咖啡机很吵,怎么修才好", "the purifier is offline"):
        terms = grams(query)
        weights[query] = lexical_weight(float(index.scores(terms).max()), index.ideal(terms))
    assert weights["咖啡机漏水"] == 0.5
    assert 0 < weights["咖啡机很吵,怎么修才好"] < 0.5
    assert weights["the purifier is offline"] == 0
