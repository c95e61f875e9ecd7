"""Values as the engine compares them: exact numbers, comparisons with three results, filters on fields."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

from knowledge.catalog.model import Attribute, Catalog
from strategy.document import EventFilter, FilterOp, Op, Value

FALSE, UNKNOWN, TRUE = 0, 1, 2
"""Truth inside the engine: `all` is the smallest, `any` the largest, `not` is 2 minus it."""

Exact = int | Decimal
"""A number as it was written (0.1 is one tenth), so that running sums never drift however
long they run; decimals are kept to 120 digits."""

Test = Callable[[Any], bool | None]
"""A comparison with a fixed value; None when what was seen cannot be compared."""

_CONTEXT = Context(prec=120)
OPERATORS: dict[FilterOp, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
    "between": lambda a, b: b[0] <= a <= b[1],
    "contains": lambda a, b: b in a,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}


def exact(value: float) -> Exact:
    """A float → the shortest decimal that prints as it, which is what the sender wrote."""
    if isinstance(value, int) or value.is_integer():
        return int(value)
    return Decimal(repr(value))


def add(a: Exact, b: Exact) -> Exact:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return _CONTEXT.add(Decimal(a), Decimal(b))


def take(a: Exact, b: Exact) -> Exact:
    return add(a, -b)


def times(a: Exact, b: Exact) -> Exact:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    return _CONTEXT.multiply(Decimal(a), Decimal(b))


def packed(value: Any) -> Any:
    """An exact value as JSON: a decimal becomes a list of its text, so that it comes back exactly."""
    return [str(value)] if isinstance(value, Decimal) else value


def unpacked(value: Any) -> Any:
    return Decimal(value[0]) if isinstance(value, list) else value


def is_number(value: Any) -> bool:
    kind = type(value)
    return (kind is float and value - value == 0) or kind is int


def compare(op: FilterOp, a: Any, b: Any) -> bool:
    """Plain comparison of two values of one kind; for `in`, `not_in` and `between`, b is a list."""
    return bool(OPERATORS[op](a, b))


def comparison(op: FilterOp, value: Value | None, *, date: bool = False) -> Test:
    """`op value` as a test. What has another kind than `value` (text for a number, 1 for true) cannot be compared.
    With `date`, only the first ten characters count (`2026-05-01`)."""
    if op in ("missing", "present"):
        return lambda seen: (seen is None) is (op == "missing")
    sample = (value[0] if value else "") if isinstance(value, list) else value
    if isinstance(sample, bool):
        return lambda seen: compare(op, seen, value) if isinstance(seen, bool) else None
    if isinstance(sample, str):
        if date:
            days: Any = [str(v)[:10] for v in value] if isinstance(value, list) else str(value)[:10]
            return lambda seen: compare(op, seen[:10], days) if isinstance(seen, str) else None
        return lambda seen: compare(op, seen, value) if isinstance(seen, str) else None
    return lambda seen: compare(op, seen, value) if is_number(seen) else None


def passes(found: EventFilter, catalog: Catalog) -> Callable[[Mapping[str, Any]], bool] | None:
    """All filters as one test of an event's data; what is unknown does not pass. None when there is nothing to test."""
    if not found.where:
        return None
    tests = [
        (f.field, comparison(f.op, f.value, date=is_date(catalog.field(found.event, f.field)))) for f in found.where
    ]
    if len(tests) == 1:
        field, test = tests[0]
        return lambda data: test(data.get(field)) is True

    def every(data: Mapping[str, Any]) -> bool:
        return all(test(data.get(field)) is True for field, test in tests)

    return every


def is_date(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.type == "date"


def bounded(op: Op, seen: Exact, value: Exact | list[Exact], bound: str) -> int:
    """Truth of `x op value` when all that is known of x is `seen`: exactly it, or a lower or upper bound of it."""
    if bound == "exact":
        return TRUE if OPERATORS[op](seen, value) else FALSE
    if op in ("==", "in"):
        return FALSE if _beyond(bound, seen, value) else UNKNOWN
    if op in ("!=", "not_in"):
        return TRUE if _beyond(bound, seen, value) else UNKNOWN
    holds = compare(op, seen, value)
    if op in ((">", ">=") if bound == "lower" else ("<", "<=")):
        return TRUE if holds else UNKNOWN
    return UNKNOWN if holds else FALSE


def _beyond(bound: str, seen: Exact, value: Exact | list[Exact]) -> bool:
    listed = value if isinstance(value, list) else [value]
    return all(seen > v for v in listed) if bound == "lower" else all(seen < v for v in listed)
