"""A strategy document and a catalog → the program the step runs: a tree of leaves, each with the way it counts."""

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
from strategy.engine.aggregates import AggregateLeaf, AverageLeaf, CountLeaf, SumLeaf
from strategy.engine.facts import AttributeLeaf, DateLeaf, ForecastLeaf, NearLeaf
from strategy.engine.nodes import Join, Leaf, Node
from strategy.engine.paths import PathLeaf
from strategy.engine.picks import DistinctLeaf, ExtremeLeaf, LastLeaf
from strategy.engine.rates import ChangeLeaf, MetricLeaf, RatioLeaf, ratio_of
from strategy.engine.sequences import HappensLeaf, SequenceLeaf
from strategy.engine.streaks import StreakLeaf
from strategy.engine.values import is_date
from strategy.engine.wakes import parts

FUNCTIONS: dict[str, type[AggregateLeaf]] = {
    "count": CountLeaf,
    "sum": SumLeaf,
    "avg": AverageLeaf,
    "min": ExtremeLeaf,
    "max": ExtremeLeaf,
    "distinct": DistinctLeaf,
    "last": LastLeaf,
}


@dataclass(frozen=True, slots=True)
class Program:
    """What a strategy reads and how it judges.

    Attributes:
        leaves: of trigger, then audience; a leaf's `slot` is its place here.
        holds: for each leaf of the trigger whether it counts by being true (else: by being false).
        history: how much of the past its state depends on; None: all of it.
    """

    trigger: Node
    audience: Node | None
    leaves: tuple[Leaf, ...]
    holds: tuple[bool, ...]
    history: int | None


def compile_strategy(strategy: Strategy, catalog: Catalog) -> Program:
    """Build the program of a strategy that `check_strategy` has passed."""
    builder = _Builder(strategy, catalog)
    trigger = builder.node(strategy.trigger, "trigger")
    audience = builder.node(strategy.audience, "audience") if strategy.audience is not None else None
    spans = [leaf.history for leaf in builder.leaves]
    return Program(
        trigger,
        audience,
        tuple(builder.leaves),
        tuple(part.holds for part in parts(strategy.trigger)),
        None if None in spans else max((s or 0 for s in spans), default=0),
    )


class _Builder:
    def __init__(self, strategy: Strategy, catalog: Catalog) -> None:
        self.leaves: list[Leaf] = []
        self._subject = strategy.subject
        self._catalog = catalog

    def node(self, condition: Condition, path: str) -> Node:
        if isinstance(condition, All | Any_):
            return Join(
                condition.kind,
                path,
                tuple(self.node(part, f"{path}.of.{i}") for i, part in enumerate(condition.of)),
            )
        if isinstance(condition, Not):
            return Join(condition.kind, path, (self.node(condition.of, f"{path}.of"),))
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
            return HappensLeaf(path, slot, condition)
        if isinstance(condition, Aggregate):
            return FUNCTIONS[condition.function](path, slot, condition, catalog)
        if isinstance(condition, MetricIs):
            return MetricLeaf(path, slot, ratio_of(condition, catalog.metrics[condition.metric]))
        if isinstance(condition, Ratio):
            return RatioLeaf(path, slot, condition)
        if isinstance(condition, Streak):
            return StreakLeaf(path, slot, condition, catalog)
        if isinstance(condition, Change):
            return ChangeLeaf(path, slot, condition)
        if isinstance(condition, Path):
            return PathLeaf(path, slot, condition, catalog)
        return SequenceLeaf(path, slot, condition)
