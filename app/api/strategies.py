"""Strategies: drafted from a sentence or a document, read back, versioned, approved onto a share of customers, paused,
resumed, retired."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Label, Page
from app.hub import Hub
from core.context import RequestContext
from core.text import Text
from core.times import format_time, parse_time
from knowledge.governance import Action
from strategy.engine.port import Truth
from strategy.experiment.measure import measure
from strategy.rehearse import rehearse
from strategy.replay import record_of
from strategy.schemas import ApproveIn, DraftIn, MemoryOut, StrategyOut
from strategy.versions import StrategyVersion
from strategy.whynot import Asked

router = APIRouter(prefix="/v1/strategies", tags=["strategies"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayRead = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_READ))]
Version = Annotated[int | None, Query(ge=1)]
Revision = Annotated[
    int | None, Body(embed=True, description="refuse if the state changed since this revision was read")
]
SENTENCES: dict[str, Any] = {
    "chinese": {"value": {"sentence": "客户连续滑动5屏未下单，且附近500米有竞品门店，就免配送费"}},
    "english": {
        "value": {"sentence": "When a customer's complaint is not resolved within 2 hours, escalate to the director"}
    },
}


@router.post("", status_code=201, summary="Draft from a sentence or a document")
def draft(
    body: Annotated[DraftIn, Body(openapi_examples=SENTENCES)],
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_DRAFT))],
    hub: TheHub,
) -> StrategyOut:
    """Nothing runs yet: it is read back for approval. A sentence with two meanings is answered 409 with `choices`; a
    name the catalog lacks 422 with `nearest` and the place in the sentence. Either can be answered: send the sentence
    again with `answers`, and with `remember` to have them hold for later sentences too."""
    found = hub.strategies.draft(
        ctx,
        sentence=body.sentence,
        document=body.document,
        name=body.name,
        answers=body.answers,
        remember=body.remember,
    )
    return _with_memory(found, ctx, hub)


@router.get("", summary="List strategies")
def list_strategies(ctx: MayRead, hub: TheHub) -> Page[StrategyOut]:
    """One version each, by name: the one that runs or is paused, else the newest."""
    return Page(items=[StrategyOut.of(found, ctx.lang) for found in hub.strategies.list(ctx)])


@router.get("/{name:path}/readback", summary="Read it back in both languages")
def read_back(name: str, ctx: MayRead, hub: TheHub, version: Version = None) -> Label:
    return Label.of(hub.strategies.show(ctx, name, version).readback)


class FiredOut(BaseModel):
    decision: str
    at: str
    verdict: str


class WhyNotOut(BaseModel):
    strategy: str
    version: int
    subject: str
    at: str | None = Field(description="the moment of the answer: the one asked about, or that event time has reached")
    truth: Truth
    trigger: list[str]
    audience_truth: Truth | None
    audience: list[str]
    headline: str
    lines: list[str]
    tree: dict[str, Any] = Field(description="trigger and audience node by node: truth, observed, threshold, evidence")
    fired: FiredOut | None = Field(description="the last decision on this strategy for this subject up to then")
    notes: list[str] = Field(description="what that means for the next firing")


_TRUTHS = {
    Truth.TRUE: Text("触发条件此刻成立", "the trigger holds now"),
    Truth.FALSE: Text("触发条件此刻不成立", "the trigger does not hold now"),
    Truth.UNKNOWN: Text("触发条件此刻未知：数据还不够", "the trigger is unknown now: there is too little data"),
}
_TRUTHS_THEN = {
    Truth.TRUE: Text("触发条件当时成立", "the trigger held then"),
    Truth.FALSE: Text("触发条件当时不成立", "the trigger did not hold then"),
    Truth.UNKNOWN: Text("触发条件当时未知：数据还不够", "the trigger was unknown then: there was too little data"),
}


@router.get("/{name:path}/why-not", summary="Why has it not fired for a subject?")
def why_not(
    name: str,
    ctx: Annotated[RequestContext, Depends(allow(Action.DECISIONS_READ))],
    hub: TheHub,
    subject: Annotated[str, Query(pattern=r"^[A-Za-z][\w.-]*/\S+$", examples=["customer/c0001"])],
    at: Annotated[str | None, Query(description="a past moment, RFC 3339; default: now")] = None,
    version: Annotated[int | None, Query(ge=1, description="default: the one that runs, or ran then")] = None,
) -> WhyNotOut:
    """How a strategy's trigger and audience look for the subject now, or looked just after a past instant: true, false
    or unknown, part by part. A past moment is answered from the subject's journalled inputs up to then, under the
    version that ran then (409 if none did), exactly as the engine saw them."""
    asked = Asked(name, subject, None if at is None else parse_time(_unspaced(at), "at"), version)
    found = hub.live.why_not(ctx, asked)
    audience = [Text("人群：", "Audience:").say(ctx.lang), *found.audience] if found.audience else []
    truth = (_TRUTHS if at is None else _TRUTHS_THEN)[found.truth]
    fired = found.fired
    return WhyNotOut(
        strategy=found.strategy,
        version=found.version,
        subject=found.subject,
        at=format_time(found.at) if found.at is not None else None,
        truth=found.truth,
        trigger=found.trigger,
        audience_truth=found.audience_truth,
        audience=found.audience,
        headline=f"{found.strategy} · {found.subject}: {truth.say(ctx.lang)}",
        lines=[*found.trigger, *audience, *found.notes],
        tree=found.tree,
        fired=FiredOut(decision=fired.id, at=format_time(fired.at), verdict=fired.verdict) if fired else None,
        notes=found.notes,
    )


def _unspaced(at: str) -> str:
    """In a URL `+08:00` that nobody escaped arrives as ` 08:00`."""
    return re.sub(r" (?=\d\d:\d\d$)", "+", at)


class ArmOut(BaseModel):
    n: int = Field(description="subjects whose time to convert is over")
    converted: int
    rate: float


class EffectOut(BaseModel):
    """`difference` is the treated rate less the holdout rate; `low` and `high` bound it at `confidence`."""

    treated: ArmOut
    holdout: ArmOut
    difference: float
    low: float
    high: float
    confidence: float
    waiting: int = Field(description="subjects not counted yet: their time to convert is not over")
    note: str


@router.get("/{name:path}/effect", summary="What did it change, against the holdout?")
def effect(name: str, ctx: Annotated[RequestContext, Depends(allow(Action.DECISIONS_READ))], hub: TheHub) -> EffectOut:
    """Conversion of customers treated against those held out. Refused (422) when the strategy names no verifying event
    or a side has nobody yet."""
    strategy = hub.strategies.show(ctx, name).strategy
    engine = hub.live.stats().get(ctx.tenant)
    now = engine.watermark if engine and engine.watermark is not None else hub.clock.now()
    with hub.database.reading() as session:
        found = measure(session, ctx, hub.catalog, strategy, now)
    return EffectOut(
        treated=ArmOut(n=found.treated.n, converted=found.treated.converted, rate=found.treated.rate),
        holdout=ArmOut(n=found.holdout.n, converted=found.holdout.converted, rate=found.holdout.rate),
        difference=found.difference,
        low=found.low,
        high=found.high,
        confidence=found.confidence,
        waiting=found.waiting,
        note=found.note.say(ctx.lang),
    )


@router.get("/{name:path}/versions", summary="All versions, oldest first")
def versions(name: str, ctx: MayRead, hub: TheHub) -> Page[StrategyOut]:
    return Page(items=[StrategyOut.of(found, ctx.lang) for found in hub.strategies.versions(ctx, name)])


@router.post("/{name:path}/versions", status_code=201, summary="Edit: a new version, in state draft")
def edit(
    name: str,
    body: Annotated[DraftIn, Body(openapi_examples=SENTENCES)],
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_EDIT))],
    hub: TheHub,
    base: Annotated[int | None, Query(description="refuse if this is no longer the newest version")] = None,
) -> StrategyOut:
    """What runs goes on running until the new version is approved."""
    found = hub.strategies.edit(ctx, name, sentence=body.sentence, document=body.document, base_version=base)
    return _with_memory(found, ctx, hub)


class RehearsalOut(BaseModel):
    """What would have happened for everyone: consent, rollout share and holdout are left out."""

    firings: int
    subjects: int
    last_week: int
    ended: str | None
    newest: list[dict[str, Any]]


@router.post("/{name:path}/rehearse", summary="Rehearse it on the hub's own records")
def rehearse_it(
    name: str,
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_SIMULATE))],
    hub: TheHub,
    version: Version = None,
) -> RehearsalOut:
    """Replays everything recorded under this version (default: the newest); nothing is stored, sent or decided."""
    chosen = version or hub.strategies.show(ctx, name).newest
    strategy = hub.strategies.show(ctx, name, chosen).strategy
    found = rehearse(hub.database, hub.clock, ctx, hub.catalog, strategy)
    return RehearsalOut(
        firings=found.firings,
        subjects=found.subjects,
        last_week=found.last_week,
        ended=format_time(found.ended) if found.ended is not None else None,
        newest=[record_of(fired, hub.catalog, ctx.lang) for fired in found.newest],
    )


@router.post("/{name:path}/approve", summary="Start it on a share of customers")
def approve(
    name: str,
    body: Annotated[ApproveIn, Body(openapi_examples={"canary": {"value": {"version": 1, "percent": 1}}})],
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_APPROVE))],
    hub: TheHub,
) -> StrategyOut:
    """Below 100 percent it is a canary, at 100 live. Approving a running version changes its share."""
    found = hub.strategies.approve(ctx, name, body.version, body.percent, body.revision)
    return _with_memory(found, ctx, hub)


@router.post("/{name:path}/pause", summary="Pause it")
def pause(
    name: str,
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_PAUSE))],
    hub: TheHub,
    revision: Revision = None,
) -> StrategyOut:
    """It stops firing; what it has not sent yet is called off."""
    return StrategyOut.of(hub.strategies.pause(ctx, name, revision), ctx.lang)


@router.post("/{name:path}/resume", summary="Resume it")
def resume(
    name: str,
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_PAUSE))],
    hub: TheHub,
    revision: Revision = None,
) -> StrategyOut:
    return StrategyOut.of(hub.strategies.resume(ctx, name, revision), ctx.lang)


@router.post("/{name:path}/retire", summary="Retire a version for good")
def retire(
    name: str,
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_RETIRE))],
    hub: TheHub,
    version: Annotated[int | None, Body(embed=True, description="default: the one that runs, else the newest")] = None,
    revision: Revision = None,
) -> StrategyOut:
    return StrategyOut.of(hub.strategies.retire(ctx, name, version, revision), ctx.lang)


@router.get("/{name:path}", summary="Show a strategy")
def show(name: str, ctx: MayRead, hub: TheHub, version: Version = None) -> StrategyOut:
    """Without a version the one that runs or is paused, else the newest."""
    return StrategyOut.of(hub.strategies.show(ctx, name, version), ctx.lang)


def _with_memory(found: StrategyVersion, ctx: RequestContext, hub: Hub) -> StrategyOut:
    """The answer to whoever is about to run a strategy: also what it would keep in memory."""
    cost = hub.strategies.state_cost(ctx, found.strategy)
    return StrategyOut.of(found, ctx.lang, MemoryOut.of(cost, hub.strategies.budget.size, ctx.lang))
