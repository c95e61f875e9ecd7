"""Timers in order of time: at most one live timer for each (condition, subject); replaced ones are skipped when they
come up, never searched for."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from core.times import Micros

Place = tuple[int, str]
"""Number of what may change, subject."""


class Timers:
    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[Micros, int, str]] = []
        self._due: dict[int, dict[str, Micros]] = {}

    def need(self, place: Place, due: Micros) -> None:
        """Wake at `due` at the latest. An earlier timer stays: waking once too often changes nothing."""
        number, subject = place
        mine = self._due.setdefault(number, {})
        old = mine.get(subject)
        if old is None or due < old:
            mine[subject] = due
            heappush(self._heap, (due, number, subject))

    def first(self) -> Micros | None:
        heap = self._heap
        while heap:
            due, number, subject = heap[0]
            mine = self._due.get(number)
            if mine is not None and mine.get(subject) == due:
                return due
            heappop(heap)
        return None

    def pop(self, at: Micros) -> list[Place]:
        """The places whose timers are due at `at` or before."""
        places = []
        while (due := self.first()) is not None and due <= at:
            _, number, subject = heappop(self._heap)
            del self._due[number][subject]
            places.append((number, subject))
        return places

    def drop(self, place: Place) -> None:
        self._due.get(place[0], {}).pop(place[1], None)

    def forget(self, number: int) -> None:
        """Drop all timers of a number."""
        self._due.pop(number, None)

    def dump(self) -> list[list[int | str]]:
        return [[due, number, subject] for number, mine in self._due.items() for subject, due in mine.items()]

    def load(self, data: list[list[int | str]]) -> None:
        for due, number, subject in data:
            self._due.setdefault(int(number), {})[str(subject)] = Micros(int(due))
        self._heap = [(due, number, subject) for number, mine in self._due.items() for subject, due in mine.items()]
        heapify(self._heap)
