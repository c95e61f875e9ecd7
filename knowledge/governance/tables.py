"""The table of consents: every statement ever made, never changed; what holds is asked of them in consent.py."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class Consent(SQLModel, table=True):
    """From `at` on, the subject gives or withdraws consent to a purpose, on one channel or (None) in general."""

    __tablename__ = "consents"
    __table_args__ = (Index("consents_by_subject", "tenant", "subject", "purpose"),)

    seq: int | None = Field(default=None, primary_key=True)
    tenant: str
    subject: str
    purpose: str
    channel: str | None = None
    given: bool
    at: int = Field(sa_type=BigInteger)
    source: str = Field(description="where the statement was made: a form, a call, an import")
    recorded_at: int = Field(sa_type=BigInteger)
