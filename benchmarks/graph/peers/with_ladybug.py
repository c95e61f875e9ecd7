"""ladybug: one table of nodes, one of relations; loaded by COPY, its fastest way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ladybug

_SHORTEST = """MATCH (a:Node {id: $id})-[e:Rel* SHORTEST 1..2 (r, n | WHERE r.since <= $at)]-(b:Node)
RETURN b.id, length(e)"""
_ONE = "MATCH (a:Node {id: $id})-[e:Rel]-(b:Node) WHERE e.since <= $at RETURN DISTINCT b.id, 1"
_TWO = """MATCH (a:Node {id: $id})-[e:Rel]-(b:Node)-[f:Rel]-(c:Node) WHERE e.since <= $at AND f.since <= $at
RETURN DISTINCT c.id, 2"""
_NEXT = "MATCH (a:Node)-[e:Rel]-(b:Node) WHERE a.id IN $ids AND e.since <= $at RETURN DISTINCT b.id, 2"


class Peer:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "ladybug.db"
        self._asked = ladybug.Connection(ladybug.Database(str(self._file)), num_threads=1)
        for statement in (
            "CREATE NODE TABLE Node(id STRING, phone STRING, spend DOUBLE, later DOUBLE, PRIMARY KEY(id))",
            "CREATE REL TABLE Rel(FROM Node TO Node, kind STRING, since INT64)",
            f"COPY Node FROM '{folder}/nodes.csv'",
            f"COPY Rel FROM '{folder}/edges.csv'",
            "CHECKPOINT",
        ):
            self._asked.execute(statement)
        self.forms = {"shortest paths": self._shortest, "two patterns": self._two, "one hop, then another": self._twice}

    def disk(self) -> int:
        return sum(f.stat().st_size for f in self._file.parent.glob("ladybug.db*"))

    def _shortest(self, subject: str, at: int) -> dict[str, int]:
        # A parameter inside a path's own condition is not bound: the moment, a number, is written out.
        return self._rows(_SHORTEST.replace("$at", str(int(at))), subject, {"id": subject})

    def _two(self, subject: str, at: int) -> dict[str, int]:
        asked = {"id": subject, "at": at}
        return {**self._rows(_TWO, subject, asked), **self._rows(_ONE, subject, asked)}

    def _twice(self, subject: str, at: int) -> dict[str, int]:
        near = self._rows(_ONE, subject, {"id": subject, "at": at})
        return {**self._rows(_NEXT, subject, {"ids": list(near), "at": at}), **near}

    def _rows(self, statement: str, subject: str, asked: dict[str, Any]) -> dict[str, int]:
        rows = self._asked.execute(statement, asked).get_all()
        return {node: hops for node, hops in rows if node != subject}
