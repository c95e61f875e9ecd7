"""Strategies: drafted from a sentence or a document, read back, versioned, approved onto a share of customers, paused,
resumed, retired."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query

from app.api.deps import allow, the_hub
from app.api.shapes import Label, Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action
from strategy.schemas import ApproveIn, DraftIn, StrategyOut

router = APIRouter(prefix="/v1/strategies", tags=["strategies"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayRead = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_READ))]
Revision = Annotated[
    int | None, Body(embed=True, description="refuse if the state changed since this revision was read")
]
_SENTENCES: dict[str, Any] = {
    "chinese": {"value": {"sentence": "客户连续滑动5屏未下单,且附近500米有竞品门店,就免配送费"}},
    "english": {
        "value": {"sentence": "When a customer's complaint is not resolved within 2 hours, escalate to the director"}
    },
}


@router.post("", status_code=201, summary="Draft from a sentence or a document")
def draft(
    body: Annotated[DraftIn, Body(openapi_examples=_SENTENCES)],
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_DRAFT))],
    hub: TheHub,
) -> StrategyOut:
    """Nothing runs yet: it is read back for approval. A sentence with two meanings is answered 409 with `choices`; a
    name the catalog lacks 422 with `nearest` and the place in the sentence."""
    found = hub.strategies.draft(ctx, sentence=body.sentence, document=body.document, name=body.name)
    return StrategyOut.of(found, ctx.lang)


@router.get("", summary="List strategies")
def list_strategies(ctx: MayRead, hub: TheHub) -> Page[StrategyOut]:
    """One version each, by name: the one that runs or is paused, else the newest."""
    return Page(items=[StrategyOut.of(found, ctx.lang) for found in hub.strategies.list(ctx)])


@router.get("/{name:path}/readback", summary="Read it back in both languages")
def read_back(name: str, ctx: MayRead, hub: TheHub, version: Annotated[int | None, Query()] = None) -> Label:
    return Label.of(hub.strategies.show(ctx, name, version).readback)


@router.get("/{name:path}/versions", summary="All versions, oldest first")
def versions(name: str, ctx: MayRead, hub: TheHub) -> Page[StrategyOut]:
    return Page(items=[StrategyOut.of(found, ctx.lang) for found in hub.strategies.versions(ctx, name)])


@router.post("/{name:path}/versions", status_code=201, summary="Edit: a new version, in state draft")
def edit(
    name: str,
    body: Annotated[DraftIn, Body(openapi_examples=_SENTENCES)],
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_EDIT))],
    hub: TheHub,
    base: Annotated[int | None, Query(description="refuse if this is no longer the newest version")] = None,
) -> StrategyOut:
    """What runs goes on running until the new version is approved."""
    found = hub.strategies.edit(ctx, name, sentence=body.sentence, document=body.document, base_version=base)
    return StrategyOut.of(found, ctx.lang)


@router.post("/{name:path}/approve", summary="Start it on a share of customers")
def approve(
    name: str,
    body: Annotated[ApproveIn, Body(openapi_examples={"canary": {"value": {"version": 1, "percent": 1}}})],
    ctx: Annotated[RequestContext, Depends(allow(Action.STRATEGIES_APPROVE))],
    hub: TheHub,
) -> StrategyOut:
    """Below 100 percent it is a canary, at 100 live. Approving a running version changes its share."""
    found = hub.strategies.approve(ctx, name, body.version, body.percent, body.revision)
    return StrategyOut.of(found, ctx.lang)


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
def show(name: str, ctx: MayRead, hub: TheHub, version: Annotated[int | None, Query()] = None) -> StrategyOut:
    """Without a version the one that runs or is paused, else the newest."""
    return StrategyOut.of(hub.strategies.show(ctx, name, version), ctx.lang)
