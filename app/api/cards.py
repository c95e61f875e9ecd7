"""Strategy cards: everything of a version on one page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, Field

from app.api.conflicts import ClashOut
from app.api.deps import allow, the_hub
from app.api.shapes import Label
from app.api.strategies import SENTENCES
from app.hub import Hub
from core.context import RequestContext
from core.text import Lang
from knowledge.governance import Action
from strategy.card import Card
from strategy.schemas import SketchIn

router = APIRouter(prefix="/v1", tags=["strategies"])
TheHub = Annotated[Hub, Depends(the_hub)]
MaySimulate = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_SIMULATE))]
WithReplay = Annotated[bool, Query(description="replay it over everything recorded, which can take a while")]


class SpanOut(BaseModel):
    low: float
    expected: float
    high: float


class ReachOut(BaseModel):
    """In as many days as are recorded: subjects that the rollout and holdout would leave of those it fired for, with a
    Wilson interval. It takes the days to come for ones like those recorded."""

    days: int
    known_subjects: int
    reached: int
    share: SpanOut
    subjects: SpanOut
    percent: float
    holdout: float
    confidence: float
    said: str


class CostOut(BaseModel):
    """Bytes of state, by what the journal shows of the stream."""

    per_subject: float
    subjects: int
    total: float
    said: str


class CardOut(BaseModel):
    name: str
    sentence: str | None
    path: str = Field(description="what read it: grammar, model or document")
    document: dict[str, Any]
    readback: Label
    trigger: dict[str, Any] = Field(description="node by node: path, kind, what it says, its parts")
    audience: dict[str, Any] | None
    replay: dict[str, Any] | None = Field(
        description="as a replay's report: firings a day, subjects, examples with why"
    )
    reach: ReachOut | None
    conflicts: list[ClashOut]
    warnings: list[str]
    cost: CostOut
    previous: int | None = Field(description="the version that `changes` compare with")
    changes: list[str]

    @staticmethod
    def of(card: Card, lang: Lang) -> CardOut:
        return CardOut.model_validate(card.as_dict(lang))


@router.get("/strategies/{name:path}/versions/{version}/card", summary="The card of a version")
def card_of_version(
    name: str, version: Annotated[int, Path(ge=1)], ctx: MaySimulate, hub: TheHub, replay: WithReplay = True
) -> CardOut:
    """Readback, trigger tree, what it would have done, expected reach, conflicts with a customer to show each,
    warnings, cost of state, and what changed since the version before."""
    return CardOut.of(hub.cards.card(ctx, name, version, replay=replay), ctx.lang)


@router.post("/cards", summary="The card of a sentence or document, before it is drafted")
def preview(
    body: Annotated[SketchIn, Body(openapi_examples=SENTENCES)],
    ctx: MaySimulate,
    hub: TheHub,
    replay: WithReplay = True,
) -> CardOut:
    """Nothing is stored. A sentence with two meanings, or with a name the catalog lacks, is answered as a draft is."""
    found = hub.cards.preview(ctx, body.sentence, body.document, body.name, body.answers, replay=replay)
    return CardOut.of(found, ctx.lang)


@router.get("/strategies/{name:path}/card", summary="The card of the newest version")
def card(name: str, ctx: MaySimulate, hub: TheHub, replay: WithReplay = True) -> CardOut:
    return CardOut.of(hub.cards.card(ctx, name, replay=replay), ctx.lang)
