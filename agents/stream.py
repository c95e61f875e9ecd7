"""Events of a run while it runs: the run has a thread of its own, the reader takes what comes."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator

from agents.schemas import ChatEvent
from agents.state import Emit


def events_of(work: Callable[[Emit], None]) -> Iterator[ChatEvent]:
    """Run `work` in a thread and give its events in order; what it raises is raised here, after its events.

    A reader that goes away does not stop it: what was begun is finished before the generator closes, so that the
    conversation's lock is not let go while it is being changed.
    """
    events: queue.SimpleQueue[ChatEvent | None] = queue.SimpleQueue()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work(events.put)
        except BaseException as error:
            failed.append(error)
        finally:
            events.put(None)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="chat-turn", daemon=True)
    thread.start()
    try:
        while (event := events.get()) is not None:
            yield event
    finally:
        thread.join()
    if failed:
        raise failed[0]
