"""A partition: everything the step reads and writes, for any number of subjects. It holds no clock and does no I/O, so
the same step runs here, on a store tablet, and in a keyed stream operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappush

from core.events import Event, Input
from core.times import Micros
from strategy.document import Strategy
from strategy.engine.compile import Program
from strategy.engine.groups import Groups
from strategy.engine.nodes import Cells, Leaf, Now
from strategy.engine.paths import PathLeaf
from strategy.engine.timers import Timers
from strategy.engine.world import World

Queued = tuple[Micros, int, str, str, int, Input]
"""When it is applied, facts (0) before events (1), event id, source, number of arrival, the input."""


class State:
    """One subject under one strategy. `true`: the trigger is true just after the last instant it was judged at."""

    __slots__ = ("cells", "true")

    def __init__(self, leaves: int) -> None:
        self.cells: Cells = [None] * leaves
        self.true = False


@dataclass(slots=True, eq=False)
class Running:
    """A deployed strategy version. `begin`: since when the history it has seen is complete. `draining`: a newer version
    has taken over; it only finishes sequences in flight."""

    strategy: Strategy
    version: int
    number: int
    program: Program
    begin: Micros | None = None
    draining: bool = False
    states: dict[str, State] = field(default_factory=dict)


@dataclass(slots=True)
class Partition:
    """Attributes:
    running: deployment number → strategy version. names: strategy name → number of its current version.
    groups: event type → (object type, field) of each further subject that its events count for.
    begin: the stream's earliest event. fired: strategy name → subject → last firing (only where a cooldown asks).
    """

    groups: Groups
    world: World = field(default_factory=World)
    timers: Timers = field(default_factory=Timers)
    queue: list[Queued] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    begin: Micros | None = None
    fired: dict[str, dict[str, Micros]] = field(default_factory=dict)
    arrivals: int = 0
    deployments: int = 0
    unbegun: list[Running] = field(default_factory=list)
    by_event: dict[str, list[tuple[Running, tuple[tuple[Leaf, bool], ...]]]] = field(default_factory=dict)
    by_property: dict[str, list[Running]] = field(default_factory=dict)
    by_via: dict[str, list[tuple[Running, str]]] = field(default_factory=dict)
    by_relation: dict[str, list[Running]] = field(default_factory=dict)
    by_hop: dict[str, list[tuple[Running, PathLeaf]]] = field(default_factory=dict)
    by_hop_property: dict[str, list[tuple[Running, PathLeaf]]] = field(default_factory=dict)
    restless: dict[str, list[Running]] = field(default_factory=dict)
    now: Now = field(init=False)

    def __post_init__(self) -> None:
        self.now = Now(self.world)

    def put(self, item: Input, at: Micros) -> None:
        """Queue an input to be applied at `at`."""
        self.arrivals += 1
        if isinstance(item, Event):
            heappush(self.queue, (at, 1, item.id, item.source, self.arrivals, item))
        else:
            heappush(self.queue, (at, 0, "", "", self.arrivals, item))

    def next_instant(self) -> Micros | None:
        """The earliest moment at which an input or a timer waits."""
        due = self.timers.first()
        if self.queue and (due is None or self.queue[0][0] < due):
            return self.queue[0][0]
        return due

    def add(self, running: Running) -> None:
        """Let a strategy version read what it depends on."""
        program = running.program
        self.running[running.number] = running
        if not running.draining:
            self.names[running.strategy.name] = running.number
        if running.begin is None:
            self.unbegun.append(running)
        for event, hits in program.by_event.items():
            self.by_event.setdefault(event, []).append((running, hits))
        for name in program.properties:
            self.by_property.setdefault(name, []).append(running)
        for name, relation in program.via:
            self.by_via.setdefault(name, []).append((running, relation))
        for relation in {relation for _, relation in program.via}:
            self.by_relation.setdefault(relation, []).append(running)
        for leaf in program.paths:
            for relation in leaf.relations:
                self.by_hop.setdefault(relation, []).append((running, leaf))
            for name in leaf.tested:
                self.by_hop_property.setdefault(name, []).append((running, leaf))
        if program.restless:
            self.restless.setdefault(running.strategy.subject, []).append(running)

    def remove(self, running: Running) -> None:
        """Forget a strategy version and its state."""
        program = running.program
        del self.running[running.number]
        if self.names.get(running.strategy.name) == running.number:
            del self.names[running.strategy.name]
        if running in self.unbegun:
            self.unbegun.remove(running)
        for event, hits in program.by_event.items():
            self.by_event[event].remove((running, hits))
        for name in program.properties:
            self.by_property[name].remove(running)
        for name, relation in program.via:
            self.by_via[name].remove((running, relation))
        for relation in {relation for _, relation in program.via}:
            self.by_relation[relation].remove(running)
        for leaf in program.paths:
            for relation in leaf.relations:
                self.by_hop[relation].remove((running, leaf))
            for name in leaf.tested:
                self.by_hop_property[name].remove((running, leaf))
        if program.restless:
            self.restless[running.strategy.subject].remove(running)
        for subject in running.states:
            self.timers.drop((running.number, subject))

    def subjects_of(self, kind: str) -> list[str]:
        return [subject for subject, its_kind in self.world.known.items() if its_kind == kind]
