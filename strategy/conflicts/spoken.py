"""What conditions speak of, by name. Conditions that share no name say nothing of each other: a look at two sets then
spares the comparison of their bounds, an engine or a solver. What they do say is in proof.py."""

from __future__ import annotations

from strategy.document import (
    AttributeIs,
    Condition,
    DateIs,
    EventFilter,
    ForecastIs,
    MetricIs,
    Near,
    Path,
    Ratio,
    Strategy,
    leaves,
)
from strategy.document import Sequence as Ordered
from strategy.engine.bounds import conjuncts

Names = frozenset[tuple[str, str]]
"""(What sort of thing, its name)."""


def names_in(condition: Condition) -> Names:
    """Everything that a condition looks at."""
    return frozenset(name for _, leaf in leaves(condition, "") for name in _names_of(leaf))


def conjuncts_of(strategy: Strategy) -> list[Condition]:
    """What must hold together for a strategy to fire: of its trigger and its audience."""
    roots = (strategy.trigger, strategy.audience)
    return [part for root in roots if root is not None for _, part in conjuncts(root, "")]


def _names_of(leaf: Condition) -> list[tuple[str, str]]:
    if isinstance(leaf, AttributeIs | ForecastIs):
        return [("fact", leaf.name if isinstance(leaf, AttributeIs) else leaf.forecast)]
    if isinstance(leaf, DateIs | Near):
        return [("fact", leaf.attribute)]
    if isinstance(leaf, MetricIs):
        return [("metric", leaf.metric)]
    if isinstance(leaf, Path):
        return [("relation", step.relation) for step in leaf.steps]
    if isinstance(leaf, Ratio):
        return [("event", leaf.of.event), ("event", leaf.per.event)]
    if isinstance(leaf, Ordered):
        return [("event", step.event) for step in leaf.steps]
    return [("event", leaf.event)] if isinstance(leaf, EventFilter) else []
