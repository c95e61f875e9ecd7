"""Values and truths that a solver is to choose: numbers, values out of a list, and three-valued truth as two formulas.
What conditions mean over them is in timeline.py (events in time) and proof.py (quantities)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import z3

from strategy.document import FilterOp, Value
from strategy.engine.contradictions import Range
from strategy.engine.values import comparison, exact

YES, NO = z3.BoolVal(True), z3.BoolVal(False)


class Pair(NamedTuple):
    """A truth value: the formulas under which it is true, and under which it is false; under neither it is unknown."""

    true: Any
    false: Any

    def turned(self) -> Pair:
        return Pair(self.false, self.true)

    @staticmethod
    def every(parts: Sequence[Pair]) -> Pair:
        return Pair(conj(part.true for part in parts), disj(part.false for part in parts))

    @staticmethod
    def some(parts: Sequence[Pair]) -> Pair:
        return Pair(disj(part.true for part in parts), conj(part.false for part in parts))


NEITHER = Pair(NO, NO)


def conj(parts: Iterable[Any]) -> Any:
    found = [part for part in parts if part is not YES]
    return NO if any(part is NO for part in found) else _joined(z3.Z3_mk_and, found) if found else YES


def disj(parts: Iterable[Any]) -> Any:
    found = [part for part in parts if part is not NO]
    return YES if any(part is YES for part in found) else _joined(z3.Z3_mk_or, found) if found else NO


def _joined(make: Callable[..., Any], parts: Sequence[Any]) -> Any:
    """As `z3.And` and `z3.Or` do, which spend most of a question's time on looking whether the parts are formulas."""
    if len(parts) == 1:
        return parts[0]
    return z3.BoolRef(make(YES.ctx_ref(), len(parts), (z3.Ast * len(parts))(*(part.ast for part in parts))), YES.ctx)


def total(parts: Iterable[Any]) -> Any:
    found = list(parts)
    return z3.Sum(found) if found else z3.IntVal(0)


@lru_cache(maxsize=4096)
def rational(value: float) -> Any:
    return z3.Q(*Fraction(str(exact(value))).as_integer_ratio())


def holds(op: FilterOp, left: Any, value: Value | None, weight: Any = 1) -> Any:
    """`left op value`, where `left` is `weight` times the number that is compared."""
    if isinstance(value, list):
        numbers = [rational(float(each)) * weight for each in value]
        if op == "between":
            return z3.And(left >= numbers[0], left <= numbers[1])
        found = disj(left == each for each in numbers)
        return found if op == "in" else z3.Not(found)
    assert value is not None and not isinstance(value, str)
    bound = rational(float(value)) * weight
    return {
        "==": lambda: left == bound, "!=": lambda: left != bound, "<": lambda: left < bound,
        "<=": lambda: left <= bound, ">": lambda: left > bound, ">=": lambda: left >= bound,
    }[op]()  # fmt: skip


class Number:
    """A number, or none. With a `weight` (how many events share it) `total` is weight times the number, so that sums of
    events stay linear."""

    def __init__(self, name: str, span: Range, weight: Any = None) -> None:
        self.there = z3.Bool(f"{name} there")
        self.weight = 1 if weight is None else weight
        self.total = z3.Real(f"{name} total")
        self.bounds = [
            self.total >= rational(span[0]) * self.weight if span[0] > -1e300 else YES,
            self.total <= rational(span[1]) * self.weight if span[1] < 1e300 else YES,
        ]

    def test(self, op: FilterOp, value: Value | None) -> Pair:
        if op in ("missing", "present"):
            here = Pair(self.there, z3.Not(self.there))
            return here if op == "present" else here.turned()
        found = holds(op, self.total, value, self.weight)
        return Pair(z3.And(self.there, found), z3.And(self.there, z3.Not(found)))

    def value(self, model: z3.ModelRef, weight: int = 1) -> float | int | None:
        if not z3.is_true(model.eval(self.there)):
            return None
        found = Fraction(str(model.eval(self.total, model_completion=True))) / weight
        return int(found) if found.denominator == 1 else float(found)


class Choice:
    """One of several values, or none."""

    def __init__(self, name: str, choices: Sequence[Any]) -> None:
        self.there = z3.Bool(f"{name} there")
        self.choices = list(choices)
        self.index = z3.Int(f"{name} index")
        self.bounds = [self.index >= 0, self.index < len(self.choices)]

    def test(self, op: FilterOp, value: Value | None, *, dated: bool = False) -> Pair:
        if op in ("missing", "present"):
            here = Pair(self.there, z3.Not(self.there))
            return here if op == "present" else here.turned()
        return self.where(comparison(op, value, date=dated))

    def where(self, test: Callable[[Any], bool | None]) -> Pair:
        """Truth by what a test says of each value."""
        found = [test(choice) for choice in self.choices]
        sides = (disj(self.index == i for i, truth in enumerate(found) if truth is wanted) for wanted in (True, False))
        return Pair(*(conj((self.there, side)) for side in sides))

    def value(self, model: z3.ModelRef) -> Any:
        if not z3.is_true(model.eval(self.there)):
            return None
        return self.choices[model.eval(self.index, model_completion=True).as_long()]
