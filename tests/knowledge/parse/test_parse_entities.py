"""Entities: what they mean, and that they stand exactly where they say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import parse_time
from knowledge.packs.retail import World, world
from knowledge.parse import Entity, Vocabulary, retail_vocabulary
from knowledge.parse.dates import resolve
from knowledge.parse.entities import find_entities


def only(text: str, kind: str) -> Entity:
    found = [e for e in find_entities(text, retail_vocabulary()) if e.kind == kind]
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def demo() -> World:
    return world(7, anchor=parse_time("2026-05-20T10:30:00+08:00"))


def test_every_mention_of_the_demo_letters_is_found_in_its_place(demo: World) -> None:
    known = retail_vocabulary().with_customers((c.subject, c.name) for c in demo.customers)
    for ticket in demo.tickets:
        found = {(e.kind, e.start, e.end) for e in find_entities(ticket.text, known)}
        wanted = {(m.kind, m.start, m.start + len(m.value)) for m in ticket.mentions}
        assert wanted <= found, ticket.text


@pytest.mark.parametrize(
    ("text", "kind", "piece", "value"),
    [
        ("合同LZ-2025-00123快到期", "contract", "LZ-2025-00123", "LZ-2025-00123"),
        ("our contract no. 88-2231-07 ends", "contract", "88-2231-07", "88-2231-07"),
        ("订单DD202605011234没到", "order", "DD202605011234", "DD202605011234"),
        ("order number 4711000 is late", "order", "4711000", "4711000"),
        ("电话 138-1234-5678", "phone", "138-1234-5678", "13812345678"),
        ("call +86 13812345678", "phone", "+86 13812345678", "13812345678"),
        ("座机021-62345678", "phone", "021-62345678", "02162345678"),
        ("扣了1,280.50元", "amount", "1,280.50元", 1280.5),
        ("扣了１２８元", "amount", "１２８元", 128.0),
        ("便宜两百块", "amount", "两百块", 200.0),
        ("预算3万元", "amount", "3万元", 30000.0),
        ("预算三千五百元", "amount", "三千五百元", 3500.0),
        ("it cost ¥2,560 in all", "amount", "¥2,560", 2560.0),
        ("billed CNY 66 for it", "amount", "CNY 66", 66.0),
        ("about 30 dollars", "amount", "30 dollars", 30.0),
        ("八五折就签", "discount", "八五折", 15.0),
        ("打9折", "discount", "9折", 10.0),
        ("15% off would do", "discount", "15% off", 15.0),
        ("at ten percent off", "discount", "ten percent off", 10.0),
        ("2026年5月3日", "date", "2026年5月3日", "2026-05-03"),
        ("5月3号", "date", "5月3号", "--05-03"),
        ("due on 2026-05-03.", "date", "2026-05-03", "2026-05-03"),
        ("June 7, 2026 at noon", "date", "June 7, 2026", "2026-06-07"),
        ("on 7th of June", "date", "7th of June", "--06-07"),
        ("明天来", "date", "明天", "+1d"),
        ("by Friday", "date", "Friday", "weekday:5"),
        ("下周二联系", "date", "下周二", "next_weekday:2"),
        ("晨雾m2漏水", "product", "晨雾m2", "chenwu_m2"),
        ("two oat lattes please", "product", "oat latte", "oat_latte"),
        ("the Qing’an W3 beeps", "product", "Qing’an W3", "qingan_w3"),
        ("序列号CW250112345", "serial", "CW250112345", "CW250112345"),
        ("我是陆知行，想问", "customer", "陆知行", None),
        ("my name is Ruth Quill.", "customer", "Ruth Quill", None),
        ("look at c0042 please", "customer", "c0042", "customer/c0042"),
    ],
)
def test_a_piece_is_read_as_what_it_is(text: str, kind: str, piece: str, value: str | float | None) -> None:
    entity = only(text, kind)
    assert (entity.text, entity.value) == (piece, value)
    assert text[entity.start : entity.end] == piece


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("room 13812345678901", "phone"),
        ("flatter than before, latter half", "product"),
        ("2026年13月45日", "date"),
        ("you may 20 times", "date"),
        ("第3折页", "discount"),
        ("ABLZ-2025-00123-9", "contract"),
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str, kind: str) -> None:
    assert not [e for e in find_entities(text, retail_vocabulary()) if e.kind == kind]


def test_a_name_that_two_customers_share_is_found_but_not_decided(demo: World) -> None:
    known = Vocabulary().with_customers((c.subject, c.name) for c in demo.customers)
    one = demo.customer(demo.truths.swiper)
    shared, unique = find_entities(f"王芳和{one.name}", known)
    assert (shared.kind, shared.text, shared.value) == ("customer", "王芳", None)
    assert unique.value == one.subject


def test_adding_customers_leaves_the_shared_vocabulary_alone() -> None:
    retail_vocabulary().with_customers([("customer/x", "Nobody Inparticular")])
    assert not find_entities("Nobody Inparticular", retail_vocabulary())


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("+1d", "2026-05-21"),
        ("month_end", "2026-05-31"),
        ("weekday:5", "2026-05-22"),
        ("weekday:3", "2026-05-20"),
        ("weekday:1", "2026-05-25"),
        ("next_weekday:2", "2026-05-26"),
        ("last_weekday:7", "2026-05-17"),
        ("--05-03", "2026-05-03"),
        ("--12-30", "2025-12-30"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_a_date_resolves_against_the_day_of_writing(value: str, day: str) -> None:
    assert resolve(value, date(2026, 5, 20)) == day  # a Wednesday


def test_a_leap_day_without_a_year_resolves_to_the_nearest_leap_year() -> None:
    assert resolve("--02-29", date(2027, 6, 1)) == "2028-02-29"


@given(st.text(alphabet="王芳a1元合同号LZ-20250订单DD2￥¥$5月3日折，,. \n１２latte138周五%", max_size=80))
def test_entities_never_overlap_and_always_quote_the_text(text: str) -> None:
    end = 0
    for entity in find_entities(text, retail_vocabulary()):
        assert entity.start >= end
        assert text[entity.start : entity.end] == entity.text != ""
        end = entity.end
