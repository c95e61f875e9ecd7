"""The table of tickets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel


class TicketRow(SQLModel, table=True):
    """A message as it came, written down before the agents see it. `outcome` is what they answered last (null: they
    have not answered yet)."""

    __tablename__ = "tickets"
    __table_args__ = (Index("tickets_time", "tenant", "received_at"),)

    tenant: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    subject: str | None = None
    text: str
    status: str = Field(description="received, replied, waiting, handed_over")
    route: str | None = None
    thread: str | None = None
    outcome: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    received_by: str
    received_at: int = Field(sa_type=BigInteger)
    answered_at: int | None = Field(default=None, sa_type=BigInteger)
