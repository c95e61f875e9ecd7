"""What the turns in a graph database tell the audit log, which is in another store: kept with each turn, then copied in
the order of the turns, each once, whichever process comes first and wherever one of them dies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from neo4j import ManagedTransaction, Session
from sqlmodel import Session as Rows
from sqlmodel import col, select

from core import audit
from core.clock import ManualClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.ids import TenantId
from core.times import Micros
from knowledge.graph.log import to_json

LOCK = "MERGE (t:Turn {key: 'log'}) ON CREATE SET t.turns = 1, t.fact = 0, t.merge = 0, t.audit = 0, t.log = $log" \
    " ON MATCH SET t.turns = t.turns + 1"  # fmt: skip
"""Whoever sets a property of this node waits until the one before has committed. What it says is to be read after that,
by a statement of its own: the server may have read it before it waited."""
READ = "MATCH (t:Turn {key: 'log'}) RETURN t.fact AS fact, t.merge AS merge, t.audit AS audit, t.log AS log"
KEEP = "MATCH (t:Turn {key: 'log'}) SET t += $last WITH t UNWIND $rows AS row CREATE (a:Audit) SET a = row"
_STAND_STILL = "MATCH (t:Turn {key: 'log'}) SET t.turns = t.turns + 1"
_WAITING = "MATCH (a:Audit) RETURN properties(a) AS row ORDER BY a.number"
_DONE = "MATCH (a:Audit) WHERE a.key IN $keys DETACH DELETE a"


def kept(
    ctx: RequestContext, log: str, number: int, at: Micros, action: str, target: str, detail: Mapping[str, Any]
) -> dict[str, Any]:
    """What a turn tells, as the properties of a node; `number` counts what was ever told in this log."""
    who = {"tenant": ctx.tenant, "actor": ctx.actor, "role": str(ctx.role), "purpose": str(ctx.purpose)}
    told = {"action": action, "target": target, "detail": to_json(dict(detail)), "at": at}
    return {"key": f"{log}/{number}", "log": log, "number": number, **who, **told}


def copy(session: Session, audits: Database) -> None:
    """Bring what waits into the audit log. Turns stand still meanwhile. A row that an earlier copy wrote, but could not
    take off the list any more, is known by its number and not written again."""

    def work(transaction: ManagedTransaction) -> None:
        transaction.run(_STAND_STILL).consume()
        waiting = [record["row"] for record in transaction.run(_WAITING)]
        if not waiting:
            return
        with audits.transaction() as rows:
            for row in waiting[_copied(rows, waiting) :]:
                _record(rows, row)
        transaction.run(_DONE, keys=[row["key"] for row in waiting]).consume()

    session.execute_write(work)


def _copied(rows: Rows, waiting: list[dict[str, Any]]) -> int:
    """How many of those that wait are in the audit log already."""
    turn, log = col(audit.AuditRow.detail)["turn"].as_string(), waiting[0]["log"]
    latest = select(turn).where(turn.startswith(f"{log}/")).order_by(col(audit.AuditRow.seq).desc()).limit(1)
    last = rows.exec(latest).first()
    reached = 0 if last is None else int(last.rsplit("/", 1)[1])
    return sum(row["number"] <= reached for row in waiting)


def _record(rows: Rows, row: Mapping[str, Any]) -> None:
    ctx = RequestContext(TenantId(row["tenant"]), row["actor"], Role(row["role"]), Purpose(row["purpose"]))
    detail = {**json.loads(row["detail"]), "turn": row["key"]}
    audit.record(rows, ctx, ManualClock(row["at"]), row["action"], row["target"], detail)
