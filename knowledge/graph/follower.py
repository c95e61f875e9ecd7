"""Keeps derived attributes up to date: takes the reminders that are due, looks at each attribute as of its moment, and
tells of every value that is another than before, in a thread of its own, after each write and as time passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from core.clock import Clock
from core.context import RequestContext
from core.events import Fact
from knowledge.graph.derived import WEIGHT
from knowledge.graph.model import Reminder
from knowledge.graph.port import GraphStore

_PAGE = 500
_POLL = 0.25
"""Seconds between looks at the clock when nothing is written."""

_log = structlog.get_logger(__name__)
Tell = Callable[[RequestContext, Sequence[Fact]], object]
"""Takes facts about derived attributes; it has to keep them before it returns, and may be told one again."""


class Follower:
    """One tenant's derived attributes.

    Args:
        tell: where values go; they are told before the reminder is dropped, so that none is lost.
    """

    def __init__(self, store: GraphStore, ctx: RequestContext, clock: Clock, tell: Tell) -> None:
        self._store, self._ctx, self._clock, self._tell = store, ctx, clock, tell
        self._wake = threading.Event()
        self._stopping = False
        self._worker: threading.Thread | None = None
        self.errors = 0

    def start(self) -> None:
        self._worker = threading.Thread(target=self._work, name="derived", daemon=True)
        self._worker.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._worker is not None:
            self._worker.join(30)

    def wake(self) -> None:
        """Something was written."""
        self._wake.set()

    def catch_up(self) -> int:
        """Look at everything that is due by now; returns how many values were told."""
        told = 0
        while due := self._store.reminders(self._ctx, self._clock.now(), _PAGE):
            now = _together(due)
            looked = [self._store.look(self._ctx, reminder) for reminder in now]
            if facts := [fact for fact, _ in looked if fact is not None]:
                self._tell(self._ctx, facts)
                told += len(facts)
            self._store.settle(self._ctx, now, [later for _, later in looked if later is not None])
        return told

    def _work(self) -> None:
        while not self._stopping:
            self._wake.wait(_POLL)
            self._wake.clear()
            try:
                self.catch_up()
            except Exception:
                # Reminders are on disk: what failed is tried again, and the hub goes on meanwhile.
                self.errors += 1
                _log.exception("derived_failed", tenant=self._ctx.tenant)


def _together(due: Sequence[Reminder]) -> list[Reminder]:
    """Reminders that can be looked at before any of them is told, oldest first: those of one moment, or of as many
    weights as are of different subjects. A weight rests on its subject's events and on what was told of it before;
    nothing else that is told changes it."""
    first, subjects = due[0], set[str]()
    if not first.item.startswith(WEIGHT):
        return [r for r in due if r.at == first.at]
    for place, reminder in enumerate(due):
        same = reminder.at == first.at
        if not same and (not reminder.item.startswith(WEIGHT) or reminder.subject in subjects):
            return [*due[:place]]
        subjects.add(reminder.subject)
    return [*due]
