"""A property of a customer (or a device, a store) over time: its steps, how much it rose and where it leads."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import subject_of
from app.hub import Hub
from core.context import RequestContext
from core.times import format_time, parse_time
from knowledge.governance import Action

router = APIRouter(prefix="/v1/curves", tags=["customers"])
MayRead = Annotated[RequestContext, Depends(allow(Action.GRAPH_READ))]
TheHub = Annotated[Hub, Depends(the_hub)]
Moment = Annotated[str | None, Query(description="RFC 3339")]


class StepOut(BaseModel):
    start: str
    end: str | None = Field(description="null: still so")
    value: Any
    evidence: str = Field(description="the fact's id")


class CurveOut(BaseModel):
    subject: str
    name: str
    steps: list[StepOut]
    change: float | None = Field(description="how much a number rose from the first step to the last")
    trend: float | None = Field(description="the slope of the line through the steps, in units a day")
    withheld: int = Field(description="how much the purpose may not see")


@router.get("", summary="A property over time")
def curve(
    ctx: MayRead,
    hub: TheHub,
    subject: Annotated[str, Query(description="`c0001`, or any subject such as `device/d0001`")],
    name: Annotated[str, Query(description="the property")],
    since: Moment = None,
    until: Moment = None,
    known_at: Moment = None,
) -> CurveOut:
    """Within [since, until), as the hub knew it at `known_at` (default: all it knows)."""
    given = {"since": since, "until": until, "known_at": known_at}
    span = {field: parse_time(text, field) for field, text in given.items() if text is not None}
    found = hub.graph.series(ctx, subject_of(subject), name, **span)
    steps = [
        StepOut(start=format_time(s.start), end=s.end and format_time(s.end), value=s.value, evidence=s.fact.id)
        for s in found.steps
    ]
    return CurveOut(
        subject=found.subject, name=name, steps=steps, change=found.change, trend=found.trend, withheld=found.withheld
    )
