"""The compiled scanner of flat CloudEvents: one pass over the bytes, cells written as they are read. Whatever is out of
the ordinary is left over; nothing is accepted that strategy.stream would refuse."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar.columns import FALSE, MISSING, NUMBER, OTHER, TEXT, TRUE
from strategy.columnar.memory import byte, compiled, inlined, item, put_byte, put_int, put_long, put_real, real
from strategy.columnar.names import (
    ANY,
    BOOLEAN,
    DATA,
    DATE,
    ENUM,
    FIELD,
    GEO,
    ID,
    KIND,
    LINE,
    NUMERIC,
    SOURCE,
    SPEC,
    SUBJECT,
    TIME,
    TYPE,
    TYPES,
    find,
    same,
)
from strategy.columnar.scan import NO_DAY, PLAIN, WHOLE, blank, day, literal, moment, number, skip, string, within
from strategy.stream import MAX_LINE

_TIME, _TYPE, _ID, _, _SUBJECT, _, _SOURCE, _, _CELL_KIND, _CELL_NUMBER, _CELL_AT, _CELL_LEN = range(12)
BASE, _WIDTH, _NAMES, _SIZE, _TYPES, _FIELDS, _SEEN, _LINES, _ASIDE, _ROOM = range(12, 22)
"""The order of a desk: addresses of the arrays of Columns and of the tables, and what goes with them.
SEEN: for each field the line that had it last; ASIDE: room for ROOM rows of (line number, start, end)."""
_REQUIRED = (1 << ID) | (1 << TYPE) | (1 << TIME) | (1 << SUBJECT)


@compiled
def scan(desk: Any, start: Any, end: Any, line: Any, row: Any) -> Any:
    """The lines between two addresses, good ones from `row` on. Returns the next row, how many lines are set aside, and
    where it stopped (with that line's number): before the end if there is no more room for lines set aside."""
    others = np.int64(0)
    base, room = item(desk, BASE), item(desk, _ROOM)
    while start < end and others < room:
        stop = _line(desk, start, row, line)
        if stop >= 0 and stop - start <= MAX_LINE:
            put_long(item(desk, _LINES) + 8 * row, line)
            row += 1
        else:
            for cell in range(row * item(desk, _WIDTH), (row + 1) * item(desk, _WIDTH)):
                put_byte(item(desk, _CELL_KIND) + cell, MISSING)
            stop, filled = start, False
            while byte(stop) != 10:
                filled |= not (byte(stop) == 32 or 9 <= byte(stop) < 14)
                stop += 1
            if filled or stop - start > MAX_LINE:
                aside = item(desk, _ASIDE) + 24 * others
                put_long(aside, line)
                put_long(aside + 8, start - base)
                put_long(aside + 16, stop - base)
                others += 1
        start = stop + 1
        line += 1
    return row, others, start, line


@inlined
def _line(desk: Any, at: Any, row: Any, line: Any) -> Any:
    """One line: its end, or -1."""
    at = blank(at)
    if byte(at) != 123:
        return -1
    got, kind, data, subject, length_of_subject = 0, -1, -1, 0, 0
    while byte(at) != 125:
        at = blank(at + 1)
        if byte(at) != 34:
            return -1
        end, plain = string(at + 1)
        if end < 0 or not plain:
            return -1
        what = find(item(desk, _NAMES), item(desk, _SIZE), LINE, at + 1, end - at - 1)
        at = blank(end + 1)
        if byte(at) != 58:
            return -1
        at = blank(at + 1)
        if what < 0:
            at = skip(at)
            if at < 0:
                return -1
        elif (got >> what) & 1:
            return -1
        elif what == DATA:
            if byte(at) != 123:
                return -1
            data = at  # read when the type is known, which may come later
            if kind < 0:
                at = skip(at)
            else:
                at = _data(desk, at, row, line, item(kind, 1))
            if at < 0:
                return -1
        else:
            if byte(at) != 34:
                return -1
            begin = at + 1
            end, plain = string(begin)
            if end < 0 or not plain:
                return -1
            length = end - begin
            if what == TYPE:
                place = find(item(desk, _NAMES), item(desk, _SIZE), TYPES, begin, length)
                kind = item(desk, _TYPES) + 8 * KIND * place
                if place < 0 or item(kind, 0) < 0:
                    return -1
                put_int(item(desk, _TYPE) + 4 * row, item(kind, 0))
                if data >= 0 and _data(desk, data, row, line, item(kind, 1)) < 0:
                    return -1
            elif what == TIME:
                time = moment(begin, length)
                if time < 0:
                    return -1
                put_long(item(desk, _TIME) + 8 * row, time)
            elif what == SPEC:
                if not (length == 3 and byte(begin) == 49 and byte(begin + 1) == 46 and byte(begin + 2) == 48):
                    return -1
            elif what == ID:
                if length == 0:
                    return -1
                _span(desk, _ID, row, begin, length)
            elif what == SUBJECT:
                subject, length_of_subject = begin, length
                _span(desk, _SUBJECT, row, begin, length)
            elif what == SOURCE:
                _span(desk, _SOURCE, row, begin, length)
            at = end + 1
        if what >= 0:
            got |= 1 << what
        at = blank(at)
        if byte(at) != 44 and byte(at) != 125:
            return -1
    if got & _REQUIRED != _REQUIRED or not is_subject(subject, length_of_subject, item(kind, 2), item(kind, 3)):
        return -1
    if not (got >> SOURCE) & 1:
        put_int(item(desk, _SOURCE + 1) + 4 * row, 0)
    at = blank(at + 1)
    return at if byte(at) == 10 else -1


@inlined
def _span(desk: Any, what: Any, row: Any, begin: Any, length: Any) -> Any:
    put_long(item(desk, what) + 8 * row, begin - item(desk, BASE))
    put_int(item(desk, what + 1) + 4 * row, length)


@inlined
def is_subject(at: Any, length: Any, kind: Any, before: Any) -> Any:
    """Is it the kind that the type's events happen to, a slash, and a key without white space?"""
    if length <= before or not same(at, kind, before) or byte(at + before) == 47:
        return False
    for n in range(at + before, at + length):  # noqa: SIM110  # compiled code has no all()
        # Spaces of other scripts begin with one of these bytes, as few letters of subjects do.
        if byte(n) <= 32 or byte(n) == 0xC2 or 0xE1 <= byte(n) <= 0xE3:
            return False
    return True


@compiled
def _data(desk: Any, at: Any, row: Any, line: Any, owner: Any) -> Any:
    """An event's data, from its brace to behind the closing one."""
    if byte(blank(at + 1)) == 125:
        return blank(at + 1) + 1
    while byte(at) != 125:
        at = blank(at + 1)
        if byte(at) != 34:
            return -1
        end, plain = string(at + 1)
        if end < 0 or not plain:
            return -1
        field = find(item(desk, _NAMES), item(desk, _SIZE), owner, at + 1, end - at - 1)
        at = blank(end + 1)
        if byte(at) != 58:
            return -1
        at = blank(at + 1)
        if field < 0:
            at = skip(at)
        else:
            seen = item(desk, _SEEN) + 8 * field
            if item(seen, 0) == line:
                return -1
            put_long(seen, line)
            at = _value(desk, at, row, item(desk, _FIELDS) + 8 * FIELD * field)
        if at < 0:
            return -1
        at = blank(at)
        if byte(at) != 44 and byte(at) != 125:
            return -1
    return at + 1


@inlined
def _value(desk: Any, at: Any, row: Any, field: Any) -> Any:
    """A field's value, checked by its rule as knowledge.catalog.check_event does, and kept if a column wants it."""
    column, rule = item(field, 0), item(field, 1)
    kind, value, begin = MISSING, 0.0, at
    found = byte(at)
    if found == 34:
        if rule in (NUMERIC, BOOLEAN, GEO):
            return -1
        begin = at + 1
        end, plain = string(begin)
        if end < 0 or not (plain or (column < 0 and rule != ENUM and rule != DATE)):
            return -1
        if rule == ENUM and find(item(desk, _NAMES), item(desk, _SIZE), item(field, 2), begin, end - begin) < 0:
            return -1
        if rule == DATE and not is_date(begin, end - begin):
            return -1
        kind, at = TEXT, end + 1
    elif found == 45 or 48 <= found < 58:
        if rule != ANY and rule != NUMERIC:
            return -1
        at, value, how = number(at)
        if at < 0 or how == WHOLE or (rule == NUMERIC and not within(real(field + 24), value, real(field + 32), how)):
            return -1
        kind = NUMBER if how == PLAIN else OTHER
    elif found == 123:
        if rule != GEO:
            return -1
        at = _position(at)
        kind = OTHER
    else:
        at = literal(at)
        if found != 110:
            if rule != ANY and rule != BOOLEAN:
                return -1
            kind = TRUE if found == 116 else FALSE
    if column >= 0 and at >= 0:
        cell = row * item(desk, _WIDTH) + column
        put_byte(item(desk, _CELL_KIND) + cell, kind)
        put_real(item(desk, _CELL_NUMBER) + 8 * cell, value if kind == NUMBER else 0.0)
        put_long(item(desk, _CELL_AT) + 8 * cell, begin - item(desk, BASE))
        put_int(item(desk, _CELL_LEN) + 4 * cell, at - begin - (1 if kind == TEXT else 0))
    return at


@inlined
def is_date(at: Any, length: Any) -> Any:
    return day(at) != NO_DAY if length == 10 else moment(at, length) >= 0


@compiled
def _position(at: Any) -> Any:
    """Past `{"lat": …, "lon": …}` within its bounds, in either order and with nothing else in it."""
    got = 0
    for n in range(2):
        at = blank(at + 1)
        if byte(at) != 34 or byte(at + 1) != 108 or byte(at + 4) != 34:
            return -1
        lat = byte(at + 2) == 97 and byte(at + 3) == 116
        if not lat and not (byte(at + 2) == 111 and byte(at + 3) == 110):
            return -1
        at = blank(at + 5)
        if byte(at) != 58:
            return -1
        at, value, how = number(blank(at + 1))
        bound = 90.0 if lat else 180.0
        if at < 0 or how == WHOLE or not within(-bound, value, bound, how):
            return -1
        at = blank(at)
        if byte(at) != (125 if n else 44):
            return -1
        got |= 1 if lat else 2
    return at + 1 if got == 3 else -1
