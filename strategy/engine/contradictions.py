"""What several comparisons of one quantity leave possible: whether a value can pass all of them, or must pass one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, inf, isfinite
from typing import NamedTuple

from knowledge.catalog.model import Attribute
from strategy.document import FilterOp, Value
from strategy.engine.values import comparison, is_date

Comparison = tuple[FilterOp, Value | None]
Range = tuple[float, float]

_NEGATED: dict[FilterOp, FilterOp] = {
    "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not_in", "not_in": "in",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Domain:
    """What values a quantity can take: numbers within `span` (`whole` ones only), days, or what is `listed`."""

    span: Range = (-inf, inf)
    whole: bool = False
    dated: bool = False
    listed: tuple[bool | str, ...] | None = None


def domain_of(attribute: Attribute | None) -> Domain:
    """The values that the catalog lets an attribute or field take."""
    if attribute is None:
        return Domain()
    if attribute.type == "enum":
        return Domain(listed=tuple(attribute.values))
    if attribute.type == "boolean":
        return Domain(listed=(True, False))
    if attribute.type == "number":
        return Domain(
            (-inf if attribute.min is None else attribute.min, inf if attribute.max is None else attribute.max)
        )
    return Domain(dated=is_date(attribute))


def contradictory(comparisons: Sequence[Comparison], domain: Domain) -> bool:
    """True when no value (and no absence of one) passes all of them."""
    ops = {op for op, _ in comparisons}
    if "missing" in ops:
        return ops != {"missing"}
    asked = [(op, value) for op, value in comparisons if op != "present"]
    candidates = _candidates(asked, domain)
    if candidates is None:
        return _empty(asked, domain) or _texts_differ(asked)
    tests = [comparison(op, value, date=domain.dated) for op, value in asked]
    return not any(_within(each, domain) and all(test(each) is True for test in tests) for each in candidates)


def covering(comparisons: Sequence[Comparison], domain: Domain) -> bool:
    """True when every value passes one of them. Whether there is a value is another question."""
    if any(op == "present" for op, _ in comparisons):
        return True
    return contradictory([(_NEGATED[op], value) for op, value in comparisons if op in _NEGATED], domain)


def implied(comparison: Comparison, given: Sequence[Comparison]) -> bool:
    """True when every number that passes all that is given passes the comparison. Of texts nothing is said: they may be
    days, which are the same at other hours."""
    op, value = comparison
    known = [each for each in given if _numeric(each[1])]
    return (
        op in _NEGATED and _numeric(value) and bool(known) and contradictory([(_NEGATED[op], value), *known], Domain())
    )


def _numeric(value: Value | None) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and all(isinstance(each, int | float) and not isinstance(each, bool) for each in listed)


class Limits(NamedTuple):
    """Between which numbers something lies; an open end is not reached."""

    low: float
    low_open: bool
    high: float
    high_open: bool


def limits(comparisons: Iterable[Comparison], domain: Domain) -> Limits:
    """Where those numbers (or days) lie that pass all of the comparisons."""
    low, high = domain.span
    low_open = high_open = False
    for op, value in _ordered(comparisons, domain):
        listed = value if isinstance(value, list) else [value]
        least, most = min(listed, default=inf), max(listed, default=-inf)
        if op in (">", ">=", "==", "in") and (least > low or (least == low and op == ">")):
            low, low_open = least, op == ">"
        if op in ("<", "<=", "==", "in") and (most < high or (most == high and op == "<")):
            high, high_open = most, op == "<"
    if domain.whole or domain.dated:
        low = (floor(low) + 1 if low_open else ceil(low)) if isfinite(low) else low
        high = (ceil(high) - 1 if high_open else floor(high)) if isfinite(high) else high
        low_open = high_open = False
    return Limits(low, low_open, high, high_open)


def above(one: Limits, other: Limits) -> bool:
    """Everything in the one is greater than everything in the other."""
    return one.low > other.high or (one.low == other.high and (one.low_open or other.high_open))


def _candidates(asked: Sequence[Comparison], domain: Domain) -> Sequence[float | bool | str] | None:
    """The only values that may pass, when they can be listed."""
    for op, value in asked:
        if op == "==" and value is not None and not isinstance(value, list):
            return [value]
        if op == "in" and isinstance(value, list):
            return value
    return domain.listed


def _within(value: float | bool | str, domain: Domain) -> bool:
    if isinstance(value, bool | str):
        return True
    return domain.span[0] <= value <= domain.span[1] and not (domain.whole and value != int(value))


def _empty(asked: Sequence[Comparison], domain: Domain) -> bool:
    """No number (or day) lies within all the bounds."""
    found = limits(asked, domain)
    low = found.low
    excluded: set[float] = set()
    for op, value in _ordered(asked, domain):
        if op in ("!=", "not_in"):
            excluded |= set(value if isinstance(value, list) else [value])
    while (domain.whole or domain.dated) and low in excluded:
        low += 1
    return above(found._replace(low=low), found) or (low == found.high and low in excluded)


def _ordered(asked: Iterable[Comparison], domain: Domain) -> Iterator[tuple[FilterOp, float | list[float]]]:
    """Comparisons of numbers, and of days as numbers; `between` as two."""
    for op, value in asked:
        numbers = [_number(each, domain) for each in (value if isinstance(value, list) else [value])]
        known = [each for each in numbers if each is not None]
        if len(known) < len(numbers):
            continue
        if op == "between":
            yield ">=", known[0]
            yield "<=", known[1]
        else:
            yield op, known if isinstance(value, list) else known[0]


def _number(value: float | bool | str | None, domain: Domain) -> float | None:
    if isinstance(value, str) and domain.dated:
        return date.fromisoformat(value[:10]).toordinal()
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _texts_differ(asked: Iterable[Comparison]) -> bool:
    """No text begins (or ends) in two ways at once."""
    starts = [value for op, value in asked if op == "starts_with" and isinstance(value, str)]
    ends = [value[::-1] for op, value in asked if op == "ends_with" and isinstance(value, str)]
    return any(not max(side, key=len).startswith(each) for side in (starts, ends) for each in side)
