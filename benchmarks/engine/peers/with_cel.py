"""CEL through common-expression-language (Rust): one compiled program a rule, the event converted once into a Context.
Folding the rules of a type into one list expression saves the calls."""

from __future__ import annotations

import json
from typing import Any

import cel
from cel_text import expression
from child import Form, by_type


def _prepare(lines: list[str]) -> list[Any]:
    return [json.loads(line) for line in lines]


def _each(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    programs = [(rule["name"], cel.compile(expression(rule, fields))) for rule in rules]

    def match(events: list[Any]) -> list[list[str]]:
        contexts = (cel.Context(variables=event) for event in events)
        return [[name for name, program in programs if program.execute(context)] for context in contexts]

    return Form(_prepare, match)


def _folded(rules: list[dict[str, Any]], fields: dict[str, Any]) -> Form:
    folded = {}
    for event, mine in by_type(rules).items():
        cases = [f"{expression(r, fields, event=False)} ? {json.dumps(r['name'])} : ''" for r in mine]
        folded[event] = cel.compile("[" + ",".join(cases) + "]")

    def match(events: list[Any]) -> list[list[str]]:
        return [
            [name for name in folded[e["type"]].execute(cel.Context(variables={"data": e["data"]})) if name]
            if e["type"] in folded
            else []
            for e in events
        ]

    return Form(_prepare, match)


FORMS = {"a program each": _each, "tuned: one list expression a type": _folded}
