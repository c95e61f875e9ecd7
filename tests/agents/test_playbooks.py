"""The language of playbooks, and that the ones we ship fit the desks they serve."""

from __future__ import annotations

from typing import Any

import pytest

from agents.decision import Routing
from agents.models.playbook import decide
from agents.models.rules import PlaybookGap, Rule, When, fill, fill_args, playbooks, read_playbook
from agents.specialists import SPECIALISTS
from core.errors import InvalidInput
from tools.limits import limits

FACTS: dict[str, Any] = {
    "case": {"lang": "en", "text": "please repair"},
    "who": {"tier": "vip", "value": 1200.0, "evidence": "fact_1", "list": ["a", "b"]},
    "rows": [{"id": "x"}],
    "nothing": None,
    "none_found": 0,
}


def holds(condition: dict[str, Any]) -> bool:
    return When.model_validate(condition).holds(FACTS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"path": "who.tier", "==": "vip"}, True),
        ({"path": "who.value", ">": 1000}, True),
        ({"path": "who.value", "<=": {"path": "who.value"}}, True),
        ({"path": "who.tier", "in": ["vip", "new"]}, True),
        ({"path": "who.list", "has": "b"}, True),
        ({"path": "case.text", "has": "repair"}, True),
        ({"path": "rows.0.id", "==": "x"}, True),
        ({"path": "who.tier"}, True),
        ({"path": "none_found"}, False),
        ({"path": "who.missing", "==": 0}, False),
        ({"path": "who.missing", "<": 5}, False),
        ({"path": "nothing"}, False),
        ({"path": "who.tier", ">": 3}, False),
        ({"not": {"path": "who.missing"}}, True),
        ({"all": [{"path": "who.tier"}, {"path": "who.missing"}]}, False),
        ({"any": [{"path": "who.tier"}, {"path": "who.missing"}]}, True),
    ],
)
def test_conditions_hold_as_written(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition) is expected


def test_a_place_takes_the_value_in_its_form() -> None:
    assert fill("${who.tier}: ${who.value|money}, ${who.list}", FACTS) == "vip: 1,200, a, b"


def test_an_argument_that_is_one_place_keeps_its_type() -> None:
    assert fill_args({"n": "${who.value}", "t": "v${who.value}"}, FACTS) == {"n": 1200.0, "t": "v1200"}


@pytest.mark.parametrize("text", ["${who.missing}", "${nothing}", "${rows.7.id}"])
def test_a_place_without_a_value_is_a_gap_and_never_an_empty_word(text: str) -> None:
    with pytest.raises(PlaybookGap):
        fill(f"a {text}", FACTS)


def test_text_of_a_customer_is_not_read_for_places() -> None:
    assert fill("${case.text}", {"case": {"text": "${who.evidence}"}}) == "${who.evidence}"


def test_reasons_and_evidence_are_those_whose_condition_holds() -> None:
    rule = Rule.model_validate(
        {
            "id": "r",
            "action": "answer",
            "let": {"half": {"times": [{"path": "who.value"}, 0.5]}, "least": {"min": [{"path": "half"}, 500]}},
            "because": [
                {"zh": "是", "en": "tier ${who.tier}", "evidence": ["who.evidence", "who.missing"]},
                {"when": {"path": "who.missing"}, "zh": "否", "en": "not said", "evidence": ["rows.0.id"]},
            ],
            "missing": [{"when": {"not": {"path": "who.missing"}}, "zh": "缺", "en": "the missing"}],
            "reply": {"zh": "好", "en": "least ${least}"},
        }
    )
    decided = decide(rule, FACTS)
    assert decided["reasons"] == ["tier vip"] and decided["evidence"] == ["fact_1"]
    assert decided["missing"] == ["the missing"] and decided["reply"] == "least 500"


@pytest.mark.parametrize(
    "text",
    [
        "playbook: [",
        "playbook: x\nversion: 1\ndecides: X\nrules: []\n",
        "playbook: x\nversion: 1\ndecides: X\nrules:\n  - {id: a, action: b, because: [], reply: {zh: a, en: b}}\n",
        "playbook: x\nversion: 1\ndecides: X\nrules:\n"
        "  - {id: a, when: {path: a, '<': 1, '>': 2}, action: b, because: [{zh: a, en: a}], reply: {zh: a, en: b}}\n",
        "playbook: x\nversion: 1\ndecides: X\nrules:\n"
        "  - {id: a, action: b, because: [{zh: a, en: a}], reply: {zh: only}}\n",
    ],
)
def test_a_broken_playbook_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(InvalidInput, match="broken"):
        read_playbook(text, "x.yaml")


@pytest.mark.parametrize("route", sorted(SPECIALISTS))
def test_a_shipped_playbook_uses_only_what_its_desk_may(route: str) -> None:
    desk = SPECIALISTS[route]
    book = playbooks()[desk.decision.__name__]
    assert {read.tool for read in book.reads} <= set(desk.reads)
    assert {rule.action for rule in book.rules} <= set(desk.actions)
    assert {act.tool for rule in book.rules for act in rule.actions} <= set(desk.acts)
    sent = {a.args["action"] for rule in book.rules for a in rule.actions if a.tool == "send_action"}
    assert sent <= set(limits().offers)
    assert book.rules[-1].when is None or route == "strategist", "the last rule takes every case"
    assert len({rule.id for rule in book.rules}) == len(book.rules)


def test_the_router_knows_every_desk() -> None:
    routes = set(Routing.model_json_schema()["properties"]["route"]["enum"])
    assert {rule.action for rule in playbooks()["Routing"].rules} == routes
    assert routes - {"person"} == set(SPECIALISTS)
