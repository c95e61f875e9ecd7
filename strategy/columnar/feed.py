"""What an event does to the state of a condition. Room for everything has been made before; see `need` for how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import view
from strategy.columnar.codes import (
    ABSENT0,
    ABSENTS,
    AGGREGATE,
    AVG,
    CAP,
    CHANGE,
    CLOSED,
    COUNT,
    DEADLINE,
    EVIDENCE,
    EXTERNAL,
    FN,
    GAP0,
    HEADER,
    INLINE,
    KEEP,
    KIND,
    LAST,
    LEN,
    MAX,
    MIN,
    NEVER,
    NEWEST,
    NGAP,
    OF,
    OF_TYPE,
    OVER,
    PASSES,
    PER,
    PER_SIDE,
    PRESENT,
    RATIO,
    RULES,
    SEQUENCE,
    STREAK,
    STRIDE,
    SUM,
    THEN,
    TIMES,
    WAITING,
    WITHIN,
    WITHOUT,
    X0,
    X1,
    N,
)
from strategy.columnar.memory import borrowing
from strategy.columnar.state import (
    block_of,
    count_of,
    drop_first,
    entry,
    find,
    first_after,
    item,
    leave_block,
    make_block,
    push,
    set_count,
)
from strategy.columnar.truth import as_float, ratio_start


@borrowing
def need(D: Any, leaf: int, e: int, hits: int) -> int:
    """How many words of blocks an entry (or, with -1, one yet to be made) may take when so many events meet it."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    stride = L[leaf, STRIDE]
    if L[leaf, KIND] == SEQUENCE:
        stride = 3 + L[leaf, PRESENT]
    cap = 4
    if e >= 0 and count_of(rows, e) == EXTERNAL:
        o = block_of(rows, e)
        cap = ring[o + CAP]
        held = ring[o + 1] if L[leaf, KIND] == SEQUENCE else ring[o + LEN]
        if held + hits < cap:
            return 0
    total = 0
    while True:
        total += HEADER + 8 + (2 * cap + 1) * stride
        cap *= 2
        if cap > 2 * (hits + INLINE) and total > 0:
            break
    return total


@borrowing
def feed(D: Any, leaf: int, s: int, at: int, event: int, mask: int, value: int, sum_value: int, period: int) -> None:
    """Give an event to a condition.

    Args:
        event: its number in the log. mask: the roles it has. value: bits of the field's value; sum_value: the same in
        millionths; period: the local day (night, week, month) it lies in.
    """
    L = view.L(D[0])
    kind = L[leaf, KIND]
    if (kind == STREAK and not mask & PASSES) or (kind == SEQUENCE and not mask & 1):
        e = find(D, s, leaf)
        if e < 0:
            return
    else:
        e = entry(D, s, leaf)
    if kind == AGGREGATE:
        if L[leaf, FN] == COUNT and L[leaf, OVER] > 0:
            _count(D, leaf, e, at, event)
        else:
            _value(D, leaf, e, at, event, value, sum_value)
    elif kind == STREAK:
        _streak(D, leaf, e, event, mask, period)
    elif kind == SEQUENCE:
        _sequence(D, leaf, e, at, event, mask)
    elif kind == RATIO:
        _ratio(D, leaf, e, at, event, mask)
    elif kind == CHANGE:
        _change(D, leaf, e, at, event, sum_value)


@borrowing
def _count(D: Any, leaf: int, e: int, at: int, event: int) -> None:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    meta = view.meta(D[9])
    cutoff = at - L[leaf, OVER]
    n = count_of(rows, e)
    if n == EXTERNAL:
        o = block_of(rows, e)
        gone = first_after(ring, o, 2, cutoff)
        if gone > 0:
            drop_first(ring, o, gone)
    else:
        kept = 0
        for k in range(n):
            if logt[rows[e, 1 + k]] > cutoff:
                rows[e, 1 + kept] = rows[e, 1 + k]
                kept += 1
        if kept < INLINE:
            rows[e, 1 + kept] = np.uint32(event)
            set_count(rows, e, kept + 1)
            return
        a, b, c = np.int64(rows[e, 1]), np.int64(rows[e, 2]), np.int64(rows[e, 3])
        o = make_block(rows, ring, meta, e, 8, 2, 0)
        ring[o + HEADER], ring[o + HEADER + 1] = logt[a], a
        ring[o + HEADER + 2], ring[o + HEADER + 3] = logt[b], b
        ring[o + HEADER + 4], ring[o + HEADER + 5] = logt[c], c
        ring[o + LEN] = 3
    p = push(rows, ring, meta, e, o, 2)
    ring[p], ring[p + 1] = at, event


@borrowing
def _value(D: Any, leaf: int, e: int, at: int, event: int, value: int, sum_value: int) -> None:
    """Aggregates of values, and counts without a window of time. Items: time, event, value (and running total)."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    stride, fn = L[leaf, STRIDE], L[leaf, FN]
    o = block_of(rows, e)
    if o < 0:
        o = make_block(rows, ring, meta, e, 2, stride, 0)
    over, last = L[leaf, OVER], L[leaf, LAST]
    if over > 0:
        gone = first_after(ring, o, stride, at - over)
        if gone > 0:
            drop_first(ring, o, gone)
    ring[o + N] += 1
    n = ring[o + LEN]
    if over == 0 and last == 0 and (fn == MIN or fn == MAX):
        if n == 1:
            held = as_float(ring[item(ring, o, 0, stride) + 2])
            new = as_float(value)
            if (new < held) if fn == MAX else (new > held):
                return
            drop_first(ring, o, 1)
    elif fn == NEWEST:
        drop_first(ring, o, n)
    elif last > 0:
        if n == last:
            drop_first(ring, o, 1)
    elif over == 0 and n == EVIDENCE:
        drop_first(ring, o, 1)
    adds = fn == SUM or fn == AVG
    n = ring[o + LEN]
    total = ring[item(ring, o, n - 1, stride) + 3] if adds and n > 0 else 0
    p = push(rows, ring, meta, e, o, stride)
    ring[p], ring[p + 1] = at, event
    if adds:
        ring[p + 2], ring[p + 3] = sum_value, total + sum_value
        o = block_of(rows, e)
        ring[o + X0] += sum_value
        if sum_value < 0:
            ring[o + X1] += 1
    elif stride > 2:
        ring[p + 2] = value


@borrowing
def _ratio(D: Any, leaf: int, e: int, at: int, event: int, mask: int) -> None:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    o = block_of(rows, e)
    if o < 0:
        o = make_block(rows, ring, meta, e, 4, 4, 0)
    over, last = L[leaf, OVER], L[leaf, LAST]
    if over > 0:
        gone = first_after(ring, o, 4, at - over)
        if gone > 0:
            drop_first(ring, o, gone)
    elif last == 0 and ring[o + LEN] == EVIDENCE:
        drop_first(ring, o, 1)
    of, per = ring[o + X0], ring[o + X1]
    p = push(rows, ring, meta, e, o, 4)
    o = block_of(rows, e)
    ring[p], ring[p + 1], ring[p + 2], ring[p + 3] = at, event, of, per
    if mask & OF:
        ring[o + X0] = of + 1
    if mask & PER_SIDE:
        ring[o + X1] = per + 1
    if last > 0 and ring[o + X1] >= last:
        drop_first(ring, o, ratio_start(ring, o, last))


@borrowing
def _change(D: Any, leaf: int, e: int, at: int, event: int, sum_value: int) -> None:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    o = block_of(rows, e)
    if o < 0:
        o = make_block(rows, ring, meta, e, 4, 4, 0)
    gone = first_after(ring, o, 4, at - L[leaf, OVER])
    if gone > 0:
        drop_first(ring, o, gone)
    one = 1 if L[leaf, FN] == COUNT else sum_value
    n = ring[o + LEN]
    total = ring[item(ring, o, n - 1, 4) + 3] if n > 0 else 0
    p = push(rows, ring, meta, e, o, 4)
    ring[p], ring[p + 1], ring[p + 2], ring[p + 3] = at, event, one, total + one


@borrowing
def _streak(D: Any, leaf: int, e: int, event: int, mask: int, period: int) -> None:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    if mask & WITHOUT or (mask & OF_TYPE and not mask & PASSES):
        if count_of(rows, e) == EXTERNAL:
            o = block_of(rows, e)
            ring[o + X0] = 0
            drop_first(ring, o, ring[o + LEN])
        else:
            set_count(rows, e, 0)
        return
    if not mask & PASSES:
        return
    n, keep = count_of(rows, e), L[leaf, KEEP]
    if n != EXTERNAL:
        if L[leaf, PER] < 0 and L[leaf, TIMES] <= INLINE and n + 1 < EXTERNAL:
            held = min(n, keep)
            if held == keep:
                for k in range(1, keep):
                    rows[e, k] = rows[e, k + 1]
                held -= 1
            rows[e, 1 + held] = np.uint32(event)
            set_count(rows, e, n + 1)
            return
        a, b, c = np.int64(rows[e, 1]), np.int64(rows[e, 2]), np.int64(rows[e, 3])
        held = min(n, keep)
        o = make_block(rows, ring, meta, e, 4, 1, 0)
        ring[o + HEADER], ring[o + HEADER + 1], ring[o + HEADER + 2] = a, b, c
        ring[o + LEN], ring[o + X0] = held, n
    o = block_of(rows, e)
    if L[leaf, PER] >= 0:
        if ring[o + X0] > 0 and period == ring[o + X1]:
            return
        if ring[o + X0] > 0 and period != ring[o + X1] + 1:
            ring[o + X0] = 0
            drop_first(ring, o, ring[o + LEN])
        ring[o + X1] = period
    ring[o + X0] += 1
    if ring[o + LEN] == keep:
        drop_first(ring, o, 1)
    p = push(rows, ring, meta, e, o, 1)
    ring[p] = event


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
    for j in range(GAP[g, ABSENT0], GAP[g, ABSENT0] + GAP[g, ABSENTS]):
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
    free = NEVER
    if GAP[g, WITHIN] < 0 and GAP[g, RULES] == 0:
        free = 0
        for j in range(GAP[g, ABSENT0], GAP[g, ABSENT0] + GAP[g, ABSENTS]):
            free = max(free, ABS[j, 1])
    k = 0
    while k < ring[o + 1]:
        a = base + k * stride
        if ring[a] != gap:
            k += 1
            continue
        if GAP[g, WITHIN] >= 0:
            if ring[a + 1] + GAP[g, WITHIN] >= at:
                return
            _remove(ring, o, base, stride, k)
            continue
        if free == NEVER:
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
def _sequence(D: Any, leaf: int, e: int, at: int, event: int, mask: int) -> None:
    """Runs are records (gap, since, begun, events). An event ends those it is forbidden to, moves those that wait for it
    by one step, then opens one."""
    L = view.L(D[0])
    GAP = view.GAP(D[3])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    present = L[leaf, PRESENT]
    stride = 3 + present
    o = block_of(rows, e)
    if o < 0:
        if not mask & 1 or L[leaf, CLOSED] == 1:
            return
        o = _open(D, e, 2, present)
    before = ring[o + 1]
    base = o + HEADER + present
    for gap in range(L[leaf, NGAP] - 1, -1, -1):
        g = L[leaf, GAP0] + gap
        if _last_of(ring, o, base, stride, gap) < 0:
            continue
        prune(D, o, base, stride, gap, g, at)
        _forbid(D, o, base, stride, gap, g, at, mask)
        k = _last_of(ring, o, base, stride, gap)
        if k < 0 or GAP[g, THEN] < 0 or not (mask >> GAP[g, THEN]) & 1:
            continue
        begun = ring[base + k * stride + 2]
        if gap + 1 == L[leaf, NGAP]:
            ring[o + 2], ring[o + 3] = at, begun
            for j in range(gap + 1):
                ring[o + HEADER + j] = ring[base + k * stride + 3 + j]
            ring[o + HEADER + gap + 1] = event
            _clear(ring, o, base, stride, gap)
            continue
        # The moved run takes the place of the one it was, at the end.
        spare = ring[o + CAP] * stride + base
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
    if mask & 1 and L[leaf, CLOSED] == 0:
        _enter(D, o, base, stride, 0, L[leaf, GAP0], at)
        if ring[o + 1] == ring[o + CAP]:
            p = _open(D, e, 2 * ring[o + CAP], present)
            for w in range(1, HEADER + present + ring[o + 1] * stride):
                ring[p + w] = ring[o + w]
            leave_block(ring, meta, o, HEADER + present + (ring[p + CAP] // 2 + 1) * stride)
            o = p
            base = o + HEADER + present
        a = base + ring[o + 1] * stride
        ring[a], ring[a + 1], ring[a + 2], ring[a + 3] = 0, at, at, event
        ring[o + 1] += 1
    L[leaf, WAITING] += ring[o + 1] - before


@borrowing
def _open(D: Any, e: int, cap: int, present: int) -> int:
    """A new block for runs, with one record to spare."""
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    o = make_block(rows, ring, meta, e, cap, 3 + present, present + 3 + present)
    ring[o + 2] = NEVER
    return o


@borrowing
def _enter(D: Any, o: int, base: int, stride: int, gap: int, g: int, at: int) -> None:
    """Make way for a run that begins to wait at a gap now: a newer one that always fares at least as well replaces all
    others; of two that begin at one instant the later stays."""
    GAP = view.GAP(D[3])
    ring = view.ring(D[6])
    if GAP[g, RULES] == 1:
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
    if o < 0 or L[leaf, DEADLINE] < 0:
        return
    present = L[leaf, PRESENT]
    stride, base, gap = 3 + present, o + HEADER + present, L[leaf, NGAP] - 1
    k = 0
    while k < ring[o + 1]:
        a = base + k * stride
        if ring[a] != gap:
            k += 1
            continue
        if ring[a + 1] + L[leaf, DEADLINE] > at:
            return
        ring[o + 2], ring[o + 3] = ring[a + 1] + L[leaf, DEADLINE], ring[a + 2]
        for j in range(present):
            ring[o + HEADER + j] = ring[a + 3 + j]
        _remove(ring, o, base, stride, k)
        L[leaf, WAITING] -= 1
