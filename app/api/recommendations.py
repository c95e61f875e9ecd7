"""What strategies to add, with the evidence and a sentence to draft each from."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Label, Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action

router = APIRouter(prefix="/v1/recommendations", tags=["strategies"])
TheHub = Annotated[Hub, Depends(the_hub)]


class EvidenceOut(BaseModel):
    counts: dict[str, float]
    subjects: list[str] = Field(description="some of those it concerns")


class RecommendationOut(BaseModel):
    kind: str = Field(description="template, sibling, group, moment or missing_step")
    name: str
    sentence: Label = Field(description="reads as `document` in either language")
    why: str
    evidence: EvidenceOut
    document: dict[str, Any]


@router.get("", summary="What to add")
def recommendations(
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_SIMULATE))], hub: TheHub
) -> Page[RecommendationOut]:
    """From the pack's templates that nothing covers yet, from strategies that do something for some only, and from what
    is recorded: people at risk whom nothing reached, what went before the risk, steps that are missing."""
    found = hub.cards.recommendations(ctx)
    return Page(items=[RecommendationOut.model_validate(each.as_dict(ctx.lang)) for each in found])
