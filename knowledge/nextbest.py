"""What to do next, and for whom first: steps that the catalog's patterns find missing, each with what makes it due, in
the order of a weight; and passages of a search in the order in which a weight puts their subjects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.context import RequestContext
from core.errors import UnknownName
from core.text import Text
from knowledge.catalog import Catalog, nearest, text_of
from knowledge.graph import GraphAccess
from knowledge.graph.pattern import PathPattern, missing_steps, read_pattern, readback
from knowledge.graph.weight import Weight
from knowledge.retrieval import Passage

MOST = 2_000
"""Subjects of a pattern that are weighed."""
PULL = 1.0
"""What the heaviest subject of a search adds to its passages' scores, which are sums of z-scores."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """`pattern`: its id; `what`: the missing step; `because`: the pattern as a sentence; `evidence`: facts and events
    that may be cited. `action`: what the pattern proposes. `weight`: of its subject, where one was asked for."""

    subject: str
    pattern: str
    label: Text
    what: Text
    because: Text
    evidence: tuple[str, ...]
    action: str | None
    action_label: Text | None
    weight: Weight | None


def next_actions(
    graph: GraphAccess,
    ctx: RequestContext,
    catalog: Catalog,
    *,
    subject: str | None = None,
    pattern: str | None = None,
    profile: str | None = None,
    limit: int = 50,
) -> list[NextAction]:
    """Missing steps now: of one subject or of all, by one pattern or by all, the heaviest subjects first.

    Raises:
        UnknownName: the catalog has no such pattern or weight.
    """
    _check("pattern", pattern, catalog.patterns, Text("路径模式", "pattern"))
    _check("weight", profile, catalog.weights, Text("权重", "weight"))
    found: list[NextAction] = []
    for name in [pattern] if pattern is not None else catalog.patterns:
        found += _of_pattern(graph, ctx, catalog, name, subject)
    if profile is not None:
        weights = weights_of(graph, ctx, catalog, (each.subject for each in found), profile)
        found = [replace(each, weight=weights.get(each.subject)) for each in found]
    return sorted(found, key=lambda each: (-_value(each.weight), each.subject, each.pattern))[:limit]


def weights_of(
    graph: GraphAccess, ctx: RequestContext, catalog: Catalog, subjects: Iterable[str], profile: str
) -> dict[str, Weight]:
    """The weights of those subjects that the profile is about."""
    kind = catalog.weights[profile].subject
    return {s: graph.weight(ctx, s, profile) for s in set(subjects) if s.startswith(f"{kind}/")}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A passage, with its score as it counts: what the search gave, and what its subject's weight adds."""

    passage: Passage
    score: float
    weight: Weight | None


def by_weight(
    graph: GraphAccess, ctx: RequestContext, catalog: Catalog, passages: Sequence[Passage], profile: str
) -> list[Weighed]:
    """Passages ordered anew: to each one's score its subject's weight adds up to `PULL`, on a logarithmic scale beside
    the heaviest of them.

    Raises:
        UnknownName: the catalog has no such weight.
    """
    _check("weight", profile, catalog.weights, Text("权重", "weight"))
    weights = weights_of(graph, ctx, catalog, (p.subject for p in passages if p.subject is not None), profile)
    most = max((_value(weight) for weight in weights.values()), default=0.0)

    def score(passage: Passage) -> float:
        own = _value(weights.get(passage.subject or ""))
        return passage.score + (PULL * math.log1p(own) / math.log1p(most) if own > 0 else 0.0)

    found = [Weighed(p, score(p), weights.get(p.subject or "")) for p in passages]
    return sorted(found, key=lambda each: -each.score)


def says(weight: Weight, catalog: Catalog) -> Text:
    """A weight as people read it: what it is made of, by the catalog's names."""
    name = text_of(catalog.weights[weight.profile], weight.profile)
    parts = [
        Text(
            f"{text_of(catalog.events[part.term.event], part.term.event).zh} {part.points:.3g}",
            f"{text_of(catalog.events[part.term.event], part.term.event).en} {part.points:.3g}",
        )
        for part in sorted(weight.parts, key=lambda part: -part.points)
        if part.points >= 0.01
    ]
    zh, en = "、".join(part.zh for part in parts), ", ".join(part.en for part in parts)
    return Text(
        f"{name.zh} {weight.value:.3g}" + (f"：{zh}" if zh else ""),
        f"{name.en} {weight.value:.3g}" + (f": {en}" if en else ""),
    )


def _of_pattern(
    graph: GraphAccess, ctx: RequestContext, catalog: Catalog, name: str, subject: str | None
) -> Iterable[NextAction]:
    item = catalog.patterns[name]
    pattern: PathPattern = read_pattern(item.path, catalog)
    if subject is None:
        matches = graph.matches(ctx, pattern, limit=MOST)
    elif subject.startswith(f"{item.subject}/"):
        answer = graph.match(ctx, pattern, subject)
        matches = [answer.found] if answer.found is not None else []
    else:
        matches = []
    act = text_of(catalog.actions[item.action], item.action) if item.action is not None else None
    because = readback(pattern, catalog)
    for match in matches:
        for step in missing_steps(pattern, match, catalog):
            yield NextAction(
                match.subject, name, text_of(item, name), step.text, because, step.evidence, item.action, act, None
            )


def _value(weight: Weight | None) -> float:
    return weight.value if weight is not None else 0.0


def _check(field: str, name: str | None, known: Mapping[str, object], what: Text) -> None:
    if name is not None and name not in known:
        raise UnknownName(
            Text(f"目录里没有{what.zh} {name!r}", f"the catalog has no {what.en} {name!r}"),
            where={"field": field},
            nearest=nearest(name, known) or list(known)[:3],
        )
