"""Where the events of a witness may lie, and which values its properties may have: few enough to solve quickly, and
between them every case that the conditions tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise, product
from math import ceil
from typing import Any

from core.times import DAY, MINUTE, Micros, parse_time, to_datetime, to_micros
from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute
from strategy.document import (
    Aggregate,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    EventFilter,
    Filter,
    Happens,
    MetricIs,
    Near,
    Path,
    Per,
    Ratio,
    Strategy,
    Streak,
    Value,
    leaves,
)
from strategy.document import Sequence as Ordered
from strategy.engine.calendars import anniversary, local_day
from strategy.engine.paths import reached
from strategy.engine.rates import ratio_of

MOST = 1_000
"""Events in a witness at most; conditions that ask for more are not decided."""
LONGEST_RUN = 40
_PERIODS: dict[Per, int] = {"day": 1, "night": 1, "week": 7, "month": 30}
_SPARE = 6


@dataclass(slots=True)
class Layout:
    """What conditions speak of. Offsets are microseconds before the moment of judgement, as positive numbers.

    Attributes:
        windows: how far back conditions look; slots lie between them.
        anchors: type → offsets at which an event must be able to lie exactly (deadlines, days in a row).
        constants: (object or event type, property) → what it is compared with.
        rows: how many events of each type may follow each other just before the moment.
    """

    catalog: Catalog
    now: Micros
    windows: set[int] = field(default_factory=set)
    spans: set[int] = field(default_factory=set)
    anchors: dict[str, set[int]] = field(default_factory=dict)
    events: dict[str, set[str]] = field(default_factory=dict)
    constants: dict[tuple[str, str], list[Value]] = field(default_factory=dict)
    days: dict[tuple[str, str], list[DateIs]] = field(default_factory=dict)
    places: dict[tuple[str, str], list[Near]] = field(default_factory=dict)
    rows: int = 2
    needed: int = _SPARE
    single: set[str] = field(default_factory=set)
    """Event types of which a slot holds one at most, because each counts for itself."""

    @staticmethod
    def of(strategies: Sequence[Strategy], catalog: Catalog) -> Layout:
        made = Layout(catalog, moment_of(strategies, catalog))
        for strategy in strategies:
            for condition in (strategy.trigger, strategy.audience):
                for _, leaf in leaves(condition, ""):
                    made._take(leaf, strategy.subject)
        return made

    @property
    def unit(self) -> int:
        """The time between two events that follow each other just before the moment."""
        return max(64, min(MINUTE, min([DAY, *self.windows, *self.spans]) // 64))

    def offsets(self, event: str, *, older: bool) -> list[tuple[int, bool]]:
        """Where events of a type may lie, the latest first, and whether one at most."""
        unit, number = self.unit, [*self.events].index(event)
        shift = 2 * unit * number // (len(self.events) + 1)
        near = [0, unit, *(2 * unit * (row + 1) + shift for row in range(self.rows))]
        found = {*near, *self.anchors.get(event, ())}
        if older:
            marks = [near[-1] + unit, *sorted(window for window in self.windows if window > near[-1] + unit)]
            found |= {(a + b) // 2 + shift // 2 for a, b in pairwise(marks)}
            found.add(marks[-1] + marks[-1] // 4 + shift)
        return [(offset, event in self.single) for offset in sorted(found)]

    @property
    def arrival(self) -> int:
        """When facts arrive: before the events just before the moment, after all others."""
        return 2 * self.unit * (self.rows + 2)

    # what is spoken of

    def _take(self, leaf: Condition, kind: str) -> None:
        if isinstance(leaf, AttributeIs | DateIs):
            name = leaf.name if isinstance(leaf, AttributeIs) else leaf.attribute
            place = (self.catalog.relations[leaf.via].target if leaf.via else kind, name)
            if isinstance(leaf, DateIs):
                self.days.setdefault(place, []).append(leaf)
            else:
                self._constant(place, leaf.value)
        elif isinstance(leaf, Near):
            self.places.setdefault((kind, leaf.attribute), []).append(leaf)
        elif isinstance(leaf, Path):
            for step in leaf.steps:
                for test in step.where:
                    self._constant((reached(step, self.catalog), test.field), test.value)
        elif isinstance(leaf, MetricIs):
            self._take(ratio_of(leaf, self.catalog.metrics[leaf.metric]), kind)
        elif isinstance(leaf, Ratio):
            self._filters(leaf.of, leaf.per)
            self._window(leaf.window.over)
            self.needed += 20
        else:
            self._on_events(leaf)

    def _on_events(self, leaf: Condition) -> None:
        if isinstance(leaf, Happens):
            self._filters(leaf)
        elif isinstance(leaf, Aggregate):
            self._filters(leaf)
            self._window(leaf.window.over)
            self.events[leaf.event] |= {leaf.field} if leaf.field else set()
            self.needed += self._asked(leaf)
            if leaf.field is not None and leaf.function in ("last", "distinct"):
                self._constant((leaf.event, leaf.field), leaf.value if leaf.function == "last" else None)
        elif isinstance(leaf, Streak):
            self._filters(leaf, *leaf.without)
            self.needed += leaf.times
            if leaf.per != "event":
                days = [k * _PERIODS[leaf.per] * DAY for k in range(min(leaf.times, LONGEST_RUN))]
                self.anchors.setdefault(leaf.event, set()).update(days)
        elif isinstance(leaf, Change):
            self._filters(leaf)
            self.events[leaf.event] |= {leaf.field} if leaf.field else set()
            self.windows |= {leaf.window, 2 * leaf.window}
            self.needed += 2 + ceil(100 / leaf.percent) * 2
        elif isinstance(leaf, Ordered):
            self._sequence(leaf)

    def _asked(self, leaf: Aggregate) -> int:
        numbers = leaf.value if isinstance(leaf.value, list) else [leaf.value]
        most = max((float(n) for n in numbers if isinstance(n, int | float)), default=0.0)
        if leaf.function == "distinct":
            self.rows = max(self.rows, min(12, ceil(most) + 1))
            self.single.add(leaf.event)
        return max(1, min(ceil(most) + 1, MOST)) if leaf.function in ("count", "distinct") else leaf.window.last or 2

    def _sequence(self, leaf: Ordered) -> None:
        self._filters(*leaf.steps)
        self.rows = max(self.rows, len(leaf.steps))
        self.needed += len(leaf.steps)
        self.spans |= {step.within for step in leaf.steps if step.within is not None}
        self.single |= {step.event for step in leaf.steps if not step.absent}
        trailing = 0
        for step in reversed(leaf.steps):
            if not step.absent:
                break
            trailing = max(trailing, step.within or 0)
        if trailing:
            self.windows.add(trailing)  # what came before, of the kind that is then absent
            present = [step for step in leaf.steps if not step.absent]
            for i, step in enumerate(reversed(present)):
                self.anchors.setdefault(step.event, set()).add(trailing + 2 * i * self.unit)

    def _filters(self, *found: EventFilter) -> None:
        for each in found:
            fields = self.events.setdefault(each.event, set())
            for test in each.where:
                fields.add(test.field)
                self._constant((each.event, test.field), test.value)

    def _window(self, over: int | None) -> None:
        if over is not None:
            self.windows.add(over)

    def _constant(self, place: tuple[str, str], value: Value | None) -> None:
        listed = value if isinstance(value, list) else [] if value is None else [value]
        self.constants.setdefault(place, []).extend(listed)

    # values

    def choices(self, place: tuple[str, str], attribute: Attribute) -> list[Any]:
        """Values of an attribute or field that is not a number, one for every case that is told apart."""
        if attribute.type == "enum":
            return list(attribute.values)
        if attribute.type == "boolean":
            return [True, False]
        if attribute.type == "geo":
            return [*self._positions(place), {"lat": 0.0, "lon": 0.0}]
        asked = list(dict.fromkeys(str(value) for value in self.constants.get(place, ())))
        if attribute.type == "date":
            return sorted(set(self._dates(asked, self.days.get(place, ()))))
        mixed = ("".join(parts) for parts in product(["", *asked[:4]], repeat=3)) if len(asked) > 1 else ()
        return list(dict.fromkeys([*asked, "-", *(f"v{n}" for n in range(1, 13)), *filter(None, mixed)]))

    def _positions(self, place: tuple[str, str]) -> Iterator[dict[str, float]]:
        for near in self.places.get(place, ()):
            for point in self.catalog.places[near.place].points[:8]:
                yield {"lat": point.lat, "lon": point.lon}

    def _dates(self, asked: Iterable[str], days: Iterable[DateIs]) -> Iterator[str]:
        today = local_day(self.now, self.catalog.timezone)
        for text in asked:
            for more in (-1, 0, 1):
                yield (date.fromisoformat(text[:10]) + timedelta(days=more)).isoformat()
        for each in days:
            day = today + timedelta(days=each.days_before or 0)
            for found in (day, day + timedelta(days=1)):
                yield found.isoformat()
                yield anniversary(found, found.year - 30).isoformat()
        yield "1980-01-03"


def moment_of(strategies: Sequence[Strategy], catalog: Catalog) -> Micros:
    """The moment at which a witness is judged: the middle of a month, in the afternoon, when history is long."""
    spans = [DAY]
    for strategy in strategies:
        for condition in (strategy.trigger, strategy.audience):
            for _, leaf in leaves(condition, ""):
                window = getattr(leaf, "window", None)
                over = window if isinstance(window, int) else getattr(window, "over", None)
                spans.append(2 * over if over else 0)
    earliest = max((catalog.history_from or 0) + 2 * max(spans), parse_time("2026-06-01T00:00:00Z"))
    local = to_datetime(earliest, catalog.timezone).replace(hour=14, minute=0, second=0, microsecond=0)
    month = (local.replace(day=1) + timedelta(days=32)).replace(day=15)
    return to_micros(month)


def tests_of(found: EventFilter) -> dict[str, list[Filter]]:
    """The filters of an event by field."""
    groups: dict[str, list[Filter]] = {}
    for each in found.where:
        groups.setdefault(each.field, []).append(each)
    return groups
