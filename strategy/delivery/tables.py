"""What delivery keeps: one decision a firing, one outbox row an action, and the in-app inbox."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel


class SendState(StrEnum):
    """pending (also between retries) → sent | failed (refused for good) | dead (tries used up) | cancelled."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Decision(SQLModel, table=True):
    """What was decided on one firing, and why. `id` is stable: the same firing is decided once.

    `at` is the firing's event time; `due` when its actions go out (later than `at` when deferred). `actions`: per
    action of the strategy its label, the channel it wanted, the channel it goes out on and a note. `why`: the observed
    trigger and audience trees and the guard layers, as strategy.delivery.record writes them.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        Index("decisions_cap", "tenant", "strategy", "subject", "due"),
        Index("decisions_budget", "tenant", "strategy", "verdict"),
        Index("decisions_time", "tenant", "at"),
        Index("decisions_subject", "tenant", "subject", "at"),
    )

    id: str = Field(primary_key=True)
    tenant: str
    firing: str = Field(description="the firing's key")
    strategy: str
    version: int
    subject: str
    at: int = Field(sa_type=BigInteger)
    due: int = Field(sa_type=BigInteger)
    verdict: str = Field(description="delivered, deferred, dropped or holdout")
    reason: str | None = None
    variant: str | None = None
    actions: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    why: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    decided_at: int = Field(sa_type=BigInteger)


class OutboxRow(SQLModel, table=True):
    """One message to one channel. `id` is its idempotency key, the same on every try.

    `next_try`: not sent before; while a worker holds the row, the moment at which its lease ends. `consent`: the
    purpose that is asked again when it is sent; `quiet`: quiet hours that hold for retries too, with their time zone.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "state", "next_try"), Index("outbox_decision", "tenant", "decision"))

    id: str = Field(primary_key=True)
    tenant: str
    decision: str
    strategy: str
    subject: str
    channel: str = Field(description="the channel it goes out on")
    wanted: str | None = Field(default=None, description="the channel the action asked for")
    address: str | None = None
    payload: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    consent: str | None = None
    quiet: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    created_at: int = Field(sa_type=BigInteger)
    not_before: int = Field(sa_type=BigInteger)
    next_try: int = Field(sa_type=BigInteger)
    attempts: int = 0
    state: str = SendState.PENDING
    last_error: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    sent_at: int | None = Field(default=None, sa_type=BigInteger)


class InboxRow(SQLModel, table=True):
    """A message or a task for a person, shown in the app. `id` is the outbox row's, so that a second send changes
    nothing. `note` says why it is here when the action wanted another channel."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_time", "tenant", "created_at"),)

    id: str = Field(primary_key=True)
    tenant: str
    kind: str = Field(description="task or message")
    decision: str
    strategy: str
    subject: str
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: int = Field(sa_type=BigInteger)
    read_at: int | None = Field(default=None, sa_type=BigInteger)
    read_by: str | None = None
    done_at: int | None = Field(default=None, sa_type=BigInteger)
    done_by: str | None = None
