"""The embedder as a sense of meaning: vectors of labels are made once, and synonyms come out near."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.likeness import EmbeddedLikeness, offline_likeness


class Counting:
    """One axis a first letter."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.asarray([[float(t[0] == c) for c in "ab"] for t in texts], dtype=np.float32)


def test_labels_are_embedded_once() -> None:
    embedder = Counting()
    likeness = EmbeddedLikeness(lambda: embedder)
    assert likeness("apple", ["ant", "bee"]) == [1.0, 0.0]
    assert likeness("bear", ["ant", "bee"]) == [0.0, 1.0]
    assert embedder.asked == ["ant", "bee", "apple", "bear"]


def test_the_offline_embedder_knows_that_to_remit_is_to_transfer() -> None:
    labels = ["登录", "转账", "还款", "生日"]
    assert labels[int(np.argmax(offline_likeness()("汇款", labels)))] == "转账"
