"""The ledger of ingestion: what was taken from which table, row by row, and which row each claim came from. Values of
rows are not kept, only their digests."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class SourceTableRow(SQLModel, table=True):
    """One table as it was last taken. `digest`: of the file's bytes, empty for a database. `watermark`: the latest
    moment its rows told of. Counts are of the last run."""

    __tablename__ = "source_table"

    tenant: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    file: str
    digest: str
    mapping: str = Field(description="digest of the mapping that was applied")
    rows: int
    added: int
    unchanged: int
    rejected: int
    watermark: int | None = Field(default=None, sa_type=BigInteger)
    taken_at: int = Field(sa_type=BigInteger)


class SourceEntryRow(SQLModel, table=True):
    """One row of a source: `key` is a digest of what numbers it, `digest` one of its values and mapping."""

    __tablename__ = "source_entry"
    __table_args__ = (Index("source_entry_subject", "tenant", "subject"),)

    tenant: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str
    subject: str | None = None
    rejected: bool = False


class LineageRow(SQLModel, table=True):
    """Where a fact, relation or event comes from. `claim` is a digest of what it says (`knowledge.sources.ledger`)."""

    __tablename__ = "source_lineage"
    __table_args__ = (Index("source_lineage_subject", "tenant", "subject"),)

    tenant: str = Field(primary_key=True)
    claim: str = Field(primary_key=True)
    subject: str
    source: str
    name: str
    file: str
    part: str | None = None
    line: int
    taken_at: int = Field(sa_type=BigInteger)
