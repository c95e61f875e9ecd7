"""What a condition is worth for a subject at an instant, when time alone may next change it, and what is recorded of it.
Nothing here changes state: windows are looked at, not moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import view
from strategy.columnar.codes import (
    AGGREGATE,
    ALWAYS_LATER,
    AVG,
    BEGIN,
    CHANGE,
    CLASS,
    COUNT,
    DEADLINE,
    DEFAULT,
    DISTINCT,
    EVIDENCE,
    EXTERNAL,
    FACT,
    FACTOR,
    FALSE,
    FN,
    GAP0,
    HAPPENS,
    HEADER,
    INLINE,
    KIND,
    LAST,
    LEN,
    LOGICAL,
    MAX,
    MIN,
    NAN,
    NEVER,
    NEWEST,
    NGAP,
    NUMERIC,
    NV,
    O_A,
    O_B,
    O_C,
    O_D,
    O_EV,
    O_EVN,
    O_SHORT,
    O_TRUTH,
    OP,
    OVER,
    PRESENT,
    RATIO,
    RISE,
    SCALE,
    SEQUENCE,
    SIGNED,
    STREAK,
    STRIDE,
    SUM,
    TEXTUAL,
    THEN,
    TIMES,
    TRUE,
    UNKNOWN,
    V0,
    V_TEXT,
    WITHIN,
    X0,
    X1,
    N,
)
from strategy.columnar.exact import EXACTLY, LOWER, UPPER, compare_products, judge_float, judge_product
from strategy.columnar.memory import borrowing, compiled
from strategy.columnar.state import block_of, count_of, find, first_after, item


@borrowing
def short_of(D: Any, leaf: int, at: int, seen: int) -> bool:
    """Whether history is too short for the window; `seen` is how many events ever came."""
    L = view.L(D[0])
    if L[leaf, LAST] > 0:
        return seen < L[leaf, LAST]
    over = L[leaf, OVER]
    return over > 0 and (L[leaf, BEGIN] == ALWAYS_LATER or at - over < L[leaf, BEGIN])


@borrowing
def count_in(rows: Any, ring: Any, logt: Any, e: int, cutoff: int) -> int:
    """How many events an entry of a counting window holds after a moment."""
    n = count_of(rows, e)
    if n == EXTERNAL:
        o = block_of(rows, e)
        return ring[o + LEN] - first_after(ring, o, 2, cutoff)
    found = 0
    for k in range(n):
        if logt[rows[e, 1 + k]] > cutoff:
            found += 1
    return found


@borrowing
def value_class(value: int) -> int:
    if value < NAN or value < 0:
        return NUMERIC
    return LOGICAL if value < V_TEXT else TEXTUAL


@borrowing
def as_float(value: int) -> float:
    return np.int64(value).view(np.float64)


@borrowing
def _newest(D: Any, leaf: int, value: int) -> int:
    """`last`: the value itself against the thresholds; one of another kind cannot be compared."""
    L = view.L(D[0])
    V = view.V(D[1])
    VF = view.VF(D[2])
    if value_class(value) != L[leaf, CLASS]:
        return UNKNOWN
    op, at, n = L[leaf, OP], L[leaf, V0], L[leaf, NV]
    if L[leaf, CLASS] == NUMERIC:
        return judge_float(op, as_float(value), VF, at, n, EXACTLY)
    equal = False
    for k in range(n):
        equal = equal or V[at + k] == value
    return TRUE if equal == (op == 4 or op == 6) else FALSE


@borrowing
def _distinct(ring: Any, o: int, stride: int, first: int) -> int:
    n = ring[o + LEN]
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
    for k in range(first + 1, ring[o + LEN]):
        value = as_float(ring[item(ring, o, k, stride) + 2])
        if (value >= seen) if largest else (value <= seen):
            best, seen = k, value
    return best


@borrowing
def _total(ring: Any, o: int, stride: int, first: int) -> int:
    """The sum of a block's items from one on, by running totals."""
    n = ring[o + LEN]
    if first >= n:
        return 0
    a = item(ring, o, first, stride)
    return ring[item(ring, o, n - 1, stride) + 3] - (ring[a + 3] - ring[a + 2])


@borrowing
def _negative(ring: Any, o: int, stride: int, first: int) -> bool:
    for k in range(first, ring[o + LEN]):
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
    e = find(D, s, leaf)
    fn, over, stride = L[leaf, FN], L[leaf, OVER], L[leaf, STRIDE]
    o = block_of(rows, e) if e >= 0 else -1
    seen = ring[o + N] if o >= 0 else 0
    short = short_of(D, leaf, at, seen)
    first = first_after(ring, o, stride, at - over) if o >= 0 and over > 0 else 0
    held = ring[o + LEN] - first if o >= 0 else 0
    out[2] = 1 if short else 0
    out[3], out[4] = first, o
    op, v0, nv = L[leaf, OP], L[leaf, V0], L[leaf, NV]
    if fn == COUNT:
        if over > 0:
            n = count_in(rows, ring, logt, e, at - over) if e >= 0 else 0
        else:
            n = held if L[leaf, LAST] > 0 else seen
        out[0] = n
        return judge_float(op, float(n), VF, v0, nv, LOWER if short else EXACTLY)
    if fn == DISTINCT:
        n = _distinct(ring, o, stride, first) if o >= 0 else 0
        out[0] = n
        return judge_float(op, float(n), VF, v0, nv, LOWER if short else EXACTLY)
    whole = over == 0 and L[leaf, LAST] == 0
    if fn == SUM:
        total = 0
        if o >= 0:
            total = ring[o + X0] if whole else _total(ring, o, stride, first)
        out[0] = total
        if short and (L[leaf, SIGNED] == 1 or (o >= 0 and ring[o + X1] > 0 and _negative(ring, o, stride, first))):
            return UNKNOWN
        return judge_product(op, total, V, v0, nv, 1, LOWER if short else EXACTLY)
    out[1] = 0
    if held == 0:
        return UNKNOWN
    if fn == AVG:
        total = ring[o + X0] if whole else _total(ring, o, stride, first)
        n = seen if whole else held
        out[0], out[1] = total, n
        if short:
            return UNKNOWN
        return judge_product(op, total, V, v0, nv, n, EXACTLY)
    if fn == NEWEST:
        value = ring[item(ring, o, ring[o + LEN] - 1, stride) + 2]
        out[0], out[1] = value, 1
        return _newest(D, leaf, value)
    best = _extreme(ring, o, stride, first, fn == MAX)
    value = ring[item(ring, o, best, stride) + 2]
    out[0], out[1], out[3] = value, 1, best
    bound = EXACTLY if not short else LOWER if fn == MAX else UPPER
    return judge_float(op, as_float(value), VF, v0, nv, bound)


@borrowing
def _ratio(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """Truth of a ratio; `out` gets [of, per, short, first item, block]. Items: time, event, of and per before it."""
    L = view.L(D[0])
    V = view.V(D[1])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = find(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    of, per, first = 0, 0, 0
    if o >= 0:
        of, per = ring[o + X0], ring[o + X1]
        if L[leaf, OVER] > 0:
            first = first_after(ring, o, 4, at - L[leaf, OVER])
            if first < ring[o + LEN]:
                a = item(ring, o, first, 4)
                of, per = of - ring[a + 2], per - ring[a + 3]
            else:
                of, per = 0, 0
        elif L[leaf, LAST] > 0 and per >= L[leaf, LAST]:
            first = ratio_start(ring, o, L[leaf, LAST])
            of -= ring[item(ring, o, first, 4) + 2]
            per = L[leaf, LAST]
    short = short_of(D, leaf, at, ring[o + X1] if o >= 0 else 0)
    out[0], out[1], out[2], out[3], out[4] = of, per, 1 if short else 0, first, o
    if per == 0 or short:
        return UNKNOWN
    return judge_product(L[leaf, OP], of * L[leaf, FACTOR] * SCALE, V, L[leaf, V0], 1, per, EXACTLY)


@borrowing
def ratio_start(ring: Any, o: int, newest: int) -> int:
    """Which item is the oldest of the newest so many `per` events."""
    after = ring[o + X1] - newest
    k = ring[o + LEN] - 1
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
    e = find(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    over = L[leaf, OVER] >> 1
    now, before, n, m, first = 0, 0, 0, 0, 0
    if o >= 0:
        first = first_after(ring, o, 4, at - 2 * over)
        middle = first_after(ring, o, 4, at - over)
        n, m = ring[o + LEN] - middle, middle - first
        now = _total(ring, o, 4, middle)
        before = _total(ring, o, 4, first) - now
    short = short_of(D, leaf, at, 0)
    out[0], out[1], out[2], out[3], out[4], out[5], out[6] = now, before, 1 if short else 0, first, o, n, m
    if short or before <= 0:
        return UNKNOWN
    a, b = 1, 1
    if L[leaf, FN] == AVG:
        if n == 0:
            return UNKNOWN
        a, b = m, n
    factor = V[L[leaf, V0]]
    if L[leaf, RISE] == 1:
        return TRUE if compare_products(now, a, 100 * SCALE, before, b, factor) >= 0 else FALSE
    if factor < 0:
        return TRUE if compare_products(now, a, 100 * SCALE, -before, b, -factor) <= 0 else FALSE
    return TRUE if compare_products(now, a, 100 * SCALE, before, b, factor) <= 0 else FALSE


@borrowing
def truth(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """Truth of any condition at an instant, of one that holds at instants only just after it."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    kind = L[leaf, KIND]
    if kind == AGGREGATE:
        return aggregate(D, leaf, s, at, out)
    if kind == FACT:
        e = find(D, s, leaf)
        return np.int64(rows[e, 1]) if e >= 0 else L[leaf, DEFAULT]
    if kind == STREAK:
        e = find(D, s, leaf)
        return TRUE if e >= 0 and streak_of(rows, ring, e) >= L[leaf, TIMES] else FALSE
    if kind == RATIO:
        return _ratio(D, leaf, s, at, out)
    if kind == CHANGE:
        return _change(D, leaf, s, at, out)
    return FALSE


@borrowing
def completes(D: Any, leaf: int, s: int, at: int) -> int:
    """Truth of a sequence at an instant all of whose inputs have been applied."""
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = find(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    return TRUE if o >= 0 and ring[o + 2] == at else FALSE


@borrowing
def streak_of(rows: Any, ring: Any, e: int) -> int:
    n = count_of(rows, e)
    return ring[block_of(rows, e) + X0] if n == EXTERNAL else n


@borrowing
def due(D: Any, leaf: int, s: int, at: int, out: Any) -> int:
    """The earliest moment after `at` at which time alone may change the truth, or NEVER."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    kind = L[leaf, KIND]
    if kind == SEQUENCE:
        return _sequence_due(D, leaf, s)
    over = L[leaf, OVER]
    if over == 0 or kind == STREAK or kind == FACT or kind == HAPPENS:
        return NEVER
    found = NEVER
    begin = L[leaf, BEGIN]
    if begin != ALWAYS_LATER and at < begin + over:
        found = begin + over
    e = find(D, s, leaf)
    if e < 0:
        return found
    leaves = NEVER
    if kind == AGGREGATE and L[leaf, FN] == COUNT:
        leaves = _count_due(D, leaf, e, at)
    else:
        o = block_of(rows, e)
        if o >= 0:
            stride = L[leaf, STRIDE]
            first = first_after(ring, o, stride, at - over)
            if first < ring[o + LEN]:
                leaves = ring[item(ring, o, first, stride)] + over
            if kind == CHANGE:
                middle = first_after(ring, o, stride, at - (over >> 1))
                if middle < ring[o + LEN]:
                    ages = ring[item(ring, o, middle, stride)] + (over >> 1)
                    leaves = ages if leaves == NEVER else min(leaves, ages)
    if leaves == NEVER:
        return found
    return leaves if found == NEVER else min(found, leaves)


@borrowing
def _count_due(D: Any, leaf: int, e: int, at: int) -> int:
    """When so many events will have left a counting window that its comparison turns out otherwise."""
    L = view.L(D[0])
    VF = view.VF(D[2])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    over = L[leaf, OVER]
    n = count_in(rows, ring, logt, e, at - over)
    bound = LOWER if short_of(D, leaf, at, 0) else EXACTLY
    op, v0, nv = L[leaf, OP], L[leaf, V0], L[leaf, NV]
    now = judge_float(op, float(n), VF, v0, nv, bound)
    for gone in range(1, n + 1):
        if judge_float(op, float(n - gone), VF, v0, nv, bound) != now:
            held = count_of(rows, e)
            if held == EXTERNAL:
                o = block_of(rows, e)
                return ring[item(ring, o, ring[o + LEN] - n + gone - 1, 2)] + over
            return logt[rows[e, 1 + held - n + gone - 1]] + over
    return NEVER


@borrowing
def _sequence_due(D: Any, leaf: int, s: int) -> int:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    e = find(D, s, leaf)
    o = block_of(rows, e) if e >= 0 else -1
    if o < 0 or L[leaf, DEADLINE] < 0:
        return NEVER
    stride = 3 + L[leaf, PRESENT]
    base = o + HEADER + L[leaf, PRESENT]
    for k in range(ring[o + 1]):
        a = base + k * stride
        if ring[a] == L[leaf, NGAP] - 1:
            return ring[a + 1] + L[leaf, DEADLINE]
    return NEVER


@borrowing
def observe(D: Any, leaf: int, s: int, at: int, worth: int, obs: Any, k: int, evidence: Any, m: int, out: Any) -> int:
    """Record a condition in `obs[k]` and its events in `evidence[m:]`; how many events there are then. `worth`: its
    truth, already known. Of a condition of events the caller adds those of the instant."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    kind = L[leaf, KIND]
    obs[k, O_TRUTH] = worth
    obs[k, O_A] = obs[k, O_B] = obs[k, O_C] = obs[k, O_D] = obs[k, O_SHORT] = 0
    obs[k, O_EV] = m
    obs[k, O_EVN] = 0
    if kind == FACT or kind == HAPPENS:
        return m
    e = find(D, s, leaf)
    if kind == SEQUENCE:
        return _observe_sequence(D, leaf, e, at, worth, obs, k, evidence, m)
    if kind == STREAK:
        if e < 0:
            return m
        obs[k, O_A] = streak_of(rows, ring, e)
        n = count_of(rows, e)
        if n == EXTERNAL:
            o = block_of(rows, e)
            for j in range(ring[o + LEN]):
                evidence[m] = ring[item(ring, o, j, 1)]
                m += 1
        else:
            for j in range(min(n, L[leaf, TIMES])):
                evidence[m] = rows[e, 1 + j]
                m += 1
        obs[k, O_EVN] = m - obs[k, O_EV]
        return m
    truth(D, leaf, s, at, out)
    obs[k, O_A], obs[k, O_B], obs[k, O_SHORT] = out[0], out[1], out[2]
    first, o = out[3], out[4]
    if kind == CHANGE:
        obs[k, O_C], obs[k, O_D] = out[5], out[6]
    elif kind == RATIO:
        obs[k, O_C] = L[leaf, FACTOR]
    if kind == AGGREGATE and L[leaf, FN] == COUNT and L[leaf, OVER] > 0 and e >= 0 and count_of(rows, e) <= INLINE:
        for j in range(count_of(rows, e)):
            if logt[rows[e, 1 + j]] > at - L[leaf, OVER]:
                evidence[m] = rows[e, 1 + j]
                m += 1
    elif o >= 0:
        stride, n = L[leaf, STRIDE], ring[o + LEN]
        if kind == AGGREGATE and (L[leaf, FN] == MIN or L[leaf, FN] == MAX):
            n = min(n, first + 1)
        for j in range(max(first, n - EVIDENCE), n):
            evidence[m] = ring[item(ring, o, j, stride) + 1]
            m += 1
    obs[k, O_EVN] = m - obs[k, O_EV]
    return m


@borrowing
def _observe_sequence(D: Any, leaf: int, e: int, at: int, worth: int, obs: Any, k: int, evidence: Any, m: int) -> int:
    """How far the furthest run is (or that one has completed), since when, and its events."""
    L = view.L(D[0])
    GAP = view.GAP(D[3])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    obs[k, O_B] = NEVER
    o = block_of(rows, e) if e >= 0 else -1
    if o < 0:
        return m
    present = L[leaf, PRESENT]
    if worth == TRUE:
        obs[k, O_A], obs[k, O_B] = present, ring[o + 3]
        for j in range(present):
            evidence[m] = ring[o + HEADER + j]
            m += 1
        obs[k, O_EVN] = present
        return m
    stride, base = 3 + present, o + HEADER + present
    best = -1
    for j in range(ring[o + 1]):
        a = base + j * stride
        within = GAP[L[leaf, GAP0] + ring[a], WITHIN]
        # A run that waits for a deadline has made it at that moment; one that waits for a step may still make it then.
        ends = ring[a + 1] + within - (GAP[L[leaf, GAP0] + ring[a], THEN] < 0)
        if (within < 0 or ends >= at) and (best < 0 or ring[a] >= ring[best]):
            best = a
    if best >= 0:
        obs[k, O_A], obs[k, O_B] = ring[best] + 1, ring[best + 2]
        for j in range(ring[best] + 1):
            evidence[m] = ring[best + 3 + j]
            m += 1
        obs[k, O_EVN] = ring[best] + 1
    return m


@compiled
def look_at(D: Any, leaf: int, s: int, at: int, obs: Any, evidence: Any) -> int:
    """Record a condition as it stands just after an instant, in `obs[0]`; how many events are its evidence."""
    out = np.zeros(8, np.int64)
    worth = truth(D, leaf, s, at, out)
    return observe(D, leaf, s, at, worth, obs, 0, evidence, 0, out)
