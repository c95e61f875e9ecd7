"""Rows of events made ready for the loop: put in order, values told apart, every value's cell found."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar.codes import (
    NEVER,
    SCALE,
    SUMMABLE,
    V_FALSE,
    V_LOGICAL,
    V_NONE,
    V_NUMBER,
    V_OTHER,
    V_TEXT,
    V_TRUE,
)
from strategy.columnar.columns import FALSE, MISSING, NUMBER, OTHER, TEXT, TRUE
from strategy.columnar.filters import number_row
from strategy.columnar.memory import borrowing, compiled
from strategy.columnar.strings import intern

RAW = 1 << 40
"""Added to a name space: raw JSON rather than a text."""


@borrowing
def _less(text: Any, a_at: int, a_len: int, b_at: int, b_len: int) -> int:
    """Sign of one span of UTF-8 against another, as text."""
    for k in range(min(a_len, b_len)):
        x, y = text[a_at + k], text[b_at + k]
        if x != y:
            return -1 if x < y else 1
    return -1 if a_len < b_len else 1 if a_len > b_len else 0


@borrowing
def settle_ties(
    order: Any, time: Any, subject: Any, text: Any, id_at: Any, id_len: Any, source_at: Any, source_len: Any
) -> None:
    """Among rows of one time: by subject, then id, then source. `order` is by time already."""
    n = len(order)
    first = 0
    while first < n:
        last = first + 1
        while last < n and time[order[last]] == time[order[first]]:
            last += 1
        for k in range(first + 1, last):
            r = order[k]
            j = k - 1
            while j >= first:
                q = order[j]
                if subject[q] != subject[r]:
                    sign = 1 if subject[q] > subject[r] else -1
                else:
                    sign = _less(text, id_at[q], id_len[q], id_at[r], id_len[r])
                    if sign == 0:
                        sign = _less(text, source_at[q], source_len[q], source_at[r], source_len[r])
                if sign <= 0:
                    break
                order[j + 1] = q
                j -= 1
            order[j + 1] = r
        first = last


@borrowing
def in_order(time: Any) -> bool:
    for k in range(1, len(time)):
        if time[k] < time[k - 1]:
            return False
    return True


@borrowing
def value_bits(value: float) -> int:
    return np.float64(value + 0.0).view(np.int64)


@borrowing
def millionths(value: float) -> int:
    """The value in whole millionths, or NEVER when it has more decimals or is too large."""
    scaled = np.rint(value * SCALE)
    if abs(scaled) >= SUMMABLE or scaled / SCALE != value:
        return NEVER
    return np.int64(scaled)


@borrowing
def read_values(
    order: Any, type_: Any, kind: Any, number: Any, at: Any, length: Any, text: Any, wanted: Any,
    slots: Any, spans: Any, hashes: Any, blob: Any, head: Any, code_kind: Any, code_value: Any, code_number: Any,
    vkind: Any, value: Any, number_out: Any, sums: Any, codes: Any,
) -> None:  # fmt: skip
    """What the wanted fields of the rows hold, in the order given. Texts get codes (spaces: type · width + column)."""
    width = kind.shape[1]
    for k in range(len(order)):
        r = order[k]
        t = type_[r]
        for w in range(width):
            codes[k, w] = -1
            vkind[k, w] = V_NONE
            if wanted[t, w] == 0:
                continue
            what = kind[r, w]
            if what == MISSING:
                continue
            if what == NUMBER:
                vkind[k, w] = V_NUMBER
                number_out[k, w] = number[r, w]
                value[k, w] = value_bits(number[r, w])
                sums[k, w] = millionths(number[r, w])
            elif what == TRUE or what == FALSE:
                vkind[k, w] = V_LOGICAL
                value[k, w] = V_TRUE if what == TRUE else V_FALSE
            else:
                space = t * width + w
                if what == OTHER:
                    space += RAW
                code = intern(slots, spans, hashes, blob, head, text, at[r, w], length[r, w], space)
                codes[k, w] = code
                if what == OTHER:
                    vkind[k, w] = code_kind[code]
                    value[k, w] = code_value[code]
                    number_out[k, w] = code_number[code]
                    sums[k, w] = NEVER
                else:
                    vkind[k, w] = V_OTHER
                    value[k, w] = V_TEXT + code


@borrowing
def find_cells(
    chan: Any, CH: Any, CF: Any, bounds: Any, code_rows: Any, vkind: Any, number: Any, value: Any, codes: Any, cells: Any,
    missing: Any,
) -> int:  # fmt: skip
    """The cell of every value a filter asks about; pairs (code, field) whose row Python has yet to find in `missing`."""
    n = 0
    for k in range(len(chan)):
        ch = chan[k]
        if ch < 0:
            continue
        for f in range(CH[ch, 2], CH[ch, 2] + CH[ch, 3]):
            w = CF[f, 0]
            what = vkind[k, w]
            if what == V_NONE:
                row = 0
            elif what == V_LOGICAL:
                row = 1 if value[k, w] == V_TRUE else 2
            elif what == V_NUMBER:
                row = number_row(bounds, CF[f, 1], CF[f, 1] + CF[f, 2], number[k, w])
            else:
                row = code_rows[codes[k, w], CF[f, 6]]
                if row < 0:
                    if n < len(missing):
                        missing[n, 0] = codes[k, w]
                        missing[n, 1] = f
                    n += 1
                    row = 0
            cells[k, w] = row
    return n


@compiled
def expand(
    order: Any, subject: Any, type_: Any, kind: Any, number: Any, at: Any, length: Any, text: Any, groups: Any, prefixes: Any,
    slots: Any, spans: Any, hashes: Any, blob: Any, head: Any, source: Any, who: Any,
) -> int:  # fmt: skip
    """Each row once for its own subject and once for every group it names; how many there are then.

    Args:
        groups: (type, column of the key, start and length in `prefixes` of the kind and a slash).
    """
    key = np.empty(1 << 16, np.uint8)
    n = 0
    for r in order:
        source[n], who[n] = r, subject[r]
        n += 1
        for g in range(len(groups)):
            if groups[g, 0] != type_[r]:
                continue
            w = groups[g, 1]
            size = groups[g, 3]
            for k in range(size):
                key[k] = prefixes[groups[g, 2] + k]
            if kind[r, w] == TEXT:
                if length[r, w] == 0 or size + length[r, w] > len(key):
                    continue
                for k in range(length[r, w]):
                    key[size + k] = text[at[r, w] + k]
                size += length[r, w]
            elif kind[r, w] == NUMBER and np.rint(number[r, w]) == number[r, w]:
                size = _digits(key, size, np.int64(number[r, w]))
            else:
                continue
            source[n], who[n] = r, intern(slots, spans, hashes, blob, head, key, 0, size, 0)
            n += 1
    return n


@borrowing
def _digits(key: Any, at: int, value: int) -> int:
    if value < 0:
        key[at] = 45
        at += 1
        value = -value
    digits = 1
    rest = value // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for k in range(digits - 1, -1, -1):
        key[at + k] = 48 + value % 10
        value //= 10
    return at + digits
