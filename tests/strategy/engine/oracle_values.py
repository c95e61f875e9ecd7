"""What the oracle says of single values: comparisons with three results, bounds, numbers as they were written."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import acos, cos, radians, sin
from typing import Any

from core.errors import InvalidInput
from core.events import Event
from core.times import parse_duration

T, F, U = "true", "false", "unknown"


def there(value: Any) -> bool:
    return value is not None


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def exact(value: Any) -> Fraction:
    return Fraction(Decimal(repr(value)))


def compared(seen: Any, op: str, value: Any, dated: bool = False) -> str:
    if op in ("missing", "present"):
        return T if (seen is None) is (op == "missing") else F
    if dated and isinstance(seen, str):
        seen, value = seen[:10], [v[:10] for v in value] if isinstance(value, list) else value[:10]
    sample = value[0] if isinstance(value, list) else value
    if (
        seen is None
        or isinstance(seen, bool) != isinstance(sample, bool)
        or isinstance(seen, str) != isinstance(sample, str)
    ):
        return U
    return T if holds(op, seen, value) else F


def holds(op: str, seen: Any, value: Any) -> bool:
    if op == "between":
        return bool(seen >= value[0] and seen <= value[1])
    if op == "contains":
        return any(seen[i : i + len(value)] == value for i in range(len(seen) + 1))
    if op in ("starts_with", "ends_with"):
        part = seen[: len(value)] if op == "starts_with" else seen[max(len(seen) - len(value), 0) :]
        return bool(part == value)
    if op in ("in", "not_in"):
        return (seen in value) is (op == "in")
    order = (seen > value) - (seen < value)
    meets = {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "==": order == 0, "!=": order != 0}
    return bool(meets[op])


def bounded(op: str, seen: Fraction, value: Any, bound: str) -> str:
    """Could more history still change the answer? The true value is anything from `seen` on, in the bound's direction;
    to try a value beyond every listed one and each listed one itself is to try them all."""
    if bound == "exact":
        return T if holds(op, seen, value) else F
    listed = value if isinstance(value, list) else [value]
    step = 1 if bound == "lower" else -1
    far = [seen + step * (abs(seen) + sum(abs(v) for v in listed) + 1)]
    between = [v + step * Fraction(1, 2) for v in listed]
    possible = [seen, *(v for v in [*listed, *between, *far] if (v - seen) * step >= 0)]
    found = {holds(op, v, value) for v in possible}
    return U if len(found) == 2 else T if True in found else F


def metres(where: dict[str, float], lat: float, lon: float) -> float:
    """Spherical law of cosines: another formula than the engine's for the same distance."""
    a, b, c = radians(where["lat"]), radians(lat), radians(lon - where["lon"])
    return 6_371_008.8 * acos(min(1.0, sin(a) * sin(b) + cos(a) * cos(b) * cos(c)))


def key(value: Any) -> str | None:
    """A field's value as the key of a subject: text, or a whole number of at most 15 digits."""
    if isinstance(value, str) and value:
        return value
    if number(value) and exact(value).denominator == 1 and abs(exact(value)) < 10**15:
        return str(exact(value).numerator)
    return None


def counts_for(e: Event, groups: dict[str, str]) -> set[str]:
    """Every subject an event counts for."""
    keys = {kind: key(e.data.get(field)) for kind, field in groups.items()}
    return {e.subject} | {f"{kind}/{found}" for kind, found in keys.items() if found is not None}


def durations(part: Any) -> set[int]:
    """Everything in a document that reads as a duration."""
    if isinstance(part, dict):
        return {n for each in part.values() for n in durations(each)}
    if isinstance(part, list | tuple):
        return {n for each in part for n in durations(each)}
    try:
        return {parse_duration(part)} if isinstance(part, str) else set()
    except InvalidInput:
        return set()
