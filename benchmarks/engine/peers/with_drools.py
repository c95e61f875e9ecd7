"""Drools (Java) through drools-jpy: one rule set that may match several rules at once. It takes events as JSON text, so
its decoding is within what is timed."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

if "JAVA_HOME" not in os.environ and (java := shutil.which("java")):
    os.environ["JAVA_HOME"] = str(Path(java).resolve().parents[1])

from child import Form
from drools.rule import Rule
from drools.ruleset import Ruleset

_OPS = {"==": "EqualsExpression", ">=": "GreaterThanOrEqualToExpression", "<": "LessThanExpression"}
_KINDS = {bool: "Boolean", str: "String", int: "Integer", float: "Float"}


def _value(value: Any) -> dict[str, Any]:
    return {_KINDS[type(value)]: value}


def _comparison(field: str, op: str, value: Any) -> dict[str, Any]:
    subject = {"Event": field}
    if op == "in":
        return {"ItemInListExpression": {"lhs": subject, "rhs": [_value(each) for each in value]}}
    return {_OPS[op]: {"lhs": subject, "rhs": _value(value)}}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    condition = _comparison("type", "==", rule["event"])
    for field, op, value in rule["where"]:
        condition = {"AndExpression": {"lhs": condition, "rhs": _comparison(f"data.{field}", op, value)}}
    action = {"Action": {"action": "debug", "action_args": {}}}
    made = {"name": rule["name"], "condition": {"AllCondition": [condition]}, "actions": [action], "enabled": True}
    return {"Rule": made}


def _rule_set(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    document = {"name": "bench", "hosts": ["all"], "sources": [], "rules": [_rule(rule) for rule in rules]}
    engine = Ruleset("bench", json.dumps({**document, "match_multiple_rules": True}))
    found: list[str] = []

    def matched(name: str, _match: Any) -> None:
        found.append(name)

    for rule in rules:
        engine.add_rule(Rule(rule["name"], partial(matched, rule["name"])))

    def match(events: list[Any]) -> list[list[str]]:
        answers = []
        for event in events:
            found.clear()
            engine.assert_event(event)
            answers.append(found.copy())
        return answers

    return Form(list, match)


FORMS = {"a rule set that matches several": _rule_set}
