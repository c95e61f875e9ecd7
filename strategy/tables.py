"""What the strategy room keeps: strategies and their versions, the journal of inputs, what was set aside, how far the
engine has come and its snapshots. Delivery and experiments have tables of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

_BIG = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for a column of type INTEGER."""


_RELATED = text("object IS NOT NULL")


class State(StrEnum):
    """draft → approved → canary → live → paused/retired; strategy.service holds what leads where."""

    DRAFT = "draft"
    APPROVED = "approved"
    CANARY = "canary"
    LIVE = "live"
    PAUSED = "paused"
    RETIRED = "retired"


RUNNING = (State.CANARY, State.LIVE)


class Kind(StrEnum):
    """What a journal row is: an input, or a step of the engine that replay must repeat at the same place."""

    EVENT = "event"
    FACT = "fact"
    RELATION = "relation"
    TICK = "tick"
    DEPLOY = "deploy"
    RETIRE = "retire"


class VersionRow(SQLModel, table=True):
    """One version of a strategy. Never changed once written: an edit is a new version."""

    __tablename__ = "strategy_version"

    tenant: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    sentence: str | None = None
    lang: str = "en"
    read_by: str = Field(description="grammar, model or document")
    readback_zh: str
    readback_en: str
    warnings: list[list[str]] = Field(sa_column=Column(JSON, nullable=False), description="pairs of zh, en")
    created_by: str
    created_at: int = Field(sa_type=BigInteger)


class StateRow(SQLModel, table=True):
    """The state of one version and the share of customers it runs for. `revision` counts its changes."""

    __tablename__ = "strategy_state"

    tenant: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    state: str = State.DRAFT
    percent: float = 0.0
    revision: int = 1
    updated_at: int = Field(sa_type=BigInteger)


class JournalRow(SQLModel, table=True):
    """What the engine was given, in order, committed before it was acknowledged. `time` is event time; `type` the event
    type, property, relation or (deploy, retire) strategy; `object` what a relation leads to. The subject of a deploy or
    retire is `strategy/<name>`. Rows of `backfill` warm state and never fire.

    `body`: an event's data, `{"value"}` of a fact, `{"object", "ended"}` of a relation, `{"version"}` of a deploy. With
    `opened`, the first moment that was still open and so the one at which it took effect: of a fact or relation that
    came late, and of every deploy and retire.
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("tenant", "source", "id", name="journal_identity"),
        Index("journal_order", "tenant", "seq"),
        Index("journal_time", "tenant", "time"),
        Index("journal_subject", "tenant", "subject", "time"),
        Index("journal_object", "tenant", "object", sqlite_where=_RELATED, postgresql_where=_RELATED),
    )

    seq: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    tenant: str
    kind: str
    source: str | None = None
    id: str | None = None
    type: str
    subject: str
    object: str | None = None
    time: int = Field(sa_type=BigInteger)
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    backfill: bool = False
    received_at: int = Field(sa_type=BigInteger)


class SetAsideRow(SQLModel, table=True):
    """What was not taken, and why: a line that could not be read, a late event, a firing that could not be decided, an
    input that a further part of the hub (the graph) cannot keep."""

    __tablename__ = "set_aside"
    __table_args__ = (Index("set_aside_order", "tenant", "seq"),)

    seq: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True, autoincrement=True))
    tenant: str
    reason: str = Field(description="rejected, late, undecided or not_kept")
    line: int | None = None
    error: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="the error as JSON, in zh and en")
    raw: str
    received_at: int = Field(sa_type=BigInteger)


class ReplayJobRow(SQLModel, table=True):
    """A replay that was asked for, and what came of it. `report` and `error` are kept in zh and en."""

    __tablename__ = "replay_job"
    __table_args__ = (Index("replay_job_order", "tenant", "created_at"),)

    id: str = Field(primary_key=True)
    tenant: str
    state: str = Field(description="queued, running, done, failed or cancelled")
    asked: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    progress: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="as of its end")
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    error: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    created_by: str
    created_at: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)


class PositionRow(SQLModel, table=True):
    """How far the engine's decisions and the sinks have come in one tenant's journal. `history_from`: when its history
    began, once the earliest events are no longer kept."""

    __tablename__ = "engine_position"

    tenant: str = Field(primary_key=True)
    decided_seq: int = Field(default=0, sa_type=BigInteger)
    sunk_seq: int = Field(default=0, sa_type=BigInteger)
    history_from: int | None = Field(default=None, sa_type=BigInteger)


class SnapshotRow(SQLModel, table=True):
    """The engine's whole state after journal row `seq`; `fingerprint` names the catalog and settings it holds for."""

    __tablename__ = "engine_snapshot"

    tenant: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    fingerprint: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    deployed: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), description="strategy name → version")
    taken_at: int = Field(sa_type=BigInteger)
