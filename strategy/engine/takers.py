"""Who takes an event: for each event type and kind of subject, the memories whose filters the event passes, each with
the roles it has for them. Events that pass the same filters have the same takers."""

from __future__ import annotations

from collections.abc import Iterator

from core.events import Event
from knowledge.catalog.model import Catalog
from strategy.document import EventFilter
from strategy.engine.filters import FilterIndex, places
from strategy.engine.memory import Memory

Taken = tuple[tuple[Memory, int], ...]
KEPT = 4_096
"""Sets of filters whose takers are remembered; then all are forgotten."""


class Takers:
    """Of events of one type that count for subjects of one kind."""

    __slots__ = ("_event", "_failing", "_filters", "_index", "_known", "_minded", "_passed", "_roles")

    def __init__(self, event: str, catalog: Catalog) -> None:
        self._event = event
        self._index = FilterIndex(event, catalog)
        self._filters: dict[str, int] = {}
        """Filter as JSON → the place of its bit."""
        self._roles: dict[int, dict[Memory, int]] = {}
        """Place → who takes what passes it, and in which roles."""
        self._failing: dict[int, dict[Memory, None]] = {}
        """Place → who minds what fails it."""
        self._minded = 0
        self._known: dict[int, Taken] = {}
        self._passed: dict[str, int] = {}
        """Subject → the minded filters that its newest event passed: all that the next one can break."""

    def __bool__(self) -> bool:
        return bool(self._roles)

    def of(self, event: Event, subject: str) -> Taken:
        """The memories that take an event for a subject."""
        found = self._index.passing(event.data)
        taken = self._known.get(found)
        if taken is None:
            taken = self._learn(found)
        if self._minded:
            broken = self._passed.get(subject, 0) & self._minded & ~found
            self._passed[subject] = found & self._minded
            if broken:
                taken += tuple(self._broken(broken, subject, dict(taken)))
        return taken

    def _learn(self, found: int) -> Taken:
        roles: dict[Memory, int] = {}
        for place in places(found):
            for memory, role in self._roles[place].items():
                roles[memory] = roles.get(memory, 0) | role
        if len(self._known) >= KEPT:
            self._known.clear()
        taken = self._known[found] = tuple(roles.items())
        return taken

    def _broken(self, broken: int, subject: str, taken: dict[Memory, int]) -> Iterator[tuple[Memory, int]]:
        for place in places(broken):
            for memory in self._failing[place]:
                if memory not in taken and subject in memory.cells:
                    yield memory, 0

    def add(self, memory: Memory) -> None:
        """Let a memory take what passes its filters. Its cells count as kept since the newest event."""
        self._known.clear()
        for role, found in self._mine(memory):
            name = found.model_dump_json()
            if name not in self._filters:
                self._filters[name] = self._index.add(found)
            place = self._filters[name]
            roles = self._roles.setdefault(place, {})
            roles[memory] = roles.get(memory, 0) | role
            if role == 1 and memory.lead.minds_failing and found.where:
                self._failing.setdefault(place, {})[memory] = None
                self._minded |= 1 << place
                for subject in memory.cells:
                    self._passed[subject] = self._passed.get(subject, 0) | 1 << place

    def remove(self, memory: Memory) -> None:
        self._known.clear()
        for _, found in self._mine(memory):
            name = found.model_dump_json()
            place = self._filters.get(name)
            if place is None:
                continue
            self._roles[place].pop(memory, None)
            self._failing.get(place, {}).pop(memory, None)
            if not self._failing.get(place):
                self._minded &= ~(1 << place)
            if not self._roles[place]:
                self._index.remove(place)
                del self._filters[name], self._roles[place]

    def _mine(self, memory: Memory) -> Iterator[tuple[int, EventFilter]]:
        for place, found in enumerate(memory.lead.filters):
            if found.event == self._event:
                yield 1 << place, found
