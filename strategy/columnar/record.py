"""What compiled code records of a condition at an instant: its truth, what was seen, and which events are the evidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.memory import borrowing, compiled
from strategy.columnar.state import block_of, count_of, item, place_of
from strategy.columnar.truth import streak_of, truth


@borrowing
def observe(D: Any, leaf: int, s: int, at: int, worth: int, obs: Any, k: int, evidence: Any, m: int, out: Any) -> int:
    """Record a condition in `obs[k]` and its events in `evidence[m:]`; how many events there are then. `worth`: its
    truth, already known. Of a condition of events the caller adds those of the instant."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    kind = L[leaf, c.KIND]
    obs[k, c.O_TRUTH] = worth
    obs[k, c.O_A] = obs[k, c.O_B] = obs[k, c.O_C] = obs[k, c.O_D] = obs[k, c.O_SHORT] = 0
    obs[k, c.O_EV] = m
    obs[k, c.O_EVN] = 0
    if kind == c.FACT or kind == c.HAPPENS:
        return m
    e = place_of(D, s, leaf)
    if kind == c.SEQUENCE:
        return _observe_sequence(D, leaf, e, at, worth, obs, k, evidence, m)
    if kind == c.STREAK:
        if e < 0:
            return m
        obs[k, c.O_A] = streak_of(rows, ring, e)
        n = count_of(rows, e)
        if n == c.EXTERNAL:
            o = block_of(rows, e)
            for j in range(ring[o + c.LEN]):
                evidence[m] = ring[item(ring, o, j, 1)]
                m += 1
        else:
            for j in range(min(n, L[leaf, c.TIMES])):
                evidence[m] = rows[e, 1 + j]
                m += 1
        obs[k, c.O_EVN] = m - obs[k, c.O_EV]
        return m
    truth(D, leaf, s, at, out)
    obs[k, c.O_A], obs[k, c.O_B], obs[k, c.O_SHORT] = out[0], out[1], out[2]
    first, o = out[3], out[4]
    if kind == c.CHANGE:
        obs[k, c.O_C], obs[k, c.O_D] = out[5], out[6]
    elif kind == c.RATIO:
        obs[k, c.O_C] = L[leaf, c.FACTOR]
    if (
        kind == c.AGGREGATE
        and L[leaf, c.FN] == c.COUNT
        and L[leaf, c.OVER] > 0
        and e >= 0
        and count_of(rows, e) <= c.INLINE
    ):
        for j in range(count_of(rows, e)):
            if logt[rows[e, 1 + j]] > at - L[leaf, c.OVER]:
                evidence[m] = rows[e, 1 + j]
                m += 1
    elif o >= 0:
        stride, n = L[leaf, c.STRIDE], ring[o + c.LEN]
        if kind == c.AGGREGATE and (L[leaf, c.FN] == c.MIN or L[leaf, c.FN] == c.MAX):
            n = min(n, first + 1)
        for j in range(max(first, n - c.EVIDENCE), n):
            evidence[m] = ring[item(ring, o, j, stride) + 1]
            m += 1
    obs[k, c.O_EVN] = m - obs[k, c.O_EV]
    return m


@borrowing
def _observe_sequence(D: Any, leaf: int, e: int, at: int, worth: int, obs: Any, k: int, evidence: Any, m: int) -> int:
    """How far the furthest run is (or that one has completed), since when, and its events."""
    L = view.L(D[0])
    GAP = view.GAP(D[3])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    obs[k, c.O_B] = c.NEVER
    o = block_of(rows, e) if e >= 0 else -1
    if o < 0:
        return m
    present = L[leaf, c.PRESENT]
    if worth == c.TRUE:
        obs[k, c.O_A], obs[k, c.O_B] = present, ring[o + 3]
        for j in range(present):
            evidence[m] = ring[o + c.HEADER + j]
            m += 1
        obs[k, c.O_EVN] = present
        return m
    stride, base = 3 + present, o + c.HEADER + present
    best = -1
    for j in range(ring[o + 1]):
        a = base + j * stride
        within = GAP[L[leaf, c.GAP0] + ring[a], c.WITHIN]
        # A run that waits for a deadline has made it at that moment; one that waits for a step may still make it then.
        ends = ring[a + 1] + within - (GAP[L[leaf, c.GAP0] + ring[a], c.THEN] < 0)
        if (within < 0 or ends >= at) and (best < 0 or ring[a] >= ring[best]):
            best = a
    if best >= 0:
        obs[k, c.O_A], obs[k, c.O_B] = ring[best] + 1, ring[best + 2]
        for j in range(ring[best] + 1):
            evidence[m] = ring[best + 3 + j]
            m += 1
        obs[k, c.O_EVN] = ring[best] + 1
    return m


@compiled
def look_at(D: Any, leaf: int, s: int, at: int, obs: Any, evidence: Any) -> int:
    """Record a condition as it stands just after an instant, in `obs[0]`; how many events are its evidence."""
    out = np.zeros(8, np.int64)
    worth = truth(D, leaf, s, at, out)
    return observe(D, leaf, s, at, worth, obs, 0, evidence, 0, out)
