"""What a condition is worth for a subject at an instant, when time alone may next change it, and what is recorded of it.
Nothing here changes state: windows are looked at, not moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.exact import EXACTLY, LOWER, UPPER, compare_products, judge_float, judge_product
from strategy.columnar.memory import borrowing
from strategy.columnar.state import block_of, count_of, first_after, item, place_of


@borrowing
def short_of(D: Any, leaf: int, at: int, seen: int) -> bool:
    """Whether history is too short for the window; `seen` is how many events ever came."""
    L = view.L(D[0])
    if L[leaf, c.LAST] > 0:
        return seen < L[leaf, c.LAST]
    over = L[leaf, c.OVER]
    return over > 0 and (L[leaf, c.BEGIN] == c.ALWAYS_LATER or at - over < L[leaf, c.BEGIN])


@borrowing
def count_in(rows: Any, ring: Any, logt: Any, e: int, cutoff: int) -> int:
    """How many events an entry of a counting window holds after a moment."""
    n = count_of(rows, e)
    if n == c.EXTERNAL:
        o = block_of(rows, e)
        return ring[o + c.LEN] - first_after(ring, o, 2, cutoff)
    found = 0
    for k in range(n):
        if logt[rows[e, 1 + k]] > cutoff:
            found += 1
    return found


@borrowing
def value_class(value: int) -> int:
    if value < c.NAN or value < 0:
        return c.NUMERIC
    return c.LOGICAL if value < c.V_TEXT else c.TEXTUAL


@borrowing
def as_float(value: int) -> float:
    return np.int64(value).view(np.float64)


@borrowing
def _newest(D: Any, leaf: int, value: int) -> int:
    """`last`: the value itself against the thresholds; one of another kind cannot be compared."""
    L = view.L(D[0])
    V = view.V(D[1])
    VF = view.VF(D[2])
    if value_class(value) != L[leaf, c.CLASS]:
        return c.UNKNOWN
    op, at, n = L[leaf, c.OP], L[leaf, c.V0], L[leaf, c.NV]
    if L[leaf, c.CLASS] == c.NUMERIC:
        return judge_float(op, as_float(value), VF, at, n, EXACTLY)
    equal = False
    for k in range(n):
        equal = equal or V[at + k] == value
    return c.TRUE if equal == (op == 4 or op == 6) else c.FALSE


@borrowing
def _distinct(ring: Any, o: int, stride: int, first: int) -> int:
    n = ring[o + c.LEN]
    found = 0
    for k in range(first, n):
        value = ring[item(ring, o, k, stride) + 2]
        fresh = True
        for j in range(first, k):
            if ring[item(ring, o, j, stride) + 2] == value:
                fresh = False
                break
        if fresh:
            found += 1
    return found


@borrowing
def _extreme(ring: Any, o: int, stride: int, first: int, largest: bool) -> int:
    """Which item holds the extreme; the newest of equal ones."""
    best = first
    seen = as_float(ring[item(ring, o, first, stride) + 2])
    for k in range(first + 1, ring[o + c.LEN]):
        value = as_float(ring[item(ring, o, k, stride) + 2])
        if (value >= seen) if largest else (value <= seen):
            best, seen = k, value
    return best


@borrowing
def _total(ring: Any, o: int, stride: int, first: int) -> int:
    """The sum of a block's items from one on, by running totals."""
    n = ring[o + c.LEN]
    if first >= n:
        return 0
    a = item(ring, o, first, stride)
    return ring[item(ring, o, n - 1, stride) + 3] - (ring[a + 3] - ring[a + 2])


@borrowing
def _negative(ring: Any, o: int, stride: int, first: int) -> bool:
    for k in range(first, ring[o + c.LEN]):
        if ring[item(ring, o, k, stride) + 2] < 0:
            return True
    return False


@borrowing
def aggregate(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """Truth of an aggregate; `out` gets [observed a, observed b, short, first item, block]."""
    L = view.L(D[0])
    V = view.V(D[1])
    VF = view.VF(D[2])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    e = place_of(D, s, leaf)
    fn, over, stride = L[leaf, c.FN], L[leaf, c.OVER], L[leaf, c.STRIDE]
    o = block_of(rows, e) if e >= 0 else -1
    seen = ring[o + c.N] if o >= 0 else 0
    short = short_of(D, leaf, at, seen)
    first = first_after(ring, o, stride, at - over) if o >= 0 and over > 0 else 0
    held = ring[o + c.LEN] - first if o >= 0 else 0
    out[2] = 1 if short else 0
    out[3], out[4] = first, o
    op, v0, nv = L[leaf, c.OP], L[leaf, c.V0], L[leaf, c.NV]
    if fn == c.COUNT:
        if over > 0:
            n = count_in(rows, ring, logt, e, at - over) if e >= 0 else 0
        else:
            n = held if L[leaf, c.LAST] > 0 else seen
        out[0] = n
        return judge_float(op, float(n), VF, v0, nv, LOWER if short else EXACTLY)
    if fn == c.DISTINCT:
        n = _distinct(ring, o, stride, first) if o >= 0 else 0
        out[0] = n
        return judge_float(op, float(n), VF, v0, nv, LOWER if short else EXACTLY)
    whole = over == 0 and L[leaf, c.LAST] == 0
    if fn == c.SUM:
        total = 0
        if o >= 0:
            total = ring[o + c.X0] if whole else _total(ring, o, stride, first)
        out[0] = total
        if short and (L[leaf, c.SIGNED] == 1 or (o >= 0 and ring[o + c.X1] > 0 and _negative(ring, o, stride, first))):
            return c.UNKNOWN
        return judge_product(op, total, V, v0, nv, 1, LOWER if short else EXACTLY)
    out[1] = 0
    if held == 0:
        return c.UNKNOWN
    if fn == c.AVG:
        total = ring[o + c.X0] if whole else _total(ring, o, stride, first)
        n = seen if whole else held
        out[0], out[1] = total, n
        if short:
            return c.UNKNOWN
        return judge_product(op, total, V, v0, nv, n, EXACTLY)
    if fn == c.NEWEST:
        value = ring[item(ring, o, ring[o + c.LEN] - 1, stride) + 2]
        out[0], out[1] = value, 1
        return _newest(D, leaf, value)
    best = _extreme(ring, o, stride, first, fn == c.MAX)
    value = ring[item(ring, o, best, stride) + 2]
    out[0], out[1], out[3] = value, 1, best
    bound = EXACTLY if not short else LOWER if fn == c.MAX else UPPER
    return judge_float(op, as_float(value), VF, v0, nv, bound)


@borrowing
def _ratio(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """Truth of a ratio; `out` gets [of, per, short, first item, block]. Items: time, event, of and per before it."""
    L = view.L(D[0])
    V = view.V(D[1])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = place_of(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    of, per, first = 0, 0, 0
    if o >= 0:
        of, per = ring[o + c.X0], ring[o + c.X1]
        if L[leaf, c.OVER] > 0:
            first = first_after(ring, o, 4, at - L[leaf, c.OVER])
            if first < ring[o + c.LEN]:
                a = item(ring, o, first, 4)
                of, per = of - ring[a + 2], per - ring[a + 3]
            else:
                of, per = 0, 0
        elif L[leaf, c.LAST] > 0 and per >= L[leaf, c.LAST]:
            first = ratio_start(ring, o, L[leaf, c.LAST])
            of -= ring[item(ring, o, first, 4) + 2]
            per = L[leaf, c.LAST]
    short = short_of(D, leaf, at, ring[o + c.X1] if o >= 0 else 0)
    out[0], out[1], out[2], out[3], out[4] = of, per, 1 if short else 0, first, o
    if per == 0 or short:
        return c.UNKNOWN
    return judge_product(L[leaf, c.OP], of * L[leaf, c.FACTOR] * c.SCALE, V, L[leaf, c.V0], 1, per, EXACTLY)


@borrowing
def ratio_start(ring: Any, o: int, newest: int) -> int:
    """Which item is the oldest of the newest so many `per` events."""
    after = ring[o + c.X1] - newest
    k = ring[o + c.LEN] - 1
    while k > 0 and ring[item(ring, o, k, 4) + 3] > after:
        k -= 1
    return k


@borrowing
def _change(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """Truth of a change; `out` gets [now, before, short, first item, block, items now, items before]."""
    L = view.L(D[0])
    V = view.V(D[1])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = place_of(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    over = L[leaf, c.OVER] >> 1
    now, before, n, m, first = 0, 0, 0, 0, 0
    if o >= 0:
        first = first_after(ring, o, 4, at - 2 * over)
        middle = first_after(ring, o, 4, at - over)
        n, m = ring[o + c.LEN] - middle, middle - first
        now = _total(ring, o, 4, middle)
        before = _total(ring, o, 4, first) - now
    short = short_of(D, leaf, at, 0)
    out[0], out[1], out[2], out[3], out[4], out[5], out[6] = now, before, 1 if short else 0, first, o, n, m
    if short or before <= 0:
        return c.UNKNOWN
    a, b = 1, 1
    if L[leaf, c.FN] == c.AVG:
        if n == 0:
            return c.UNKNOWN
        a, b = m, n
    factor = V[L[leaf, c.V0]]
    if L[leaf, c.RISE] == 1:
        return c.TRUE if compare_products(now, a, 100 * c.SCALE, before, b, factor) >= 0 else c.FALSE
    if factor < 0:
        return c.TRUE if compare_products(now, a, 100 * c.SCALE, -before, b, -factor) <= 0 else c.FALSE
    return c.TRUE if compare_products(now, a, 100 * c.SCALE, before, b, factor) <= 0 else c.FALSE


@borrowing
def truth(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """Truth of any condition at an instant, of one that holds at instants only just after it."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    kind = L[leaf, c.KIND]
    if kind == c.AGGREGATE:
        return aggregate(D, leaf, s, at, out)
    if kind == c.FACT:
        e = place_of(D, s, leaf)
        return np.int64(rows[e, 1]) if e >= 0 else L[leaf, c.DEFAULT]
    if kind == c.STREAK:
        e = place_of(D, s, leaf)
        return c.TRUE if e >= 0 and streak_of(rows, ring, e) >= L[leaf, c.TIMES] else c.FALSE
    if kind == c.RATIO:
        return _ratio(D, leaf, s, at, out)
    if kind == c.CHANGE:
        return _change(D, leaf, s, at, out)
    return c.FALSE


@borrowing
def completes(D: Any, leaf: int, s: int, at: int) -> int:
    """Truth of a sequence at an instant all of whose inputs have been applied."""
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = place_of(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    return c.TRUE if o >= 0 and ring[o + 2] == at else c.FALSE


@borrowing
def streak_of(rows: Any, ring: Any, e: int) -> int:
    n = count_of(rows, e)
    return ring[block_of(rows, e) + c.X0] if n == c.EXTERNAL else n


@borrowing
def due(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """The earliest moment after `at` at which time alone may change the truth, or NEVER."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    kind = L[leaf, c.KIND]
    if kind == c.SEQUENCE:
        return _sequence_due(D, leaf, s)
    over = L[leaf, c.OVER]
    if over == 0 or kind == c.STREAK or kind == c.FACT or kind == c.HAPPENS:
        return c.NEVER
    found = c.NEVER
    begin = L[leaf, c.BEGIN]
    if begin != c.ALWAYS_LATER and at < begin + over:
        found = begin + over
    e = place_of(D, s, leaf)
    if e < 0:
        return found
    leaves = c.NEVER
    if kind == c.AGGREGATE and L[leaf, c.FN] == c.COUNT:
        leaves = _count_due(D, leaf, e, at)
    else:
        o = block_of(rows, e)
        if o >= 0:
            stride = L[leaf, c.STRIDE]
            first = first_after(ring, o, stride, at - over)
            if first < ring[o + c.LEN]:
                leaves = ring[item(ring, o, first, stride)] + over
            if kind == c.CHANGE:
                middle = first_after(ring, o, stride, at - (over >> 1))
                if middle < ring[o + c.LEN]:
                    ages = ring[item(ring, o, middle, stride)] + (over >> 1)
                    leaves = ages if leaves == c.NEVER else min(leaves, ages)
    if leaves == c.NEVER:
        return found
    return leaves if found == c.NEVER else min(found, leaves)


@borrowing
def _count_due(D: Any, leaf: int, e: int, at: int) -> int:
    """When so many events will have left a counting window that its comparison turns out otherwise."""
    L = view.L(D[0])
    VF = view.VF(D[2])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    over = L[leaf, c.OVER]
    n = count_in(rows, ring, logt, e, at - over)
    bound = LOWER if short_of(D, leaf, at, 0) else EXACTLY
    op, v0, nv = L[leaf, c.OP], L[leaf, c.V0], L[leaf, c.NV]
    now = judge_float(op, float(n), VF, v0, nv, bound)
    for gone in range(1, n + 1):
        if judge_float(op, float(n - gone), VF, v0, nv, bound) != now:
            held = count_of(rows, e)
            if held == c.EXTERNAL:
                o = block_of(rows, e)
                return ring[item(ring, o, ring[o + c.LEN] - n + gone - 1, 2)] + over
            return logt[rows[e, 1 + held - n + gone - 1]] + over
    return c.NEVER


@borrowing
def _sequence_due(D: Any, leaf: int, s: int) -> int:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = place_of(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    if o < 0 or L[leaf, c.DEADLINE] < 0:
        return c.NEVER
    stride = 3 + L[leaf, c.PRESENT]
    base = o + c.HEADER + L[leaf, c.PRESENT]
    for k in range(ring[o + 1]):
        a = base + k * stride
        if ring[a] == L[leaf, c.NGAP] - 1:
            return ring[a + 1] + L[leaf, c.DEADLINE]
    return c.NEVER
