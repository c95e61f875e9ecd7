"""What every graph backend must do; parametrised over backends, and held against a naive oracle on random histories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from core.audit import AuditRow, first_broken
from core.context import Purpose
from core.errors import Forbidden, InvalidInput, NotFound
from core.events import Event
from core.ids import TenantId
from core.times import DAY
from knowledge.catalog import read_catalog
from knowledge.graph import Assertion, CatalogLimits
from tests.graphs import C1, C2, C3, D1, D2, MARKETING, NOW, SERVICE, Bench, claim, edge, m

# --- two times ---------------------------------------------------------------


def test_the_value_at_a_moment_is_the_one_that_began_last(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 20), claim(C1, "tier", "basic", 10)])
    assert bench.store.profile(SERVICE, C1, m(9)).values == {}
    assert bench.store.profile(SERVICE, C1, m(10)).value("tier") == "basic"
    assert bench.store.profile(SERVICE, C1, m(19)).value("tier") == "basic"
    assert bench.store.profile(SERVICE, C1, m(20)).value("tier") == "gold"
    assert bench.store.profile(SERVICE, C1).value("tier") == "gold"


def test_a_fact_with_an_end_gives_way_to_the_one_below_it(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(C1, "city", "上海", 10), claim(C1, "city", "北京", 20, valid_to=m(30))])
    at = {t: bench.store.profile(SERVICE, C1, m(t)).value("city") for t in (15, 20, 29, 30)}
    assert at == {15: "上海", 20: "北京", 29: "北京", 30: "上海"}


def test_a_value_of_none_ends_the_property(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 10), claim(C1, "tier", None, 20)])
    assert "tier" not in bench.store.profile(SERVICE, C1, m(20)).values
    assert [(s.start, s.end) for s in bench.store.series(SERVICE, C1, "tier").steps] == [(10, 20)]


def test_a_correction_counts_from_when_it_was_recorded(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(C1, "tier", "basic", 10)])
    bench.clock.set(NOW + 5)
    bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 10)])
    assert bench.store.profile(SERVICE, C1, m(50)).value("tier") == "gold"
    assert bench.store.profile(SERVICE, C1, m(50), known_at=m(NOW + 4)).value("tier") == "basic"
    assert bench.store.profile(SERVICE, C1, m(50), known_at=m(NOW - 1)).values == {}


def test_a_retracted_fact_was_never_so_but_was_known(bench: Bench) -> None:
    old, new = bench.store.assert_facts(SERVICE, [claim(C1, "tier", "basic", 10), claim(C1, "tier", "gold", 20)])
    assert bench.store.retract(SERVICE, [new], "typing error", m(NOW + 10)) == 1
    assert bench.store.retract(SERVICE, [new], "again") == 0
    assert bench.store.profile(SERVICE, C1, m(50)).value("tier") == "basic"
    assert bench.store.profile(SERVICE, C1, m(50), known_at=m(NOW + 9)).value("tier") == "gold"
    assert bench.store.profile(SERVICE, C1, m(50), known_at=m(NOW + 10)).value("tier") == "basic"
    assert bench.store.exists(SERVICE, old)
    assert not bench.store.exists(SERVICE, new)


def test_retracting_what_does_not_exist_withdraws_nothing(bench: Bench) -> None:
    (fact,) = bench.store.assert_facts(SERVICE, [claim(C1, "tier", "basic", 10)])
    with pytest.raises(NotFound, match="fact_nope"):
        bench.store.retract(SERVICE, [fact, "fact_nope"], "x")
    assert bench.store.exists(SERVICE, fact)


def test_a_series_is_the_curve_within_the_span(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(D1, "oil", float(t), t) for t in (10, 20, 30, 40)])
    steps = bench.store.series(SERVICE, D1, "oil", since=m(20), until=m(40)).steps
    assert [(s.start, s.end, s.value) for s in steps] == [(20, 30, 20.0), (30, 40, 30.0)]
    steps = bench.store.series(SERVICE, D1, "oil", since=m(25)).steps
    assert [(s.start, s.end, s.fact.valid_from) for s in steps] == [(25, 30, 20), (30, 40, 30), (40, None, 40)]
    assert bench.store.series(SERVICE, D1, "oil", until=m(10)).steps == ()


def test_the_change_and_trend_of_a_series_are_of_its_span_and_of_what_was_known(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(D1, "oil", t / DAY, t) for t in (DAY, 2 * DAY)])
    bench.clock.advance(5)
    bench.store.assert_facts(SERVICE, [claim(D1, "oil", 9.0, 3 * DAY)])
    whole = bench.store.series(SERVICE, D1, "oil")
    before = bench.store.series(SERVICE, D1, "oil", known_at=m(NOW))
    assert (whole.change, whole.trend) == (8.0, pytest.approx(4.0))
    assert (before.change, before.trend) == (1.0, pytest.approx(1.0))
    assert bench.store.series(SERVICE, D1, "oil", until=m(2 * DAY)).change == 0.0


# --- ids ---------------------------------------------------------------------


def test_the_same_claim_again_has_the_same_id_and_adds_nothing(bench: Bench) -> None:
    first = bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 10, source="crm"), edge(C1, "owns", D1, 10)])
    bench.clock.advance(1)
    assert (
        bench.reopen().assert_facts(SERVICE, [claim(C1, "tier", "gold", 10, source="crm"), edge(C1, "owns", D1, 10)])
        == first
    )
    assert bench.store.stats(SERVICE).facts == 2


def test_ids_of_one_record_s_facts_stand_together_in_an_index(bench: Bench) -> None:
    facts = [claim(f"customer/c{i}", name, i, 10) for i in range(40) for name in ("age", "city", "tier")]
    ids = bench.store.assert_facts(SERVICE, facts)
    in_order = [facts[place].subject for place in sorted(range(len(ids)), key=ids.__getitem__)]
    turns = sum(one != other for one, other in pairwise(in_order))
    assert len(set(ids)) == len(facts)
    assert turns == 39


def test_a_source_may_correct_itself_back(bench: Bench) -> None:
    for value in ("gold", "basic", "gold"):
        bench.clock.advance(1)
        bench.store.assert_facts(SERVICE, [claim(C1, "tier", value, 10, source="crm")])
    assert bench.store.profile(SERVICE, C1).value("tier") == "gold"
    assert bench.store.stats(SERVICE).facts == 3


def test_a_source_that_repeats_itself_does_not_outvote_a_later_correction_by_another(bench: Bench) -> None:
    for source, value in (("crm", "gold"), ("erp", "basic"), ("crm", "gold")):
        bench.clock.advance(1)
        bench.store.assert_facts(SERVICE, [claim(C1, "tier", value, 10, source=source)])
    assert bench.store.profile(SERVICE, C1).value("tier") == "basic"


def test_a_claim_made_again_after_its_retraction_is_a_new_fact(bench: Bench) -> None:
    (first,) = bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 10)])
    bench.store.retract(SERVICE, [first], "wrong customer")
    bench.clock.advance(1)
    (second,) = bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 10)])
    assert second != first
    assert bench.store.profile(SERVICE, C1).values["tier"].id == second


def test_a_fact_carries_its_source_times_and_confidence(bench: Bench) -> None:
    told = claim(C1, "tier", {"level": 3}, 10, source="crm", confidence=0.8, recorded_at=m(77))
    (fact_id,) = bench.store.assert_facts(SERVICE, [told])
    fact = bench.reopen().profile(SERVICE, C1).values["tier"]
    assert (fact.id, fact.value, fact.source, fact.confidence) == (fact_id, {"level": 3}, "crm", 0.8)
    assert (fact.valid_from, fact.valid_to, fact.recorded_at) == (10, None, 77)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (claim("c1", "tier", 1, 10), "subject"),
        (edge(C1, "owns", "d 1", 10), "object"),
        (claim(C1, "", 1, 10), "name"),
        (claim(C1, "tier", 1, 10, valid_to=m(10)), "valid_to"),
        (claim(C1, "tier", 1, 10, confidence=1.5), "confidence"),
        (claim(C1, "tier", float("nan"), 10), "value"),
        (claim(C1, "tier", {1, 2}, 10), "value"),
        (replace(edge(C1, "owns", D1, 10), value=3), "value"),
    ],
)
def test_a_malformed_claim_names_its_place_and_the_batch_is_left_out(bench: Bench, bad: Assertion, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        bench.store.assert_facts(SERVICE, [claim(C1, "tier", "gold", 10), bad])
    assert caught.value.where == {"item": 1, "field": field}
    assert bench.store.stats(SERVICE).facts == 0


# --- relations ---------------------------------------------------------------


def test_a_neighbourhood_goes_both_ways_and_ends_with_its_edges(bench: Bench) -> None:
    bench.store.assert_facts(
        SERVICE,
        [edge(C1, "owns", D1, 10), edge(C2, "owns", D1, 10), edge(C2, "owns", D2, 10), edge(C1, "knows", C2, 30)],
    )
    assert bench.store.neighbourhood(SERVICE, D1, 1, m(20)).hops == {D1: 0, C1: 1, C2: 1}
    assert bench.store.neighbourhood(SERVICE, C1, 1, m(20)).hops == {C1: 0, D1: 1}
    assert bench.store.neighbourhood(SERVICE, C1, 2, m(20)).hops == {C1: 0, D1: 1, C2: 2}
    assert bench.store.neighbourhood(SERVICE, C1, 2).hops == {C1: 0, D1: 1, C2: 1, D2: 2}
    bench.store.assert_facts(SERVICE, [edge(C1, "owns", D1, 40, ended=True)])
    assert bench.store.neighbourhood(SERVICE, D1, 1).hops == {D1: 0, C2: 1}
    assert bench.store.neighbourhood(SERVICE, D1, 1, m(39)).hops == {D1: 0, C1: 1, C2: 1}
    assert bench.store.neighbourhood(SERVICE, "customer/none", 2).hops == {"customer/none": 0}


def test_a_neighbourhood_of_too_many_hops_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInput):
        bench.store.neighbourhood(SERVICE, C1, 99)


def test_a_hub_is_cut_and_says_so(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [edge(f"customer/{i}", "visits", "shop/s1", 10) for i in range(2_100)])
    assert bench.store.neighbourhood(SERVICE, "shop/s1").truncated
    assert not bench.store.neighbourhood(SERVICE, "customer/5").truncated


# --- purposes and tenants ----------------------------------------------------


def test_a_newer_fact_that_is_withheld_is_not_replaced_by_an_older_one(bench: Bench) -> None:
    only_service = frozenset({Purpose.SERVICE})
    bench.store.assert_facts(
        SERVICE,
        [
            claim(C1, "phone", "13800000001", 10),
            claim(C1, "phone", "13800000002", 20, purposes=only_service),
            claim(C1, "tier", "gold", 10),
            edge(C1, "owns", D1, 10, purposes=only_service),
        ],
    )
    assert bench.store.profile(SERVICE, C1).value("phone") == "13800000002"
    profile = bench.store.profile(MARKETING, C1)
    assert (dict(profile.values).keys(), profile.withheld) == ({"tier"}, 1)
    series = bench.store.series(MARKETING, C1, "phone")
    assert ([(s.start, s.end) for s in series.steps], series.withheld) == ([(10, 20)], 1)
    around = bench.store.neighbourhood(MARKETING, C1)
    assert (around.hops, around.withheld) == ({C1: 0}, 1)
    found = bench.store.find(MARKETING, "13800000002")
    assert (found.matches, found.withheld) == ((), 1)
    assert bench.store.find(SERVICE, "13800000002").subjects == (C1,)


def test_evidence_that_the_purpose_may_not_see_cannot_be_cited(bench: Bench) -> None:
    (fact,) = bench.store.assert_facts(SERVICE, [claim(C1, "x", 1, 10, purposes=frozenset({Purpose.SERVICE}))])
    assert bench.store.exists(SERVICE, fact)
    assert not bench.store.exists(MARKETING, fact)
    with pytest.raises(Forbidden):
        bench.store.explain(MARKETING, fact)


def test_the_catalog_s_limits_hold_at_every_read(bench: Bench) -> None:
    catalog = read_catalog(
        """
catalog: 1
objects: {customer: {attributes: {phone: {type: text, purposes: [service]}, tier: {type: text}}}, device: {}}
relations: {owns: {from: customer, to: device, purposes: [service]}}
events:
  call: {subject: customer, purposes: [service]}
  visit: {subject: customer, fields: {page: {type: text}, location: {type: text, purposes: [service]}}}
forecasts: {churn: {subject: customer, horizon: 7d, purposes: [retention]}}
"""
    ).catalog
    store = bench.reopen(CatalogLimits(lambda: catalog))
    store.assert_facts(
        SERVICE,
        [
            claim(C1, "phone", "1", 10),
            claim(C1, "tier", "x", 10),
            claim(C1, "churn", 0.5, 10),
            edge(C1, "owns", D1, 10),
        ],
    )
    visit = Event("e1", "visit", m(10), C1, {"page": "/", "location": "here"})
    store.record_events(SERVICE, [visit, Event("e2", "call", m(20), C1)])
    assert set(store.profile(SERVICE, C1).values) == {"phone", "tier"}
    assert set(store.profile(MARKETING, C1).values) == {"tier"}
    assert store.neighbourhood(MARKETING, C1).withheld == 1
    line = store.timeline(MARKETING, C1)
    assert ([(e.id, e.data) for e in line.events], line.withheld) == ([("e1", {"page": "/"})], 1)
    assert [e.id for e in store.timeline(SERVICE, C1).events] == ["e2", "e1"]
    assert store.exists(SERVICE, "e2")
    assert not store.exists(MARKETING, "e2")


def test_tenants_do_not_see_each_other(bench: Bench) -> None:
    other = replace(SERVICE, tenant=TenantId("t2"))
    (fact,) = bench.store.assert_facts(SERVICE, [claim(C1, "name", "王伟", 10)])
    bench.store.assert_facts(SERVICE, [edge(C1, "owns", D1, 10)])
    bench.store.record_events(SERVICE, [Event("e1", "visit", m(10), C1)])
    assert bench.store.profile(other, C1).values == {}
    assert bench.store.neighbourhood(other, C1).edges == ()
    assert bench.store.timeline(other, C1).events == ()
    assert bench.store.find(other, "王伟").matches == ()
    assert not bench.store.exists(other, fact)
    assert not bench.store.exists(other, "e1")
    assert (bench.store.stats(other).subjects, bench.store.stats(other).facts) == (0, 0)
    with pytest.raises(NotFound):
        bench.store.retract(other, [fact], "x")
    assert bench.store.assert_facts(other, [claim(C1, "name", "王伟", 10)]) != [fact]


# --- finding, timelines, explaining ------------------------------------------


def test_a_subject_is_found_by_name_phone_contract_or_id_however_written(bench: Bench) -> None:
    bench.store.assert_facts(
        SERVICE,
        [
            claim(C1, "name", "王伟", 10),
            claim(C1, "phone", "13812345678", 10),
            claim("contract/k1", "number", "HT-2026-0042", 10),
            claim(C2, "name", "Alice Smith", 10),
        ],
    )
    found = {text: bench.store.find(SERVICE, text).subjects for text in (
        "王伟", "138 1234 5678", "+86-138-1234-5678", "HT20260042", "ht-2026-0042", "alice  smith", "customer/c2", "c2",
    )}  # fmt: skip
    assert found == {
        "王伟": (C1,),
        "138 1234 5678": (C1,),
        "+86-138-1234-5678": (C1,),
        "HT20260042": ("contract/k1",),
        "ht-2026-0042": ("contract/k1",),
        "alice  smith": (C2,),
        "customer/c2": (C2,),
        "c2": (C2,),
    }
    assert bench.store.find(SERVICE, "HT-2026").subjects == ("contract/k1",)
    assert bench.store.find(SERVICE, " -- ").matches == ()
    assert bench.store.find(SERVICE, "nobody").matches == ()


def test_a_present_value_is_found_before_a_former_one(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(C1, "phone", "555", 10), claim(C1, "phone", "777", 20)])
    bench.store.assert_facts(SERVICE, [claim(C2, "phone", "555", 30)])
    matches = bench.store.find(SERVICE, "555").matches
    assert [(f.subject, f.current, f.exact) for f in matches] == [(C2, True, True), (C1, False, True)]


def test_a_timeline_is_newest_first_and_an_event_is_kept_once(bench: Bench) -> None:
    events = [Event(f"e{i}", "visit" if i % 2 else "call", m(i * 10), C1, {"n": i}, "web") for i in range(1, 6)]
    assert bench.store.record_events(SERVICE, events) == 5
    assert bench.store.record_events(SERVICE, events[2:]) == 0
    assert [e.id for e in bench.store.timeline(SERVICE, C1, 3).events] == ["e5", "e4", "e3"]
    assert [e.id for e in bench.store.timeline(SERVICE, C1, until=m(30), types=["visit"]).events] == ["e3", "e1"]
    assert bench.store.timeline(SERVICE, C1, 1).events[0] == events[-1]
    assert bench.store.exists(SERVICE, "e1")
    assert not bench.store.exists(SERVICE, "e9")


def test_explain_tells_what_became_of_a_fact(bench: Bench) -> None:
    ids = bench.store.assert_facts(
        SERVICE,
        [
            claim(C1, "tier", "basic", 10),
            claim(C1, "tier", "gold", 20),
            claim(C1, "coupon", "A", 10, valid_to=m(20)),
            claim(C1, "tier", "vip", NOW + 100),
            claim(C1, "mood", "bad", 10),
        ],
    )
    bench.store.retract(SERVICE, [ids[4]], "guess")
    told = [bench.store.explain(SERVICE, i) for i in ids]
    assert [e.status for e in told] == ["superseded", "current", "past", "future", "retracted"]
    assert told[0].by is not None
    assert told[0].by.id == ids[1]
    assert "guess" in told[4].says().en
    assert "撤回" in told[4].says().zh
    with pytest.raises(NotFound):
        bench.store.explain(SERVICE, "fact_none")


def test_each_change_leaves_an_audit_row_and_repeats_leave_none(bench: Bench) -> None:
    (fact,) = bench.store.assert_facts(SERVICE, [claim(C1, "tier", "basic", 10)])
    bench.store.assert_facts(SERVICE, [claim(C1, "tier", "basic", 10)])
    bench.store.record_events(SERVICE, [Event("e1", "visit", m(10), C1)])
    bench.store.retract(SERVICE, [fact], "x")
    with bench.audit() as session:
        actions = [row.action for row in session.exec(select(AuditRow).where(AuditRow.tenant == "t1"))]
        assert actions == ["graph.assert", "graph.record_events", "graph.retract"]
        assert first_broken(session, "t1") is None


# --- the oracle --------------------------------------------------------------


@dataclass
class _Row:
    claim: Assertion
    id: str
    recorded: int
    gone: int | None = None


class _Oracle:
    """The rules by brute force: a list of rows and a scan for each question."""

    def __init__(self) -> None:
        self.rows: list[_Row] = []

    def add(self, told: Assertion, now: int, fact_id: str) -> None:
        about = (told.subject, told.name, told.object, told.valid_from, told.source)
        same = [
            r
            for r in self.rows
            if r.gone is None
            and (r.claim.subject, r.claim.name, r.claim.object, r.claim.valid_from, r.claim.source) == about
        ]
        last = max(same, key=lambda r: (r.recorded, self.rows.index(r)), default=None)
        if last is not None and last.claim == told:
            assert fact_id == last.id
            return
        assert fact_id not in {r.id for r in self.rows}
        self.rows.append(_Row(told, fact_id, now))

    def value(self, subject: str, name: str, obj: str | None, at: int, known: int | None) -> Assertion | None:
        best: tuple[tuple[int, int, int], Assertion] | None = None
        for place, row in enumerate(self.rows):
            c = row.claim
            if (c.subject, c.name, c.object) != (subject, name, obj):
                continue
            if known is None:
                if row.gone is not None:
                    continue
            elif row.recorded > known or (row.gone is not None and row.gone <= known):
                continue
            if c.valid_from > at or (c.valid_to is not None and c.valid_to <= at):
                continue
            rank = (c.valid_from, row.recorded, place)
            if best is None or rank > best[0]:
                best = (rank, c)
        return best[1] if best else None


_moments = st.integers(0, 8)
_subjects = st.sampled_from([C1, C2])


@st.composite
def _claims(draw: st.DrawFn) -> Assertion:
    start = draw(_moments)
    end = draw(st.none() | st.integers(start + 1, 9))
    source = draw(st.sampled_from(["crm", "erp"]))
    if draw(st.booleans()):
        value = draw(st.none() | st.sampled_from(["a", "b", 3]))
        return claim(draw(_subjects), draw(st.sampled_from(["p", "q"])), value, start, valid_to=end, source=source)
    obj, ended = draw(st.sampled_from([D1, D2])), draw(st.booleans())
    return edge(draw(_subjects), "owns", obj, start, valid_to=end, source=source, ended=ended)


_histories = st.lists(
    st.one_of(st.lists(_claims(), min_size=1, max_size=5), st.integers(0, 30)), min_size=1, max_size=6
)


@given(history=_histories, at=st.integers(0, 10), known=st.none() | st.integers(NOW - 1, NOW + 8))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_histories_read_as_the_oracle_says(
    embedded: Bench, history: list[Any], at: int, known: int | None
) -> None:
    ctx = replace(SERVICE, tenant=TenantId(f"h{embedded.clock.now()}"))
    start = embedded.clock.now()
    shift = start - NOW
    oracle = _Oracle()
    for step in history:
        embedded.clock.advance(1)
        now = embedded.clock.now()
        if isinstance(step, list):
            for told, fact_id in zip(step, embedded.store.assert_facts(ctx, step), strict=True):
                oracle.add(told, now, fact_id)
        elif oracle.rows:
            row = oracle.rows[step % len(oracle.rows)]
            embedded.store.retract(ctx, [row.id], "x")
            row.gone = now if row.gone is None else row.gone
    moment, seen = m(at), None if known is None else m(known + shift)
    for subject in (C1, C2):
        expected = {p: oracle.value(subject, p, None, at, seen) for p in ("p", "q")}
        values = {p: c.value for p, c in expected.items() if c is not None and c.value is not None}
        profile = embedded.store.profile(ctx, subject, moment, seen)
        assert {p: f.value for p, f in profile.values.items()} == values
        for name in ("p", "q"):
            whole = embedded.store.series(ctx, subject, name, known_at=seen).steps
            part = embedded.store.series(ctx, subject, name, m(2), m(7), seen).steps
            for t in range(11):
                told = oracle.value(subject, name, None, t, seen)
                here = [] if told is None or told.value is None else [told.value]
                assert [s.value for s in whole if s.start <= t and (s.end is None or t < s.end)] == here
                within = here if 2 <= t < 7 else []
                assert [s.value for s in part if s.start <= t and (s.end is None or t < s.end)] == within
        owned = {d for d in (D1, D2) if (c := oracle.value(subject, "owns", d, at, seen)) and not c.ended}
        assert embedded.store.neighbourhood(ctx, subject, 1, moment, seen).hops.keys() == {subject, *owned}
    embedded.clock.set(start + 100)


def test_the_records_of_a_type_are_counted_whatever_they_are_known_by(bench: Bench) -> None:
    bench.store.assert_facts(
        SERVICE, [claim(C1, "tier", "vip", 1), edge(C2, "owns", D1, 1), claim("customers/x", "p", 1, 1)]
    )
    bench.store.record_events(SERVICE, [Event("e1", "visit", m(1), C3)])
    other = replace(SERVICE, tenant=TenantId("t2"))
    assert [bench.store.count(SERVICE, kind) for kind in ("customer", "device", "store")] == [3, 1, 0]
    assert bench.store.count(other, "customer") == 0
