"""What was decided on each firing, and why."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Before, Limit, Mark, Page, read_mark
from app.hub import Hub
from core.context import RequestContext
from core.text import Lang
from core.times import format_time
from knowledge.governance import Action
from strategy.delivery import repository
from strategy.delivery.evidence import evidence
from strategy.delivery.tables import Decision
from strategy.delivery.why import why

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
MayRead = Annotated[RequestContext, Depends(allow(Action.DECISIONS_READ))]
TheHub = Annotated[Hub, Depends(the_hub)]


class ActionOut(BaseModel):
    label: str
    action: str | None
    wanted: str | None = Field(description="the channel the action asked for")
    channel: str | None = Field(default=None, description="the channel it goes out on; null: it does not go out")
    message: str | None = Field(default=None, description="the message's key, the same on every try")
    note: str | None = None


class DecisionOut(BaseModel):
    id: str
    strategy: str
    version: int
    subject: str
    at: str = Field(description="event time of the firing")
    due: str = Field(description="when its actions go out; later than `at` when deferred")
    decided_at: str
    verdict: str
    reason: str | None
    variant: str | None
    actions: list[ActionOut]

    @staticmethod
    def of(row: Decision, lang: Lang) -> DecisionOut:
        return DecisionOut(
            id=row.id,
            strategy=row.strategy,
            version=row.version,
            subject=row.subject,
            at=format_time(row.at),
            due=format_time(row.due),
            decided_at=format_time(row.decided_at),
            verdict=row.verdict,
            reason=row.reason,
            variant=row.variant,
            actions=[_action(action, lang) for action in row.actions],
        )


class LayerOut(BaseModel):
    layer: str
    title: str
    state: str = Field(description="true, false, unknown, passed, stopped, put_off, done or open")
    lines: list[str]
    reason: str | None = Field(default=None, description="why a guard objected")
    detail: dict[str, Any] = Field(default_factory=dict, description="the figures a guard went by")


class WhyOut(BaseModel):
    decision: str
    strategy: str
    version: int
    subject: str
    at: str
    verdict: str
    reason: str | None
    variant: str | None
    headline: str
    layers: list[LayerOut]
    lines: list[str] = Field(description="the layers as plain text")
    observed: dict[str, Any] = Field(
        description="the trigger and audience trees as they were seen: truth, observed value, threshold, window, "
        "evidence and words of each node"
    )


def _action(told: dict[str, Any], lang: Lang) -> ActionOut:
    note = told.get("note")
    return ActionOut(
        label=told["label"][lang],
        action=told["action"],
        wanted=told["wanted"],
        channel=told.get("channel"),
        message=told.get("message"),
        note=note[lang] if note else None,
    )


@router.get("", summary="List decisions")
def list_decisions(
    ctx: MayRead,
    hub: TheHub,
    strategy: Annotated[str | None, Query()] = None,
    subject: Annotated[str | None, Query(examples=["customer/c0001"])] = None,
    verdict: Annotated[str | None, Query(description="delivered, deferred, dropped or holdout")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[DecisionOut]:
    """Newest first, drops and holdouts included, each with its reason."""
    with hub.database.reading() as session:
        rows = repository.decisions(
            session, ctx, strategy=strategy, subject=subject, verdict=verdict, before=read_mark(before), limit=limit
        )
    following = str(Mark(rows[-1].at, rows[-1].id)) if len(rows) == limit else None
    return Page(items=[DecisionOut.of(row, ctx.lang) for row in rows], next=following)


@router.get("/{decision_id}/why", summary="Why was this decided?")
def explain(decision_id: str, ctx: MayRead, hub: TheHub) -> WhyOut:
    """Layer by layer, from what was recorded then: trigger, audience, consent, rollout, holdout, cap, quiet hours,
    budget, and what became of the messages."""
    with hub.database.reading() as session:
        found = why(session, ctx, decision_id, hub.catalog, ctx.lang)
    return WhyOut(**found.as_dict(), lines=found.lines()[1:])


class EventOut(BaseModel):
    id: str
    type: str
    at: str
    source: str
    data: dict[str, Any]


class EvidenceOut(BaseModel):
    events: list[EventOut]
    withheld: int = Field(description="how many the purpose may not see")
    missing: list[str] = Field(description="ids whose events the journal does not have")


@router.get("/{decision_id}/evidence", summary="The events it rests on")
def show_evidence(
    decision_id: str, ctx: Annotated[RequestContext, Depends(allow(Action.GRAPH_READ))], hub: TheHub
) -> EvidenceOut:
    """The content of every event that the recorded trigger and audience name, by time."""
    with hub.database.reading() as session:
        found = evidence(session, ctx, decision_id, hub.catalog)
    return EvidenceOut(
        events=[
            EventOut(id=e.id, type=e.type, at=format_time(e.time), source=e.source, data=dict(e.data))
            for e in found.events
        ],
        withheld=found.withheld,
        missing=list(found.missing),
    )
