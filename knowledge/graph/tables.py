"""The graph's tables: an append-only log of facts, withdrawals beside it, and indexes that can be rebuilt from it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# SQLite numbers rows only through a column declared INTEGER; elsewhere the log outgrows 32 bits.
_SEQ = BigInteger().with_variant(Integer(), "sqlite")

_PROPERTIES = text("object IS NULL")
"""Edges are found through the adjacency tables."""


class FactRow(SQLModel, table=True):
    """One recorded claim; never updated. `value` is JSON, `purposes` comma-separated."""

    __tablename__ = "graph_fact"
    __table_args__ = (
        UniqueConstraint("tenant", "id"),
        Index("ix_graph_fact_curve", "tenant", "subject", "name", "valid_from", sqlite_where=_PROPERTIES),
    )

    seq: int = Field(sa_column=Column(_SEQ, primary_key=True, autoincrement=False))
    tenant: str
    id: str
    subject: str
    name: str
    object: str | None = None
    value: str
    ended: bool = False
    valid_from: int = Field(sa_type=BigInteger)
    valid_to: int | None = Field(default=None, sa_type=BigInteger)
    recorded_at: int = Field(sa_type=BigInteger)
    source: str
    confidence: float
    purposes: str


class RetractionRow(SQLModel, table=True):
    """The fact `seq` was withdrawn; one row a fact at most."""

    __tablename__ = "graph_retraction"

    seq: int = Field(sa_column=Column(_SEQ, primary_key=True, autoincrement=False))
    tenant: str
    recorded_at: int = Field(sa_type=BigInteger)
    reason: str
    actor: str


class MergeRow(SQLModel, table=True):
    """Two records are one customer; `undone_*` once it was withdrawn. `evidence` is JSON."""

    __tablename__ = "graph_merge"
    __table_args__ = (
        UniqueConstraint("tenant", "id"),
        Index("ix_graph_merge_kept", "tenant", "kept"),
        Index("ix_graph_merge_gone", "tenant", "gone"),
    )

    seq: int = Field(sa_column=Column(_SEQ, primary_key=True, autoincrement=False))
    tenant: str
    id: str
    kept: str
    gone: str
    reason: str
    evidence: str
    confidence: float
    recorded_at: int = Field(sa_type=BigInteger)
    actor: str
    undone_at: int | None = Field(default=None, sa_type=BigInteger)
    undone_why: str | None = None
    undone_by: str | None = None


class EdgeOutRow(SQLModel, table=True):
    """Forward adjacency: subject → relation → object, by fact."""

    __tablename__ = "graph_edge_out"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    object: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(_SEQ, primary_key=True, autoincrement=False))


class EdgeInRow(SQLModel, table=True):
    """Reverse adjacency: object ← relation ← subject, by fact."""

    __tablename__ = "graph_edge_in"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: str = Field(primary_key=True)
    object: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(_SEQ, primary_key=True, autoincrement=False))


class SubjectRow(SQLModel, table=True):
    """Every subject and object ever mentioned; `key` is its id in the form that `find` compares."""

    __tablename__ = "graph_subject"
    __table_args__ = (Index("ix_graph_subject_key", "tenant", "key"), {"sqlite_with_rowid": False})

    tenant: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    key: str


class LookupRow(SQLModel, table=True):
    """Short text values in the form that `find` compares, by fact."""

    __tablename__ = "graph_lookup"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(_SEQ, primary_key=True, autoincrement=False))


class GraphEventRow(SQLModel, table=True):
    """An event as the timeline shows it; `data` is JSON."""

    __tablename__ = "graph_event"
    __table_args__ = (
        Index("ix_graph_event_timeline", "tenant", "subject", "time"),
        Index("ix_graph_event_id", "tenant", "id"),
    )

    tenant: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    type: str
    subject: str
    time: int = Field(sa_type=BigInteger)
    data: str = Field(sa_column=Column(String, nullable=False))


class SumRow(SQLModel, table=True):
    """What a record's events of a kind add up to, halved every `half_life`, as it was at `at`; a cache that can be
    rebuilt from events. `value`: the field added up; empty: each event counts 1."""

    __tablename__ = "graph_sum"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    half_life: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    total: float
    at: int = Field(sa_type=BigInteger)


class ReminderRow(SQLModel, table=True):
    """A derived attribute of a record is to be looked at again as of `at`."""

    __tablename__ = "graph_reminder"
    __table_args__ = (Index("ix_graph_reminder_subject", "tenant", "subject"), {"sqlite_with_rowid": False})

    tenant: str = Field(primary_key=True)
    at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    item: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
