"""Events without which a strategy would not have fired: what it leaves behind (counts that look back beyond `TOGETHER`
hold what it just fired on), and how a sequence ends in vain waiting. What these contradict is for proof.py to find."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from math import inf
from typing import NamedTuple, TypeGuard

from strategy.conflicts.model import TOGETHER
from strategy.document import Aggregate, Condition, EventFilter, Happens, Step, Strategy, Streak, leaves
from strategy.document import Sequence as Ordered
from strategy.engine.bounds import conjuncts
from strategy.engine.quantities import includes


class Waits(NamedTuple):
    """How a sequence ends when it waits for what is not to come: its last event, so long ago, and what is absent since
    then for how long."""

    last: Step
    ago: int
    absent: tuple[Step, ...]

    def forbids(self, event: EventFilter, ago: int) -> bool:
        """That such an event came so long ago."""
        return ago < self.ago and any(
            self.ago - ago <= (step.within or 0) and includes(step, event) for step in self.absent
        )


def waits_of(c: Ordered) -> Waits | None:
    trailing = list(takewhile(lambda step: step.absent, reversed(c.steps)))
    if not trailing or any(step.within is None for step in trailing):
        return None
    last = c.steps[len(c.steps) - len(trailing) - 1]
    return Waits(last, max(step.within or 0 for step in trailing), tuple(trailing))


def traces(fired: Strategy, other: Strategy) -> list[Aggregate]:
    """Counts that are at least one for a subject on whom both have just fired: of what the first fired on, over the
    windows of the other's counts."""
    counts = [
        leaf
        for condition in (other.trigger, other.audience)
        for _, leaf in leaves(condition, "")
        if isinstance(leaf, Aggregate) and (leaf.function, leaf.field, leaf.window.last) == ("count", None, None)
    ]
    return [
        Aggregate(event=one.event, where=one.where, function="count", window=count.window, op=">=", value=1)
        for happened, ago in _lately(fired)
        for count in counts
        if count.event == happened.event and (count.window.over or inf) > ago
        for one in [count if includes(count, happened) else happened]
    ]


def _lately(strategy: Strategy) -> Iterator[tuple[EventFilter, int]]:
    """Events without which it does not fire, and how long ago each may have been at most."""
    parts = [part for _, part in conjuncts(strategy.trigger, "")]
    for part in parts:
        if isinstance(part, Happens) or (len(parts) == 1 and strategy.audience is None and _rises_with(part)):
            yield part, TOGETHER
        elif isinstance(part, Ordered):
            if not part.steps[-1].absent:
                yield part.steps[-1], TOGETHER
            elif (waits := waits_of(part)) is not None:
                yield waits.last, TOGETHER + waits.ago


def _rises_with(part: Condition) -> TypeGuard[Streak | Aggregate]:
    """It turns true only as such an event comes."""
    if isinstance(part, Streak):
        return part.per == "event"
    if not isinstance(part, Aggregate) or part.function != "count" or part.op not in (">", ">="):
        return False
    return isinstance(part.value, int | float) and part.value > 0
