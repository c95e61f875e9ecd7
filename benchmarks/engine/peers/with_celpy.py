"""CEL through cel-python, which is Python all through: one program a rule, run by its interpreter (the runner that
compiles to Python raises AttributeError on these expressions in 0.5.0)."""

from __future__ import annotations

import json
from typing import Any

import celpy
from cel_text import expression
from child import Form, by_type

Programs = list[tuple[str, Any]]


def _prepare(lines: list[str]) -> list[Any]:
    return [(event["type"], celpy.json_to_cel(event)) for event in map(json.loads, lines)]


def _programs(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Programs:
    environment = celpy.Environment()
    return [(rule["name"], environment.program(environment.compile(expression(rule, fields)))) for rule in rules]


def _each(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    programs = _programs(rules, fields)
    return Form(_prepare, lambda events: [[n for n, p in programs if p.evaluate(e)] for _, e in events])


def _grouped(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    groups = {event: _programs(mine, fields) for event, mine in by_type(rules).items()}
    return Form(_prepare, lambda events: [[n for n, p in groups.get(t, ()) if p.evaluate(e)] for t, e in events])


FORMS = {"a program each": _each, "tuned: grouped by type": _grouped}
