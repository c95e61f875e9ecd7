"""durable-rules (Rete in C): as events, of which it gives each to one rule alone, and as facts, which every rule sees
until they are taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from child import Form
from durable.engine import Host, MessageNotHandledException

_OPS = {">=": "$gte", "<": "$lt"}


def _condition(rule: dict[str, Any]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"type": rule["event"]}]
    for field, op, value in rule["where"]:
        if op == "in":
            parts.append({"$or": [{f"data.{field}": each} for each in value]})
        else:
            parts.append({f"data.{field}": value} if op == "==" else {_OPS[op]: {f"data.{field}": value}})
    return {"m": {"$and": parts}}


def _form(rules: list[dict[str, Any]], put: Callable[[Host, dict[str, Any]], None]) -> Form:
    found: list[str] = []
    ids = count()
    host = Host()

    def acting(name: str) -> Callable[[Any], None]:
        return lambda _context: found.append(name)

    host.set_rulesets({"bench": {r["name"]: {"all": [_condition(r)], "run": acting(r["name"])} for r in rules}})

    def match(events: list[Any]) -> list[list[str]]:
        answers: list[list[str]] = []
        for event in events:
            found.clear()
            event["id"] = str(next(ids))
            try:
                put(host, event)
            except MessageNotHandledException:
                answers.append([])
            else:
                answers.append(found.copy())
        return answers

    return Form(
        lambda lines: [{"sid": "1", "type": e["type"], "data": e["data"]} for e in map(json.loads, lines)], match
    )


def _fact(host: Host, event: dict[str, Any]) -> None:
    host.assert_fact("bench", event)
    host.retract_fact("bench", event)


FORMS = {
    "facts put and taken back": lambda rules, fields: _form(rules, _fact),
    "events": lambda rules, fields: _form(rules, lambda host, event: host.post("bench", event)),
}
