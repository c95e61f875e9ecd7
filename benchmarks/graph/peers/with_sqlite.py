"""Plain SQLite: one table of relations with covering indexes both ways, and one recursive statement. No time of
knowledge, withdrawals, sources, purposes or merges."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

_TWO_HOPS = """
WITH RECURSIVE near(node, hop) AS (
  VALUES (:start, 0)
  UNION SELECT CASE WHEN e.subject = near.node THEN e.object ELSE e.subject END, hop + 1
  FROM near JOIN edge e ON e.subject = near.node OR e.object = near.node
  WHERE hop < 2 AND e.since <= :at)
SELECT node, min(hop) FROM near WHERE node != :start GROUP BY node"""


class Peer:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "plain.db"
        self._asked = sqlite3.connect(self._file, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA cache_size=-32768",
            "CREATE TABLE node (id TEXT PRIMARY KEY, phone TEXT, spend REAL, later REAL) WITHOUT ROWID",
            "CREATE TABLE edge (subject TEXT, object TEXT, kind TEXT, since INTEGER)",
            "BEGIN",
        ):
            self._asked.execute(statement)
        for table in ("node", "edge"):
            with (folder / f"{table}s.csv").open(newline="") as file:
                self._asked.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", csv.reader(file))
        self._asked.execute("CREATE INDEX edge_out ON edge (subject, since, object)")
        self._asked.execute("CREATE INDEX edge_in ON edge (object, since, subject)")
        self._asked.execute("COMMIT")
        self.forms = {"one recursive statement": self._two_hops}

    def disk(self) -> int:
        return sum(f.stat().st_size for f in self._file.parent.glob("plain.db*"))

    def _two_hops(self, subject: str, at: int) -> dict[str, int]:
        return dict(self._asked.execute(_TWO_HOPS, {"start": subject, "at": at}).fetchall())
