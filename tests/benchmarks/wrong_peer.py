"""A peer that is not one: three ways to answer, of which one is right. Runs in the child process of the benchmark."""

from __future__ import annotations

from typing import Any

from child import Form, flat

_HOLDS = {
    "==": lambda seen, value: seen == value,
    "in": lambda seen, value: seen in value,
    ">=": lambda seen, value: seen >= value,
    "<": lambda seen, value: seen < value,
}


def _passes(rule: dict[str, Any], event: dict[str, Any]) -> bool:
    return event["type"] == rule["event"] and all(f in event and _HOLDS[op](event[f], v) for f, op, v in rule["where"])


def _right(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    return Form(flat, lambda events: [[r["name"] for r in rules if _passes(r, e)] for e in events])


def _first(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    """Stops at the first rule that holds, as rule engines do that take an event away."""
    return Form(flat, lambda events: [[r["name"] for r in rules if _passes(r, e)][:1] for e in events])


def _breaks(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    raise RuntimeError("it cannot read these rules")


FORMS = {"right": _right, "first": _first, "breaks": _breaks}
