"""Timers in order of time: at most one live timer for each (strategy, subject); replaced ones are skipped when they
come up, never searched for."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from core.times import Micros

Place = tuple[int, str]
"""Deployment number, subject."""


class Timers:
    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[Micros, int, str]] = []
        self._due: dict[Place, Micros] = {}

    def need(self, place: Place, due: Micros) -> None:
        """Wake at `due` at the latest. An earlier timer stays: waking once too often changes nothing."""
        old = self._due.get(place)
        if old is None or due < old:
            self._due[place] = due
            heappush(self._heap, (due, *place))

    def first(self) -> Micros | None:
        heap = self._heap
        while heap:
            due, number, subject = heap[0]
            if self._due.get((number, subject)) == due:
                return due
            heappop(heap)
        return None

    def pop(self, at: Micros) -> list[Place]:
        """The places whose timers are due at `at` or before."""
        places = []
        while (due := self.first()) is not None and due <= at:
            _, number, subject = heappop(self._heap)
            del self._due[(number, subject)]
            places.append((number, subject))
        return places

    def drop(self, place: Place) -> None:
        self._due.pop(place, None)

    def dump(self) -> list[list[int | str]]:
        return [[due, number, subject] for (number, subject), due in self._due.items()]

    def load(self, data: list[list[int | str]]) -> None:
        self._due = {(int(number), str(subject)): Micros(int(due)) for due, number, subject in data}
        self._heap = [(due, *place) for place, due in self._due.items()]
        heapify(self._heap)
