"""The step: apply queued inputs and due timers in order of time, judge each touched trigger once an instant. A function
of the partition alone: the same partition and inputs give the same firings anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop

from core.events import Event, Fact, Input
from core.times import Micros
from strategy.engine.groups import subjects_of
from strategy.engine.nodes import Now
from strategy.engine.port import Firing, Truth
from strategy.engine.sequences import SequenceLeaf
from strategy.engine.state import Partition, Running, State
from strategy.engine.timers import Place
from strategy.engine.values import TRUE

Touched = dict[Place, bool]
"""Whose trigger is to be judged at this instant, and whether a timer (also) woke it."""


def advance(part: Partition, to: Micros) -> list[Firing]:
    """Bring the partition to the end of the instant `to`; the firings on the way, by (at, deployment, subject)."""
    firings: list[Firing] = []
    while (at := part.next_instant()) is not None and at <= to:
        touched: Touched = {}
        queue = part.queue
        while queue and queue[0][0] == at:
            _apply(part, heappop(queue)[5], at, touched)
        for place in part.timers.pop(at):
            touched[place] = True
        fired = []
        for place, woken in touched.items():
            running = part.running.get(place[0])
            if running is not None and (firing := judge(part, running, place[1], at, woken)) is not None:
                fired.append((place, firing))
        if len(fired) > 1:
            fired.sort(key=lambda pair: pair[0])
        firings += [firing for _, firing in fired]
    return firings


def _apply(part: Partition, item: Input, at: Micros, touched: Touched) -> None:
    if isinstance(item, Event):
        for subject in subjects_of(item, part.groups):
            _meet(part, subject, touched)
        if part.begin is None or part.unbegun:
            _begin(part, at, touched)
        feed(part, item, touched)
    elif isinstance(item, Fact):
        _meet(part, item.subject, touched)
        if part.world.learn(item):
            _touch_readers(part, item.subject, item.property, touched)
    else:
        _meet(part, item.subject, touched)
        _meet(part, item.object, touched)
        if part.world.relate(item):
            kind = part.world.known[item.subject]
            for running in part.by_relation.get(item.relation, ()):
                if running.strategy.subject == kind:
                    touched.setdefault((running.number, item.subject), False)
            for running, leaf in part.by_hop.get(item.relation, ()):
                subjects = leaf.from_relation(part.world, item.relation, item.subject, item.object)
                _touch_all(part, running, subjects, touched)


def _meet(part: Partition, subject: str, touched: Touched) -> None:
    """A subject heard of for the first time: what may be true of it, or turn true by time alone, is judged."""
    if part.world.meet(subject):
        for running in part.restless.get(part.world.known[subject], ()):
            touched.setdefault((running.number, subject), False)


def _begin(part: Partition, at: Micros, touched: Touched) -> None:
    """The stream's first event: history begins, so windows have a moment from which they are full."""
    part.begin = at if part.begin is None else min(part.begin, at)
    for running in part.unbegun:
        running.begin = at
        if running.program.restless:
            for subject in part.subjects_of(running.strategy.subject):
                touched.setdefault((running.number, subject), False)
    part.unbegun.clear()


def feed(part: Partition, event: Event, touched: Touched) -> None:
    """Give an event to the strategies that read its type, for each subject it counts for."""
    for subject in subjects_of(event, part.groups):
        _feed(part, subject, event, touched)


def _feed(part: Partition, subject: str, event: Event, touched: Touched) -> None:
    kind = part.world.known[subject]
    for running, hits in part.by_event.get(event.type, ()):
        if running.strategy.subject != kind:
            continue
        state = running.states.get(subject)
        fresh = state is None
        if state is None:
            if running.draining:
                continue
            state = State(len(running.program.leaves))
        cells = state.cells
        for leaf, in_trigger in hits:
            if leaf.feed(cells, event) and in_trigger:
                touched.setdefault((running.number, subject), False)
        if fresh and cells.count(None) < len(cells):
            running.states[subject] = state


def _touch_readers(part: Partition, owner: str, name: str, touched: Touched) -> None:
    kind = part.world.known[owner]
    for running in part.by_property.get(name, ()):
        if running.strategy.subject == kind:
            touched.setdefault((running.number, owner), False)
    for running, relation in part.by_via.get(name, ()):
        for subject in part.world.subjects(relation, owner):
            touched.setdefault((running.number, subject), False)
    for running, leaf in part.by_hop_property.get(name, ()):
        _touch_all(part, running, leaf.from_fact(part.world, owner, name), touched)


def _touch_all(part: Partition, running: Running, subjects: Iterable[str], touched: Touched) -> None:
    for subject in subjects:
        if part.world.known[subject] == running.strategy.subject:
            touched.setdefault((running.number, subject), False)


def judge(
    part: Partition, running: Running, subject: str, at: Micros, woken: bool = False, silent: bool = False
) -> Firing | None:
    """Judge a trigger at an instant, keep its truth just after it, and ask for the next timer. With `silent`, nothing
    fires: the state is what it would be, had the strategy run all along."""
    state = running.states.get(subject)
    if state is None:
        if running.draining:
            return None
        state = running.states[subject] = State(len(running.program.leaves))
    program, now = running.program, part.now
    now.at, now.subject, now.begin, now.after = at, subject, running.begin, False
    true = program.trigger.truth(state.cells, now) == TRUE
    firing = _fire(part, running, state, now) if true and not state.true and not silent else None
    if program.instant:
        true = False
    elif program.pulses:
        now.after = True
        true = program.trigger.truth(state.cells, now) == TRUE
        now.after = False
    state.true = true
    due: Micros | None = None
    for leaf in program.timed:
        moment = leaf.due(state.cells, now)
        if moment is not None and (due is None or moment < due):
            due = moment
    if due is not None:
        part.timers.need((running.number, subject), due)
    if running.draining:
        _drain(part, running, subject, state)
    elif not true and due is None and (woken or silent or program.pulses or not program.by_event):
        _forget(running, subject, state)
    return firing


def _forget(running: Running, subject: str, state: State) -> None:
    """Drop a state in which nothing is kept."""
    for leaf, cell in zip(running.program.leaves, state.cells, strict=True):
        if cell is not None and not leaf.idle(cell):
            return
    del running.states[subject]


def _fire(part: Partition, running: Running, state: State, now: Now) -> Firing | None:
    """The firing of a turn to true, unless the subject is outside the audience or within the cooldown."""
    program, strategy, at = running.program, running.strategy, now.at
    if running.draining and not any(
        isinstance(leaf, SequenceLeaf) and leaf.truth(state.cells, now) == TRUE for leaf in program.trigger.leaves()
    ):
        return None
    audience = program.audience.observe(state.cells, now) if program.audience is not None else None
    if audience is not None and audience.truth is not Truth.TRUE:
        return None
    cooldown = strategy.guards.cooldown
    if cooldown is not None:
        last = part.fired.setdefault(strategy.name, {})
        if now.subject in last and at - last[now.subject] < cooldown:
            return None
        last[now.subject] = at
    trigger = program.trigger.observe(state.cells, now)
    return Firing(strategy.name, running.version, now.subject, at, str(at), trigger, audience)


def drain(part: Partition, running: Running, at: Micros) -> None:
    """A newer version takes over: keep only what sequences in flight need, and open no new ones."""
    running.draining = True
    for subject, state in list(running.states.items()):
        _drain(part, running, subject, state)
        if subject in running.states:
            judge(part, running, subject, at, silent=True)
    if running.number in part.running and not running.states:
        part.remove(running)


def _drain(part: Partition, running: Running, subject: str, state: State) -> None:
    sequences = [leaf for leaf in running.program.trigger.leaves() if isinstance(leaf, SequenceLeaf)]
    alive = [leaf.close(state.cells) for leaf in sequences]
    if not any(alive):
        del running.states[subject]
        part.timers.drop((running.number, subject))
        if not running.states and running.number in part.running:
            part.remove(running)
