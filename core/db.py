"""The relational store: one engine, one place that commits. Repositories take the session they are given and never
commit; services open `Database.transaction()` around one unit of work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session, SQLModel, create_engine

from core.compact import compact_sqlite
from core.errors import InvalidInput
from core.folders import make_folder
from core.text import Text

_BUSY_S = 15
_CACHE_KIB = 32 * 1024
"""Pages a connection keeps: with SQLite's own 2 MiB, a log with indexes of some million rows is written more slowly."""
_LOG_PAGES = 4_000
"""Pages (16 MiB) of the write-ahead log before they are copied into the file: at SQLite's own 1,000, each large
transaction would be written twice."""


class Database:
    """SQLite in WAL mode (every commit reaches the disk before it returns) or any other SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        if url.startswith("sqlite:///"):
            make_folder(Path(url.removeprefix("sqlite:///")).parent)
        try:
            self.engine: Engine = create_engine(url)
        except (ArgumentError, ImportError) as cause:
            raise InvalidInput(
                Text(f"数据库地址不可用：{cause}", f"the database URL cannot be used: {cause}"),
                hint=Text("例如 sqlite:////var/lib/zhongshu.db", "For example sqlite:////var/lib/zhongshu.db"),
            ) from cause
        self._writing = threading.Lock()
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _tune_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises. Rows stay readable afterwards."""
        with self._turn(), Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "sqlite":
                session.connection(execution_options={"zhongshu_write": True})
            yield session
            session.commit()

    @contextmanager
    def unkept(self) -> Iterator[Session]:
        """A session in which things may be tried: it writes, and nothing of it is kept."""
        with self._turn(), Session(self.engine) as session:
            if self.engine.dialect.name == "sqlite":
                session.connection(execution_options={"zhongshu_write": True})
            yield session
            session.rollback()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite lets one write at a time, and whoever finds it busy looks again after up to a tenth of a second;
        writers of this process queue instead. One that waits longer than SQLite would wait takes its chance there."""
        held = self.engine.dialect.name == "sqlite" and self._writing.acquire(timeout=_BUSY_S)
        try:
            yield
        finally:
            if held:
                self._writing.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads; nothing done in it is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """The driver's own cursor on one consistent state, for reads whose SQL is text: a session costs five times what
        SQLite takes to answer them."""
        with self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("BEGIN")
            yield cursor

    def compact(self) -> None:
        """SQLite: write the file anew, without what was deleted, and empty its log; writers wait meanwhile. Other
        databases do so by themselves (PostgreSQL: autovacuum)."""
        if self.engine.dialect.name != "sqlite":
            return
        with self._turn():
            self.engine.dispose()
            compact_sqlite(Path(self.url.removeprefix("sqlite:///")))

    def create_tables(self) -> None:
        """Make every table that is imported; for tests. The service runs its Alembic migrations instead."""
        SQLModel.metadata.create_all(self.engine)

    def close(self) -> None:
        self.engine.dispose()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock before it reads: otherwise two of them seal the same audit row as their predecessor.
    writes = connection.get_execution_options().get("zhongshu_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN would come too late; see _begin_sqlite
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={_BUSY_S * 1_000}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"cache_size=-{_CACHE_KIB}",
        f"wal_autocheckpoint={_LOG_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
