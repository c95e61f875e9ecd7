"""The embedded graph backend: a bi-temporal fact log with adjacency tables, in the hub's relational store. Many
processes may read and write at once; SQLite lets the writers take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlmodel import Session

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from knowledge.graph import tables as _tables  # noqa: F401  # SQLModel has to know them before it can make them
from knowledge.graph.backend import FactReader, FactWriter, Given
from knowledge.graph.derived import Derivations
from knowledge.graph.forgetting import ForgetfulGraph
from knowledge.graph.port import PurposeLimits
from knowledge.graph.repository import GraphRepository
from knowledge.graph.repository_old import ForgettingRows


class SqliteGraphStore(ForgetfulGraph):
    """`GraphStore` over `core.db.Database`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        limits: PurposeLimits | None = None,
        derived: Derivations | None = None,
    ) -> None:
        super().__init__(_SqliteLog(database, clock), clock, limits, derived)


class _SqliteLog:
    """`FactLog` over `core.db.Database`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    @contextmanager
    def reading(self, ctx: RequestContext) -> Iterator[FactReader]:
        with self._database.snapshot() as cursor:
            yield GraphRepository(cursor, ctx.tenant)

    def write(self, ctx: RequestContext, work: Callable[[FactWriter], Given]) -> Given:
        with self._database.transaction() as session:
            return work(_Turn(session, ctx, self._clock))

    def close(self) -> None:
        """The database is the hub's to close."""


class _Turn(ForgettingRows):
    """A transaction's rows, and its audit row."""

    def __init__(self, session: Session, ctx: RequestContext, clock: Clock) -> None:
        super().__init__(session.connection().connection.cursor(), ctx.tenant)
        self._session, self._ctx, self._clock = session, ctx, clock

    def audit(self, action: str, target: str, detail: Mapping[str, Any]) -> None:
        audit.record(self._session, self._ctx, self._clock, action, target, dict(detail))
