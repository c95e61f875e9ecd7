"""Steps of the loop: which filters an event passes, whether its value can be kept, what a tree is worth, and timers."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.filters import bit_place
from strategy.columnar.memory import borrowing, compiled
from strategy.columnar.runs import settle
from strategy.columnar.state import block_of, count_of, entry, heap_push, place_of, set_count, set_word, word_of
from strategy.columnar.truth import completes, due, truth

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@borrowing
def match(
    CH: Any,
    CF: Any,
    POOL: Any,
    CHECK: Any,
    TESTS: Any,
    SPANS: Any,
    ch: int,
    cells: Any,
    numbers: Any,
    kinds: Any,
    r: int,
    found: Any,
) -> int:
    """The positions of the filters that an event passes, in `found`; how many. `found` has room for all there are."""
    words, live, first, fields = CH[ch, 0], CH[ch, 1], CH[ch, 2], CH[ch, 3]
    n = 0
    for k in range(words):
        bits = POOL[live + k]
        for f in range(first, first + fields):
            if bits == _ZERO:
                break
            bits &= POOL[CF[f, 3] + cells[r, CF[f, 0]] * words + k] | POOL[CF[f, 4] + k]
        while bits != _ZERO:
            lowest = bits & (~bits + _ONE)
            bits ^= lowest
            found[n] = (k << 6) + bit_place(lowest)
            n += 1
    if CH[ch, 5] == 0:
        return n
    kept = 0
    for j in range(n):
        if passes_checks(CHECK, TESTS, SPANS, CH[ch, 4] + found[j], numbers, kinds, r):
            found[kept] = found[j]
            kept += 1
    return kept


@borrowing
def passes_checks(CHECK: Any, TESTS: Any, SPANS: Any, position: int, numbers: Any, kinds: Any, r: int) -> bool:
    """The comparisons with numbers that the cells are too coarse for."""
    t = CHECK[position]
    while t >= 0:
        column = TESTS[t, 0]
        if kinds[r, column] == c.V_NUMBER:
            value = numbers[r, column]
            inside = False
            for j in range(TESTS[t, 1], TESTS[t, 1] + TESTS[t, 2]):
                if SPANS[j, 0] <= value <= SPANS[j, 1]:
                    inside = True
                    break
            if not inside:
                return False
        t = TESTS[t, 3]
    return True


@borrowing
def judge_tree(D: Any, first: int, last: int, which: int, stack: Any) -> int:
    """Three-valued truth of a tree, from the truths its conditions have in a column of the table."""
    L = view.L(D[0])
    TREE = view.TREE(D[11])
    n = 0
    k = first
    while k < last:
        code = TREE[k]
        if code >= 0:
            stack[n] = L[code, which]
            n += 1
        elif code == c.NOT:
            stack[n - 1] = 2 - stack[n - 1]
        else:
            k += 1
            parts = TREE[k]
            worth = stack[n - 1]
            for j in range(n - parts, n - 1):
                worth = min(worth, stack[j]) if code == c.ALL else max(worth, stack[j])
            n -= parts - 1
            stack[n - 1] = worth
        k += 1
    return stack[0]


@borrowing
def ask(D: Any, first: int, last: int, s: int, t: int, group: int, out: Any) -> None:
    """Find the truths, before and at the instant, of a tree's conditions that nothing touched."""
    L = view.L(D[0])
    TREE = view.TREE(D[11])
    k = first
    while k < last:
        code = TREE[k]
        if code >= 0:
            if L[code, c.STAMP] != group:
                L[code, c.STAMP] = group
                L[code, c.TB] = truth(D, code, s, t - 1, out)
                if L[code, c.KIND] == c.SEQUENCE:
                    e = place_of(D, s, code)
                    if e >= 0:
                        settle(D, code, e, t)
                    L[code, c.TA] = completes(D, code, s, t)
                else:
                    L[code, c.TA] = truth(D, code, s, t, out)
        elif code != c.NOT:
            k += 1
        k += 1


@borrowing
def completing(D: Any, first: int, last: int) -> bool:
    L = view.L(D[0])
    TREE = view.TREE(D[11])
    k = first
    while k < last:
        code = TREE[k]
        if code >= 0:
            if L[code, c.KIND] == c.SEQUENCE and L[code, c.TA] == c.TRUE:
                return True
        elif code != c.NOT:
            k += 1
        k += 1
    return False


@borrowing
def arm(D: Any, leaf: int, s: int, t: int, out: Any) -> None:
    """Ask to be woken when time alone may change a condition. An earlier timer stays: it asks again."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    meta = view.meta(D[9])
    heap = view.heap(D[10])
    if L[leaf, c.WAKE] == c.FALLING and (L[leaf, c.BEGIN] == c.ALWAYS_LATER or t >= L[leaf, c.BEGIN] + L[leaf, c.OVER]):
        # Nothing below zero has come and history is full, so that the sum can only fall as time goes by.
        e = place_of(D, s, leaf)
        if e < 0 or block_of(rows, e) < 0 or ring[block_of(rows, e) + c.X1] == 0:
            return
    moment = due(D, leaf, s, t, out)
    if moment == c.NEVER:
        return
    e = entry(D, s, leaf | c.TIMER)
    if count_of(rows, e) == 0 or moment < word_of(rows, e):
        set_count(rows, e, 1)
        set_word(rows, e, moment)
        heap_push(heap, meta[c.HEAP_N], moment, (s << 32) | leaf)
        meta[c.HEAP_N] += 1


@compiled
def arm_all(D: Any, leaves: Any, kinds: Any, kind: int, subjects: int, t: int) -> None:
    """Arm conditions for every known subject of a kind; the caller has made room. What came due until `t` is over."""
    L = view.L(D[0])
    subj = view.subj(D[8])
    out = np.zeros(8, np.int64)
    for s in range(subjects):
        if kinds[s] == kind and subj[s, c.KNOWN] != c.NEVER:
            for leaf in leaves:
                if L[leaf, c.KIND] == c.SEQUENCE:
                    e = place_of(D, s, leaf)
                    if e >= 0:
                        settle(D, leaf, e, t)
                arm(D, leaf, s, t, out)


@borrowing
def unfit(D: Any, leaf: int, e: int, hits: int, kind: int, sum_value: int) -> int:
    """Whether a hit counts (0), does not (1: no usable value), or needs numbers larger than these (2)."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    fn = L[leaf, c.FN]
    if kind == c.V_NONE:
        return 1
    if L[leaf, c.KIND] == c.AGGREGATE and (fn == c.DISTINCT or fn == c.NEWEST):
        return 2 if kind == c.V_HUGE else 0
    if fn == c.COUNT:
        return 0
    if kind == c.V_HUGE:
        return 2
    if kind != c.V_NUMBER:
        return 1
    if fn != c.SUM and fn != c.AVG:
        return 0
    if sum_value == c.NEVER:
        return 2
    L[leaf, c.LARGEST] = max(L[leaf, c.LARGEST], abs(sum_value))
    held = 0
    if e >= 0:
        o = block_of(rows, e)
        if o >= 0:
            held = max(ring[o + c.LEN], ring[o + c.N])
    return 2 if (held + hits + 1) > (1 << 62) // max(L[leaf, c.LARGEST], 1) else 0
