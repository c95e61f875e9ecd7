"""The rarer kinds of condition are read back in plain words, with labels instead of ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.text import has_chinese
from knowledge.catalog import load_catalog
from strategy.document import Strategy
from strategy.language import readback

CATALOG = load_catalog(Path("tests/data/kinds_catalog.yaml")).catalog
OPENED = {"event": "mail", "where": [{"field": "opened", "op": "==", "value": True}]}


def attribute(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"kind": "attribute", "name": name, "op": op, "value": value}


def order(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"kind": "event", "event": "order", "where": [{"field": field, "op": op, "value": value}]}


def path(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "path", "steps": list(steps)}


HOT = {"relation": "owns", "where": [{"field": "heat", "op": ">", "value": 80}]}
SAID: list[tuple[dict[str, Any], str, str]] = [
    (attribute("tier", "missing"), "等级为空", "tier is missing"),
    (attribute("tier", "present"), "等级不为空", "tier is not missing"),
    (attribute("city", "contains", "海"), "城市包含“海”", 'city contains "海"'),
    (attribute("city", "starts_with", "上"), "城市以“上”开头", 'city starts with "上"'),
    (attribute("city", "ends_with", "海"), "城市以“海”结尾", 'city ends with "海"'),
    (order("amount", "between", [10, 20]), "发生下单（金额在10元到20元之间（含两端））",
     "order (amount is between 10 CNY and 20 CNY inclusive) happens"),
    (order("shop", "missing"), "发生下单（店号为空）", "order (shop is missing) happens"),
    ({"kind": "ratio", "of": OPENED, "per": {"event": "mail"}, "window": {"over": "7d"}, "op": "<", "value": 30,
      "percent": True}, "过去7天内营销邮件（打开为真）与营销邮件之比小于30%",
     "the ratio of “marketing mail” (opened is true) to “marketing mail” in the last 7 days is below 30%"),
    ({"kind": "date", "attribute": "birthday", "days_before": 3, "yearly": True}, "每年生日前3天那一整天",
     "it is exactly 3 days before the anniversary of birthday, all day"),
    ({"kind": "date", "attribute": "birthday", "days_before": 0, "yearly": True}, "每年生日那一整天",
     "it is exactly 0 days before the anniversary of birthday, all day"),
    (path(HOT, {"relation": "covers", "reverse": True, "absent": True}),
     "有“拥有”的设备（温度超过80℃），且该设备未被任何合同“维保”",
     "it is linked by “owns” to a device (temperature is above 80 ℃), and that device is reached by “service cover”"
     " from no contract"),
    (path({"relation": "owns", "absent": True}), "没有“拥有”的设备", "it is linked by “owns” to no device"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "zh", "en"), SAID)
def test_every_kind_is_said_in_both_languages(trigger: dict[str, Any], zh: str, en: str) -> None:
    made = Strategy.model_validate({"name": "s", "trigger": trigger, "actions": [{"action": "call"}]})
    assert readback(made, CATALOG, "zh").startswith(f"当客户{zh}时，就执行：外呼。")
    assert readback(made, CATALOG, "en").startswith(f"When, for a customer, {en}, then do: call.")


def test_distinct_members_of_a_group_are_said_by_what_they_are() -> None:
    trigger = {
        "kind": "aggregate",
        "event": "order",
        "function": "distinct",
        "field": "@subject",
        "op": ">=",
        "value": 3,
    }
    made = {
        "name": "s",
        "subject": "store",
        "trigger": {**trigger, "window": {"over": "1h"}},
        "actions": [{"task": "t"}],
    }
    strategy = Strategy.model_validate(made)
    assert "当门店过去1小时内下单的不同客户数不低于3时" in readback(strategy, CATALOG, "zh")
    said = readback(strategy, CATALOG, "en")
    assert "for a store, the number of distinct customers of order in the last 1 hour is at least 3" in said
    assert not has_chinese(said)
