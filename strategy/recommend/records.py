"""Recorded history in memory, as recommendations look at it: who did what when, and what is known of whom."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from core.events import Event, Fact, Input
from core.times import Micros


class Records:
    """Events by type and subject, with their times in order; the newest value of each property. `begin` and `end` are
    the first and last event's times."""

    def __init__(self, inputs: Iterable[Input]) -> None:
        self.times: dict[str, dict[str, list[Micros]]] = defaultdict(lambda: defaultdict(list))
        self.facts: dict[str, dict[str, tuple[Micros, Any]]] = defaultdict(dict)
        self.subjects: dict[str, set[str]] = defaultdict(set)
        self._history: dict[str, dict[str, list[tuple[Micros, Any]]]] = defaultdict(lambda: defaultdict(list))
        for item in inputs:
            self.subjects[item.subject.partition("/")[0]].add(item.subject)
            if isinstance(item, Event):
                self.times[item.type][item.subject].append(item.time)
            elif isinstance(item, Fact):
                self._history[item.property][item.subject].append((item.time, item.value))
        for by_subject in self.times.values():
            for times in by_subject.values():
                times.sort()
        for name, told in self._history.items():
            for subject, values in told.items():
                values.sort(key=lambda each: each[0])
                self.facts[name][subject] = values[-1]
        every = [time for by_subject in self.times.values() for times in by_subject.values() for time in times]
        self.begin, self.end = min(every, default=Micros(0)), max(every, default=Micros(0))

    def changes(self, name: str) -> Iterator[tuple[str, list[tuple[Micros, Any]]]]:
        """The values of a property over time, by subject."""
        yield from self._history.get(name, {}).items()

    def count(self, event: str, subject: str, since: int, until: int) -> int:
        """Events in (since, until]."""
        times = self.times[event].get(subject, [])
        return bisect_right(times, until) - bisect_right(times, since)

    def next_after(self, event: str, subject: str, at: int) -> Micros | None:
        times = self.times[event].get(subject, [])
        place = bisect_left(times, at + 1)
        return times[place] if place < len(times) else None
