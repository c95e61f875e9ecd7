"""Retrieval: recall of BM25, dense and fused on the hand-written set tests/data/retrieval.yaml (zh and en), and the
time of adding, loading and searching a larger index of made-up documents.

`python -m benchmarks.retrieval [--passages 5000] [--json]`
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.machine import machine_facts
from core.context import Purpose, system_context
from knowledge.retrieval import Document, Retriever, use_embedder
from knowledge.retrieval.lexical import LexicalIndex, grams

_SET = Path(__file__).parents[1] / "tests" / "data" / "retrieval.yaml"
_CTX = system_context(Purpose.SERVICE)
Questions = Sequence[tuple[str, Sequence[str]]]


def _recall(ranked: Sequence[Sequence[str]], questions: Questions, k: int = 5) -> float:
    found = [len({*gold} & {*best[:k]}) / min(k, len(gold)) for best, (_, gold) in zip(ranked, questions, strict=True)]
    return round(float(np.mean(found)), 4)


def _ways(documents: Sequence[Document], questions: Questions, folder: Path) -> dict[str, Any]:
    """Recall@5 by BM25 alone, dense alone and fused."""
    retriever = Retriever(use_embedder(), folder)
    retriever.add(_CTX, documents)
    fused = [[p.document_id for p in retriever.search(_CTX, q, 5)] for q, _ in questions]
    retriever.close()
    ids, texts = [d.id for d in documents], [f"{d.title}\n{d.text}" for d in documents]
    vectors = use_embedder().embed(texts)
    asked = use_embedder().embed([q for q, _ in questions])
    dense = [[ids[i] for i in np.argsort(-(vectors @ v), kind="stable")[:5]] for v in asked]
    index = LexicalIndex()
    for slot, text in enumerate(texts):
        index.add(slot, grams(text))
    words = [[ids[i] for i in np.argsort(-index.scores(grams(q)), kind="stable")[:5]] for q, _ in questions]
    return {
        "documents": len(documents),
        "questions": len(questions),
        "bm25": _recall(words, questions),
        "dense": _recall(dense, questions),
        "fused": _recall(fused, questions),
    }


def _by_hand() -> tuple[list[Document], Questions]:
    content = yaml.safe_load(_SET.read_text(encoding="utf-8"))
    documents = [Document(i, p["kind"], p["text"]) for i, p in content["passages"].items()]
    return documents, [(q["ask"], q["answers"]) for q in content["questions"]]


def _speed(passages: int, folder: Path) -> dict[str, Any]:
    """Time to add, to load in a fresh process, and to search; texts are made from the hand-written set's sentences."""
    dice = random.Random(3)
    documents, questions = _by_hand()
    made = [
        Document(
            f"d{i}",
            dice.choice(("ticket", "article", "transcript")),
            f"{dice.choice(documents).text}{dice.choice(documents).text}编号{i}",
            subject=f"customer/c{i % max(1, passages // 5)}",
        )
        for i in range(passages)
    ]
    retriever = Retriever(use_embedder(), folder)
    retriever.warm(_CTX)
    begin, cpu = time.perf_counter(), time.process_time()
    retriever.add(_CTX, made)
    added, added_cpu = time.perf_counter() - begin, time.process_time() - cpu
    asked = [q for q, _ in questions] * 4
    result: dict[str, Any] = {"documents": passages, "add_s": round(added, 2), "add_cpu_s": round(added_cpu, 2)}
    for name, narrowed in (
        ("search", {}),
        ("search_one_kind", {"kinds": ["ticket"]}),
        ("search_one_subject", {"subject": "customer/c1"}),
    ):
        taken = []
        for q in asked:
            begin = time.perf_counter()
            retriever.search(_CTX, q, 5, **narrowed)
            taken.append((time.perf_counter() - begin) * 1e3)
        result[f"{name}_p50_ms"] = round(float(np.percentile(taken, 50)), 1)
        result[f"{name}_p95_ms"] = round(float(np.percentile(taken, 95)), 1)
    retriever.close()
    return {**result, **_fresh_process(folder)}


def _fresh_process(folder: Path) -> dict[str, float]:
    """What a start costs: a new process that opens the index and answers one question."""
    code = (
        "import sys, time; begin = time.perf_counter()\n"
        "from pathlib import Path\n"
        "from core.context import Purpose, system_context\n"
        "from knowledge.retrieval import Retriever, use_embedder\n"
        "imported = time.perf_counter()\n"
        "ctx, r = system_context(Purpose.SERVICE), Retriever(use_embedder(), Path(sys.argv[1]))\n"
        "r.warm(ctx); warm = time.perf_counter()\n"
        "r.search(ctx, '漏水'); done = time.perf_counter()\n"
        "print(imported - begin, warm - imported, done - warm)"
    )
    out = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True).stdout
    imported, warm, first = (round(float(x), 2) for x in out.split())
    return {"import_s": imported, "load_s": warm, "first_search_s": first}


def measure(passages: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        documents, questions = _by_hand()
        return {
            "by_hand_recall_at_5": _ways(documents, questions, Path(folder) / "hand"),
            "speed": _speed(passages, Path(folder) / "speed"),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "machine": machine_facts(),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.passages)
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    for part, values in result.items():
        print(part)
        for name, value in values.items() if isinstance(values, dict) else [("", values)]:
            print(f"  {name:28} {value}")


if __name__ == "__main__":
    main()
