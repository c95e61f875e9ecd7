"""A rule as a CEL expression, for every binding."""

from __future__ import annotations

import json
from typing import Any


def expression(rule: dict[str, Any], fields: dict[str, Any], event: bool = True) -> str:
    """CEL compares numbers of one type only: whole fields have whole bounds. What may be missing is asked for."""
    parts = [f"type == {json.dumps(rule['event'])}"] if event else []
    for field, op, value in rule["where"]:
        if fields[rule["event"]][field]["optional"]:
            parts.append(f"has(data.{field})")
        if isinstance(value, bool):
            parts.append(f"{'' if value else '!'}data.{field}")
        else:
            parts.append(f"data.{field} {op} {json.dumps(value)}")
    return " && ".join(parts)
