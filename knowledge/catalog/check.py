"""Does the catalog know this event, fact or relation, and do its values have the declared types and units? What
passes is returned with values in the catalog's units; what does not is an error for one line, never for the batch."""

from __future__ import annotations

import re
from datetime import date, datetime
from math import isfinite
from typing import Any

from core.errors import InvalidInput, UnknownName
from core.events import Event, Fact, Relation
from core.text import Text
from knowledge.catalog.load import nearest
from knowledge.catalog.model import Attribute, Catalog
from knowledge.catalog.units import WrongUnit, convert

_QUANTITY = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([^\s\d.]\S*)\s*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ].*)?")


def check_event(event: Event, catalog: Catalog) -> Event:
    """The event with its declared fields checked; undeclared fields pass as they are.

    Raises:
        UnknownName: the catalog has no such event type.
        InvalidInput: wrong subject type, or a field of the wrong type, value or unit.
    """
    kind = catalog.events.get(event.type)
    if kind is None:
        raise UnknownName(
            Text(f"没有事件类型 {event.type!r}", f"there is no event type {event.type!r}"),
            where={"field": "type"},
            nearest=nearest(event.type, catalog.events),
        )
    _check_subject(event.subject, kind.subject, "subject")
    data = {
        name: _check_value(value, kind.fields[name], f"data.{name}") if name in kind.fields else value
        for name, value in event.data.items()
    }
    return Event(event.id, event.type, event.time, event.subject, data, event.source)


def check_fact(fact: Fact, catalog: Catalog) -> Fact:
    """As `check_event`, for the value of an attribute or forecast. A null value passes: it ends the old one."""
    kind = fact.subject.split("/", 1)[0]
    attribute = catalog.attribute(kind, fact.property)
    if attribute is None:
        forecast = catalog.forecasts.get(fact.property)
        if forecast is None or forecast.subject != kind:
            known = [*(catalog.objects[kind].attributes if kind in catalog.objects else {})]
            known += [n for n, f in catalog.forecasts.items() if f.subject == kind]
            raise UnknownName(
                Text(f"{kind} 没有属性 {fact.property!r}", f"{kind} has no attribute {fact.property!r}"),
                where={"field": "property"},
                nearest=nearest(fact.property, known) or known[:3],
            )
        attribute = Attribute(type="number", unit=forecast.unit)
    if fact.value is None:
        return fact
    return Fact(fact.subject, fact.property, _check_value(fact.value, attribute, "value"), fact.time, fact.source)


def check_relation(relation: Relation, catalog: Catalog) -> Relation:
    """As `check_event`, for both ends of a relation."""
    kind = catalog.relations.get(relation.relation)
    if kind is None:
        raise UnknownName(
            Text(f"没有关系 {relation.relation!r}", f"there is no relation {relation.relation!r}"),
            where={"field": "relation"},
            nearest=nearest(relation.relation, catalog.relations),
        )
    _check_subject(relation.subject, kind.source, "subject")
    _check_subject(relation.object, kind.target, "object")
    return relation


def _check_subject(subject: str, wanted: str, field: str) -> None:
    kind = subject.split("/", 1)[0]
    if kind != wanted:
        raise InvalidInput(
            Text(f"{field} 的类型是 {kind!r}，应为 {wanted!r}", f"{field} is a {kind!r}; it must be a {wanted!r}"),
            where={"field": field},
            nearest=[f"{wanted}/{subject.split('/', 1)[1]}"],
        )


def _wrong(value: Any, wanted: Text, field: str, near: list[str] | None = None) -> InvalidInput:
    return InvalidInput(
        Text(f"{value!r:.80} 不是{wanted.zh}", f"{value!r:.80} is not {wanted.en}"),
        where={"field": field},
        nearest=near or (),
    )


def _check_value(value: Any, attribute: Attribute, field: str) -> Any:
    if value is None:
        return None
    if attribute.type == "number":
        return _check_number(value, attribute, field)
    if attribute.type == "boolean":
        if not isinstance(value, bool):
            raise _wrong(value, Text("布尔值", "a boolean"), field, ["true", "false"])
    elif attribute.type == "enum":
        if not isinstance(value, str) or value not in attribute.values:
            for known, labels in attribute.values.items():
                if value in labels.all():
                    return known
            known_values = [*attribute.values]
            raise _wrong(
                value,
                Text("允许的取值", "one of its values"),
                field,
                nearest(str(value), known_values) or known_values[:5],
            )
    elif attribute.type == "geo":
        if not (
            isinstance(value, dict)
            and all(
                isinstance(value.get(k), int | float) and not isinstance(value.get(k), bool) for k in ("lat", "lon")
            )
            and abs(value["lat"]) <= 90
            and abs(value["lon"]) <= 180
        ):
            raise _wrong(value, Text("位置", "a position"), field, ['{"lat": 31.23, "lon": 121.47}'])
    elif attribute.type == "date":
        if not _is_date(value):
            raise _wrong(value, Text("日期", "a date"), field, ["2026-05-01"])
    elif not isinstance(value, str):
        raise _wrong(value, Text("文本", "text"), field)
    return value


def _is_date(value: Any) -> bool:
    """A day, or a moment, of which the day counts."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


def _check_number(value: Any, attribute: Attribute, field: str) -> float:
    unit = None
    if isinstance(value, dict) and set(value) == {"value", "unit"}:
        value, unit = value["value"], value["unit"]
    elif isinstance(value, str) and (match := _QUANTITY.fullmatch(value)):
        value, unit = float(match.group(1)), match.group(2)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, Text("数值", "a number"), field)
    if unit is not None:
        try:
            value = convert(float(value), str(unit), attribute.unit)
        except WrongUnit as error:
            raise error.at(field=field) from None
    if not isfinite(value):
        raise _wrong(value, Text("有限的数值", "a finite number"), field)
    if (attribute.min is not None and value < attribute.min) or (attribute.max is not None and value > attribute.max):
        low, high = attribute.min, attribute.max
        raise InvalidInput(
            Text(f"{value} 超出允许范围", f"{value} is out of range"),
            where={"field": field},
            hint=Text(
                f"应在 {'-∞' if low is None else low} 与 {'∞' if high is None else high} 之间",
                f"It must lie between {'-inf' if low is None else low} and {'inf' if high is None else high}",
            ),
        )
    return float(value)
