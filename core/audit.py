"""The audit log: one row for every change and every refusal, each row sealed by the hash of the one before it. What a
row says about whom can be taken out of it when a person is erased; its seal then still holds."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from core.clock import Clock
from core.context import RequestContext


class AuditRow(SQLModel, table=True):
    """Who did what to which target, when; `hash` covers the row and the previous row's hash (chain per tenant).

    Target and detail are sealed by way of `content`, their salted digest: a redacted row (no salt, target or detail)
    keeps it, so that the chain holds, and nobody can guess from it what was there.
    """

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
    salt: str
    content: str


ERASED = "privacy.erase"
"""The action of rows that announce which rows (`audit_rows` of their detail) were redacted."""


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
        salt=secrets.token_hex(16),
        content="",
    )
    row.content = digest(row)
    row.hash = seal(row)
    session.add(row)
    session.flush()


def seal(row: AuditRow) -> str:
    """SHA-256 over who did what when, the digest of the rest, and the previous hash."""
    body = [row.tenant, row.actor, row.role, row.purpose, row.action, row.at, row.previous, row.content]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def digest(row: AuditRow) -> str:
    """SHA-256 over salt, target and detail."""
    body = [row.salt, row.target, row.detail]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def redact(row: AuditRow) -> None:
    """Take out what the row says about whom. A row of `ERASED` has to name its `seq`, or the log counts as broken."""
    row.target, row.detail, row.salt = "", {}, ""


def first_broken(session: Session, tenant: str) -> int | None:
    """The `seq` of the first row whose seal, content or link does not hold, or None when the chain is whole."""
    mine = select(AuditRow).where(AuditRow.tenant == tenant)
    announced = {seq for row in session.exec(mine.where(AuditRow.action == ERASED)) for seq in row.detail["audit_rows"]}
    previous = ""
    for row in session.exec(mine.order_by(col(AuditRow.seq))):
        says = row.content == digest(row) if row.salt else row.seq in announced and not (row.target or row.detail)
        if row.previous != previous or row.hash != seal(row) or not says:
            return row.seq
        previous = row.hash
    return None
