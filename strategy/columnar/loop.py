"""The compiled loop: events, changes of facts and due timers of many subjects, instant by instant, to firings with what
was seen at that moment. A group is all that happens to one subject at one instant; it is judged once."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import view
from strategy.columnar.codes import (
    A0,
    AGGREGATE,
    ALL,
    AN,
    AVG,
    COLUMN,
    COOL,
    COOLDOWN,
    COUNT,
    DEMOTE,
    DISTINCT,
    DONE,
    DRAINING,
    ENTRIES,
    EVIDENCE,
    FALLING,
    FN,
    GROUP,
    HAPPENS,
    HEAP_N,
    KIND,
    KNOWN,
    LARGEST,
    LEN,
    LIVE,
    LOG_N,
    MARK,
    MASK,
    MASKED,
    MORE_HEAP,
    MORE_LOG,
    MORE_RING,
    MORE_ROWS,
    NAME,
    NEVER,
    NEWEST,
    NOT,
    O_A,
    O_EV,
    O_EVN,
    PER,
    PULSE,
    RING_TOP,
    ROWS_TOP,
    SEQUENCE,
    STAMP,
    SUM,
    T0,
    TA,
    TB,
    TEXT_TOP,
    TIMER,
    TN,
    TRUE,
    USE,
    V_HUGE,
    V_NONE,
    V_NUMBER,
    V_TEXT,
    WAKE,
    X1,
    N,
)
from strategy.columnar.feed import feed, need, settle
from strategy.columnar.filters import bit_place
from strategy.columnar.memory import borrowing, compiled
from strategy.columnar.state import (
    block_of,
    count_of,
    entry,
    find,
    heap_pop,
    heap_push,
    set_count,
    set_word,
    word_of,
)
from strategy.columnar.truth import completes, due, observe, truth

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
        if kinds[r, column] == V_NUMBER:
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
        elif code == NOT:
            stack[n - 1] = 2 - stack[n - 1]
        else:
            k += 1
            parts = TREE[k]
            worth = stack[n - 1]
            for j in range(n - parts, n - 1):
                worth = min(worth, stack[j]) if code == ALL else max(worth, stack[j])
            n -= parts - 1
            stack[n - 1] = worth
        k += 1
    return stack[0]


@borrowing
def _ask(D: Any, first: int, last: int, s: int, t: int, group: int, out: Any) -> None:
    """Find the truths, before and at the instant, of a tree's conditions that nothing touched."""
    L = view.L(D[0])
    TREE = view.TREE(D[11])
    k = first
    while k < last:
        code = TREE[k]
        if code >= 0:
            if L[code, STAMP] != group:
                L[code, STAMP] = group
                L[code, TB] = truth(D, code, s, t - 1, out)
                if L[code, KIND] == SEQUENCE:
                    e = find(D, s, code)
                    if e >= 0:
                        settle(D, code, e, t)
                    L[code, TA] = completes(D, code, s, t)
                else:
                    L[code, TA] = truth(D, code, s, t, out)
        elif code != NOT:
            k += 1
        k += 1


@borrowing
def _completing(D: Any, first: int, last: int) -> bool:
    L = view.L(D[0])
    TREE = view.TREE(D[11])
    k = first
    while k < last:
        code = TREE[k]
        if code >= 0:
            if L[code, KIND] == SEQUENCE and L[code, TA] == TRUE:
                return True
        elif code != NOT:
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
    if L[leaf, WAKE] == FALLING:
        # Nothing below zero has come, so that the sum can only fall as time goes by.
        e = find(D, s, leaf)
        if e < 0 or block_of(rows, e) < 0 or ring[block_of(rows, e) + X1] == 0:
            return
    moment = due(D, leaf, s, t, out)
    if moment == NEVER:
        return
    e = entry(D, s, leaf | TIMER)
    if count_of(rows, e) == 0 or moment < word_of(rows, e):
        set_count(rows, e, 1)
        set_word(rows, e, moment)
        heap_push(heap, meta[HEAP_N], moment, (s << 32) | leaf)
        meta[HEAP_N] += 1


@compiled
def arm_all(D: Any, leaves: Any, kinds: Any, kind: int, subjects: int, t: int) -> None:
    """Arm conditions for every known subject of a kind; the caller has made room."""
    subj = view.subj(D[8])
    out = np.zeros(8, np.int64)
    for s in range(subjects):
        if kinds[s] == kind and subj[s, KNOWN] != NEVER:
            for leaf in leaves:
                arm(D, leaf, s, t, out)


@compiled
def _grow1(array: Any, need: int) -> Any:
    if need <= len(array):
        return array
    larger = np.empty(max(need, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


@compiled
def _grow2(array: Any, need: int) -> Any:
    if need <= len(array):
        return array
    larger = np.empty((max(need, 2 * len(array)), array.shape[1]), array.dtype)
    larger[: len(array)] = array
    return larger


@borrowing
def unfit(D: Any, leaf: int, e: int, hits: int, kind: int, sum_value: int) -> int:
    """Whether a hit counts (0), does not (1: no usable value), or needs numbers larger than these (2)."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    ring = view.ring(D[6])
    fn = L[leaf, FN]
    if kind == V_NONE:
        return 1
    if L[leaf, KIND] == AGGREGATE and (fn == DISTINCT or fn == NEWEST):
        return 2 if kind == V_HUGE else 0
    if fn == COUNT:
        return 0
    if kind == V_HUGE:
        return 2
    if kind != V_NUMBER:
        return 1
    if fn != SUM and fn != AVG:
        return 0
    if sum_value == NEVER:
        return 2
    L[leaf, LARGEST] = max(L[leaf, LARGEST], abs(sum_value))
    held = 0
    if e >= 0:
        o = block_of(rows, e)
        if o >= 0:
            held = max(ring[o + LEN], ring[o + N])
    return 2 if (held + hits + 1) > (1 << 62) // max(L[leaf, LARGEST], 1) else 0


@compiled
def run(
    D: Any, L: Any, V: Any, VF: Any, GAP: Any, ABS: Any, ST: Any, TREE: Any, USES: Any, NODES: Any,
    CH: Any, CF: Any, POOL: Any, POS: Any, CHECK: Any, TESTS: Any, SPANS: Any, RK: Any, RL: Any, WK: Any, WL: Any,
    subj: Any, skind: Any, rows: Any, ring: Any, logt: Any, logs: Any, logtext: Any, heap: Any, meta: Any,
    it_time: Any, it_subj: Any, it_what: Any, marks: Any,
    chan: Any, cells: Any, vkind: Any, value: Any, number: Any, sums: Any, periods: Any,
    own: Any, text: Any, id_at: Any, id_len: Any,
    start: int, closed: int, silent: bool, only: int, cooled: int, width: int,
) -> Any:  # fmt: skip
    """Everything from item `start` on, and timers up to `closed`.

    Args:
        it_*: items by (time, subject), at one instant facts before events, events by (id, source). it_what: an event's
            row, or -1 - m for mark m: (condition, its new truth), (-1, _) the subject is named, (-2, _) history begins.
        silent: change state, fire nothing, wake nobody; `only`: conditions from that number on alone.
        cooled: how many strategies have a cooldown. width: the most filters a channel has.

    Returns:
        (next item, why it came back, which condition, firings n x 4 (strategy, subject, at, first record), how many,
        records, how many, evidence, how many). State is as it was before the item that is next.
    """
    fires = np.empty((64, 4), np.int64)
    obs = np.empty((256, 8), np.int64)
    evidence = np.empty(1024, np.int64)
    n_fires, n_obs, n_ev = 0, 0, 0
    hits = np.empty((256, 3), np.int64)
    touched = np.empty(256, np.int64)
    wanted = np.empty(256, np.int64)
    woken = np.empty(64, np.int64)
    numbers_of = np.empty(64, np.int64)
    found = np.empty(max(width, 1), np.int64)
    stack = np.empty(256, np.int64)
    out = np.zeros(8, np.int64)
    i, total = start, len(it_time)
    status, info = DONE, -1
    while True:
        has_item = i < total
        has_timer = not silent and meta[HEAP_N] > 0 and heap[0, 0] <= closed
        if not has_item and not has_timer:
            break
        if has_item:
            t, s = it_time[i], it_subj[i]
        if has_timer and (not has_item or heap[0, 0] < t or (heap[0, 0] == t and (heap[0, 1] >> 32) < s)):
            t, s = heap[0, 0], heap[0, 1] >> 32
            end = i
            # A timer that was replaced by another does not wake anybody.
            e = find(D, s, (heap[0, 1] & 0xFFFFFFFF) | TIMER)
            if e < 0 or count_of(rows, e) == 0 or word_of(rows, e) != t:
                heap_pop(heap, meta[HEAP_N])
                meta[HEAP_N] -= 1
                continue
        else:
            end = i
            while end < total and it_time[end] == t and it_subj[end] == s:
                end += 1
        meta[GROUP] += 1
        group = meta[GROUP]
        n_touched, n_hits, n_wanted, n_woken = 0, 0, 0, 0

        # What this group touches, and what that was worth just before it. Nothing changes yet.
        ring_need, text_need, events = 0, 0, 0
        for j in range(i, end):
            r = it_what[j]
            if r < 0:
                leaf = marks[-1 - r, 0]
                if leaf >= 0 and L[leaf, STAMP] != group:
                    L[leaf, STAMP] = group
                    L[leaf, TB] = truth(D, leaf, s, t - 1, out)
                    touched = _grow1(touched, n_touched + 1)
                    touched[n_touched] = leaf
                    n_touched += 1
                continue
            events += 1
            text_need += id_len[r]
            ch = chan[r]
            if ch < 0:
                continue
            n_found = match(CH, CF, POOL, CHECK, TESTS, SPANS, ch, cells, number, vkind, r, found)
            for k in range(n_found):
                node = POS[CH[ch, 4] + found[k]]
                while node >= 0:
                    leaf = NODES[node, 0]
                    role = NODES[node, 1]
                    node = NODES[node, 2]
                    if leaf < only:
                        continue
                    e = -1
                    column = L[leaf, COLUMN]
                    kind = L[leaf, KIND]
                    if kind != HAPPENS:
                        e = find(D, s, leaf)
                        if column >= 0:
                            fit = unfit(D, leaf, e, end - i, vkind[r, column], sums[r, column])
                            if fit == 1:
                                continue
                            if fit == 2:
                                info, status = leaf, DEMOTE
                    if L[leaf, STAMP] != group:
                        L[leaf, STAMP] = group
                        L[leaf, TB] = truth(D, leaf, s, t - 1, out)
                        touched = _grow1(touched, n_touched + 1)
                        touched[n_touched] = leaf
                        n_touched += 1
                        if kind != HAPPENS:
                            ring_need += need(D, leaf, e, end - i)
                    hits = _grow2(hits, n_hits + 1)
                    hits[n_hits, 0] = j - i
                    hits[n_hits, 1] = leaf
                    hits[n_hits, 2] = role
                    n_hits += 1
        if status == DEMOTE:
            break
        named = subj[s, KNOWN] == NEVER
        kind = skind[s]
        wakers = WK[kind, 1] if kind >= 0 else 0
        entries = subj[s, ENTRIES] + 2 * n_touched + wakers + cooled + 4
        if meta[ROWS_TOP] + 6 * entries + 32 > len(rows):
            status = MORE_ROWS
        elif meta[RING_TOP] + ring_need + 64 > len(ring):
            status = MORE_RING
        elif meta[HEAP_N] + n_touched + wakers + 4 > len(heap):
            status = MORE_HEAP
        elif meta[LOG_N] + events + 1 > len(logt) or meta[TEXT_TOP] + text_need > len(logtext):
            status = MORE_LOG
        if status != DONE:
            break

        # Timers of this subject at this instant.
        while not silent and meta[HEAP_N] > 0 and heap[0, 0] == t and heap[0, 1] >> 32 == s:
            leaf = heap[0, 1] & 0xFFFFFFFF
            heap_pop(heap, meta[HEAP_N])
            meta[HEAP_N] -= 1
            e = find(D, s, leaf | TIMER)
            if e < 0 or count_of(rows, e) == 0 or word_of(rows, e) != t:
                continue
            set_count(rows, e, 0)
            woken = _grow1(woken, n_woken + 1)
            woken[n_woken] = leaf
            n_woken += 1
            if L[leaf, STAMP] != group:
                L[leaf, STAMP] = group
                L[leaf, TB] = truth(D, leaf, s, t - 1, out)
                touched = _grow1(touched, n_touched + 1)
                touched[n_touched] = leaf
                n_touched += 1

        # Apply it.
        if named:
            subj[s, KNOWN] = t
        begins = named
        numbers_of = _grow1(numbers_of, end - i)
        h = 0
        for j in range(i, end):
            r = it_what[j]
            if r < 0:
                leaf, worth = marks[-1 - r, 0], marks[-1 - r, 1]
                if leaf >= 0:
                    e = entry(D, s, leaf)
                    rows[e, 1] = np.uint32(worth)
                elif leaf == -2:
                    begins = True
                continue
            numbers_of[j - i] = -1
            first = h
            while h < n_hits and hits[h, 0] == j - i:
                leaf = hits[h, 1]
                if L[leaf, MASKED] != group or L[leaf, MASK] >> 60 != 0:
                    L[leaf, MASKED] = group
                    L[leaf, MASK] = 0
                L[leaf, MASK] |= hits[h, 2]
                h += 1
            for k in range(first, h):
                leaf = hits[k, 1]
                mask = L[leaf, MASK]
                if L[leaf, KIND] == HAPPENS or mask >> 60 != 0:
                    continue
                if numbers_of[j - i] < 0:
                    numbers_of[j - i] = _log(logt, logs, logtext, meta, t, text, id_at[r], id_len[r])
                column, per = L[leaf, COLUMN], L[leaf, PER]
                feed(D, leaf, s, t, numbers_of[j - i], mask, value[r, column] if column >= 0 else V_TEXT + own[r], sums[r, column] if column >= 0 else 0, periods[r, per] if per >= 0 else 0)  # fmt: skip
                L[leaf, MASK] = 1 << 60

        # What has changed, and whom that concerns.
        for k in range(n_touched):
            leaf = touched[k]
            kind_of = L[leaf, KIND]
            if kind_of == HAPPENS:
                worth = TRUE
            elif kind_of == SEQUENCE:
                e = find(D, s, leaf)
                if e >= 0:
                    settle(D, leaf, e, t)
                worth = completes(D, leaf, s, t)
            else:
                worth = truth(D, leaf, s, t, out)
            L[leaf, TA] = worth
            if worth != L[leaf, TB] or (L[leaf, PULSE] == 1 and worth == TRUE):
                use = L[leaf, USE]
                while use >= 0:
                    st = USES[use, 0]
                    use = USES[use, 1]
                    if ST[st, MARK] != group:
                        ST[st, MARK] = group
                        wanted = _grow1(wanted, n_wanted + 1)
                        wanted[n_wanted] = st
                        n_wanted += 1
        if begins and kind >= 0:
            for k in range(RK[kind, 0], RK[kind, 0] + RK[kind, 1]):
                st = RL[k]
                if ST[st, MARK] != group:
                    ST[st, MARK] = group
                    wanted = _grow1(wanted, n_wanted + 1)
                    wanted[n_wanted] = st
                    n_wanted += 1

        if not silent:
            for k in range(n_wanted):
                st = wanted[k]
                if ST[st, LIVE] == 0:
                    continue
                t0, tn = ST[st, T0], ST[st, TN]
                _ask(D, t0, tn, s, t, group, out)
                if judge_tree(D, t0, tn, TA, stack) != TRUE:
                    continue
                if not named and judge_tree(D, t0, tn, TB, stack) == TRUE:
                    continue
                if ST[st, DRAINING] == 1 and not _completing(D, t0, tn):
                    continue
                a0, an = ST[st, A0], ST[st, AN]
                if an > a0:
                    _ask(D, a0, an, s, t, group, out)
                    if judge_tree(D, a0, an, TA, stack) != TRUE:
                        continue
                if ST[st, COOL] >= 0:
                    e = entry(D, s, ST[st, NAME] | COOLDOWN)
                    if count_of(rows, e) == 1 and t - word_of(rows, e) < ST[st, COOL]:
                        continue
                    set_count(rows, e, 1)
                    set_word(rows, e, t)
                fires = _grow2(fires, n_fires + 1)
                fires[n_fires, 0], fires[n_fires, 1], fires[n_fires, 2], fires[n_fires, 3] = st, s, t, n_obs
                n_fires += 1
                k2, stop = t0, tn
                while True:
                    if k2 >= stop:
                        if stop == tn and an > a0 and tn != an:
                            k2, stop = a0, an
                            continue
                        break
                    code = TREE[k2]
                    if code >= 0:
                        obs = _grow2(obs, n_obs + 1)
                        evidence = _grow1(evidence, n_ev + EVIDENCE + 1)
                        n_ev = observe(D, code, s, t, L[code, TA], obs, n_obs, evidence, n_ev, out)
                        if L[code, KIND] == HAPPENS and L[code, TA] == TRUE:
                            seen = 0
                            last = -1
                            for h in range(n_hits):
                                if hits[h, 1] == code and hits[h, 0] != last:
                                    last = hits[h, 0]
                                    seen += 1
                                    if seen > EVIDENCE:
                                        continue
                                    r = it_what[i + last]
                                    if numbers_of[last] < 0:
                                        numbers_of[last] = _log(logt, logs, logtext, meta, t, text, id_at[r], id_len[r])
                                    evidence[n_ev] = numbers_of[last]
                                    n_ev += 1
                            obs[n_obs, O_A] = seen
                            obs[n_obs, O_EVN] = n_ev - obs[n_obs, O_EV]
                        n_obs += 1
                    elif code != NOT:
                        k2 += 1
                    k2 += 1
            for k in range(n_touched):
                leaf = touched[k]
                if L[leaf, WAKE] != 0:
                    arm(D, leaf, s, t, out)
            if begins and kind >= 0:
                for k in range(WK[kind, 0], WK[kind, 0] + WK[kind, 1]):
                    arm(D, WL[k], s, t, out)
        i = end
    return i, status, info, fires, n_fires, obs, n_obs, evidence, n_ev


@borrowing
def _log(logt: Any, logs: Any, logtext: Any, meta: Any, t: int, text: Any, at: int, length: int) -> int:
    """Give an event a number in the log: its time and its id are kept as long as anything refers to it."""
    n, start = meta[LOG_N], meta[TEXT_TOP]
    logt[n] = t
    logs[n, 0], logs[n, 1] = start, length
    for k in range(length):
        logtext[start + k] = text[at + k]
    meta[LOG_N] = n + 1
    meta[TEXT_TOP] = start + length
    return n
