"""Finding passages: embedders, the retriever, and token counts. The rules: docs/retrieval.md."""

from knowledge.retrieval.documents import KINDS, Document, Kind, Passage
from knowledge.retrieval.embed import Embedder, OpenAIEmbedder, UseEmbedder, use_embedder
from knowledge.retrieval.retriever import Retriever
from knowledge.retrieval.tokens import count_tokens, use_bundled_encodings

__all__ = [
    "KINDS",
    "Document",
    "Embedder",
    "Kind",
    "OpenAIEmbedder",
    "Passage",
    "Retriever",
    "UseEmbedder",
    "count_tokens",
    "use_bundled_encodings",
    "use_embedder",
]
