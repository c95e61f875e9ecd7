"""Local calendar periods: which day, night, week or month a moment lies in, and when a local day begins."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.times import Micros, to_datetime, to_micros
from strategy.document import Per


def period(at: Micros, per: Per, zone: str) -> int:
    """The running number of the local period a moment lies in. Weeks begin on Monday; a night is noon to noon."""
    local = to_datetime(at, zone)
    if per == "month":
        return local.year * 12 + local.month
    day = local.date().toordinal()
    if per == "night" and local.hour < 12:
        return day - 1
    return (day - 1) // 7 if per == "week" else day


def local_day(at: Micros, zone: str) -> date:
    return to_datetime(at, zone).date()


def midnight(day: date, zone: str) -> Micros:
    """The moment at which a local day begins (the first moment after a gap, where midnight does not exist)."""
    return to_micros(datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC))


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def anniversary(day: date, year: int) -> date:
    """The day in another year; 29 February falls on 28 February in common years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
