"""Who is who: pairs of records that a person is asked about, their answers, and merges with their evidence."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Before, Label, Limit, Mark, Page, read_mark, subject_of
from app.hub import Hub
from core.context import RequestContext
from core.text import Text
from core.times import format_time
from knowledge.governance import Action
from knowledge.graph import Identity, Merge
from knowledge.identity.tables import PairRow, PairState

router = APIRouter(prefix="/v1/identity", tags=["customers"])
MayMerge = Annotated[RequestContext, Depends(allow(Action.GRAPH_MERGE))]
TheHub = Annotated[Hub, Depends(the_hub)]


class PartOut(BaseModel):
    field: str
    level: str
    weight: float = Field(description="in bits: above 0 speaks for one entity")


class PairOut(BaseModel):
    id: str
    left: str
    right: str
    state: PairState
    probability: float = Field(description="that the two are one entity")
    comparisons: list[PartOut]
    explanation: Label
    found_at: str
    decided_at: str | None
    decided_by: str | None
    why: str | None

    @staticmethod
    def of(row: PairRow) -> PairOut:
        return PairOut(
            id=row.id,
            left=row.left,
            right=row.right,
            state=PairState(row.state),
            probability=row.probability,
            comparisons=[PartOut(**part) for part in json.loads(row.parts)],
            explanation=Label.of(Text(row.says_zh, row.says_en)),
            found_at=format_time(row.found_at),
            decided_at=format_time(row.decided_at) if row.decided_at is not None else None,
            decided_by=row.decided_by,
            why=row.why,
        )


class MergeOut(BaseModel):
    id: str
    kept: str
    gone: str
    reason: str
    evidence: dict[str, Any]
    confidence: float
    at: str
    actor: str

    @staticmethod
    def of(merge: Merge) -> MergeOut:
        claim = merge.claim
        return MergeOut(
            id=merge.id,
            kept=claim.kept,
            gone=claim.gone,
            reason=claim.reason,
            evidence=dict(claim.evidence),
            confidence=claim.confidence,
            at=format_time(merge.recorded_at),
            actor=merge.actor,
        )


class IdentityOut(BaseModel):
    canonical: str = Field(description="the id that reads answer with")
    members: list[str]
    merges: list[MergeOut] = Field(description="those that stand, oldest first")

    @staticmethod
    def of(who: Identity) -> IdentityOut:
        return IdentityOut(
            canonical=who.canonical, members=list(who.members), merges=[MergeOut.of(m) for m in who.merges]
        )


class SweptOut(BaseModel):
    records: int
    merged: int
    asked: int = Field(description="pairs that a person is newly asked about")


class PairAnswerIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"why": "asked by phone"}]})

    why: str = Field(default="", max_length=1_000)


class UnmergeIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"subject": "customer/c1", "merge": "merge_…", "why": "two sisters"}]},
    )

    subject: str = Field(description="one of the records")
    merge: str = Field(description="the merge's id")
    why: str = Field(min_length=1, max_length=1_000)


@router.get("/reviews", summary="List pairs of records to confirm")
def list_reviews(
    ctx: MayMerge,
    hub: TheHub,
    state: Annotated[PairState, Query(description="default: open")] = PairState.OPEN,
    limit: Limit = 50,
    before: Before = None,
) -> Page[PairOut]:
    """Newest first, each with what speaks for and against it."""
    mark = read_mark(before)
    rows = hub.identity.reviews(ctx, state, (mark.at, mark.key) if mark else None, limit)
    following = str(Mark(rows[-1].found_at, rows[-1].id)) if len(rows) == limit else None
    return Page(items=[PairOut.of(row) for row in rows], next=following)


@router.post("/reviews/{pair_id}/{answer}", summary="Say that two records are one, or two")
def answer_review(
    pair_id: str, answer: Literal["accept", "reject"], ctx: MayMerge, hub: TheHub, body: PairAnswerIn | None = None
) -> PairOut:
    """`accept` merges them. `reject` is final: nobody is asked again, and nothing merges their groups by itself."""
    say = hub.identity.accept if answer == "accept" else hub.identity.reject
    return PairOut.of(say(ctx, pair_id, body.why if body else ""))


@router.post("/unmerge", summary="Withdraw a merge")
def unmerge(body: UnmergeIn, ctx: MayMerge, hub: TheHub) -> IdentityOut:
    """Reads answer as if it had never been; the two records count as told apart. The answer is what `subject` is
    now."""
    return IdentityOut.of(hub.identity.unmerge(ctx, body.subject, body.merge, body.why))


@router.post("/sweep", summary="Judge all records anew")
def sweep(ctx: MayMerge, hub: TheHub) -> SweptOut:
    """Learns from the records that the graph has now, merges what is beyond doubt and lists what is not. Takes some
    milliseconds a record."""
    return SweptOut(**hub.identity.sweep(ctx)._asdict())


@router.get("/records/{subject:path}", summary="The records that are one customer, and why")
def show_identity(subject: str, ctx: MayMerge, hub: TheHub) -> IdentityOut:
    """A record that was never merged is its own."""
    return IdentityOut.of(hub.graph.identity(ctx, subject_of(subject)))
