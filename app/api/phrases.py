"""Learned phrases: what the tenant's own words stand for when a sentence is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Done, Page
from app.hub import Hub
from core.context import RequestContext
from core.times import format_time
from knowledge.governance import Action
from strategy.phrases import Phrase

router = APIRouter(prefix="/v1/phrases", tags=["strategies"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayRead = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_READ))]
MayDraft = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_DRAFT))]


class PhraseIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"said": "贵宾", "means": "大客户"}]})

    said: str = Field(min_length=1, max_length=200, description="the words as people say them")
    means: str = Field(min_length=1, max_length=200, description="what they stand for, in words the grammar reads")


class PhraseOut(BaseModel):
    said: str
    means: str
    learned_by: str
    learned_at: str

    @staticmethod
    def of(found: Phrase) -> PhraseOut:
        return PhraseOut(
            said=found.said, means=found.means, learned_by=found.learned_by, learned_at=format_time(found.learned_at)
        )


@router.get("", summary="List learned phrases")
def list_phrases(ctx: MayRead, hub: TheHub) -> Page[PhraseOut]:
    return Page(items=[PhraseOut.of(found) for found in hub.strategies.phrases.list(ctx)])


@router.post("", status_code=201, summary="Learn a phrase")
def learn(body: PhraseIn, ctx: MayDraft, hub: TheHub) -> PhraseOut:
    """It counts where a sentence alone would be a question or an unknown name; what is read without asking stays as
    it is. Learning the same words again takes the place of what they stood for."""
    return PhraseOut.of(hub.strategies.phrases.learn(ctx, {body.said: body.means})[0])


@router.delete("/{said:path}", summary="Forget a phrase")
def forget(said: str, ctx: MayDraft, hub: TheHub) -> Done:
    hub.strategies.phrases.forget(ctx, said)
    return Done()
