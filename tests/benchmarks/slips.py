"""Slips: what a strategy becomes when one thing in it is misread. A timeline is only worth something where it tells its
strategy from these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.times import format_duration, parse_duration
from strategy.document import Strategy

_BESIDE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_AGAINST = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==", "in": "not_in", "not_in": "in",
            "missing": "present", "present": "missing"}  # fmt: skip


def slips(gold: Strategy) -> Iterator[tuple[str, Strategy]]:
    """Each misreading with what it is: the other side of a threshold or its very edge, half and twice a number or time,
    a part left out, and what was absent there (or the reverse)."""
    whole = gold.model_dump(mode="json", exclude_defaults=True)
    whole["trigger"] = gold.model_dump(mode="json")["trigger"]
    if gold.audience is not None:
        whole["audience"] = gold.model_dump(mode="json")["audience"]
        yield "no audience", Strategy.model_validate({k: v for k, v in whole.items() if k != "audience"})
    for place in ("audience", "trigger"):
        if place in whole:
            for what, part in _misread(whole[place]):
                yield f"{place}: {what}", Strategy.model_validate({**whole, place: part})


def _misread(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in part.items():
        if key == "op" and value in _AGAINST:
            yield f"{value} turned", {**part, key: _AGAINST[value]}
            if value in _BESIDE:
                yield f"{value} at its edge", {**part, key: _BESIDE[value]}
        elif key in ("value", "percent", "metres") and type(value) in (int, float):
            yield from ((f"{key} {n:g}", {**part, key: n}) for n in (value * 2 or 1, value / 2) if n and n != 0.5)
        elif key in ("times", "days_before") and value is not None:
            yield from ((f"{key} {n}", {**part, key: n}) for n in (value + 1, value - 1) if n)
        elif key in ("window", "within") and isinstance(value, str):
            yield from ((f"{key} {t}", {**part, key: t}) for t in _times(value))
        elif key == "last" and value:
            yield from ((f"last {n}", {**part, key: n}) for n in (value + 1, value - 1) if n)
        elif key == "over" and value:
            yield from ((f"over {t}", {**part, key: t}) for t in _times(value))
        elif key == "absent" and isinstance(part.get("within"), str):
            yield f"absent {not value}", {**part, key: not value}
        elif isinstance(value, dict):
            yield from ((what, {**part, key: other}) for what, other in _misread(value))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for i, one in enumerate(value):
                rest = [*value[:i], *value[i + 1 :]]
                if key in ("where", "without") or (key in ("of", "steps") and len(rest) > (key == "steps")):
                    yield f"{key} {i} left out", {**part, key: rest}
                yield from (
                    (what, {**part, key: [*value[:i], other, *value[i + 1 :]]}) for what, other in _misread(one)
                )


def _times(text: str) -> list[str]:
    span = parse_duration(text)
    return [format_duration(span * 2), format_duration(span // 2)]
