"""Recommendations: what they find in a planted history, what they leave alone, and that their sentences are read."""

from __future__ import annotations

from typing import Any

import pytest

from core.events import Event, Fact, Input
from core.text import Lang, Text
from core.times import DAY, HOUR, Micros, parse_time
from knowledge.catalog import read_catalog
from knowledge.packs import retail
from strategy.document import Strategy
from strategy.language import read_sentence
from strategy.recommend import Recommendation, Template, recommendations

HEAD = """
catalog: 1
objects:
  customer:
    labels: {zh: [客户], en: [customer]}
    attributes: {tier: {type: enum, labels: {zh: [等级], en: [tier]},
                 values: {vip: {zh: [大客户], en: [high-value]}, plain: {zh: [普通客户], en: [plain]}}}}
"""
EVENTS = """
events:
  login: {subject: customer, labels: {zh: [登录], en: [login]}}
  repair: {subject: customer, labels: {zh: [报修], en: [repair request]}}
  fixed: {subject: customer, labels: {zh: [修好], en: [repair done]}}
"""
TAIL = """
forecasts: {churn: {subject: customer, horizon: 30d, unit: percent, labels: {zh: [流失风险], en: [churn risk]}}}
actions: {call: {labels: {zh: [外呼], en: [outbound call]}, channel: voice}}
"""
CATALOG = read_catalog(HEAD + EVENTS + TAIL).catalog
START = parse_time("2026-04-01T09:00:00+08:00")


def at(days: float) -> Micros:
    return Micros(START + round(days * DAY))


def world() -> list[Input]:
    """60 customers over 40 days. The ten VIPs stop logging in on day 12 and are at risk from day 30; all others log in
    every third day. Of 20 repairs 16 are done within 3 hours."""
    found: list[Input] = []
    for n in range(60):
        who = f"customer/{n}"
        found.append(Fact(who, "tier", "vip" if n < 10 else "plain", at(0)))
        found += [Fact(who, "churn", 20, at(1)), Fact(who, "churn", 90 if n < 10 else 25, at(30))]
        days = range(0, 12 if n < 10 else 40, 3)
        found += [Event(f"l{n}-{day}", "login", at(day + n / 100), who) for day in days]
        if 20 <= n < 40:
            found.append(Event(f"r{n}", "repair", at(n / 2), who))
            if n >= 24:
                found.append(Event(f"f{n}", "fixed", Micros(at(n / 2) + 3 * HOUR), who))
    return sorted(found, key=lambda item: item.time)


def made(*existing: Strategy, templates: tuple[Template, ...] = ()) -> dict[str, Recommendation]:
    return {each.kind: each for each in recommendations(CATALOG, existing, templates, world())}


def running(name: str, trigger: dict[str, Any], **more: Any) -> Strategy:
    return Strategy.model_validate({"name": name, "trigger": trigger, "actions": [{"action": "call"}], **more})


RISK = {"kind": "forecast", "forecast": "churn", "op": ">", "value": 70}


def test_people_at_risk_whom_nothing_reaches_are_found_with_the_group_they_are() -> None:
    found = made()["group"]
    assert found.counts["unreached"] == 10
    assert set(found.subjects) == {f"customer/{n}" for n in range(10)}
    assert found.strategy.audience is not None and found.strategy.audience.model_dump()["value"] == "vip"


def test_what_a_strategy_does_already_is_not_recommended() -> None:
    assert "group" not in made(running("a", {**RISK, "value": 60}))


def test_what_stopped_before_the_risk_rose_is_found() -> None:
    found = made()["moment"]
    assert found.counts == {"rose": 10, "silent_before": 10, "others": 50, "silent_others": 0, "subjects": 10}
    assert found.strategy.trigger.model_dump()["event"] == "login"


def test_a_step_that_usually_follows_and_did_not_is_found_with_those_who_miss_it() -> None:
    found = made()["missing_step"]
    assert found.counts == {"cases": 20, "followed": 16, "missed": 4, "subjects": 4}
    assert found.subjects == tuple(f"customer/{n}" for n in range(20, 24))
    assert [step["event"] for step in found.strategy.trigger.model_dump()["steps"]] == ["repair", "fixed"]


@pytest.mark.parametrize(("event", "kind"), [("fixed", "missing_step"), ("login", "moment")])
def test_what_our_own_actions_send_is_no_moment_of_a_customer(event: str, kind: str) -> None:
    catalog = read_catalog(HEAD + EVENTS + TAIL.replace("voice}", f"voice, causes: [{event}]}}")).catalog
    assert kind in made()
    assert kind not in {each.kind for each in recommendations(catalog, (), (), world())}


def test_a_template_says_what_it_would_have_done_and_is_left_out_once_it_runs() -> None:
    template = Template(
        "busy",
        Text(
            "客户7天内登录至少2次，就外呼",
            "When a customer has at least 2 logins in 7 days, arrange an outbound call",
        ),
    )
    found = made(templates=(template,))["template"]
    assert found.counts["subjects"] == 60 and found.counts["known"] == 60
    assert "template" not in made(found.strategy, templates=(template,))


def test_what_is_done_for_some_is_recommended_for_the_others_when_it_would_fire() -> None:
    trigger = {"kind": "event", "event": "repair"}
    vip, plain = ({"kind": "attribute", "name": "tier", "op": "==", "value": value} for value in ("vip", "plain"))
    assert made(running("a", trigger, audience=vip))["sibling"].counts["subjects"] == 20
    assert "sibling" not in made(running("a", trigger, audience=plain))  # no VIP ever asked for a repair


def test_a_template_that_would_never_have_fired_says_so() -> None:
    sentence = Text(
        "客户1天内登录至少9次，就外呼", "When a customer has at least 9 logins in 1 day, arrange an outbound call"
    )
    found = made(templates=(Template("never", sentence),))["template"]
    assert found.counts["firings"] == 0
    assert (found.why.zh.endswith("按记录一次也不会触发"), found.why.en.endswith("it would never have fired")) == (
        True,
        True,
    )


def stopped(types: int) -> set[str]:
    """Kinds recommended over so many event types, where one is missing for 9 of 10 at risk and 20 of 50 others."""
    names = [f"e{n}" for n in range(types)]
    declared = "\n".join(f"  {n}: {{subject: customer, labels: {{zh: [事{n}], en: [act {n}]}}}}" for n in names)
    catalog = read_catalog(f"{HEAD}events:\n{declared}\n{TAIL}").catalog
    history: list[Input] = []
    for n in range(60):
        who, silent = f"customer/{n}", n < 9 or 10 <= n < 30
        history += [Fact(who, "churn", 20, at(1)), Fact(who, "churn", 90 if n < 10 else 25, at(30))]
        history += [Event(f"{name}-{n}", name, at(5 if name == "e0" and silent else 25), who) for name in names]
    history.sort(key=lambda item: item.time)
    return {each.kind for each in recommendations(catalog, [], [], history)}


def test_what_stands_out_alone_may_be_chance_among_forty() -> None:
    assert ("moment" in stopped(1), "moment" in stopped(40)) == (True, False)


def test_nothing_is_recommended_from_nothing() -> None:
    assert recommendations(CATALOG, [], [], []) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_sentence_can_be_drafted_as_it_is(lang: Lang) -> None:
    found = recommendations(CATALOG, [], [], world())
    assert {each.kind for each in found} == {"group", "moment", "missing_step"}
    for each in found:
        assert read_sentence(each.sentence.say(lang), CATALOG, name=each.strategy.name).document == each.strategy


def test_the_retail_pack_s_templates_mean_the_same_in_both_languages_and_say_nothing_twice() -> None:
    catalog = retail.catalog().catalog
    known = [read_sentence(s.sentence.en, catalog, name=s.name).document for s in retail.strategies()]
    for template in retail.templates():
        read = [read_sentence(template.sentence.say(lang), catalog, name=template.name) for lang in ("zh", "en")]
        assert read[0].document == read[1].document
        assert [reading.warnings for reading in read] == [(), ()]
        assert all(read[0].document.trigger != each.trigger for each in known)
