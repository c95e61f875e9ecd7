"""The step: apply queued inputs and due timers in order of time; judge, once an instant, the strategies that something
there may turn true. A function of the partition alone: the same partition and inputs give the same firings anywhere.

Whether a trigger was true just before an instant is not kept but computed, from what its leaves saw a microsecond
before: times are whole microseconds, and a leaf's level is read before the instant's first input reaches it.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop
from typing import Any

from core.events import Event, Fact, Input, Relation
from core.times import Micros
from strategy.engine.groups import subjects_of
from strategy.engine.memory import Memory
from strategy.engine.nodes import Leaf, Node, Now, shown
from strategy.engine.port import Firing, Observation, Truth
from strategy.engine.sequences import SequenceLeaf
from strategy.engine.state import Partition, Running
from strategy.engine.values import FALSE, TRUE, UNKNOWN


def advance(part: Partition, to: Micros) -> list[Firing]:
    """Bring the partition to the end of the instant `to`; the firings on the way, by (at, deployment, subject)."""
    firings: list[Firing] = []
    queue = part.queue
    while (at := part.next_instant()) is not None and at <= to:
        _sweep(part, Micros(at - 1))
        instant = Instant(part, at)
        while queue and queue[0][0] == at:
            instant.apply(heappop(queue)[5])
        for number, subject in part.timers.pop(at):
            instant.wake(part.memories[number], subject)
        firings += instant.judge()
    return firings


def _sweep(part: Partition, at: Micros) -> None:
    """Forget what nobody needs, in the memories that have grown."""
    for memory in part.crowded.values():
        memory.sweep(at)
    part.crowded.clear()


class View:
    """One subject at one instant. `before`: what memories saw just before it, read in time for all that inputs or
    timers touched; `now`: what they see in it. `new`: it is heard of for the first time."""

    __slots__ = ("before", "new", "now", "subject")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.before: dict[Memory, Any] = {}
        self.now: dict[Memory, Any] = {}
        self.new = False


class Instant:
    """One moment of a partition: first everything is applied, then everyone concerned is judged."""

    __slots__ = ("_at", "_now", "_part", "_then", "_views")

    def __init__(self, part: Partition, at: Micros) -> None:
        self._part, self._at = part, at
        self._views: dict[str, View] = {}
        self._now = Now(part.world, at)
        self._then = Now(part.world, Micros(at - 1), after=True)

    # what comes

    def apply(self, item: Input) -> None:
        part = self._part
        if isinstance(item, Event):
            subjects = subjects_of(item, part.groups)
            for subject in subjects:
                self._meet(subject)
            if part.begin is None or part.unbegun:
                part.start_history(self._at)
            self._feed(item, subjects)
            return
        self._meet(item.subject)
        if isinstance(item, Relation):
            self._meet(item.object)
        for memory, subject in list(part.readers(item)):
            self._touch(memory, self._view(subject))
        if isinstance(item, Fact):
            part.world.learn(item)
        else:
            part.world.relate(item)

    def wake(self, memory: Memory, subject: str) -> None:
        """A timer is due: one subject's, or (without a subject) that of a memory whose history is full now."""
        if subject:
            self._touch(memory, self._view(subject))
            return
        found: dict[int, None] = {}
        memory.turned(self._level(memory, None, self._then), self._level(memory, None, self._now), found)
        for each in self._part.world.of_kind[memory.kind] if found else list(memory.cells):
            self._touch(memory, self._view(each))

    def _meet(self, subject: str) -> None:
        part = self._part
        if part.world.meet(subject):
            self._view(subject).new = True
            for memory in part.filling.pop(part.world.known[subject], {}).values():
                part.arm_full(memory, self._at)

    def _feed(self, event: Event, subjects: list[str]) -> None:
        part, then = self._part, self._then
        by_kind = part.takers.get(event.type)
        for subject in subjects if by_kind else ():
            takers = by_kind.get(part.world.known[subject]) if by_kind else None
            if takers is None:
                continue
            view = self._view(subject)
            before = view.before
            for memory, roles in takers.of(event, subject):
                cells = memory.cells
                cell = cells.get(subject)
                if cell is None and not roles & memory.opens:
                    continue
                if memory.rungs and memory not in before:
                    if memory.pulse:
                        before[memory] = FALSE
                    else:
                        then.begin = memory.begin
                        before[memory] = memory.level(cell, then)
                fed = memory.feed(cell, event, roles)
                if fed is not cell:
                    cells[subject] = fed
                    if len(cells) > memory.room:
                        part.crowded[memory.number] = memory

    def _view(self, subject: str) -> View:
        view = self._views.get(subject)
        if view is None:
            view = self._views[subject] = View(subject)
        return view

    def _touch(self, memory: Memory, view: View) -> None:
        """Read what a memory saw of a subject before the instant, for it may see something else now."""
        if memory not in view.before:
            self._then.subject = view.subject
            view.before[memory] = self._level(memory, view.subject, self._then)

    def _level(self, memory: Memory, subject: str | None, now: Now) -> Any:
        now.begin = memory.begin
        return memory.level(memory.cells.get(subject) if subject else None, now)

    # what comes of it

    def judge(self) -> list[Firing]:
        part = self._part
        fired: list[tuple[int, str, Firing]] = []
        for subject, view in self._views.items():
            self._now.subject = self._then.subject = subject
            for number in self._concerned(view):
                running = part.running[number]
                if self._turns(running, view) and (firing := self._fire(running, subject)) is not None:
                    fired.append((number, subject, firing))
        for subject, view in self._views.items():
            for memory in view.before:
                if memory.draining:
                    _drain(part, memory, subject)
        if len(fired) > 1:
            fired.sort(key=lambda each: each[:2])
        return [firing for _, _, firing in fired]

    def _concerned(self, view: View) -> dict[int, None]:
        """The strategies that may turn true for a subject."""
        part, subject, now, levels = self._part, view.subject, self._now, view.now
        found: dict[int, None] = {}
        for memory, before in view.before.items():
            cell = memory.cells.get(subject)
            now.begin = memory.begin
            level = levels[memory] = memory.level(cell, now)
            if level != before:
                memory.turned(before, level, found)
            if memory.timed and (due := memory.due(cell, now)) is not None:
                part.timers.need((memory.number, subject), due)
        if view.new:
            for running in part.fresh.get(part.world.known[subject], {}).values():
                if running.fresh is not None and running.fresh <= self._at:
                    found[running.number] = None
        return found

    def _turns(self, running: Running, view: View) -> bool:
        """Whether a strategy's trigger, of which a condition has turned, is true now and was not just before."""
        trigger = running.program.trigger
        if isinstance(trigger, Leaf) and not view.new:
            return True
        if self._worth(trigger, running.memories, view, view.now) != TRUE:
            return False
        return view.new or self._worth(trigger, running.memories, view, view.before) != TRUE

    def _worth(self, node: Node, memories: tuple[Memory, ...], view: View, levels: dict[Memory, Any]) -> int:
        """The truth of a tree, now or before; what nothing has touched is read when it is asked for."""
        if isinstance(node, Leaf):
            memory = memories[node.slot]
            if memory not in view.now:
                view.before[memory] = self._level(memory, view.subject, self._then)
                view.now[memory] = self._level(memory, view.subject, self._now)
            return node.judge(levels[memory])
        if node.kind == "not":
            return TRUE - self._worth(node.of[0], memories, view, levels)
        decisive = FALSE if node.kind == "all" else TRUE
        found = TRUE - decisive
        for part in node.of:
            truth = self._worth(part, memories, view, levels)
            if truth == decisive:
                return truth
            if truth == UNKNOWN:
                found = truth
        return found

    def _fire(self, running: Running, subject: str) -> Firing | None:
        """The firing of a turn to true, unless the subject is outside the audience or within the cooldown."""
        part, program, strategy, at = self._part, running.program, running.strategy, self._at
        look = looker(part, running, subject, at)
        if running.draining and not any(
            look(leaf).truth is Truth.TRUE
            for leaf in program.leaves[: len(program.holds)]
            if isinstance(leaf, SequenceLeaf)
        ):
            return None
        audience = shown(program.audience, look) if program.audience is not None else None
        if audience is not None and audience.truth is not Truth.TRUE:
            return None
        cooldown = strategy.guards.cooldown
        if cooldown is not None:
            last = part.fired.setdefault(strategy.name, {})
            if subject in last and at - last[subject] < cooldown:
                return None
            last[subject] = at
        return Firing(strategy.name, running.version, subject, at, str(at), shown(program.trigger, look), audience)


def looker(
    part: Partition, running: Running, subject: str, at: Micros, after: bool = False
) -> Callable[[Leaf], Observation]:
    """What a strategy's leaves see of a subject at an instant (or just after it)."""
    now, memories = Now(part.world, at, subject, after=after), running.memories

    def look(leaf: Leaf) -> Observation:
        memory = memories[leaf.slot]
        now.begin = memory.begin
        return leaf.observe(memory.cells.get(subject), now)

    return look


def drain(part: Partition, running: Running, at: Micros) -> None:
    """A newer version takes over: keep only what sequences in flight need, and open no new ones."""
    running.draining = True
    part.fresh.get(running.strategy.subject, {}).pop(running.number, None)
    for memory in running.sequences:
        memory.drain()
        for subject, cell in list(memory.cells.items()):
            cell.closed = True
            if memory.lead.idle(cell, at):
                del memory.cells[subject]
            else:
                part.arm(memory, subject, at)
    _end(part, running)


def _drain(part: Partition, memory: Memory, subject: str) -> None:
    """Forget a subject with nothing in flight any more; with the last one the version ends."""
    cell = memory.cells.get(subject)
    if cell is not None and not any(cell.waits):
        del memory.cells[subject]
        part.timers.drop((memory.number, subject))
        if memory.owner in part.running:
            _end(part, part.running[memory.owner])


def _end(part: Partition, running: Running) -> None:
    if not running.flying:
        part.remove(running)
