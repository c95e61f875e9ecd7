"""Who else is to know every accepted input, such as the customer graph: told in order, at least once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput
from core.events import Input
from core.ids import TenantId
from core.text import Text
from core.times import SECOND, Micros
from strategy.journal import Taken, aside_row, input_from
from strategy.repository import JournalRepository
from strategy.tables import Kind

Sink = Callable[[RequestContext, Sequence[Input]], None]
"""Told of accepted inputs after they are on disk. Repeats after a crash must change nothing."""

_PAGE = 5_000
_ITS_OWN_FAULT = (InvalidInput, ValueError, TypeError, ArithmeticError)
"""Errors that say something about the input; every other one is taken for the sink's, which may be well again later."""

_log = structlog.get_logger(__name__)


class SinkFeed:
    """Tells the sinks of accepted inputs in the journal's order; one that fails is told again with the next inputs."""

    def __init__(self, db: Database, clock: Clock, sinks: Sequence[Sink]) -> None:
        self._db = db
        self._clock = clock
        self._sinks = sinks
        self.errors = 0
        self._lock = threading.RLock()
        self._told: dict[TenantId, int] = {}
        self._saved: dict[TenantId, int] = {}
        self._behind: dict[TenantId, RequestContext] = {}
        self._kept_up = Micros(0)

    @property
    def any(self) -> bool:
        return bool(self._sinks)

    def tell(self, ctx: RequestContext, taken: Taken) -> None:
        """A committed batch, in the thread of its sender, so that whoever sent it can read it back."""
        if not self._sinks or not taken.inputs:
            return
        with self._lock:
            told = self._position(ctx)
            if told >= taken.last_seq:
                return
            if told < taken.before_seq:
                self.catch_up(ctx)
            elif self._call(ctx, taken.inputs):
                self._told[ctx.tenant] = taken.last_seq

    def catch_up(self, ctx: RequestContext) -> None:
        """Everything journalled that the sinks were not told of yet."""
        with self._lock:
            while self._sinks:
                with self._db.reading() as session:
                    rows = JournalRepository(session, ctx.tenant).after(self._position(ctx), _PAGE)
                inputs = [input_from(row) for row in rows if row.kind in (Kind.EVENT, Kind.FACT, Kind.RELATION)]
                if not rows or (inputs and not self._call(ctx, inputs)):
                    return
                self._told[ctx.tenant] = rows[-1].seq

    def keep_up(self, now: Micros) -> None:
        """Once a second: tell sinks that failed again, and keep how far they have come."""
        if now - self._kept_up < SECOND:
            return
        self._kept_up = now
        for ctx in list(self._behind.values()):
            self.catch_up(ctx)
        self.save()

    def save(self) -> None:
        """Keep how far the sinks have come, so that a restart does not begin from the start."""
        with self._lock:
            for tenant, seq in self._told.items():
                if self._saved.get(tenant) != seq:
                    with self._db.transaction() as session:
                        JournalRepository(session, tenant).position().sunk_seq = seq
                    self._saved[tenant] = seq

    def _position(self, ctx: RequestContext) -> int:
        if ctx.tenant not in self._told:
            with self._db.reading() as session:
                self._told[ctx.tenant] = JournalRepository(session, ctx.tenant).position().sunk_seq
        return self._told[ctx.tenant]

    def _call(self, ctx: RequestContext, inputs: Sequence[Input]) -> bool:
        """True when every sink has the inputs, or it is set aside that one of them never will."""
        try:
            for sink in self._sinks:
                sink(ctx, inputs)
        except Exception as error:
            # The input is journalled and acknowledged; a sink that fails must not undo that.
            self.errors += 1
            self._behind[ctx.tenant] = ctx
            _log.exception("sink_failed", tenant=ctx.tenant, inputs=len(inputs))
            if not isinstance(error, _ITS_OWN_FAULT):
                return False
            if half := len(inputs) // 2:
                return self._call(ctx, inputs[:half]) and self._call(ctx, inputs[half:])
            self._set_aside(ctx, inputs[0], error)
        self._behind.pop(ctx.tenant, None)
        return True

    def _set_aside(self, ctx: RequestContext, refused: Input, error: Exception) -> None:
        """An input that a sink can never take must not keep those behind it from it."""
        text = Text(f"已接收，但有一处无法收下：{error}", f"taken, but one part of the hub cannot keep it: {error}")
        with self._db.transaction() as session:
            row = aside_row("not_kept", InvalidInput(text), refused, self._clock.now())
            JournalRepository(session, ctx.tenant).set_aside([row])
