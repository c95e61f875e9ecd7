"""Which fact counts when: pure functions over facts of one property (or one edge)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import groupby

from core.times import DAY, Micros
from knowledge.graph.model import GraphFact, Step


def current(facts: Iterable[GraphFact], at: Micros) -> GraphFact | None:
    """The fact of highest rank that holds at a moment."""
    holding = (f for f in facts if f.valid_from <= at and (f.valid_to is None or at < f.valid_to))
    return max(holding, key=lambda f: f.rank, default=None)


def standing(facts: Iterable[GraphFact], at: Micros) -> Iterable[GraphFact]:
    """Of each edge the fact that counts, without edges that hold no longer."""

    def edge(fact: GraphFact) -> tuple[str, str, str]:
        return (fact.subject, fact.name, fact.object or "")

    for _, group in groupby(sorted(facts, key=edge), key=edge):
        fact = current(group, at)
        if fact is not None and not fact.ended:
            yield fact


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


def change(found: Sequence[Step]) -> float | None:
    """How much a curve rose from its first step to its last; None when either is no number, or there is none."""
    ends = [_number(found[0]), _number(found[-1])] if found else [None, None]
    return None if ends[0] is None or ends[1] is None else ends[1] - ends[0]


def trend(found: Sequence[Step]) -> float | None:
    """The slope of the least-squares line through a numeric curve's steps, each at its start, in units a day; None for
    fewer than two."""
    points = [(s.start / DAY, value) for s in found if (value := _number(s)) is not None]
    if len(points) < 2:
        return None
    middle = sum(x for x, _ in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * y for x, y in points) / spread


def _number(step: Step) -> float | None:
    return step.value if isinstance(step.value, int | float) and not isinstance(step.value, bool) else None
