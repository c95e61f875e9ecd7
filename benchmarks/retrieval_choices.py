"""The measurements behind docs/decisions/008-retrieval.md: ways to fuse two rankings on tests/data/retrieval.yaml, one
more passage in two BM25 indexes, Chroma with and without a filter, the encoder's threads, and LlamaIndex's nodes.

Run: python -m benchmarks.retrieval_choices [passages]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import bm25s
import chromadb
import numpy as np
import yaml
from chromadb.config import Settings

from benchmarks.machine import machine_facts
from knowledge.retrieval import UseEmbedder
from knowledge.retrieval.fuse import fuse, lexical_weight
from knowledge.retrieval.lexical import LexicalIndex, grams

_SET = Path(__file__).parents[1] / "tests" / "data" / "retrieval.yaml"


def milliseconds(step: Callable[[], Any], rounds: int) -> float:
    """The median of some rounds, after one to warm up."""
    step()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        step()
        taken.append((time.perf_counter() - began) * 1_000)
    return median(taken)


def fusing() -> None:
    """Recall@5 and mean reciprocal rank of each way, every passage a candidate."""
    content = yaml.safe_load(_SET.read_text(encoding="utf-8"))
    ids, texts = list(content["passages"]), [p["text"] for p in content["passages"].values()]
    asked = [(q["ask"], set(q["answers"])) for q in content["questions"]]
    encoder = UseEmbedder()
    vectors, queries = encoder.embed(texts), encoder.embed([text for text, _ in asked])
    index = LexicalIndex()
    for slot, text in enumerate(texts):
        index.add(slot, grams(text))
    ways: dict[str, list[tuple[float, float]]] = {}
    for (text, gold), query in zip(asked, queries, strict=True):
        dense, lexical = vectors @ query, index.scores(grams(text))
        weight = lexical_weight(float(lexical.max()), index.ideal(grams(text)))
        ranked = {
            "BM25 alone": lexical,
            "dense alone": dense,
            "reciprocal ranks": 1 / (60 + _ranks(dense)) + 1 / (60 + _ranks(lexical)),
            "z-scores, equal weights": fuse(dense, lexical, 0.5),
            "z-scores, weight by share": fuse(dense, lexical, weight),
        }
        for name, scores in ranked.items():
            ways.setdefault(name, []).append(_judged([ids[i] for i in np.argsort(-scores, kind="stable")], gold))
    print(f"{len(asked)} questions over {len(ids)} passages")
    for name, found in ways.items():
        recall, reciprocal = np.mean(found, axis=0)
        print(f"  {name:28} recall@5 {recall:.2f}  MRR {reciprocal:.2f}")


def _ranks(scores: Any) -> Any:
    return np.argsort(np.argsort(-scores, kind="stable"), kind="stable") + 1


def _judged(order: Sequence[str], gold: set[str]) -> tuple[float, float]:
    first = next(place for place, found in enumerate(order, 1) if found in gold)
    return len(gold & set(order[:5])) / min(5, len(gold)), 1 / first


def one_more(passages: int, dice: np.random.Generator) -> None:
    """What one more passage costs: ours takes it in, bm25s is built again (its corpus stays as ids in memory)."""
    words = [f"w{i}" for i in range(20_000)]
    texts = [[words[i] for i in dice.zipf(1.3, 60) % len(words)] for _ in range(passages)]
    index = LexicalIndex()
    for slot, terms in enumerate(texts):
        index.add(slot, terms)
    slots = iter(range(passages, passages + 1_000))
    print(f"  own index, one more       {milliseconds(lambda: index.add(next(slots), texts[0]), 100):8.2f} ms")

    def rebuild() -> None:
        bm25s.BM25(method="lucene").index(texts, show_progress=False)

    print(f"  bm25s, built again        {milliseconds(rebuild, 2):8.0f} ms")


def filtering(passages: int, dice: np.random.Generator) -> None:
    """The 65 nearest of many vectors, without and with a condition on the metadata that one passage in 3 meets."""
    vectors = dice.standard_normal((passages, 512), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        client = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
        shelf = client.create_collection(
            "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )
        for at in range(0, passages, 1_000):
            rows = range(at, min(at + 1_000, passages))
            meta = [{"kind": ("ticket", "article", "faq")[i % 3], "subject": f"c{i % 4_000}"} for i in rows]
            shelf.add([str(i) for i in rows], vectors[at : at + 1_000].tolist(), meta)
        for name, where in (("no filter", None), ("kind", {"kind": "ticket"}), ("subject", {"subject": "c7"})):
            ask = partial(shelf.query, vectors[:1].tolist(), n_results=65, where=where, include=["distances"])
            print(f"  Chroma, {name:17} {milliseconds(ask, 20):8.1f} ms")


def threads() -> None:
    """A short text by one BLAS thread and by two; with more to do on the machine, two wait for each other."""
    for count in (1, 2):
        encoder = UseEmbedder(threads=count)
        texts = iter(f"咖啡机漏水了，请派人来看看 {i}" for i in range(1_000))
        print(f"  {count} thread(s), short text   {milliseconds(lambda: encoder.embed([next(texts)]), 100):8.1f} ms")  # noqa: B023 - called at once


def nodes() -> None:
    """LlamaIndex in the search path: its import in a fresh process, and the 200 nearest through its Chroma store."""
    code = "import time; t = time.perf_counter(); import knowledge.retrieval.llama; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    print(f"  importing LlamaIndex      {float(done.stdout) * 1_000:8.0f} ms")
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores.types import VectorStoreQuery
    from llama_index.vector_stores.chroma import ChromaVectorStore

    vectors = np.random.default_rng(7).standard_normal((1_000, 512), dtype=np.float32).tolist()
    with tempfile.TemporaryDirectory() as folder:
        client = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
        shelf = client.create_collection("nodes", embedding_function=None)
        store = ChromaVectorStore(chroma_collection=shelf)
        store.add([TextNode(text="咖啡机漏水了。" * 20, embedding=v, metadata={"kind": "faq"}) for v in vectors])
        query = VectorStoreQuery(query_embedding=vectors[0], similarity_top_k=200)
        plain = partial(shelf.query, vectors[:1], n_results=200, include=["distances"])
        print(f"  200 nearest, as ids       {milliseconds(plain, 20):8.1f} ms")
        print(f"  200 nearest, as nodes     {milliseconds(lambda: store.query(query), 20):8.1f} ms")


def main() -> None:
    passages = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(f"machine: {machine_facts()}")
    fusing()
    print(f"{passages} passages (made up)")
    one_more(passages, np.random.default_rng(7))
    filtering(passages, np.random.default_rng(7))
    print("encoder")
    threads()
    print("LlamaIndex")
    nodes()


if __name__ == "__main__":
    main()
