"""Circles: an action brings about an event that sets off a strategy, whose action brings about one that sets off the
first again. A circle is claimed only when an engine has gone round it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.events import Event, Input
from core.times import MINUTE, Micros
from knowledge.catalog import Catalog
from strategy.conflicts.joining import FIRST_KEY, renamed
from strategy.conflicts.model import Shot, Witness
from strategy.conflicts.witness import Trial
from strategy.document import EventFilter, Ratio, Strategy, Streak, leaves
from strategy.document import Sequence as Ordered
from strategy.engine.python import PythonEngine

LONGEST = 4
"""Strategies in a circle."""
AFTER = MINUTE
"""From a firing to the event that its action brings about."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """Each strategy's action causes the event beside it, which the next strategy (the last one's: the first) reads."""

    strategies: tuple[Strategy, ...]
    events: tuple[str, ...]


def cycles_through(
    strategy: Strategy, readers: Callable[[str], Iterable[Strategy]], catalog: Catalog
) -> Iterator[Cycle]:
    """The circles that begin and end with a strategy, shortest first, as far as events' names tell. `readers`: an event
    type → the strategies (that one too) whose triggers look at it."""
    ways: list[tuple[tuple[Strategy, ...], tuple[str, ...]]] = [((strategy,), ())]
    for _ in range(LONGEST):
        longer = []
        for path, events in ways:
            for event in _causes(path[-1], catalog):
                for reader in readers(event):
                    if reader.name == strategy.name:
                        yield Cycle(path, (*events, event))
                    elif all(reader.name != each.name for each in path):
                        longer.append(((*path, reader), (*events, event)))
        ways = longer


def goes_round(cycle: Cycle, alone: Sequence[Witness], catalog: Catalog) -> Witness | None:
    """Let an engine go round: what the first strategy fires on, then event by event what each action brings about, to
    the first strategy's second firing. The others have had what they need but for the event they wait for."""
    key = str(FIRST_KEY)
    subject = f"{cycle.strategies[0].subject}/{key}"
    past: list[Input] = renamed(alone[0], key, "a", catalog)
    missing = []
    for number, (event, witness) in enumerate(zip(cycle.events, [*alone[1:], alone[0]], strict=True)):
        mine = renamed(witness, key, f"c{number}", catalog)
        last = next((item for item in reversed(mine) if isinstance(item, Event) and item.type == event), None)
        if last is None:
            return None
        missing.append(last)
        if number < len(alone) - 1:
            past += [item for item in mine if item is not last]
    trial = Trial(cycle.strategies, catalog, alone[0].until)
    engine = PythonEngine(catalog)
    for strategy in cycle.strategies:
        engine.deploy(strategy, 1)
    everything: list[Input] = [trial.beginning(), *sorted(past, key=lambda item: item.time)]
    fired = [*engine.ingest(everything).firings, *engine.advance(alone[0].until).firings]
    until, shots = alone[0].until, list[Shot]()
    for number, awaited in enumerate((*cycle.strategies, cycle.strategies[0])):
        if (shot := next((f for f in fired if f.strategy == awaited.name and f.subject == subject), None)) is None:
            return None
        shots.append(Shot(awaited.name, shot.at))
        if number < len(missing):
            due = missing[number]
            until = Micros(until + AFTER)
            caused = Event(f"caused-{number}", due.type, until, due.subject, due.data)
            everything.append(caused)
            fired = [*engine.ingest([caused]).firings, *engine.advance(until).firings]
    return Witness(subject, tuple(everything), tuple(shots), until)


def _causes(strategy: Strategy, catalog: Catalog) -> list[str]:
    found = (catalog.actions.get(call.action) for call in strategy.actions if call.action is not None)
    return list(dict.fromkeys(event for action in found if action is not None for event in action.causes))


def events_read(strategy: Strategy) -> set[str]:
    """The event types that a trigger looks at."""
    found: set[str] = set()
    for _, leaf in leaves(strategy.trigger, ""):
        if isinstance(leaf, Ordered):
            found |= {step.event for step in leaf.steps if not step.absent}
        elif isinstance(leaf, Ratio):
            found |= {leaf.of.event, leaf.per.event}
        elif isinstance(leaf, EventFilter | Streak):
            found.add(leaf.event)
    return found
