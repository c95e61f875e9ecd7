"""What every graph backend must answer about patterns, weights and reminders."""

from __future__ import annotations

import pytest

from core.context import Purpose
from core.errors import UnknownName
from core.events import Event
from core.times import HOUR
from knowledge.catalog import read_catalog
from knowledge.graph import CatalogLimits, Derivations, SameAs
from knowledge.graph.model import Reminder
from knowledge.graph.pattern import read_pattern
from tests.graphs import C1, C2, C3, COMPLIANCE, D1, D2, MARKETING, NOW, SERVICE, Bench, claim, edge, m
from tests.knowledge.graph.campaign import run_case

CATALOG = read_catalog(
    """
catalog: 1
objects: {customer: {attributes: {tier: {type: text}}}, device: {}}
relations: {owns: {from: customer, to: device}}
events:
  visit: {subject: customer, fields: {spent: {type: number}}}
  call: {subject: customer, purposes: [service]}
  fault: {subject: device}
patterns: {faulty: {subject: customer, path: customer -owns-> device then fault within 1s}}
weights:
  attention:
    subject: customer
    terms:
      - {event: visit, half_life: 1h, points: 2}
      - {event: visit, value: spent, half_life: 2h, cap: 5}
      - {event: call, half_life: 1h}
"""
).catalog
MISSING = read_pattern("customer[tier = vip] -owns-> device then fault then no call within 10us")


def _event(kind: str, at: int, subject: str = C1, **data: object) -> Event:
    return Event(f"{kind}{at}{subject}", kind, m(at), subject, data)


def test_a_pattern_goes_along_relations_as_they_stood(bench: Bench) -> None:
    store = bench.store
    owned = [edge(C1, "owns", D1, 10), edge(C2, "owns", D2, 10)]
    facts = store.assert_facts(SERVICE, [claim(C1, "tier", "vip", 5), *owned])
    store.record_events(SERVICE, [_event("fault", 20, D1), _event("fault", 20, D2)])
    answers = {t: store.match(SERVICE, MISSING, C1, m(t)) for t in (19, 29, 30)}
    assert {t: a.found is not None for t, a in answers.items()} == {19: False, 29: False, 30: True}
    assert answers[29].next_change == 30
    assert answers[30].found is not None
    assert answers[30].found.evidence == (facts[1], f"fault20{D1}")
    assert [f.subject for f in store.matches(SERVICE, MISSING, m(30))] == [C1]
    store.assert_facts(SERVICE, [edge(C1, "owns", D1, 25, ended=True)])
    assert store.match(SERVICE, MISSING, C1, m(30)).found is None
    assert store.match(SERVICE, MISSING, C1, m(30), known_at=m(NOW - 1)).found is None


def test_a_pattern_sees_merged_records_as_one_and_only_what_the_purpose_may_see(bench: Bench) -> None:
    store = bench.reopen(CatalogLimits(lambda: CATALOG))
    store.record_events(SERVICE, [_event("visit", 10, C1), _event("call", 20, C2), _event("call", 20, C3)])
    pattern = read_pattern("customer then visit then call")
    assert store.matches(SERVICE, pattern) == []
    store.merge(SERVICE, [SameAs(C1, C2, "phone")])
    assert [f.subject for f in store.matches(SERVICE, pattern)] == [C1]
    assert store.match(SERVICE, pattern, C2).found is not None
    assert store.match(MARKETING, pattern, C2).found is None


def test_a_weight_is_what_adding_up_all_events_gives_at_any_moment(bench: Bench) -> None:
    store = bench.reopen(CatalogLimits(lambda: CATALOG), Derivations(lambda: CATALOG))
    visits = [_event("visit", h * HOUR, C1, spent=10.0) for h in (1, 3, 2)]
    for events in (visits[:1], visits[1:], [_event("visit", 3 * HOUR, C2), _event("call", 0, C2)]):
        store.record_events(SERVICE, events)
    store.merge(SERVICE, [SameAs(C1, C2, "phone")])
    at = m(4 * HOUR)
    weight = store.weight(SERVICE, C2, "attention", at)
    assert weight.subject == C1
    assert [p.points for p in weight.parts] == pytest.approx([2 * (1 / 8 + 1 / 2 + 1 / 4 + 1 / 2), 5, 1 / 16])
    assert store.weight(MARKETING, C1, "attention", at).withheld == 1
    earlier = store.weight(SERVICE, C1, "attention", m(2 * HOUR)).parts
    assert [p.decayed for p in earlier] == pytest.approx([1 / 2 + 1, 10 * (2**-0.5 + 1), 1 / 4])
    with pytest.raises(UnknownName):
        store.weight(SERVICE, C1, "attraction")


def test_what_is_written_says_whose_attributes_to_look_at_and_when(bench: Bench) -> None:
    store = bench.reopen(None, Derivations(lambda: CATALOG))
    store.assert_facts(SERVICE, [edge(C1, "owns", D1, 10)])
    store.record_events(SERVICE, [_event("fault", 20, D1), _event("visit", 30, C2)])
    due = [Reminder(m(10), "pattern.faulty", C1), Reminder(m(20), "pattern.faulty", C1)]
    due.append(Reminder(m(30), "weight.attention", C2))
    assert store.reminders(SERVICE, m(30), 10) == due
    assert store.reminders(SERVICE, m(20), 1) == due[:1]
    store.settle(SERVICE, due[:1], [Reminder(m(40), "pattern.faulty", C1)])
    assert [r.at for r in store.reminders(SERVICE, m(50), 10)] == [20, 30, 40]
    fact, later = store.look(SERVICE, due[1])
    assert (fact and (fact.subject, fact.property, fact.value, fact.time)) == (C1, "pattern.faulty", True, 20)
    assert later == Reminder(m(20 + 1_000_000), "pattern.faulty", C1)


def test_erasure_takes_sums_and_reminders_too(bench: Bench) -> None:
    store = bench.reopen(None, Derivations(lambda: CATALOG))
    store.record_events(SERVICE, [_event("visit", 30, C1, spent=2)])
    rows = store.erase(COMPLIANCE, C1).rows
    assert (rows["sums"], rows["reminders"]) == (2, 1)
    assert store.reminders(SERVICE, m(99), 10) == []
    assert store.weight(SERVICE.for_purpose(Purpose.SERVICE), C1, "attention", m(50)).value == 0


def test_random_graphs_with_merges_answer_as_the_oracle_does_on_any_backend(bench: Bench) -> None:
    for case in range(12):
        run_case([bench.store], bench.clock, case, seed=13)
