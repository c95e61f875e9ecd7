"""SQLite files without what was deleted from them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def compact_sqlite(file: Path) -> None:
    """Write the file anew from what it holds and empty its log. Waits up to 30 s for those who use it."""
    if not file.exists():
        return
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
