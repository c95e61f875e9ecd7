"""The audit log: one row for every change and every refusal, each row sealed by the hash of the one before it. What a
row says about whom can be taken out of it when a person is erased; its seal then still holds."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, UniqueConstraint, bindparam, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from core.clock import Clock
from core.context import RequestContext
from core.errors import Unavailable
from core.text import Text


class AuditRow(SQLModel, table=True):
    """Who did what to which target, when; `hash` covers the row and the previous row's hash (chain per tenant). No two
    rows of a tenant have the same predecessor, whatever database keeps them: the chain cannot fork.

    Target and detail are sealed by way of `content`, their salted digest: a redacted row (no salt, target or detail)
    keeps it, so that the chain holds, and nobody can guess from it what was there.
    """

    __tablename__ = "audit"
    __table_args__ = (UniqueConstraint("tenant", "previous", name="audit_chain"),)

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


_TRIES = 100
"""More than writers at once: of those that want one place, each try gives it to one."""
ERASED = "privacy.erase"
"""The action of rows that announce which rows (`audit_rows` of their detail) were redacted."""
REJOINED = "audit.rejoin"
"""The action of a row that says which rows (`rows` of its detail) stood on a branch of a chain that had forked, and how
they were sealed there; and which of them (`audit_rows`) were redacted before."""


def record(
    session: Session, ctx: RequestContext, clock: Clock, action: str, target: str, detail: dict[str, Any] | None = None
) -> None:
    """Write one row in the caller's transaction, so that a change and its audit row stand or fall together. Where the
    database lets writers overlap, whoever finds that another one took its place in the chain takes the next."""
    for _ in range(_TRIES):
        row = _next_row(session, ctx, clock, action, target, detail or {})
        connection = session.connection()
        try:
            with connection.begin_nested():
                connection.execute(insert(AuditRow), row.model_dump(exclude={"seq"}))
            return
        except IntegrityError:
            if _last_hash(session, ctx.tenant) == row.previous:  # refused for another reason than its place
                raise
    raise Unavailable(
        Text("审计日志太忙，这次改动没有写入", "the audit log is too busy, and nothing of the change was kept"),
        hint=Text("请再试一次", "Try again"),
    )


def _next_row(
    session: Session, ctx: RequestContext, clock: Clock, action: str, target: str, detail: dict[str, Any]
) -> AuditRow:
    row = AuditRow(
        tenant=ctx.tenant,
        actor=ctx.actor,
        role=str(ctx.role),
        purpose=str(ctx.purpose),
        action=action,
        target=target,
        detail=detail,
        at=clock.now(),
        previous=_last_hash(session, ctx.tenant),
        hash="",
        salt=secrets.token_hex(16),
        content="",
    )
    row.content = digest(row)
    row.hash = seal(row)
    return row


_LAST_HASH = (
    select(AuditRow.hash).where(AuditRow.tenant == bindparam("tenant")).order_by(col(AuditRow.seq).desc()).limit(1)
)
"""Put together once: this is asked at every write of the hub."""


def _last_hash(session: Session, tenant: str) -> str:
    return session.exec(_LAST_HASH, params={"tenant": tenant}).first() or ""


def seal(row: AuditRow, previous: str | None = None) -> str:
    """SHA-256 over who did what when, the digest of the rest, and the previous hash (the row's own, or another)."""
    before = row.previous if previous is None else previous
    body = [row.tenant, row.actor, row.role, row.purpose, row.action, row.at, before, row.content]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def digest(row: AuditRow) -> str:
    """SHA-256 over salt, target and detail."""
    body = [row.salt, row.target, row.detail]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def redact(row: AuditRow) -> None:
    """Take out what the row says about whom. A row of `ERASED` has to name its `seq`, or the log counts as broken."""
    row.target, row.detail, row.salt = "", {}, ""


def first_broken(session: Session, tenant: str) -> int | None:
    """The `seq` of the first row whose seal, content or link does not hold, or None when the chain is whole. A row that
    was on a branch has to hold there, too."""
    mine = select(AuditRow).where(AuditRow.tenant == tenant)
    telling = session.exec(mine.where(col(AuditRow.action).in_((ERASED, REJOINED)))).all()
    announced = {seq for row in telling for seq in row.detail.get("audit_rows", ())}
    branches = {old["seq"]: old for row in telling if row.action == REJOINED for old in row.detail.get("rows", ())}
    ends = {"", *(old["hash"] for old in branches.values())}
    previous = ""
    for row in session.exec(mine.order_by(col(AuditRow.seq))):
        says = row.content == digest(row) if row.salt else row.seq in announced and not (row.target or row.detail)
        if row.previous != previous or row.hash != seal(row) or not says:
            return row.seq
        if (old := branches.get(row.seq)) and (
            old["hash"] != seal(row, old["previous"]) or old["previous"] not in ends
        ):
            return row.seq
        previous = row.hash
        if branches:
            ends.add(row.hash)
    return None
