"""Explanations: every layer says what was seen, what was asked, when and from which events, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from stage import CATALOG, ME, SINCE_LONG, VIP, Stage, attribute, count, happens, reduced, strategy

from core.text import has_chinese
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.explain import explain, explain_observation

UNOPENED = {"field": "opened", "op": "==", "value": False}
STREAK = {"kind": "streak", "event": "mail", "times": 3, "where": [UNOPENED]}


def told(stage: Stage, document: Strategy, catalog: Catalog = CATALOG) -> tuple[list[str], list[str]]:
    firing = stage.firings[0]
    return explain(firing, document, catalog, "zh"), explain(firing, document, catalog, "en")


def why_not(stage: Stage, document: Strategy, who: str = ME) -> tuple[list[str], list[str]]:
    seen = stage.look(who)
    return (
        explain_observation(seen, document.trigger, CATALOG, "zh"),
        explain_observation(seen, document.trigger, CATALOG, "en"),
    )


def test_a_firing_is_explained_layer_by_layer() -> None:
    document = strategy(
        {"kind": "all", "of": [STREAK, attribute("dwell", "<", 15)]},
        "win back",
        audience=VIP,
        guards={"cooldown": "3d"},
    )
    stage = Stage(document)
    stage.fact("tier", "vip", 0)
    stage.fact("dwell", 9, 0)
    for at in range(3):
        stage.event("mail", at, id=f"m{at}", opened=False)
    stage.until(3)
    zh, en = told(stage, document)
    assert en == [
        f"At 2026-05-01 10:00, strategy “win back” (version 1) fired for {ME}.",
        "marketing mail not opened: 3 times in a row, at least 3 (events m0, m1, m2).",
        "time on site is 9 s, below 15 s.",
        "In the audience: tier is high-value.",
        "Cooldown of 3 days: it does not fire again for the same subject before 2026-05-04 10:00.",
    ]
    assert len(zh) == 5
    assert zh[0].startswith("2026-05-01 10:00")
    assert "未打开营销邮件连续 3 次" in zh[1] and "m0、m1、m2" in zh[1]
    assert "官网停留时长为 9 秒" in zh[2] and "低于 15 秒" in zh[2]
    assert "等级是大客户" in zh[3]
    assert "冷却期 3 天" in zh[4]


def test_a_window_is_told_with_its_times_in_the_catalogs_zone() -> None:
    document = strategy(count("login", "2h", "<", 1))
    stage = Stage(document, catalog=SINCE_LONG)
    stage.event("login", 0)
    stage.until(3)
    zh, en = told(stage, document)
    assert en[1] == "login: 0 in the last 2 hours (2026-05-01 08:00 to 2026-05-01 10:00), fewer than 1."
    assert "过去 2 小时" in zh[1] and "登录 0 次" in zh[1] and "少于 1 次" in zh[1]


def test_only_the_true_branch_of_any_is_told() -> None:
    document = strategy({"kind": "any", "of": [VIP, happens("order")]})
    stage = Stage(document)
    stage.event("order", 0, id="o1")
    stage.until(0)
    _, en = told(stage, document)
    assert en[1:] == ["it just happened: order (events o1)."]


def test_what_failed_under_a_not_is_told_as_met() -> None:
    document = strategy({"kind": "all", "of": [happens("mail"), {"kind": "not", "of": count("login", "2h", ">=", 2)}]})
    stage = Stage(document, catalog=SINCE_LONG)
    stage.event("mail", 0)
    stage.until(0)
    zh, en = told(stage, document)
    assert en[2].endswith("not at least 2.")
    assert "并非至少 2 次" in zh[2]


def test_why_not_names_what_stands_in_the_way_first() -> None:
    document = strategy({"kind": "all", "of": [VIP, STREAK, attribute("dwell", "<", 15), count("login", "7d", "<", 2)]})
    stage = Stage(document)
    stage.fact("tier", "vip", 0)
    stage.event("mail", 0, id="m1", opened=False)
    stage.until(1)
    zh, en = why_not(stage, document)
    assert en[0].startswith("It did not fire, because marketing mail not opened: 1 time in a row; the condition asks")
    assert en[1] == "and there is no time on site yet, asked for below 15 s."
    assert en[2].startswith("and history is too short to tell: so far login: 0 in the last 7 days")
    assert en[3] == "Met already: tier is high-value."
    assert zh[0].startswith("未触发")
    assert "没有官网停留时长的数据" in zh[1]
    assert "历史还不够长" in zh[2]


def test_a_related_objects_part_is_told_with_its_name() -> None:
    document = strategy(attribute("heat", ">", 80, via="owns"))
    stage = Stage(document)
    stage.owns("device/7", 0)
    stage.fact("heat", 91.5, 1, who="device/7")
    stage.until(1)
    zh, en = told(stage, document)
    assert en[1] == "(owns) device/7 temperature is 91.5 ℃, above 80 ℃."
    assert "device/7 的温度为 91.5 ℃" in zh[1]


KINDS: list[tuple[dict[str, Any], str, str]] = [
    (happens("order", {"field": "amount", "op": ">", "value": 5}), "下单", "order (amount above 5 CNY)"),
    (reduced("sum", ">", 5), "金额合计 10 元", "amount of order was 10 CNY in total"),
    (reduced("avg", ">", 5), "金额平均 10 元", "on average"),
    (reduced("max", ">", 5), "金额最高 10 元", "at the highest"),
    (reduced("min", ">", 5), "金额最低 10 元", "at the lowest"),
    (reduced("last", "==", "north", field="shop"), "最近一次", "most recently"),
    (reduced("distinct", ">=", 1, field="shop"), "1 个不同的shop", "1 distinct shop"),
    (reduced("sum", ">", 5, window={"last": 1}), "最近 1 次", "among the last 1"),
    (count("order", None), "迄今", "so far"),
    ({"kind": "metric", "metric": "open_rate", "op": "<=", "value": 100}, "打开率为 100%", "open rate was 100%"),
    ({"kind": "streak", "event": "sleep", "times": 1, "per": "night"}, "连续 1 晚", "1 night in a row"),
    ({"kind": "streak", "event": "swipe", "times": 1, "without": [{"event": "complaint"}]},
     "其间没有", "without complaint"),
    ({"kind": "near", "place": "rival", "metres": 500}, "距最近的竞品门店 0 米", "0 m from the nearest rival shop"),
    ({"kind": "forecast", "forecast": "churn", "op": ">", "value": 85}, "流失概率为 90%", "churn probability is 90%"),
    ({"kind": "date", "attribute": "birthday", "part": "day"}, "今天正是这一天", "today is its day"),
    ({"kind": "date", "attribute": "birthday", "part": "month"}, "本月", "this month is its month"),
    ({"kind": "date", "attribute": "birthday", "days_before": 0}, "0 天", "0 days before"),
    (attribute("tier", "in", ["vip", "plain"]), "大客户、普通", "is one of high-value, plain"),
    ({"kind": "sequence", "steps": [{"event": "mail"}, {"event": "order", "within": "2h"}]},
     "2 小时内下单", "order within 2 hours"),
    ({"kind": "change", "event": "order", "function": "sum", "field": "amount", "window": "3h", "direction": "rise",
      "percent": 50}, "上升至少 50%", "a rise of at least 50%"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "zh_word", "en_word"), KINDS)
def test_every_kind_of_condition_has_its_sentence(trigger: dict[str, Any], zh_word: str, en_word: str) -> None:
    document = strategy(trigger)
    stage = Stage(document, catalog=SINCE_LONG)
    stage.event("order", -3, amount=1, shop="south")
    for name, value in (("tier", "vip"), ("churn", 90), ("location", {"lat": 31.23, "lon": 121.47})):
        stage.fact(name, value, 0)
    stage.fact("birthday", "2026-05-01", 0)
    for kind in ("mail", "login", "swipe", "sleep"):
        stage.event(kind, 0, id=kind)
    stage.event("order", 0.75, amount=10, shop="north")
    stage.until(1)
    documented = [f for f in stage.firings if f.strategy == "s"]
    assert documented
    zh = explain(documented[-1], document, CATALOG, "zh")
    en = explain(documented[-1], document, CATALOG, "en")
    assert len(zh) == len(en) == 2
    assert zh_word in zh[1].replace("（", "(")
    assert en_word in en[1]
    assert has_chinese(zh[1]) and not has_chinese(en[1])


def test_every_kind_can_be_told_before_anything_has_happened() -> None:
    for trigger, _, _ in KINDS:
        document = strategy(trigger)
        stage = Stage(document)
        for lang in ("zh", "en"):
            said = explain_observation(stage.look(), document.trigger, CATALOG, lang)
            assert said and all(said)


def test_many_events_are_shortened() -> None:
    document = strategy(count("login", "2h", ">=", 8))
    stage = Stage(document)
    for i in range(8):
        stage.event("login", i / 10, id=f"l{i}")
    stage.until(1)
    _, en = told(stage, document)
    assert en[1].endswith("(events l3, l4, l5, l6, l7 and 3 before).")


def test_a_moment_between_seconds_is_rounded() -> None:
    document = strategy(happens("order"))
    stage = Stage(document)
    stage.event("order", 1e-8)
    stage.until(1)
    assert stage.firings[0].at % 1_000_000 == Micros(36)
    assert "2026-05-01 08:00," in told(stage, document)[1][0]
