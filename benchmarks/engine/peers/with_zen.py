"""zen-engine: one decision table that collects every row that holds, evaluated in batches. Its expression language
alone, a list of conditions for each type of event, is faster still, but leaves the tables that the engine is for."""

from __future__ import annotations

import json
from typing import Any

import zen
from child import Form, by_type, flat


def _cell(rule: dict[str, Any], field: str) -> str:
    return " and ".join(f"$ {op} {json.dumps(value)}" for name, op, value in rule["where"] if name == field)


def _decision(rules: list[dict[str, Any]], fields: dict[str, Any]) -> dict[str, Any]:
    names = sorted({name for mine in fields.values() for name in mine})
    rows = [
        {
            "_id": rule["name"],
            "type": json.dumps(rule["event"]),
            **{name: _cell(rule, name) for name in names},
            "out": json.dumps(rule["name"]),
        }
        for rule in rules
    ]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name} for name in ("type", *names)],
        "outputs": [{"id": "out", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "end", "type": "outputNode", "name": "end"},
    ]
    edges = [
        {"id": f"{a} {b}", "type": "edge", "sourceId": a, "targetId": b} for a, b in (("in", "table"), ("table", "end"))
    ]
    return {"nodes": nodes, "edges": edges}


def _table(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"rules": _decision(rules, fields)}}})

    def match(events: list[Any]) -> list[list[str]]:
        found = []
        for i in range(0, len(events), 256):
            batch = engine.evaluate_batch([{"key": "rules", "context": event} for event in events[i : i + 256]])
            found += [[row["rule"] for row in result["data"]["result"]] for result in batch]
        return found

    return Form(flat, match)


def _listed(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    listed = {}
    for event, mine in by_type(rules).items():
        cases = [
            f"({' and '.join(f'{f} {op} {json.dumps(v)}' for f, op, v in r['where'])}) ? {json.dumps(r['name'])} : null"
            for r in mine
        ]
        listed[event] = zen.compile_expression("[" + ",".join(cases) + "]")
    return Form(
        flat,
        lambda events: [[n for n in listed[e["type"]].evaluate(e) if n] if e["type"] in listed else [] for e in events],
    )


FORMS = {"decision table in batches": _table, "tuned: one list expression a type": _listed}
