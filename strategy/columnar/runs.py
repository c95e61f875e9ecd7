"""Sequences in flight: runs that wait for their next step or their deadline, as records (gap, since, begun, events)."""

from __future__ import annotations

from typing import Any

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.memory import borrowing
from strategy.columnar.state import block_of, leave_block, make_block


@borrowing
def _remove(ring: Any, o: int, base: int, stride: int, k: int) -> None:
    """Take the k-th run out, the order of the others kept."""
    n = ring[o + 1]
    for w in range(base + k * stride, base + (n - 1) * stride):
        ring[w] = ring[w + stride]
    ring[o + 1] = n - 1


@borrowing
def _clear(ring: Any, o: int, base: int, stride: int, gap: int) -> None:
    kept = 0
    for k in range(ring[o + 1]):
        a = base + k * stride
        if ring[a] != gap:
            if kept != k:
                for w in range(stride):
                    ring[base + kept * stride + w] = ring[a + w]
            kept += 1
    ring[o + 1] = kept


@borrowing
def _last_of(ring: Any, o: int, base: int, stride: int, gap: int) -> int:
    for k in range(ring[o + 1] - 1, -1, -1):
        if ring[base + k * stride] == gap:
            return k
    return -1


@borrowing
def _forbid(D: Any, o: int, base: int, stride: int, gap: int, g: int, at: int, mask: int) -> None:
    """End the runs waiting at a gap to which this event is forbidden."""
    GAP = view.GAP(D[3])
    ABS = view.ABS(D[4])
    ring = view.ring(D[6])
    for j in range(GAP[g, c.ABSENT0], GAP[g, c.ABSENT0] + GAP[g, c.ABSENTS]):
        if (mask >> ABS[j, 0]) & 1:
            if ABS[j, 1] < 0:
                _clear(ring, o, base, stride, gap)
                continue
            while True:
                k = _last_of(ring, o, base, stride, gap)
                if k < 0 or ring[base + k * stride + 1] + ABS[j, 1] < at:
                    break
                _remove(ring, o, base, stride, k)


@borrowing
def prune(D: Any, o: int, base: int, stride: int, gap: int, g: int, at: int) -> None:
    """Drop runs too late for their next step, and those that a newer one makes superfluous."""
    GAP = view.GAP(D[3])
    ABS = view.ABS(D[4])
    ring = view.ring(D[6])
    free = c.NEVER
    if GAP[g, c.WITHIN] < 0 and GAP[g, c.RULES] == 0:
        free = 0
        for j in range(GAP[g, c.ABSENT0], GAP[g, c.ABSENT0] + GAP[g, c.ABSENTS]):
            free = max(free, ABS[j, 1])
    k = 0
    while k < ring[o + 1]:
        a = base + k * stride
        if ring[a] != gap:
            k += 1
            continue
        if GAP[g, c.WITHIN] >= 0:
            if ring[a + 1] + GAP[g, c.WITHIN] >= at:
                return
            _remove(ring, o, base, stride, k)
            continue
        if free == c.NEVER:
            return
        second = -1
        for j in range(k + 1, ring[o + 1]):
            if ring[base + j * stride] == gap:
                second = j
                break
        if second < 0 or ring[base + second * stride + 1] + free >= at:
            return
        _remove(ring, o, base, stride, k)


@borrowing
def follow(D: Any, leaf: int, e: int, at: int, event: int, mask: int) -> None:
    """Runs are records (gap, since, begun, events). An event ends those it is forbidden to, moves those that wait for it
    by one step, then opens one."""
    L = view.L(D[0])
    GAP = view.GAP(D[3])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    present = L[leaf, c.PRESENT]
    stride = 3 + present
    o = block_of(rows, e)
    if o < 0:
        if not mask & 1 or L[leaf, c.CLOSED] == 1:
            return
        o = _open(D, e, 2, present)
    before = ring[o + 1]
    base = o + c.HEADER + present
    for gap in range(L[leaf, c.NGAP] - 1, -1, -1):
        g = L[leaf, c.GAP0] + gap
        if _last_of(ring, o, base, stride, gap) < 0:
            continue
        prune(D, o, base, stride, gap, g, at)
        _forbid(D, o, base, stride, gap, g, at, mask)
        k = _last_of(ring, o, base, stride, gap)
        if k < 0 or GAP[g, c.THEN] < 0 or not (mask >> GAP[g, c.THEN]) & 1:
            continue
        begun = ring[base + k * stride + 2]
        if gap + 1 == L[leaf, c.NGAP]:
            ring[o + 2], ring[o + 3] = at, begun
            for j in range(gap + 1):
                ring[o + c.HEADER + j] = ring[base + k * stride + 3 + j]
            ring[o + c.HEADER + gap + 1] = event
            _clear(ring, o, base, stride, gap)
            continue
        # The moved run takes the place of the one it was, at the end.
        spare = ring[o + c.CAP] * stride + base
        for w in range(stride):
            ring[spare + w] = ring[base + k * stride + w]
        _clear(ring, o, base, stride, gap)
        _enter(D, o, base, stride, gap + 1, g + 1, at)
        n = ring[o + 1]
        a = base + n * stride
        for w in range(stride):
            ring[a + w] = ring[spare + w]
        ring[a], ring[a + 1] = gap + 1, at
        ring[a + 3 + gap + 1] = event
        ring[o + 1] = n + 1
    if mask & 1 and L[leaf, c.CLOSED] == 0:
        _enter(D, o, base, stride, 0, L[leaf, c.GAP0], at)
        if ring[o + 1] == ring[o + c.CAP]:
            p = _open(D, e, 2 * ring[o + c.CAP], present)
            for w in range(1, c.HEADER + present + ring[o + 1] * stride):
                ring[p + w] = ring[o + w]
            leave_block(ring, meta, o, c.HEADER + present + (ring[p + c.CAP] // 2 + 1) * stride)
            o = p
            base = o + c.HEADER + present
        a = base + ring[o + 1] * stride
        ring[a], ring[a + 1], ring[a + 2], ring[a + 3] = 0, at, at, event
        ring[o + 1] += 1
    L[leaf, c.WAITING] += ring[o + 1] - before


@borrowing
def _open(D: Any, e: int, cap: int, present: int) -> int:
    """A new block for runs, with one record to spare."""
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    o = make_block(rows, ring, meta, e, cap, 3 + present, present + 3 + present)
    ring[o + 2] = c.NEVER
    return o


@borrowing
def _enter(D: Any, o: int, base: int, stride: int, gap: int, g: int, at: int) -> None:
    """Make way for a run that begins to wait at a gap now: a newer one that always fares at least as well replaces all
    others; of two that begin at one instant the later stays."""
    GAP = view.GAP(D[3])
    ring = view.ring(D[6])
    if GAP[g, c.RULES] == 1:
        _clear(ring, o, base, stride, gap)
        return
    k = _last_of(ring, o, base, stride, gap)
    if k >= 0 and ring[base + k * stride + 1] == at:
        _remove(ring, o, base, stride, k)


@borrowing
def settle(D: Any, leaf: int, e: int, at: int) -> None:
    """Complete the runs whose deadline has come."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    o = block_of(rows, e)
    if o < 0 or L[leaf, c.DEADLINE] < 0:
        return
    present = L[leaf, c.PRESENT]
    stride, base, gap = 3 + present, o + c.HEADER + present, L[leaf, c.NGAP] - 1
    k = 0
    while k < ring[o + 1]:
        a = base + k * stride
        if ring[a] != gap:
            k += 1
            continue
        if ring[a + 1] + L[leaf, c.DEADLINE] > at:
            return
        ring[o + 2], ring[o + 3] = ring[a + 1] + L[leaf, c.DEADLINE], ring[a + 2]
        for j in range(present):
            ring[o + c.HEADER + j] = ring[a + 3 + j]
        _remove(ring, o, base, stride, k)
        L[leaf, c.WAITING] -= 1
