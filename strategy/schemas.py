"""The strategy room's shapes at its borders: what a caller sends to draft or approve, and what is shown of versions,
receipts and set-aside inputs. Texts are given in the caller's language; times are RFC 3339."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.sizes import format_size
from core.text import Lang, Text
from core.times import format_time
from strategy.engine.cost import StateCost
from strategy.engines import EngineName
from strategy.stream import Receipt
from strategy.tables import SetAsideRow
from strategy.versions import StrategyVersion


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SketchIn(_Schema):
    """A sentence or a document; never both. `answers`: to questions about the sentence, the words asked about → one of
    the choices, or what they stand for."""

    sentence: str | None = Field(default=None, max_length=2_000, examples=["客户7天内登录少于2次，就外呼"])
    document: dict[str, Any] | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200)
    answers: dict[str, str] = Field(default_factory=dict, max_length=8)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.sentence is None) == (self.document is None):
            raise ValueError("send either `sentence` or `document`")
        return self


class DraftIn(SketchIn):
    remember: bool = Field(default=False, description="let the answers hold for later sentences too")


class ApproveIn(_Schema):
    version: int = Field(ge=1)
    percent: float | None = Field(default=None, ge=0, le=100, description="share of customers; default: the document's")
    revision: int | None = Field(default=None, description="refuse if the version changed since this revision was read")


class ReplayedIn(_Schema):
    """A document, or a stored strategy by its name (and version; without one the newest)."""

    document: dict[str, Any] | None = None
    name: str | None = None
    version: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one(self) -> ReplayedIn:
        if (self.document is None) == (self.name is None):
            raise ValueError("send either `document` or `name`")
        return self


class ReplayIn(_Schema):
    """What to replay, over which records, between which moments."""

    strategies: list[ReplayedIn] = Field(min_length=1, max_length=20)
    events: str | None = Field(default=None, description="a history by name; default: the hub's own journal")
    facts: str | None = Field(default=None, description="a history of facts to go with it")
    since: str | None = Field(default=None, alias="from", description="show firings from this moment on")
    until: str | None = Field(default=None, description="event time goes on to this moment")
    limit_events: int | None = Field(default=None, ge=1, description="read at most so many events")
    lateness: str | None = Field(default=None, description="default: 0s for the journal, 10m for a history")
    engine: EngineName = Field(default=EngineName.PYTHON, description="the same results; columnar is for large files")
    sample: int = Field(default=5, ge=0, le=100, description="firings the report explains")
    seed: int = Field(default=0, description="of that sample")


class MemoryOut(_Schema):
    """What the strategy is estimated to keep in memory, in bytes, by what the journal shows of the stream."""

    per_subject: float
    subjects: int
    total: float
    budget: int
    said: str

    @staticmethod
    def of(cost: StateCost, budget: int, lang: Lang) -> MemoryOut:
        said = Text(f"{cost.said.zh}（预算 {format_size(budget)}）", f"{cost.said.en} (budget {format_size(budget)})")
        return MemoryOut(
            per_subject=cost.each, subjects=cost.subjects, total=cost.total, budget=budget, said=said.say(lang)
        )


class StrategyOut(_Schema):
    name: str
    version: int
    newest: int
    state: str
    percent: float
    revision: int
    readback: str
    warnings: list[str]
    sentence: str | None
    read_by: str = Field(description="`grammar` or `model` for a sentence, `document` for a document")
    document: dict[str, Any]
    created_by: str
    created_at: str
    updated_at: str
    memory: MemoryOut | None = Field(default=None, description="of a draft, an edit or an approval")

    @staticmethod
    def of(found: StrategyVersion, lang: Lang, memory: MemoryOut | None = None) -> StrategyOut:
        return StrategyOut(
            name=found.name,
            version=found.version,
            newest=found.newest,
            state=str(found.state),
            percent=found.percent,
            revision=found.revision,
            readback=found.readback.say(lang),
            warnings=[w.say(lang) for w in found.warnings],
            sentence=found.sentence,
            read_by=found.read_by,
            document=found.strategy.model_dump(mode="json", exclude_none=True),
            created_by=found.created_by,
            created_at=format_time(found.created_at),
            updated_at=format_time(found.updated_at),
            memory=memory,
        )


class RejectedOut(_Schema):
    line: int = Field(description="the line of the body, or the row of its frame, from 1")
    error: dict[str, Any]


class ReceiptOut(_Schema):
    """What became of a batch. Accepted inputs are on disk; late and rejected ones are kept aside for inspection."""

    accepted: int
    duplicates: int
    late: int
    rejected: list[RejectedOut]

    @staticmethod
    def of(receipt: Receipt, lang: Lang) -> ReceiptOut:
        return ReceiptOut(
            accepted=receipt.accepted,
            duplicates=receipt.duplicates,
            late=receipt.late,
            rejected=[RejectedOut(line=bad.line, error=bad.error.as_dict(lang)) for bad in receipt.rejected],
        )


class SetAsideOut(_Schema):
    seq: int
    reason: str
    line: int | None
    error: dict[str, Any]
    raw: str
    received_at: str

    @staticmethod
    def of(row: SetAsideRow, lang: Lang) -> SetAsideOut:
        return SetAsideOut(
            seq=row.seq or 0,
            reason=row.reason,
            line=row.line,
            error=row.error.get(lang, {}),
            raw=row.raw,
            received_at=format_time(row.received_at),
        )
