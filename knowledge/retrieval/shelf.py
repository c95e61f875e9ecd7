"""One tenant's passages: as LlamaIndex nodes in a Chroma collection, which persists texts and vectors, and in memory
what each search needs beside them: the passages, the BM25 index, and who may read what."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.context import Purpose
from core.times import Micros
from knowledge.retrieval.documents import KINDS, Document, Passage
from knowledge.retrieval.embed import Vectors
from knowledge.retrieval.lexical import LexicalIndex, Scores, grams

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection
    from llama_index.vector_stores.chroma import ChromaVectorStore

_BATCH = 1_000
"""Passages read or written at a time; Chroma takes at most 5,461."""
_BIT = {purpose: 1 << place for place, purpose in enumerate(Purpose)}


def searchable(passage: Passage) -> str:
    """What is embedded and counted: the title says what a passage is about, so it takes part in each."""
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text


class Shelf:
    """Not thread-safe; the Retriever holds a lock around each call."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._slots: dict[str, int] = {}
        self._passages: list[Passage | None] = []
        self._free: list[int] = []
        self._purposes, self._kinds = array("I"), array("B")
        self._of_subject: dict[str, set[int]] = {}
        self._lexical = LexicalIndex()
        self._digests: dict[str, str] = {}
        self._of_document: dict[str, list[str]] = {}
        self._load()

    @cached_property
    def _store(self) -> ChromaVectorStore:
        # For writing only: importing LlamaIndex takes longer than all else that a start needs.
        from llama_index.vector_stores.chroma import ChromaVectorStore

        return ChromaVectorStore(chroma_collection=self._collection)

    def __len__(self) -> int:
        return len(self._slots)

    def digest(self, document_id: str) -> str | None:
        """The digest of the document as it stands here, None when it is missing or incomplete."""
        return self._digests.get(document_id)

    def passages(self) -> list[Passage]:
        return [passage for passage in self._passages if passage is not None]

    def passage(self, passage_id: str) -> Passage | None:
        slot = self._slots.get(passage_id)
        return None if slot is None else self._passages[slot]

    def put(self, documents: Sequence[tuple[Document, list[Passage]]], vectors: Vectors) -> None:
        """Add documents that are not here; `vectors` has a row for each passage, in order."""
        from llama_index.core.schema import BaseNode, NodeRelationship, RelatedNodeInfo, TextNode

        nodes: list[BaseNode] = []
        for document, passages in documents:
            for passage in passages:
                nodes.append(
                    TextNode(
                        id_=passage.id,
                        text=passage.text,
                        embedding=vectors[len(nodes)].tolist(),
                        metadata=_metadata(document, passage, len(passages)),
                        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document.id)},
                    )
                )
        for i in range(0, len(nodes), _BATCH):
            self._store.add(nodes[i : i + _BATCH])
        for document, passages in documents:
            for passage in passages:
                self._take(passage)
            self._digests[document.id] = document.digest()

    def drop(self, document_ids: Iterable[str]) -> int:
        """Remove documents; returns how many were here."""
        here = [d for d in dict.fromkeys(document_ids) if d in self._of_document]
        ids = [p for d in here for p in self._of_document[d]]
        for i in range(0, len(ids), _BATCH):
            self._store.delete_nodes(ids[i : i + _BATCH])
        for document_id in here:
            for passage_id in self._of_document.pop(document_id):
                slot = self._slots.pop(passage_id)
                passage, self._passages[slot] = self._passages[slot], None
                if passage is not None:
                    self._lexical.remove(slot, grams(searchable(passage)))
                    self._of_subject[passage.subject or ""].discard(slot)
                self._purposes[slot] = 0
                self._free.append(slot)
            self._digests.pop(document_id, None)
        return len(here)

    def allowed(self, purpose: Purpose, kinds: Iterable[str] | None, subject: str | None) -> NDArray[np.bool_]:
        """One truth a slot: may it be read for the purpose, and is it asked for."""
        allowed: NDArray[np.bool_] = (np.frombuffer(self._purposes, dtype=np.uint32) & np.uint32(_BIT[purpose])) != 0
        if kinds is not None:
            codes = [KINDS.index(kind) for kind in KINDS if kind in set(kinds)]
            allowed &= np.isin(np.frombuffer(self._kinds, dtype=np.uint8), codes)
        if subject is not None:
            own = np.zeros_like(allowed)
            own[list(self._of_subject.get(subject, ()))] = True
            allowed &= own
        return allowed

    def lexical(self, query: str) -> tuple[Scores, float]:
        """BM25 of each slot, and that of a passage with every term once."""
        terms = grams(query)
        return self._lexical.scores(terms), self._lexical.ideal(terms)

    def dense(self, vector: NDArray[np.float32], slots: NDArray[np.intp]) -> Scores:
        """Exact cosine of the query with each of the slots."""
        scores = np.zeros(len(slots), dtype=np.float32)
        if len(slots):
            order = {self._at(int(slot)).id: i for i, slot in enumerate(slots)}
            found = self._collection.get(ids=list(order), include=["embeddings"])
            rows = np.asarray(found["embeddings"], dtype=np.float32) @ vector
            for passage_id, score in zip(found["ids"], rows, strict=True):
                scores[order[passage_id]] = score
        return scores

    def nearest(self, vector: NDArray[np.float32], allowed: NDArray[np.bool_], depth: int) -> dict[int, float]:
        """The allowed slots nearest to the vector, with their cosine. Chroma's own filters cost time by the size of the
        collection, so more neighbours are asked for and those not allowed are left out."""
        slots = np.flatnonzero(allowed)
        wanted = min(len(self._slots), math.ceil(1.3 * depth * len(self._slots) / len(slots)))
        if len(slots) <= wanted:
            return dict(zip(slots.tolist(), self.dense(vector, slots).tolist(), strict=True))
        answer = self._collection.query(query_embeddings=[vector.tolist()], n_results=wanted, include=["distances"])
        found: dict[int, float] = {}
        for passage_id, distance in zip(answer["ids"][0], (answer["distances"] or [[]])[0], strict=True):
            slot = self._slots.get(passage_id)
            if slot is not None and allowed[slot]:
                found[slot] = 1.0 - distance
        return dict(list(found.items())[:depth])

    def at(self, slot: int) -> Passage:
        return self._at(slot)

    def _at(self, slot: int) -> Passage:
        passage = self._passages[slot]
        assert passage is not None, "only slots in use are asked for"
        return passage

    def _take(self, passage: Passage) -> None:
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self._passages)
            self._passages.append(None)
            self._purposes.append(0)
            self._kinds.append(0)
        self._passages[slot] = passage
        self._purposes[slot] = sum(_BIT[p] for p in passage.purposes or Purpose)
        self._kinds[slot] = KINDS.index(passage.kind)
        self._of_subject.setdefault(passage.subject or "", set()).add(slot)
        self._slots[passage.id] = slot
        self._of_document.setdefault(passage.document_id, []).append(passage.id)
        self._lexical.add(slot, grams(searchable(passage)))

    def _load(self) -> None:
        """Read back what is persisted. A document of which passages are missing (the process died while it was being
        added) has no digest, so that adding it again completes it."""
        complete: dict[str, int] = {}
        offset = 0
        while True:
            page = self._collection.get(limit=_BATCH, offset=offset, include=["documents", "metadatas"])
            for passage_id, text, meta in zip(
                page["ids"], page["documents"] or (), page["metadatas"] or (), strict=True
            ):
                passage = _passage(passage_id, text, meta)
                self._take(passage)
                complete[passage.document_id] = int(meta["passages"])
                self._digests[passage.document_id] = str(meta["digest"])
            offset += len(page["ids"])
            if len(page["ids"]) < _BATCH:
                break
        for document_id, total in complete.items():
            if len(self._of_document[document_id]) != total:
                del self._digests[document_id]


def _metadata(document: Document, passage: Passage, passages: int) -> dict[str, Any]:
    return {
        "document": document.id,
        "digest": document.digest(),
        "passages": passages,
        "kind": passage.kind,
        "subject": passage.subject or "",
        "title": passage.title,
        "lang": passage.lang,
        "start": passage.start,
        "end": passage.end,
        "at": -1 if passage.at is None else passage.at,
        "purposes": ",".join(sorted(passage.purposes)),
    }


def _passage(passage_id: str, text: str, meta: Any) -> Passage:
    return Passage(
        id=passage_id,
        document_id=meta["document"],
        text=text,
        kind=meta["kind"],
        subject=meta["subject"] or None,
        title=meta["title"],
        lang=meta["lang"],
        start=int(meta["start"]),
        end=int(meta["end"]),
        at=None if meta["at"] < 0 else Micros(int(meta["at"])),
        purposes=frozenset(Purpose(p) for p in meta["purposes"].split(",") if p),
    )
