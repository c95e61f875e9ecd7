"""The audit log: one row for every change and every refusal, each row sealed by the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from core.clock import Clock
from core.context import RequestContext


class AuditRow(SQLModel, table=True):
    """Who did what to which target, when; `hash` covers the row and the previous row's hash (chain per tenant)."""

    __tablename__ = "audit"

    seq: int | None = Field(default=None, primary_key=True)
    tenant: str = Field(index=True)
    actor: str
    role: str
    purpose: str
    action: str
    target: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: int = Field(sa_type=BigInteger)
    previous: str
    hash: str


def record(
    session: Session, ctx: RequestContext, clock: Clock, action: str, target: str, detail: dict[str, Any] | None = None
) -> None:
    """Write one row in the caller's transaction, so that a change and its audit row stand or fall together."""
    last = session.exec(
        select(AuditRow).where(AuditRow.tenant == ctx.tenant).order_by(col(AuditRow.seq).desc()).limit(1)
    ).first()
    row = AuditRow(
        tenant=ctx.tenant,
        actor=ctx.actor,
        role=str(ctx.role),
        purpose=str(ctx.purpose),
        action=action,
        target=target,
        detail=detail or {},
        at=clock.now(),
        previous=last.hash if last else "",
        hash="",
    )
    row.hash = seal(row)
    session.add(row)
    session.flush()


def seal(row: AuditRow) -> str:
    """SHA-256 over the row's content and the previous hash."""
    body = [row.tenant, row.actor, row.role, row.purpose, row.action, row.target, row.detail, row.at, row.previous]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def first_broken(session: Session, tenant: str) -> int | None:
    """The `seq` of the first row whose seal or link does not hold, or None when the chain is whole."""
    previous = ""
    for row in session.exec(select(AuditRow).where(AuditRow.tenant == tenant).order_by(col(AuditRow.seq))):
        if row.previous != previous or row.hash != seal(row):
            return row.seq
        previous = row.hash
    return None
