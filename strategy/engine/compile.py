"""A strategy document and a catalog → the program the step runs: a tree of leaves, and what each leaf reads."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.catalog.model import Catalog
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Strategy,
    Streak,
)
from strategy.document import Leaf as LeafCondition
from strategy.engine.aggregates import AggregateLeaf
from strategy.engine.facts import AttributeLeaf, DateLeaf, ForecastLeaf, NearLeaf
from strategy.engine.nodes import AllOf, AnyOf, Leaf, Node, NotOf
from strategy.engine.paths import PathLeaf
from strategy.engine.rates import ChangeLeaf, MetricLeaf, RatioLeaf, ratio_of
from strategy.engine.sequences import HappensLeaf, SequenceLeaf
from strategy.engine.streaks import StreakLeaf
from strategy.engine.values import is_date


@dataclass(frozen=True, slots=True)
class Program:
    """What a strategy reads and how it judges.

    Attributes:
        leaves: of trigger, then audience; a leaf's `slot` is its place here.
        by_event: event type → (leaf, whether the trigger needs judging when the leaf changes).
        properties: facts of the subject itself that the trigger reads. via: (property, relation) it reads along.
        paths: the trigger's chains of relations.
        timed: the trigger's leaves, which may ask for timers.
        pulses: some leaf of the trigger is true at instants only. instant: the whole trigger is.
        restless: the trigger may turn true for a subject about which nothing but its existence is known.
        history: how much of the past its state depends on; None: all of it.
    """

    trigger: Node
    audience: Node | None
    leaves: tuple[Leaf, ...]
    by_event: dict[str, tuple[tuple[Leaf, bool], ...]]
    properties: frozenset[str]
    via: frozenset[tuple[str, str]]
    paths: tuple[PathLeaf, ...]
    timed: tuple[Leaf, ...]
    pulses: bool
    instant: bool
    restless: bool
    history: int | None


def compile_strategy(strategy: Strategy, catalog: Catalog) -> Program:
    """Build the program of a strategy that `check_strategy` has passed."""
    builder = _Builder(strategy, catalog)
    trigger = builder.node(strategy.trigger, "trigger")
    audience = builder.node(strategy.audience, "audience") if strategy.audience is not None else None
    mine = trigger.leaves()
    by_event: dict[str, tuple[tuple[Leaf, bool], ...]] = {}
    for leaf in builder.leaves:
        for event in leaf.events:
            by_event[event] = (*by_event.get(event, ()), (leaf, leaf in mine))
    spans = [leaf.history for leaf in builder.leaves]
    return Program(
        trigger,
        audience,
        tuple(builder.leaves),
        by_event,
        frozenset(name for leaf in mine if leaf.via is None for name in leaf.properties),
        frozenset((name, leaf.via) for leaf in mine if leaf.via is not None for name in leaf.properties),
        tuple(leaf for leaf in mine if isinstance(leaf, PathLeaf)),
        tuple(leaf for leaf in mine if type(leaf).due is not Leaf.due),
        any(leaf.pulse for leaf in mine),
        isinstance(trigger, Leaf) and trigger.pulse,
        any(leaf.restless for leaf in mine) or _negates(strategy.trigger),
        None if None in spans else max((s or 0 for s in spans), default=0),
    )


def _negates(condition: Condition) -> bool:
    if isinstance(condition, All | Any_):
        return any(_negates(part) for part in condition.of)
    return isinstance(condition, Not)


class _Builder:
    def __init__(self, strategy: Strategy, catalog: Catalog) -> None:
        self.leaves: list[Leaf] = []
        self._subject = strategy.subject
        self._catalog = catalog

    def node(self, condition: Condition, path: str) -> Node:
        if isinstance(condition, All | Any_):
            parts = [self.node(part, f"{path}.of.{i}") for i, part in enumerate(condition.of)]
            return AllOf(path, parts) if isinstance(condition, All) else AnyOf(path, parts)
        if isinstance(condition, Not):
            return NotOf(path, [self.node(condition.of, f"{path}.of")])
        leaf = self._leaf(condition, path, len(self.leaves))
        self.leaves.append(leaf)
        return leaf

    def _leaf(self, condition: LeafCondition, path: str, slot: int) -> Leaf:
        catalog = self._catalog
        if isinstance(condition, AttributeIs):
            owner = catalog.relations[condition.via].target if condition.via else self._subject
            return AttributeLeaf(path, slot, condition, is_date(catalog.attribute(owner, condition.name)))
        if isinstance(condition, ForecastIs):
            return ForecastLeaf(path, slot, condition)
        if isinstance(condition, Near):
            return NearLeaf(path, slot, condition, catalog.places[condition.place])
        if isinstance(condition, DateIs):
            return DateLeaf(path, slot, condition, catalog.timezone)
        if isinstance(condition, Happens):
            return HappensLeaf(path, slot, condition, catalog)
        if isinstance(condition, Aggregate):
            return AggregateLeaf(path, slot, condition, catalog)
        if isinstance(condition, MetricIs):
            return MetricLeaf(path, slot, ratio_of(condition, catalog.metrics[condition.metric]), catalog)
        if isinstance(condition, Ratio):
            return RatioLeaf(path, slot, condition, catalog)
        if isinstance(condition, Streak):
            return StreakLeaf(path, slot, condition, catalog)
        if isinstance(condition, Change):
            return ChangeLeaf(path, slot, condition, catalog)
        if isinstance(condition, Path):
            return PathLeaf(path, slot, condition, catalog)
        return SequenceLeaf(path, slot, condition, catalog)
