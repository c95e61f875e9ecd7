"""The compiled loop: events, changes of facts and due timers of many subjects, instant by instant, to firings with what
was seen at that moment. A group is all that happens to one subject at one instant; it is judged once."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.feed import feed, need
from strategy.columnar.judge import arm, ask, completing, judge_tree, match, unfit
from strategy.columnar.memory import borrowing, compiled
from strategy.columnar.record import observe
from strategy.columnar.runs import settle
from strategy.columnar.state import (
    count_of,
    entry,
    find,
    heap_pop,
    place_of,
    set_count,
    set_word,
    word_of,
)
from strategy.columnar.truth import completes, truth


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
def _meet(
    D: Any, NODES: Any, CH: Any, CF: Any, POOL: Any, POS: Any, CHECK: Any, TESTS: Any, SPANS: Any,
    it_what: Any, marks: Any, chan: Any, cells: Any, vkind: Any, number: Any, sums: Any,
    i: int, end: int, s: int, t: int, only: int, hits: Any, touched: Any, found: Any, out: Any,
) -> Any:  # fmt: skip
    """What a group touches, and what that was worth just before it; nothing changes yet.

    Returns:
        (how many hits (item of the group, condition, role), how many conditions touched, words of blocks that may be
        needed, the condition whose values become too large, or -1).
    """
    L = view.L(D[0])
    group = view.meta(D[9])[c.GROUP]
    n_hits, n_touched, ring_need, beyond = 0, 0, 0, -1
    for j in range(i, end):
        r = it_what[j]
        if r < 0:
            leaf = marks[-1 - r, 0]
            if leaf >= 0 and L[leaf, c.STAMP] != group:
                L[leaf, c.STAMP] = group
                L[leaf, c.TB] = truth(D, leaf, s, t - 1, out)
                touched[n_touched] = leaf
                n_touched += 1
            continue
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
                column = L[leaf, c.COLUMN]
                kind = L[leaf, c.KIND]
                if kind != c.HAPPENS:
                    e = place_of(D, s, leaf)
                    if column >= 0:
                        fit = unfit(D, leaf, e, end - i, vkind[r, column], sums[r, column])
                        if fit == 1:
                            continue
                        if fit == 2:
                            beyond = leaf
                if L[leaf, c.STAMP] != group:
                    L[leaf, c.STAMP] = group
                    L[leaf, c.TB] = truth(D, leaf, s, t - 1, out)
                    touched[n_touched] = leaf
                    n_touched += 1
                    if kind != c.HAPPENS:
                        ring_need += need(D, leaf, e, end - i)
                hits[n_hits, 0] = j - i
                hits[n_hits, 1] = leaf
                hits[n_hits, 2] = role
                n_hits += 1
    return n_hits, n_touched, ring_need, beyond


@borrowing
def _wake(D: Any, s: int, t: int, touched: Any, n_touched: int, out: Any) -> int:
    """Take a subject's timers of an instant; how many conditions are touched then."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    meta = view.meta(D[9])
    heap = view.heap(D[10])
    group = meta[c.GROUP]
    while meta[c.HEAP_N] > 0 and heap[0, 0] == t and heap[0, 1] >> 32 == s:
        leaf = heap[0, 1] & 0xFFFFFFFF
        heap_pop(heap, meta[c.HEAP_N])
        meta[c.HEAP_N] -= 1
        e = find(D, s, leaf | c.TIMER)
        if e < 0 or count_of(rows, e) == 0 or word_of(rows, e) != t:
            continue
        set_count(rows, e, 0)
        if L[leaf, c.STAMP] != group:
            L[leaf, c.STAMP] = group
            L[leaf, c.TB] = truth(D, leaf, s, t - 1, out)
            touched[n_touched] = leaf
            n_touched += 1
    return n_touched


@borrowing
def _give(
    D: Any, logs: Any, logtext: Any, it_what: Any, marks: Any, value: Any, sums: Any, periods: Any,
    own: Any, text: Any, id_at: Any, id_len: Any, i: int, end: int, s: int, t: int, hits: Any, n_hits: int,
    numbers_of: Any,
) -> bool:  # fmt: skip
    """Apply a group; whether the subject's history begins with it. `numbers_of` gets the events' numbers in the log."""
    L = view.L(D[0])
    logt = view.logt(D[7])
    meta = view.meta(D[9])
    rows = view.rows(D[5])
    group = meta[c.GROUP]
    begins = False
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
            if L[leaf, c.MASKED] != group or L[leaf, c.MASK] >> 60 != 0:
                L[leaf, c.MASKED] = group
                L[leaf, c.MASK] = 0
            L[leaf, c.MASK] |= hits[h, 2]
            h += 1
        for k in range(first, h):
            leaf = hits[k, 1]
            mask = L[leaf, c.MASK]
            if L[leaf, c.KIND] == c.HAPPENS or mask >> 60 != 0:
                continue
            if numbers_of[j - i] < 0:
                numbers_of[j - i] = _log(logt, logs, logtext, meta, t, text, id_at[r], id_len[r])
            column, per = L[leaf, c.COLUMN], L[leaf, c.PER]
            feed(D, leaf, s, t, numbers_of[j - i], mask, value[r, column] if column >= 0 else c.V_TEXT + own[r], sums[r, column] if column >= 0 else 0, periods[r, per] if per >= 0 else 0)  # fmt: skip
            L[leaf, c.MASK] = 1 << 60
    return begins


@borrowing
def _concerns(D: Any, ST: Any, USES: Any, s: int, t: int, touched: Any, n_touched: int, wanted: Any, out: Any) -> int:
    """What the conditions touched are worth now, and whom a change concerns: how many strategies in `wanted`."""
    L = view.L(D[0])
    group = view.meta(D[9])[c.GROUP]
    n_wanted = 0
    for k in range(n_touched):
        leaf = touched[k]
        kind = L[leaf, c.KIND]
        if kind == c.HAPPENS:
            worth = c.TRUE
        elif kind == c.SEQUENCE:
            e = place_of(D, s, leaf)
            if e >= 0:
                settle(D, leaf, e, t)
            worth = completes(D, leaf, s, t)
        else:
            worth = truth(D, leaf, s, t, out)
        L[leaf, c.TA] = worth
        if worth != L[leaf, c.TB] or (L[leaf, c.PULSE] == 1 and worth == c.TRUE):
            use = L[leaf, c.USE]
            while use >= 0:
                st = USES[use, 0]
                use = USES[use, 1]
                if ST[st, c.MARK] != group:
                    ST[st, c.MARK] = group
                    wanted[n_wanted] = st
                    n_wanted += 1
    return n_wanted


@borrowing
def _fires(D: Any, ST: Any, st: int, s: int, t: int, named: bool, stack: Any, out: Any) -> bool:
    """Whether a strategy turns true for a subject now, audience and cooldown allowing; a cooldown then begins."""
    if ST[st, c.LIVE] == 0:
        return False
    rows = view.rows(D[5])
    group = view.meta(D[9])[c.GROUP]
    t0, tn = ST[st, c.T0], ST[st, c.TN]
    ask(D, t0, tn, s, t, group, out)
    if judge_tree(D, t0, tn, c.TA, stack) != c.TRUE:
        return False
    if not named and judge_tree(D, t0, tn, c.TB, stack) == c.TRUE:
        return False
    if ST[st, c.DRAINING] == 1 and not completing(D, t0, tn):
        return False
    a0, an = ST[st, c.A0], ST[st, c.AN]
    if an > a0:
        ask(D, a0, an, s, t, group, out)
        if judge_tree(D, a0, an, c.TA, stack) != c.TRUE:
            return False
    if ST[st, c.COOL] >= 0:
        e = entry(D, s, ST[st, c.NAME] | c.COOLDOWN)
        if count_of(rows, e) == 1 and t - word_of(rows, e) < ST[st, c.COOL]:
            return False
        set_count(rows, e, 1)
        set_word(rows, e, t)
    return True


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
    wanted = np.empty(max(len(ST), 1), np.int64)
    numbers_of = np.empty(64, np.int64)
    found = np.empty(max(width, 1), np.int64)
    stack = np.empty(256, np.int64)
    out = np.zeros(8, np.int64)
    i, total = start, len(it_time)
    status, info = c.DONE, -1
    while True:
        has_item = i < total
        has_timer = not silent and meta[c.HEAP_N] > 0 and heap[0, 0] <= closed
        if not has_item and not has_timer:
            break
        if has_item:
            t, s = it_time[i], it_subj[i]
        if has_timer and (not has_item or heap[0, 0] < t or (heap[0, 0] == t and (heap[0, 1] >> 32) < s)):
            t, s = heap[0, 0], heap[0, 1] >> 32
            end = i
            # A timer that was replaced by another does not wake anybody.
            e = find(D, s, (heap[0, 1] & 0xFFFFFFFF) | c.TIMER)
            if e < 0 or count_of(rows, e) == 0 or word_of(rows, e) != t:
                heap_pop(heap, meta[c.HEAP_N])
                meta[c.HEAP_N] -= 1
                continue
        else:
            end = i
            while end < total and it_time[end] == t and it_subj[end] == s:
                end += 1
        meta[c.GROUP] += 1
        events, text_need, most = 0, 0, subj[s, c.ENTRIES]
        for j in range(i, end):
            r = it_what[j]
            if r < 0:
                most += 1
            else:
                events += 1
                text_need += id_len[r]
                most += CH[chan[r], 6] if chan[r] >= 0 else 0
        if most > len(touched):
            touched = _grow1(touched, most)
            hits = _grow2(hits, most)
        if end - i > len(numbers_of):
            numbers_of = _grow1(numbers_of, end - i)
        n_hits, n_touched, ring_need, info = _meet(
            D, NODES, CH, CF, POOL, POS, CHECK, TESTS, SPANS, it_what, marks, chan, cells, vkind, number, sums,
            i, end, s, t, only, hits, touched, found, out,
        )  # fmt: skip
        if info >= 0:
            status = c.DEMOTE
            break
        named = subj[s, c.KNOWN] == c.NEVER
        kind = skind[s]
        wakers = WK[kind, 1] if kind >= 0 else 0
        entries = subj[s, c.ENTRIES] + 2 * n_touched + wakers + cooled + 4
        if meta[c.ROWS_TOP] + 6 * entries + 32 > len(rows):
            status = c.MORE_ROWS
        elif meta[c.RING_TOP] + ring_need + 64 > len(ring):
            status = c.MORE_RING
        elif meta[c.HEAP_N] + n_touched + wakers + 4 > len(heap):
            status = c.MORE_HEAP
        elif meta[c.LOG_N] + events + 1 > len(logt) or meta[c.TEXT_TOP] + text_need > len(logtext):
            status = c.MORE_LOG
        if status != c.DONE:
            break
        if not silent:
            n_touched = _wake(D, s, t, touched, n_touched, out)
        if named:
            subj[s, c.KNOWN] = t
        begins = _give(
            D, logs, logtext, it_what, marks, value, sums, periods, own, text, id_at, id_len, i, end, s, t, hits, n_hits,
            numbers_of,
        ) or named  # fmt: skip
        n_wanted = _concerns(D, ST, USES, s, t, touched, n_touched, wanted, out)
        if begins and kind >= 0:
            for k in range(RK[kind, 0], RK[kind, 0] + RK[kind, 1]):
                if ST[RL[k], c.MARK] != meta[c.GROUP]:
                    ST[RL[k], c.MARK] = meta[c.GROUP]
                    wanted[n_wanted] = RL[k]
                    n_wanted += 1
        if not silent:
            for k in range(n_wanted):
                st = wanted[k]
                if not _fires(D, ST, st, s, t, named, stack, out):
                    continue
                t0, tn, a0, an = ST[st, c.T0], ST[st, c.TN], ST[st, c.A0], ST[st, c.AN]
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
                        evidence = _grow1(evidence, n_ev + c.EVIDENCE + 1)
                        n_ev = observe(D, code, s, t, L[code, c.TA], obs, n_obs, evidence, n_ev, out)
                        if L[code, c.KIND] == c.HAPPENS and L[code, c.TA] == c.TRUE:
                            seen = 0
                            last = -1
                            for h in range(n_hits):
                                if hits[h, 1] == code and hits[h, 0] != last:
                                    last = hits[h, 0]
                                    seen += 1
                                    if seen > c.EVIDENCE:
                                        continue
                                    r = it_what[i + last]
                                    if numbers_of[last] < 0:
                                        numbers_of[last] = _log(logt, logs, logtext, meta, t, text, id_at[r], id_len[r])
                                    evidence[n_ev] = numbers_of[last]
                                    n_ev += 1
                            obs[n_obs, c.O_A] = seen
                            obs[n_obs, c.O_EVN] = n_ev - obs[n_obs, c.O_EV]
                        n_obs += 1
                    elif code != c.NOT:
                        k2 += 1
                    k2 += 1
            for k in range(n_touched):
                leaf = touched[k]
                if L[leaf, c.WAKE] != 0:
                    arm(D, leaf, s, t, out)
            if begins and kind >= 0:
                for k in range(WK[kind, 0], WK[kind, 0] + WK[kind, 1]):
                    arm(D, WL[k], s, t, out)
        i = end
    return i, status, info, fires, n_fires, obs, n_obs, evidence, n_ev


@borrowing
def _log(logt: Any, logs: Any, logtext: Any, meta: Any, t: int, text: Any, at: int, length: int) -> int:
    """Give an event a number in the log: its time and its id are kept as long as anything refers to it."""
    n, start = meta[c.LOG_N], meta[c.TEXT_TOP]
    logt[n] = t
    logs[n, 0], logs[n, 1] = start, length
    for k in range(length):
        logtext[start + k] = text[at + k]
    meta[c.LOG_N] = n + 1
    meta[c.TEXT_TOP] = start + length
    return n
