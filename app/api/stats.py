"""What is running and how much: counts for the start page and for dashboards, nothing about single customers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field

from app import VERSION, figures
from app.api.deps import allow, bearer_key, caller, header_key, the_hub
from app.api.page import may_see_counts
from app.api.shapes import Label
from app.hub import Hub
from core.context import RequestContext
from core.text import Text
from core.times import format_time
from knowledge.governance import Action
from strategy.tables import RUNNING
from strategy.versions import STATE_NAMES

router = APIRouter(prefix="/v1/stats", tags=["stats"])


class RoomOut(BaseModel):
    name: str
    label: Label
    state: str
    detail: Label | None = None


class RunningOut(BaseModel):
    name: str
    state: str
    label: Label
    percent: float
    firings: int


class StrategiesOut(BaseModel):
    running: int
    by_state: dict[str, int]
    list: list[RunningOut]


class EventsOut(BaseModel):
    recorded: int = Field(description="in the journal, over all time; the other counts are since the start")
    accepted: int
    duplicates: int
    late: int
    rejected: int
    per_second: float
    watermark: str | None


class OutboxOut(BaseModel):
    sent: int
    waiting: int
    failed: int


class StatsOut(BaseModel):
    version: str
    started: str
    demo: bool
    model: str | None
    rooms: list[RoomOut]
    customers: int
    strategies: StrategiesOut
    events: EventsOut
    firings: int
    decisions: dict[str, int]
    outbox: OutboxOut
    tickets: int
    approvals: int
    examples: dict[str, Any]


def _reader(
    request: Request,
    hub: Annotated[Hub, Depends(the_hub)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_key)],
    header: Annotated[str | None, Depends(header_key)],
) -> RequestContext:
    """A key that may read decisions, or the start page of a hub on loopback (app.api.page says when)."""
    if not bearer and not header and may_see_counts(request, hub):
        return hub.context()
    return allow(Action.DECISIONS_READ)(request, hub, caller(request, hub, bearer, header))


@router.get("", summary="What is running, and how much")
def stats(ctx: Annotated[RequestContext, Depends(_reader)], hub: Annotated[Hub, Depends(the_hub)]) -> StatsOut:
    """Counts since the start for events, over all time for decisions, messages and tickets."""
    counters = hub.live.counters
    engine = hub.live.stats().get(ctx.tenant)
    found = hub.strategies.list(ctx)
    fired = figures.firings(hub.database, ctx)
    outbox = figures.outbox(hub.database, ctx)
    by_state: dict[str, int] = {}
    for strategy in found:
        by_state[strategy.state] = by_state.get(strategy.state, 0) + 1
    running = [
        RunningOut(
            name=s.name,
            state=s.state,
            label=Label.of(STATE_NAMES[s.state]),
            percent=s.percent,
            firings=fired.get(s.name, 0),
        )
        for s in found
        if s.state in RUNNING
    ]
    return StatsOut(
        version=VERSION,
        started=format_time(hub.started),
        demo=hub.settings.demo,
        model=hub.settings.llm_model if hub.settings.llm_base_url else None,
        rooms=[*_always(hub), *(_room(room) for room in hub.rooms)],
        customers=hub.graph_store.count(ctx, "customer"),
        strategies=StrategiesOut(running=len(running), by_state=by_state, list=running),
        events=EventsOut(
            recorded=figures.recorded(hub.database, ctx),
            accepted=counters.accepted,
            duplicates=counters.duplicates,
            late=counters.late,
            rejected=counters.rejected,
            per_second=round(hub.pace.per_second(), 1),
            watermark=format_time(engine.watermark) if engine and engine.watermark is not None else None,
        ),
        firings=sum(fired.values()),
        decisions=figures.decisions(hub.database, ctx),
        outbox=OutboxOut(
            sent=outbox.get("sent", 0),
            waiting=outbox.get("pending", 0),
            failed=outbox.get("failed", 0) + outbox.get("dead", 0),
        ),
        tickets=figures.tickets(hub.database, ctx),
        approvals=figures.approvals(hub.database, ctx),
        examples=hub.examples,
    )


def _always(hub: Hub) -> list[RoomOut]:
    """The parts that are there as soon as the service answers."""
    channels = ", ".join(hub.channels.names())
    parts = [
        ("engine", Text("策略引擎", "engine"), None),
        ("graph", Text("客户图谱", "customer graph"), None),
        ("delivery", Text("送达", "delivery"), Text(f"渠道：{channels}", f"channels: {channels}")),
    ]
    return [
        RoomOut(name=name, label=Label.of(label), state="ready", detail=Label.of(detail) if detail else None)
        for name, label, detail in parts
    ]


def _room(room: Any) -> RoomOut:
    detail = Label.of(room.detail) if room.detail else None
    return RoomOut(name=room.name, label=Label.of(room.label), state=room.state, detail=detail)
