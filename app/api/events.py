"""Events, facts and relations come in here. What the receipt calls accepted is on disk before the answer is sent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from app.api.bodies import ARROW, Batch, read_batch
from app.api.deps import allow, the_hub
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action
from strategy.schemas import ReceiptOut
from strategy.stream import Receipt

router = APIRouter(prefix="/v1", tags=["events"])
TheHub = Annotated[Hub, Depends(the_hub)]
# Dependencies are asked in the order of the parameters: who may not send is refused before the body is read.
Body = Annotated[Batch, Depends(read_batch)]

_EVENT = {
    "specversion": "1.0",
    "id": "e-1001",
    "source": "mini-program",
    "type": "app.swipe",
    "time": "2026-05-01T08:00:00+08:00",
    "subject": "customer/c0001",
    "data": {"screen": "menu"},
}
_FACT = {"subject": "customer/c0001", "property": "tier", "value": "vip", "from": "2026-05-01T08:00:00+08:00"}
_OWNS = {
    "subject": "customer/c0001",
    "relation": "owns",
    "object": "device/d0009",
    "from": "2026-05-01T08:00:00+08:00",
}


def _bodies(one: str, batch: str | None, examples: list[dict[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {one: {"schema": {"type": "object"}, "example": examples[0]}}
    if batch:
        content[batch] = {"schema": {"type": "array", "items": {"type": "object"}}, "example": examples}
    lines = "\n".join(str(e).replace("'", '"') for e in examples)
    content["application/x-ndjson"] = {"schema": {"type": "string"}, "example": lines}
    content[ARROW] = {"schema": {"type": "string", "format": "binary"}, "example": "(an Arrow IPC stream)"}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/events",
    status_code=202,
    summary="Send events",
    openapi_extra=_bodies("application/cloudevents+json", "application/cloudevents-batch+json", [_EVENT]),
)
def events(ctx: Annotated[RequestContext, Depends(allow(Action.EVENTS_WRITE))], batch: Body, hub: TheHub) -> ReceiptOut:
    """CloudEvents 1.0: one, a batch (array), NDJSON, or one in binary mode (`ce-` headers); or an Arrow stream with
    columns `id`, `type`, `time`, `subject`, `source` and `data` (a struct) or `data.<field>`. Good ones are taken and
    bad ones reported with their line or row; a single event that is bad is answered 422. Late and bad ones are kept
    aside."""
    return _take(hub, ctx, batch, events=True)


@router.post(
    "/facts",
    status_code=202,
    summary="Send facts and relations",
    openapi_extra=_bodies("application/json", None, [_FACT, _OWNS]),
)
def facts(ctx: Annotated[RequestContext, Depends(allow(Action.FACTS_WRITE))], batch: Body, hub: TheHub) -> ReceiptOut:
    """One, an array, NDJSON, or an Arrow stream with columns `subject`, `property`, `value` (or `value.<kind>`),
    `relation`, `object` and `from`. A fact can fire a strategy as an event can; it is in the graph at once."""
    return _take(hub, ctx, batch, events=False)


def _take(hub: Hub, ctx: RequestContext, batch: Batch, *, events: bool) -> ReceiptOut:
    engine = hub.running_engine()
    if batch.frame is not None:
        return ReceiptOut.of(engine.accept_frame(ctx, batch.frame, events=events), ctx.lang)
    receipt = engine.accept_events(ctx, batch.items)
    if batch.single and receipt.rejected:
        error = receipt.rejected[0].error
        error.where.pop("item", None)
        raise error
    return _numbered(ReceiptOut.of(receipt, ctx.lang), receipt, batch)


def _numbered(answer: ReceiptOut, receipt: Receipt, batch: Batch) -> ReceiptOut:
    """Lines are numbered as in the body, blank ones counted."""
    if batch.numbers is not None:
        for told, bad in zip(answer.rejected, receipt.rejected, strict=True):
            told.line = batch.numbers[bad.line - 1]
            told.error["where"] = {**told.error.get("where", {}), "line": told.line}
    return answer
