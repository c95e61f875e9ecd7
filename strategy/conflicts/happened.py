"""How often strategies that clash really met: counted from the firings of a replay over recorded history."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from core.times import Micros
from strategy.conflicts.model import TOGETHER, Clash, Happened, Shot

SHOWN = 3


class Meetings:
    """Give it the firings of all strategies in question, in order of time."""

    def __init__(self) -> None:
        self._times: dict[str, dict[str, list[Micros]]] = defaultdict(lambda: defaultdict(list))

    def add(self, strategy: str, subject: str, at: Micros) -> None:
        self._times[strategy][subject].append(at)

    def of(self, clash: Clash) -> Happened:
        """How often the first strategy of a clash fired with every other one of it firing within `TOGETHER`."""
        first, *others = clash.strategies
        times, subjects, examples = 0, 0, list[tuple[str, tuple[Shot, ...]]]()
        for subject, moments in sorted(self._times[first].items()):
            found = [shots for at in moments if (shots := self._met(first, others, subject, at))]
            times += len(found)
            subjects += bool(found)
            if found and len(examples) < SHOWN:
                examples.append((subject, found[0]))
        return Happened(times, subjects, tuple(examples))

    def _met(self, first: str, others: Iterable[str], subject: str, at: Micros) -> tuple[Shot, ...]:
        shots = [Shot(first, at)]
        for name in others:
            moments = self._times[name].get(subject, [])
            place = bisect_left(moments, at - TOGETHER)
            if place == len(moments) or moments[place] > at + TOGETHER:
                return ()
            shots.append(Shot(name, moments[place]))
        return tuple(sorted(shots, key=lambda shot: (shot.at, shot.strategy)))
