"""What is wrong with a strategy is said before it runs: where, and what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from stage import CATALOG, VIP, attribute, count, happens, reduced, strategy

from core.errors import InvalidInput, UnknownName
from core.text import has_chinese
from strategy.engine.check import check_strategy


def check(trigger: dict[str, Any], **more: Any) -> list[str]:
    return [warning.en for warning in check_strategy(strategy(trigger, **more), CATALOG)]


def where(**field: Any) -> list[dict[str, Any]]:
    return [{"op": "==", "value": True, **field}]


RATIO = {"kind": "ratio", "of": {"event": "login"}, "per": {"event": "mail"}, "op": "<", "value": 1}
UNKNOWN_NAMES: list[tuple[dict[str, Any], str, str]] = [
    (happens("logn"), "trigger.event", "login"),
    (happens("登陆"), "trigger.event", "login"),
    (happens("mail", *where(field="openned")), "trigger.where.0.field", "opened"),
    (attribute("teir", "==", "vip"), "trigger.name", "tier"),
    (attribute("tier", "==", "vipp"), "trigger.value", "vip"),
    (attribute("tier", "in", ["vip", "plan"]), "trigger.value", "plain"),
    (attribute("heat", ">", 1, via="own"), "trigger.via", "owns"),
    ({"kind": "all", "of": [VIP, happens("ordr")]}, "trigger.of.1.event", "order"),
    ({"kind": "not", "of": happens("ordr")}, "trigger.of.event", "order"),
    ({"kind": "near", "place": "rivals", "metres": 5}, "trigger.place", "rival"),
    ({"kind": "metric", "metric": "open_rte", "op": "<", "value": 5}, "trigger.metric", "open_rate"),
    ({"kind": "forecast", "forecast": "chrn", "op": ">", "value": 5}, "trigger.forecast", "churn"),
    (reduced("sum", ">", 5, field="amont"), "trigger.field", "amount"),
    (
        {"kind": "streak", "event": "mail", "times": 2, "without": [{"event": "odrer"}]},
        "trigger.without.0.event",
        "order",
    ),
    ({"kind": "sequence", "steps": [{"event": "mail"}, {"event": "logim"}]}, "trigger.steps.1.event", "login"),
    ({**RATIO, "of": {"event": "logim"}}, "trigger.of.event", "login"),
    ({**RATIO, "per": {"event": "mail", "where": where(field="opend")}}, "trigger.per.where.0.field", "opened"),
    ({"kind": "path", "steps": [{"relation": "own"}]}, "trigger.steps.0.relation", "owns"),
    (
        {"kind": "path", "steps": [{"relation": "owns", "where": where(field="haet")}]},
        "trigger.steps.0.where.0.field",
        "heat",
    ),
]


@pytest.mark.parametrize(("trigger", "place", "near"), UNKNOWN_NAMES)
def test_an_unknown_name_is_an_error_with_its_place_and_the_nearest(
    trigger: dict[str, Any], place: str, near: str
) -> None:
    with pytest.raises(UnknownName) as found:
        check(trigger)
    assert found.value.where == {"field": place}
    assert found.value.nearest[0] == near
    assert has_chinese(found.value.text.zh) and not has_chinese(found.value.text.en.replace("登陆", ""))


def test_unknown_actions_subjects_audiences_and_goals_are_found_too() -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("actions.0.action", {"actions": [{"action": "cal"}]}),
        ("subject", {"subject": "custmer"}),
        ("audience.name", {"audience": attribute("teir", "==", "vip")}),
        ("verify.event", {"verify": {"event": "ordr", "within": "7d"}}),
        ("verify.metric", {"verify": {"metric": "open", "within": "7d"}}),
    ]
    for place, more in cases:
        with pytest.raises(UnknownName) as found:
            check_strategy(strategy(happens("order")).model_validate({**_plain(), **more}), CATALOG)
        assert found.value.where == {"field": place}


def _plain() -> dict[str, Any]:
    return {"name": "s", "trigger": happens("order"), "actions": [{"task": "write a card"}]}


MISMATCHES: list[tuple[dict[str, Any], str]] = [
    (attribute("dwell", "<", "short"), "trigger.value"),
    (attribute("dwell", "<", True), "trigger.value"),
    (attribute("dwell", "in", 5), "trigger.value"),
    (attribute("dwell", "==", [5]), "trigger.value"),
    (attribute("tier", ">", "vip"), "trigger.op"),
    (attribute("location", "==", "here"), "trigger.op"),
    (attribute("birthday", "<", "soon"), "trigger.value"),
    (happens("mail", *where(field="opened", op="<", value=1)), "trigger.where.0.op"),
    (happens("mail", *where(field="opened", value=1)), "trigger.where.0.value"),
    (happens("order", *where(field="shop", value=3)), "trigger.where.0.value"),
    (reduced("sum", ">", 5, field="shop"), "trigger.field"),
    (reduced("avg", ">", 5, field=None), "trigger.field"),
    (reduced("last", ">", 5, field="shop"), "trigger.op"),
    (count("login", value="many"), "trigger.value"),
    (happens("alarm"), "trigger.event"),
    (attribute("heat", ">", 5), "trigger.name"),
    ({"kind": "forecast", "forecast": "failure", "op": ">", "value": 5}, "trigger.forecast"),
    ({"kind": "near", "place": "rival", "metres": 5, "attribute": "tier"}, "trigger.attribute"),
    ({"kind": "date", "attribute": "dwell", "part": "day"}, "trigger.attribute"),
    (attribute("tier", "contains", "v"), "trigger.op"),
    (attribute("dwell", "starts_with", "1"), "trigger.op"),
    (attribute("tier", "between", ["plain", "vip"]), "trigger.op"),
    (attribute("location", "between", [1, 2]), "trigger.op"),
    (attribute("dwell", "between", ["a", "b"]), "trigger.value"),
    (happens("order", *where(field="shop", op="between", value=["a", "b"])), "trigger.where.0.op"),
    (happens("order", *where(field="shop", op="contains", value=3)), "trigger.where.0.value"),
    ({**RATIO, "per": {"event": "alarm"}}, "trigger.per.event"),
    ({**RATIO, "op": "in"}, "trigger.value"),
    ({"kind": "metric", "metric": "open_rate", "op": "in", "value": 5}, "trigger.value"),
    (reduced("distinct", ">", 5, field="@who"), "trigger.field"),
    (reduced("last", "==", "x", field="@subject"), "trigger.field"),
    ({"kind": "path", "steps": [{"relation": "owns", "reverse": True}]}, "trigger.steps.0.relation"),
    ({"kind": "path", "steps": [{"relation": "owns"}, {"relation": "owns"}]}, "trigger.steps.1.relation"),
    ({"kind": "path", "steps": [{"relation": "owns", "where": where(field="heat", value="x")}]},
     "trigger.steps.0.where.0.value"),
    ({"kind": "sequence", "steps": [{"event": "mail", "absent": True}, {"event": "login"}]}, "trigger.steps.0.absent"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "place"), MISMATCHES)
def test_what_cannot_be_compared_is_an_error_with_its_place(trigger: dict[str, Any], place: str) -> None:
    """Neither can a first step be absent. spec: S7"""
    with pytest.raises(InvalidInput) as found:
        check(trigger)
    assert found.value.where == {"field": place}


def test_a_step_that_goes_the_wrong_way_along_a_relation_is_told_so() -> None:
    with pytest.raises(InvalidInput) as found:
        check({"kind": "path", "steps": [{"relation": "owns"}, {"relation": "owns"}]})
    assert "leads from a 'customer', but this step stands at a 'device'" in found.value.text.en
    assert found.value.hint is not None and "reverse" in found.value.hint.en


def test_an_attribute_may_lack_a_value_whatever_its_type() -> None:
    for name in ("tier", "dwell", "birthday", "location"):
        assert check(attribute(name, "missing", None)) == check(attribute(name, "present", None)) == []


def test_a_related_objects_attribute_or_forecast_asks_for_via() -> None:
    for trigger in (attribute("heat", ">", 5), {"kind": "forecast", "forecast": "failure", "op": ">", "value": 5}):
        with pytest.raises(InvalidInput) as found:
            check(trigger)
        assert found.value.hint is not None
        assert "via: owns" in found.value.hint.en


def test_an_event_of_another_subject_says_whose_it_is() -> None:
    with pytest.raises(InvalidInput) as found:
        check(happens("alarm"))
    assert "device" in found.value.text.en
    assert found.value.hint is not None
