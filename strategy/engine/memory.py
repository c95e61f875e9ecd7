"""What is kept of every subject for one thing that conditions look at, and who waits for what of it. Strategies whose
conditions look at the same thing since the same moment share it, whatever they compare it with."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from core.times import Micros
from strategy.engine.aggregates import CountLeaf, SumLeaf
from strategy.engine.nodes import Leaf, Now
from strategy.engine.values import FALSE, TRUE, UNKNOWN
from strategy.engine.wakes import turns

FEW = 8
"""So many comparisons are looked at one by one."""
ROOM = 1_000
"""So many cells may be kept before it is asked which of them are needed."""


class Rung:
    """One comparison with what a memory holds. `rises` and `falls`: numbers of the strategies that may turn true when
    it turns true, or false."""

    __slots__ = ("falls", "leaf", "rises")

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.rises: dict[int, None] = {}
        self.falls: dict[int, None] = {}

    def waiting(self, holds: bool) -> dict[int, None]:
        return self.rises if holds else self.falls


class Memory:
    """Attributes:
    kind: the object type of its subjects. begin: since when its history is complete; None: it has not begun.
    lead: one of the leaves that look at it; they all read it alike. cells: subject → what is kept.
    owner: the one deployment it belongs to (sequences), else 0. draining: a newer version of its owner has taken over.
    uses: how many leaves look at it. timed: some of it needs timers; eager: more of it than has them.
    """

    __slots__ = (
        "_calm", "_counts", "_filling", "_keys", "_leaving", "_steps", "begin", "cells", "counts", "draining", "eager",
        "feed", "kind", "lead", "level", "number", "opens", "owner", "pulse", "room", "rungs", "timed", "uses",
    )  # fmt: skip

    def __init__(self, number: int, kind: str, lead: Leaf, begin: Micros | None, owner: int) -> None:
        self.number, self.kind, self.lead, self.begin, self.owner = number, kind, lead, begin, owner
        self.level, self.feed, self.pulse, self.opens = lead.level, lead.feed, lead.pulse, lead.opens
        self.draining = self.eager = self.timed = False
        self.uses = 0
        self.cells: dict[str, Any] = {}
        self.room = ROOM
        self.rungs: dict[str, Rung] = {}
        self._keys: list[Any] = []
        self._steps: list[Rung] = []
        """Where the rungs turn, in order, and which one it is."""
        self._leaving = self._calm = self._filling = 0
        """How many wait for a turn by an event's leaving, by one without negative values, and by history's length."""
        self._counts: Counter[int] = Counter()
        self.counts: list[int] = []
        """Numbers that somebody waits for a count in a window of time to fall to."""

    # who waits

    def wait(self, leaf: Leaf, number: int, holds: bool) -> None:
        """Let a strategy wait for a comparison to turn true (`holds`) or false."""
        name = leaf.condition.model_dump_json()
        rung = self.rungs.get(name)
        if rung is None:
            rung = self.rungs[name] = Rung(leaf)
            for mark in leaf.marks:
                place = bisect_right(self._keys, mark)
                self._keys.insert(place, mark)
                self._steps.insert(place, rung)
        waiting = rung.waiting(holds)
        if not waiting:
            self._need(rung.leaf, holds, 1)
        waiting[number] = None

    def leave(self, leaf: Leaf, number: int, holds: bool) -> None:
        name = leaf.condition.model_dump_json()
        rung = self.rungs.get(name)
        if rung is None or number not in rung.waiting(holds):
            return  # a strategy that says the same twice has left with the first
        del rung.waiting(holds)[number]
        if not rung.waiting(holds):
            self._need(rung.leaf, holds, -1)
        if not rung.rises and not rung.falls:
            del self.rungs[name]
            kept = [(key, step) for key, step in zip(self._keys, self._steps, strict=True) if step is not rung]
            self._keys, self._steps = [key for key, _ in kept], [step for _, step in kept]

    def _need(self, leaf: Leaf, holds: bool, step: int) -> None:
        wake = turns(leaf.condition, holds)
        calm = turns(leaf.condition, holds, negatives=False)
        self._leaving += step * wake.leaving
        self._filling += step * wake.filling
        self._calm += step * calm.leaving
        self.timed = self._leaving > 0 or self.draining
        self.eager |= step > 0 and (wake.leaving or wake.filling)
        if isinstance(leaf, CountLeaf):
            for count in leaf.crossings(TRUE if holds else FALSE):
                self._counts[count] += step
                if not self._counts[count]:
                    del self._counts[count]
                    self.counts.remove(count)
                elif step == self._counts[count] == 1:
                    insort(self.counts, count)

    def turned(self, before: Any, level: Any, found: dict[int, None]) -> None:
        """Add to `found` the strategies that may turn true because it was seen like this, and is like that."""
        rungs: Iterable[Rung] = self.rungs.values()
        if len(self.rungs) > FEW and self._keys and _plain(before) and _plain(level):
            low, high = (before, level) if before < level else (level, before)
            rungs = self._steps[bisect_left(self._keys, low) : bisect_right(self._keys, high)]
        for rung in rungs:
            truth = rung.leaf.judge(level)
            waiting = rung.rises if truth == TRUE else rung.falls if truth != UNKNOWN else None
            if waiting and rung.leaf.judge(before) != truth:
                found.update(waiting)

    # when time alone may turn it

    def due(self, cell: Any, now: Now) -> Micros | None:
        """When time alone may next turn what somebody waits for, for one subject."""
        lead = self.lead
        if not self.timed:
            return None
        if isinstance(lead, CountLeaf):
            return lead.falls_to(cell, now, self.counts)
        if isinstance(lead, SumLeaf) and not self._calm and (cell is None or not cell.negatives):
            return None
        return lead.due(cell, now)

    @property
    def full_at(self) -> Micros | None:
        """When history will be as long as the window, if somebody waits for that."""
        if not self._filling or self.begin is None or self.lead.full is None:
            return None
        return Micros(self.begin + self.lead.full)

    # what is kept

    def drain(self) -> None:
        """Open nothing more; what is in flight needs timers, to be known to have ended."""
        self.draining = self.timed = True
        self.opens = 0

    def sweep(self, at: Micros) -> None:
        """Forget the cells in which nothing is kept after a moment."""
        idle = [subject for subject, cell in self.cells.items() if self.lead.idle(cell, at)]
        for subject in idle:
            del self.cells[subject]
        self.room = max(ROOM, 2 * len(self.cells))


def _plain(level: Any) -> bool:
    return type(level) in (int, float, Decimal)
