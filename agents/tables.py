"""Approvals: each a row of its own, so that who asked, what exactly for, under which limits, who decided and when can
be read and audited without opening a conversation."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel


class ApprovalState(StrEnum):
    """pending → approved | rejected | expired | superseded (the conversation went on without it)."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Approval(SQLModel, table=True):
    """One act that waits for a person.

    `args_hash` covers tool and `args`; what is executed must have this hash. An edit changes `args` (kept as they were
    in `asked_args`), never `tool`. `resumed_at`: when the conversation went on with the answer.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        Index("approvals_state", "tenant", "state", "expires_at"),
        Index("approvals_thread", "tenant", "thread"),
    )

    id: str = Field(primary_key=True)
    tenant: str
    thread: str
    call: str = Field(description="the tool call, the idempotency key of the act together with the thread")
    route: str
    subject: str | None = None
    tool: str
    args: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    asked_args: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    args_hash: str
    reasons: list[str] = Field(sa_column=Column(JSON, nullable=False))
    evidence: list[str] = Field(sa_column=Column(JSON, nullable=False))
    policy_version: str
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    requested_by: str
    requested_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    state: str = ApprovalState.PENDING
    decided_by: str | None = None
    decided_role: str | None = None
    decided_at: int | None = Field(default=None, sa_type=BigInteger)
    note: str | None = None
    resumed_at: int | None = Field(default=None, sa_type=BigInteger)
