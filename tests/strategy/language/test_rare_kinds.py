"""Everyday sentences for the rarer kinds of condition, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import NeedsAnswer, Refused
from knowledge.catalog import load_catalog
from strategy.document import Strategy
from strategy.language import read_sentence

CATALOG = load_catalog(Path("tests/data/kinds_catalog.yaml")).catalog
OWNED = {"relation": "owns"}
UNCOVERED = {"kind": "path", "steps": [OWNED, {"relation": "covers", "reverse": True, "absent": True}]}
NO_DEVICE = {"kind": "path", "steps": [{**OWNED, "absent": True}]}
OPENED = {"event": "mail", "where": [{"field": "opened", "op": "==", "value": True}]}
CROWD = {"kind": "aggregate", "event": "order", "function": "distinct", "field": "@subject", "op": ">=", "value": 3,
         "window": {"over": "1h"}}  # fmt: skip
YEARLY = {"kind": "date", "attribute": "birthday", "days_before": 3, "yearly": True}


def share(op: str, value: float, *, percent: bool) -> dict[str, Any]:
    window = {"over": "7d"}
    return {"kind": "ratio", "of": OPENED, "per": {"event": "mail"}, "window": window, "op": op, "value": value,
            "percent": percent}  # fmt: skip


def city(op: str, value: str | None = None) -> dict[str, Any]:
    return {"kind": "attribute", "name": "city", "op": op, "value": value}


def order(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"kind": "event", "event": "order", "where": [{"field": field, "op": op, "value": value}]}


SAID: list[tuple[str, dict[str, Any], str]] = [
    ("客户拥有的设备没有维保记录，就外呼", UNCOVERED, "customer"),
    ("拥有的设备没有合同的客户，外呼", UNCOVERED, "customer"),
    ("When a customer owns a device that has no service cover, call", UNCOVERED, "customer"),
    ("When a customer owns a device with no contract, call", UNCOVERED, "customer"),
    ("客户没有设备，就外呼", NO_DEVICE, "customer"),
    ("When a customer owns no device, call", NO_DEVICE, "customer"),
    ("7天内打开营销邮件占营销邮件的比例低于30%就外呼", share("<", 30, percent=True), "customer"),
    ("7天内打开营销邮件与营销邮件之比超过0.5，就外呼", share(">", 0.5, percent=False), "customer"),
    ("When the ratio of opened marketing mail to marketing mail in the last 7 days is below 30%, call",
     share("<", 30, percent=True), "customer"),
    ("当门店1小时内有至少3个不同客户下单，就外呼", CROWD, "store"),
    ("When at least 3 different customers order at a store within 1 hour, call", CROWD, "store"),
    ("每家门店1小时内下单的不同客户数不低于3，就外呼", CROWD, "store"),
    ("生日前3天，外呼", YEARLY, "customer"),
    ("每年生日前3天那一整天，外呼", YEARLY, "customer"),
    ("3 days before birthday, call", YEARLY, "customer"),
    ("城市包含“海”，就外呼", city("contains", "海"), "customer"),
    ("城市以“上”开头，就外呼", city("starts_with", "上"), "customer"),
    ('When city ends with "hai", call', city("ends_with", "hai"), "customer"),
    ("城市没有填写，就外呼", city("missing"), "customer"),
    ("When city is not empty, call", city("present"), "customer"),
    ("城市不包含“海”，就外呼", {"kind": "not", "of": city("contains", "海")}, "customer"),
    ("下单金额在10到20元之间（含两端），就外呼", order("amount", "between", [10, 20]), "customer"),
    ("When the shop of an order is missing, call", order("shop", "missing"), "customer"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "trigger", "subject"), SAID)
def test_an_everyday_sentence_gives_the_kind_it_means(text: str, trigger: dict[str, Any], subject: str) -> None:
    made = {"name": "s", "subject": subject, "trigger": trigger, "actions": [{"action": "call"}]}
    assert read_sentence(text, CATALOG, name="s").document == Strategy.model_validate(made)


def test_a_field_of_an_event_cannot_be_said_not_to_contain_a_text() -> None:
    with pytest.raises(Refused):
        read_sentence("下单店号不包含“A”，就外呼", CATALOG)


def test_whether_a_group_or_its_members_are_counted_is_asked() -> None:
    with pytest.raises(NeedsAnswer) as caught:
        read_sentence("门店的客户7天内下单少于2次，就外呼", CATALOG)
    assert [c.zh for c in caught.value.choices] == ["门店", "客户"]


def test_a_chain_that_no_relation_makes_is_refused_and_says_where_it_breaks() -> None:
    with pytest.raises(Refused) as caught:
        read_sentence("客户拥有的设备没有门店，就外呼", CATALOG)
    assert "设备" in caught.value.text.zh
