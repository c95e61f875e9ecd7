"""Chat with the supervisor, as server-sent events."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.hub import Hub
from core.context import RequestContext
from core.ids import new_id
from knowledge.governance import Action

if TYPE_CHECKING:
    from agents.schemas import ChatEvent

router = APIRouter(prefix="/v1/chat", tags=["tickets"])


class ChatIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"message": "客户投诉后2小时内未解决，就升级给总监"}]},
    )

    message: str = Field(min_length=1, max_length=20_000)
    thread: str | None = Field(default=None, pattern=r"^[\w.:-]{1,100}$", description="go on with this conversation")
    subject: str | None = Field(default=None, pattern=r"^customer/\S+$", description="whom it is about")


_END = object()


def _in_one_thread(events: Iterator[ChatEvent]) -> Iterator[ChatEvent]:
    """Drive a turn in a thread and context of its own: the framework asks each next event from another one, across
    which spans cannot stay open. A turn goes on to its end when the reader leaves."""
    came: queue.Queue[Any] = queue.Queue()

    def drive() -> None:
        try:
            for event in events:
                came.put(event)
        except Exception as error:
            came.put(error)
        came.put(_END)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(drive,), name="chat", daemon=True).start()
    while (found := came.get()) is not _END:
        if isinstance(found, Exception):
            raise found
        yield found


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
    for event in _in_one_thread(hub.supervisor.get().chat(ctx, thread, body.message, body.subject)):
        yield ServerSentEvent(event=event.type, data=event.data)
    hub.outbox.wake()
