"""What agents keep of a customer, and how they forget it: conversations (checkpoints) and approvals."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from agents.tables import Approval
from core.context import RequestContext
from core.db import Database
from core.text import Text
from knowledge.governance.erasure import Found, Person, Traces
from knowledge.governance.forgetful import ForgetfulTables, Rows

_APPROVED = Text("审批留作授权凭证，已去标识", "approvals stay, under an alias, as evidence of who allowed what")


def approval_traces(database: Database) -> ForgetfulTables:
    """Approvals stay under an alias, without what was to be done and why."""
    return ForgetfulTables(
        "approvals",
        database,
        (
            Rows(
                Approval,
                owner=("subject", "thread"),
                ids=("thread",),
                text=("args", "asked_args", "reasons", "evidence", "note", "call"),
                why=_APPROVED,
                cleared={"args": {}, "asked_args": {}, "reasons": [], "evidence": [], "note": None, "call": ""},
            ),
        ),
    )


class ConversationTraces:
    """Conversations in which the person is named, in the checkpoints' own file. They go as a whole: a state with holes
    could not be gone on with."""

    name = "conversations"

    def __init__(self, file: Path) -> None:
        self._file = file
        self.holds = frozenset({f"{file.name}:checkpoints.*", f"{file.name}:writes.*"})

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        return Found(words={thread.split("/", 1)[1] for thread in self._threads(ctx, person)})

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        from langgraph.checkpoint.sqlite import SqliteSaver

        found = []
        with closing(self._open()) as connection:
            saver = SqliteSaver(connection)
            for thread in self._threads(ctx, person):
                kept = saver.get_tuple({"configurable": {"thread_id": thread}})
                state = kept.checkpoint["channel_values"] if kept else {}
                found.append(
                    {"thread": thread.split("/", 1)[1], "history": state.get("history", []), "turn": state.get("turn")}
                )
        return found

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        threads = self._threads(ctx, person)
        if threads and not dry_run:
            with closing(self._open()) as connection, connection:
                for table in ("checkpoints", "writes"):
                    connection.executemany(f"DELETE FROM {table} WHERE thread_id = ?", [(t,) for t in threads])
        return Traces(self.name, erased=len(threads))

    def _threads(self, ctx: RequestContext, person: Person) -> list[str]:
        if not self._file.exists():
            return []
        from langgraph.checkpoint.sqlite import SqliteSaver

        pattern = person.pattern()
        with closing(self._open()) as connection:
            saver = SqliteSaver(connection)
            return sorted(
                thread
                for thread in set(self._sieved(connection, f"{ctx.tenant}/", person))
                if pattern.search(thread.split("/", 1)[1])
                or any(
                    pattern.search(f"{kept.checkpoint} {kept.metadata} {kept.pending_writes}")
                    for kept in saver.list({"configurable": {"thread_id": thread}})
                )
            )

    def _sieved(self, connection: sqlite3.Connection, tenant: str, person: Person) -> Iterator[str]:
        """Threads whose bytes have one of the words, perhaps as part of a longer one."""
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table, column in (("checkpoints", "checkpoint"), ("checkpoints", "metadata"), ("writes", "value")):
            for word in person.named if table in tables else ():
                found = connection.execute(
                    f"SELECT DISTINCT thread_id FROM {table} WHERE substr(thread_id, 1, ?) = ? "
                    f"AND (thread_id = ? OR instr({column}, ?) > 0 OR instr({column}, ?) > 0)",
                    (len(tenant), tenant, tenant + word, word.encode(), word),
                )
                yield from (thread for (thread,) in found)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=15)
        connection.execute("PRAGMA secure_delete = ON")
        return connection
