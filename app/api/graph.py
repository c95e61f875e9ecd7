"""The health of the customer graph: sources beside what is expected of them, and how far subjects get along loops."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Label, Page
from app.hub import Hub
from core.context import RequestContext
from core.text import Text
from core.times import format_duration, format_time
from knowledge.governance import Action
from knowledge.health import Conflict, Coverage, Duplicates, LoopHealth, SourceHealth, StageHealth

router = APIRouter(prefix="/v1", tags=["graph"])
MayRead = Annotated[RequestContext, Depends(allow(Action.GRAPH_READ))]
TheHub = Annotated[Hub, Depends(the_hub)]


class CoverageOut(BaseModel):
    type: str
    name: str
    label: Label
    kind: str = Field(description="property or event")
    subjects: int
    known: int
    share: float

    @staticmethod
    def of(found: Coverage) -> CoverageOut:
        return CoverageOut(
            type=found.type,
            name=found.name,
            label=Label.of(found.label),
            kind=found.kind,
            subjects=found.subjects,
            known=found.known,
            share=round(found.share, 4),
        )


class ConflictOut(BaseModel):
    type: str
    name: str
    label: Label
    sources: tuple[str, str]
    compared: int = Field(description="subjects of which both sources say something now")
    disagree: int
    mean_gap: float | None = Field(description="of numbers that differ, in the property's unit")
    largest_gap: float | None


class DuplicatesOut(BaseModel):
    type: str
    name: str
    label: Label
    subjects: int = Field(description="that share a value with another subject")
    values: int


class SourceOut(BaseModel):
    id: str
    label: Label
    declared: bool = Field(description="the catalog knows it")
    owner: Label | None
    api: str | None = Field(description="open, partner, export or none")
    purposes: list[str] = Field(description="what it may be used for; empty: any purpose")
    names: list[str] = Field(description="values of `source` under which it told something")
    every: str | None = Field(description="something new is expected at least this often")
    last: str | None = Field(description="its newest event, or when its newest fact was recorded")
    state: str = Field(description="fresh, late, silent (nothing ever came) or unset (no interval is expected)")
    events: int
    facts: int
    last_7_days: int
    coverage: list[CoverageOut]
    conflicts: list[ConflictOut]
    duplicates: list[DuplicatesOut]
    gaps: list[Label]

    @staticmethod
    def of(found: SourceHealth) -> SourceOut:
        return SourceOut(
            id=found.id,
            label=Label.of(found.label),
            declared=found.declared,
            owner=Label.of(found.owner) if found.owner else None,
            api=found.api,
            purposes=list(found.purposes),
            names=list(found.names),
            every=format_duration(found.every) if found.every is not None else None,
            last=format_time(found.last) if found.last is not None else None,
            state=found.state,
            events=found.events,
            facts=found.facts,
            last_7_days=found.last_7_days,
            coverage=[CoverageOut.of(c) for c in found.coverage],
            conflicts=_conflicts(found.conflicts),
            duplicates=_duplicates(found.duplicates),
            gaps=_labels(found.gaps),
        )


class StageOut(BaseModel):
    id: str
    label: Label
    sources: list[str] = Field(description="that told of it")
    reached: int
    from_before: int = Field(description="of these, had been at the step just before")
    skipped: int = Field(description="went on without it")
    waiting: int = Field(description="stopped here; the next step is not overdue")
    stalled: int = Field(description="stopped here; the next step is overdue")

    @staticmethod
    def of(found: StageHealth) -> StageOut:
        return StageOut(
            id=found.id,
            label=Label.of(found.label),
            sources=list(found.sources),
            reached=found.reached,
            from_before=found.from_before,
            skipped=found.skipped,
            waiting=found.waiting,
            stalled=found.stalled,
        )


class LoopOut(BaseModel):
    id: str
    label: Label
    subject: str
    known: int = Field(description="all subjects of the type")
    completed: int
    owners: list[Label]
    stages: list[StageOut]
    conflicts: list[ConflictOut]
    duplicates: list[DuplicatesOut]
    gaps: list[Label]

    @staticmethod
    def of(found: LoopHealth) -> LoopOut:
        return LoopOut(
            id=found.id,
            label=Label.of(found.label),
            subject=found.subject,
            known=found.known,
            completed=found.completed,
            owners=_labels(found.owners),
            stages=[StageOut.of(s) for s in found.stages],
            conflicts=_conflicts(found.conflicts),
            duplicates=_duplicates(found.duplicates),
            gaps=_labels(found.gaps),
        )


class HealthOut(BaseModel):
    at: str
    purpose: str
    subjects: dict[str, int] = Field(description="by type; records that are one customer count once")
    merged: int = Field(description="records given up to others they are one with")
    asked: int = Field(description="pairs of records that wait for a person: `/v1/identity/reviews`")
    withheld: int = Field(description="properties and event types the purpose may not see; they are not counted")
    sources: list[SourceOut]
    conflicts: list[ConflictOut] = Field(description="every pair of sources that speak of the same property")
    duplicates: list[DuplicatesOut]
    loops: list[LoopOut]


def _conflicts(found: tuple[Conflict, ...]) -> list[ConflictOut]:
    return [ConflictOut(**asdict(c) | {"label": Label.of(c.label)}) for c in found]


def _duplicates(found: tuple[Duplicates, ...]) -> list[DuplicatesOut]:
    return [DuplicatesOut(**asdict(d) | {"label": Label.of(d.label)}) for d in found]


def _labels(found: tuple[Text, ...]) -> list[Label]:
    return [Label.of(text) for text in found]


@router.get("/sources", summary="Sources: owner, freshness, volume, coverage, conflicts, gaps")
def sources(ctx: MayRead, hub: TheHub) -> Page[SourceOut]:
    """Those of the catalog, then those that only the data names."""
    return Page(items=[SourceOut.of(s) for s in hub.health.report(ctx).sources])


@router.get("/graph/health", summary="The graph's health, by source and by closed loop")
def health(ctx: MayRead, hub: TheHub) -> HealthOut:
    """Reads the whole graph: meant for a daily look, not for a dashboard's every second."""
    found = hub.health.report(ctx)
    return HealthOut(
        at=format_time(found.at),
        purpose=ctx.purpose.value,
        subjects=found.subjects,
        merged=found.merged,
        asked=found.asked,
        withheld=found.withheld,
        sources=[SourceOut.of(s) for s in found.sources],
        conflicts=_conflicts(found.conflicts),
        duplicates=_duplicates(found.duplicates),
        loops=[LoopOut.of(loop) for loop in found.loops],
    )
