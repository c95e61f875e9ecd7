"""A look back at a past moment agrees with the oracle, and with an engine that was given everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import strategy.asof
from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.errors import InvalidInput, Refused, TooLarge
from core.events import Event, Fact
from core.ids import TenantId
from core.times import DAY, HOUR, Micros
from knowledge.catalog import Catalog, read_catalog
from strategy.asof import look_back
from strategy.document import All, Any_, Condition, Not, Strategy
from strategy.engine.port import Observation
from strategy.engine.python import PythonEngine
from strategy.journal import Journal, input_from
from strategy.repository import JournalRepository
from strategy.stream import GoodLine
from strategy.tables import Kind
from tests.strategy.engine.oracle import Oracle
from tests.strategy.engine.worlds import CATALOG, START, Restart, catalogs, documents, inputs, operations

_tenants = count()
several = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('asof')}/hub.db")
    database.create_tables()
    yield database
    database.close()


class Recorded:
    """A tenant of its own with a journal, and the oracle and an engine that read it in its order."""

    def __init__(self, db: Database, catalog: Catalog, document: Strategy, lateness: int) -> None:
        self.db, self.catalog, self.document, self.lateness = db, catalog, document, lateness
        self.ctx: RequestContext = replace(system_context(), tenant=TenantId(f"t{next(_tenants)}"))
        self.journal = self.open()

    def open(self) -> Journal:
        return Journal(self.db, ManualClock(START), self.lateness)

    def take(self, op: object) -> None:
        if isinstance(op, Restart):
            self.journal = self.open()
        elif isinstance(op, int):
            self.journal.control(self.ctx.tenant, Kind.TICK, "", Micros(op), {})
        elif isinstance(op, list):
            self.journal.take(self.ctx, [GoodLine(n, item) for n, item in enumerate(op, 1)])

    def judges(self) -> tuple[Oracle, PythonEngine]:
        oracle, engine = Oracle(self.catalog, [self.document], self.lateness), PythonEngine(self.catalog, self.lateness)
        engine.deploy(self.document, 1)
        with self.db.reading() as session:
            rows = JournalRepository(session, self.ctx.tenant).after(0, 10_000)
        for row in rows:
            if row.kind == Kind.TICK:
                oracle.advance(row.time)
                engine.advance(Micros(row.time))
            else:
                oracle.ingest([input_from(row)])
                engine.ingest([input_from(row)])
        assert oracle.aside == []
        return oracle, engine

    def look(self, subject: str, at: int) -> tuple[Observation, Observation | None]:
        with self.db.reading() as session:
            journal = JournalRepository(session, self.ctx.tenant)
            return look_back(journal, self.catalog, self.document, subject, Micros(at))


def nodes(condition: Condition, seen: Observation) -> Iterator[tuple[Condition, Observation]]:
    yield condition, seen
    parts = condition.of if isinstance(condition, All | Any_) else (condition.of,) if isinstance(condition, Not) else ()
    for part, child in zip(parts, seen.children, strict=False):
        yield from nodes(part, child)


def recorded(data: st.DataObject, db: Database) -> Recorded:
    catalog, lateness = data.draw(catalogs()), data.draw(st.sampled_from([0, HOUR, 6 * HOUR]))
    document = data.draw(documents())
    try:
        PythonEngine(catalog).deploy(document, 1)
    except (Refused, InvalidInput):
        assume(False)
    found = Recorded(db, catalog, document, lateness)
    stream = data.draw(inputs(lateness))
    if data.draw(st.booleans()):  # attributes imported afterwards, of which the engine knew nothing before
        stream.sort(key=lambda item: not isinstance(item, Event))
    for op in data.draw(operations(stream)):
        found.take(op)
    return found


@several
@given(data=st.data())
def test_at_any_past_moment_every_condition_has_the_truth_that_the_oracle_gives_it(
    data: st.DataObject, db: Database
) -> None:
    world = recorded(data, db)
    oracle, _ = world.judges()
    closed = oracle.closed()
    assert closed is not None
    moments = st.sampled_from([t for t in oracle.instants() if t <= closed] or [closed])
    document = world.document
    for _ in range(4):
        at = data.draw(st.one_of(moments, st.integers(START - DAY, closed)))
        for subject in [*oracle.subjects(document.subject), f"{document.subject}/none"]:
            trigger, audience = world.look(subject, at)
            for root, condition in ((trigger, document.trigger), (audience, document.audience)):
                for part, seen in nodes(condition, root) if condition and root else ():
                    assert seen.truth.value == oracle.truth(part, document, subject, at, after=True), (part, at)


@several
@given(data=st.data())
def test_at_the_end_it_sees_what_the_engine_sees_value_for_value(data: st.DataObject, db: Database) -> None:
    world = recorded(data, db)
    oracle, engine = world.judges()
    closed = oracle.closed()
    assert closed is not None
    for subject in oracle.subjects(world.document.subject):
        assert world.look(subject, closed) == engine.look(world.document.name, subject)


CATALOG_TEXT = CATALOG.format(zone="UTC", history="")
VIP = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}


def simple(db: Database, trigger: dict[str, object]) -> Recorded:
    document = Strategy.model_validate({"name": "s", "trigger": trigger, "actions": [{"task": "call"}]})
    return Recorded(db, read_catalog(CATALOG_TEXT).catalog, document, 0)


def test_a_fact_that_came_late_is_seen_from_the_moment_at_which_it_took_effect(db: Database) -> None:
    world = simple(db, VIP)
    world.take([Event("e1", "a", Micros(START + HOUR), "customer/2")])
    world.take([Fact("customer/1", "tier", "vip", START)])
    world.take([Event("e2", "a", Micros(START + 2 * HOUR), "customer/2")])
    truths = [world.look("customer/1", START + HOUR + after)[0].truth.value for after in (-1, 0)]
    assert truths == ["unknown", "true"]


def test_history_begins_with_the_tenant_and_not_with_the_subject(db: Database) -> None:
    few = {"kind": "aggregate", "event": "a", "function": "count", "window": {"over": "1h"}, "op": "<", "value": 2}
    world = simple(db, few)
    world.take([Event("e1", "c", START, "customer/2")])
    world.take([Event("e2", "a", Micros(START + 2 * HOUR), "customer/1")])
    truths = [world.look("customer/1", at)[0].truth.value for at in (START - 1, START, START + HOUR, START + 2 * HOUR)]
    assert truths == ["unknown", "unknown", "true", "true"]


def test_more_inputs_than_one_answer_may_read_are_refused(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy.asof, "MOST", 3)
    world = simple(db, {"kind": "event", "event": "a"})
    world.take([Event(f"e{n}", "a", Micros(START + n), "customer/1") for n in range(4)])
    assert world.look("customer/1", START + 2)
    with pytest.raises(TooLarge, match="more than 3 inputs"):
        world.look("customer/1", START + 3)
