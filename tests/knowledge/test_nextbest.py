"""Missing steps with their evidence, for whom first, and what a weight does to a search's order."""

from __future__ import annotations

import pytest

from core.clock import ManualClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import UnknownName
from core.events import Event
from core.ids import DEFAULT_TENANT
from core.times import DAY, Micros, parse_time
from knowledge.catalog import read_catalog
from knowledge.catalog.load import InvalidCatalog
from knowledge.graph import CatalogLimits, Derivations, GraphService, SqliteGraphStore
from knowledge.nextbest import by_weight, next_actions, says
from knowledge.retrieval import Passage

NOW = Micros(parse_time("2026-06-10T00:00:00Z"))
CTX = RequestContext(DEFAULT_TENANT, "agent", Role.ADMIN, Purpose.SERVICE)
TEXT = """
catalog: 1
objects:
  customer: {labels: {zh: [客户], en: [customer]}}
  device: {labels: {zh: [设备], en: [device]}}
events:
  checkup: {subject: customer, labels: {zh: [体检], en: [check-up]}, fields: {result: {type: text}}}
  visit: {subject: customer, labels: {zh: [就诊], en: [visit]}, purposes: [service]}
  call: {subject: customer, labels: {zh: [来电], en: [call]}}
actions: {invite: {labels: {zh: [邀约复诊], en: [invitation]}}}
patterns:
  unseen:
    subject: customer
    labels: {zh: [异常后未就诊], en: [unseen after an abnormal check-up]}
    path: customer then checkup[result = abnormal] then no visit within 2d
    action: invite
weights:
  attention:
    subject: customer
    labels: {zh: [关注度], en: [attention]}
    terms: [{event: call, half_life: 2d, points: 4}, {event: checkup, half_life: 30d}]
"""
CATALOG = read_catalog(TEXT).catalog


def _event(key: str, kind: str, subject: str, days: float, **data: str) -> Event:
    return Event(key, kind, Micros(NOW - round(days * DAY)), subject, data, "s")


@pytest.fixture
def graph() -> GraphService:
    """Three were found abnormal; c3 has been seen since, and c2 has called twice lately."""
    database = Database("sqlite://")
    database.create_tables()
    store = SqliteGraphStore(
        database, ManualClock(NOW), limits=CatalogLimits(lambda: CATALOG), derived=Derivations(lambda: CATALOG)
    )
    abnormal = [_event(f"k{n}", "checkup", f"customer/c{n}", 5, result="abnormal") for n in (1, 2, 3)]
    others = [
        _event("v3", "visit", "customer/c3", 4),
        _event("a2", "call", "customer/c2", 2),
        _event("b2", "call", "customer/c2", 0),
        _event("k4", "checkup", "customer/c4", 5, result="normal"),
    ]
    service = GraphService(store)
    service.record_events(CTX, [*abnormal, *others])
    return service


def test_a_missing_step_is_due_for_whom_its_pattern_holds_with_what_makes_it_so(graph: GraphService) -> None:
    found = next_actions(graph, CTX, CATALOG)
    assert [(each.subject, each.evidence, each.action) for each in found] == [
        ("customer/c1", ("k1",), "invite"),
        ("customer/c2", ("k2",), "invite"),
    ]
    assert found[0].what.zh == "补上缺失的一步：就诊"
    assert found[0].because.en == "customer, check-up (result is abnormal), then no visit within 2 days"
    assert found[0].action_label is not None and found[0].action_label.en == "invitation"


def test_the_heaviest_come_first_and_it_is_said_why(graph: GraphService) -> None:
    found = next_actions(graph, CTX, CATALOG, profile="attention")
    assert [each.subject for each in found] == ["customer/c2", "customer/c1"]
    weight = found[0].weight
    assert weight is not None
    assert weight.value == pytest.approx(4 * (1 + 0.5) + 2 ** (-5 / 30))
    assert says(weight, CATALOG).zh == "关注度 6.89：来电 6、体检 0.891"
    assert says(weight, CATALOG).en == "attention 6.89: call 6, check-up 0.891"


def test_one_subject_may_be_asked_for(graph: GraphService) -> None:
    assert [each.subject for each in next_actions(graph, CTX, CATALOG, subject="customer/c2")] == ["customer/c2"]
    assert next_actions(graph, CTX, CATALOG, subject="customer/c3") == []
    assert next_actions(graph, CTX, CATALOG, subject="device/d1") == []


def test_an_unknown_pattern_or_weight_names_the_nearest(graph: GraphService) -> None:
    with pytest.raises(UnknownName) as wrong:
        next_actions(graph, CTX, CATALOG, pattern="unsene")
    assert wrong.value.nearest == ["unseen"]
    with pytest.raises(UnknownName) as wrong:
        by_weight(graph, CTX, CATALOG, [], "atention")
    assert (wrong.value.nearest, wrong.value.where) == (["attention"], {"field": "weight"})


def _passage(key: str, subject: str | None, score: float) -> Passage:
    return Passage(key, key, "text", "ticket", subject, "", "en", 0, 4, None, frozenset(), score)


def test_a_weight_moves_passages_of_heavy_subjects_up_by_at_most_one(graph: GraphService) -> None:
    passages = [
        _passage("far ahead", None, 3.0),
        _passage("light", "customer/c1", 1.5),
        _passage("heavy", "customer/c2", 1.0),
        _passage("of nobody", None, 0.9),
    ]
    found = by_weight(graph, CTX, CATALOG, passages, "attention")
    assert [each.passage.id for each in found] == ["far ahead", "heavy", "light", "of nobody"]
    assert [round(each.score - each.passage.score, 2) for each in found] == [0.0, 1.0, 0.31, 0.0]
    assert [each.weight is not None for each in found] == [False, True, True, False]


def test_what_a_pattern_proposes_has_to_be_an_action_of_the_catalog() -> None:
    with pytest.raises(InvalidCatalog, match="there is no action 'invtie'") as wrong:
        read_catalog(TEXT.replace("action: invite", "action: invtie"))
    assert wrong.value.nearest == ["invite"]
    assert wrong.value.where["field"] == "patterns.unseen.action"
