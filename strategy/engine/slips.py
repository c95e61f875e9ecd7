"""Numbers that look as if they were meant in another unit: 0.3 where the catalog counts percent, a total of pressures.
They are warned about, with what to write instead; quantities of another dimension are refused (comparable.py)."""

from __future__ import annotations

from collections.abc import Iterator

from core.text import Text
from knowledge.catalog import Catalog
from knowledge.catalog.units import adds_up, canonical
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    EventFilter,
    Filter,
    ForecastIs,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Sequence,
    Streak,
    Value,
)
from strategy.engine.paths import reached


def unit_slips(condition: Condition, path: str, catalog: Catalog, subject: str) -> Iterator[Text]:
    """What is odd about the units in a condition and the conditions within it."""
    if isinstance(condition, All | Any_):
        for i, part in enumerate(condition.of):
            yield from unit_slips(part, f"{path}.of.{i}", catalog, subject)
    elif isinstance(condition, Not):
        yield from unit_slips(condition.of, f"{path}.of", catalog, subject)
    elif isinstance(condition, AttributeIs):
        owner = catalog.relations[condition.via].target if condition.via else subject
        attribute = catalog.attribute(owner, condition.name)
        yield from _share(condition.value, attribute.unit if attribute else None, f"{path}.value")
    elif isinstance(condition, ForecastIs):
        yield from _share(condition.value, catalog.forecasts[condition.forecast].unit, f"{path}.value")
    elif isinstance(condition, MetricIs):
        yield from _share(condition.value, catalog.metrics[condition.metric].unit, f"{path}.value")
    elif isinstance(condition, Near):
        if condition.metres < 1:
            yield _odd(f"{path}.metres", condition.metres, "m", 1000 * condition.metres)
    elif isinstance(condition, Path):
        for i, step in enumerate(condition.steps):
            for j, each in enumerate(step.where):
                attribute = catalog.attribute(reached(step, catalog), each.field)
                place = f"{path}.steps.{i}.where.{j}.value"
                yield from _share(each.value, attribute.unit if attribute else None, place)
    else:
        yield from _of_events(condition, path, catalog)


def _of_events(condition: Condition, path: str, catalog: Catalog) -> Iterator[Text]:
    if isinstance(condition, Ratio):
        yield from _share(condition.value, "percent" if condition.percent else None, f"{path}.value")
    if isinstance(condition, Change):
        yield from _share(condition.percent, "percent", f"{path}.percent")
    if isinstance(condition, Aggregate | Change) and condition.field is not None:
        field = catalog.field(condition.event, condition.field)
        unit = field.unit if field else None
        if condition.function == "sum" and not adds_up(unit):
            yield Text(
                f"{path}.function：{unit} 的合计没有意义；改用 avg",
                f"{path}.function: a total of {unit} means nothing; use avg",
            )
        if isinstance(condition, Aggregate) and condition.function not in ("count", "distinct"):
            yield from _share(condition.value, unit, f"{path}.value")
    for place, found in _filters(condition, path):
        field = catalog.field(found[0], found[1].field)
        yield from _share(found[1].value, field.unit if field else None, f"{place}.value")


def _filters(condition: Condition, path: str) -> Iterator[tuple[str, tuple[str, Filter]]]:
    """Every filter on an event's field, with its place and the event."""
    events: list[tuple[str, EventFilter]] = [(path, condition)] if isinstance(condition, EventFilter) else []
    if isinstance(condition, Ratio):
        events += [(f"{path}.of", condition.of), (f"{path}.per", condition.per)]
    if isinstance(condition, Streak):
        events += [(f"{path}.without.{i}", each) for i, each in enumerate(condition.without)]
    if isinstance(condition, Sequence):
        events += [(f"{path}.steps.{i}", each) for i, each in enumerate(condition.steps)]
    for place, event in events:
        for i, each in enumerate(event.where):
            yield f"{place}.where.{i}", (event.event, each)


def _share(value: Value | None, unit: str | None, place: str) -> Iterator[Text]:
    """A share written as 0.3 where 30 percent are counted, or as 30 where shares of one are."""
    kind = canonical(unit) if unit else None
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, bool) or not isinstance(each, int | float):
            continue
        if kind == "percent" and 0 < abs(each) < 1:
            yield _odd(place, each, "%", 100 * each)
        elif kind == "ratio" and abs(each) > 1:
            yield _odd(place, each, "ratio", each / 100)


def _odd(place: str, value: float, unit: str, likely: float) -> Text:
    return Text(
        f"{place}：{value:g} 的单位是 {unit}；若另有所指，请写 {likely:g}",
        f"{place}: {value:g} is in {unit}; write {likely:g} if that is meant",
    )
