"""A customer as the hub knows them: values with their sources, relations, what happened lately; limited to what the
request's purpose may see."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Page, subject_of
from app.hub import Hub
from core.context import RequestContext
from core.errors import NotFound
from core.text import Text
from core.times import format_time
from knowledge.governance import Action
from knowledge.graph import GraphFact

router = APIRouter(prefix="/v1/customers", tags=["customers"])
MayRead = Annotated[RequestContext, Depends(allow(Action.GRAPH_READ))]
TheHub = Annotated[Hub, Depends(the_hub)]


class ValueOut(BaseModel):
    name: str
    value: Any
    since: str
    source: str
    evidence: str = Field(description="the fact's id")

    @staticmethod
    def of(fact: GraphFact) -> ValueOut:
        value = fact.value if fact.object is None else fact.object
        return ValueOut(
            name=fact.name, value=value, since=format_time(fact.valid_from), source=fact.source, evidence=fact.id
        )


class RelationOut(BaseModel):
    subject: str
    relation: str
    object: str
    evidence: str


class HappenedOut(BaseModel):
    id: str
    type: str
    at: str
    data: dict[str, Any]


class CustomerOut(BaseModel):
    subject: str
    purpose: str
    values: list[ValueOut]
    relations: list[RelationOut]
    timeline: list[HappenedOut]
    withheld: int = Field(description="how much the purpose may not see")


class FoundOut(BaseModel):
    subject: str
    matched: str | None = Field(description="the property that matched; null: the id")
    exact: bool
    current: bool


@router.get("", summary="Find customers by name, number or id")
def find(
    ctx: MayRead,
    hub: TheHub,
    text: Annotated[str, Query(min_length=1, max_length=100, description="a name, phone, contract number or id")],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Page[FoundOut]:
    """Best first; only what the purpose may see is searched."""
    found = hub.graph.find(ctx, text, limit)
    return Page(
        items=[
            FoundOut(subject=m.subject, matched=m.fact.name if m.fact else None, exact=m.exact, current=m.current)
            for m in found.matches
        ]
    )


@router.get("/{key:path}", summary="A customer's profile and timeline")
def show(
    key: str, ctx: MayRead, hub: TheHub, events: Annotated[int, Query(ge=0, le=200, description="how many")] = 20
) -> CustomerOut:
    """`key` is `c0001`, or any subject such as `device/d0001`. Values name the fact they come from."""
    subject = subject_of(key)
    profile = hub.graph.profile(ctx, subject)
    around = hub.graph.neighbourhood(ctx, subject)
    timeline = hub.graph.timeline(ctx, subject, events) if events else None
    happened = timeline.events if timeline else ()
    withheld = profile.withheld + around.withheld + (timeline.withheld if timeline else 0)
    if not (profile.values or around.edges or happened or withheld):
        raise NotFound(
            Text(f"图谱里没有 {subject!r}", f"the graph has no {subject!r}"),
            nearest=list(hub.graph.find(ctx, key.split("/")[-1][:3], 3).subjects),
        )
    return CustomerOut(
        subject=subject,
        purpose=ctx.purpose.value,
        values=[ValueOut.of(fact) for fact in profile.values.values()],
        relations=[
            RelationOut(subject=edge.subject, relation=edge.name, object=edge.object or "", evidence=edge.id)
            for edge in around.edges
        ],
        timeline=[
            HappenedOut(id=event.id, type=event.type, at=format_time(event.time), data=dict(event.data))
            for event in happened
        ],
        withheld=withheld,
    )
