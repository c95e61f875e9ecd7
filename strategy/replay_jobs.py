"""Replays in the background: asked for, watched, cancelled, and their reports kept. One at a time a tenant, over its
journal or a named history; the live engine is not touched."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, InvalidInput, NotFound, Unavailable, ZhongshuError
from core.ids import TenantId, new_id
from core.telemetry import span
from core.text import Text
from core.times import MINUTE, SECOND, Micros, parse_duration, parse_time
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engines import replay_on
from strategy.files import as_strategy
from strategy.histories import Histories
from strategy.recorded import Recording, open_events, open_facts
from strategy.rehearse import BREATH, journalled
from strategy.replay import Replay, Summary, named_apart
from strategy.replay_report import Report
from strategy.repository import ReplayJobRepository
from strategy.schemas import ReplayIn
from strategy.service import StrategyService
from strategy.tables import ReplayJobRow
from strategy.writing import CatalogProvider

RUNNING = ("queued", "running")
KEPT = 20
"""Ended replays kept a tenant; older ones are forgotten."""
_WORKERS = 2
_LATENESS = 10 * MINUTE
"""For files, whose order nobody vouches for; the journal is read in order."""

_log = structlog.get_logger(__name__)


class Cancelled(Exception):
    """Somebody called the replay off, or the hub is closing."""


@dataclass(slots=True)
class _Running:
    """A replay under way; `files` in the order in which they are read."""

    tenant: TenantId
    call_off: threading.Event = field(default_factory=threading.Event)
    summary: Summary = field(default_factory=Summary)
    files: Sequence[Recording] = ()
    began: Micros | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """What a replay is made of, checked before it is queued."""

    catalog: Catalog
    strategies: list[Strategy]
    asked: ReplayIn
    lateness: int
    since: Micros | None
    until: Micros | None


class ReplayJobs:
    """Opening marks replays that a restart cut short as failed. `close` calls off what runs."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        catalog_provider: CatalogProvider,
        strategies: StrategyService,
        histories: Histories,
    ) -> None:
        self._db = db
        self._clock = clock
        self._catalog = catalog_provider
        self._strategies = strategies
        self._histories = histories
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="replay")
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        error = _both(Unavailable(Text("重启时中断，请再来一次", "a restart cut it short; ask again")))
        with db.transaction() as session:
            ReplayJobRepository(session).interrupt(RUNNING, error, clock.now())

    def start(self, ctx: RequestContext, asked: ReplayIn) -> ReplayJobRow:
        """Queue a replay.

        Raises:
            Conflict: one of the tenant's is under way. NotFound: no such strategy or history.
            InvalidInput, UnknownName, Refused: a strategy does not fit the catalog or can never fire, or what is asked
            makes no sense.
        """
        work = self._work(ctx, asked)
        Replay(work.catalog, work.strategies, lateness=0)  # refuses what cannot run before it is queued
        with self._lock:
            for job, running in self._running.items():
                if running.tenant == ctx.tenant:
                    raise Conflict(
                        Text(f"回放 {job} 还在进行", f"replay {job} is under way"),
                        where={"job": job},
                        hint=Text("等它结束，或取消它", "Wait for it to end, or cancel it"),
                    )
            row = ReplayJobRow(
                id=new_id("rep", self._clock),
                tenant=ctx.tenant,
                state="queued",
                asked=asked.model_dump(mode="json", by_alias=True, exclude_none=True),
                progress={},
                created_by=ctx.actor,
                created_at=self._clock.now(),
            )
            with self._db.transaction() as session:
                repository = ReplayJobRepository(session)
                repository.add(row)
                repository.forget(ctx.tenant, KEPT)
                audit.record(session, ctx, self._clock, "replay.start", f"replay/{row.id}")
            self._running[row.id] = _Running(ctx.tenant)
        self._pool.submit(self._run, ctx, row.id, work)
        return row

    def _work(self, ctx: RequestContext, asked: ReplayIn) -> _Work:
        strategies = []
        for one in asked.strategies:
            if one.document is not None:
                strategies.append(as_strategy(one.document))
            else:
                newest = self._strategies.show(ctx, one.name or "").newest
                strategies.append(self._strategies.show(ctx, one.name or "", one.version or newest).strategy)
        for name in (asked.events, asked.facts):
            if name is not None:
                self._histories.path(ctx.tenant, name)
        if asked.facts is not None and asked.events is None:
            raise InvalidInput(
                Text("日志已含事实", "the journal has its own facts"),
                where={"field": "facts"},
                hint=Text("同时给出 events，或都不给", "Give `events` too, or neither"),
            )
        given = asked.lateness
        lateness = 0 if asked.events is None else _LATENESS
        return _Work(
            self._catalog(ctx),
            named_apart(strategies),
            asked,
            lateness if given is None else parse_duration(given, "lateness"),
            None if asked.since is None else parse_time(asked.since, "from"),
            None if asked.until is None else parse_time(asked.until, "until"),
        )

    def show(self, ctx: RequestContext, job: str) -> ReplayJobRow:
        """A replay with its progress as it is now.

        Raises:
            NotFound: the tenant has none of that id.
        """
        with self._db.reading() as session:
            row = ReplayJobRepository(session).one(ctx.tenant, job)
        if row is None:
            raise NotFound(Text(f"没有回放 {job!r}", f"there is no replay {job!r}"))
        return self._now(row)

    def list(self, ctx: RequestContext) -> list[ReplayJobRow]:
        """Newest first."""
        with self._db.reading() as session:
            return [self._now(row) for row in ReplayJobRepository(session).all(ctx.tenant)]

    def cancel(self, ctx: RequestContext, job: str) -> None:
        """Call a replay off; one that has ended is forgotten with its report."""
        row = self.show(ctx, job)
        with self._lock:
            if (running := self._running.get(row.id)) is not None:
                running.call_off.set()
                return
        with self._db.transaction() as session:
            ReplayJobRepository(session).remove(ctx.tenant, job)

    def wait(self, timeout: float = 300.0) -> None:
        """Return when nothing is under way, or after `timeout` seconds; for tests and scripts."""
        pause = threading.Event()
        for _ in range(max(1, int(timeout / 0.01))):
            if not self._running:
                return
            pause.wait(0.01)

    def close(self) -> None:
        with self._lock:
            for running in self._running.values():
                running.call_off.set()
        self._pool.shutdown(wait=True)

    def _now(self, row: ReplayJobRow) -> ReplayJobRow:
        """The row with the progress of one that is under way, which is kept in memory only."""
        with self._lock:
            running = self._running.get(row.id)
        if running is not None:
            row.state = "queued" if running.began is None else "running"
            row.progress = self._progress(running)
        return row

    def _run(self, ctx: RequestContext, job: str, work: _Work) -> None:
        running = self._running[job]
        running.began = self._clock.now()
        state, report, error = "failed", None, None
        try:
            with span("strategy.replay", job=job):
                report = self._replay(ctx, work, running)
            state = "done"
        except Cancelled:
            state = "cancelled"
        except ZhongshuError as cause:
            error = _both(cause)
        except Exception as cause:
            _log.exception("replay_failed", job=job)
            error = _both(ZhongshuError(Text(f"回放出错：{cause!r}", f"the replay broke: {cause!r}")))
        try:
            with self._db.transaction() as session:
                row = ReplayJobRepository(session).one(ctx.tenant, job)
                if row is not None:
                    row.state, row.report, row.error = state, report, error
                    row.progress, row.ended_at = self._progress(running), self._clock.now()
        finally:
            with self._lock:
                del self._running[job]

    def _replay(self, ctx: RequestContext, work: _Work, running: _Running) -> dict[str, Any]:
        def watch(summary: Summary) -> None:
            running.summary = summary
            if running.call_off.wait(BREATH):
                raise Cancelled

        watch(running.summary)
        asked = work.asked
        running.files = self._files(ctx, work)
        replay = replay_on(
            asked.engine,
            work.catalog,
            work.strategies,
            lateness=work.lateness,
            since=work.since,
            until=work.until if work.until is not None or asked.events is not None else self._clock.now(),
            limit=asked.limit_events,
            clock=self._clock,
            watch=watch,
        )
        report = Report(work.catalog, work.strategies, asked.sample, asked.seed, kept=True)
        facts = running.files[0] if len(running.files) > 1 else ()
        for _ in report.follow(replay, facts, running.files[-1]):
            pass
        return {"zh": report.as_dict("zh"), "en": report.as_dict("en")}

    def _files(self, ctx: RequestContext, work: _Work) -> Sequence[Recording]:
        asked = work.asked
        if asked.events is None:
            return journalled(self._db, ctx.tenant, work.catalog)
        events = open_events(str(self._histories.path(ctx.tenant, asked.events)), work.catalog)
        if asked.facts is None:
            return (events,)
        return (open_facts(str(self._histories.path(ctx.tenant, asked.facts)), work.catalog), events)

    def _progress(self, running: _Running) -> dict[str, Any]:
        summary = running.summary
        seconds = 0.0 if running.began is None else (self._clock.now() - running.began) / SECOND
        share = running.files[-1].share if running.files else 0.0
        return {
            "share": None if share is None else round(share, 4),
            "events": summary.events,
            "facts": summary.facts,
            "bad": summary.bad,
            "firings": summary.firings,
            "seconds": round(seconds, 3),
        }


def _both(error: ZhongshuError) -> dict[str, Any]:
    return {"zh": error.as_dict("zh"), "en": error.as_dict("en")}
