"""The hub's parts, opened in order and closed in the opposite one. Nothing else constructs services; what takes long to
load (embeddings, agents) is a `Room` that is warmed up behind the start."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog

from app import figures
from app.agents_room import load_supervisor, sentence_reader
from app.auth import Keys
from app.channels import address_book, open_channels
from app.demo_world import history_is_missing, load_demo_world
from app.examples import examples
from app.graphs import open_graph
from app.likeness import offline_likeness
from app.lock import DataLock
from app.metrics import Metrics
from app.migrations import migrate
from app.pace import Pace
from app.privacy import Privacy
from app.retention import Retention
from app.rooms import Room
from app.settings import Settings
from app.sources import Sources
from app.suggested import templates_for
from app.telemetry import start_tracing
from app.tickets import Tickets
from core import audit
from core.clock import Clock, SystemClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import Unavailable
from core.events import Input
from core.text import Text
from knowledge.catalog import Catalog, load_catalog
from knowledge.governance import Policy, audit_refusals
from knowledge.graph import Follower, GraphService
from knowledge.health import GraphHealth
from knowledge.identity.service import IdentityService
from strategy.budget import Budget
from strategy.cards import CardService
from strategy.delivery.decider import Decider
from strategy.delivery.outbox import OutboxWorker
from strategy.delivery.service import DeliveryService
from strategy.engines import backend_of
from strategy.histories import Histories
from strategy.language.lexicon import names_of
from strategy.live import LiveEngine
from strategy.reading import SentenceReader
from strategy.replay_jobs import ReplayJobs
from strategy.service import StrategyService
from strategy.tables import RUNNING, State
from strategy.versions import Change

if TYPE_CHECKING:
    from knowledge.retrieval import Retriever

_log = structlog.get_logger("hub")
_OUTBOX_POLL = 0.1
"""Seconds between looks at the outbox: with the default lateness, a customer hears within 3 s of the event."""
_RESULTS = ("accepted", "duplicates", "late", "rejected")


class Hub:
    """One running hub on one data folder. Use as a context manager, or call `close`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.started = clock.now()
        self.metrics = Metrics()
        self.page_secret = secrets.token_bytes(32)
        self.owner_token = secrets.token_urlsafe(32)
        """Opens the API as admin to the process that runs the hub; never stored, gone when it ends."""
        self._exit = ExitStack()
        self._engine_runs = threading.Event()
        self._closing = False

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Hub:
        """Open everything that answers at once; heavy rooms load when they are first asked for (or by `warm_up`).

        Raises:
            Conflict: another hub uses the data folder. Refused: the store is from a newer version. InvalidInput: the
            catalog cannot be used.
        """
        hub = cls(settings, clock or SystemClock())
        try:
            hub._open()
        except BaseException:
            hub.close()
            raise
        return hub

    def _open(self) -> None:
        settings, closing = self.settings, self._exit
        self.lock = DataLock(settings.data_dir)
        closing.callback(self.lock.release)
        closing.callback(start_tracing(settings))
        self.database = Database(settings.store_url)
        closing.callback(self.database.close)
        if applied := migrate(self.database):
            _log.info("migrated", revisions=applied)
        self.keys = Keys(self.database, self.clock)
        self.policy = Policy(audit_refusals(self.database, self.clock))
        self.catalog = self._load_catalog()
        self._open_graph()
        self._open_strategies()
        self.tickets = Tickets(self.database, self.clock)
        self.retriever = Room("retrieval", Text("检索", "search"), self._load_retriever)
        self.supervisor = Room("agents", Text("智能体", "agents"), lambda: load_supervisor(self))
        self.sources = Sources(self)
        self.privacy = Privacy(self)
        self.retention = Retention(self)
        closing.callback(self.retention.stop)
        self.retention.start()
        self.records = Room("identity", Text("身份", "identity"), lambda: self.identity.load(self.context()))
        self.demo = Room("demo", Text("演示数据", "demo world"), lambda: load_demo_world(self))
        self._watch()

    def _open_graph(self) -> None:
        self.graph_store = open_graph(self.settings, self.database, self.clock, lambda: self.catalog)
        self._exit.callback(self.graph_store.close)
        self.graph = GraphService(self.graph_store, self.policy.check)
        self.identity = IdentityService(self.database, self.clock, self.graph, lambda: self.catalog)
        embedded = self.database if self.settings.graph == "sqlite" else None
        self.health = GraphHealth(embedded, self.clock, lambda: self.catalog, self.policy.check)

    def _open_strategies(self) -> None:
        """Strategies, the live engine and delivery. Closing: the engine drains what was acknowledged and keeps a
        snapshot; then the outbox finishes the message at hand, the rest stays queued on disk."""
        database, clock, settings = self.database, self.clock, self.settings
        self.likeness = offline_likeness()
        self.channels = open_channels(settings, database, clock)
        self.delivery = DeliveryService(database, clock)
        self.strategies = StrategyService(
            database, clock, lambda ctx: self.catalog, Budget(settings.engine_state_budget), self._reader()
        )
        self.cards = CardService(database, clock, lambda ctx: self.catalog, self.strategies, templates_for(settings))
        self.decider = Decider(lambda ctx: self.catalog, clock, self.channels, address_book(self.graph_store))
        self.live = LiveEngine(
            database,
            clock,
            lambda ctx: self.catalog,
            self.decider,
            lateness=settings.lateness,
            backend=backend_of(settings.engine, settings.engine_memory, settings.data_dir),
            sinks=[self._tell_graph, *([self.identity.sink] if settings.identity else ())],
        )
        self.histories = Histories(settings.data_dir / "histories", clock)
        self.replays = ReplayJobs(database, clock, lambda ctx: self.catalog, self.strategies, self.histories)
        self.pace = Pace(clock, lambda: self.live.counters.accepted)
        self.strategies.listeners.append(self.live.strategy_changed)
        self.strategies.listeners.append(self._call_off)
        self.outbox = OutboxWorker(database, clock, self.channels, poll=_OUTBOX_POLL)
        self.outbox.start()
        self._exit.callback(self.replays.close)
        self._exit.callback(self.outbox.stop)
        self._exit.callback(self.live.stop)
        self.derived = Follower(self.graph_store, self.context(), clock, self.live.accept_inputs)
        self.graph_store.listeners.append(lambda ctx: self.derived.wake())
        self._exit.callback(self.derived.stop)
        if not (settings.demo and history_is_missing(self)):
            self.start_engine()

    def _reader(self) -> SentenceReader:
        """A model that reads is shown the pack's own sentences, if the pack is used."""

        def own() -> list[Text]:
            from knowledge.packs import retail

            return [] if self.settings.catalog else [one.sentence for one in retail.strategies()]

        return sentence_reader(self.settings, self.clock, own, self.likeness)

    def start_engine(self) -> None:
        """Let the engine run and live events in. The demo world's history has to be in the journal before: anything
        current ends its time, and what is older comes too late."""
        if not (self._engine_runs.is_set() or self._closing):
            self.live.start()
            self.derived.start()
            self._engine_runs.set()

    def running_engine(self, patience: float = 60.0) -> LiveEngine:
        """The engine once it runs.

        Raises:
            Unavailable: the demo world's history is still being loaded.
        """
        if not self._engine_runs.wait(patience):
            raise Unavailable(Text("演示数据的历史还在载入", "the demo world's history is still being loaded"))
        return self.live

    def _tell_graph(self, ctx: RequestContext, inputs: Sequence[Input]) -> None:
        """What was accepted enters the graph by the hub's own right: its sender was allowed to send it."""
        GraphService(self.graph_store).sink(replace(ctx, role=Role.ADMIN, purpose=Purpose.OPERATIONS), inputs)

    def _call_off(self, ctx: RequestContext, change: Change) -> None:
        if change.after in (State.PAUSED, State.RETIRED) and change.before in RUNNING:
            self.delivery.call_off(ctx, change.name)

    def _watch(self) -> None:
        """Gauges that Prometheus reads from where the numbers live."""
        metrics, counters, database = self.metrics, self.live.counters, self.database

        def inputs() -> dict[str, float]:
            return {name: getattr(counters, name) for name in _RESULTS}

        metrics.count("zhongshu_inputs", "events, facts and relations, by what became of them", "result", inputs)
        metrics.count("zhongshu_firings", "decided firings", "strategy", lambda: figures.all_firings(database))
        metrics.count("zhongshu_decisions", "decisions", "verdict", lambda: figures.all_decisions(database))
        metrics.watch("zhongshu_outbox_depth", "messages waiting to go out", lambda: figures.waiting(database))

    def _load_catalog(self) -> Catalog:
        if self.settings.catalog:
            loaded = load_catalog(self.settings.catalog)
            for warning in loaded.warnings:
                _log.warning("catalog", said=warning.say(self.settings.lang))
            return loaded.catalog
        from knowledge.packs import retail

        return retail.catalog().catalog

    def _load_retriever(self) -> Retriever:
        from knowledge.retrieval import Retriever, use_embedder

        retriever = Retriever(use_embedder(), self.settings.data_dir / "index", self._record)
        self._exit.callback(retriever.close)
        retriever.warm(self.context())
        self.likeness.learn(names_of(self.catalog))  # so that the first unknown word of a sentence does not wait
        return retriever

    def _record(self, ctx: RequestContext, action: str, target: str, detail: dict[str, Any]) -> None:
        with self.database.transaction() as session:
            audit.record(session, ctx, self.clock, action, target, detail)

    @property
    def examples(self) -> dict[str, Any]:
        """What the start page suggests to try."""
        return examples(self.settings, self.catalog)

    @property
    def rooms(self) -> list[Room[Any]]:
        """The heavy parts, in the order in which they are warmed up."""
        parts: list[Room[Any]] = [self.retriever, self.supervisor]
        if self.settings.identity:
            parts.append(self.records)
        return [self.demo, *parts] if self.settings.demo else parts

    def context(self, purpose: Purpose = Purpose.OPERATIONS) -> RequestContext:
        """The hub itself acting for this install's tenant."""
        return RequestContext(self.settings.tenant_id, "system", Role.ADMIN, purpose, self.settings.lang)

    def warm_up(self) -> None:
        """Load the heavy rooms in a thread of its own; requests that need one meanwhile wait for it."""
        threading.Thread(target=self._warm, name="warm-up", daemon=True).start()

    def _warm(self) -> None:
        for room in self.rooms:
            try:
                room.get()
            except Exception:
                _log.warning("warm-up", room=room.name)

    def first_admin_key(self) -> str | None:
        """On the first start a new admin key, also left in `admin.key` (readable by this user only); else None."""
        text = self.keys.first_admin(self.context())
        if text:
            path = self.settings.admin_key_file
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text + "\n")
        return text

    def at_close(self, step: Callable[[], None]) -> None:
        """Do `step` when the hub closes, before what was opened earlier is closed."""
        self._exit.callback(step)

    def close(self) -> None:
        """Stop in the order opposite to opening: no new work, drain, snapshot, then the stores."""
        self._closing = True
        self._exit.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *exc: tuple[type[BaseException] | None, BaseException | None, TracebackType | None]) -> None:
        self.close()
