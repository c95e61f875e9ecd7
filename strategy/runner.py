"""One tenant's engine on its journal: recovery, applying rows in order, and committing decisions together with the
position they bring the engine to. What the journal says is all that matters; the clock is not asked here."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput, ZhongshuError
from core.events import Input
from core.telemetry import span
from core.text import Text
from core.times import Micros, format_time
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.port import EngineBackend, Firing, Outcome, SetAside
from strategy.engine.python import PythonEngine
from strategy.journal import aside_row, input_from
from strategy.repository import JournalEntry, JournalRepository, StrategyRepository
from strategy.service import version_of
from strategy.tables import Kind, SnapshotRow

BATCH = 1_000
"""Journal rows applied and decided at a time."""
_TRIES = 3
_FORMAT = 1
"""Raised when the engine's behaviour or its snapshots change: older snapshots are then rebuilt from the journal."""

_log = structlog.get_logger(__name__)


class FiringDecider(Protocol):
    """Decides a firing in the caller's transaction; deciding the same firing again changes nothing."""

    def decide(self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy) -> object: ...


@dataclass(slots=True)
class _Waiting:
    """What the engine has made of the journal and no transaction holds yet."""

    firings: list[Firing] = field(default_factory=list)
    aside: list[dict[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.firings or self.aside)


class TenantRunner:
    """Not thread-safe by itself: `lock` is held by whoever touches the engine."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ctx: RequestContext,
        catalog: Catalog,
        decider: FiringDecider,
        lateness: int,
        snapshot_every: int,
    ) -> None:
        self.ctx = ctx
        self.catalog = catalog
        self.lock = threading.RLock()
        self.applied_seq = 0
        self.deployed: dict[str, int] = {}
        self.undeployable: dict[str, int] = {}
        self.firings = 0
        self._db = db
        self._clock = clock
        self._decider = decider
        self._lateness = lateness
        self._snapshot_every = snapshot_every
        self._snapshot_seq = 0
        self._decided_seq = 0
        self._waiting = _Waiting()
        self._failures = 0
        self.engine: EngineBackend = PythonEngine(catalog, lateness)

    def recover(self) -> None:
        """Restore the snapshot if it is of this catalog, then repeat the journal up to what was decided, silently."""
        with span("engine.recover", tenant=self.ctx.tenant), self._db.reading() as session:
            repository = JournalRepository(session, self.ctx.tenant)
            stored = repository.snapshot()
            # Last: for a new tenant this makes a row, which a further query would try to write in a reading session.
            self._decided_seq = repository.position().decided_seq
        if stored is not None and stored.fingerprint == self._fingerprint():
            self._restore(stored)
        while self.applied_seq < self._decided_seq and self.step():
            pass

    def _restore(self, stored: SnapshotRow) -> None:
        try:
            self.engine.restore(stored.body)
        except (ZhongshuError, KeyError, TypeError, ValueError):
            # The journal holds everything: a snapshot that cannot be read only costs time.
            _log.exception("snapshot_not_restored", tenant=self.ctx.tenant)
            self.engine = PythonEngine(self.catalog, self._lateness)
            return
        self.applied_seq = self._snapshot_seq = stored.seq
        self.deployed = dict(stored.deployed)

    def step(self) -> bool:
        """Apply the next rows of the journal and commit what they lead to; False when there are none.

        A failed commit is raised after the engine has moved on; the next call then commits that outcome first.
        """
        self._commit()
        with self._db.reading() as session:
            rows = JournalRepository(session, self.ctx.tenant).after(self.applied_seq, BATCH)
        if not rows:
            return False
        with span("engine.ingest", rows=len(rows)):
            for _, group in groupby(rows, key=self._kind_of):
                self._apply(list(group))
        self._commit()
        if self.applied_seq - self._snapshot_seq >= self._snapshot_every:
            self.save_snapshot()
        return True

    def save_snapshot(self) -> None:
        """Keep the engine's state, so that recovery starts here."""
        self._commit()
        if self.applied_seq == self._snapshot_seq:
            return
        with span("engine.snapshot"), self._db.transaction() as session:
            repository = JournalRepository(session, self.ctx.tenant)
            repository.save_snapshot(
                SnapshotRow(
                    tenant=self.ctx.tenant,
                    seq=self.applied_seq,
                    fingerprint=self._fingerprint(),
                    body=self.engine.snapshot(),
                    deployed=dict(self.deployed),
                    taken_at=self._clock.now(),
                )
            )
            repository.position().decided_seq = self.applied_seq
        self._snapshot_seq = self._decided_seq = self.applied_seq

    @property
    def idle(self) -> bool:
        """Nothing waits to be committed."""
        return not self._waiting

    def _fingerprint(self) -> str:
        settings = f"{_FORMAT}/{self._lateness}/{self.catalog.model_dump_json()}"
        return hashlib.sha256(settings.encode()).hexdigest()

    def _kind_of(self, row: JournalEntry) -> tuple[str, bool, bool]:
        """Rows of one kind are applied in one call; inputs of any kind go together, each step by itself."""
        step = f"{row.kind} {row.seq}" if row.kind in (Kind.TICK, Kind.DEPLOY, Kind.RETIRE) else "input"
        return step, row.backfill, self._is_new(row)

    def _is_new(self, row: JournalEntry) -> bool:
        return row.seq > self._decided_seq

    def _apply(self, rows: Sequence[JournalEntry]) -> None:
        first = rows[0]
        if first.kind == Kind.DEPLOY:
            self._deploy(first)
        elif first.kind == Kind.RETIRE:
            self.deployed.pop(first.type, None)
            self.undeployable.pop(first.type, None)
            self.engine.retire(first.type)
        else:
            self._advance(rows)
        self.applied_seq = rows[-1].seq

    def _advance(self, rows: Sequence[JournalEntry]) -> None:
        """Give the engine inputs or a tick. Should it break on one, the tenant goes on with the rest, now and at every
        restart; the log says so, and what was set aside."""
        first = rows[0]
        try:
            tick = first.kind == Kind.TICK
            outcome = self.engine.advance(Micros(first.time)) if tick else self.engine.ingest([*map(input_from, rows)])
        except Exception as error:
            _log.exception("engine_broke", tenant=self.ctx.tenant, first=first.seq, last=rows[-1].seq)
            if len(rows) > 1:
                for row in rows:
                    self._advance([row])
            elif self._is_new(first):
                self._waiting.aside.append(self._unapplied(first, error))
        else:
            self._keep(outcome, first)

    def _keep(self, outcome: Outcome, row: JournalEntry) -> None:
        """What is to be committed: nothing of rows that were decided before, no firings of history."""
        if not self._is_new(row):
            return
        if not row.backfill:
            self._waiting.firings += outcome.firings
        self._waiting.aside += [self._aside(aside) for aside in outcome.set_aside]

    def _deploy(self, row: JournalEntry) -> None:
        name, version = row.type, int(row.body["version"])
        self.deployed.pop(name, None)
        with span("engine.deploy", strategy=name, version=version), self._db.reading() as session:
            found = version_of(StrategyRepository(session, self.ctx.tenant), name, version)
            try:
                if found is not None:
                    self.engine.deploy(found.strategy, version, self._history(session, row.seq, found.strategy))
                    self.deployed[name] = version
                    self.undeployable.pop(name, None)
                    return
            except ZhongshuError as error:
                _log.error("strategy_not_deployed", strategy=name, version=version, error=error.say("en"))
            self.undeployable[name] = version

    def _history(self, session: Session, before_seq: int, strategy: Strategy) -> Iterator[Input]:
        """The events a new strategy reads, up to now. Facts and relations the engine knows already."""
        mark = self.engine.watermark
        if mark is not None:
            types = _mentioned(strategy.model_dump(mode="json"))
            metrics = [metric.ratio for name, metric in self.catalog.metrics.items() if name in types]
            types |= {event for ratio in metrics for event in (ratio.of, ratio.per)}
            repository = JournalRepository(session, self.ctx.tenant)
            yield from map(input_from, repository.history(before_seq, mark, sorted(types)))

    def _commit(self) -> None:
        """Decisions, what was set aside and the engine's position in one transaction.

        A firing that keeps failing by itself is set aside as undecided, so that it cannot hold up the others.
        """
        waiting = self._waiting
        if not waiting:
            return
        try:
            with span("engine.commit", firings=len(waiting.firings)), self._db.transaction() as session:
                repository = JournalRepository(session, self.ctx.tenant)
                repository.set_aside(waiting.aside)
                running = self._documents(session, waiting.firings)
                for firing in waiting.firings:
                    strategy = running[firing.strategy, firing.version]
                    if self._failures < _TRIES:
                        self._decider.decide(session, self.ctx, firing, strategy)
                    elif (error := self._try_to_decide(session, firing, strategy)) is not None:
                        repository.set_aside([self._undecided(firing, error)])
                repository.position().decided_seq = self.applied_seq
        except OperationalError:
            raise  # the database is busy or full: not the firing's fault
        except Exception:
            self._failures += 1
            raise
        self.firings += len(waiting.firings)
        self._decided_seq, self._failures, self._waiting = self.applied_seq, 0, _Waiting()

    def _documents(self, session: Session, firings: Sequence[Firing]) -> dict[tuple[str, int], Strategy]:
        """The documents that fired, with the shares they run for as of now."""
        repository = StrategyRepository(session, self.ctx.tenant)
        found = {}
        for name, version in {(firing.strategy, firing.version) for firing in firings}:
            stored = version_of(repository, name, version)
            if stored is None:
                raise LookupError(f"no version {version} of strategy {name!r}")
            found[name, version] = stored.effective
        return found

    def _try_to_decide(self, session: Session, firing: Firing, strategy: Strategy) -> Exception | None:
        try:
            with session.begin_nested():
                self._decider.decide(session, self.ctx, firing, strategy)
        except OperationalError:
            raise
        except Exception as error:
            return error
        return None

    def _aside(self, aside: SetAside) -> dict[str, Any]:
        what, at = aside.input, format_time(aside.input.time)
        text = Text(f"引擎搁置 {at} 的输入：{aside.reason}", f"the engine set the input of {at} aside: {aside.reason}")
        return aside_row(aside.reason, InvalidInput(text), what, self._clock.now())

    def _unapplied(self, row: JournalEntry, error: Exception) -> dict[str, Any]:
        text = Text(f"引擎处理第 {row.seq} 条记录时出错：{error}", f"the engine broke at record {row.seq}: {error}")
        return aside_row("undecided", ZhongshuError(text), row._asdict(), self._clock.now())

    def _undecided(self, firing: Firing, error: Exception) -> dict[str, Any]:
        _log.error("firing_not_decided", firing=firing.key, error=repr(error))
        text = Text(f"触发 {firing.key} 无法决策：{error}", f"firing {firing.key} could not be decided: {error}")
        return aside_row("undecided", ZhongshuError(text), firing, self._clock.now())


def _mentioned(part: Any) -> set[str]:
    """Every text in a document: among them are all event types and metrics it reads."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return set().union(*map(_mentioned, part))
    return {part} if isinstance(part, str) else set()
