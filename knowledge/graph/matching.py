"""Does a path pattern hold for a subject at a moment? The search for one way through it, with the facts and events that
make it so, and the moment at which time alone may change the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.events import Event
from core.times import Micros
from knowledge.graph.model import GraphFact, PathMatch, Profile
from knowledge.graph.pattern import Happening, Hop, PathPattern, Tally, Test


@dataclass(frozen=True, slots=True)
class _Way:
    """How far a search has come: the node, the time of the last happening, what must not have happened since (with the
    node it must not have happened to), and the evidence."""

    node: str
    anchor: Micros | None = None
    waiting: tuple[tuple[Happening, str], ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass
class Matcher:
    """The search as of `at`. What it may look at is given: a node's values, its events up to `at` of the kinds the
    pattern names, and where a relation leads, with the fact that says so.

    Attributes:
        next_change: the earliest later moment at which the answer may be another without anything new being told.
    """

    pattern: PathPattern
    at: Micros
    profile: Callable[[str], Profile]
    events: Callable[[str], Sequence[Event]]
    ends: Callable[[str, str, bool], Sequence[tuple[str, GraphFact]]]
    next_change: Micros | None = None
    _kept: dict[str, Sequence[Event]] = field(default_factory=dict)

    def match(self, subject: str) -> PathMatch | None:
        """The first way through the pattern, in order of time and of ids."""
        if not self._passes(subject, self.pattern.tests):
            return None
        evidence = next(self._through(0, _Way(subject)), None)
        return None if evidence is None else PathMatch(subject, self.at, evidence)

    def _through(self, place: int, way: _Way) -> Iterator[tuple[str, ...]]:
        """The evidence of every way through the steps from `place` on."""
        if place == len(self.pattern.steps):
            if all(self._stayed_away(step, node, way.anchor, None) for step, node in way.waiting):
                yield way.evidence
            return
        step = self.pattern.steps[place]
        if isinstance(step, Tally):
            onwards = iter([way] if self._tally(step, way.node) else [])
        elif isinstance(step, Hop):
            onwards = self._hop(step, way)
        elif not step.absent:
            onwards = self._happened(step, way)
        elif way.anchor is None:
            onwards = iter([way] if self._stayed_away(step, way.node, None, None) else [])
        else:
            onwards = iter([replace(way, waiting=(*way.waiting, (step, way.node)))])
        for onward in onwards:
            yield from self._through(place + 1, onward)

    def _hop(self, step: Hop, way: _Way) -> Iterator[_Way]:
        ends = self.ends(way.node, step.relation, step.reverse)
        passing = [(e, f) for e, f in ends if e.split("/", 1)[0] == step.target and self._passes(e, step.tests)]
        if not step.absent:
            for end, fact in passing:
                yield replace(way, node=end, evidence=(*way.evidence, fact.id))
        elif not passing:
            yield way

    def _happened(self, step: Happening, way: _Way) -> Iterator[_Way]:
        for event in self._of(step, way.node):
            if way.anchor is None:
                in_time = step.within is None or self._within(event.time, step.within)
            else:
                in_time = event.time > way.anchor and (step.within is None or event.time <= way.anchor + step.within)
            if in_time and all(self._stayed_away(s, node, way.anchor, event.time) for s, node in way.waiting):
                yield _Way(way.node, event.time, (), (*way.evidence, event.id))

    def _stayed_away(self, step: Happening, node: str, anchor: Micros | None, until: Micros | None) -> bool:
        """No such event after the anchor (or within the last `within`), and before the next happening at `until`; when
        there is none, `within` has to be over."""
        times = [e.time for e in self._of(step, node)]
        if anchor is None:
            return not any(step.within is None or self._within(t, step.within) for t in times)
        if step.within is None:
            return not any(anchor < t and (until is None or t < until) for t in times)
        over = Micros(anchor + step.within)
        if until is None and over > self.at:
            self._may_change(over)
            return False
        return not any(anchor < t <= over and (until is None or t < until) for t in times)

    def _tally(self, step: Tally, node: str) -> bool:
        found = [e for e in self._of(step, node) if self._within(e.time, step.within)]
        values = [1 if step.field is None else e.data.get(step.field) for e in found]
        value = _aggregate(step.function, [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)])
        return Test("", step.op, step.value).passes(value)

    def _of(self, step: Happening | Tally, node: str) -> list[Event]:
        if node not in self._kept:
            self._kept[node] = self.events(node)
        return [e for e in self._kept[node] if e.type == step.event and _all_pass(step.tests, e)]

    def _within(self, time: Micros, within: int) -> bool:
        """In (at - within, at]; the moment it leaves may change the answer."""
        if time <= self.at - within:
            return False
        self._may_change(Micros(time + within))
        return True

    def _passes(self, node: str, tests: Sequence[Test]) -> bool:
        if not tests:
            return True
        profile = self.profile(node)
        return all(test.passes(profile.value(test.name)) for test in tests)

    def _may_change(self, moment: Micros) -> None:
        if self.next_change is None or moment < self.next_change:
            self.next_change = moment


def _all_pass(tests: Sequence[Test], event: Event) -> bool:
    return all(test.passes(event.data.get(test.name)) for test in tests)


def _aggregate(function: str, values: list[float]) -> float | None:
    if function == "count":
        return len(values)
    if function == "sum":
        return sum(values)
    if not values:
        return None
    return {"avg": sum(values) / len(values), "min": min(values), "max": max(values)}[function]
