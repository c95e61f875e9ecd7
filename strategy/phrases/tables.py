"""What the phrase book keeps."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class PhraseRow(SQLModel, table=True):
    """One learned phrase of a tenant. Looked up by `key`, the words in the form sentences are compared in."""

    __tablename__ = "phrase"

    tenant: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    said: str = Field(description="the words as the user wrote them")
    means: str = Field(description="what they stand for, as the grammar reads it")
    learned_by: str
    learned_at: int = Field(sa_type=BigInteger)
