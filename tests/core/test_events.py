"""Reading CloudEvents, facts and relations from JSON."""

from typing import Any

import pytest

from core.errors import InvalidInput
from core.events import Event, Fact, Relation, read_event, read_fact
from core.times import parse_time

GOOD: dict[str, Any] = {"id": "e1", "type": "app.login", "time": "2026-05-01T00:00:00Z", "subject": "customer/c1"}


def test_the_four_attributes_are_enough() -> None:
    assert read_event(GOOD) == Event("e1", "app.login", parse_time("2026-05-01T00:00:00Z"), "customer/c1", {}, "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"type": None}, "type"),
        ({"time": "2026-05-01T00:00:00"}, "time"),
        ({"subject": "c1"}, "subject"),
        ({"subject": "customer/"}, "subject"),
        ({"subject": "customer/c1\n"}, "subject"),
        ({"data": [1]}, "data"),
        ({"specversion": "0.3"}, "specversion"),
    ],
)
def test_each_bad_attribute_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_event({**GOOD, **change})
    assert caught.value.where["field"] == field


def test_events_are_ordered_by_time_then_id() -> None:
    early = read_event({**GOOD, "id": "z"})
    tie = read_event({**GOOD, "id": "a"})
    late = read_event({**GOOD, "id": "0", "time": "2026-05-01T00:00:01Z"})
    assert [e.id for e in sorted([late, early, tie], key=lambda e: e.order)] == ["a", "z", "0"]


def test_a_fact_and_a_relation_are_told_apart() -> None:
    start = "2026-05-01T00:00:00Z"
    fact = read_fact({"subject": "customer/c1", "property": "tier", "value": "vip", "from": start})
    relation = read_fact({"subject": "customer/c1", "relation": "owns", "object": "device/d9", "from": start})
    assert fact == Fact("customer/c1", "tier", "vip", parse_time(start))
    assert relation == Relation("customer/c1", "owns", "device/d9", parse_time(start))


def test_a_fact_without_a_value_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_fact({"subject": "customer/c1", "property": "tier", "from": "2026-05-01T00:00:00Z"})
    assert caught.value.where["field"] == "value"
