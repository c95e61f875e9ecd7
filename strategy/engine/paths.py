"""Chains of relations from the subject on, as they stand at the instant, with tests of the objects they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from knowledge.catalog.model import Catalog
from strategy.document import Path, PathStep
from strategy.engine.graph import GraphPort
from strategy.engine.nodes import TRUTHS, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import FALSE, TRUE, UNKNOWN, Test, comparison, is_date


@dataclass(frozen=True, slots=True)
class Hop:
    """One step: along a relation (or against it), to objects that pass every test."""

    relation: str
    reverse: bool
    tests: tuple[tuple[str, Test], ...]

    def ends(self, graph: GraphPort, owner: str) -> list[str]:
        return graph.subjects(self.relation, owner) if self.reverse else graph.objects(self.relation, owner)

    def starts(self, graph: GraphPort, object_: str) -> list[str]:
        return graph.objects(self.relation, object_) if self.reverse else graph.subjects(self.relation, object_)

    def truth(self, graph: GraphPort, object_: str) -> int:
        lowest = TRUE
        for name, test in self.tests:
            fact = graph.fact(object_, name)
            found = test(None if fact is None else fact[1])
            lowest = min(lowest, UNKNOWN if found is None else TRUE if found else FALSE)
        return lowest


class PathLeaf(Leaf):
    """True when some chain of objects passes every step; a last step that must be absent turns its own truth round.
    What it observes is the first chain, in order of ids, that is as true as the whole."""

    kind: ClassVar[str] = "path"

    def __init__(self, path: str, slot: int, condition: Path, catalog: Catalog) -> None:
        super().__init__(path, slot, condition)
        self.absent = condition.steps[-1].absent
        self.hops = tuple(_hop(step, catalog) for step in condition.steps)
        self.relations = frozenset(hop.relation for hop in self.hops)
        self.tested = tuple(sorted({name for hop in self.hops for name, _ in hop.tests}))

    def level(self, cell: Any, now: Now) -> int:
        return self._best(now.world, now.subject, 0)[0]

    def judge(self, level: int) -> int:
        return level

    def observe(self, cell: Any, now: Now) -> Observation:
        truth, chain = self._best(now.world, now.subject, 0)
        return Observation(
            self.path, self.kind, TRUTHS[truth], observed=list(chain), note="no_data" if truth == UNKNOWN else None
        )

    def _best(self, graph: GraphPort, owner: str, place: int) -> tuple[int, tuple[str, ...]]:
        """How true the steps from `place` on are for the object reached, and the chain that makes them so."""
        hop, best = self.hops[place], FALSE
        chain: tuple[str, ...] = ()
        last = place == len(self.hops) - 1
        for object_ in hop.ends(graph, owner):
            truth = hop.truth(graph, object_)
            rest: tuple[str, ...] = ()
            if truth > best and not last:
                later, rest = self._best(graph, object_, place + 1)
                truth = min(truth, later)
            if truth > best:
                best, chain = truth, (object_, *rest)
                if best == TRUE:
                    break
        return (TRUE - best, ()) if last and self.absent else (best, chain)

    def from_relation(self, graph: GraphPort, relation: str, subject: str, object_: str) -> Iterator[str]:
        """The subjects that a change of this link may concern."""
        for place, hop in enumerate(self.hops):
            if hop.relation == relation:
                yield from self._back(graph, object_ if hop.reverse else subject, place)

    def from_fact(self, graph: GraphPort, owner: str, name: str) -> Iterator[str]:
        """The subjects that a change of this object's property may concern."""
        for place, hop in enumerate(self.hops):
            if any(name == tested for tested, _ in hop.tests):
                yield from self._back(graph, owner, place + 1)

    def _back(self, graph: GraphPort, object_: str, steps: int) -> set[str]:
        """Who reaches the object by the first so many steps."""
        found = {object_}
        for hop in reversed(self.hops[:steps]):
            found = {start for each in found for start in hop.starts(graph, each)}
        return found


def _hop(step: PathStep, catalog: Catalog) -> Hop:
    owner = reached(step, catalog)
    tests = (
        (each.field, comparison(each.op, each.value, date=is_date(catalog.attribute(owner, each.field))))
        for each in step.where
    )
    return Hop(step.relation, step.reverse, tuple(tests))


def reached(step: PathStep, catalog: Catalog) -> str:
    """The type of object that a step leads to."""
    relation = catalog.relations[step.relation]
    return relation.source if step.reverse else relation.target
