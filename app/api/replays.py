"""Replays in the background: strategies over what the hub has recorded, or over a named history."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Done, Page
from app.hub import Hub
from core.context import RequestContext
from core.text import Lang
from core.times import format_time
from knowledge.governance import Action
from strategy.schemas import ReplayIn
from strategy.tables import ReplayJobRow

router = APIRouter(prefix="/v1/replays", tags=["replays"])
TheHub = Annotated[Hub, Depends(the_hub)]
MaySimulate = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_SIMULATE))]
_ASKED: dict[str, Any] = {
    "stored": {"value": {"strategies": [{"name": "quiet-vips"}], "from": "2026-05-01T00:00:00+08:00"}},
    "history": {
        "value": {
            "strategies": [{"name": "quiet-vips", "version": 1}, {"name": "quiet-vips", "version": 2}],
            "events": "april.parquet",
        }
    },
}


class ReplayOut(BaseModel):
    id: str
    state: str = Field(description="queued, running, done, failed or cancelled")
    asked: dict[str, Any]
    progress: dict[str, Any] = Field(description="share done (null: not known), counts so far, seconds")
    error: dict[str, Any] | None = None
    created_by: str
    created_at: str
    ended_at: str | None = None
    report: dict[str, Any] | None = Field(default=None, description="once it is done; only where one replay is shown")

    @staticmethod
    def of(row: ReplayJobRow, lang: Lang, *, whole: bool = True) -> ReplayOut:
        return ReplayOut(
            id=row.id,
            state=row.state,
            asked=row.asked,
            progress=row.progress,
            error=row.error[lang] if row.error else None,
            created_by=row.created_by,
            created_at=format_time(row.created_at),
            ended_at=None if row.ended_at is None else format_time(row.ended_at),
            report=row.report[lang] if row.report and whole else None,
        )


@router.post("", status_code=202, summary="Replay strategies over recorded history")
def start(
    body: Annotated[ReplayIn, Body(openapi_examples=_ASKED)], ctx: MaySimulate, hub: TheHub, response: Response
) -> ReplayOut:
    """It runs in the background, one at a time a tenant; nothing is sent or decided. Over the hub's own journal unless
    `events` names a history. A strategy that does not fit the catalog is refused at once."""
    row = hub.replays.start(ctx, body)
    response.headers["Location"] = f"/v1/replays/{row.id}"
    return ReplayOut.of(row, ctx.lang)


@router.get("", summary="List replays")
def list_replays(ctx: MaySimulate, hub: TheHub) -> Page[ReplayOut]:
    """Newest first, without their reports. The newest 20 are kept."""
    return Page(items=[ReplayOut.of(row, ctx.lang, whole=False) for row in hub.replays.list(ctx)])


@router.get("/{replay}", summary="A replay: its progress, or its report")
def show(replay: str, ctx: MaySimulate, hub: TheHub) -> ReplayOut:
    """The report: firings, firings a day, subjects reached, what guards stopped, a sample of why, and why not for
    strategies that never fired."""
    return ReplayOut.of(hub.replays.show(ctx, replay), ctx.lang)


@router.delete("/{replay}", summary="Cancel a replay, or forget one that has ended")
def cancel(replay: str, ctx: MaySimulate, hub: TheHub) -> Done:
    hub.replays.cancel(ctx, replay)
    return Done()
