"""BM25 over character n-grams, as an index that takes and gives back passages one at a time. (bm25s, which tests hold
it against, scores the same but must be rebuilt whole for each new passage.)"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_RUN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]+|[^\W_\u2e80-\u9fff\uf900-\ufaff]+")
_GRAM = 3
"""Letters in a gram of a word; measured against 4, 5 and whole words on tests/data/retrieval.yaml."""

Scores = NDArray[np.float32]


def grams(text: str) -> list[str]:
    """Terms of a text: pairs of Chinese characters; words with digits whole, other words by 3-grams of `_word_`."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    found: list[str] = []
    for run in _RUN.findall(folded):
        if run[0] >= "\u2e80":
            found.extend(run[i : i + 2] for i in range(len(run) - 1)) if len(run) > 1 else found.append(run)
        elif len(run) < _GRAM or any(c.isdigit() for c in run):
            found.append(run)
        else:
            word = f"_{run}_"
            found.extend(word[i : i + _GRAM] for i in range(len(word) - _GRAM + 1))
    return found


class LexicalIndex:
    """BM25 (Lucene's form: idf = ln(1 + (N - n + .5)/(n + .5)), tf / (tf + k1 (1 - b + b length/average)))."""

    def __init__(self, k1: float = 1.5, b: float = 0.75) -> None:
        self._k1, self._b = k1, b
        self._postings: dict[str, tuple[array[int], array[int]]] = {}
        self._lengths = array("i")
        self._total, self._count = 0, 0

    def add(self, slot: int, terms: Iterable[str]) -> None:
        """Put a passage's terms at a slot that is free (0, 1, 2 …)."""
        counted = Counter(terms)
        for term, times in counted.items():
            slots, counts = self._postings.setdefault(term, (array("i"), array("i")))
            slots.append(slot)
            counts.append(times)
        length = counted.total()
        while len(self._lengths) <= slot:
            self._lengths.append(0)
        self._lengths[slot] = length
        self._total += length
        self._count += 1

    def remove(self, slot: int, terms: Iterable[str]) -> None:
        """Free a slot; `terms` are those it was added with."""
        for term in set(terms):
            slots, counts = self._postings[term]
            place = slots.index(slot)
            del slots[place], counts[place]
            if not slots:
                del self._postings[term]
        self._total -= self._lengths[slot]
        self._lengths[slot] = 0
        self._count -= 1

    def scores(self, terms: Iterable[str]) -> Scores:
        """The score of each slot; 0 where no term occurs. A term asked twice counts twice."""
        scores = np.zeros(len(self._lengths), dtype=np.float32)
        if not self._count:
            return scores
        lengths = np.frombuffer(self._lengths, dtype=np.int32)
        norm = (self._k1 * (1 - self._b + self._b * lengths * (self._count / max(self._total, 1)))).astype(np.float32)
        for term, asked in Counter(terms).items():
            if term not in self._postings:
                continue
            slots, counts = (np.frombuffer(a, dtype=np.int32) for a in self._postings[term])
            idf = self._idf(len(slots))
            tf = counts.astype(np.float32)
            scores[slots] += asked * idf * tf / (tf + norm[slots])
        return scores

    def ideal(self, terms: Iterable[str]) -> float:
        """The score of a passage of average length that has each of the terms once."""
        asked = Counter(terms)
        return sum(n * self._idf(len(self._postings[t][0]) if t in self._postings else 0) for t, n in asked.items()) / (
            1 + self._k1
        )

    def _idf(self, holding: int) -> float:
        return math.log(1 + (self._count - holding + 0.5) / (holding + 0.5))
