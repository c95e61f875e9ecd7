"""What every graph backend must do with merged records, with a customer's export and with erasure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.context import Purpose
from core.errors import InvalidInput, NotFound
from core.events import Event
from core.ids import TenantId
from knowledge.catalog import read_catalog
from knowledge.graph import CatalogLimits, GraphStore, SameAs
from tests.graphs import C1, C2, C3, C4, COMPLIANCE, D1, D2, MARKETING, NOW, SERVICE, Bench, claim, edge, m


def same(kept: str, gone: str, reason: str = "phone") -> SameAs:
    return SameAs(kept, gone, reason, {"phone": "138"})


def test_a_read_of_either_record_answers_for_both_under_the_kept_id(bench: Bench) -> None:
    store = bench.store
    store.assert_facts(
        SERVICE, [claim(C1, "name", "王伟", 10), claim(C2, "phone", "555", 10), edge(C2, "owns", D1, 10)]
    )
    store.record_events(SERVICE, [Event("e1", "visit", m(10), C1), Event("e2", "visit", m(20), C2)])
    store.merge(SERVICE, [same(C1, C2)])
    for asked in (C1, C2):
        profile = store.profile(SERVICE, asked)
        assert (profile.subject, profile.value("name"), profile.value("phone")) == (C1, "王伟", "555")
        assert store.neighbourhood(SERVICE, asked).hops == {C1: 0, D1: 1}
        assert [e.id for e in store.timeline(SERVICE, asked).events] == ["e2", "e1"]
    assert store.neighbourhood(SERVICE, D1).hops == {D1: 0, C1: 1}
    assert store.find(SERVICE, "555").subjects == store.find(SERVICE, "customer/c2").subjects == (C1,)
    assert store.series(SERVICE, C1, "phone").steps[0].fact.subject == C2


def test_merges_chain_and_the_first_kept_id_stays(bench: Bench) -> None:
    bench.store.merge(SERVICE, [same(C2, C3), same(C1, C3), same(C1, C4)])
    who = bench.store.identity(SERVICE, C3)
    assert (who.canonical, who.members, len(who.merges)) == (C1, (C1, C2, C3, C4), 3)
    assert who.merges[0].claim.evidence == {"phone": "138"}
    assert bench.store.identity(SERVICE, "customer/x").members == ("customer/x",)


def test_a_merge_that_is_withdrawn_leaves_what_other_merges_say(bench: Bench) -> None:
    first, _ = bench.store.merge(SERVICE, [same(C1, C2), same(C2, C3)])
    assert bench.store.unmerge(SERVICE, [first], "two people") == 1
    assert bench.store.unmerge(SERVICE, [first], "again") == 0
    assert bench.store.identity(SERVICE, C1).members == (C1,)
    assert bench.store.identity(SERVICE, C3).members == (C2, C3)
    with pytest.raises(NotFound, match="merge_none"):
        bench.store.unmerge(SERVICE, ["merge_none"], "x")


def test_the_same_merge_again_adds_nothing_and_after_a_withdrawal_is_new(bench: Bench) -> None:
    (first,) = bench.store.merge(SERVICE, [same(C1, C2)])
    assert bench.store.merge(SERVICE, [same(C1, C2)]) == [first]
    bench.store.unmerge(SERVICE, [first], "x")
    (second,) = bench.store.merge(SERVICE, [same(C1, C2)])
    assert second != first
    assert bench.store.identity(SERVICE, C2).canonical == C1


def test_a_merge_counts_from_when_it_was_known(bench: Bench) -> None:
    bench.store.assert_facts(SERVICE, [claim(C2, "phone", "555", 10)])
    (merge,) = bench.store.merge(SERVICE, [same(C1, C2)], m(NOW + 10))
    bench.store.unmerge(SERVICE, [merge], "x", m(NOW + 20))
    values = {at: bench.store.profile(SERVICE, C1, known_at=m(NOW + at)).value("phone") for at in (9, 10, 19, 20)}
    assert values == {9: None, 10: "555", 19: "555", 20: None}


@pytest.mark.parametrize(("kept", "gone", "field"), [(C1, C1, "gone"), (C1, D1, "gone"), ("c1", C2, "kept")])
def test_what_cannot_be_one_customer_is_refused(bench: Bench, kept: str, gone: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        bench.store.merge(SERVICE, [same(C1, C2), same(kept, gone)])
    assert caught.value.where == {"item": 1, "field": field}
    assert bench.store.identity(SERVICE, C1).members == (C1,)


def test_records_that_disagree_keep_their_values_and_tell_why_one_survives(bench: Bench) -> None:
    catalog = read_catalog(
        "catalog: 1\nobjects: {customer: {attributes: {phone: {type: text, sources: [crm, shop]}, tier: {type: text}}}}"
    ).catalog
    store = bench.reopen(CatalogLimits(lambda: catalog))
    told = [
        claim(C1, "phone", "111", 10, source="crm"),
        claim(C2, "phone", "222", 30, source="shop"),
        claim(C1, "tier", "basic", 10),
        claim(C2, "tier", "gold", 20, purposes=frozenset({Purpose.SERVICE})),
        claim(C1, "city", "上海", 10),
        claim(C2, "city", None, 20),
    ]
    ids = store.assert_facts(SERVICE, told)
    store.merge(SERVICE, [same(C1, C2)])
    profile = store.profile(SERVICE, C1)
    assert {n: f.value for n, f in profile.values.items()} == {"phone": "111", "tier": "gold", "city": "上海"}
    assert {n: [f.value for f in c.others] for n, c in profile.conflicts.items()} == {
        "phone": ["222"],
        "tier": ["basic"],
    }
    assert "crm is trusted over shop" in profile.conflicts["phone"].why.en
    assert "began last" in profile.conflicts["tier"].why.en
    assert "crm is trusted over shop" in store.explain(SERVICE, ids[1]).says().en
    assert store.explain(SERVICE, ids[0]).status == "current"
    assert [(s.start, s.value) for s in store.series(SERVICE, C1, "tier").steps] == [(10, "basic"), (20, "gold")]
    other = store.profile(MARKETING, C2)
    assert (other.value("tier"), other.withheld, list(other.conflicts)) == (None, 1, ["phone"])


def test_an_export_has_everything_and_withholds_nothing_from_compliance(bench: Bench) -> None:
    ids = bench.store.assert_facts(
        SERVICE,
        [
            claim(C1, "tier", "gold", 10, purposes=frozenset({Purpose.SERVICE})),
            claim(C2, "tier", "basic", 10),
            edge(C3, "knows", C2, 10),
            claim(C3, "tier", "vip", 10),
        ],
    )
    bench.store.retract(SERVICE, [ids[1]], "typing error")
    bench.store.record_events(SERVICE, [Event("e1", "visit", m(10), C2, {"page": "x"})])
    bench.store.merge(SERVICE, [same(C1, C2)])
    export = bench.store.export(COMPLIANCE, C2)
    assert (export.subject, export.members) == (C1, (C1, C2))
    assert [f.id for f in export.facts] == ids[:3]
    assert export.retractions[ids[1]].reason == "typing error"
    assert ([e.data for e in export.events], len(export.merges), export.withheld) == ([{"page": "x"}], 1, 0)
    assert bench.store.export(MARKETING, C1).withheld == 1


def test_erasure_counts_first_and_then_leaves_no_trace_of_any_record(bench: Bench) -> None:
    store = bench.store
    told = [
        claim(C1, "name", "Planted", 10),
        claim(C2, "phone", "555", 10),
        edge(C2, "owns", D1, 10),
        edge(C3, "knows", C1, 10),
    ]
    kept = store.assert_facts(SERVICE, [claim(C3, "name", "Other", 10)])
    ids = store.assert_facts(SERVICE, told)
    store.retract(SERVICE, [ids[3]], "x")
    store.record_events(SERVICE, [Event("e1", "visit", m(10), C2), Event("e2", "visit", m(10), C3)])
    store.merge(SERVICE, [same(C1, C2)])
    planned = store.erase(SERVICE, C2, dry_run=True)
    assert store.profile(SERVICE, C1).value("name") == "Planted"
    assert (planned.rows["facts"], planned.rows["events"], planned.rows["merges"], planned.dry_run) == (4, 1, 1, True)
    done = store.erase(SERVICE, C2)
    assert (dict(done.rows), done.members) == (dict(planned.rows), (C1, C2))
    for subject in (C1, C2):
        left = store.export(COMPLIANCE, subject)
        assert (left.members, left.facts, left.events, left.merges) == ((subject,), (), (), ())
    assert store.find(SERVICE, "Planted").matches == store.find(SERVICE, "c1").matches == ()
    assert store.neighbourhood(SERVICE, C3).hops == {C3: 0}
    assert store.neighbourhood(SERVICE, D1).hops == {D1: 0}
    assert store.exists(SERVICE, kept[0])
    assert store.exists(SERVICE, "e2")
    assert store.find(SERVICE, "d1").matches == ()
    assert set(store.erase(SERVICE, C2).rows.values()) == {0}


def test_another_tenant_neither_merges_nor_erases(bench: Bench) -> None:
    other = replace(COMPLIANCE, tenant=TenantId("t2"))
    bench.store.assert_facts(SERVICE, [claim(C1, "name", "A", 10)])
    bench.store.merge(other, [same(C1, C2)])
    assert bench.store.identity(SERVICE, C2).members == (C2,)
    bench.store.erase(other, C2)
    assert bench.store.profile(SERVICE, C1).value("name") == "A"


# --- merge → unmerge ---------------------------------------------------------

_RECORDS = (C1, C2, C3, C4)
_told = st.one_of(
    st.builds(
        claim,
        st.sampled_from(_RECORDS),
        st.sampled_from(["p", "q"]),
        st.none() | st.sampled_from(["a", "b"]),
        st.integers(0, 6),
        source=st.sampled_from(["crm", "erp"]),
    ),
    st.builds(
        edge,
        st.sampled_from(_RECORDS),
        st.just("owns"),
        st.sampled_from([D1, D2, C1]),
        st.integers(0, 6),
        ended=st.booleans(),
    ),
)
_pairs = st.lists(
    st.tuples(st.sampled_from(_RECORDS), st.sampled_from(_RECORDS)).filter(lambda p: p[0] != p[1]), max_size=4
)


def _everything(store: GraphStore, ctx: Any, known_at: Any = None) -> str:
    """All that reads answer, as text: equal texts are bit-identical answers."""
    reads: list[Callable[[str], object]] = [
        lambda s: [store.profile(ctx, s, m(at), known_at) for at in (3, 9)],
        lambda s: [store.series(ctx, s, name, known_at=known_at) for name in ("p", "q")],
        lambda s: store.neighbourhood(ctx, s, 2, m(9), known_at),
        lambda s: store.timeline(ctx, s),
        lambda s: store.find(ctx, s),
        lambda s: replace(store.export(ctx, s), merges=()),
        lambda s: store.identity(ctx, s, known_at),
    ]
    return "\n".join(repr(read(subject)) for subject in (*_RECORDS, D1) for read in reads)


def _merge(store: GraphStore, ctx: Any, pairs: Sequence[tuple[str, str]], reason: str) -> list[str]:
    return store.merge(ctx, [same(kept, gone, reason) for kept, gone in pairs])


@given(told=st.lists(_told, min_size=1, max_size=8), before=_pairs, tried=_pairs)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merging_and_unmerging_is_bit_identical_to_never_having_merged(
    embedded: Bench, told: list[Any], before: list[tuple[str, str]], tried: list[tuple[str, str]]
) -> None:
    ctx = replace(COMPLIANCE, tenant=TenantId(f"m{embedded.clock.now()}"))
    store = embedded.store
    store.assert_facts(ctx, told)
    store.record_events(ctx, [Event(f"e{i}", "visit", m(i), s) for i, s in enumerate(_RECORDS)])
    _merge(store, ctx, before, "before")
    known = embedded.clock.now()
    was = _everything(store, ctx), _everything(store, ctx, known)
    embedded.clock.advance(10)
    merges = _merge(store, ctx, tried, "tried")
    embedded.clock.advance(10)
    store.unmerge(ctx, merges, "two people")
    assert (_everything(store, ctx), _everything(store, ctx, known)) == was
