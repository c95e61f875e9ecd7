"""Is a comparison one that its attribute or field can take: the operator, the shape of the value, its type?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from core.errors import InvalidInput, UnknownName
from core.text import Text
from knowledge.catalog import nearest
from knowledge.catalog.model import Attribute, AttributeType
from knowledge.catalog.units import WrongUnit, convert
from strategy.document import FilterOp, Value

_T = TypeVar("_T")

_QUANTITY = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([^\s\d.]\S*)\s*")
_ORDERED: tuple[FilterOp, ...] = ("<", "<=", ">", ">=", "between")
_TEXTUAL: tuple[FilterOp, ...] = ("contains", "starts_with", "ends_with")
_BARE: tuple[FilterOp, ...] = ("missing", "present")
_LISTS: tuple[FilterOp, ...] = ("in", "not_in", "between")


def known(name: str, names: Mapping[str, _T], what: Text, path: str) -> _T:
    """What the name stands for.

    Raises:
        UnknownName: nothing; `nearest` has the closest names.
    """
    if name not in names:
        labels = {label: n for n, item in names.items() for label in _labels(item)}
        close = list(dict.fromkeys(labels.get(c, c) for c in nearest(name, [*names, *labels])))
        raise UnknownName(
            Text(f"没有{what.zh} {name!r}", f"there is no {what.en} {name!r}"),
            where={"field": path},
            nearest=close or list(names)[:3],
        )
    return names[name]


def _labels(item: Any) -> Iterable[str]:
    labels = getattr(item, "labels", None)
    return labels.all() if labels is not None else ()


def of_type(attribute: Attribute, wanted: AttributeType, path: str, name: str) -> None:
    """Raises InvalidInput unless the attribute has the type."""
    if attribute.type != wanted:
        raise InvalidInput(
            Text(
                f"{name!r} 的类型是 {attribute.type}，这里需要 {wanted}", f"{name!r} is {attribute.type}, not {wanted}"
            ),
            where={"field": path},
        )


def comparable(attribute: Attribute, op: FilterOp, value: Value | None, path: str, name: str) -> None:
    """Raises InvalidInput or UnknownName unless the operator is one its type has and the value one it can take."""
    if op in _BARE:
        return
    if not _takes(attribute.type, op):
        raise InvalidInput(
            Text(
                f"{attribute.type} 类型的 {name!r} 不能用 {op} 比较",
                f"{name!r} is {attribute.type} and cannot be compared with {op}",
            ),
            where={"field": f"{path}.op"},
            hint=_hint(attribute.type),
        )
    if (op in _LISTS) != isinstance(value, list):
        raise InvalidInput(
            Text(
                f"{op} 的值应是{'列表' if op in _LISTS else '单个值'}",
                f"{op} takes {'a list' if op in _LISTS else 'one value'}",
            ),
            where={"field": f"{path}.value"},
        )
    for each in value if isinstance(value, list) else [value]:
        _value(attribute, each, f"{path}.value", name)


def _takes(kind: AttributeType, op: FilterOp) -> bool:
    if op in _ORDERED:
        return kind in ("number", "date")
    return kind != "geo" and (kind == "text" or op not in _TEXTUAL)


def _hint(kind: AttributeType) -> Text:
    if kind == "geo":
        return Text("位置用 near 条件", "Use a near condition for positions")
    if kind == "text":
        return Text("用 ==、!=、in、not_in、contains 等", "Use ==, !=, in, not_in, contains or the like")
    more = Text("、<、>、between", ", <, >, between") if kind in ("number", "date") else Text("", "")
    return Text(f"用 ==、!=、in、not_in{more.zh}", f"Use ==, !=, in, not_in{more.en}")


def _value(attribute: Attribute, value: float | bool | str | None, path: str, name: str) -> None:
    kind = attribute.type
    if kind == "enum":
        if value not in attribute.values:
            shown = {label: v for v, labels in attribute.values.items() for label in labels.all()}
            close = [shown.get(c, c) for c in nearest(str(value), [*attribute.values, *shown])]
            raise UnknownName(
                Text(f"{name!r} 没有取值 {value!r}", f"{name!r} has no value {value!r}"),
                where={"field": path},
                nearest=list(dict.fromkeys(close)) or [*attribute.values][:5],
            )
        return
    right = {
        "number": isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0,
        "boolean": isinstance(value, bool),
        "text": isinstance(value, str),
        "date": isinstance(value, str) and _is_date(value),
    }[kind]
    if not right:
        example = {"number": "3", "boolean": "true", "text": '"text"', "date": "2026-05-01"}[kind]
        unit = attribute.unit or ""
        hint = _in_unit(attribute, value, path) if kind == "number" and isinstance(value, str) else None
        raise InvalidInput(
            Text(
                f"{value!r} 不是 {name!r} 可比较的值（{kind}{' ' + unit if unit else ''}）",
                f"{value!r} cannot be compared with {name!r} ({kind}{', in ' + unit if unit else ''})",
            ),
            where={"field": path},
            hint=hint or Text(f"例如 {example}", f"For example {example}"),
        )


def _in_unit(attribute: Attribute, value: str, path: str) -> Text | None:
    """What a quantity such as `15 min` is in the attribute's unit; None when it is no quantity.

    Raises:
        WrongUnit: it measures something else.
    """
    match = _QUANTITY.fullmatch(value)
    if match is None:
        return None
    try:
        found = convert(float(match[1]), match[2], attribute.unit)
    except WrongUnit as error:
        raise error.at(field=path) from None
    return Text(f"写 {found:g}", f"Write {found:g}")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
