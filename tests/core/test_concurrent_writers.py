"""Several threads writing at once: the audit chain must not fork."""

from __future__ import annotations

import threading
from pathlib import Path

from core import audit
from core.clock import SystemClock
from core.context import system_context
from core.db import Database


def test_the_audit_chain_stays_whole_under_concurrent_writers(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/hub.db")
    database.create_tables()
    ctx, clock = system_context(), SystemClock()

    def write() -> None:
        for _ in range(20):
            with database.transaction() as session:
                audit.record(session, ctx, clock, "test.write", "row")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    with database.reading() as session:
        assert audit.first_broken(session, ctx.tenant) is None
        last = session.get(audit.AuditRow, 80)
    database.close()
    assert last is not None
