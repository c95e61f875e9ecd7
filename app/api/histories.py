"""Named histories: files of events or facts for replays. They do not enter the hub's own records."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from app.api.deps import allow, the_hub
from app.api.shapes import Done, Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action

router = APIRouter(prefix="/v1/histories", tags=["replays"])
TheHub = Annotated[Hub, Depends(the_hub)]
MaySimulate = Annotated[RequestContext, Depends(allow(Action.STRATEGIES_SIMULATE))]
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"}
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}}


class HistoryOut(BaseModel):
    name: str
    size: int


@router.get("", summary="List histories")
def list_histories(ctx: MaySimulate, hub: TheHub) -> Page[HistoryOut]:
    """By name."""
    return Page(items=[HistoryOut(name=h.name, size=h.size) for h in hub.histories.all(ctx.tenant)])


@router.post("/{name}", status_code=201, summary="Upload a history", openapi_extra=_BODY)
async def upload(
    name: str,
    ctx: MaySimulate,
    hub: TheHub,
    request: Request,
    kind: Annotated[Literal["events", "facts"], Query(description="what the file holds")] = "events",
) -> HistoryOut:
    """The body is the file: NDJSON (gzipped or not), Parquet or Arrow, at most 256 MB. A columnar file whose columns
    cannot be read is refused; what is wrong with single rows is told by the replay."""
    part = hub.histories.receive(ctx.tenant, name)
    try:
        with part.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
        found = await to_thread.run_sync(
            lambda: hub.histories.keep(ctx.tenant, name, part, hub.catalog, facts=kind == "facts")
        )
    finally:
        part.unlink(missing_ok=True)
    return HistoryOut(name=found.name, size=found.size)


@router.delete("/{name}", summary="Delete a history")
def delete(name: str, ctx: MaySimulate, hub: TheHub) -> Done:
    hub.histories.remove(ctx.tenant, name)
    return Done()
