"""What is true at instants only: single events, and sequences of steps with absent ones and time bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from core.events import Event
from core.times import Micros
from strategy.document import EventFilter, Happens, Sequence
from strategy.engine.nodes import EVIDENCE, TRUTHS, Leaf, Now
from strategy.engine.port import Observation
from strategy.engine.values import FALSE, TRUE


class HappensLeaf(Leaf):
    """True at the instant a passing event occurs. Its cell is (instant, ids of the events of that instant)."""

    kind: ClassVar[str] = "event"
    pulse: ClassVar[bool] = True

    def __init__(self, path: str, slot: int, condition: Happens) -> None:
        super().__init__(path, slot, condition)
        self.filters = (EventFilter(event=condition.event, where=condition.where),)

    def feed(self, cell: tuple[Micros, list[str]] | None, event: Event, roles: int) -> tuple[Micros, list[str]]:
        if cell is None or cell[0] != event.time:
            return (event.time, [event.id])
        cell[1].append(event.id)
        return cell

    def level(self, cell: tuple[Micros, list[str]] | None, now: Now) -> int:
        return TRUE if cell is not None and cell[0] == now.at and not now.after else FALSE

    def judge(self, level: int) -> int:
        return level

    def observe(self, cell: tuple[Micros, list[str]] | None, now: Now) -> Observation:
        truth = self.level(cell, now)
        ids = cell[1] if cell is not None and truth == TRUE else []
        return Observation(self.path, self.kind, TRUTHS[truth], observed=len(ids), evidence=tuple(ids[:EVIDENCE]))

    def idle(self, cell: Any, at: Micros) -> bool:
        return True


class Wait(NamedTuple):
    """A run that waits for its next step: since its last present step, from its first, with their events' ids."""

    since: Micros
    begun: Micros
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Absent:
    """A step that must not occur, by its role; `within` bounds how long it is forbidden after the step before."""

    role: int
    within: int | None


@dataclass(frozen=True, slots=True)
class _Gap:
    """What may not happen while a run waits, for which role it waits (0: for the deadline), and how long."""

    absent: tuple[_Absent, ...]
    then: int
    within: int | None
    newest_rules: bool
    """Of two waiting runs the newer always fares at least as well, so that the older can be dropped."""


class Runs:
    """A subject's runs: `waits[i]` those that have made i+1 present steps, oldest first; `done` the last completion.
    `closed`: no run is opened any more, because a newer version of the strategy has taken over."""

    __slots__ = ("closed", "done", "waits")

    def __init__(self, gaps: int) -> None:
        self.waits: list[list[Wait]] = [[] for _ in range(gaps)]
        self.done: Wait | None = None
        self.closed = False


class SequenceLeaf(Leaf):
    """Each gap between present steps holds its waiting runs. An event ends those it is forbidden to, then moves those
    that wait for it by one step, then opens one. Moved runs have the same future, so they become one."""

    kind: ClassVar[str] = "sequence"
    pulse: ClassVar[bool] = True
    opens: ClassVar[int] = 1

    def __init__(self, path: str, slot: int, condition: Sequence) -> None:
        super().__init__(path, slot, condition)
        self.filters = tuple(EventFilter(event=step.event, where=step.where) for step in condition.steps)
        self._gaps = _gaps(condition)
        last = self._gaps[-1]
        self._deadline = last.within if not last.then else None
        self.present = len(self._gaps) + (self._deadline is None)
        bounds = [gap.within for gap in self._gaps]
        self.history = None if None in bounds else sum(b or 0 for b in bounds)

    def feed(self, cell: Runs | None, event: Event, roles: int) -> Runs:
        runs = Runs(len(self._gaps)) if cell is None else cell
        for place in range(len(self._gaps) - 1, -1, -1):
            if runs.waits[place]:
                self._meet(runs, place, event, roles)
        if roles & 1 and not runs.closed:
            self._enter(runs, 0, Wait(event.time, event.time, (event.id,)))
        return runs

    def _meet(self, runs: Runs, place: int, event: Event, roles: int) -> None:
        """What an event does to the runs waiting at one place."""
        gap, waits = self._gaps[place], runs.waits[place]
        self._prune(gap, waits, event.time)
        for absent in gap.absent:
            if absent.role & roles:
                if absent.within is None:
                    waits.clear()
                while waits and waits[-1].since + (absent.within or 0) >= event.time:
                    waits.pop()
        if not waits or not gap.then & roles:
            return
        newest = waits[-1]
        waits.clear()
        moved = Wait(event.time, newest.begun, (*newest.ids, event.id)[-EVIDENCE:])
        if place + 1 < len(self._gaps):
            self._enter(runs, place + 1, moved)
        else:
            runs.done = moved

    def _enter(self, runs: Runs, place: int, wait: Wait) -> None:
        """Let a run wait at a place."""
        gap, waits = self._gaps[place], runs.waits[place]
        if gap.newest_rules:
            waits.clear()
        elif waits and waits[-1].since == wait.since:
            waits.pop()
        waits.append(wait)

    def _prune(self, gap: _Gap, waits: list[Wait], at: Micros) -> None:
        """Drop runs that are too late for the next step, and those that a newer one makes superfluous."""
        gone = 0
        if gap.within is not None:
            while gone < len(waits) and waits[gone].since + gap.within < at:
                gone += 1
        elif not gap.newest_rules:
            free = max((a.within or 0) for a in gap.absent)
            while gone + 1 < len(waits) and waits[gone + 1].since + free < at:
                gone += 1
        del waits[:gone]

    def _settle(self, runs: Runs, at: Micros) -> None:
        if self._deadline is not None:
            waits, done = runs.waits[-1], 0
            while done < len(waits) and waits[done].since + self._deadline <= at:
                done += 1
            if done:
                runs.done = waits[done - 1]._replace(since=Micros(waits[done - 1].since + self._deadline))
                del waits[:done]
        if runs.closed:
            self._prune_all(runs, at)

    def _prune_all(self, runs: Runs, at: Micros) -> None:
        for gap, waits in zip(self._gaps, runs.waits, strict=True):
            self._prune(gap, waits, at)

    def level(self, cell: Runs | None, now: Now) -> int:
        if cell is None:
            return FALSE
        self._settle(cell, now.at)
        return TRUE if cell.done is not None and cell.done.since == now.at and not now.after else FALSE

    def judge(self, level: int) -> int:
        return level

    def due(self, cell: Runs | None, now: Now) -> Micros | None:
        if cell is None:
            return None
        self._settle(cell, now.at)
        moments = []
        if self._deadline is not None and cell.waits[-1]:
            moments.append(cell.waits[-1][0].since + self._deadline)
        if cell.closed:
            for gap, waits in zip(self._gaps, cell.waits, strict=True):
                if gap.within is not None and waits:
                    moments.append(waits[0].since + gap.within + 1)
        return Micros(min(moments)) if moments else None

    def close(self, cell: Runs) -> None:
        """Open no more runs."""
        cell.closed = True

    def observe(self, cell: Runs | None, now: Now) -> Observation:
        truth = self.level(cell, now)
        wait, steps = None, 0
        if truth == TRUE and cell is not None:
            wait, steps = cell.done, self.present
        elif cell is not None:
            for place, (gap, waits) in enumerate(zip(self._gaps, cell.waits, strict=True)):
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

    def idle(self, cell: Runs, at: Micros) -> bool:
        self._settle(cell, at)
        self._prune_all(cell, at)
        return not any(cell.waits)

    def dump(self, cell: Runs) -> Any:
        return [cell.waits, cell.done, cell.closed]

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


def _gaps(condition: Sequence) -> list[_Gap]:
    gaps: list[_Gap] = []
    absent: list[_Absent] = []
    for place, step in enumerate(condition.steps[1:], 1):
        if step.absent:
            absent.append(_Absent(1 << place, step.within))
            continue
        newest_rules = all(each.within is None for each in absent)
        gaps.append(_Gap(tuple(absent), 1 << place, step.within, newest_rules))
        absent = []
    if absent:
        gaps.append(_Gap(tuple(absent), 0, max(a.within or 0 for a in absent), False))
    return gaps
