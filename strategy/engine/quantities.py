"""The quantities that conditions compare: what values the catalog lets them take, and which filters no event passes."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from core.text import Text
from knowledge.catalog import Catalog
from knowledge.catalog.units import canonical
from strategy.document import (
    SUBJECT,
    Aggregate,
    AttributeIs,
    EventFilter,
    Filter,
    ForecastIs,
    MetricIs,
    Ratio,
)
from strategy.engine.contradictions import Domain, contradictory, domain_of, implied

Compared = AttributeIs | Aggregate | MetricIs | Ratio | ForecastIs
"""Conditions that compare one quantity with a value."""


class Reason(NamedTuple):
    """Why something can never be true: where, and what would be right."""

    why: Text
    place: str
    cure: Text


class Quantities:
    """What a strategy for one type of subject compares."""

    def __init__(self, catalog: Catalog, subject: str) -> None:
        self._catalog = catalog
        self._subject = subject

    def domain(self, condition: Compared) -> Domain:
        """What values the compared quantity can take."""
        catalog = self._catalog
        if isinstance(condition, AttributeIs):
            owner = catalog.relations[condition.via].target if condition.via is not None else self._subject
            return domain_of(catalog.attribute(owner, condition.name))
        if isinstance(condition, ForecastIs):
            unit = catalog.forecasts[condition.forecast].unit
            return Domain((0.0, 100.0)) if unit is not None and canonical(unit) == "percent" else Domain()
        if isinstance(condition, MetricIs):
            return Domain((0.0, inf))
        possible = self.stopped(condition.of if isinstance(condition, Ratio) else condition, "") is None
        if isinstance(condition, Ratio):
            share = includes(condition.per, condition.of)
            most = (100.0 if condition.percent else 1.0) if share else inf
            return Domain((0.0, most if possible else 0.0))
        return self._reduced(condition, possible)

    def _reduced(self, condition: Aggregate, possible: bool) -> Domain:
        field = domain_of(self._catalog.field(condition.event, condition.field) if condition.field else None)
        low, high = field.span
        match condition.function:
            case "count" | "distinct":
                top = inf if condition.window.last is None else float(condition.window.last)
                if condition.function == "distinct" and field.listed is not None:
                    top = min(top, len(field.listed))
                if condition.field == SUBJECT and self._catalog.events[condition.event].subject == self._subject:
                    top = 1.0
                return Domain((0.0, top if possible else 0.0), whole=True)
            case "sum":
                return Domain((0.0 if low >= 0 or not possible else -inf, 0.0 if high <= 0 or not possible else inf))
        return field

    def may_lack(self, condition: Compared) -> bool:
        """There may be no value, whatever the history."""
        return not isinstance(condition, Aggregate) or condition.function not in ("count", "distinct", "sum")

    def grows(self, condition: Aggregate) -> bool:
        """True when a longer window never holds less than a shorter one (for min: never more)."""
        if condition.function == "sum":
            field = self._catalog.field(condition.event, condition.field or "")
            return field is not None and field.min is not None and field.min >= 0
        return condition.function in ("count", "distinct", "min", "max")

    def stopped(self, found: EventFilter, path: str) -> Reason | None:
        """Why no event passes all filters, if none does."""
        groups: dict[str, list[Filter]] = {}
        for each in found.where:
            groups.setdefault(each.field, []).append(each)
        for name, tests in groups.items():
            domain = domain_of(self._catalog.field(found.event, name))
            if contradictory([(test.op, test.value) for test in tests], domain):
                if len(tests) == 1:
                    return outside(tests[0], domain, f"{path}.where.{found.where.index(tests[0])}")
                return Reason(
                    Text("事件的过滤条件互相矛盾", "the event's filters contradict each other"),
                    f"{path}.where",
                    Text(f"改 {name} 的界限", f"change the bounds of {name}"),
                )
        return None


def includes(wide: EventFilter, narrow: EventFilter) -> bool:
    """Every event that passes the narrow filter passes the wide one."""
    return wide.event == narrow.event and all(_implied(each, narrow.where) for each in wide.where)


def _implied(test: Filter, given: Sequence[Filter]) -> bool:
    same = [(each.op, each.value) for each in given if each.field == test.field]
    return test in given or implied((test.op, test.value), same)


def outside(condition: Compared | Filter, domain: Domain, path: str) -> Reason:
    """The value compared with is one that never comes."""
    op, value = condition.op, condition.value
    if op == "between" and isinstance(value, list) and not value[0] <= value[1]:  # type: ignore[operator] # of one kind
        return Reason(
            Text(
                f"下限 {value[0]} 大于上限 {value[1]}", f"the lower bound {value[0]} is above the upper one {value[1]}"
            ),
            path,
            Text("把两者对调", "put the smaller one first"),
        )
    low, high = domain.span
    span = Text(
        f"{'-∞' if low == -inf else f'{low:g}'} 与 {'∞' if high == inf else f'{high:g}'} 之间",
        f"{'-∞' if low == -inf else f'{low:g}'}..{'∞' if high == inf else f'{high:g}'}",
    )
    cure = Text("写这个范围内的值", "write a value it can have")
    if isinstance(condition, Ratio) and not condition.percent and high == 1:
        cure = Text("加上 percent: true，或写 0 到 1 之间的数", "add percent: true, or write a number from 0 to 1")
    return Reason(
        Text(f"取值在 {span.zh}，不可能 {op} {value}", f"it lies in {span.en}, never {op} {value}"),
        path,
        cure,
    )
