"""Rehearsal: what a strategy would have done over everything the hub has recorded, before it is approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.telemetry import span
from core.times import DAY, Micros
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.journal import input_from
from strategy.replay import Fired, Replay
from strategy.repository import JournalRepository
from strategy.stream import GoodLine, Line
from strategy.tables import Kind

SHOWN = 20


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
    replay = Replay(catalog, [strategy], lateness=0, until=now, clock=clock)
    fired: list[Fired] = []
    with span("strategy.rehearse"), db.reading() as session:
        journal = JournalRepository(session, ctx.tenant)
        facts, events = _lines(journal, Kind.FACT, Kind.RELATION), _lines(journal, Kind.EVENT)
        fired += (item for item in replay.run(facts, events) if isinstance(item, Fired))
    return Rehearsal(
        firings=len(fired),
        subjects=len({one.firing.subject for one in fired}),
        last_week=sum(1 for one in fired if one.firing.at > now - 7 * DAY),
        ended=replay.summary.ended,
        newest=tuple(fired[-SHOWN:][::-1]),
    )


def _lines(journal: JournalRepository, *kinds: Kind) -> Iterator[Line]:
    return (GoodLine(row.seq, input_from(row)) for row in journal.recorded([k.value for k in kinds]))
