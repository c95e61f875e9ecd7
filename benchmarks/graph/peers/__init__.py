"""The peers' side: the same graph and the same questions, put to one in a process of its own. An answer comes before a
time: a form whose answers about a sample differ from ours is not timed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environment import Environment
from benchmarks.graph.world import claims
from core.times import Micros

HERE = Path(__file__).parent
ENVIRONMENT = Environment(Path(__file__).parents[3] / "var" / "graph-peers", HERE / "requirements.txt")
Answer = Mapping[str, int]
"""Subject → its distance, without the one asked about."""


@dataclass(frozen=True)
class Peer:
    """`forms`: how the question is put to it."""

    name: str
    module: Path
    forms: tuple[str, ...]
    python: Path


PEERS = (
    Peer(
        "ladybug",
        HERE / "with_ladybug.py",
        ("shortest paths", "two patterns", "one hop, then another"),
        ENVIRONMENT.python,
    ),
    Peer("sqlite, recursive", HERE / "with_sqlite.py", ("one recursive statement",), Path(sys.executable)),
)


def available() -> list[Peer]:
    """The peers that are set up."""
    return [p for p in PEERS if p.python != ENVIRONMENT.python or ENVIRONMENT.ready]


def write_graph(folder: Path, customers: int) -> None:
    """What a peer is given: `nodes.csv` (id, phone, spend, spend a day later) and `edges.csv` (from, to, relation,
    since). It keeps no source, no time of knowledge, and no history of values: less than we do."""
    with (folder / "nodes.csv").open("w", newline="") as nodes, (folder / "edges.csv").open("w", newline="") as edges:
        node, edge = csv.writer(nodes), csv.writer(edges)
        row: list[Any] = []
        for claim in claims(0, customers):
            if claim.object is not None:
                edge.writerow([claim.subject, claim.object, claim.name, claim.valid_from])
            elif claim.name == "phone":
                row = [claim.subject, claim.value]
            else:
                row.append(claim.value)
                if len(row) == 4:
                    node.writerow(row)
        node.writerows([f"device/d{i}", "", 0.0, 0.0] for i in range((customers + 1) // 2))


def ask(
    peer: Peer, folder: Path, asked: Sequence[tuple[str, Micros]], right: Sequence[Answer], rounds: int = 5
) -> list[dict[str, Any]]:
    """A peer loads the graph of the folder and answers every form; those that answer the first of `asked` rightly are
    timed on all."""
    job = folder / "job.json"
    job.write_text(json.dumps({"asked": asked, "right": right, "forms": peer.forms, "rounds": rounds}))
    command = [str(peer.python), str(HERE / "child.py"), str(peer.module), str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        return [{"peer": peer.name, "form": form, "why": "its process failed"} for form in peer.forms]
    return [{"peer": peer.name, **each} for each in json.loads(done.stdout.splitlines()[-1])]
