"""What an event does to the state of a condition. Room for everything has been made before; see `need` for how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.memory import borrowing
from strategy.columnar.runs import follow
from strategy.columnar.state import (
    block_of,
    count_of,
    drop_first,
    expire,
    item,
    made,
    make_block,
    place_of,
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
    stride = L[leaf, c.STRIDE]
    if L[leaf, c.KIND] == c.SEQUENCE:
        stride = 3 + L[leaf, c.PRESENT]
    cap = 4
    if e >= 0 and count_of(rows, e) == c.EXTERNAL:
        o = block_of(rows, e)
        cap = ring[o + c.CAP]
        held = ring[o + 1] if L[leaf, c.KIND] == c.SEQUENCE else ring[o + c.LEN]
        if held + hits < cap:
            return 0
    total = 0
    while True:
        total += c.HEADER + 8 + (2 * cap + 1) * stride
        cap *= 2
        if cap > 2 * (hits + c.INLINE) and total > 0:
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
    kind = L[leaf, c.KIND]
    if (kind == c.STREAK and not mask & c.PASSES) or (kind == c.SEQUENCE and not mask & 1):
        e = place_of(D, s, leaf)
        if e < 0:
            return
    else:
        e = place_of(D, s, leaf)
        if e < 0:
            e = made(D, s, leaf, e)
    if kind == c.AGGREGATE:
        if L[leaf, c.FN] == c.COUNT and L[leaf, c.OVER] > 0:
            _count(D, leaf, e, at, event)
        else:
            _value(D, leaf, e, at, event, value, sum_value)
    elif kind == c.STREAK:
        _streak(D, leaf, e, event, mask, period)
    elif kind == c.SEQUENCE:
        follow(D, leaf, e, at, event, mask)
    elif kind == c.RATIO:
        _ratio(D, leaf, e, at, event, mask)
    elif kind == c.CHANGE:
        _change(D, leaf, e, at, event, sum_value)


@borrowing
def _count(D: Any, leaf: int, e: int, at: int, event: int) -> None:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    logt = view.logt(D[7])
    meta = view.meta(D[9])
    cutoff = at - L[leaf, c.OVER]
    n = count_of(rows, e)
    if n == c.EXTERNAL:
        o = block_of(rows, e)
        expire(ring, o, 2, cutoff)
    else:
        kept = 0
        for k in range(n):
            if logt[rows[e, 1 + k]] > cutoff:
                rows[e, 1 + kept] = rows[e, 1 + k]
                kept += 1
        if kept < c.INLINE:
            rows[e, 1 + kept] = np.uint32(event)
            set_count(rows, e, kept + 1)
            return
        one, two, three = np.int64(rows[e, 1]), np.int64(rows[e, 2]), np.int64(rows[e, 3])
        o = make_block(rows, ring, meta, e, 8, 2, 0)
        ring[o + c.HEADER], ring[o + c.HEADER + 1] = logt[one], one
        ring[o + c.HEADER + 2], ring[o + c.HEADER + 3] = logt[two], two
        ring[o + c.HEADER + 4], ring[o + c.HEADER + 5] = logt[three], three
        ring[o + c.LEN] = 3
    p = push(rows, ring, meta, e, o, 2)
    ring[p], ring[p + 1] = at, event


@borrowing
def _value(D: Any, leaf: int, e: int, at: int, event: int, value: int, sum_value: int) -> None:
    """Aggregates of values, and counts without a window of time. Items: time, event, value (and running total)."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    stride, fn = L[leaf, c.STRIDE], L[leaf, c.FN]
    o = block_of(rows, e)
    if o < 0:
        o = make_block(rows, ring, meta, e, 2, stride, 0)
    over, last = L[leaf, c.OVER], L[leaf, c.LAST]
    if over > 0:
        expire(ring, o, stride, at - over)
    ring[o + c.N] += 1
    n = ring[o + c.LEN]
    if over == 0 and last == 0 and (fn == c.MIN or fn == c.MAX):
        if n == 1:
            held = as_float(ring[item(ring, o, 0, stride) + 2])
            new = as_float(value)
            if (new < held) if fn == c.MAX else (new > held):
                return
            drop_first(ring, o, 1)
    elif fn == c.NEWEST:
        drop_first(ring, o, n)
    elif last > 0:
        if n == last:
            drop_first(ring, o, 1)
    elif over == 0 and n == c.EVIDENCE:
        drop_first(ring, o, 1)
    adds = fn == c.SUM or fn == c.AVG
    n = ring[o + c.LEN]
    total = ring[item(ring, o, n - 1, stride) + 3] if adds and n > 0 else 0
    p = push(rows, ring, meta, e, o, stride)
    ring[p], ring[p + 1] = at, event
    if adds:
        ring[p + 2], ring[p + 3] = sum_value, total + sum_value
        o = block_of(rows, e)
        ring[o + c.X0] += sum_value
        if sum_value < 0:
            ring[o + c.X1] += 1
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
    over, last = L[leaf, c.OVER], L[leaf, c.LAST]
    if over > 0:
        expire(ring, o, 4, at - over)
    elif last == 0 and ring[o + c.LEN] == c.EVIDENCE:
        drop_first(ring, o, 1)
    of, per = ring[o + c.X0], ring[o + c.X1]
    p = push(rows, ring, meta, e, o, 4)
    o = block_of(rows, e)
    ring[p], ring[p + 1], ring[p + 2], ring[p + 3] = at, event, of, per
    if mask & c.OF:
        ring[o + c.X0] = of + 1
    if mask & c.PER_SIDE:
        ring[o + c.X1] = per + 1
    if last > 0 and ring[o + c.X1] >= last:
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
    expire(ring, o, 4, at - L[leaf, c.OVER])
    one = 1 if L[leaf, c.FN] == c.COUNT else sum_value
    n = ring[o + c.LEN]
    total = ring[item(ring, o, n - 1, 4) + 3] if n > 0 else 0
    p = push(rows, ring, meta, e, o, 4)
    ring[p], ring[p + 1], ring[p + 2], ring[p + 3] = at, event, one, total + one


@borrowing
def _streak(D: Any, leaf: int, e: int, event: int, mask: int, period: int) -> None:
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    if mask & c.WITHOUT or (mask & c.OF_TYPE and not mask & c.PASSES):
        if count_of(rows, e) == c.EXTERNAL:
            o = block_of(rows, e)
            ring[o + c.X0] = 0
            drop_first(ring, o, ring[o + c.LEN])
        else:
            set_count(rows, e, 0)
        return
    if not mask & c.PASSES:
        return
    n, keep = count_of(rows, e), L[leaf, c.KEEP]
    if n != c.EXTERNAL:
        if L[leaf, c.PER] < 0 and L[leaf, c.TIMES] <= c.INLINE and n + 1 < c.EXTERNAL:
            held = min(n, keep)
            if held == keep:
                for k in range(1, keep):
                    rows[e, k] = rows[e, k + 1]
                held -= 1
            rows[e, 1 + held] = np.uint32(event)
            set_count(rows, e, n + 1)
            return
        one, two, three = np.int64(rows[e, 1]), np.int64(rows[e, 2]), np.int64(rows[e, 3])
        held = min(n, keep)
        o = make_block(rows, ring, meta, e, 4, 1, 0)
        ring[o + c.HEADER], ring[o + c.HEADER + 1], ring[o + c.HEADER + 2] = one, two, three
        ring[o + c.LEN], ring[o + c.X0] = held, n
    o = block_of(rows, e)
    if L[leaf, c.PER] >= 0:
        if ring[o + c.X0] > 0 and period == ring[o + c.X1]:
            return
        if ring[o + c.X0] > 0 and period != ring[o + c.X1] + 1:
            ring[o + c.X0] = 0
            drop_first(ring, o, ring[o + c.LEN])
        ring[o + c.X1] = period
    ring[o + c.X0] += 1
    if ring[o + c.LEN] == keep:
        drop_first(ring, o, 1)
    p = push(rows, ring, meta, e, o, 1)
    ring[p] = event
