"""What is true at instants only: single events, and sequences of steps with absent ones and time bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from core.events import Event
from core.times import Micros
from knowledge.catalog.model import Catalog
from strategy.document import EventFilter, Happens, Sequence
from strategy.engine.nodes import EVIDENCE, TRUTHS, Cells, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import FALSE, TRUE, passes


class HappensLeaf(Leaf):
    """True at the instant a passing event occurs. Its cell is (instant, ids of the events of that instant)."""

    kind: ClassVar[str] = "event"
    pulse: ClassVar[bool] = True

    def __init__(self, path: str, slot: int, condition: Happens, catalog: Catalog) -> None:
        super().__init__(path, slot)
        self.events = (condition.event,)
        self._passes = passes(condition, catalog)

    def feed(self, cells: Cells, event: Event) -> bool:
        if self._passes is not None and not self._passes(event.data):
            return False
        cell = cells[self.slot]
        if cell is None or cell[0] != event.time:
            cells[self.slot] = (event.time, [event.id])
        else:
            cell[1].append(event.id)
        return True

    def truth(self, cells: Cells, now: Now) -> int:
        cell = cells[self.slot]
        return TRUE if cell is not None and cell[0] == now.at and not now.after else FALSE

    def observe(self, cells: Cells, now: Now) -> Observation:
        truth = self.truth(cells, now)
        ids = cells[self.slot][1] if truth == TRUE else []
        return Observation(self.path, self.kind, TRUTHS[truth], observed=len(ids), evidence=tuple(ids[:EVIDENCE]))

    def idle(self, cell: Any) -> bool:
        return True


class Wait(NamedTuple):
    """A run that waits for its next step: since its last present step, from its first, with their events' ids."""

    since: Micros
    begun: Micros
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Matcher:
    """An event filter; as an absent step, `within` bounds how long it is forbidden after the step before."""

    event: str
    test: Callable[[Mapping[str, Any]], bool] | None
    within: int | None

    def __call__(self, event: Event) -> bool:
        return event.type == self.event and (self.test is None or self.test(event.data))


@dataclass(frozen=True, slots=True)
class _Gap:
    """What may not happen while a run waits, for what it waits (None: for the deadline), and how long."""

    absent: tuple[_Matcher, ...]
    then: _Matcher | None
    within: int | None
    newest_rules: bool
    """Of two waiting runs the newer always fares at least as well, so that the older can be dropped."""


class Runs:
    """A subject's runs: `waits[i]` those that have made i+1 present steps, oldest first; `done` the last completion.
    `closed`: no run is opened any more, because a newer version of the strategy has taken over."""

    __slots__ = ("closed", "done", "waits")

    def __init__(self, gaps: int) -> None:
        self.waits: list[deque[Wait]] = [deque() for _ in range(gaps)]
        self.done: Wait | None = None
        self.closed = False


class SequenceLeaf(Leaf):
    """Each gap between present steps holds its waiting runs. An event ends those it is forbidden to, then moves those
    that wait for it by one step, then opens one. Moved runs have the same future, so they become one."""

    kind: ClassVar[str] = "sequence"
    pulse: ClassVar[bool] = True

    def __init__(self, path: str, slot: int, condition: Sequence, catalog: Catalog) -> None:
        super().__init__(path, slot)
        self.events = tuple(dict.fromkeys(step.event for step in condition.steps))
        self._first, self._gaps = _gaps(condition, catalog)
        last = self._gaps[-1]
        self._deadline = last.within if last.then is None else None
        self.present = len(self._gaps) + (self._deadline is None)
        bounds = [gap.within for gap in self._gaps]
        self.history = None if None in bounds else sum(b or 0 for b in bounds)

    def feed(self, cells: Cells, event: Event) -> bool:
        runs: Runs | None = cells[self.slot]
        changed = False
        if runs is not None:
            for place in range(len(self._gaps) - 1, -1, -1):
                if runs.waits[place]:
                    changed |= self._meet(runs, place, event)
        if self._first(event) and not (runs is not None and runs.closed):
            if runs is None:
                runs = cells[self.slot] = Runs(len(self._gaps))
            changed |= self._enter(runs, 0, Wait(event.time, event.time, (event.id,)))
        return changed or (runs is not None and runs.closed)

    def _meet(self, runs: Runs, place: int, event: Event) -> bool:
        """What an event does to the runs waiting at one place; True when one completed or a deadline arose."""
        gap, waits = self._gaps[place], runs.waits[place]
        self._prune(gap, waits, event.time)
        for absent in gap.absent:
            if absent(event):
                if absent.within is None:
                    waits.clear()
                while waits and waits[-1].since + (absent.within or 0) >= event.time:
                    waits.pop()
        if gap.then is None or not waits or not gap.then(event):
            return False
        newest = waits[-1]
        waits.clear()
        moved = Wait(event.time, newest.begun, (*newest.ids, event.id)[-EVIDENCE:])
        if place + 1 < len(self._gaps):
            return self._enter(runs, place + 1, moved)
        runs.done = moved
        return True

    def _enter(self, runs: Runs, place: int, wait: Wait) -> bool:
        """Let a run wait at a place; True when a deadline arose where none was waited for (else its timer is set)."""
        gap, waits = self._gaps[place], runs.waits[place]
        arose = gap.then is None and not waits
        if gap.newest_rules:
            waits.clear()
        elif waits and waits[-1].since == wait.since:
            waits.pop()
        waits.append(wait)
        return arose

    def _prune(self, gap: _Gap, waits: deque[Wait], at: Micros) -> None:
        """Drop runs that are too late for the next step, and those that a newer one makes superfluous."""
        if gap.within is not None:
            while waits and waits[0].since + gap.within < at:
                waits.popleft()
        elif not gap.newest_rules:
            free = max((a.within or 0) for a in gap.absent)
            while len(waits) > 1 and waits[1].since + free < at:
                waits.popleft()

    def _settle(self, runs: Runs, at: Micros) -> None:
        if self._deadline is not None:
            waits = runs.waits[-1]
            while waits and waits[0].since + self._deadline <= at:
                wait = waits.popleft()
                runs.done = wait._replace(since=Micros(wait.since + self._deadline))
        if runs.closed:
            for gap, waits in zip(self._gaps, runs.waits, strict=True):
                self._prune(gap, waits, at)

    def truth(self, cells: Cells, now: Now) -> int:
        runs: Runs | None = cells[self.slot]
        if runs is None:
            return FALSE
        self._settle(runs, now.at)
        return TRUE if runs.done is not None and runs.done.since == now.at and not now.after else FALSE

    def due(self, cells: Cells, now: Now) -> Micros | None:
        runs: Runs | None = cells[self.slot]
        if runs is None:
            return None
        self._settle(runs, now.at)
        moments = []
        if self._deadline is not None and runs.waits[-1]:
            moments.append(runs.waits[-1][0].since + self._deadline)
        if runs.closed:
            for gap, waits in zip(self._gaps, runs.waits, strict=True):
                if gap.within is not None and waits:
                    moments.append(waits[0].since + gap.within + 1)
        return Micros(min(moments)) if moments else None

    def close(self, cells: Cells) -> bool:
        """Open no more runs; False when there are none left."""
        runs: Runs | None = cells[self.slot]
        if runs is None:
            return False
        runs.closed = True
        return any(runs.waits)

    def observe(self, cells: Cells, now: Now) -> Observation:
        truth = self.truth(cells, now)
        runs: Runs | None = cells[self.slot]
        wait, steps = None, 0
        if truth == TRUE and runs is not None:
            wait, steps = runs.done, self.present
        elif runs is not None:
            for place, (gap, waits) in enumerate(zip(self._gaps, runs.waits, strict=True)):
                if waits and (gap.within is None or waits[-1].since + gap.within >= now.at):
                    wait, steps = waits[-1], place + 1
        return Observation(
            self.path,
            self.kind,
            TRUTHS[truth],
            observed=steps,
            op="==",
            threshold=self.present,
            window=(Micros(wait.begun - 1), now.at) if wait else None,
            evidence=wait.ids if wait else (),
        )

    def idle(self, cell: Runs) -> bool:
        return not any(cell.waits) and not cell.closed

    def dump(self, cell: Runs) -> Any:
        return [[list(waits) for waits in cell.waits], cell.done, cell.closed]

    def load(self, data: Any) -> Runs:
        runs = Runs(len(self._gaps))
        waits, done, runs.closed = data
        for mine, theirs in zip(runs.waits, waits, strict=True):
            mine.extend(_wait(each) for each in theirs)
        runs.done = _wait(done) if done else None
        return runs


def _wait(data: Any) -> Wait:
    since, begun, ids = data
    return Wait(Micros(since), Micros(begun), tuple(ids))


def _matcher(step: EventFilter, catalog: Catalog, within: int | None = None) -> _Matcher:
    return _Matcher(step.event, passes(step, catalog), within)


def _gaps(condition: Sequence, catalog: Catalog) -> tuple[_Matcher, list[_Gap]]:
    first, *rest = condition.steps
    gaps: list[_Gap] = []
    absent: list[_Matcher] = []
    for step in rest:
        if step.absent:
            absent.append(_matcher(step, catalog, step.within))
            continue
        newest_rules = all(each.within is None for each in absent)
        gaps.append(_Gap(tuple(absent), _matcher(step, catalog), step.within, newest_rules))
        absent = []
    if absent:
        gaps.append(_Gap(tuple(absent), None, max(a.within or 0 for a in absent), False))
    return _matcher(first, catalog), gaps
