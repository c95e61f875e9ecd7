"""Conversations' states on disk: LangGraph's SQLite saver in a file of its own, keeping of each conversation what is
needed to go on and to look at it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver


class Checkpoints(SqliteSaver):
    """One file. Every step is synced to disk before the next begins (WAL, synchronous=FULL)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False, timeout=15)
        connection.execute("PRAGMA synchronous=FULL")
        super().__init__(connection)

    def keep_newest(self, thread_id: str) -> None:
        """Drop the steps that a finished or paused run went through: eight a turn, each with the whole state."""
        with self.cursor() as cursor:
            for table in ("checkpoints", "writes"):
                cursor.execute(
                    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "
                    "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                    (thread_id, thread_id),
                )

    def close(self) -> None:
        self.conn.close()
