"""Conditions on facts: attributes and forecasts (the subject's own or of related objects), places, dates."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import date, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any, ClassVar

from core.times import EARLIEST, LATEST, Micros, to_datetime
from knowledge.catalog.model import Place
from strategy.document import AttributeIs, DateIs, ForecastIs, Near
from strategy.engine.calendars import anniversary, local_day, midnight, next_month
from strategy.engine.nodes import TRUTHS, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import FALSE, TRUE, UNKNOWN, comparison, is_number

SHOWN = 5
"""Related objects shown in an observation, the deciding ones first."""
EARTH = 6_371_008.8
"""Mean radius in metres (IUGG R1)."""


class FactLeaf(Leaf):
    """A condition on one property. With `via`: true if true for any related object, false if there are related objects
    and it is false for all, else unknown."""

    name: str

    @abstractmethod
    def holds(self, value: Any, at: Micros) -> int: ...

    @abstractmethod
    def shown(self, value: Any, at: Micros) -> dict[str, Any]:
        """What an observation says about one value: observed, op, threshold."""

    def _facts(self, now: Now) -> Iterator[tuple[str, tuple[Micros, Any] | None]]:
        owners = [now.subject] if self.via is None else now.world.objects(self.via, now.subject)
        return ((owner, now.world.fact(owner, self.name)) for owner in owners)

    def _one(self, fact: tuple[Micros, Any] | None, at: Micros) -> int:
        return UNKNOWN if fact is None else self.holds(fact[1], at)

    def level(self, cell: Any, now: Now) -> int:
        found = [self._one(fact, now.at) for _, fact in self._facts(now)]
        if TRUE in found:
            return TRUE
        return FALSE if found and UNKNOWN not in found else UNKNOWN

    def judge(self, level: int) -> int:
        return level

    def observe(self, cell: Any, now: Now) -> Observation:
        parts = [self._observe(owner, fact, now.at) for owner, fact in self._facts(now)]
        if self.via is None:
            return parts[0]
        truth = TRUTHS[self.truth(cell, now)]
        parts.sort(key=lambda part: part.truth is not truth)
        shown = self.shown(None, now.at)
        return Observation(
            self.path,
            self.kind,
            truth,
            observed=parts[0].observed if parts else None,
            op=shown.get("op"),
            threshold=shown.get("threshold"),
            note="no_data" if truth is TRUTHS[UNKNOWN] else None,
            children=tuple(parts[:SHOWN]),
        )

    def _observe(self, owner: str, fact: tuple[Micros, Any] | None, at: Micros) -> Observation:
        truth = self._one(fact, at)
        return Observation(
            self.path if self.via is None else f"{self.path}.via.{owner}",
            self.kind,
            TRUTHS[truth],
            window=None if fact is None else (fact[0], at),
            note="no_data" if truth == UNKNOWN else None,
            **self.shown(None if fact is None else fact[1], at),
        )


class AttributeLeaf(FactLeaf):
    """Also forecasts, which are facts under the forecast's id."""

    kind: ClassVar[str] = "attribute"

    def __init__(self, path: str, slot: int, condition: AttributeIs | ForecastIs, date: bool = False) -> None:
        super().__init__(path, slot, condition)
        self.name = condition.name if isinstance(condition, AttributeIs) else condition.forecast
        self.properties, self.via = (self.name,), condition.via
        self.op, self.value = condition.op, condition.value
        self._test = comparison(condition.op, condition.value, date=date)
        values: list[Any] = condition.value if isinstance(condition.value, list) else [condition.value]
        self.marks = tuple(value for value in values if is_number(value))

    @property
    def looks(self) -> str:
        return super().looks if self.via is not None else f"the newest {self.name}"

    def level(self, cell: Any, now: Now) -> Any:
        """The value itself, so that all comparisons with it are one memory's; with `via` the truth."""
        if self.via is not None:
            return super().level(cell, now)
        fact = now.world.fact(now.subject, self.name)
        value = None if fact is None else fact[1]
        return value if value is None or is_number(value) else (type(value) is bool, value)

    def judge(self, level: Any) -> int:
        if self.via is not None:
            return super().judge(level)
        return self.holds(level[1] if type(level) is tuple else level, EARLIEST)

    def _one(self, fact: tuple[Micros, Any] | None, at: Micros) -> int:
        return self.holds(None if fact is None else fact[1], at)

    def holds(self, value: Any, at: Micros) -> int:
        found = self._test(value)
        return UNKNOWN if found is None else TRUE if found else FALSE

    def shown(self, value: Any, at: Micros) -> dict[str, Any]:
        return {"observed": value, "op": self.op, "threshold": self.value}


class ForecastLeaf(AttributeLeaf):
    kind: ClassVar[str] = "forecast"


class NearLeaf(FactLeaf):
    kind: ClassVar[str] = "near"

    def __init__(self, path: str, slot: int, condition: Near, place: Place) -> None:
        super().__init__(path, slot, condition)
        self.name, self.metres = condition.attribute, condition.metres
        self.properties = (self.name,)
        self._points = [(p.lat, p.lon) for p in place.points]

    def holds(self, value: Any, at: Micros) -> int:
        found = self._distance(value)
        return UNKNOWN if found is None else TRUE if found <= self.metres else FALSE

    def _distance(self, value: Any) -> float | None:
        if not isinstance(value, dict) or not (is_number(value.get("lat")) and is_number(value.get("lon"))):
            return None
        return min((distance(value["lat"], value["lon"], *point) for point in self._points), default=None)

    def shown(self, value: Any, at: Micros) -> dict[str, Any]:
        found = self._distance(value)
        return {
            "observed": None if found is None else round(found, 1),
            "op": "<=",
            "threshold": self.metres,
        }


class DateLeaf(FactLeaf):
    """A date against the local calendar. It changes by time alone, at local midnights."""

    kind: ClassVar[str] = "date"

    def __init__(self, path: str, slot: int, condition: DateIs, zone: str) -> None:
        super().__init__(path, slot, condition)
        self.name, self.via = condition.attribute, condition.via
        self.properties = (self.name,)
        self._days, self._part, self._zone = condition.days_before, condition.part, zone
        self._yearly = condition.yearly

    def holds(self, value: Any, at: Micros) -> int:
        found = _date(value)
        if found is None:
            return UNKNOWN
        today = local_day(at, self._zone)
        if self._days is not None:
            if self._yearly:
                found = anniversary(found, (today + timedelta(days=self._days)).year)
            return TRUE if (found - today).days == self._days else FALSE
        if self._part == "month":
            return TRUE if found.month == today.month else FALSE
        return TRUE if anniversary(found, today.year) == today else FALSE

    def due(self, cell: Any, now: Now) -> Micros | None:
        days = [_date(fact[1]) for _, fact in self._facts(now) if fact is not None]
        moments = [moment for day in days if day and (moment := self._next(day, now.at)) is not None]
        return min(moments, default=None)

    def _next(self, found: date, at: Micros) -> Micros | None:
        """The next local midnight at which the answer for this date changes."""
        today = local_day(at, self._zone)
        if self._days is not None:
            year = (today + timedelta(days=self._days)).year if self._yearly else found.year
            born = [anniversary(found, year), anniversary(found, year + 1)] if self._yearly else [found]
            begins = [day.toordinal() - self._days for day in born]
            turns = [date.fromordinal(day) for first in begins for day in (first, first + 1) if day in _DAYS]
        elif self._part == "month":
            turn = next_month(today)
            while turn.month not in (found.month, next_month(found).month):
                turn = next_month(turn)
            turns = [turn]
        else:
            born = [anniversary(found, year) for year in (today.year, today.year + 1)]
            turns = [turn for day in born for turn in (day, day + timedelta(days=1))]
        return next((moment for day in turns if (moment := midnight(day, self._zone)) > at), None)

    def shown(self, value: Any, at: Micros) -> dict[str, Any]:
        threshold = self._part if self._part is not None else self._days
        found = _date(value)
        return {"observed": None if found is None else found.isoformat(), "threshold": threshold}


_DAYS = range(to_datetime(EARLIEST).toordinal(), to_datetime(LATEST).toordinal())
"""The days that time can reach: a date outside them (0001-01-01, 9999-12-31 for "never") never comes."""


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def distance(lat: float, lon: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres between two positions in degrees (haversine formula)."""
    a, b = radians(lat), radians(lat2)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon2 - lon) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))
