"""Quiet hours on the local clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.times import Micros, to_datetime, to_micros
from strategy.document import QuietHours


def quiet_until(moment: int, quiet: QuietHours, zone: str) -> Micros | None:
    """The end of the quiet hours that `moment` lies in, or None when it lies in none.

    Quiet hours are half-open [start, end) on the clock of `zone` and may span midnight; equal ends make them empty.
    """
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    local = to_datetime(moment, zone)
    clock = local.time()
    if start <= end:
        inside, over_midnight = start <= clock < end, False
    else:
        inside, over_midnight = clock >= start or clock < end, clock >= start
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight else 0)
    closing = datetime.combine(day, end, ZoneInfo(zone))
    # When clocks go back, the end comes twice; the one after the moment is meant.
    first, second = to_micros(closing.replace(fold=0)), to_micros(closing.replace(fold=1))
    return first if first > moment else max(second, Micros(moment))
