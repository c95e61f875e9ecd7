"""What the embedded graph no longer has to keep: events of a type, and values of a property that another has replaced,
from before a moment. What holds now always stays."""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlmodel import Session

from core.context import RequestContext
from core.times import Micros
from knowledge.graph.log import look_up_key

_EVENTS = "FROM graph_event WHERE tenant = :tenant AND type = :name AND time < :before"
_OVER = """SELECT seq, value FROM graph_fact WHERE tenant = :tenant AND name = :name AND object IS NULL
    AND subject >= :kind || '/' AND subject < :kind || '0' AND valid_from < :before
    AND (valid_to <= :before OR EXISTS (
        SELECT 1 FROM graph_retraction r WHERE r.seq = graph_fact.seq AND r.recorded_at < :before
    ) OR EXISTS (
        SELECT 1 FROM graph_fact n WHERE n.tenant = graph_fact.tenant AND n.subject = graph_fact.subject
        AND n.name = graph_fact.name AND n.object IS NULL AND n.valid_to IS NULL AND n.valid_from < :before
        AND (n.valid_from, n.recorded_at, n.seq) > (graph_fact.valid_from, graph_fact.recorded_at, graph_fact.seq)
        AND NOT EXISTS (SELECT 1 FROM graph_retraction r WHERE r.seq = n.seq)))"""


def drop_events(session: Session, ctx: RequestContext, name: str, before: Micros, dry_run: bool) -> int:
    """Events of a type; how many."""
    statement = f"SELECT count(*) {_EVENTS}" if dry_run else f"DELETE {_EVENTS}"
    asked = {"tenant": ctx.tenant, "name": name, "before": before}
    result = session.connection().execute(text(statement), asked)
    return int(result.scalar_one()) if dry_run else result.rowcount


def drop_replaced(session: Session, ctx: RequestContext, kind: str, name: str, before: Micros, dry_run: bool) -> int:
    """Values of a property of subjects of a type that were replaced, withdrawn or over before the moment; how many."""
    asked = {"tenant": ctx.tenant, "kind": kind, "name": name, "before": before}
    connection = session.connection()
    rows = [
        {"tenant": ctx.tenant, "seq": seq, "key": look_up_key(json.loads(value))}
        for seq, value in connection.execute(text(_OVER), asked)
    ]
    if rows and not dry_run:
        connection.execute(text("DELETE FROM graph_lookup WHERE tenant = :tenant AND key = :key AND seq = :seq"), rows)
        for table in ("graph_retraction", "graph_fact"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq = :seq"), rows)
    return len(rows)
