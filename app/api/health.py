"""Is it up, is it ready, and what Prometheus wants to know. None of these needs a key; none shows customer data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from app import VERSION
from app.api.deps import the_hub
from app.api.problems import lang_of
from app.hub import Hub

router = APIRouter(tags=["health"])


class RoomOut(BaseModel):
    name: str
    state: Literal["warming", "ready", "failed", "off"]
    detail: str | None = None


class ReadyOut(BaseModel):
    status: Literal["ready", "warming", "failed"]
    rooms: list[RoomOut]


@router.get("/healthz", summary="Is the process up?")
def healthz() -> dict[str, str]:
    """Answers as soon as the service listens."""
    return {"status": "ok", "version": VERSION}


@router.get(
    "/readyz",
    summary="Are all parts ready?",
    responses={503: {"model": ReadyOut, "description": "a part could not be loaded"}},
)
def readyz(request: Request, response: Response, hub: Annotated[Hub, Depends(the_hub)]) -> ReadyOut:
    """200 while parts are warming up too: requests that need such a part wait for it. 503 when one failed to load."""
    lang = lang_of(request)
    rooms = [
        RoomOut(name=room.name, state=room.state, detail=room.detail.say(lang) if room.detail else None)
        for room in hub.rooms
    ]
    states = {room.state for room in rooms}
    if "failed" in states:
        response.status_code = 503
    return ReadyOut(
        status="failed" if "failed" in states else "warming" if "warming" in states else "ready", rooms=rooms
    )


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
def metrics(hub: Annotated[Hub, Depends(the_hub)]) -> Any:
    return Response(hub.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")
