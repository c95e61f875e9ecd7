"""rule-engine: one compiled expression a rule, on flat dictionaries. The flat form is 2.5 times as fast as paths into
`data`, and a missing field that is filled with null costs less than its own default."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import rule_engine
from child import Form, by_type, flat

Compiled = list[tuple[str, Any]]


def _expression(rule: dict[str, Any]) -> str:
    parts = [f"type == {json.dumps(rule['event'])}"]
    for field, op, value in rule["where"]:
        if isinstance(value, bool):
            parts.append(field if value else f"not {field}")
        else:
            parts.append(f"{field} {op} {json.dumps(value)}")
    return " and ".join(parts)


def _compiled(rules: list[dict[str, Any]]) -> Compiled:
    context = rule_engine.Context(resolver=rule_engine.resolve_item, default_value=None)
    return [(rule["name"], rule_engine.Rule(_expression(rule), context=context)) for rule in rules]


def _prepare(fields: dict[str, Any]) -> Callable[[list[str]], list[Any]]:
    blank = {event: dict.fromkeys(names) for event, names in fields.items()}
    return lambda lines: [{**blank[event["type"]], **event} for event in flat(lines)]


def _each(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    compiled = _compiled(rules)
    return Form(_prepare(fields), lambda events: [[n for n, rule in compiled if rule.matches(e)] for e in events])


def _grouped(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    groups = {event: _compiled(mine) for event, mine in by_type(rules).items()}
    return Form(
        _prepare(fields),
        lambda events: [[n for n, rule in groups.get(e["type"], ()) if rule.matches(e)] for e in events],
    )


FORMS = {"a rule each": _each, "tuned: grouped by type": _grouped}
