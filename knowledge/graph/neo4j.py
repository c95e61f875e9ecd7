"""The graph backend for Neo4j 5 (or what else speaks Bolt and Cypher): facts are nodes between what they speak of.
Writers take turns by a lock on one node; what they tell the hub's audit log goes there by outbox.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from neo4j import Driver, GraphDatabase, ManagedTransaction, Session
from neo4j.exceptions import AuthError, ConstraintError, DriverError, Neo4jError

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput, Unavailable
from core.text import Text
from knowledge.graph import outbox
from knowledge.graph.backend import FactReader, FactWriter, Given
from knowledge.graph.derived import Derivations
from knowledge.graph.forgetting import ForgetfulGraph
from knowledge.graph.neo4j_rows import Rows
from knowledge.graph.neo4j_turn import Turn
from knowledge.graph.port import PurposeLimits

_SCHEMA = (
    *(f"CREATE CONSTRAINT {label.lower()}_key IF NOT EXISTS FOR (n:{label}) REQUIRE n.key IS UNIQUE"
      for label in ("Fact", "Subject", "Event", "Merge", "Sum", "Reminder", "Turn", "Audit")),
    *(f"CREATE INDEX {label.lower()}_{name} IF NOT EXISTS FOR (n:{label}) ON (n.{name})"
      for label, name in (
          ("Fact", "owner"), ("Fact", "about"), ("Fact", "towards"), ("Fact", "lookup"), ("Subject", "lookup"),
          ("Event", "owner"), ("Event", "named"), ("Merge", "kept_key"), ("Merge", "gone_key"), ("Sum", "owner"),
          ("Reminder", "at"), ("Reminder", "owner"),
      )),
)  # fmt: skip
_AGAIN_S = 0.02
"""A turn takes milliseconds: whoever lost it to another writer comes again soon, not after the driver's own second."""
_TRIES = 20


class Neo4jGraphStore(ForgetfulGraph):
    """`GraphStore` over a database that speaks Bolt and Cypher.

    Args:
        url: `bolt://host:port` or `neo4j://host:port`, with user and password apart.
        audits: the relational store that keeps the audit log.

    Raises:
        InvalidInput: the address or the key is wrong.
        Unavailable: nobody answers there.
    """

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None,
        audits: Database,
        clock: Clock,
        limits: PurposeLimits | None = None,
        derived: Derivations | None = None,
        database: str | None = None,
    ) -> None:
        super().__init__(_Neo4jLog(_open(url, auth, database), database, audits, clock), clock, limits, derived)


def _open(url: str, auth: tuple[str, str] | None, database: str | None) -> Driver:
    try:
        driver = GraphDatabase.driver(url, auth=auth, initial_retry_delay=_AGAIN_S, retry_delay_multiplier=1.5)
        with driver.session(database=database) as session:
            for statement in _SCHEMA:
                session.run(statement).consume()
    except (ValueError, AuthError) as cause:
        raise InvalidInput(Text(f"图数据库不可用：{cause}", f"the graph database cannot be used: {cause}")) from cause
    except (DriverError, Neo4jError) as cause:
        raise Unavailable(Text(f"图数据库没有应答：{cause}", f"the graph database does not answer: {cause}")) from cause
    return driver


def _in_turn(session: Session, work: Callable[[ManagedTransaction], Given]) -> Given:
    """Do work that takes the lock. A server that lets turns overlap and refuses the later one at its end may do so by a
    key that both made: as good a reason to begin anew as the errors that the driver itself takes for one."""
    for _ in range(_TRIES):
        with suppress(ConstraintError):
            return session.execute_write(work)
    return session.execute_write(work)


class _Neo4jLog:
    """`FactLog` over a driver."""

    def __init__(self, driver: Driver, database: str | None, audits: Database, clock: Clock) -> None:
        self._driver, self._database, self._audits, self._clock = driver, database, audits, clock
        self._tell()  # what a process that died left

    @contextmanager
    def reading(self, ctx: RequestContext) -> Iterator[FactReader]:
        with self._driver.session(database=self._database) as session, session.begin_transaction() as transaction:
            yield Rows(transaction, ctx.tenant)

    def write(self, ctx: RequestContext, work: Callable[[FactWriter], Given]) -> Given:
        def in_turn(transaction: ManagedTransaction) -> tuple[Given, bool]:
            turn = Turn(transaction, ctx, self._clock)
            return work(turn), turn.end()

        with self._driver.session(database=self._database) as session:
            given, told = _in_turn(session, in_turn)
        if told:
            self._tell()
        return given

    def _tell(self) -> None:
        with self._driver.session(database=self._database) as session:
            outbox.copy(session, self._audits)

    def close(self) -> None:
        self._driver.close()
