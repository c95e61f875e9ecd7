"""What the hub keeps, column by column, and whether a store that forgets answers for it. A new table or a new file
of the data folder counts as holding customers until a store names its columns or a line below says why nobody is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.types import Boolean, Float, Integer, Numeric

if TYPE_CHECKING:
    from app.hub import Hub

NOBODY: dict[str, tuple[str, ...]] = {
    "tenants": ("*.tenant",),
    "staff, keys and parts of the hub: who works with it": (
        "*.*_by", "graph_*.actor", "audit.actor", "api_key.*", "approvals.decided_role",
    ),
    "one of few words that the code or policies name": (
        "*.state", "*.status", "*.verdict", "*.kind", "*.route", "*.role", "*.roles", "*.lang", "*.variant",
        "*.purpose", "*.purposes", "*.consent", "*.channel", "decisions.reason", "set_aside.reason", "outbox.wanted",
        "outbox.quiet", "approvals.tool", "approvals.policy_version", "audit.action",
    ),
    "names from the catalog and of strategies": (
        "*.type", "*.strategy", "strategy_*.name", "graph_fact.name", "graph_edge_*.name", "graph_sum.event",
        "graph_sum.value", "graph_reminder.item", "engine_snapshot.deployed",
    ),
    "names of systems, and of their tables and files": (
        "journal.source", "graph_*.source", "source_*.source", "source_*.name", "source_*.file", "source_*.part",
    ),
    "digests and seals, which say nothing": (
        "*.digest", "audit.hash", "audit.previous", "audit.salt", "audit.content", "engine_snapshot.fingerprint",
        "approvals.args_hash", "source_table.mapping", "source_entry.key", "source_lineage.claim",
    ),
    "ids that the hub made": (
        "approvals.id", "decisions.id", "outbox.id", "inbox.id", "*.decision", "replay_job.id", "identity_pair.id",
        "graph_fact.id", "graph_merge.id",
    ),
    "the schema's own version": ("alembic_version.version_num",),
}  # fmt: skip
"""Why nobody is named there → columns, as in `Erasable.holds`."""


def kept_columns(hub: Hub) -> list[str]:
    """Every column that can hold text: `table.column` of the relational store, `file:table.column` of the SQLite files
    beside it."""
    tables = inspect(hub.database.engine)
    found = [
        f"{table}.{column['name']}"
        for table in tables.get_table_names()
        for column in tables.get_columns(table)
        if not isinstance(column["type"], Integer | Numeric | Float | Boolean)
    ]
    folder = hub.settings.data_dir
    own = Path(hub.database.url.removeprefix("sqlite:///"))
    files = (path for path in folder.rglob("*") if path.is_file() and path.absolute() != own.absolute())
    return found + [f"{path.relative_to(folder)}:{column}" for path in sorted(files) for column in _of_file(path)]


def uncovered(hub: Hub) -> list[str]:
    """Columns for which no store answers."""
    known = answered_for(hub)
    return [column for column in kept_columns(hub) if not any(fnmatchcase(column, pattern) for pattern in known)]


def answered_for(hub: Hub) -> list[str]:
    """What stores hold, and where nobody is named."""
    held = {pattern for store in hub.privacy.every_store for pattern in store.holds}
    return sorted(held.union(*NOBODY.values()))


def _of_file(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            for column, kind in connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,)):
                if kind.upper() not in ("INTEGER", "INT", "REAL", "TIMESTAMP"):
                    yield f"{name}.{column}"
