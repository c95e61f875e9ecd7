"""Explanations of what is compared as text, as missing, as a share, as an anniversary and along relations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stage import START, hour

from core.events import Event, Fact, Input, Relation
from core.text import Lang
from core.times import DAY, Micros
from knowledge.catalog import load_catalog
from strategy.document import Strategy
from strategy.engine.python import PythonEngine
from strategy.explain import explain_observation

LANGS: tuple[Lang, Lang] = ("zh", "en")
CATALOG = load_catalog(Path("tests/data/kinds_catalog.yaml")).catalog
ME = "customer/1"
OPENED = {"event": "mail", "where": [{"field": "opened", "op": "==", "value": True}]}


def looked_at(trigger: dict[str, Any], *inputs: Input, who: str = ME) -> tuple[str, str]:
    """What is said of a trigger at noon, in Chinese and English."""
    kind = who.partition("/")[0]
    made = Strategy.model_validate({"name": "s", "subject": kind, "trigger": trigger, "actions": [{"task": "call"}]})
    engine = PythonEngine(CATALOG)
    engine.deploy(made, 1)
    engine.ingest(inputs)
    engine.advance(hour(4))
    seen, _ = engine.look("s", who)
    (zh,), (en,) = (explain_observation(seen, made.trigger, CATALOG, lang, subject=kind) for lang in LANGS)
    return zh, en


def attribute(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"kind": "attribute", "name": name, "op": op, "value": value}


def fact(name: str, value: Any, who: str = ME) -> Fact:
    return Fact(who, name, value, hour(0))


def owns(device: str) -> Relation:
    return Relation(ME, "owns", device, hour(0))


def test_a_value_that_is_missing_or_there() -> None:
    assert looked_at(attribute("tier", "missing")) == ("没有等级的数据。", "there is no tier yet.")
    assert looked_at(attribute("tier", "present"), fact("tier", "vip")) == ("等级是大客户。", "tier is high-value.")
    zh, en = looked_at(attribute("tier", "missing"), fact("tier", "vip"))
    assert zh == "未触发，因为等级是大客户，而条件要求没有值。"
    assert en == "It did not fire, because tier is high-value; the condition asks for missing."


def test_text() -> None:
    zh, en = looked_at(attribute("city", "starts_with", "上"), fact("city", "上海"))
    assert zh == "城市是上海，开头是 上。"
    assert en == "city is 上海, starting with 上."


def test_a_range_in_an_event_s_filter() -> None:
    where = [{"field": "amount", "op": "between", "value": [10, 20]}, {"field": "shop", "op": "missing"}]
    zh, en = looked_at({"kind": "event", "event": "order", "where": where})
    assert "下单（金额介于 10 元 与 20 元 之间，店号没有值）" in zh
    assert "order (amount between 10 CNY and 20 CNY, shop missing)" in en


def test_a_ratio() -> None:
    window = {"last": 2}
    trigger = {"kind": "ratio", "of": OPENED, "per": {"event": "mail"}, "window": window, "op": "<", "value": 60}
    mails = [Event(f"m{i}", "mail", hour(i), ME, {"opened": i == 0}) for i in range(2)]
    zh, en = looked_at({**trigger, "percent": True}, *mails)
    assert zh == "最近 2 次中打开营销邮件与营销邮件之比为 50%，低于 60%（依据事件 m0、m1）。"
    assert en == "marketing mail opened per marketing mail was 50% among the last 2, below 60% (events m0, m1)."


def test_an_anniversary() -> None:
    trigger = {"kind": "date", "attribute": "birthday", "days_before": 3, "yearly": True}
    zh, en = looked_at(trigger, fact("birthday", "1990-05-04"))
    assert Micros(START // DAY * DAY) < hour(4)
    assert zh == "生日是 1990-05-04，今天距它的周年正好 3 天。"
    assert en == "birthday is 1990-05-04, today is 3 days before its anniversary."


HOT = {"relation": "owns", "where": [{"field": "heat", "op": ">", "value": 80}]}
UNCOVERED = {"kind": "path", "steps": [HOT, {"relation": "covers", "reverse": True, "absent": True}]}


def test_a_chain_of_relations_that_is_there() -> None:
    zh, en = looked_at(UNCOVERED, owns("device/1"), fact("heat", 90, "device/1"))
    assert zh == "关系链到 device/1，沿“拥有”到设备（温度高于 80 ℃），再逆着“维保”没有合同。"
    assert en == (
        "the chain of relations leads to device/1, along “owns” to a device (temperature above 80 ℃),"
        " then back along “service cover” to no contract."
    )


def test_a_chain_of_relations_that_is_not_there_or_not_known() -> None:
    _, en = looked_at(UNCOVERED)
    assert en.startswith("It did not fire, because there is no such chain of relations; the condition asks for along")
    zh, en = looked_at({"kind": "path", "steps": [HOT]}, owns("device/1"))
    assert "关系链到 device/1，无法判断是否沿“拥有”到设备" in zh
    assert "the chain of relations leads to device/1, asked for along “owns”" in en


def test_no_relation_at_all() -> None:
    zh, en = looked_at({"kind": "path", "steps": [{"relation": "owns", "absent": True}]}, fact("tier", "vip"))
    assert zh.startswith("没有这样的关系") and en.startswith("there is no such relation")


def test_members_of_a_group() -> None:
    trigger = {
        "kind": "aggregate",
        "event": "order",
        "function": "distinct",
        "field": "@subject",
        "op": ">=",
        "value": 1,
    }
    zh, en = looked_at(trigger, Event("o1", "order", hour(1), ME, {"shop": "s1"}), who="store/s1")
    assert zh == "迄今下单有 1 个不同的客户，至少 1 个（依据事件 o1）。"
    assert en == "order: 1 distinct customer so far, at least 1 (events o1)."
