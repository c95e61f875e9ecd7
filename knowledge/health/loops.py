"""How far subjects get along a closed loop: each one's events walked in order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from core.times import Micros
from knowledge.catalog import Loop
from knowledge.health.repository import Step


@dataclass
class Walked:
    """By step: how many subjects `reached` it, came `from_before`, `skipped` it, are `waiting` or `stalled` there."""

    reached: Counter[str] = field(default_factory=Counter)
    from_before: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    stalled: Counter[str] = field(default_factory=Counter)


def walk(loop: Loop, steps: Iterable[Step], now: Micros) -> Walked:
    """Count the subjects of a loop at `now`.

    Args:
        steps: events by subject and, within a subject, in order of time.

    Steps that no event tells of are passed over: nobody reaches, skips or waits for them. A subject reaches a step by
    its first event of it after the last step it reached; one event is never two steps.
    """
    told = [name for name, stage in loop.stages.items() if stage.events]
    found = Walked()
    for _, events in groupby(steps, key=lambda s: s.who):
        at = _reached(loop, told, list(events))
        places = [place for place, name in enumerate(told) if name in at]
        if not places:
            continue
        last = places[-1]
        for place, name in enumerate(told[: last + 1]):
            if name not in at:
                found.skipped[name] += 1
                continue
            found.reached[name] += 1
            if place and told[place - 1] in at:
                found.from_before[name] += 1
        if last + 1 < len(told):
            within = loop.stages[told[last + 1]].within or loop.within
            late = now - at[told[last]] > within
            (found.stalled if late else found.waiting)[told[last]] += 1
    return found


def _reached(loop: Loop, told: Sequence[str], events: Sequence[Step]) -> dict[str, Micros]:
    at, start = dict[str, Micros](), 0
    for name in told:
        types = loop.stages[name].events
        place = next((i for i in range(start, len(events)) if events[i].type in types), None)
        if place is not None:
            at[name], start = events[place].time, place + 1
    return at
