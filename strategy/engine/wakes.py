"""Which conditions need a timer: those that time alone, with no input, can turn so that a trigger turns true.

A trigger is true by what its conditions are: those under an even number of `not`s by being true, the others by being
false (`not x` is true when x is false; unknown helps neither). So it turns true only at an instant at which one of the
former turns true or one of the latter turns false. Inputs aside, a condition turns by

- `leaving`: an event leaves its window (or its half of it), a sequence's deadline comes, a date's midnight;
- `filling`: history becomes as long as its window, so that what was a bound, or unknown, is known.

Counts, distinct values, maxima, and sums without negative values in the window can only fall as events leave; minima
only rise. A count that must be at least 3 therefore never turns true by time, and one that must be less than 3 does.
What is only true or false at some moments, but not *turned* so by time, needs no timer: whoever asks computes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from strategy.document import Aggregate, All, Any_, Change, Condition, DateIs, Leaf, MetricIs, Not, Op, Ratio, Sequence


class Wake(NamedTuple):
    """By what time alone can turn a condition the way that matters."""

    leaving: bool = False
    filling: bool = False

    def __or__(self, other: object) -> Wake:
        assert isinstance(other, Wake)
        return Wake(self.leaving or other.leaving, self.filling or other.filling)


class Part(NamedTuple):
    """A condition of a trigger. `holds`: it counts towards the trigger by being true (else: by being false)."""

    path: str
    leaf: Leaf
    holds: bool


NEVER, BOTH, LEAVING = Wake(), Wake(True, True), Wake(leaving=True)
_UP: tuple[Op, ...] = (">", ">=")
_DOWN: tuple[Op, ...] = ("<", "<=")


def may_turn_true(trigger: Condition, path: str = "trigger") -> list[tuple[Part, Wake]]:
    """The conditions of a trigger that need timers, and for what."""
    return [(part, wake) for part in parts(trigger, path) if (wake := turns(part.leaf, part.holds)) != NEVER]


def parts(condition: Condition, path: str = "trigger", holds: bool = True) -> Iterator[Part]:
    """The conditions at the ends of a tree, in order."""
    if isinstance(condition, All | Any_):
        for i, each in enumerate(condition.of):
            yield from parts(each, f"{path}.of.{i}", holds)
    elif isinstance(condition, Not):
        yield from parts(condition.of, f"{path}.of", not holds)
    else:
        yield Part(path, condition, holds)


def turns(leaf: Leaf, holds: bool, negatives: bool = True) -> Wake:
    """By what time alone can turn a condition true (`holds`) or false (not `holds`), whatever it was just before.

    Args:
        negatives: negative values may be in the window. A matcher that sees that there are none gets by with less.
    """
    if isinstance(leaf, Aggregate):
        return _aggregate(leaf, holds, negatives)
    if isinstance(leaf, MetricIs | Ratio):
        return NEVER if leaf.window.over is None else BOTH
    if isinstance(leaf, Change):
        return BOTH
    if isinstance(leaf, Sequence):
        return LEAVING if holds and leaf.steps[-1].absent else NEVER
    return LEAVING if isinstance(leaf, DateIs) else NEVER


def _aggregate(leaf: Aggregate, holds: bool, negatives: bool) -> Wake:
    function = leaf.function
    if leaf.window.over is None or function == "last":
        return NEVER  # the newest value leaves for "unknown", which helps nobody
    if function == "avg" or (function == "sum" and negatives):
        return BOTH
    helped = _UP if (function == "min") == holds else _DOWN
    hindered = _DOWN if helped == _UP else _UP
    return NEVER if leaf.op in hindered else BOTH
