"""A comparison as said → operator and value in the unit and type that the catalog gives the thing compared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NoReturn, cast

from core.text import Text
from knowledge.catalog import name_of
from knowledge.catalog.model import Attribute
from knowledge.catalog.units import WrongUnit, canonical, convert, unit_words
from strategy.document import FilterOp, Op, Value
from strategy.language.amounts import NOT, OUTSIDE, POINTS, Comparison, Quantity
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.scope import Scope

_CELSIUS = frozenset(["c", "°c", "℃", "celsius", "摄氏度", "度", "degc"])
_KNOWN_UNITS = frozenset(unit_words().values())

_TEXTUAL = ("contains", "starts_with", "ends_with")

Tests = list[tuple[FilterOp, Value | None]]
"""Operators and values that must all hold (two for a range). An operator on a part of a text may begin with `NOT`."""


def in_unit(quantity: Quantity, unit: str | None, part: Part, scope: Scope) -> float:
    """The number in the wanted unit.

    Raises:
        WrongUnit: with the place in the sentence.
    """
    if quantity.unit is None and not quantity.times:
        if unit and canonical(unit) == "percent" and 0 < abs(quantity.number) < 1:
            number = f"{quantity.number:g}"
            scope.ask(
                [part],
                f"{number} 是指 {number}% 还是 {quantity.number * 100:g}%?",
                f"does {number} mean {number}% or {quantity.number * 100:g}%?",
                [Text(f"{number}%", f"{number}%"), Text(f"{quantity.number * 100:g}%", f"{quantity.number * 100:g}%")],
            )
        return quantity.number
    if quantity.unit in POINTS and (unit is None or unit in ("分", "pts", "point", *POINTS)):
        return quantity.number
    if quantity.times or quantity.unit == "岁":
        if unit is None or canonical(unit) not in _KNOWN_UNITS or canonical(unit) == "year":
            return quantity.number
        said = "次" if scope.lang == "zh" else "times"
        said = "岁" if quantity.unit else said
    else:
        said = quantity.unit or ""
    if unit and said == "℃" and unit.lower() in _CELSIUS:
        return quantity.number
    want = canonical(unit) if unit else None
    try:
        if quantity.micros is not None and said not in _KNOWN_UNITS and want is not None:
            return convert(quantity.micros / 1e6, "s", want)
        return convert(quantity.number, said, unit)
    except WrongUnit as error:
        raise error.at(**scope.where([part])) from None


def number_tests(comparison: Comparison, unit: str | None, part: Part, scope: Scope) -> list[tuple[Op, float]]:
    if comparison.op == OUTSIDE:
        refuse_outside(part, scope)
    low = in_unit(comparison.quantity, unit, part, scope)
    if comparison.high is None:
        return [(cast(Op, comparison.op), low)]
    high = in_unit(comparison.high, unit, part, scope)
    if high < low:
        scope.invalid([part], "范围的下限大于上限", "the range's lower end is above its upper end")
    return [(">=", low), ("<=", high)]


def refuse_outside(part: Part, scope: Scope) -> NoReturn:
    scope.refuse(
        [part],
        f"“{scope.said(part)}”在这里请拆成两个条件",
        f"split {scope.said(part)!r} into two conditions here",
        Text("例如“收缩压小于90或大于160”", "For example “systolic below 90 or above 160”"),
    )


def check_possible(
    tests: Sequence[tuple[Op, float]], low: float | None, high: float | None, part: Part, scope: Scope
) -> None:
    """Refuse what no value within [low, high] can make true, and what every value makes true."""
    outcomes = []
    for op, value in tests:
        never = (high is not None and (value > high or (value == high and op == ">")) and op in (">", ">=", "==")) or (
            low is not None and (value < low or (value == low and op == "<")) and op in ("<", "<=", "==")
        )
        always = (low is not None and (value < low or (value == low and op == ">=")) and op in (">", ">=", "!=")) or (
            high is not None and (value > high or (value == high and op == "<=")) and op in ("<", "<=", "!=")
        )
        outcomes.append((never, always))
        if never or (len(outcomes) == len(tests) and all(a for _, a in outcomes)):
            bounds = f"{'' if low is None else f'{low:g}'}–{'' if high is None else f'{high:g}'}"
            scope.refuse(
                [part],
                f"“{scope.said(part)}”{'永远不会成立' if never else '总是成立'}：取值范围是 {bounds}",
                f"{scope.said(part)!r} can {'never' if never else 'only'} be true: values lie in {bounds}",
            )


def enum_value(attribute: Attribute, owner: Name, part: Part, scope: Scope) -> str:
    """The enum value a part names: by its name, its label or a quoted text.

    Raises:
        UnknownName: the attribute has no such value.
    """
    for name in part.named("value"):
        if (name.owner, name.item, name.of) == (owner.owner, owner.id, owner.kind):
            return name.id
    text = part.get("STRING")
    if isinstance(text, str):
        for value, labels in attribute.values.items():
            if text == value or text in labels.all():
                return value
    known = [name_of(labels, value, scope.lang) for value, labels in attribute.values.items()]
    return scope.unknown(part, known=known)


def literal_value(attribute: Attribute, owner: Name, part: Part, scope: Scope) -> Value:
    """The value of a part that stands where a value is compared for equality."""
    if attribute.type == "enum":
        return enum_value(attribute, owner, part, scope)
    if attribute.type == "number":
        if part.has("QTY"):
            return in_unit(part.get("QTY"), attribute.unit, part, scope)
        _needs_number(owner, part, scope)
    if attribute.type == "boolean":
        if part.has("TRUE", "FALSE"):
            return part.has("TRUE")
        _not_a_number_field(owner, part, scope)
    if attribute.type == "date":
        return _date_text(part, scope)
    for kind in ("STRING", "DATE", "UNKNOWN"):
        if isinstance(part.get(kind), str):
            return str(part.get(kind))
    return scope.said(part)


def _date_text(part: Part, scope: Scope) -> str:
    """A fixed date as written; anything else is no date."""
    text = str(part.get("DATE") or part.get("STRING") or scope.said(part))
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        scope.invalid([part], f"“{text}”不是日期", f"{text!r} is not a date", near=["2026-05-01"])
    return text


def _needs_number(owner: Name, part: Part, scope: Scope) -> Any:
    label = scope.label("field" if owner.kind == "field" else "attribute", owner.id, owner=owner.owner)
    scope.invalid(
        [part],
        f"“{label}”是数值，不能等于“{scope.said(part)}”",
        f"{label!r} is a number; it cannot be {scope.said(part)!r}",
    )


def _not_a_number_field(owner: Name, part: Part, scope: Scope) -> Any:
    kind = "field" if owner.kind == "field" else "attribute"
    zh, en = (scope.label(kind, owner.id, lang, owner.owner) for lang in ("zh", "en"))  # type: ignore[arg-type] # two literals
    scope.invalid(
        [part],
        f"“{zh}”是“是/否”，不能与“{scope.said(part)}”比较",
        f"{en!r} is yes or no; it cannot be compared with {scope.said(part)!r}",
        Text(f"例如：{zh} 或 未{zh}", f"For example: {en} or not {en}"),
    )


def tests_of(attribute: Attribute, owner: Name, part: Part, scope: Scope, *, bounded: bool = True) -> Tests:
    """A part that holds a comparison (CMPQ) or a comparison with a literal (CMPV) → tests on the attribute. `bounded`:
    the attribute's own limits hold for what is compared (not so for a sum)."""
    if part.has("CMPV"):
        op, literal = part.get("CMPV")
        if literal is None:
            return [(op, None)]
        if op.removeprefix(NOT) in _TEXTUAL:
            return [(op, _part_of_text(attribute, owner, part, scope))]
        if isinstance(literal, list):
            return [(op, [_plain_value(literal_value(attribute, owner, p, scope)) for p in literal])]
        if attribute.type == "boolean" and not literal.has("TRUE", "FALSE"):
            _not_a_number_field(owner, literal, scope)
        if attribute.type == "enum" and op not in ("==", "!="):
            _no_order(owner, part, scope)
        return [(op, literal_value(attribute, owner, literal, scope))]
    comparison: Comparison = part.get("CMPQ")
    if attribute.type == "boolean":
        _not_a_number_field(owner, part, scope)
    if attribute.type == "enum":
        known = [name_of(labels, value, scope.lang) for value, labels in attribute.values.items()]
        zh, en = (
            scope.label(owner.kind, owner.id, "zh", owner.owner),
            scope.label(owner.kind, owner.id, "en", owner.owner),
        )
        scope.invalid([part], f"“{zh}”不是数值", f"{en!r} is not a number", near=known)
    if attribute.type != "number":
        scope.invalid(
            [part],
            f"“{scope.said(part)}”不能与{attribute.type}类型的值比较",
            f"a {attribute.type} cannot be compared so",
        )
    tests = number_tests(comparison, attribute.unit, part, scope)
    if bounded:
        check_possible(tests, attribute.min, attribute.max, part, scope)
    if comparison.inclusive:
        return [("between", [value for _, value in tests])]
    return [(op, value) for op, value in tests]


def _part_of_text(attribute: Attribute, owner: Name, part: Part, scope: Scope) -> str:
    if attribute.type != "text":
        label = scope.label(owner.kind, owner.id, owner=owner.owner)
        scope.invalid([part], f"“{label}”不是文字", f"{label!r} is not a text")
    return str(literal_value(attribute, owner, part.get("CMPV")[1], scope))


def _no_order(owner: Name, part: Part, scope: Scope) -> None:
    label = scope.label(owner.kind, owner.id, owner=owner.owner)
    scope.invalid([part], f"“{label}”的取值没有大小之分", f"the values of {label!r} have no order")


def _plain_value(value: Value) -> float | str:
    return value if isinstance(value, str) else float(cast(float, value))
