"""A sense of meaning for the names nearest to an unknown one: the hub's embedder behind the port of the language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from knowledge.retrieval import Embedder


class EmbeddedLikeness:
    """Cosines of embeddings; the vectors of labels are kept, so that a known catalog costs one short text a question.

    Args:
        load: gives the embedder; called at the first question, which is the first unknown word.
    """

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load = load
        self._known: dict[str, NDArray[np.float32]] = {}
        self._lock = Lock()

    def __call__(self, said: str, labels: Sequence[str]) -> Sequence[float]:
        embedder = self._load()
        self.learn(labels)
        vector = embedder.embed([said])[0]
        return [float(self._known[label] @ vector) for label in labels]

    def learn(self, labels: Sequence[str]) -> None:
        """Keep the vectors of these labels, before anybody asks."""
        with self._lock:
            if new := [label for label in dict.fromkeys(labels) if label not in self._known]:
                self._known.update(zip(new, self._load().embed(new), strict=True))


def offline_likeness() -> EmbeddedLikeness:
    """By the embedder that the wheel brings along; it loads with the first question."""

    def load() -> Embedder:
        from knowledge.retrieval import use_embedder

        return use_embedder()

    return EmbeddedLikeness(load)
