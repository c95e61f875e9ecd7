"""What every graph backend forgets: what is old enough, and who is named in the records of others."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from core.audit import AuditRow
from core.events import Event
from knowledge.graph import SameAs
from knowledge.graph.model import Outdated
from tests.graphs import C1, C2, C3, D1, SERVICE, Bench, claim, edge, m

PHONE = "13812345678"


def _event(number: int, kind: str, at: int, **data: Any) -> Event:
    return Event(f"e{number}", kind, m(at), C1, data, "shop")


def _without(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(PHONE, "somebody")
    return {k: _without(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_old_events_of_a_type_go_and_others_stay(bench: Bench) -> None:
    bench.store.record_events(SERVICE, [_event(1, "visit", 10), _event(2, "visit", 20), _event(3, "order", 10)])
    old = [Outdated("visit", m(20))]
    assert bench.store.let_go(SERVICE, old, dry_run=True) == [1]
    assert bench.store.let_go(SERVICE, old) == [1]
    assert [e.id for e in bench.store.timeline(SERVICE, C1).events] == ["e2", "e3"]
    assert bench.store.let_go(SERVICE, old) == [0]


def test_values_that_were_replaced_before_the_moment_go_with_their_lookups(bench: Bench) -> None:
    bench.store.assert_facts(
        SERVICE,
        [
            *(claim(C1, "tier", tier, since) for tier, since in (("basic", 10), ("gold", 20), ("vip", 40))),
            *(claim(C2, "tier", "basic", 10), claim(C1, "city", "here", 10), edge(C1, "owns", D1, 10)),
            *(claim("device/c", "tier", "basic", 10), claim("device/c", "tier", "gold", 20)),
        ],
    )
    assert bench.store.let_go(SERVICE, [Outdated("tier", m(30), "customer")]) == [1]
    assert [s.value for s in bench.store.series(SERVICE, C1, "tier").steps] == ["gold", "vip"]
    assert [s.value for s in bench.store.series(SERVICE, "device/c", "tier").steps] == ["basic", "gold"]
    assert bench.store.profile(SERVICE, C2).value("tier") == "basic"
    assert {match.subject for match in bench.store.find(SERVICE, "basic").matches} == {C2, "device/c"}
    assert [f.object for f in bench.store.neighbourhood(SERVICE, C1).edges] == [D1]


def test_letting_go_says_in_the_audit_log_how_many_of_what(bench: Bench) -> None:
    bench.store.record_events(SERVICE, [_event(1, "visit", 10)])
    bench.store.let_go(SERVICE, [Outdated("visit", m(20)), Outdated("order", m(20))])
    with bench.audit() as session:
        (row,) = session.exec(select(AuditRow).where(AuditRow.action == "graph.let_go"))
    assert (row.target, row.detail["visit"]) == ("1 records", 1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_read_from_the_moment_on_sees_that_something_went(embedded: Bench, data: st.DataObject) -> None:
    _hold_letting_go_to_its_promise(embedded, data)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_read_sees_that_something_went_on_any_backend(bench: Bench, data: st.DataObject) -> None:
    _hold_letting_go_to_its_promise(bench, data)


def _hold_letting_go_to_its_promise(bench: Bench, data: st.DataObject) -> None:
    """Whatever holds at the moment or later still does; what could be told apart only before it is gone."""
    subject, moment = f"customer/{data.draw(st.uuids())}", 50
    for _ in range(data.draw(st.integers(1, 8))):
        since = data.draw(st.integers(0, 80))
        until = data.draw(st.none() | st.integers(since + 1, 100))
        (fact,) = bench.store.assert_facts(
            SERVICE,
            [claim(subject, "tier", data.draw(st.sampled_from("abc")), since, valid_to=until and m(until))],
        )
        if data.draw(st.booleans()):
            bench.store.retract(SERVICE, [fact], "wrong", m(data.draw(st.integers(0, 100))))

    def seen() -> list[Any]:
        return [
            (at, bench.store.profile(SERVICE, subject, m(at)).value("tier") if holds else None)
            for at in range(moment, 101, 10)
            for holds in ["tier" in bench.store.profile(SERVICE, subject, m(at)).values]
        ]

    before = seen()
    counted = bench.store.let_go(SERVICE, [Outdated("tier", m(moment), "customer")], dry_run=True)
    assert bench.store.let_go(SERVICE, [Outdated("tier", m(moment), "customer")]) == counted
    assert seen() == before


def test_whoever_is_named_in_the_records_of_others_is_named_there_no_more(bench: Bench) -> None:
    (kept, gone, own) = bench.store.assert_facts(
        SERVICE,
        [
            claim(C1, "contact", PHONE, 10),
            claim(C1, "note", {"call": f"ring {PHONE}"}, 10),
            claim(C2, "phone", PHONE, 10),
        ],
    )
    bench.store.retract(SERVICE, [gone], f"it was {PHONE}'s")
    bench.store.record_events(SERVICE, [_event(1, "visit", 10, with_whom=PHONE)])
    (merge,) = bench.store.merge(SERVICE, [SameAs(C1, C3, f"both said {PHONE}", {"phone": PHONE})])
    bench.store.unmerge(SERVICE, [merge], f"{PHONE} said no")
    asked = (SERVICE, [PHONE], _without, [C2])
    assert bench.store.redact(*asked, dry_run=True) == 5
    assert bench.store.redact(*asked) == 5
    assert PHONE not in str(bench.store.export(SERVICE, C1))
    assert bench.store.explain(SERVICE, kept).fact.value == "somebody"
    assert bench.store.explain(SERVICE, own).fact.value == PHONE
    assert [x.subject for x in bench.store.find(SERVICE, PHONE).matches] == [C2]
    assert [x.subject for x in bench.store.find(SERVICE, "somebody").matches] == [C1]
    assert bench.store.redact(*asked) == 0
