"""A partition: everything the step reads and writes, for any number of subjects. It holds no clock and does no I/O, so
the same step runs here, on a store tablet, and in a keyed stream operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappush

from core.events import Event, Fact, Input, Relation
from core.times import EARLIEST, Micros
from knowledge.catalog.model import Catalog
from strategy.document import Strategy
from strategy.engine.compile import Program
from strategy.engine.groups import Groups, groups_of
from strategy.engine.memory import Memory
from strategy.engine.nodes import Leaf, Now, worth
from strategy.engine.paths import PathLeaf
from strategy.engine.sequences import SequenceLeaf
from strategy.engine.takers import Takers
from strategy.engine.timers import Timers
from strategy.engine.values import TRUE
from strategy.engine.world import World

Queued = tuple[Micros, int, str, str, int, Input]
"""When it is applied, facts (0) before events (1), event id, source, number of arrival, the input."""
Key = tuple[str, str, Micros | None, int]
"""Kind of subject, what is looked at, since when, and the deployment it belongs to alone (0: none)."""


@dataclass(slots=True, eq=False)
class Running:
    """A deployed strategy version. `begin`: since when the history it has seen is complete. `draining`: a newer version
    has taken over; it only finishes sequences in flight. `memories`: what its leaves look at, one each. `fresh`: from
    when on its trigger is true for a subject of which nothing but its existence is known (None: never)."""

    strategy: Strategy
    version: int
    number: int
    program: Program
    begin: Micros | None = None
    draining: bool = False
    memories: tuple[Memory, ...] = ()
    fresh: Micros | None = None

    @property
    def sequences(self) -> list[Memory]:
        """Of its trigger and its audience. They are its alone."""
        return [memory for memory in self.memories if memory.owner]

    @property
    def flying(self) -> bool:
        """Whether sequences of its trigger are in flight."""
        return any(memory.cells for memory in self.memories[: len(self.program.holds)] if memory.owner)


@dataclass(slots=True)
class Partition:
    """Attributes:
    running: deployment number → strategy version. names: strategy name → number of its current version.
    memories: number → memory; `shared` finds one by what it is of. takers: event type → kind of subject → who takes it.
    begin: the stream's earliest event. fired: strategy name → subject → last firing (only where a cooldown asks).
    filling: kind of subject → memories whose history will be full, but of nobody yet.
    """

    catalog: Catalog
    world: World = field(default_factory=World)
    timers: Timers = field(default_factory=Timers)
    queue: list[Queued] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    memories: dict[int, Memory] = field(default_factory=dict)
    shared: dict[Key, Memory] = field(default_factory=dict)
    takers: dict[str, dict[str, Takers]] = field(default_factory=dict)
    begin: Micros | None = None
    fired: dict[str, dict[str, Micros]] = field(default_factory=dict)
    arrivals: int = 0
    deployments: int = 0
    numbers: int = 0
    unbegun: dict[int, Running] = field(default_factory=dict)
    fresh: dict[str, dict[int, Running]] = field(default_factory=dict)
    filling: dict[str, dict[int, Memory]] = field(default_factory=dict)
    by_property: dict[str, dict[int, Memory]] = field(default_factory=dict)
    by_relation: dict[str, dict[int, Memory]] = field(default_factory=dict)
    crowded: dict[int, Memory] = field(default_factory=dict)
    now: Now = field(init=False)
    groups: Groups = field(init=False)

    def __post_init__(self) -> None:
        self.now = Now(self.world)
        self.groups = groups_of(self.catalog)

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

    # strategies in and out

    def remember(self, running: Running) -> list[Memory]:
        """Give a strategy what its leaves look at; the memories that had to be made, empty as yet."""
        made: list[Memory] = []
        found = []
        for leaf in running.program.leaves:
            key = key_of(leaf, running)
            memory = self.shared.get(key)
            if memory is None:
                self.numbers += 1
                memory = Memory(self.numbers, key[0], leaf, key[2], key[3])
                self.shared[key] = self.memories[memory.number] = memory
                made.append(memory)
            memory.uses += 1
            found.append(memory)
        running.memories = tuple(found)
        return made

    def add(self, running: Running, made: list[Memory], at: Micros | None) -> None:
        """Let a strategy that has its memories run on; `at` is the last instant that has passed."""
        for memory in made:
            self._connect(memory)
        self._enlist(running)
        for memory in running.memories:
            if memory.eager:
                memory.eager = False
                self.arm_all(memory, at)

    def _enlist(self, running: Running) -> None:
        self.running[running.number] = running
        if not running.draining:
            self.names[running.strategy.name] = running.number
        for memory, leaf, holds in _waiting(running):
            memory.wait(leaf, running.number, holds)
        if running.begin is None:
            self.unbegun[running.number] = running
        self.settle_fresh(running)

    def restore(self, all_running: list[Running]) -> None:
        """Connect what a snapshot held: strategies with their memories, whose timers are set."""
        for _, memory in sorted(self.memories.items()):
            self.shared.setdefault((memory.kind, memory.lead.looks, memory.begin, memory.owner), memory)
            self._connect(memory)
        for running in all_running:
            self._enlist(running)
        for memory in self.memories.values():
            memory.eager = False
            if memory.full_at is not None and memory.kind not in self.world.of_kind:
                self.filling.setdefault(memory.kind, {})[memory.number] = memory

    def remove(self, running: Running) -> None:
        """Forget a strategy version, and the state that nobody else uses."""
        del self.running[running.number]
        if self.names.get(running.strategy.name) == running.number:
            del self.names[running.strategy.name]
        self.unbegun.pop(running.number, None)
        self.fresh.get(running.strategy.subject, {}).pop(running.number, None)
        for memory, leaf, holds in _waiting(running):
            memory.leave(leaf, running.number, holds)
        for memory in running.memories:
            memory.uses -= 1
            if not memory.uses:
                self._disconnect(memory)

    def _connect(self, memory: Memory) -> None:
        lead = memory.lead
        for event in lead.events:
            by_kind = self.takers.setdefault(event, {})
            if memory.kind not in by_kind:
                by_kind[memory.kind] = Takers(event, self.catalog)
            by_kind[memory.kind].add(memory)
        for name in _properties(lead):
            self.by_property.setdefault(name, {})[memory.number] = memory
        for relation in _relations(lead):
            self.by_relation.setdefault(relation, {})[memory.number] = memory

    def _disconnect(self, memory: Memory) -> None:
        lead = memory.lead
        del self.memories[memory.number]
        key = (memory.kind, lead.looks, memory.begin, memory.owner)
        if self.shared.get(key) is memory:
            del self.shared[key]
        self.timers.forget(memory.number)
        self.filling.get(memory.kind, {}).pop(memory.number, None)
        self.crowded.pop(memory.number, None)
        for event in lead.events:
            takers = self.takers[event][memory.kind]
            takers.remove(memory)
            if not takers:
                del self.takers[event][memory.kind]
        for name in _properties(lead):
            del self.by_property[name][memory.number]
        for relation in _relations(lead):
            del self.by_relation[relation][memory.number]

    def start_history(self, at: Micros) -> None:
        """The stream's first event: history begins, so windows have a moment from which they are full."""
        self.begin = at if self.begin is None else min(self.begin, at)
        begun, self.unbegun = self.unbegun, {}
        for running in begun.values():
            running.begin = at
            for leaf, memory in zip(running.program.leaves, running.memories, strict=True):
                if memory.begin is None and lasts(leaf):
                    self.shared.pop((memory.kind, leaf.looks, None, memory.owner), None)
                    memory.begin = at
                    key = key_of(leaf, running)
                    if key not in self.shared or self.shared[key].number > memory.number:
                        self.shared[key] = memory
                    self.arm_full(memory, at)
        for running in begun.values():
            self.settle_fresh(running)

    # what waits for time

    def settle_fresh(self, running: Running) -> None:
        """Find out from when on the trigger is true for a subject of which nothing is known. What is unknown for lack
        of history may become known once; nothing else changes for such a subject."""
        if running.draining:
            return
        full = {memory.full_at for memory in running.memories}
        moments = [EARLIEST, *sorted(moment for moment in full if moment is not None)]
        running.fresh = next((at for at in moments if self._true_of_nobody(running, at)), None)
        mine = self.fresh.setdefault(running.strategy.subject, {})
        mine.pop(running.number, None)
        if running.fresh is not None:
            mine[running.number] = running

    def _true_of_nobody(self, running: Running, at: Micros) -> bool:
        now = self.now
        now.at, now.subject, now.after = at, "", False

        def ask(leaf: Leaf) -> int:
            now.begin = running.memories[leaf.slot].begin
            return leaf.truth(None, now)

        return worth(running.program.trigger, ask) == TRUE

    def arm(self, memory: Memory, subject: str, at: Micros) -> None:
        """Ask for a timer if time alone may turn what somebody waits for."""
        now = self.now
        now.at, now.subject, now.begin, now.after = at, subject, memory.begin, False
        due = memory.due(memory.cells.get(subject), now)
        if due is not None:
            self.timers.need((memory.number, subject), due)

    def arm_all(self, memory: Memory, at: Micros | None) -> None:
        if at is None:
            at = EARLIEST
        for subject in list(memory.cells) if memory.lead.filters else self.world.of_kind.get(memory.kind, ()):
            self.arm(memory, subject, at)
        self.arm_full(memory, at)

    def arm_full(self, memory: Memory, at: Micros) -> None:
        """Wait for the moment at which history is as long as the window, once there is anybody to be judged then."""
        full = memory.full_at
        if full is None or at >= full:
            return
        if memory.kind in self.world.of_kind:
            self.timers.need((memory.number, ""), full)
        else:
            self.filling.setdefault(memory.kind, {})[memory.number] = memory

    # who reads facts

    def readers(self, item: Fact | Relation) -> Iterator[tuple[Memory, str]]:
        """What a fact or relation may make a difference to, and for which subjects, as far as is known before it."""
        world = self.world
        if isinstance(item, Fact):
            for memory in self.by_property.get(item.property, {}).values():
                lead = memory.lead
                if isinstance(lead, PathLeaf):
                    owners: Iterator[str] | list[str] = lead.from_fact(world, item.subject, item.property)
                elif lead.via is not None:
                    owners = world.subjects(lead.via, item.subject)
                else:
                    owners = [item.subject]
                yield from ((memory, owner) for owner in owners if world.known.get(owner) == memory.kind)
            return
        for memory in self.by_relation.get(item.relation, {}).values():
            lead = memory.lead
            if isinstance(lead, PathLeaf):
                owners = lead.from_relation(world, item.relation, item.subject, item.object)
            else:
                owners = [item.subject]
            yield from ((memory, owner) for owner in owners if world.known.get(owner) == memory.kind)


def key_of(leaf: Leaf, running: Running) -> Key:
    """What memory a leaf looks at."""
    own = running.number if isinstance(leaf, SequenceLeaf) else 0
    return (running.strategy.subject, leaf.looks, running.begin if lasts(leaf) else None, own)


def lasts(leaf: Leaf) -> bool:
    """Whether something of the past is kept, so that it matters since when."""
    return bool(leaf.filters) and not leaf.pulse


def _waiting(running: Running) -> Iterator[tuple[Memory, Leaf, bool]]:
    """The leaves of the trigger, with the way they count."""
    program = running.program
    return zip(running.memories, program.leaves, program.holds, strict=False)


def _properties(lead: Leaf) -> tuple[str, ...]:
    return lead.tested if isinstance(lead, PathLeaf) else lead.properties


def _relations(lead: Leaf) -> frozenset[str]:
    if isinstance(lead, PathLeaf):
        return lead.relations
    return frozenset() if lead.via is None else frozenset({lead.via})
