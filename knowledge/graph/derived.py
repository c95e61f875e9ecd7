"""Attributes that the hub derives from the graph: registered path patterns (`pattern.<id>`: true or false) and weights
(`weight.<id>`). What is written says whose attributes to look at again, in the same transaction, so that none is
missed; what becomes of that is in follower.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.errors import UnknownName
from core.events import Event
from core.text import Text
from core.times import Micros
from knowledge.catalog import Catalog, nearest
from knowledge.catalog.model import WeightProfile
from knowledge.graph.backend import ALWAYS, FactReader, FactWriter
from knowledge.graph.model import GraphFact, Reminder
from knowledge.graph.pattern import Hop, PathPattern, PathStep, read_pattern
from knowledge.graph.weight import Channel, DecayedSum, channel_of, channels_of

PATTERN, WEIGHT = "pattern.", "weight."
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Items:
    """What a catalog derives, ready for use."""

    catalog: Catalog
    patterns: dict[str, PathPattern]
    weights: dict[str, WeightProfile]
    channels: dict[str, set[Channel]]
    by_event: dict[str, list[str]]


class Derivations:
    """The patterns and weights of the catalog as it is at each use, since it can be edited at run time."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog
        self._items: Items | None = None

    @property
    def items(self) -> Items:
        """What the catalog derives now; errors as in `check`."""
        catalog = self._catalog()
        if self._items is None or self._items.catalog is not catalog:
            self._items = _read(catalog)
        return self._items

    def check(self) -> None:
        """
        Raises:
            InvalidInput: a pattern cannot be read. UnknownName: it names what the catalog does not have.
        """
        _read(self._catalog())

    def weight(self, name: str) -> WeightProfile:
        return _known(name, self.items.weights, Text("权重", "weight"))

    def take_facts(self, turn: FactWriter, facts: Sequence[GraphFact]) -> None:
        """Note whose attributes new facts may change."""
        reminders: set[Reminder] = set()
        for name, pattern in self.items.patterns.items():
            for fact in facts:
                bounds = [fact.valid_from] if fact.valid_to is None else [fact.valid_from, fact.valid_to]
                for subject in _concerned(turn, pattern, fact):
                    reminders.update(Reminder(at, PATTERN + name, subject) for at in bounds)
        if reminders:
            turn.add_reminders(sorted(reminders))

    def take_events(self, turn: FactWriter, events: Sequence[Event]) -> None:
        """Add new events to the sums they count for, and note whose attributes they may change."""
        items = self.items
        each: dict[tuple[str, str], list[Event]] = {}
        for event in events:
            if event.type in items.by_event:
                each.setdefault((event.subject, event.type), []).append(event)
        for (subject, kind), new in each.items():
            self._add_up(turn, subject, kind, new)
        if reminders := {r for e in events for r in self._of_event(turn, items, e)}:
            turn.add_reminders(sorted(reminders))

    def about(self, subjects: Iterable[str], at: Micros) -> list[Reminder]:
        """All derived attributes of records, as of a moment: who they are has changed."""
        items = self.items
        kinds = [
            *((PATTERN + n, p.subject) for n, p in items.patterns.items()),
            *((WEIGHT + n, w.subject) for n, w in items.weights.items()),
        ]
        return [Reminder(at, item, s) for s in subjects for item, kind in kinds if s.startswith(kind + "/")]

    def _add_up(self, turn: FactWriter, subject: str, kind: str, new: Sequence[Event]) -> None:
        """A sum that is kept goes on, whether a profile still asks for it or not; a new one begins with all events."""
        kept = turn.sums_of(subject)
        wanted = {c: s for c, s in kept.items() if c.event == kind}
        changed = {channel: held.plus(new, channel) for channel, held in wanted.items()}
        if missing := self.items.channels.get(kind, set()) - wanted.keys():
            everything = list(turn.events_before(subject, ALWAYS, [kind]))
            changed.update((channel, DecayedSum().plus(everything, channel)) for channel in missing)
        if changed:
            turn.put_sums(subject, changed)

    def _of_event(self, turn: FactReader, items: Items, event: Event) -> Iterable[Reminder]:
        for item in items.by_event.get(event.type, ()):
            if item.startswith(WEIGHT):
                yield Reminder(event.time, item, event.subject)
                continue
            pattern = items.patterns[item.removeprefix(PATTERN)]
            for place, step in enumerate(pattern.steps):
                if not isinstance(step, Hop) and step.event == event.type:
                    for subject in _back(turn, pattern, event.subject, place, event.time):
                        yield Reminder(event.time, item, subject)


def sums_until(reader: FactReader, subject: str, profile: WeightProfile, at: Micros) -> dict[Channel, DecayedSum]:
    """A record's sums for a profile as of a moment: the stored ones where nothing is newer, else added up anew."""
    stored, found = reader.sums_of(subject), dict[Channel, DecayedSum]()
    for channel in {channel_of(term) for term in profile.terms}:
        held = stored.get(channel)
        if held is None or held.at > at:
            held = DecayedSum().plus(reader.events_before(subject, at, [channel.event]), channel)
        found[channel] = held
    return found


def _read(catalog: Catalog) -> Items:
    patterns = {name: read_pattern(p.path, catalog) for name, p in catalog.patterns.items()}
    by_event: dict[str, list[str]] = {}
    for name, pattern in patterns.items():
        for event in pattern.events:
            by_event.setdefault(event, []).append(PATTERN + name)
    for name, profile in catalog.weights.items():
        for event in dict.fromkeys(t.event for t in profile.terms):
            by_event.setdefault(event, []).append(WEIGHT + name)
    return Items(catalog, patterns, catalog.weights, channels_of(catalog.weights), by_event)


def _known(name: str, items: dict[str, Item], what: Text) -> Item:
    if name not in items:
        raise UnknownName(
            Text(f"没有{what.zh} {name!r}", f"there is no {what.en} {name!r}"),
            where={"field": "name"},
            nearest=nearest(name, items),
        )
    return items[name]


def _concerned(reader: FactReader, pattern: PathPattern, fact: GraphFact) -> Iterable[str]:
    """The subjects whose answer a fact may change."""
    at = fact.valid_from
    if fact.object is None and any(t.name == fact.name for t in pattern.tests):
        yield from _back(reader, pattern, fact.subject, 0, at)
    for place, step in enumerate(pattern.steps):
        if not isinstance(step, Hop):
            continue
        if fact.object is not None:
            if step.relation == fact.name:
                yield from _back(reader, pattern, fact.object if step.reverse else fact.subject, place, at)
        elif any(t.name == fact.name for t in step.tests):
            nodes = _starts(reader, fact.subject, step, at)
            yield from (s for node in nodes for s in _back(reader, pattern, node, place, at))


def _back(reader: FactReader, pattern: PathPattern, node: str, place: int, at: Micros) -> Iterable[str]:
    """Who reaches a node by the steps before `place`."""
    found = {node}
    for step in reversed(pattern.steps[:place]):
        if isinstance(step, Hop) and not step.absent:
            found = {start for each in found for start in _starts(reader, each, step, at)}
    return (s for s in found if s.startswith(pattern.subject + "/"))


def _starts(reader: FactReader, end: str, step: PathStep, at: Micros) -> set[str]:
    assert isinstance(step, Hop)
    facts = reader.edges_along(end, step.relation, not step.reverse, at, ALWAYS)
    return {(f.object or "") if step.reverse else f.subject for f in facts}
