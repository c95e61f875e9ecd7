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
from strategy.document import Strategy, texts_of
from strategy.engine.port import BeyondColumns, EngineBackend, EngineFactory, Firing, Outcome, SetAside
from strategy.engine.python import PythonEngine
from strategy.journal import aside_row, input_from
from strategy.repository import JournalEntry, JournalRepository, StrategyRepository
from strategy.tables import Kind, SnapshotRow
from strategy.versions import version_of

BATCH = 1_000
"""Journal rows applied and decided at a time."""
_TRIES = 3
_FORMAT = 2
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
        backend: EngineFactory = PythonEngine,
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
        self._backend = backend
        self._poison: set[int] = set()
        """Rows since the snapshot on which the engine broke; it is never given them again."""
        self._left_out: set[int] = set()
        """Such rows from before it: new strategies do not read them either."""
        self._repeating = False
        self._history_from: Micros | None = None
        self.engine: EngineBackend = self._fresh()

    def recover(self) -> None:
        """Restore the snapshot if it is of this catalog, then repeat the journal up to what was decided, silently."""
        with span("engine.recover", tenant=self.ctx.tenant), self._db.reading() as session:
            repository = JournalRepository(session, self.ctx.tenant)
            stored = repository.snapshot()
            self._left_out = repository.left_out()
            since = repository.history_from()
            self._history_from = None if since is None else Micros(since)
            # Last: for a new tenant this makes a row, which a further query would try to write in a reading session.
            self._decided_seq = repository.position().decided_seq
        self._begin(stored)
        while self.applied_seq < self._decided_seq and self.step():
            pass

    def _begin(self, stored: SnapshotRow | None) -> None:
        """A fresh engine, with the snapshot's state if there is one for it."""
        self.engine = self._fresh()
        self.applied_seq, self.deployed, self.undeployable = 0, {}, {}
        if stored is None or stored.fingerprint != self._fingerprint():
            return
        try:
            self.engine.restore(stored.body)
        except (ZhongshuError, KeyError, TypeError, ValueError):
            # The journal holds everything: a snapshot that cannot be read only costs time.
            _log.exception("snapshot_not_restored", tenant=self.ctx.tenant)
            self.engine = self._fresh()
            return
        self.applied_seq = self._snapshot_seq = stored.seq
        self.deployed = dict(stored.deployed)

    def _fresh(self) -> EngineBackend:
        """An engine that knows when history began, although the journal may no longer have its earliest events."""
        catalog, since = self.catalog, self._history_from
        if since is not None and catalog.history_from is None:
            catalog = catalog.model_copy(update={"history_from": since})
        return self._backend(catalog, self._lateness)

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
        self._left_out |= self._poison
        self._poison.clear()  # none of it is in what was kept

    @property
    def idle(self) -> bool:
        """Nothing waits to be committed."""
        return not self._waiting

    def _fingerprint(self) -> str:
        settings = f"{_FORMAT}/{type(self.engine).__name__}/{self._lateness}/{self.catalog.model_dump_json()}"
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
        """Give the engine inputs or a tick. Should it break, it begins again just before them and takes one instant
        after another; what it breaks on is set aside, now and at every restart, and the rest goes on."""
        rows = [row for row in rows if row.seq not in self._poison]
        try:
            if rows:
                self._keep(self._give(rows), rows[0])
        except BeyondColumns as beyond:
            self._take_over(beyond, rows[0].seq)
            self._advance(rows)
        except Exception:
            _log.exception("engine_broke", tenant=self.ctx.tenant, first=rows[0].seq, last=rows[-1].seq)
            self._repeat(rows[0].seq)
            for row in rows:
                self._carefully(row)

    def _take_over(self, beyond: BeyondColumns, before_seq: int) -> None:
        """From here on the Python matcher, which keeps any value, brought to where the other one was."""
        _log.warning("engine_changed", tenant=self.ctx.tenant, strategies=beyond.strategies, to="python")
        self._backend = PythonEngine
        self._repeat(before_seq)

    def _give(self, rows: Sequence[JournalEntry]) -> Outcome:
        first = rows[0]
        if first.kind == Kind.TICK:
            return self.engine.advance(Micros(first.time))
        return self.engine.ingest([*map(input_from, rows)])

    def _carefully(self, row: JournalEntry) -> None:
        """One row, before which every instant that it closes is gone through by itself: it is the inputs of the instant
        on which the engine breaks that are at fault, not the row that brought it there."""
        closes = row.time if row.kind == Kind.TICK else row.time - self._lateness - 1 if row.kind == Kind.EVENT else -1
        outcomes: list[Outcome] = []
        while row.seq not in self._poison:
            due = self.engine.next_due()
            waits = due is not None and due <= closes
            try:
                outcomes.append(self.engine.advance(due) if due is not None and waits else self._give([row]))
            except BeyondColumns as beyond:
                self._take_over(beyond, row.seq)
                outcomes.clear()
            except Exception as error:
                fault = self._at_fault(due, row.seq) if due is not None and waits else [row]
                if not fault and self.engine.next_due() != due:  # a timer broke, and is gone
                    self._tell_unapplied([row], row, error)
                    continue
                self._poison.update(found.seq for found in fault or [row])
                self._tell_unapplied(fault or [row], row, error)
                self._repeat(row.seq)
                outcomes.clear()
            else:
                if not waits:
                    break
        for outcome in outcomes:
            self._keep(outcome, row)
        self.applied_seq = row.seq

    def _tell_unapplied(self, poison: Sequence[JournalEntry], row: JournalEntry, error: Exception) -> None:
        if self._is_new(row) and not self._repeating:
            self._waiting.aside += [self._unapplied(found, error) for found in poison]

    def _at_fault(self, due: Micros, before_seq: int) -> list[JournalEntry]:
        """Those inputs of an instant without which the engine gets past it."""
        with self._db.reading() as session:
            found = JournalRepository(session, self.ctx.tenant).inputs_at(due, before_seq)
        suspects = [row for row in found if row.seq not in self._poison]

        def passes(left_out: Sequence[JournalEntry]) -> bool:
            known = set(self._poison)
            self._poison.update(row.seq for row in left_out)
            try:
                self._repeat(before_seq)
                while (at := self.engine.next_due()) is not None and at <= due:
                    self.engine.advance(at)
            except Exception:
                return False
            finally:
                self._poison = known
            return True

        def search(rows: list[JournalEntry], others: list[JournalEntry]) -> list[JournalEntry]:
            if len(rows) < 2:
                return rows
            one, two = rows[: len(rows) // 2], rows[len(rows) // 2 :]
            if passes(others + one):
                return search(one, others)
            if passes(others + two):
                return search(two, others)
            return search(one, others + two) + search(two, others + one)

        return search(suspects, [])

    def _repeat(self, before_seq: int) -> None:
        """The engine as it was before a row of the journal, from the snapshot (if no poison is in it) and the rows
        since; what they led to is known."""
        with self._db.reading() as session:
            repository = JournalRepository(session, self.ctx.tenant)
            stored = repository.snapshot()
            self._begin(stored if stored is not None and stored.seq < min(self._poison, default=before_seq) else None)
            outer, self._repeating = self._repeating, True
            try:
                while rows := repository.between(self.applied_seq, before_seq, BATCH):
                    for _, group in groupby(rows, key=self._kind_of):
                        self._apply(list(group))
            finally:
                self._repeating = outer

    def _keep(self, outcome: Outcome, row: JournalEntry) -> None:
        """What is to be committed: nothing of rows that were decided before, no firings of history."""
        if self._repeating or not self._is_new(row):
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
            except Exception:
                _log.exception("strategy_not_deployed", strategy=name, version=version)
            self.undeployable[name] = version

    def _history(self, session: Session, before_seq: int, strategy: Strategy) -> Iterator[Input]:
        """The events a new strategy reads, up to now. Facts and relations the engine knows already."""
        mark = self.engine.watermark
        if mark is not None:
            types = texts_of(strategy.model_dump(mode="json"))
            metrics = [metric.ratio for name, metric in self.catalog.metrics.items() if name in types]
            types |= {event for ratio in metrics for event in (ratio.of, ratio.per)}
            repository = JournalRepository(session, self.ctx.tenant)
            left_out = self._poison | self._left_out
            rows = repository.history(before_seq, mark, sorted(types))
            yield from (input_from(row) for row in rows if row.seq not in left_out)

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
        return aside_row("undecided", ZhongshuError(text, where={"record": row.seq}), row._asdict(), self._clock.now())

    def _undecided(self, firing: Firing, error: Exception) -> dict[str, Any]:
        _log.error("firing_not_decided", firing=firing.key, error=repr(error))
        text = Text(f"触发 {firing.key} 无法决策：{error}", f"firing {firing.key} could not be decided: {error}")
        return aside_row("undecided", ZhongshuError(text), firing, self._clock.now())
