"""Conflicts between strategies, each with a customer on whom it happens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action

router = APIRouter(prefix="/v1/conflicts", tags=["strategies"])
TheHub = Annotated[Hub, Depends(the_hub)]


class ClashOut(BaseModel):
    kind: str = Field(description="opposite, exclusive, pile_up, swallowed, cycle or dead")
    strategies: list[str]
    actions: list[str] = Field(description="what clashes: actions, the channel, or the events of a cycle")
    decided: bool = Field(description="false: no customer was found, nor proved that there is none; nothing is claimed")
    said: str
    example: str | None = Field(description="that customer in words: what holds and what happened")
    witness: dict[str, Any] | None = Field(description="a customer: facts, relations, events, and which fires when")
    happened: dict[str, Any] | None = Field(description="how often in what is recorded, with `history`")


@router.get("", summary="What is wrong among strategies")
def conflicts(
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_SIMULATE))],
    hub: TheHub,
    strategy: Annotated[str | None, Query(description="only of this one, whatever its state")] = None,
    history: Annotated[bool, Query(description="count how often each happened in what is recorded")] = False,
) -> Page[ClashOut]:
    """Among those approved, running and paused: opposite or exclusive actions on one customer, messages beyond a cap,
    strategies that another swallows, circles, and dead ones. First what is certain."""
    found = hub.cards.conflicts(ctx, strategy, replay=history)
    return Page(items=[ClashOut.model_validate(clash.as_dict(ctx.lang, hub.catalog)) for clash in found])
