"""What to do next: steps that patterns find missing, with evidence, the heaviest customers first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Label, Limit, Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action
from knowledge.graph.weight import Weight
from knowledge.nextbest import NextAction, next_actions, says

router = APIRouter(prefix="/v1/next-actions", tags=["customers"])


class WeightOut(BaseModel):
    profile: str
    value: float
    says: Label = Field(description="what it is made of")

    @staticmethod
    def of(weight: Weight, hub: Hub) -> WeightOut:
        told = Label.of(says(weight, hub.catalog))
        return WeightOut(profile=weight.profile, value=round(weight.value, 3), says=told)


class NextActionOut(BaseModel):
    subject: str
    pattern: str
    label: Label
    what: Label = Field(description="the missing step")
    because: Label = Field(description="the pattern as a sentence")
    evidence: list[str] = Field(description="ids of the facts and events that make it due")
    action: str | None = Field(description="the action of the catalog that the pattern proposes")
    action_label: Label | None
    weight: WeightOut | None

    @staticmethod
    def of(found: NextAction, hub: Hub) -> NextActionOut:
        return NextActionOut(
            subject=found.subject,
            pattern=found.pattern,
            label=Label.of(found.label),
            what=Label.of(found.what),
            because=Label.of(found.because),
            evidence=list(found.evidence),
            action=found.action,
            action_label=Label.of(found.action_label) if found.action_label is not None else None,
            weight=WeightOut.of(found.weight, hub) if found.weight is not None else None,
        )


@router.get("", summary="Steps that are missing, and for whom first")
def list_next_actions(
    ctx: Annotated[RequestContext, Depends(allow(Action.GRAPH_READ))],
    hub: Annotated[Hub, Depends(the_hub)],
    subject: Annotated[str | None, Query(description="of one subject only", examples=["customer/c0001"])] = None,
    pattern: Annotated[str | None, Query(description="by one pattern of the catalog only")] = None,
    weight: Annotated[str | None, Query(description="a weight of the catalog, to order by")] = None,
    limit: Limit = 50,
) -> Page[NextActionOut]:
    """By the catalog's `patterns`, as they hold now; without a weight by subject."""
    found = next_actions(hub.graph, ctx, hub.catalog, subject=subject, pattern=pattern, profile=weight, limit=limit)
    return Page(items=[NextActionOut.of(each, hub) for each in found])
