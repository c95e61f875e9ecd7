"""Witnesses: a customer on whom strategies meet, found by the solver, believed only once an engine has fired them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

import z3

from core.events import Event, Input
from core.times import DAY, Micros
from knowledge.catalog import Catalog
from strategy.conflicts.layout import Layout
from strategy.conflicts.model import TOGETHER, Shot, Witness
from strategy.conflicts.symbols import conj, total
from strategy.conflicts.timeline import Timeline
from strategy.conflicts.worth import Worth
from strategy.document import All, Any_, Condition, Happens, Not, Strategy
from strategy.document import Sequence as Ordered
from strategy.engine.port import Firing, Observation, Truth
from strategy.engine.python import PythonEngine

PATIENCE = 400
"""Milliseconds that one question to the solver may take."""
ONE = threading.Lock()
"""The solver's terms live in one context, which one thread at a time may use."""
_LONG = 4_000 * DAY


def witness_of(strategies: Sequence[Strategy], catalog: Catalog) -> Witness | None:
    """A past of one subject on which all of the strategies (one or two) fire within `TOGETHER`, what lasts of each
    still holding at the end. None: none was found, which does not say that there is none."""
    with ONE:
        layout = Layout.of(strategies, catalog)
        for older in (False, True) if len(strategies) == 1 else (True,):
            timeline = Timeline(layout, strategies[0].subject, older=older)
            worth = Worth(timeline)
            for moments in _plans(strategies, layout):
                inputs = _solved(timeline, worth, strategies, moments)
                if inputs is None:
                    continue
                found = Trial(strategies, catalog, layout.now).run({"1": inputs}).get("1")
                if found is not None:
                    return found
    return None


def _plans(strategies: Sequence[Strategy], layout: Layout) -> Iterator[tuple[int, ...]]:
    """When each strategy's trigger is to hold: all at the last moment, unless their events cannot be the same one; or
    one a little before the other."""
    struck = [pulses(strategy.trigger) for strategy in strategies]
    if not all(struck) or len(strategies) == 1 or set.intersection(*struck):
        yield (0,) * len(strategies)
    if len(strategies) == 2 and all(struck):
        yield from permutations((layout.unit, 0))


def pulses(condition: Condition) -> set[str]:
    """The event types at whose instants alone a condition may be true."""
    if isinstance(condition, Happens):
        return {condition.event}
    if isinstance(condition, Ordered):
        return {step.event for step in condition.steps}
    if isinstance(condition, All):
        return set().union(*(pulses(part) for part in condition.of))
    if isinstance(condition, Any_):
        parts = [pulses(part) for part in condition.of]
        return set().union(*parts) if all(parts) else set()
    return set()


def _solved(
    timeline: Timeline, worth: Worth, strategies: Sequence[Strategy], moments: Sequence[int]
) -> list[Input] | None:
    solver = z3.SimpleSolver()
    solver.set("timeout", PATIENCE)
    wanted = []
    for strategy, moment in zip(strategies, moments, strict=True):
        wanted.append(worth.truth(strategy.trigger, moment).true)
        if strategy.audience is not None:
            wanted.append(worth.truth(strategy.audience, moment).true)
        if moment:
            wanted.append(worth.truth(lasting(strategy.trigger), 0).true)
            wanted += [] if strategy.audience is None else [worth.truth(strategy.audience, 0).true]
        before = [slot.count == 0 for slot in timeline.slots if slot.offset >= TOGETHER]
        wanted.append(z3.Or(conj(before), z3.Not(worth.truth(strategy.trigger, TOGETHER).true)))
    solver.add(*timeline.rules, *wanted)
    return timeline.inputs(_smallest(solver, timeline)) if solver.check() == z3.sat else None


def _smallest(solver: z3.SimpleSolver, timeline: Timeline) -> z3.ModelRef:
    """A solution with as few events as a short search finds: a witness is read by people."""
    events = total(slot.count for slot in timeline.slots)
    best = solver.model()
    low, high = 0, best.eval(events, model_completion=True).as_long()
    while low < high:
        middle = (low + high) // 2
        solver.push()
        solver.add(events <= middle)
        if solver.check() == z3.sat:
            best = solver.model()
            high = best.eval(events, model_completion=True).as_long()
        else:
            low = middle + 1
        solver.pop()
    return best


def lasting(condition: Condition) -> Condition:
    """A condition without the instants in it: what is still to hold after they have passed."""
    if isinstance(condition, All | Any_):
        parts = [lasting(part) for part in condition.of if not isinstance(part, Happens | Ordered)]
        if isinstance(condition, Any_) and len(parts) < len(condition.of):
            return ALWAYS
        return type(condition)(of=tuple(parts)) if parts else ALWAYS
    return ALWAYS if isinstance(condition, Happens | Ordered) else condition


ALWAYS: Condition = Not(of=Happens(event=""))
"""An event that nobody sends is never there."""


class Trial:
    """An engine with strategies that fit the catalog, on which candidates are tried: each is the past of a subject of
    its own."""

    def __init__(self, strategies: Sequence[Strategy], catalog: Catalog, now: Micros) -> None:
        self._strategies, self._catalog, self._now = list(strategies), catalog, now
        self._engine = PythonEngine(catalog)
        for strategy in strategies:
            self._engine.deploy(strategy, 1, checked=True)

    def run(
        self, pasts: Mapping[str, list[Input]], wanted: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, Witness]:
        """Key → the witness, for those on which the wanted strategies (without a word: all) fire together. Use a trial
        once."""
        first = self.beginning()
        everything = sorted((item for past in pasts.values() for item in past), key=lambda item: item.time)
        fired = list(self._engine.ingest([first, *everything]).firings)
        fired += self._engine.advance(self._now).firings
        kind = self._strategies[0].subject
        by_subject: dict[str, list[Firing]] = {}
        for firing in fired:
            by_subject.setdefault(firing.subject, []).append(firing)
        found = {}
        for key, past in pasts.items():
            subject = f"{kind}/{key}"
            names = [strategy.name for strategy in self._strategies] if wanted is None else wanted[key]
            shots = self._together(subject, names, by_subject.get(subject, []))
            if shots is not None:
                found[key] = Witness(subject, (first, *past), shots, self._now)
        return found

    def beginning(self) -> Event:
        """Somebody else's event, long before: since then history is known."""
        name, kind = next(iter(self._catalog.events.items()))
        return Event("0-beginning", name, Micros(self._now - _LONG), f"{kind.subject}/0")

    def _together(self, subject: str, names: Sequence[str], fired: Iterable[Firing]) -> tuple[Shot, ...] | None:
        newest = {firing.strategy: firing.at for firing in fired if firing.strategy in names}
        if len(newest) < len(names) or max(newest.values()) - min(newest.values()) > TOGETHER:
            return None
        if not all(self._lasts(name, subject) for name in names):
            return None
        return tuple(sorted((Shot(name, at) for name, at in newest.items()), key=lambda shot: (shot.at, shot.strategy)))

    def _lasts(self, name: str, subject: str) -> bool:
        trigger, audience = self._engine.look(name, subject)
        return _holds(trigger) and (audience is None or _holds(audience))


def _holds(seen: Observation) -> bool:
    """What is seen is true, instants apart, which count as having been."""
    if seen.kind in ("event", "sequence"):
        return True
    if seen.kind == "all":
        return all(_holds(part) for part in seen.children)
    if seen.kind == "any":
        return any(_holds(part) for part in seen.children)
    return seen.truth is Truth.TRUE
