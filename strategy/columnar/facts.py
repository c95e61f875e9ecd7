"""Conditions on facts, relations and dates: judged in Python when a fact comes or a local day begins, and handed to the
compiled loop as marks (subject, condition, new truth) at their instants."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from core.events import Fact, Relation
from core.times import Micros
from strategy.columnar.plan import Leaf
from strategy.engine.nodes import Leaf as Judge
from strategy.engine.nodes import Now
from strategy.engine.paths import PathLeaf
from strategy.engine.timers import Timers
from strategy.engine.world import World

Mark = tuple[Micros, str, int, int]
"""Instant, subject, condition (-1: the subject is named), its truth."""


class Rewound(World):
    """A world that can still be asked how it was earlier in the batch at hand: at `as_of`, when that is set."""

    __slots__ = ("_before", "as_of")

    def __init__(self) -> None:
        super().__init__()
        self.as_of: Micros | None = None
        self._before: dict[tuple[str, ...], list[tuple[Micros, Any]]] = {}

    def take(self, item: Fact | Relation, at: Micros) -> bool:
        """Apply a fact or relation at its instant; False when a newer one is known."""
        kept: list[tuple[tuple[str, ...], Any]]
        if isinstance(item, Fact):
            kept = [(("fact", item.subject, item.property), self.fact(item.subject, item.property))]
            changed = self.learn(item)
        else:
            kept = [
                (("objects", item.relation, item.subject), self.objects(item.relation, item.subject)),
                (("subjects", item.relation, item.object), self.subjects(item.relation, item.object)),
            ]
            changed = self.relate(item)
        if changed:
            for key, old in kept:
                self._before.setdefault(key, []).append((at, old))
        return changed

    def forget(self) -> None:
        self._before.clear()

    def fact(self, subject: str, name: str) -> tuple[Micros, Any] | None:
        found: tuple[Micros, Any] | None = self._then(("fact", subject, name), _NOW)
        return super().fact(subject, name) if found is _NOW else found

    def objects(self, relation: str, subject: str) -> list[str]:
        found: Any = self._then(("objects", relation, subject), _NOW)
        return super().objects(relation, subject) if found is _NOW else found

    def subjects(self, relation: str, object_: str) -> list[str]:
        found: Any = self._then(("subjects", relation, object_), _NOW)
        return super().subjects(relation, object_) if found is _NOW else found

    def _then(self, key: tuple[str, ...], now: Any) -> Any:
        if self.as_of is not None:
            for at, old in self._before.get(key, ()):
                if at > self.as_of:
                    return old
        return now


_NOW: Any = object()


class Facts:
    """What is known apart from events, and the conditions that read it. Items wait until their instant is closed."""

    def __init__(self) -> None:
        self.world = Rewound()
        self.now = Now(self.world)
        self.queue: list[tuple[Micros, int, Fact | Relation]] = []
        self.arrivals = 0
        self.timers = Timers()
        self.leaves: dict[int, tuple[Leaf, str]] = {}
        self._by_property: dict[str, dict[int, None]] = {}
        self._by_relation: dict[str, dict[int, None]] = {}

    def add(self, leaf: Leaf, kind: str) -> None:
        """Let a condition on subjects of a kind read facts."""
        judge = leaf.fact
        assert judge is not None
        self.leaves[leaf.number] = (leaf, kind)
        names, relations = judge.properties, frozenset() if judge.via is None else frozenset([judge.via])
        if isinstance(judge, PathLeaf):
            names, relations = tuple(judge.tested), judge.relations
        for name in names:
            self._by_property.setdefault(name, {})[leaf.number] = None
        for name in relations:
            self._by_relation.setdefault(name, {})[leaf.number] = None

    def remove(self, leaf: Leaf) -> None:
        del self.leaves[leaf.number]
        for readers in (*self._by_property.values(), *self._by_relation.values()):
            readers.pop(leaf.number, None)

    def put(self, item: Fact | Relation, at: Micros) -> None:
        self.arrivals += 1
        heappush(self.queue, (at, self.arrivals, item))

    def next_instant(self) -> Micros | None:
        due = self.timers.first()
        if self.queue and (due is None or self.queue[0][0] < due):
            return self.queue[0][0]
        return due

    def advance(self, to: Micros) -> list[Mark]:
        """Apply everything up to an instant; what that makes of conditions, in order of time."""
        marks: list[Mark] = []
        while (at := self.next_instant()) is not None and at <= to:
            touched: dict[tuple[int, str], None] = {}
            while self.queue and self.queue[0][0] == at:
                item = heappop(self.queue)[2]
                marks.append((at, item.subject, -1, 0))
                if isinstance(item, Relation):
                    marks.append((at, item.object, -1, 0))
                if self.world.take(item, at):
                    touched |= dict.fromkeys(self._readers(item))
            for place in self.timers.pop(at):
                if place[0] in self.leaves:
                    touched[place] = None
            marks += [(at, subject, number, self.truth(number, subject, at)) for number, subject in touched]
        return marks

    def _readers(self, item: Fact | Relation) -> list[tuple[int, str]]:
        """The conditions and subjects that an item may make a difference to."""
        if isinstance(item, Relation):
            readers = self._by_relation.get(item.relation, {})
        else:
            readers = self._by_property.get(item.property, {})
        found = []
        for number in readers:
            leaf, kind = self.leaves[number]
            assert leaf.fact is not None
            found += [(number, who) for who in self._reached(leaf.fact, item) if who.startswith(f"{kind}/")]
        return found

    def _reached(self, judge: Judge, item: Fact | Relation) -> Iterable[str]:
        world = self.world
        if isinstance(judge, PathLeaf):
            if isinstance(item, Relation):
                return judge.from_relation(world, item.relation, item.subject, item.object)
            return judge.from_fact(world, item.subject, item.property)
        if isinstance(item, Relation) or judge.via is None:
            return [item.subject]
        return world.subjects(judge.via, item.subject)

    def truth(self, number: int, subject: str, at: Micros) -> int:
        """A condition's truth now; asks to be woken when a date may change it."""
        leaf = self.leaves[number][0].fact
        assert leaf is not None
        self.now.at, self.now.subject = at, subject
        moment = leaf.due([], self.now)
        if moment is not None:
            self.timers.need((number, subject), moment)
        return leaf.truth([], self.now)
