"""Character n-grams of a text, weighed by TF-IDF (sublinear term frequency, smoothed idf, length 1), in plain NumPy so
that reading needs no scikit-learn; only training does."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from knowledge.parse.width import fold

_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"\d+")


def plain(text: str) -> str:
    """Lower case, plain signs, one space for any, one 0 for any number: what the n-grams are made of."""
    return _SPACE.sub(" ", _NUMBER.sub("0", fold(text)))


def grams(text: str) -> Counter[str]:
    """Single characters and pairs of neighbours."""
    counts = Counter(text)
    counts.update(map("".join, pairwise(text)))
    return counts


class Spelling:
    """n-grams and their inverse document frequencies, both of shape (n-grams,)."""

    def __init__(self, known: Sequence[str], idf: NDArray[np.float64]) -> None:
        self.known, self.idf = tuple(known), idf
        self._column = {gram: n for n, gram in enumerate(self.known)}

    @classmethod
    def of(cls, texts: Iterable[str]) -> Spelling:
        """Learn from plain texts: idf = 1 + ln((1 + texts) / (1 + texts that have it))."""
        counted = [grams(text) for text in texts]
        having: Counter[str] = Counter(gram for counts in counted for gram in counts)
        known = sorted(having)
        idf = [1 + math.log((1 + len(counted)) / (1 + having[gram])) for gram in known]
        return cls(known, np.asarray(idf))

    def vector(self, text: str) -> NDArray[np.float64]:
        """The text's weights, length 1 (or all 0 when nothing in it is known)."""
        vector = np.zeros(len(self.known))
        for gram, count in grams(text).items():
            if (column := self._column.get(gram)) is not None:
                vector[column] = 1 + math.log(count)
        vector *= self.idf
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector
