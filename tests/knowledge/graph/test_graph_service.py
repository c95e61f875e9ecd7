"""The graph as the hub uses it: authorisation before the store, and the sink of the live stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.errors import Forbidden
from core.events import Event, Fact, Relation
from core.text import Text
from core.times import Micros
from knowledge.graph import Assertion, GraphService, SqliteGraphStore

CTX = system_context()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteGraphStore]:
    database = Database(f"sqlite:///{tmp_path}/hub.db")
    database.create_tables()
    yield SqliteGraphStore(database, ManualClock(1_000))
    database.close()


def test_the_sink_turns_events_facts_and_relations_into_the_graph_once(store: SqliteGraphStore) -> None:
    service = GraphService(store)
    inputs = [
        Event("e1", "app.login", Micros(10), "customer/c1", {"n": 1}),
        Fact("customer/c1", "tier", "vip", Micros(20)),
        Relation("customer/c1", "owns", "device/d1", Micros(30)),
        Relation("customer/c1", "owns", "device/d2", Micros(30)),
        Relation("customer/c1", "owns", "device/d2", Micros(40), ended=True),
    ]
    service.sink(CTX, inputs)
    service.sink(CTX, inputs)
    assert service.profile(CTX, "customer/c1").value("tier") == "vip"
    assert service.profile(CTX, "customer/c1").values["tier"].source == "stream"
    assert set(service.neighbourhood(CTX, "customer/c1").hops) == {"customer/c1", "device/d1"}
    assert [e.id for e in service.timeline(CTX, "customer/c1").events] == ["e1"]
    assert (service.stats(CTX).facts, service.stats(CTX).events) == (4, 1)


def test_a_fact_that_ends_in_the_stream_ends_in_the_graph(store: SqliteGraphStore) -> None:
    service = GraphService(store)
    service.sink(CTX, [Fact("customer/c1", "tier", "vip", Micros(20)), Fact("customer/c1", "tier", None, Micros(30))])
    assert service.profile(CTX, "customer/c1").values == {}
    assert service.profile(CTX, "customer/c1", Micros(29)).value("tier") == "vip"


def test_what_is_not_authorised_does_not_reach_the_store(store: SqliteGraphStore) -> None:
    asked: list[tuple[str, str]] = []

    def authorize(ctx: RequestContext, action: str, resource: str) -> None:
        asked.append((action, resource))
        if action == "graph.write":
            raise Forbidden(Text("不允许", "not allowed"))

    service = GraphService(store, authorize)
    with pytest.raises(Forbidden):
        service.assert_facts(CTX, [Assertion("customer/c1", "tier", "vip", valid_from=Micros(1))])
    assert service.profile(CTX, "customer/c1").values == {}
    assert asked == [("graph.write", "facts"), ("graph.read", "customer/c1")]
