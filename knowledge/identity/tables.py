"""Pairs of records that a person is asked about, and what was answered. The records themselves are in the graph."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class PairState(StrEnum):
    """`open`: nobody has answered; `accepted`: they were merged; `rejected`: two entities, never to be asked again."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class PairRow(SQLModel, table=True):
    """Two records, `left` before `right` by id. `parts` is JSON: field, level and weight in bits."""

    __tablename__ = "identity_pair"
    __table_args__ = (
        Index("ix_identity_pair_state", "tenant", "state", "found_at"),
        Index("ix_identity_pair_left", "tenant", "left"),
        Index("ix_identity_pair_right", "tenant", "right"),
    )

    tenant: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    left: str
    right: str
    state: str
    verdict: str
    probability: float
    weight: float
    parts: str
    says_zh: str
    says_en: str
    found_at: int = Field(sa_type=BigInteger)
    decided_at: int | None = Field(default=None, sa_type=BigInteger)
    decided_by: str | None = None
    why: str | None = None
