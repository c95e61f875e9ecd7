"""A small hub for the live tests, with a decider that writes down every firing it is given (twice if given twice)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

import strategy.tables  # noqa: F401  # so that create_tables knows them
from core.clock import Clock, ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.times import SECOND, format_time, parse_time
from knowledge.catalog import Catalog, load_catalog
from strategy.document import Strategy
from strategy.engine.port import EngineFactory, Firing
from strategy.engine.python import PythonEngine
from strategy.live import LiveEngine
from strategy.service import StrategyService
from strategy.sinks import Sink

NOW = parse_time("2026-05-01T12:00:00Z")
CTX = system_context()
CATALOG = load_catalog(Path(__file__).parents[1] / "data" / "catalog.yaml").catalog


class Recorder:
    """Writes each firing in the caller's transaction; fails as often as it is told to."""

    def __init__(self, db: Database) -> None:
        self.fail = 0
        self.poison = ""
        with db.transaction() as session:
            session.execute(
                text("CREATE TABLE IF NOT EXISTS fired (tenant TEXT, firing TEXT, at INTEGER, percent REAL)")
            )

    def decide(self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy) -> None:
        if self.fail > 0:
            self.fail -= 1
            raise RuntimeError("the decider broke")
        if firing.subject == self.poison:
            raise RuntimeError("this one always breaks")
        row = {"t": ctx.tenant, "f": firing.key, "a": firing.at, "p": strategy.rollout.percent}
        session.execute(text("INSERT INTO fired VALUES (:t, :f, :a, :p)"), row)


class LiveHub:
    """`live.step` and `settle` run in the test's own thread unless `live.start` is called."""

    def __init__(
        self,
        folder: Path,
        clock: Clock | None = None,
        *,
        lateness: int = SECOND,
        sinks: Sequence[Sink] = (),
        snapshot_every: int = 20_000,
        catalog: Catalog = CATALOG,
        backend: EngineFactory = PythonEngine,
    ) -> None:
        self.db = Database(f"sqlite:///{folder / 'hub.db'}")
        self.db.create_tables()
        self.catalog = catalog
        self.clock = clock or ManualClock(NOW)
        self.service = StrategyService(self.db, self.clock, lambda ctx: self.catalog)
        self.decider = Recorder(self.db)
        self.live = LiveEngine(
            self.db,
            self.clock,
            lambda ctx: self.catalog,
            self.decider,
            lateness=lateness,
            sinks=sinks,
            snapshot_every=snapshot_every,
            backend=backend,
        )
        self.service.listeners.append(self.live.strategy_changed)

    def run(self, document: dict[str, Any], percent: float = 100, ctx: RequestContext = CTX) -> None:
        """Draft and approve a strategy, and let the engine deploy it."""
        found = self.service.draft(ctx, document=document)
        self.service.approve(ctx, found.name, 1, percent=percent)
        self.live.settle()

    def move(self, to: int) -> None:
        """Set the clock and let the engine do what is due."""
        assert isinstance(self.clock, ManualClock)
        self.clock.set(to)
        self.live.settle()

    def fired(self, ctx: RequestContext = CTX) -> list[tuple[str, int]]:
        """(firing key, at) in the order of decision; a double decision shows twice."""
        with self.db.reading() as session:
            query = text("SELECT firing, at FROM fired WHERE tenant = :t ORDER BY rowid")
            return [(row[0], row[1]) for row in session.execute(query, {"t": ctx.tenant})]

    def close(self) -> None:
        self.db.close()


def login(key: str, at: int, subject: str = "customer/c1") -> dict[str, Any]:
    return {"id": key, "type": "app.login", "time": format_time(at), "subject": subject}


def mail(key: str, at: int, opened: bool, subject: str = "customer/c1") -> dict[str, Any]:
    data = {"opened": opened}
    return {"id": key, "type": "email.marketing", "time": format_time(at), "subject": subject, "data": data}


def every_login(name: str = "login", **more: Any) -> dict[str, Any]:
    trigger = {"kind": "event", "event": "app.login"}
    return {"name": name, "trigger": trigger, "actions": [{"action": "outbound_call"}], **more}


def unread(times: int = 3, name: str = "unread") -> dict[str, Any]:
    where = [{"field": "opened", "op": "==", "value": False}]
    trigger = {"kind": "streak", "event": "email.marketing", "where": where, "times": times}
    return {"name": name, "trigger": trigger, "actions": [{"action": "outbound_call"}]}


def silence(within: str = "15m", name: str = "silence") -> dict[str, Any]:
    steps = [{"event": "app.login"}, {"event": "email.marketing", "absent": True, "within": within}]
    trigger = {"kind": "sequence", "steps": steps}
    return {"name": name, "trigger": trigger, "actions": [{"action": "outbound_call"}]}
