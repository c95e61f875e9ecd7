"""What a strategy's bounds imply is said before it runs, in both languages, with the place and the cure: that it can
never fire, always fires, needs the whole past, or speaks of another unit."""

from __future__ import annotations

from typing import Any

import pytest
from stage import VIP, attribute, count, happens, reduced

from core.errors import InvalidInput, Refused
from core.text import Text, has_chinese
from knowledge.catalog import read_catalog
from strategy.document import Strategy
from strategy.engine.check import check_strategy

CATALOG = read_catalog("""
catalog: 1
objects:
  customer:
    attributes:
      tier: {type: enum, values: {vip: {}, plain: {}}}
      dwell: {type: number, unit: s, min: 0}
      active: {type: boolean}
      name: {type: text}
      birthday: {type: date}
      location: {type: geo}
      open_share: {type: number, unit: percent}
      risk: {type: number, unit: ratio}
  device: {attributes: {heat: {type: number, min: -40, max: 200}}}
  store: {attributes: {city: {type: text}}}
events:
  login: {subject: customer}
  mail: {subject: customer, fields: {opened: {type: boolean}}}
  order:
    subject: customer
    fields:
      amount: {type: number, unit: CNY, min: 0}
      shop: {type: text}
      due: {type: date}
      pulse: {type: number, unit: mmHg}
    groups: {store: shop}
  balance: {subject: customer, fields: {change: {type: number, min: -1000}}}
  answer: {subject: customer}
metrics: {open_rate: {subject: customer, ratio: {of: login, per: mail}, unit: percent}}
forecasts: {churn: {subject: customer, horizon: 7d, unit: percent}}
places: {rival: {points: [{id: s1, lat: 31.23, lon: 121.47}]}, nowhere: {points: []}}
relations: {owns: {from: customer, to: device}, stands: {from: device, to: store}}
""").catalog

Condition = dict[str, Any]
OPENED = {"event": "mail", "where": [{"field": "opened", "op": "==", "value": True}]}


def all_of(*of: Condition) -> Condition:
    return {"kind": "all", "of": list(of)}


def any_of(*of: Condition) -> Condition:
    return {"kind": "any", "of": list(of)}


def not_(of: Condition) -> Condition:
    return {"kind": "not", "of": of}


def name(op: str, value: Any = None) -> Condition:
    return attribute("name", op, value)


def order(*tests: tuple[str, str, Any]) -> Condition:
    return happens("order", *({"field": field, "op": op, "value": value} for field, op, value in tests))


def steps(*of: Condition) -> Condition:
    return {"kind": "sequence", "steps": list(of)}


def path(*of: Condition) -> Condition:
    return {"kind": "path", "steps": list(of)}


def opened(op: str, value: float, **more: Any) -> Condition:
    return {
        "kind": "ratio",
        "of": OPENED,
        "per": {"event": "mail"},
        "window": {"over": "7d"},
        "op": op,
        "value": value,
        **more,
    }


def birthday(op: str, value: Any) -> Condition:
    return attribute("birthday", op, value)


def check(trigger: Condition, **more: Any) -> list[Text]:
    made = {"name": "s", "trigger": trigger, "actions": [{"task": "call"}], **more}
    return check_strategy(Strategy.model_validate(made), CATALOG)


def metric(op: str, value: float, window: Any = None) -> Condition:
    return {"kind": "metric", "metric": "open_rate", "op": op, "value": value, "window": window or {"over": "7d"}}


def change(direction: str, percent: float, **more: Any) -> Condition:
    made = {"kind": "change", "event": "order", "function": "count", "window": "1d", "direction": direction}
    return {**made, "percent": percent, **more}


CHURN = {"kind": "forecast", "forecast": "churn", "op": ">"}
CLASH, RANGE, FILTERS = "contradict each other", "it lies in", "filters contradict"

NEVER: list[tuple[Condition, str, str, str]] = [
    (count("login", op="<", value=0), "trigger", "it lies in 0..∞, never < 0", "a value it can have"),
    (count("login", op="==", value=-1), "trigger", RANGE, "a value it can have"),
    (count("login", op="==", value=1.5), "trigger", RANGE, "a value it can have"),
    (count("login", op="in", value=[]), "trigger", RANGE, "a value it can have"),
    (count("login", op=">", value=3, window={"last": 3}), "trigger", "0..3", "a value it can have"),
    (reduced("distinct", ">", 1, "@subject"), "trigger", "0..1", "a value it can have"),
    (reduced("distinct", ">", 2, "opened", event="mail"), "trigger", "0..2", "a value it can have"),
    (reduced("min", "<", 0), "trigger", RANGE, "a value it can have"),
    (reduced("sum", "<", 0), "trigger", RANGE, "a value it can have"),
    (attribute("dwell", "<", 0), "trigger", RANGE, "a value it can have"),
    (attribute("heat", ">", 200, via="owns"), "trigger", "-40..200", "a value it can have"),
    (attribute("dwell", "between", [9, 5]), "trigger", "lower bound 9.0 is above", "smaller one first"),
    (birthday("between", ["2000-05-02", "2000-05-01"]), "trigger", "lower bound", "smaller one first"),
    (attribute("dwell", "between", [-9, -5]), "trigger", RANGE, "a value it can have"),
    ({**CHURN, "value": 100}, "trigger", "0..100", "a value it can have"),
    (metric("<", 0), "trigger", RANGE, "a value it can have"),
    (opened(">", 30), "trigger", "0..1, never > 30", "percent: true"),
    (opened(">", 100, percent=True), "trigger", "0..100", "a value it can have"),
    ({"kind": "near", "place": "nowhere", "metres": 500}, "trigger.place", "no points", "points in the catalog"),
    (change("drop", 120), "trigger.percent", "more than 100 percent", "at most 100"),
    (order(("amount", "<", -5)), "trigger.where.0", RANGE, "a value it can have"),
    (order(("amount", ">", 5), ("amount", "<", 5)), "trigger.where", FILTERS, "bounds of amount"),
    (order(("amount", "between", [1, 3]), ("amount", ">", 3)), "trigger.where", FILTERS, "bounds of amount"),
    (order(("shop", "==", "north"), ("shop", "contains", "s")), "trigger.where", FILTERS, "bounds of shop"),
    (order(("shop", "starts_with", "n"), ("shop", "starts_with", "s")), "trigger.where", FILTERS, "bounds of shop"),
    (order(("shop", "ends_with", "th"), ("shop", "ends_with", "st")), "trigger.where", FILTERS, "bounds of shop"),
    (order(("shop", "missing", None), ("shop", "==", "x")), "trigger.where", FILTERS, "bounds of shop"),
    (order(("shop", "missing", None), ("shop", "present", None)), "trigger.where", FILTERS, "bounds of shop"),
    (order(("due", "<", "2026-05-02"), ("due", ">", "2026-05-01")), "trigger.where", FILTERS, "bounds of due"),
    ({**opened("<", 1), "per": {**OPENED, "where": [*OPENED["where"], {**OPENED["where"][0], "value": False}]}},
     "trigger.per.where", FILTERS, "bounds of opened"),
    (all_of(happens("login"), happens("order")), "trigger", "same instant", "a sequence or counts"),
    (all_of(attribute("dwell", "<", 5), attribute("dwell", ">", 9)), "trigger", CLASH, "use any"),
    (all_of(attribute("dwell", "<", 5), all_of(attribute("dwell", ">", 9), VIP)), "trigger", CLASH, "use any"),
    (all_of(attribute("dwell", "between", [1, 3]), attribute("dwell", "between", [4, 5])), "trigger", CLASH, "use any"),
    (all_of(attribute("dwell", "==", 5), attribute("dwell", "not_in", [4, 5])), "trigger", CLASH, "use any"),
    (all_of(VIP, attribute("tier", "==", "plain")), "trigger", CLASH, "use any"),
    (all_of(happens("login"), count("login", op="<", value=1)), "trigger", CLASH, "use any"),
    (all_of(order(("amount", ">", 5)), count("order", None, "==", 0)), "trigger", CLASH, "use any"),
    (all_of(VIP, attribute("tier", "in", ["plain"])), "trigger", CLASH, "use any"),
    (all_of(attribute("tier", "!=", "plain"), attribute("tier", "!=", "vip")), "trigger", CLASH, "use any"),
    (all_of(attribute("active", "!=", True), attribute("active", "!=", False)), "trigger", CLASH, "use any"),
    (all_of(VIP, attribute("tier", "missing", None)), "trigger", CLASH, "use any"),
    (all_of(name("missing"), name("contains", "a")), "trigger", CLASH, "use any"),
    (all_of(name("starts_with", "Ann"), name("starts_with", "Bea")), "trigger", CLASH, "use any"),
    (all_of(birthday(">", "2000-05-01"), birthday("<", "2000-05-01")), "trigger", CLASH, "use any"),
    (all_of(birthday("==", "2000-05-01"), birthday("!=", "2000-05-01T08:00:00Z")), "trigger", CLASH, "use any"),
    (all_of(count("login", op=">", value=3), count("login", op="<=", value=3)), "trigger", CLASH, "use any"),
    (all_of(count("login", op=">", value=3), count("login", op="<", value=4)), "trigger", CLASH, "use any"),
    (all_of(count("login", "1h", ">", 3), count("login", "2h", "<=", 3)), "trigger", CLASH, "use any"),
    (all_of(count("login", "1h", ">", 3), count("login", None, "<", 4)), "trigger", CLASH, "use any"),
    (all_of(reduced("min", "<", 5, window={"over": "1h"}), reduced("min", ">", 5)), "trigger", CLASH, "use any"),
    (all_of(opened(">", 0.5), opened("<", 0.5)), "trigger", CLASH, "use any"),
    (any_of(count("login", op="<", value=0), attribute("dwell", "<", 0)), "trigger.of.0", RANGE, "a value it can have"),
    (not_(count("login", op=">=", value=0)), "trigger.of", "never false", "drop the not"),
    (not_(any_of(name("missing"), name("present"))), "trigger.of", "never false", "drop the not"),
    ({"kind": "streak", "event": "login", "times": 3, "without": [{"event": "login"}]},
     "trigger.without.0", "also breaks it", "filters of without"),
    (steps({"event": "mail"}, {"event": "answer", "absent": True}),
     "trigger.steps.1.within", "no deadline", "last step a within"),
    (steps({"event": "mail"}, {"event": "order", "absent": True}, {"event": "order", "within": "1h"}),
     "trigger.steps.2", "forbids", "filters of that step"),
    (path({"relation": "owns", "where": [{"field": "heat", "op": ">", "value": 300}]}),
     "trigger.steps.0.where", "no object passes", "change their bounds"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "place", "why", "cure"), NEVER)
def test_what_can_never_fire_is_refused_with_the_place_and_the_cure(
    trigger: Condition, place: str, why: str, cure: str
) -> None:
    with pytest.raises(Refused) as found:
        check(trigger)
    error = found.value
    assert error.where == {"field": place}
    assert why in error.text.en and has_chinese(error.text.zh)
    assert error.hint is not None and cure.lower() in error.hint.en.lower() and has_chinese(error.hint.zh)


def test_an_audience_nobody_is_in_is_refused() -> None:
    with pytest.raises(Refused) as found:
        check(happens("order"), audience=attribute("dwell", "<", 0))
    assert found.value.where == {"field": "audience"}


def test_an_audience_that_the_trigger_rules_out_is_refused() -> None:
    with pytest.raises(Refused) as found:
        check(all_of(happens("order"), VIP), audience=attribute("tier", "==", "plain"))
    assert found.value.where == {"field": "audience"}
    assert CLASH in found.value.text.en


MAY: list[Condition] = [
    count("login", op="<", value=1),
    count("login", op=">=", value=3, window={"last": 3}),
    reduced("last", ">", 100, window={}),
    all_of(order(("amount", ">", 5)), happens("order")),
    all_of(attribute("dwell", ">=", 5), attribute("dwell", "<=", 5)),
    all_of(attribute("heat", "<", 5, via="owns"), attribute("heat", ">", 9, via="owns")),
    all_of(count("login", "1h", ">", 3), count("login", "2h", "<", 6)),
    all_of(count("login", "2h", ">", 3), count("login", "1h", "<", 3)),
    all_of(reduced("sum", ">", 3, "change", event="balance", window={"over": "1h"}),
           reduced("sum", "<", 3, "change", event="balance")),
    all_of(name("starts_with", "An"), name("starts_with", "Ann"), name("contains", "x")),
    all_of(birthday(">", "2000-05-01"), birthday("<", "2000-05-03")),
    order(("shop", "missing", None)),
    opened(">=", 1),
    change("drop", 120, event="balance", function="sum", field="change"),
    change("drop", 100),
    steps({"event": "mail"}, {"event": "answer", "absent": True, "within": "2h"}),
    steps({"event": "mail"}, {"event": "order", "absent": True, "within": "1h"}, {"event": "order", "within": "2h"}),
    {"kind": "streak", "event": "order", "times": 3, "without": [OPENED]},
    path({"relation": "owns", "absent": True}),
]  # fmt: skip


@pytest.mark.parametrize("trigger", MAY)
def test_what_may_fire_passes_without_a_word(trigger: Condition) -> None:
    assert check(trigger) == []


def test_distinct_subjects_of_a_group_may_be_many() -> None:
    assert check(reduced("distinct", ">", 9, "@subject"), subject="store") == []


ALWAYS, DEEP, ODD = (
    "trigger: the trigger is always true",
    "looks at all history; add window: {over: 30d}",
    "if that is meant",
)

WARNED: list[tuple[Condition, str, str]] = [
    (count("login", op=">=", value=0), ALWAYS, "tighten its bounds"),
    (any_of(count("login", op="<", value=3), count("login", op=">=", value=3)), ALWAYS, "tighten its bounds"),
    (any_of(name("missing"), name("present")), ALWAYS, "tighten its bounds"),
    (any_of(VIP, attribute("tier", "!=", "vip"), attribute("tier", "missing", None)), ALWAYS, "tighten its bounds"),
    (any_of(VIP, attribute("tier", "!=", "vip")), "always true once its data is there", "tighten its bounds"),
    (attribute("dwell", ">=", 0), "always true once its data is there", "tighten its bounds"),
    (not_(happens("order")), "trigger: an event is absent at almost every instant", "count to 0"),
    (count("login", None), "trigger.window: it has no time window", DEEP),
    (metric("<", 30, {"over": None}), "trigger.window: it has no time window", DEEP),
    ({**opened("<", 1), "window": {}}, "trigger.window: it has no time window", DEEP),
    (all_of(VIP, count("login", None)), "trigger.of.1.window: it has no", DEEP),
    (steps({"event": "mail"}, {"event": "order"}), "trigger.steps.1: it waits without end", "add within: 7d"),
    (any_of(VIP, count("login", op="<", value=0)), "trigger.of.1: this branch is never true", "or take it out"),
    (path({"relation": "owns", "where": [{"field": "heat", "op": ">", "value": 300}], "absent": True}),
     "trigger.steps.0.where: no object passes this step, so there is always none", "change their bounds"),
    ({**CHURN, "value": 0.8}, "trigger.value: 0.8 is in %", "write 80 if that is meant"),
    (metric("<", 0.3), "trigger.value: 0.3 is in %", "write 30 if that is meant"),
    (opened("<", 0.3, percent=True), "trigger.value: 0.3 is in %", "write 30 if that is meant"),
    (attribute("open_share", "in", [20, 0.5]), "trigger.value: 0.5 is in %", "write 50 if that is meant"),
    (attribute("risk", ">", 80), "trigger.value: 80 is in ratio", "write 0.8 if that is meant"),
    (change("rise", 0.5), "trigger.percent: 0.5 is in %", "write 50 if that is meant"),
    ({"kind": "near", "place": "rival", "metres": 0.5}, "trigger.metres: 0.5 is in m", "write 500 if that is meant"),
    (reduced("sum", ">", 5, "pulse"), "trigger.function: a total of mmHg means nothing", "use avg"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "words", "cure"), WARNED)
def test_what_is_odd_but_may_be_meant_is_a_warning_with_its_place_and_cure(
    trigger: Condition, words: str, cure: str
) -> None:
    (warning,) = [found for found in check(trigger) if words in found.en]
    assert cure in warning.en
    assert has_chinese(warning.zh) and not has_chinese(warning.en)
    assert warning.zh.partition("：")[0] == warning.en.partition(":")[0]


def test_an_audience_of_everyone_is_a_warning() -> None:
    (warning,) = check(happens("order"), audience=count("login", op=">=", value=0))
    assert warning.en.startswith("audience: ")


def test_a_rollout_to_nobody_is_a_warning() -> None:
    (warning,) = check(happens("order"), rollout={"percent": 0})
    assert warning.en.startswith("rollout.percent: ")


UNITS: list[tuple[Any, str, str]] = [
    ("15 min", "15 min", "Write 900"),
    ("1.5h", "1.5h", "Write 5400"),
    ("15 km", "unit 'km' does not measure", ""),
    ("soon", "cannot be compared", "For example 3"),
]


@pytest.mark.parametrize(("value", "words", "cure"), UNITS)
def test_a_quantity_in_another_unit_is_refused_with_what_it_would_be(value: str, words: str, cure: str) -> None:
    with pytest.raises(InvalidInput) as found:
        check(attribute("dwell", "<", value))
    assert found.value.where == {"field": "trigger.value"}
    assert words in found.value.text.en and has_chinese(found.value.text.zh)
    assert cure in (found.value.hint.en if found.value.hint else "")
