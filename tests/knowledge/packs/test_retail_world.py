"""The demo world: the same from the same seed, in the catalog's words, and large enough to show things on."""

from __future__ import annotations

from collections import Counter

import pytest

from core.errors import InvalidInput
from core.times import HOUR, Micros, parse_time
from knowledge.catalog import check_event, check_fact, check_relation
from knowledge.packs.retail import World, catalog, strategies, world

ANCHOR = parse_time("2026-05-20T10:30:00+08:00")


@pytest.fixture(scope="module")
def demo() -> World:
    return world(7, anchor=ANCHOR)


def test_the_catalog_reads_without_a_warning() -> None:
    assert catalog().warnings == ()


def test_no_two_things_of_the_catalog_share_a_word() -> None:
    known = catalog().catalog
    owners: dict[str, set[str]] = {}
    for room in ("objects", "events", "metrics", "forecasts", "places", "actions", "relations"):
        for item_id, item in getattr(known, room).items():
            parts = {**getattr(item, "attributes", {}), **getattr(item, "fields", {})}
            words = {item_id: item.labels.all(), **{f"{item_id}.{n}": p.labels.all() for n, p in parts.items()}}
            for part, attribute in parts.items():
                words.update({f"{item_id}.{part}={v}": labels.all() for v, labels in attribute.values.items()})
            for owner, labels in words.items():
                for word in labels:
                    owners.setdefault(word.lower(), set()).add(owner)
    assert {w: o for w, o in owners.items() if len(o) > 1} == {}


def test_the_same_seed_and_anchor_give_the_same_world(demo: World) -> None:
    assert world(7, anchor=ANCHOR) == demo


def test_another_seed_gives_another_world(demo: World) -> None:
    assert world(8, anchor=ANCHOR, customers=300).customers != demo.customers[:300]


def test_the_world_is_as_large_as_promised(demo: World) -> None:
    assert len(demo.customers) == 600
    assert len(demo.events) >= 30_000
    assert len(demo.tickets) >= 240
    assert len(demo.transcripts) >= 72
    assert sum(d.kind == "faq" for d in demo.documents) >= 24
    assert len(demo.documents) >= 40
    assert {len({t.skeleton for t in demo.tickets if t.lang == lang}) >= 40 for lang in ("zh", "en")} == {True}


def test_every_input_passes_the_catalog_check_unchanged(demo: World) -> None:
    known = catalog().catalog
    assert all(check_event(e, known) == e for e in demo.events)
    assert all(check_fact(f, known) == f for f in demo.facts)
    assert all(check_relation(r, known) == r for r in demo.relations)


def test_ids_are_unique_and_inputs_are_in_order_before_the_anchor(demo: World) -> None:
    assert max(Counter(e.id for e in demo.events).values()) == 1
    assert max(Counter(t.id for t in demo.tickets).values()) == 1
    assert max(Counter(d.id for d in demo.documents).values()) == 1
    times = [i.time for i in demo.inputs()]
    assert times == sorted(times)
    assert times[-1] < ANCHOR
    assert all(i.time > ANCHOR for i in demo.live)


def test_what_a_letter_mentions_stands_where_it_says(demo: World) -> None:
    for ticket in demo.tickets:
        for mention in ticket.mentions:
            assert ticket.text[mention.start : mention.start + len(mention.value)] == mention.value


def test_no_slot_is_left_open_in_any_text(demo: World) -> None:
    texts = [t.text + t.subject for t in demo.tickets] + [t.text for t in demo.transcripts]
    texts += [d.text + d.title for d in demo.documents]
    assert not [t for t in texts if "{" in t or "}" in t]


def test_the_breach_follows_from_contract_and_clock(demo: World) -> None:
    breach = demo.truths.breach
    contract = next(c for c in demo.contracts if c.number == breach.contract)
    document = next(d for d in demo.documents if d.id == breach.document)
    letter = next(t for t in demo.tickets if t.id == breach.ticket)
    complaint = next(e for e in demo.events if e.id == breach.complaint_event)
    assert demo.customer(breach.customer).tier == "vip"
    assert contract.owner == breach.customer == complaint.subject == letter.customer
    assert breach.device in contract.devices
    assert breach.due == complaint.time + contract.response_hours * HOUR < ANCHOR
    assert not [e for e in demo.events if e.type == "complaint.resolved" and e.subject == breach.customer]
    assert breach.clause in document.text
    assert breach.contract in letter.text
    assert breach.amount == pytest.approx(contract.annual_fee * 0.04)  # 26 hours late: two days begun, 2% each


def test_the_namesakes_share_a_name_and_nothing_else(demo: World) -> None:
    one, other = (demo.customer(s) for s in demo.truths.namesakes)
    assert one.name == other.name
    assert (one.city, one.phone) != (other.city, other.phone)
    shared = [name for name, n in Counter(c.name for c in demo.customers).items() if n > 1]
    assert shared == [one.name]


def test_hostile_letters_go_to_a_person(demo: World) -> None:
    hostile = [t for t in demo.tickets if t.id in demo.truths.hostile_tickets]
    assert {t.lang for t in hostile} == {"zh", "en"}
    assert {t.route for t in hostile} == {"person"}


def test_the_stories_of_the_cast_are_in_the_letters(demo: World) -> None:
    by_id = {t.id: t for t in demo.tickets}
    assert by_id[demo.truths.leaver_ticket].customer == demo.truths.leaver
    assert by_id[demo.truths.leaver_ticket].route == "churn"
    assert demo.truths.renewer_contract in by_id[demo.truths.renewer_ticket].text
    assert demo.customer(demo.truths.leaver).tier == "vip"


def test_ready_strategies_speak_both_languages() -> None:
    ready = strategies()
    assert len({s.name for s in ready}) == len(ready) == 8
    assert ready[0].reach_seconds == 3
    assert all(s.sentence.zh and s.sentence.en for s in ready)


def test_too_few_customers_are_refused() -> None:
    with pytest.raises(InvalidInput, match="too few"):
        world(7, anchor=ANCHOR, customers=50)


def test_the_world_holds_at_any_hour_of_the_day() -> None:
    for clock in ("00:00:00", "23:59:59"):
        small = world(3, anchor=parse_time(f"2026-03-01T{clock}+08:00"), customers=300)
        assert small.truths.fires
        assert all(f.at <= Micros(small.anchor) for f in small.truths.fires)
