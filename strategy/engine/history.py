"""What a newly deployed strategy is told of the past."""

from __future__ import annotations

from collections.abc import Iterable

from core.events import Event, Input
from core.times import Micros


def in_order(history: Iterable[Input]) -> list[Input]:
    """Each event once, in the order in which an engine applies them: by time, facts and relations before events."""
    once: dict[object, Input] = {}
    for i, item in enumerate(history):
        once.setdefault((item.source, item.id) if isinstance(item, Event) else i, item)
    return sorted(once.values(), key=_order)


def _order(item: Input) -> tuple[Micros, int, str, str]:
    return (item.time, 1, item.id, item.source) if isinstance(item, Event) else (item.time, 0, "", "")
