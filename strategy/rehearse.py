"""Rehearsal: what a strategy would have done over everything the hub has recorded, before it is approved. The same
replay as over files, fed from the journal."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import UnknownName
from core.ids import TenantId
from core.telemetry import span
from core.text import Text
from core.times import DAY, Micros
from knowledge.catalog import Catalog, nearest
from strategy.document import Strategy
from strategy.journal import input_from
from strategy.replay import Fired, Replay, Summary
from strategy.replay_report import Report
from strategy.repository import JournalEntry, JournalRepository
from strategy.stream import BadLine, GoodLine, Line
from strategy.tables import Kind

SHOWN = 20
BREATH = 0.002
"""Seconds between chunks of a replay inside the hub, in which the live engine and requests get the processor."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Firings in all, subjects they concern, firings of the last seven days of records, and the newest few."""

    firings: int
    subjects: int
    last_week: int
    ended: Micros | None
    newest: tuple[Fired, ...]


def rehearse(db: Database, clock: Clock, ctx: RequestContext, catalog: Catalog, strategy: Strategy) -> Rehearsal:
    """Replay the tenant's journal under one strategy, up to now. Nothing is stored, sent or decided.

    Raises:
        InvalidInput, UnknownName, Refused: the strategy does not fit the catalog or can never fire.
    """
    now = clock.now()
    replay = Replay(catalog, [strategy], lateness=0, until=now, clock=clock, watch=breathe)
    report = Report(catalog, [strategy], sample=0)
    newest: deque[Fired] = deque(maxlen=SHOWN)
    last_week = 0
    with span("strategy.rehearse"):
        for item in report.follow(replay, *journalled(db, ctx.tenant, catalog)):
            if isinstance(item, Fired):
                newest.append(item)
                last_week += item.firing.at > now - 7 * DAY
    tally = report.tallies[strategy.name]
    return Rehearsal(tally.firings, len(tally.subjects), last_week, replay.summary.ended, tuple(newest)[::-1])


def breathe(_summary: Summary) -> None:
    """Let others have the processor for a moment."""
    threading.Event().wait(BREATH)


def journalled(db: Database, tenant: TenantId, catalog: Catalog) -> tuple[JournalRecording, JournalRecording]:
    """Facts and events that the tenant's journal holds now."""
    with db.reading() as session:
        last = JournalRepository(session, tenant).last_seq()
    facts = JournalRecording(db, tenant, catalog, (Kind.FACT, Kind.RELATION), last)
    return facts, JournalRecording(db, tenant, catalog, (Kind.EVENT,), last)


class JournalRecording:
    """Inputs of the journal as a `Recording`, in order of time. Each page is a reading of its own, so that a long
    replay holds no snapshot of the database open."""

    def __init__(
        self, db: Database, tenant: TenantId, catalog: Catalog, kinds: tuple[Kind, ...], last_seq: int
    ) -> None:
        self.warnings: list[Text] = []
        self.large = False
        self._db, self._tenant, self._catalog = db, tenant, catalog
        self._kinds, self._last_seq = kinds, last_seq
        self._span: tuple[int, int] | None = None
        self._at = 0
        self._done = False

    @property
    def share(self) -> float | None:
        """By event time, which is known without counting rows."""
        if self._done:
            return 1.0
        if self._span is None:
            return 0.0
        first, last = self._span
        return (self._at - first) / (last - first) if last > first else 0.0

    def __iter__(self) -> Iterator[Line]:
        after: tuple[int, int] | None = None
        while page := self._page(after):
            for row in page:
                self._at = row.time
                yield self._line(row)
            after = (page[-1].time, page[-1].seq)
        self._done = True

    def _page(self, after: tuple[int, int] | None) -> list[JournalEntry]:
        with self._db.reading() as session:
            repository = JournalRepository(session, self._tenant)
            page = repository.recorded(self._kinds, after, self._last_seq)
            if self._span is None and page:
                self._span = (page[0].time, repository.latest(self._kinds) or page[0].time)
            return page

    def _line(self, row: JournalEntry) -> Line:
        if row.kind == Kind.EVENT and row.type not in self._catalog.events:
            return BadLine(row.seq, _gone(row, self._catalog), "", "row")
        return GoodLine(row.seq, input_from(row), "row")


def _gone(row: JournalEntry, catalog: Catalog) -> UnknownName:
    return UnknownName(
        Text(f"目录里已没有事件类型 {row.type!r}", f"the catalog no longer has the event type {row.type!r}"),
        where={"row": row.seq, "field": "type"},
        nearest=nearest(row.type, catalog.events),
    )
