"""Comparisons that give no wrong answer: products of whole numbers beyond 64 bits, and what a lower or an upper bound
says of a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar.codes import FALSE, TRUE, UNKNOWN
from strategy.columnar.memory import borrowing

EXACTLY, LOWER, UPPER = 0, 1, 2
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@borrowing
def _times(a: Any, b: Any) -> Any:
    """Two 64-bit numbers → (high, low) of their product."""
    a0, a1, b0, b1 = a & _LOW, a >> _32, b & _LOW, b >> _32
    low = a0 * b0
    middle = a1 * b0 + (low >> _32)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _32) + (other >> _32), (other << _32) | (low & _LOW)


@borrowing
def _product(a: int, b: int, c: int) -> Any:
    high, low = _times(np.uint64(a), np.uint64(b))
    carry, first = _times(low, np.uint64(c))
    top, second = _times(high, np.uint64(c))
    second += carry
    if second < carry:
        top += np.uint64(1)
    return top, second, first


@borrowing
def _sign(a: int) -> int:
    return 1 if a > 0 else -1 if a < 0 else 0


@borrowing
def compare_products(a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """The sign of a·b·c - d·e·f; a and d may be negative, the rest may not."""
    left = _sign(a) if b > 0 and c > 0 else 0
    right = _sign(d) if e > 0 and f > 0 else 0
    if left != right:
        return 1 if left > right else -1
    if left == 0:
        return 0
    x, y = _product(abs(a), b, c), _product(abs(d), e, f)
    found = 0
    for k in range(3):
        if x[k] != y[k]:
            found = 1 if x[k] > y[k] else -1
            break
    return found * left


@borrowing
def holds(op: int, sign: int) -> bool:
    """What an ordering says when the sign of (seen - threshold) is known."""
    if op == 0:
        return sign < 0
    if op == 1:
        return sign <= 0
    if op == 2:
        return sign > 0
    if op == 3:
        return sign >= 0
    if op == 4:
        return sign == 0
    return sign != 0


@borrowing
def bounded(op: int, sign: int, equal: bool, above: bool, below: bool, bound: int) -> int:
    """Truth of a comparison when what is seen is the value itself, or a lower or upper bound of it.

    Args:
        sign: of (seen - threshold); for sets of the first. equal: it is one of the set. above, below: beyond all.
    """
    if bound == EXACTLY:
        if op < 6:
            return TRUE if holds(op, sign) else FALSE
        return TRUE if equal == (op == 6) else FALSE
    if op >= 4:
        beyond = above if bound == LOWER else below
        if op == 4 or op == 6:
            return FALSE if beyond else UNKNOWN
        return TRUE if beyond else UNKNOWN
    found = holds(op, sign)
    if (op >= 2) == (bound == LOWER):
        return TRUE if found else UNKNOWN
    return UNKNOWN if found else FALSE


@borrowing
def judge_float(op: int, seen: float, thresholds: Any, at: int, n: int, bound: int) -> int:
    sign, equal, above, below = 0, False, True, True
    for k in range(n):
        s = 1 if seen > thresholds[at + k] else -1 if seen < thresholds[at + k] else 0
        if k == 0:
            sign = s
        equal = equal or s == 0
        above = above and s > 0
        below = below and s < 0
    return bounded(op, sign, equal, above, below, bound)


@borrowing
def judge_product(op: int, seen: int, thresholds: Any, at: int, n: int, factor: int, bound: int) -> int:
    """Of `seen` against threshold · factor, exactly."""
    sign, equal, above, below = 0, False, True, True
    for k in range(n):
        s = compare_products(seen, 1, 1, thresholds[at + k], factor, 1)
        if k == 0:
            sign = s
        equal = equal or s == 0
        above = above and s > 0
        below = below and s < 0
    return bounded(op, sign, equal, above, below, bound)
