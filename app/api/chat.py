"""Chat with the supervisor, as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.hub import Hub
from core.context import RequestContext
from core.ids import new_id
from knowledge.governance import Action

router = APIRouter(prefix="/v1/chat", tags=["tickets"])


class ChatIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"message": "客户投诉后2小时内未解决，就升级给总监"}]},
    )

    message: str = Field(min_length=1, max_length=20_000)
    thread: str | None = Field(default=None, pattern=r"^[\w.:-]{1,100}$", description="go on with this conversation")
    subject: str | None = Field(default=None, pattern=r"^customer/\S+$", description="whom it is about")


@router.post("", summary="Say something", response_class=EventSourceResponse)
def chat(
    body: ChatIn,
    ctx: Annotated[RequestContext, Depends(allow(Action.CHAT_USE))],
    hub: Annotated[Hub, Depends(the_hub)],
) -> Iterator[ServerSentEvent]:
    """Events: `thread` first, then `routed`, `tool_started`, `tool_finished`, `decision`, `approval_requested`, `text`
    and `error` as they come, `done` last with the outcome. `text` is sent only after the guard has passed it."""
    thread = body.thread or new_id("chat", hub.clock)
    yield ServerSentEvent(event="thread", data={"thread": thread})
    for event in hub.supervisor.get().chat(ctx, thread, body.message, body.subject):
        yield ServerSentEvent(event=event.type, data=event.data)
    hub.outbox.wake()
