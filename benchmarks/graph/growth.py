"""The full run: one store that grows, measured at each size beside the peers on the same graph."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.graph.figures import apart, disk_mb, load, remember
from benchmarks.graph.measure import ROUNDS
from benchmarks.graph.peers import Answer, Peer, ask, available, write_graph
from benchmarks.graph.world import CTX, FACTS, opened, questions
from benchmarks.machine import machine_facts

SIZES = (2_000, 20_000, 200_000, 1_000_000, 2_000_000)
CHECKED = 200
"""Questions whose answers are compared before a peer is timed."""


def full(
    keep: Callable[[dict[str, Any]], None],
    sizes: Sequence[int] = SIZES,
    peers: Sequence[Peer] | None = None,
    count: int = 200,
) -> dict[str, Any]:
    """Everything, beside all peers that are set up unless told beside which; `keep` is given what there is after each
    step: a run that is broken off leaves its figures."""
    asked = available() if peers is None else peers
    found: dict[str, Any] = {"machine": machine_facts(), "points": [], "peers": []}
    with tempfile.TemporaryDirectory() as name:
        folder, there = Path(name), 0
        for customers in sizes:
            took = load(folder, there, customers)
            if there == 0:
                remember(folder, customers)
            added, there = (customers - there) * FACTS, customers
            point = {"customers": customers, "facts": customers * FACTS, "added": added, **took,
                     "disk_after_load_mb": disk_mb(folder)}  # fmt: skip
            found["points"].append({**point, **apart(folder, customers, sizes[0], count)})
            keep(found)
            found["peers"] += beside(folder, customers, asked, count)
            keep(found)
    return found


def beside(folder: Path, customers: int, peers: Sequence[Peer], count: int) -> list[dict[str, Any]]:
    """Every form of every peer on the graph that our store in `folder` has."""
    asked = questions(customers, count * ROUNDS)
    right = ours(folder, customers, CHECKED)
    found = []
    for peer in peers:
        with tempfile.TemporaryDirectory() as name:
            write_graph(Path(name), customers)
            found += [{"customers": customers, **each} for each in ask(peer, Path(name), asked, right)]
    return found


def ours(folder: Path, customers: int, count: int) -> list[Answer]:
    """Our answers to the first questions."""
    database, store = opened(folder)
    try:
        near = [store.neighbourhood(CTX, subject, 2, at) for subject, at in questions(customers, count)]
    finally:
        database.close()
    return [{node: hops for node, hops in n.hops.items() if node != n.subject} for n in near]
