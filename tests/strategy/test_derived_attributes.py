"""Patterns and weights of the catalog reach strategies as attributes: what happened, what did not, what time does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.times import DAY, HOUR, SECOND, format_time
from knowledge.catalog import read_catalog
from knowledge.graph import Derivations, Follower, GraphService, SameAs, SqliteGraphStore
from strategy.language import read_sentence
from tests.strategy.livehub import CTX, NOW, LiveHub

CATALOG = read_catalog(
    """
catalog: 1
objects:
  customer: {labels: {zh: [客户], en: [customer]}, attributes: {tier: {type: text, labels: {zh: [等级], en: [tier]}}}}
  device: {labels: {zh: [设备], en: [device]}}
relations: {owns: {from: customer, to: device, labels: {zh: [拥有], en: [owns]}}}
events:
  checkup: {subject: customer, labels: {zh: [体检], en: [check-up]}, fields: {result: {type: text}}}
  visit: {subject: customer, labels: {zh: [就诊], en: [visit]}}
  fault: {subject: device, labels: {zh: [故障], en: [fault]}}
actions: {outbound_call: {labels: {zh: [外呼], en: [outbound call]}, channel: voice}}
patterns:
  unseen:
    subject: customer
    labels: {zh: [异常后未就诊], en: [unseen after an abnormal check-up]}
    path: customer then checkup[result = abnormal] then no visit within 2h
  faulty:
    subject: customer
    labels: {zh: [设备故障], en: [device at fault]}
    path: customer -owns-> device then fault within 1h
weights:
  attention:
    subject: customer
    labels: {zh: [关注度], en: [attention]}
    terms: [{event: visit, half_life: 1h, points: 4}, {event: checkup, half_life: 1d, cap: 1}]
"""
).catalog


@dataclass
class World:
    hub: LiveHub
    graph: SqliteGraphStore
    follower: Follower

    def run(self, attribute: str, op: str, value: Any) -> None:
        trigger = {"kind": "attribute", "name": attribute, "op": op, "value": value}
        self.hub.run({"name": "watch", "trigger": trigger, "actions": [{"action": "outbound_call"}]})

    def send(self, *items: dict[str, Any]) -> None:
        receipt = self.hub.live.accept_events(CTX, items)
        assert not receipt.rejected
        self.follower.catch_up()

    def move(self, to: int) -> None:
        self.hub.clock.set(to)  # type: ignore[attr-defined]  # it is a manual clock
        self.follower.catch_up()
        self.hub.live.settle()
        self.hub.move(to + SECOND)

    @property
    def fired(self) -> list[tuple[str, int]]:
        """(subject, seconds from the start) of each firing."""
        return [(key.split("/", 1)[1].rsplit("/", 1)[0], (at - NOW) // SECOND) for key, at in self.hub.fired()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    told: list[GraphService] = []
    hub = LiveHub(tmp_path, catalog=CATALOG, sinks=[lambda ctx, inputs: told[0].sink(ctx, inputs)])
    graph = SqliteGraphStore(hub.db, hub.clock, derived=Derivations(lambda: CATALOG))
    told.append(GraphService(graph))
    yield World(hub, graph, Follower(graph, CTX, hub.clock, hub.live.accept_inputs))
    hub.close()


def event(kind: str, at: int, subject: str = "customer/c1", **data: Any) -> dict[str, Any]:
    key = f"{kind}{at}{subject}"
    return {"id": key, "type": kind, "time": format_time(NOW + at), "subject": subject, "data": data}


def test_a_strategy_fires_when_a_step_stays_away_and_at_that_moment(world: World) -> None:
    world.run("pattern.unseen", "==", True)
    world.send(event("checkup", 0, result="abnormal"), event("checkup", 0, "customer/c2", result="abnormal"))
    world.send(event("visit", HOUR, "customer/c2"))
    world.move(NOW + 2 * HOUR - SECOND)
    assert world.fired == []
    world.move(NOW + 2 * HOUR)
    assert world.fired == [("customer/c1", 2 * 3600)]
    assert world.graph.profile(CTX, "customer/c2").value("pattern.unseen") is None


def test_a_strategy_fires_at_once_on_a_path_that_an_event_elsewhere_completes(world: World) -> None:
    world.run("pattern.faulty", "==", True)
    owns = {"subject": "customer/c1", "relation": "owns", "object": "device/d1", "from": format_time(NOW)}
    world.send(owns)
    world.send(event("fault", 5 * SECOND, "device/d1"))
    world.move(NOW + 5 * SECOND)
    assert world.fired == [("customer/c1", 5)]
    world.move(NOW + 2 * HOUR)
    curve = world.graph.series(CTX, "customer/c1", "pattern.faulty").steps
    assert [((s.start - NOW) // SECOND, s.value) for s in curve] == [(5, True), (5 + 3600, False)]


def test_a_weight_rises_with_events_and_falls_with_time_to_the_microsecond(world: World) -> None:
    world.run("weight.attention", "<", 5)
    world.send(*(event(kind, 0, f"customer/c{n}") for kind in ("visit", "checkup") for n in (1, 2)))
    world.send(event("visit", SECOND), event("checkup", SECOND))
    weight = world.graph.weight(CTX, "customer/c1", "attention", NOW + SECOND)
    assert round(weight.value, 3) == 8.999
    assert "1 = 1 (capped)" in weight.says().en
    world.move(NOW + DAY)
    curve = world.graph.series(CTX, "customer/c1", "weight.attention").steps
    assert [s.value for s in curve][:5] == [5.0, 4.0, 8.0, 7.0, 6.0]
    for step in curve[3:]:
        before, at = (
            world.graph.weight(CTX, "customer/c1", "attention", t).value for t in (step.start - 1, step.start)
        )
        assert before >= step.value + 1 - 1e-6 > at - 1e-6
    assert [subject for subject, _ in world.fired] == ["customer/c1", "customer/c2", "customer/c1"]


def test_a_merge_makes_a_pattern_true_for_the_customer_and_its_withdrawal_untrue(world: World) -> None:
    owns = {"subject": "customer/c2", "relation": "owns", "object": "device/d1", "from": format_time(NOW)}
    world.send(owns, event("fault", 0, "device/d1"))
    (merge,) = world.graph.merge(CTX, [SameAs("customer/c1", "customer/c2", "phone")])
    world.follower.catch_up()
    assert world.graph.profile(CTX, "customer/c1").value("pattern.faulty") is True
    world.hub.clock.set(NOW + SECOND)  # type: ignore[attr-defined]  # it is a manual clock
    world.graph.unmerge(CTX, [merge], "two people")
    world.follower.catch_up()
    assert world.graph.profile(CTX, "customer/c1").value("pattern.faulty") is False


def test_a_sentence_may_speak_of_a_weight_and_of_a_pattern() -> None:
    for sentence, attribute in (
        ("客户的关注度超过10，就外呼", "weight.attention"),
        ("When a customer's attention is above 10, make an outbound call", "weight.attention"),
    ):
        assert attribute in read_sentence(sentence, CATALOG).document.model_dump_json()
