"""Memory of one shard in flat arrays, and the compiled functions that read and change it. A subject has a row of 16-byte
entries, one for each condition that has seen anything: up to three event numbers in place, else where its block is."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar import codes as c
from strategy.columnar import view
from strategy.columnar.memory import borrowing


@borrowing
def find(D: Any, s: int, tag: int) -> int:
    """Where a subject's entry is, or -1 - where it would be. Entries are in order of their tags."""
    rows = view.rows(D[5])
    subj = view.subj(D[8])
    low = subj[s, c.ROW]
    high = low + subj[s, c.ENTRIES]
    while low < high:
        middle = (low + high) >> 1
        here = np.int64(rows[middle, 0]) & c.TAG
        if here == tag:
            return middle
        if here < tag:
            low = middle + 1
        else:
            high = middle
    return -1 - low


@borrowing
def place_of(D: Any, s: int, leaf: int) -> int:
    """As `find`, for a condition: where it was found last is tried first."""
    L = view.L(D[0])
    rows = view.rows(D[5])
    subj = view.subj(D[8])
    e = L[leaf, c.PLACE] - subj[s, c.ROW]
    if 0 <= e < subj[s, c.ENTRIES]:
        e += subj[s, c.ROW]
        if np.int64(rows[e, 0]) & c.TAG == leaf:
            return e
    e = find(D, s, leaf)
    L[leaf, c.PLACE] = e
    return e


@borrowing
def room_of(entries: int) -> int:
    """How large a row is made that must hold so many entries."""
    if entries <= 4:
        return entries
    return (entries + entries // 8 + 1) & ~1


@borrowing
def _take_row(rows: Any, meta: Any, room: int) -> int:
    """Where a row of so many entries goes: where another was outgrown, or at the end."""
    if room < c.SIZES and meta[c.FREE_ROWS + room] > 0:
        first = meta[c.FREE_ROWS + room] - 1
        meta[c.FREE_ROWS + room] = np.int64(rows[first, 0]) | (np.int64(rows[first, 1]) << 32)
        return first
    first = meta[c.ROWS_TOP]
    meta[c.ROWS_TOP] = first + room
    return first


@borrowing
def take_block(ring: Any, meta: Any, words: int) -> int:
    """Where a block of so many words goes."""
    if words < c.SIZES and meta[c.FREE_BLOCKS + words] > 0:
        o = meta[c.FREE_BLOCKS + words] - 1
        meta[c.FREE_BLOCKS + words] = ring[o]
        return o
    o = meta[c.RING_TOP]
    meta[c.RING_TOP] = o + words
    return o


@borrowing
def leave_block(ring: Any, meta: Any, o: int, words: int) -> None:
    """A block that was outgrown may be used again."""
    if words < c.SIZES:
        ring[o] = meta[c.FREE_BLOCKS + words]
        meta[c.FREE_BLOCKS + words] = o + 1


@borrowing
def entry(D: Any, s: int, tag: int) -> int:
    """A subject's entry, made if there is none; then others may have moved. The caller has made room for a row."""
    e = find(D, s, tag)
    return e if e >= 0 else made(D, s, tag, e)


@borrowing
def made(D: Any, s: int, tag: int, e: int) -> int:
    """A new entry, which `find` has found no trace of: `e` is what it gave."""
    rows = view.rows(D[5])
    subj = view.subj(D[8])
    meta = view.meta(D[9])
    n, old = subj[s, c.ENTRIES], subj[s, c.ROW]
    e = -1 - e
    first = old
    if n == subj[s, c.ROOM]:
        room = room_of(n + 1)
        first = _take_row(rows, meta, room)
        subj[s, c.ROW] = first
        subj[s, c.ROOM] = room
        for k in range(e - old):
            for w in range(4):
                rows[first + k, w] = rows[old + k, w]
    for k in range(n - 1, e - old - 1, -1):
        for w in range(4):
            rows[first + k + 1, w] = rows[old + k, w]
    if first != old and 0 < n < c.SIZES:
        rows[old, 0] = np.uint32(meta[c.FREE_ROWS + n] & 0xFFFFFFFF)
        rows[old, 1] = np.uint32(meta[c.FREE_ROWS + n] >> 32)
        meta[c.FREE_ROWS + n] = old + 1
    e = first + e - old
    subj[s, c.ENTRIES] = n + 1
    rows[e, 0] = np.uint32(tag)
    rows[e, 1] = 0
    rows[e, 2] = 0
    rows[e, 3] = 0
    return e


@borrowing
def sort_rows(rows: Any, subj: Any, subjects: int) -> None:
    """Put every subject's entries in order of their tags again."""
    for s in range(subjects):
        first = subj[s, c.ROW]
        for k in range(first + 1, first + subj[s, c.ENTRIES]):
            one, two, three, four = rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3]
            tag = np.int64(one) & c.TAG
            j = k
            while j > first and np.int64(rows[j - 1, 0]) & c.TAG > tag:
                for w in range(4):
                    rows[j, w] = rows[j - 1, w]
                j -= 1
            rows[j, 0], rows[j, 1], rows[j, 2], rows[j, 3] = one, two, three, four


@borrowing
def count_of(rows: Any, e: int) -> int:
    return np.int64(rows[e, 0]) >> 24


@borrowing
def set_count(rows: Any, e: int, n: int) -> None:
    rows[e, 0] = np.uint32((np.int64(rows[e, 0]) & c.TAG) | (n << 24))


@borrowing
def word_of(rows: Any, e: int) -> int:
    """The 64-bit number that the second and third word of an entry hold."""
    return np.int64(rows[e, 1]) | (np.int64(rows[e, 2]) << 32)


@borrowing
def set_word(rows: Any, e: int, value: int) -> None:
    rows[e, 1] = np.uint32(value & 0xFFFFFFFF)
    rows[e, 2] = np.uint32((value >> 32) & 0xFFFFFFFF)


@borrowing
def block_of(rows: Any, e: int) -> int:
    """Where an entry's block is, or -1 when it has none yet."""
    return word_of(rows, e) if np.int64(rows[e, 0]) >> 24 == c.EXTERNAL else -1


@borrowing
def make_block(rows: Any, ring: Any, meta: Any, e: int, cap: int, stride: int, spare: int) -> int:
    """A new, empty block for an entry, with words to spare at its end. `cap` is a power of two; the caller has made
    room."""
    o = take_block(ring, meta, c.HEADER + cap * stride + spare)
    for k in range(c.HEADER):
        ring[o + k] = 0
    ring[o + c.CAP] = cap
    set_word(rows, e, o)
    set_count(rows, e, c.EXTERNAL)
    return o


@borrowing
def item(ring: Any, o: int, k: int, stride: int) -> int:
    """Where the k-th oldest item of a block is."""
    return o + c.HEADER + ((ring[o + c.HEAD] + k) & (ring[o + c.CAP] - 1)) * stride


@borrowing
def push(rows: Any, ring: Any, meta: Any, e: int, o: int, stride: int) -> int:
    """Room for one more item at the end of a block: where it is. The block may move: ask `block_of` again."""
    n = ring[o + c.LEN]
    if n == ring[o + c.CAP]:
        p = take_block(ring, meta, c.HEADER + 2 * n * stride)
        for k in range(c.HEADER):
            ring[p + k] = ring[o + k]
        ring[p + c.CAP] = 2 * n
        ring[p + c.HEAD] = 0
        for k in range(n):
            a = item(ring, o, k, stride)
            for w in range(stride):
                ring[p + c.HEADER + k * stride + w] = ring[a + w]
        set_word(rows, e, p)
        leave_block(ring, meta, o, c.HEADER + n * stride)
        o = p
    ring[o + c.LEN] = n + 1
    return item(ring, o, n, stride)


@borrowing
def drop_first(ring: Any, o: int, n: int) -> None:
    ring[o + c.HEAD] = (ring[o + c.HEAD] + n) & (ring[o + c.CAP] - 1)
    ring[o + c.LEN] -= n


@borrowing
def first_after(ring: Any, o: int, stride: int, cutoff: int) -> int:
    """How many of a block's items lie at or before a moment; items begin with their time, oldest first."""
    low, high = 0, ring[o + c.LEN]
    while low < high:
        middle = (low + high) >> 1
        if ring[item(ring, o, middle, stride)] <= cutoff:
            low = middle + 1
        else:
            high = middle
    return low


@borrowing
def expire(ring: Any, o: int, stride: int, cutoff: int) -> None:
    """Let a block's items at or before a moment go."""
    gone = first_after(ring, o, stride, cutoff)
    if gone > 0:
        drop_first(ring, o, gone)


@borrowing
def heap_push(heap: Any, n: int, due: int, key: int) -> None:
    """Timers by (due, key); `n` is how many there are before. key: subject << 32 | condition."""
    k = n
    while k > 0:
        up = (k - 1) >> 1
        if heap[up, 0] < due or (heap[up, 0] == due and heap[up, 1] <= key):
            break
        heap[k, 0] = heap[up, 0]
        heap[k, 1] = heap[up, 1]
        k = up
    heap[k, 0] = due
    heap[k, 1] = key


@borrowing
def heap_pop(heap: Any, n: int) -> None:
    """Take the first of `n` away."""
    n -= 1
    due, key = heap[n, 0], heap[n, 1]
    k = 0
    while True:
        down = 2 * k + 1
        if down >= n:
            break
        if down + 1 < n and (
            heap[down + 1, 0] < heap[down, 0]
            or (heap[down + 1, 0] == heap[down, 0] and heap[down + 1, 1] < heap[down, 1])
        ):
            down += 1
        if due < heap[down, 0] or (due == heap[down, 0] and key <= heap[down, 1]):
            break
        heap[k, 0] = heap[down, 0]
        heap[k, 1] = heap[down, 1]
        k = down
    heap[k, 0] = due
    heap[k, 1] = key
    heap[n, 0] = c.NEVER
