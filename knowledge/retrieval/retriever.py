"""Searching tickets, transcripts, contracts and articles: dense and BM25, fused, and limited to what the purpose of
the request allows."""

from __future__ import annotations

import os
import re
import shutil
import struct
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.context import RequestContext
from core.errors import Forbidden, NotFound
from core.ids import stable_id
from core.telemetry import span
from core.text import Text
from knowledge.retrieval.chunk import passages as cut
from knowledge.retrieval.documents import Document, Passage, check_document, check_kind
from knowledge.retrieval.embed import Embedder
from knowledge.retrieval.fuse import Scores, fuse, lexical_weight
from knowledge.retrieval.shelf import Shelf, searchable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

Record = Callable[[RequestContext, str, str, dict[str, Any]], None]
"""(ctx, action, target, detail): writes an audit row."""

_DEPTH = 50
"""Candidates taken from each ranking before fusion."""
_LONGEST_QUERY = 2_000
"""Characters of a query that are read: a whole ticket may be one, and its beginning says what it is about."""


class Retriever:
    """One index on disk for all tenants, one collection a tenant. Thread-safe; one process at a time.

    Args:
        embedder: its name is part of a collection's name: with another embedder, texts are embedded anew at first use.
        directory: where Chroma keeps its files.
        record: called for each change, to write the audit row.
    """

    def __init__(self, embedder: Embedder, directory: Path, record: Record | None = None) -> None:
        self._embedder, self._directory = embedder, directory
        self._record = record or (lambda ctx, action, target, detail: None)
        self._client: ClientAPI | None = None
        self._shelves: dict[str, Shelf] = {}
        self._lock = threading.RLock()

    def warm(self, ctx: RequestContext) -> int:
        """Load the libraries, the encoder and the tenant's index now rather than at the first search; returns the
        number of passages."""
        self._embedder.embed(["."])
        with self._lock:
            return len(self._shelf(ctx.tenant))

    def add(self, ctx: RequestContext, documents: Sequence[Document]) -> int:
        """Add documents, or replace those whose content changed; returns how many were written. Ones that are here
        unchanged are left alone.

        Raises:
            InvalidInput, TooLarge: a document cannot be indexed (`where` names it); none is written.
            Unavailable: the embedder does not answer; none is written.
        """
        for document in documents:
            check_document(document)
        latest = {d.id: d for d in documents}
        with span("retrieval.add", documents=len(documents)):
            with self._lock:
                shelf = self._shelf(ctx.tenant)
                new = [d for d in latest.values() if shelf.digest(d.id) != d.digest()]
            if not new:
                return 0
            parts = [(d, _passages(ctx, d)) for d in new]
            # Outside the lock: searches go on while a long batch is being embedded.
            vectors = self._embedder.embed([searchable(p) for _, passages in parts for p in passages])
            with self._lock:
                shelf.drop(d.id for d in new)
                shelf.put(parts, vectors)
            self._record(ctx, "retrieval.add", f"{len(new)} documents", {"documents": [d.id for d in new][:100]})
        return len(new)

    def delete(self, ctx: RequestContext, document_id: str) -> bool:
        """Remove a document and all its passages; False when there was none."""
        with span("retrieval.delete"), self._lock:
            removed = self._shelf(ctx.tenant).drop([document_id]) > 0
            if removed:
                self._record(ctx, "retrieval.delete", document_id, {})
        return removed

    def held(self, ctx: RequestContext, subjects: Collection[str], named: re.Pattern[str]) -> list[Passage]:
        """Passages about any of these subjects, or whose text, title or document's id matches: for erasure and export,
        whatever the purpose."""
        with self._lock:
            return [
                p
                for p in self._shelf(ctx.tenant).passages()
                if p.subject in subjects or named.search(f"{p.document_id} {p.title} {p.text}")
            ]

    def forget(self, ctx: RequestContext, document_ids: Collection[str]) -> int:
        """Remove documents for good: the whole index is written anew without them, because Chroma keeps deleted texts
        and vectors in its files. Searches wait meanwhile; nothing is embedded again."""
        with span("retrieval.forget", documents=len(document_ids)), self._lock:
            removed = self._shelf(ctx.tenant).drop(document_ids)
            if removed:
                self._rewrite()
                self._record(ctx, "retrieval.forget", f"{removed} documents", {})
        return removed

    def _rewrite(self) -> None:
        """Copy every collection into a new folder and put it in the old one's place."""
        fresh, old = (self._directory.with_name(f"{self._directory.name}.{end}") for end in ("fresh", "old"))
        for left in (fresh, old):
            shutil.rmtree(left, ignore_errors=True)
        into = _chroma(fresh)
        for collection in self._connect().list_collections():
            copy = into.create_collection(
                collection.name,
                configuration={"hnsw": {"space": "cosine"}},
                metadata=collection.metadata,
                embedding_function=None,
            )
            offset, page = 0, 500
            while ids := (
                rows := collection.get(limit=page, offset=offset, include=["documents", "metadatas", "embeddings"])
            )["ids"]:
                copy.upsert(ids, rows["embeddings"], rows["metadatas"], rows["documents"])
                offset += len(ids)
        into.close()
        _blank_spare(fresh)
        self.close()
        self._directory.rename(old)
        fresh.rename(self._directory)
        shutil.rmtree(old)

    def get(self, ctx: RequestContext, passage_id: str) -> Passage:
        """
        Raises:
            NotFound: there is no such passage.
            Forbidden: the purpose may not read it.
        """
        with self._lock:
            passage = self._shelf(ctx.tenant).passage(passage_id)
        if passage is None:
            raise NotFound(Text(f"没有段落 {passage_id!r}", f"there is no passage {passage_id!r}"))
        if passage.purposes and ctx.purpose not in passage.purposes:
            raise Forbidden(
                Text(
                    f"段落 {passage_id} 不能用于目的 {ctx.purpose}",
                    f"passage {passage_id} may not be used for the purpose {ctx.purpose}",
                )
            )
        return passage

    def exists(self, ctx: RequestContext, passage_id: str) -> bool:
        """True for a passage that this purpose may read: what a decision may cite."""
        with self._lock:
            passage = self._shelf(ctx.tenant).passage(passage_id)
        return passage is not None and (not passage.purposes or ctx.purpose in passage.purposes)

    def search(
        self,
        ctx: RequestContext,
        query: str,
        k: int = 5,
        kinds: Sequence[str] | None = None,
        subject: str | None = None,
    ) -> list[Passage]:
        """The `k` passages that answer a query best, best first, in any language; only of `kinds` and of `subject`
        where given. What the purpose does not allow is neither returned nor ranked.

        Raises:
            InvalidInput: an unknown kind.
            Unavailable: the embedder does not answer.
        """
        for kind in kinds or ():
            check_kind(kind)
        text = query.strip()[:_LONGEST_QUERY]
        if not text or k < 1:
            return []
        with span("retrieval.search", k=k) as current:
            vector = self._embedder.embed([text])[0]
            with self._lock:
                found = self._ranked(self._shelf(ctx.tenant), ctx, text, vector, k, kinds, subject)
            current.set_attribute("zhongshu.found", len(found))
        return found

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._shelves.clear()
            if self._client is not None:
                self._client.close()
                self._client = None

    def _ranked(
        self,
        shelf: Shelf,
        ctx: RequestContext,
        text: str,
        vector: Scores,
        k: int,
        kinds: Sequence[str] | None,
        subject: str | None,
    ) -> list[Passage]:
        allowed = shelf.allowed(ctx.purpose, kinds, subject)
        if not allowed.any():
            return []
        depth = max(_DEPTH, 4 * k)
        scores, ideal = shelf.lexical(text)
        lexical = np.where(allowed, scores, np.float32(0))
        dense = shelf.nearest(vector, allowed, depth)
        worded = [slot for slot in _top(lexical, depth) if slot not in dense]
        dense.update(zip(worded, shelf.dense(vector, np.asarray(worded, dtype=np.intp)).tolist(), strict=True))
        slots = np.asarray(sorted(dense), dtype=np.intp)
        similar = np.asarray([dense[int(s)] for s in slots], dtype=np.float32)
        fused = fuse(similar, lexical[slots], lexical_weight(float(lexical.max()), ideal))
        best = np.lexsort((slots, -fused))[:k]
        return [replace(shelf.at(int(slots[i])), score=float(fused[i]), similarity=float(similar[i])) for i in best]

    def _shelf(self, tenant: str) -> Shelf:
        if tenant not in self._shelves:
            self._shelves[tenant] = Shelf(self._collection(tenant))
        return self._shelves[tenant]

    def _collection(self, tenant: str) -> Any:
        """The tenant's collection for this embedder. Texts embedded by another one are embedded again and moved here;
        stopping half-way leaves them where they were."""
        client = self._connect()
        family = stable_id("t", tenant)
        name = f"{family}.{stable_id('e', self._embedder.name)}"
        collection = client.get_or_create_collection(
            name,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"tenant": tenant, "embedder": self._embedder.name},
            embedding_function=None,
        )
        for other in client.list_collections():
            if other.name.startswith(f"{family}.") and other.name != name:
                self._move(other, collection)
                client.delete_collection(other.name)
        return collection

    def _move(self, old: Any, new: Any) -> None:
        page, offset = 500, 0
        while ids := (rows := old.get(limit=page, offset=offset, include=["documents", "metadatas"]))["ids"]:
            texts = [
                f"{meta['title']}\n{text}" if meta["title"] else text
                for text, meta in zip(rows["documents"], rows["metadatas"], strict=True)
            ]
            new.upsert(ids, self._embedder.embed(texts).tolist(), rows["metadatas"], rows["documents"])
            offset += len(ids)

    def _connect(self) -> ClientAPI:
        if self._client is None:
            self._client = _chroma(self._directory)
        return self._client


_COUNTS = struct.Struct("<4x8xQQ")
"""How the header of Chroma's HNSW files begins: version, offset, elements with room, elements."""
_ROOMY = ("data_level0.bin", "length.bin")
"""Its files with room for as many elements: vectors, and lengths of links."""


def _blank_spare(folder: Path) -> None:
    """Overwrite the room for elements to come in the files of a closed index: it is written as it was found in memory,
    and that may be anything the process has had there, such as texts that were just erased."""
    for header in folder.glob("*/header.bin"):
        room, elements = _COUNTS.unpack_from(header.read_bytes())
        for name in _ROOMY:
            with header.with_name(name).open("r+b") as file:
                whole = file.seek(0, os.SEEK_END)
                file.truncate(elements * (whole // room))
                file.truncate(whole)
                os.fsync(file.fileno())


def _chroma(folder: Path) -> ClientAPI:
    import chromadb
    from chromadb.config import Settings

    folder.mkdir(parents=True, exist_ok=True)
    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def _passages(ctx: RequestContext, document: Document) -> list[Passage]:
    digest, allowed = document.digest(), document.allowed()
    return [
        Passage(
            id=stable_id("passage", ctx.tenant, document.id, digest, place),
            document_id=document.id,
            text=document.text[piece.start : piece.end],
            kind=document.kind,
            subject=document.subject,
            title=document.title,
            lang=document.language,
            start=piece.start,
            end=piece.end,
            at=document.at,
            purposes=allowed,
        )
        for place, piece in enumerate(cut(document.text))
    ]


def _top(scores: Scores, depth: int) -> list[int]:
    """The slots of the highest scores above 0, at most `depth`."""
    slots = np.argpartition(-scores, depth)[:depth] if depth < len(scores) else np.arange(len(scores))
    return [int(s) for s in slots if scores[s] > 0]
