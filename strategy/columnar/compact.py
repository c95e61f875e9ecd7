"""Memory made compact: what no result can depend on any more is left out, blocks are made to fit, and events that nothing
refers to leave the log."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar.memory import borrowing
from strategy.columnar.state import block_of, count_of, first_after, item, room_of, set_count, set_word


@borrowing
def _first_kept(L: Any, ring: Any, leaf: int, o: int, closed: int) -> int:
    over = L[leaf, c.OVER]
    return first_after(ring, o, L[leaf, c.STRIDE], closed - over) if over > 0 else 0


@borrowing
def _keeps(L: Any, rows: Any, ring: Any, logt: Any, e: int, alive: Any, names: Any, closed: int) -> bool:
    """Whether an entry can still make a difference."""
    tag = np.int64(rows[e, 0]) & c.TAG
    n = count_of(rows, e)
    if tag & c.COOLDOWN:
        return n == 1 and names[tag & ~c.COOLDOWN] == 1
    if tag & c.TIMER:
        return n == 1 and alive[tag & ~c.TIMER] == 1
    if alive[tag] == 0:
        return False
    kind = L[tag, c.KIND]
    if kind == c.FACT:
        return np.int64(rows[e, 1]) != L[tag, c.DEFAULT]
    if n != c.EXTERNAL:
        if kind == c.STREAK:
            return n > 0
        for k in range(n):
            if logt[rows[e, 1 + k]] > closed - L[tag, c.OVER]:
                return True
        return False
    o = block_of(rows, e)
    if kind == c.SEQUENCE:
        return ring[o + 1] > 0
    if kind == c.STREAK:
        return ring[o + c.X0] > 0
    return L[tag, c.OVER] == 0 or ring[o + c.LEN] > _first_kept(L, ring, tag, o, closed)


@borrowing
def compact(
    L: Any,
    subj: Any,
    subjects: int,
    rows: Any,
    ring: Any,
    logt: Any,
    meta: Any,
    alive: Any,
    names: Any,
    closed: int,
    new_rows: Any,
    new_ring: Any,
    used: Any,
) -> None:
    """Copy what is kept to fresh arrays (large enough), and mark in `used` the events that are referred to."""
    top, base = 0, 0
    for s in range(subjects):
        first, n = subj[s, c.ROW], subj[s, c.ENTRIES]
        kept = 0
        for e in range(first, first + n):
            if _keeps(L, rows, ring, logt, e, alive, names, closed):
                kept += 1
        room = room_of(kept)
        at = top
        for e in range(first, first + n):
            if not _keeps(L, rows, ring, logt, e, alive, names, closed):
                continue
            for w in range(4):
                new_rows[at, w] = rows[e, w]
            tag = np.int64(rows[e, 0]) & c.TAG
            if tag & (c.TIMER | c.COOLDOWN) == 0 and L[tag, c.KIND] != c.FACT:
                base = _copy(L, rows, ring, logt, e, tag, closed, new_rows, at, new_ring, base, used)
            at += 1
        subj[s, c.ROW], subj[s, c.ENTRIES], subj[s, c.ROOM] = top, kept, room
        top += room
    meta[c.ROWS_TOP], meta[c.RING_TOP] = top, base
    for k in range(c.FREE_ROWS, len(meta)):
        meta[k] = 0


@borrowing
def _copy(
    L: Any,
    rows: Any,
    ring: Any,
    logt: Any,
    e: int,
    leaf: int,
    closed: int,
    new_rows: Any,
    at: int,
    new_ring: Any,
    base: int,
    used: Any,
) -> int:
    """Copy an entry's block, as small as may be; where the next one goes."""
    kind, n = L[leaf, c.KIND], count_of(rows, e)
    if n != c.EXTERNAL:
        if kind == c.STREAK:
            for k in range(min(n, L[leaf, c.TIMES])):
                used[rows[e, 1 + k]] = 1
            return base
        kept = 0
        for k in range(n):
            if logt[rows[e, 1 + k]] > closed - L[leaf, c.OVER]:
                new_rows[at, 1 + kept] = rows[e, 1 + k]
                used[rows[e, 1 + k]] = 1
                kept += 1
        for k in range(kept, c.INLINE):
            new_rows[at, 1 + k] = 0
        set_count(new_rows, at, kept)
        return base
    o = block_of(rows, e)
    if kind == c.SEQUENCE:
        present = L[leaf, c.PRESENT]
        stride = 3 + present
        cap = 2
        while cap < ring[o + 1]:
            cap *= 2
        for w in range(c.HEADER + present + ring[o + 1] * stride):
            new_ring[base + w] = ring[o + w]
        new_ring[base + c.CAP] = cap
        new_ring[base + 2] = -(2**63)
        for j in range(present):
            new_ring[base + c.HEADER + j] = 0
        for k in range(ring[o + 1]):
            a = base + c.HEADER + present + k * stride
            for j in range(new_ring[a] + 1):
                used[new_ring[a + 3 + j]] = 1
            for j in range(new_ring[a] + 1, present):
                new_ring[a + 3 + j] = 0
        set_word(new_rows, at, base)
        return base + c.HEADER + present + (cap + 1) * stride
    stride = L[leaf, c.STRIDE]
    first = 0 if kind == c.STREAK else _first_kept(L, ring, leaf, o, closed)
    held = ring[o + c.LEN] - first
    number = 0 if kind == c.STREAK else 1
    if kind == c.AGGREGATE and L[leaf, c.FN] == c.COUNT and L[leaf, c.OVER] > 0 and held <= c.INLINE:
        for k in range(c.INLINE):
            new_rows[at, 1 + k] = 0
        for k in range(held):
            event = ring[item(ring, o, first + k, stride) + number]
            new_rows[at, 1 + k] = np.uint32(event)
            used[event] = 1
        set_count(new_rows, at, held)
        return base
    cap = 4
    while cap < held:
        cap *= 2
    for w in range(c.HEADER):
        new_ring[base + w] = ring[o + w]
    new_ring[base + c.CAP], new_ring[base + c.HEAD], new_ring[base + c.LEN] = cap, 0, held
    for k in range(held):
        a = item(ring, o, first + k, stride)
        for w in range(stride):
            new_ring[base + c.HEADER + k * stride + w] = ring[a + w]
        used[ring[a + number]] = 1
    for w in range(base + c.HEADER + held * stride, base + c.HEADER + cap * stride):
        new_ring[w] = 0
    set_word(new_rows, at, base)
    return base + c.HEADER + cap * stride


@borrowing
def renumber(L: Any, subj: Any, subjects: int, rows: Any, ring: Any, numbers: Any) -> None:
    """Give events their new numbers wherever they are referred to."""
    for s in range(subjects):
        for e in range(subj[s, c.ROW], subj[s, c.ROW] + subj[s, c.ENTRIES]):
            tag = np.int64(rows[e, 0]) & c.TAG
            if tag & (c.TIMER | c.COOLDOWN) != 0 or L[tag, c.KIND] == c.FACT:
                continue
            n, kind = count_of(rows, e), L[tag, c.KIND]
            if n != c.EXTERNAL:
                held = min(n, L[tag, c.TIMES]) if kind == c.STREAK else n
                for k in range(held):
                    rows[e, 1 + k] = np.uint32(numbers[rows[e, 1 + k]])
                continue
            o = block_of(rows, e)
            if kind == c.SEQUENCE:
                present = L[tag, c.PRESENT]
                for k in range(ring[o + 1]):
                    a = o + c.HEADER + present + k * (3 + present)
                    for j in range(ring[a] + 1):
                        ring[a + 3 + j] = numbers[ring[a + 3 + j]]
                continue
            stride = L[tag, c.STRIDE]
            number = 0 if kind == c.STREAK else 1
            for k in range(ring[o + c.LEN]):
                a = item(ring, o, k, stride) + number
                ring[a] = numbers[ring[a]]
