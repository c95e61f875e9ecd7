"""Which fact counts when: pure functions over facts of one property (or one edge)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from core.times import Micros
from knowledge.graph.model import GraphFact, Step


def current(facts: Iterable[GraphFact], at: Micros) -> GraphFact | None:
    """The fact of highest rank that holds at a moment."""
    holding = (f for f in facts if f.valid_from <= at and (f.valid_to is None or at < f.valid_to))
    return max(holding, key=lambda f: f.rank, default=None)


def steps(facts: Iterable[GraphFact], since: Micros | None = None, until: Micros | None = None) -> list[Step]:
    """The curve that `current` draws within [since, until), as the longest stretches that one fact gives. Stretches
    whose fact says "no value" are included. O(n log n)."""
    ordered = sorted(facts, key=lambda f: f.rank)
    bounds = sorted({f.valid_from for f in ordered} | {f.valid_to for f in ordered if f.valid_to is not None})
    holding: list[tuple[tuple[int, int, int], GraphFact]] = []
    found: list[Step] = []
    following = 0
    for i, start in enumerate(bounds):
        while following < len(ordered) and ordered[following].valid_from <= start:
            fact = ordered[following]
            heapq.heappush(holding, ((-fact.rank[0], -fact.rank[1], -fact.rank[2]), fact))
            following += 1
        while holding and (end := holding[0][1].valid_to) is not None and end <= start:
            heapq.heappop(holding)
        if not holding:
            continue
        fact, stop = holding[0][1], bounds[i + 1] if i + 1 < len(bounds) else None
        if found and found[-1].fact.seq == fact.seq and found[-1].end == start:
            found[-1] = Step(found[-1].start, stop, fact)
        else:
            found.append(Step(start, stop, fact))
    return cut(found, since, until)


def cut(found: Iterable[Step], since: Micros | None, until: Micros | None) -> list[Step]:
    """What of the steps lies within [since, until)."""
    return [c for s in found if (c := _clip(s, since, until)) is not None]


def _clip(step: Step, since: Micros | None, until: Micros | None) -> Step | None:
    start = step.start if since is None else max(step.start, since)
    ends = [e for e in (step.end, until) if e is not None]
    end = min(ends) if ends else None
    return None if end is not None and end <= start else Step(start, end, step.fact)
