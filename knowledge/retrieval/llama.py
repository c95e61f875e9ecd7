"""The retriever as LlamaIndex knows one, so that its query engines, rerankers and evaluators can sit on the hub's index
under the hub's purposes. Importing this module imports LlamaIndex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from core.context import RequestContext
from knowledge.retrieval.documents import Passage
from knowledge.retrieval.retriever import Retriever


class LlamaRetriever(BaseRetriever):  # type: ignore[misc]  # LlamaIndex is untyped to us
    """One request's view of a `Retriever`: its tenant and purpose are the context's."""

    def __init__(
        self,
        retriever: Retriever,
        ctx: RequestContext,
        k: int = 5,
        kinds: Sequence[str] | None = None,
        subject: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self._retriever, self._ctx = retriever, ctx
        self._k, self._kinds, self._subject = k, kinds, subject

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._retriever.search(self._ctx, query_bundle.query_str, self._k, self._kinds, self._subject)
        return [NodeWithScore(node=node_of(p), score=p.score) for p in found]


def node_of(passage: Passage) -> TextNode:
    """A passage as a LlamaIndex node with the same id."""
    return TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata={"kind": passage.kind, "title": passage.title, "subject": passage.subject or "", "lang": passage.lang},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document_id)},
    )
