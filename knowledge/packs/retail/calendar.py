"""The demo month: local days counted back from the anchor, and the geometry of its places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from core.times import DAY, HOUR, Micros, to_datetime

ZONE = "Asia/Shanghai"
_OFFSET = 8 * HOUR
DAYS = 31
"""Length of the recorded history, in local days before the anchor's."""


@dataclass(frozen=True, slots=True)
class Calendar:
    anchor: Micros

    @property
    def midnight(self) -> int:
        """Local midnight of the anchor's day."""
        return (self.anchor + _OFFSET) // DAY * DAY - _OFFSET

    @property
    def start(self) -> Micros:
        """The first instant of the recorded history."""
        return self.at(DAYS, 0)

    @property
    def today(self) -> date:
        return to_datetime(self.anchor, ZONE).date()

    def at(self, days_ago: float, hour: float = 0.0) -> Micros:
        """`hour` o'clock, local time, that many days before the anchor's day; whole milliseconds."""
        return Micros(self.midnight - round(days_ago * DAY) + round(hour * 3_600_000) * 1_000)

    def day(self, days_from_today: int) -> date:
        return self.today + timedelta(days=days_from_today)

    def midnight_of(self, day: date) -> Micros:
        return Micros(self.midnight + (day - self.today).days * DAY)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance between two (lat, lon) in degrees, on a sphere of radius 6,371,008.8 m."""
    p, q = math.radians(a[0]), math.radians(b[0])
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


def moved(point: tuple[float, float], north: float, east: float) -> tuple[float, float]:
    """The point so many metres north and east of `point`; good to a metre at city scale."""
    lat = point[0] + north / 111_195
    return (round(lat, 6), round(point[1] + east / (111_195 * math.cos(math.radians(point[0]))), 6))
