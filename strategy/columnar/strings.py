"""Texts as numbers inside compiled code: a table that gives every distinct text a code, and one that remembers which
events came. Both are open-addressing hash tables in arrays, so that compiled code reads and fills them without Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategy.columnar.memory import borrowing
from strategy.columnar.spill import zeros

_FNV = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xD6E8FEB86659FD93)
NEVER = np.int64(-(2**63))
"""An empty place in the table of events seen."""


@borrowing
def hash_text(text: Any, at: int, length: int, seed: Any) -> Any:
    """64 bits of a span of bytes."""
    found = _FNV ^ (seed * _MIX)
    for k in range(at, at + length):
        found = (found ^ np.uint64(text[k])) * _PRIME
    found ^= found >> np.uint64(32)
    found *= _MIX
    return found ^ (found >> np.uint64(29))


@borrowing
def intern(
    slots: Any, spans: Any, hashes: Any, blob: Any, head: Any, text: Any, at: int, length: int, space: int
) -> int:
    """The code of a text in a name space; a new one when it is new. The caller has made room.

    Args:
        slots: place → code + 1, 0 when free; a power of two long, at most half full. spans: code → (start, length,
            space). head: [codes, bytes used].
    """
    found = hash_text(text, at, length, np.uint64(space))
    mask = len(slots) - 1
    place = np.int64(found & np.uint64(mask))
    while slots[place] != 0:
        code = slots[place] - 1
        if hashes[code] == found and spans[code, 1] == length and spans[code, 2] == space:
            start = spans[code, 0]
            same = True
            for k in range(length):
                if blob[start + k] != text[at + k]:
                    same = False
                    break
            if same:
                return code
        place = (place + 1) & mask
    code = head[0]
    start = head[1]
    for k in range(length):
        blob[start + k] = text[at + k]
    spans[code, 0] = start
    spans[code, 1] = length
    spans[code, 2] = space
    hashes[code] = found
    slots[place] = code + 1
    head[0] = code + 1
    head[1] = start + length
    return code


@borrowing
def _rehash(slots: Any, hashes: Any, codes: int) -> None:
    mask = len(slots) - 1
    for code in range(codes):
        place = np.int64(hashes[code] & np.uint64(mask))
        while slots[place] != 0:
            place = (place + 1) & mask
        slots[place] = code + 1


def grown(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with room for at least so many rows, what it held kept; at least doubled when it must grow."""
    if rows <= len(array):
        return array
    larger = zeros((max(rows, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class Strings:
    """Texts and their codes, 0 and up in order of arrival."""

    def __init__(self) -> None:
        self.slots = np.zeros(1024, np.int32)
        self.spans = np.zeros((512, 3), np.int64)
        self.hashes = np.zeros(512, np.uint64)
        self.blob = np.zeros(4096, np.uint8)
        self.head = np.zeros(2, np.int64)

    def __len__(self) -> int:
        return int(self.head[0])

    def room(self, codes: int, text_bytes: int) -> None:
        """Make room for so many more texts."""
        need = len(self) + codes
        self.spans = grown(self.spans, need)
        self.hashes = grown(self.hashes, need)
        self.blob = grown(self.blob, int(self.head[1]) + text_bytes)
        if 2 * need > len(self.slots):
            self.slots = zeros(1 << (2 * need - 1).bit_length(), np.int32)
            _rehash(self.slots, self.hashes, len(self))

    def code(self, text: str, space: int = 0) -> int:
        """The text's code; a new one when it is new."""
        raw = np.frombuffer(bytearray(text.encode("utf-8", "surrogatepass")), np.uint8)
        self.room(1, len(raw))
        found: int = intern(self.slots, self.spans, self.hashes, self.blob, self.head, raw, 0, len(raw), space)
        return found

    def raw(self, code: int) -> bytes:
        start, length = self.spans[code, :2]
        return self.blob[start : start + length].tobytes()

    def text(self, code: int) -> str:
        return self.raw(code).decode("utf-8", "surrogatepass")

    def space(self, code: int) -> int:
        return int(self.spans[code, 2])

    def dump(self) -> dict[str, NDArray[Any]]:
        n, used = len(self), int(self.head[1])
        return {"spans": self.spans[:n], "hashes": self.hashes[:n], "blob": self.blob[:used]}

    def load(self, kept: dict[str, NDArray[Any]]) -> None:
        n, used = len(kept["hashes"]), len(kept["blob"])
        self.room(n, used)
        self.spans[:n], self.hashes[:n], self.blob[:used] = kept["spans"], kept["hashes"], kept["blob"]
        self.head[:] = n, used
        self.slots[:] = 0
        _rehash(self.slots, self.hashes, n)


class Seen:
    """The identities of events, by 128 bits of hash, with their times."""

    def __init__(self) -> None:
        self.marks = np.zeros((4096, 2), np.uint64)
        self.times = np.full(4096, NEVER, np.int64)
        self.count = np.zeros(1, np.int64)

    def room(self, events: int, horizon: int | None) -> None:
        """Make room for so many more; those at or before `horizon` are forgotten when there is none."""
        if 2 * (int(self.count[0]) + events) <= len(self.times):
            return
        kept = self.times > (NEVER if horizon is None else horizon)
        marks, times = self.marks[kept], self.times[kept]
        size = 1 << (3 * (len(times) + events)).bit_length()
        self.load({"marks": marks, "times": times}, size)

    def dump(self) -> dict[str, NDArray[Any]]:
        kept = self.times != NEVER
        marks, times = self.marks[kept], self.times[kept]
        order = np.lexsort((marks[:, 1], marks[:, 0]))
        return {"marks": marks[order], "times": times[order]}

    def load(self, kept: dict[str, NDArray[Any]], size: int = 4096) -> None:
        size = max(size, 1 << (2 * len(kept["times"]) + 1).bit_length())
        self.marks, self.times = zeros((size, 2), np.uint64), zeros(size, np.int64)
        self.times.fill(NEVER)
        _refill(self.marks, self.times, kept["marks"], kept["times"])
        self.count[0] = len(kept["times"])


@borrowing
def place_of(marks: Any, times: Any, one: Any, two: Any) -> int:
    """Where an identity is in the table, or where it would go."""
    mask = len(times) - 1
    place = np.int64(one & np.uint64(mask))
    while times[place] != NEVER and (marks[place, 0] != one or marks[place, 1] != two):
        place = (place + 1) & mask
    return place


@borrowing
def _refill(marks: Any, times: Any, old_marks: Any, old_times: Any) -> None:
    for i in range(len(old_times)):
        place = place_of(marks, times, old_marks[i, 0], old_marks[i, 1])
        marks[place, 0] = old_marks[i, 0]
        marks[place, 1] = old_marks[i, 1]
        times[place] = old_times[i]


TAKEN, LATE, DUPLICATE = 0, 1, 2


@borrowing
def identity(text: Any, id_at: int, id_len: int, source_at: int, source_len: int) -> Any:
    """128 bits for (source, id)."""
    one = hash_text(text, id_at, id_len, np.uint64(1)) * _PRIME
    one ^= hash_text(text, source_at, source_len, np.uint64(2))
    two = hash_text(text, id_at, id_len, _OTHER) ^ (hash_text(text, source_at, source_len, _MIX) * _PRIME)
    return one, two


@borrowing
def remember(
    text: Any, time: Any, id_at: Any, id_len: Any, source_at: Any, source_len: Any, marks: Any, times: Any, count: Any
) -> None:
    """Note that events have been seen; the caller has made room."""
    for i in range(len(time)):
        one, two = identity(text, id_at[i], id_len[i], source_at[i], source_len[i])
        place = place_of(marks, times, one, two)
        if times[place] == NEVER:
            count[0] += 1
            marks[place, 0] = one
            marks[place, 1] = two
        times[place] = time[i]


@borrowing
def take_in(
    text: Any, time: Any, id_at: Any, id_len: Any, source_at: Any, source_len: Any,
    subject_at: Any, subject_len: Any,
    marks: Any, times: Any, count: Any, slots: Any, spans: Any, hashes: Any, blob: Any, head: Any,
    clock: Any, lateness: int, remember: int, verdict: Any, subject: Any,
) -> None:  # fmt: skip
    """Tell new events from late ones and duplicates in order of arrival, and give subjects their codes.

    Args:
        clock: [watermark, last closed instant], NEVER while there is none; moved on here.
        verdict, subject: filled, one an event.
    """
    for i in range(len(time)):
        one, two = identity(text, id_at[i], id_len[i], source_at[i], source_len[i])
        place = place_of(marks, times, one, two)
        at = time[i]
        if times[place] != NEVER and (clock[0] == NEVER or times[place] > clock[0] - remember):
            verdict[i] = DUPLICATE
            continue
        if clock[1] != NEVER and at <= clock[1]:
            verdict[i] = LATE
            continue
        if times[place] == NEVER:
            count[0] += 1
            marks[place, 0] = one
            marks[place, 1] = two
        times[place] = at
        verdict[i] = TAKEN
        subject[i] = intern(slots, spans, hashes, blob, head, text, subject_at[i], subject_len[i], 0)
        mark = at - lateness
        if clock[0] == NEVER or mark > clock[0]:
            clock[0] = mark
            if clock[1] == NEVER or mark - 1 > clock[1]:
                clock[1] = mark - 1
