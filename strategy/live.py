"""The live engine: inputs are journalled before they are acknowledged, one worker feeds each tenant's engine from the
journal, and firings become decisions. A restart continues from the journal as if nothing had happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog
from sqlmodel import Session

from core.clock import Clock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import Unavailable
from core.events import Event, Input
from core.ids import TenantId
from core.text import Text
from core.times import SECOND, Micros
from strategy.arrivals import Arrivals
from strategy.engine.port import EngineFactory
from strategy.engine.python import PythonEngine
from strategy.journal import Journal, order_of
from strategy.repository import JournalRepository, StrategyRepository, journalled_tenants
from strategy.runner import FiringDecider, TenantRunner
from strategy.sinks import Sink, SinkFeed
from strategy.stream import GoodLine, Line, Receipt
from strategy.tables import RUNNING, Kind, SetAsideRow
from strategy.versions import Change
from strategy.whynot import Asked, Running, WhyNot, why_not
from strategy.writing import CatalogProvider

if TYPE_CHECKING:
    import polars as pl

_CHUNK = 5_000
_TICK_STEP = 50_000
"""Ticks come at least this many microseconds apart."""
_POLL = 0.05
"""Seconds between looks at the clock when nothing comes in."""
_BACK_OFF = 0.2
"""Seconds before a failed pass is tried again."""
_RESYNC = SECOND
"""Strategy changes made by other processes are seen within this time."""

_log = structlog.get_logger(__name__)
Done = TypeVar("Done")


@dataclass(slots=True)
class Counters:
    """Counts since the process started."""

    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    rejected: int = 0
    firings: int = 0
    ticks: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class TenantStats:
    """Where one tenant's engine stands. `undeployable`: strategies that no longer fit the catalog."""

    watermark: Micros | None
    next_due: Micros | None
    applied_seq: int
    deployed: dict[str, int]
    undeployable: dict[str, int]


class LiveEngine:
    """Build it, `start` it, feed it; `stop` drains what was acknowledged. Register `strategy_changed` with the
    StrategyService so that approvals take effect at once.

    Args:
        lateness: how far behind the newest event an event may lie and still count, in microseconds; events become
            final, and fire, that long after they happened.
        sinks: who else is to know every accepted input (the customer graph).
        snapshot_every: journal rows between snapshots of the engine's state.
        backend: makes the engine of a tenant.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        catalog_provider: CatalogProvider,
        decider: FiringDecider,
        *,
        lateness: int = SECOND,
        sinks: Sequence[Sink] = (),
        snapshot_every: int = 20_000,
        backend: EngineFactory = PythonEngine,
    ) -> None:
        self.counters = Counters()
        self.journal = Journal(db, clock, lateness)
        self._db = db
        self._clock = clock
        self._catalog = catalog_provider
        self._decider = decider
        self._lateness = lateness
        self._snapshot_every = snapshot_every
        self._backend = backend
        self.sinks = SinkFeed(db, clock, sinks)
        self._runners: dict[TenantId, TenantRunner] = {}
        self._lock = threading.RLock()
        self._synced: dict[TenantId, Micros] = {}
        self._arrivals = Arrivals(clock)
        self._ticked: dict[TenantId, tuple[Micros, Micros]] = {}
        self._wake = threading.Event()
        self._stopping = False
        self._worker: threading.Thread | None = None

    # Taking in

    def accept_events(self, ctx: RequestContext, raw_items: Iterable[object]) -> Receipt:
        """Journal events, facts and relations, then acknowledge. Items are JSON texts, or objects already parsed.

        What the receipt calls accepted is on disk. Bad items do not stop good ones: they are in `rejected` with their
        number (from 1) and error, and kept aside together with late ones.

        Raises:
            Unavailable: the engine is stopping.
        """
        return self._accept(ctx, self.journal.read(raw_items, self._catalog(ctx)), backfill=False)

    def accept_lines(self, ctx: RequestContext, lines: Iterable[Line]) -> Receipt:
        """As `accept_events`, for inputs that were read and checked elsewhere, and what could not be."""
        return self._accept(ctx, self.journal.screen(lines), backfill=False)

    def accept_frame(self, ctx: RequestContext, frame: pl.DataFrame, *, events: bool) -> Receipt:
        """As `accept_events`, for the rows of a data frame; `events` False: facts and relations. See strategy.rows.

        Raises:
            InvalidInput: a column is missing, or of a type that cannot be read.
        """
        from strategy.rows import Rows  # polars takes its time to import

        rows = Rows(frame.schema, self._catalog(ctx), events=events)
        return self._accept(ctx, self.journal.screen(rows.lines(frame, 1)), backfill=False)

    def accept_inputs(self, ctx: RequestContext, inputs: Iterable[Input]) -> Receipt:
        """As `accept_events`, for what the hub itself has found out and made to fit the catalog."""
        return self._accept(ctx, (GoodLine(n, found) for n, found in enumerate(inputs, 1)), backfill=False)

    def load_history(self, ctx: RequestContext, inputs: Iterable[Input]) -> Receipt:
        """Journal past inputs that warm state and never fire; time then stands at the newest event among them."""
        past = sorted(inputs, key=lambda found: found.time)
        lines = (GoodLine(n, found) for n, found in enumerate(past, 1))
        with self._arrivals.batch(ctx.tenant, past[0].time if past else None):
            receipt = self._accept(ctx, lines, backfill=True)
        newest = max((found.time for found in past if isinstance(found, Event)), default=None)
        if newest is not None and receipt.accepted:
            self.journal.control(ctx.tenant, Kind.TICK, "", newest, {}, backfill=True)
            self._wake.set()
        return receipt

    def _accept(self, ctx: RequestContext, lines: Iterator[Line], *, backfill: bool) -> Receipt:
        total = Receipt()
        with self._arrivals.batch(ctx.tenant):
            read = list(lines)
            good = sorted((line for line in read if isinstance(line, GoodLine)), key=order_of)
            ordered: list[Line] = [*(line for line in read if not isinstance(line, GoodLine)), *good]
            for start in range(0, len(ordered), _CHUNK):
                if self._stopping:
                    raise Unavailable(Text("服务正在停止，未接收", "the hub is stopping; not taken"))
                taken = self.journal.take(ctx, ordered[start : start + _CHUNK], backfill=backfill)
                total += taken.receipt
                self.sinks.tell(ctx, taken)
        with self._lock:
            self.counters.accepted += total.accepted
            self.counters.duplicates += total.duplicates
            self.counters.late += total.late
            self.counters.rejected += len(total.rejected)
        if total.accepted:
            self._runner(ctx.tenant)
            self._wake.set()
        return total

    def forget(self, ctx: RequestContext, work: Callable[[Session], Done]) -> Done:
        """Take inputs out of the journal, in one transaction that `work` gets, and make the tenant's engine anew from
        what is left. Time stays where it was, and what was decided stays decided. Inputs wait meanwhile."""
        with self._runner(ctx.tenant).lock, self._lock:
            done = self.journal.forget(ctx.tenant, work)
            self._runners.pop(ctx.tenant)
            self._runner(ctx.tenant)
        self._wake.set()
        return done

    def trim(self, ctx: RequestContext, work: Callable[[Session, int], Done]) -> Done:
        """Take inputs out of the journal that no running strategy reads any more: `work` gets a transaction, and the
        last row that may go. The engine goes on as it is; its state is saved first, so that a restart goes on too."""
        self.sinks.save()
        runner = self._runner(ctx.tenant)
        with runner.lock:
            runner.save_snapshot()
            with self._db.reading() as session:
                sunk = JournalRepository(session, ctx.tenant).position().sunk_seq
            until = min(runner.applied_seq, sunk) if self.sinks.any else runner.applied_seq
            return self.journal.trim(ctx.tenant, lambda session: work(session, until))

    # Running

    def start(self) -> None:
        """Recover every tenant's engine, then start the worker."""
        self._recover()
        self._stopping = False
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Take no more, drain what was acknowledged, keep a snapshot."""
        self._stopping = True
        self._wake.set()
        if self._worker is not None:
            self._worker.join(timeout)
            self._worker = None
        for runner in self._all():
            self._guard(runner.ctx.tenant, partial(self._save, runner))
        self._guard(None, self.sinks.save)

    def strategy_changed(self, ctx: RequestContext, change: Change) -> None:
        """Listener for StrategyService: the worker deploys or retires at once."""
        self._runner(ctx.tenant)
        self._synced.pop(ctx.tenant, None)
        self._wake.set()

    def catalog_changed(self, ctx: RequestContext) -> None:
        """Rebuild the tenant's engine on its new catalog from the journal; what was decided stays decided."""
        with self._runner(ctx.tenant).lock, self._lock:
            self._runners.pop(ctx.tenant)
            self._runner(ctx.tenant)
        self._wake.set()

    def step(self) -> bool:
        """One pass over all tenants in the caller's thread (the worker's work): apply, deploy, tick. True if anything
        was done."""
        self._recover()
        busy = [self._pass(runner) for runner in self._all()]
        return any(busy)

    def settle(self, timeout: float = 30.0) -> None:
        """Return when everything journalled so far has been applied and decided.

        Raises:
            Unavailable: it was not within `timeout` seconds.
        """
        if self._worker is None:
            while self.step():
                pass
            return
        pause = threading.Event()
        for _ in range(max(1, int(timeout / 0.005))):
            if all(self._settled(runner) for runner in self._all()):
                return
            self._wake.set()
            pause.wait(0.005)
        raise Unavailable(Text("引擎尚未处理完", "the engine has not caught up"))

    def _work(self) -> None:
        while True:
            self._wake.wait(_POLL)
            self._wake.clear()
            last = self._stopping
            for runner in self._all():
                self._guard(runner.ctx.tenant, partial(self._drain, runner))
            self._guard(None, partial(self.sinks.keep_up, self._clock.now()))
            if last:
                return

    def _guard(self, tenant: TenantId | None, work: Callable[[], None]) -> None:
        """Whatever goes wrong (a full disk, a bug): what was acknowledged is on disk. Say so, and go on."""
        try:
            work()
        except Exception:
            self.counters.errors += 1
            _log.exception("engine_pass_failed", tenant=tenant)
            threading.Event().wait(_BACK_OFF)

    def _drain(self, runner: TenantRunner) -> None:
        while self._pass(runner):
            pass

    def _save(self, runner: TenantRunner) -> None:
        with runner.lock:
            runner.save_snapshot()

    def _pass(self, runner: TenantRunner) -> bool:
        """Drain the journal, then bring strategies and time up to date, which journals the steps it takes."""
        busy = False
        while self._step_one(runner):
            busy = True
        with runner.lock:
            if self._runners.get(runner.ctx.tenant) is not runner:
                return False
            return self._sync(runner) or self._tick(runner) or busy

    def _step_one(self, runner: TenantRunner) -> bool:
        with runner.lock:
            if self._runners.get(runner.ctx.tenant) is not runner:
                return False
            before = runner.firings
            moved = runner.step()
            self.counters.firings += runner.firings - before
            return moved

    def _sync(self, runner: TenantRunner) -> bool:
        """Journal what it takes to run the strategies that are to run."""
        tenant, now = runner.ctx.tenant, self._clock.now()
        if now - self._synced.get(tenant, Micros(0)) < _RESYNC:
            return False
        self._synced[tenant] = now
        with self._db.reading() as session:
            wanted = StrategyRepository(session, tenant).numbers(RUNNING)
        known = {**runner.deployed, **runner.undeployable}
        for name in sorted(set(known) - set(wanted)):
            self.journal.control(tenant, Kind.RETIRE, name, now, {})
        changed = [name for name, version in wanted.items() if known.get(name) != version]
        for name in changed:
            self.journal.control(tenant, Kind.DEPLOY, name, now, {"version": wanted[name]})
        return bool(changed or set(known) - set(wanted))

    def _tick(self, runner: TenantRunner) -> bool:
        """Journal a move of time if something waits for it. Without need there is no tick, so journals stay short."""
        tenant, due = runner.ctx.tenant, runner.engine.next_due()
        to = self.journal.event_clock(tenant, self._arrivals.now(tenant))
        if due is None or due > to:
            return False
        last_to, last_due = self._ticked.get(tenant, (Micros(0), None))
        if to - last_to < (SECOND if last_due == due else _TICK_STEP):
            return False
        self._ticked[tenant] = (to, due)
        self.journal.control(tenant, Kind.TICK, "", to, {})
        self.counters.ticks += 1
        return True

    def _settled(self, runner: TenantRunner) -> bool:
        with runner.lock, self._db.reading() as session:
            tenant = runner.ctx.tenant
            end = JournalRepository(session, tenant).last_seq()
            return tenant in self._synced and runner.idle and runner.applied_seq == end

    # Looking

    def why_not(self, ctx: RequestContext, asked: Asked) -> WhyNot:
        """Why a strategy has not fired for a subject; errors as in `strategy.whynot.why_not`."""
        runner = self._runner(ctx.tenant)
        with runner.lock:
            engine = runner.engine
            running = Running(runner.catalog, engine.watermark, dict(runner.deployed), engine.look)
            if asked.at is None and asked.version is None:
                return why_not(self._db, ctx, running, asked)
        return why_not(self._db, ctx, running, asked)

    def aside(
        self, ctx: RequestContext, *, before: int | None = None, limit: int = 100, reason: str | None = None
    ) -> list[SetAsideRow]:
        """Inputs kept aside (rejected, late, undecided, not_kept), newest first; `before` (a row's seq) pages on."""
        return self.journal.aside(ctx, before=before, limit=limit, reason=reason)

    def stats(self) -> dict[TenantId, TenantStats]:
        """Where each tenant's engine stands; counts since the start are in `counters`."""
        found = {}
        for runner in self._all():
            with runner.lock:
                found[runner.ctx.tenant] = TenantStats(
                    runner.engine.watermark,
                    runner.engine.next_due(),
                    runner.applied_seq,
                    dict(runner.deployed),
                    dict(runner.undeployable),
                )
        return found

    def _all(self) -> list[TenantRunner]:
        with self._lock:
            return list(self._runners.values())

    def _recover(self) -> None:
        with self._db.reading() as session:
            tenants = journalled_tenants(session)
        for tenant in tenants:
            self._runner(tenant)

    def _runner(self, tenant: TenantId) -> TenantRunner:
        with self._lock:
            if tenant not in self._runners:
                ctx = RequestContext(tenant, "engine", Role.ADMIN, Purpose.OPERATIONS)
                runner = TenantRunner(
                    self._db,
                    self._clock,
                    ctx,
                    self._catalog(ctx),
                    self._decider,
                    self._lateness,
                    self._snapshot_every,
                    self._backend,
                )
                runner.recover()
                self._runners[tenant] = runner
                self.sinks.catch_up(ctx)
            return self._runners[tenant]
