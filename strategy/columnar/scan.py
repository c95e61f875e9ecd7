"""Compiled steps of reading JSON in a padded buffer: strings, numbers, times, and values that are only stepped over. A
position is an address; -1 means: not for the fast path. Eight bytes at a time where that pays (little-endian)."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategy.columnar.memory import byte, compiled, inlined, word

PAD = 24
"""Bytes of line ends after the text, so that no step needs to look where the buffer ends."""
PLAIN, LONG, WHOLE = 1, 2, 3
"""How a number reads: exactly a float64 of at most 15 digits; longer, its value given about; and so without a point."""
_SLACK = 1e-9

_LOW = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_SLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES = np.uint64(0x2020202020202020)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE, _BYTE = np.uint64(1), np.uint64(56)
_TENS = np.array([10.0**n for n in range(23)])
_MOST_DIGITS = 18
_EXACT = 1_000_000_000_000_000
_DEEPEST = 62
NO_DAY = -1_000_000
_MONTHS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@inlined
def head(at: Any, length: Any) -> Any:
    """As `word`, of at most `length` bytes, the rest zero."""
    found = word(at)
    return found if length >= 8 else found & ~(_ALL << np.uint64(8 * length))


@inlined
def blank(at: Any) -> Any:
    """Past white space. A line end is none: it ends the line at hand."""
    while byte(at) == 32 or byte(at) == 9 or byte(at) == 13:
        at += 1
    return at


@compiled
def string(at: Any) -> Any:
    """From behind an opening quote to the closing one, and whether nothing in between is escaped."""
    plain = True
    while True:
        eight = word(at)
        quotes, slashes = eight ^ _QUOTES, eight ^ _SLASHES
        hits = (
            eight | ((quotes - _LOW) & ~quotes) | ((slashes - _LOW) & ~slashes) | ((eight - _SPACES) & ~eight)
        ) & _HIGH
        if hits == 0:
            at += 8
            continue
        # The lowest flag is the first hit: below it every byte gives a one, and the product adds the ones up.
        lowest = hits & (~hits + _ONE)
        at += np.int64((((lowest - _ONE) & _LOW) * _LOW) >> _BYTE) - 1
        found = byte(at)
        if found == 34:
            return at, plain
        if found == 92:
            plain = False
            after = byte(at + 1)
            if not (
                after == 34 or after == 92 or after == 47 or after == 98
                or after == 102 or after == 110 or after == 114 or after == 116
            ):  # fmt: skip
                return -1, plain
            at += 2
        elif found >= 128:
            at = wide(at)
            if at < 0:
                return -1, plain
        else:
            return -1, plain


@compiled
def wide(at: Any) -> Any:
    """Past characters of more than one byte, if they are UTF-8 (no overlong forms, no surrogates)."""
    while byte(at) >= 128:
        first, second = byte(at), byte(at + 1)
        low, high, more = 128, 191, 1
        if first < 0xC2 or first > 0xF4:
            return -1
        if first >= 0xF0:
            more = 3
            low, high = (144 if first == 0xF0 else 128), (143 if first == 0xF4 else 191)
        elif first >= 0xE0:
            more = 2
            low, high = (160 if first == 0xE0 else 128), (159 if first == 0xED else 191)
        if second < low or second > high:
            return -1
        for n in range(2, more + 1):
            if byte(at + n) & 0xC0 != 0x80:
                return -1
        at += more + 1
    return at


@compiled
def number(at: Any) -> Any:
    """A number: its end, its value, and how it reads. Up to 15 digits and powers of ten up to 22 make one exact
    multiplication or division, so that the value is rounded as every correct parser rounds it."""
    start = at
    negative = byte(at) == 45
    if negative:
        at += 1
    mantissa = np.int64(0)
    first = at
    while 48 <= byte(at) < 58:
        if at - first < _MOST_DIGITS:
            mantissa = mantissa * 10 + byte(at) - 48
        at += 1
    digits = at - first
    if digits == 0 or (digits > 1 and byte(first) == 48):
        return -1, 0.0, 0
    power, how = 0, WHOLE
    if byte(at) == 46:
        point, how = at, LONG
        at += 1
        while 48 <= byte(at) < 58:
            if digits < _MOST_DIGITS:
                mantissa = mantissa * 10 + byte(at) - 48
            digits += 1
            at += 1
        power = point + 1 - at
        if power == 0:
            return -1, 0.0, 0
    written = 0
    if byte(at) == 69 or byte(at) == 101:
        at += 1
        sign, how = 1, LONG
        if byte(at) == 43 or byte(at) == 45:
            sign = 44 - byte(at)
            at += 1
        point = at
        while 48 <= byte(at) < 58:
            if written < 10_000:
                written = written * 10 + byte(at) - 48
            at += 1
        if at == point:
            return -1, 0.0, 0
        written *= sign
        power += written
    if digits <= _MOST_DIGITS and mantissa < _EXACT and -22 <= power <= 22:
        value = mantissa * _TENS[power] if power >= 0 else mantissa / _TENS[-power]
        if value < _EXACT:
            return at, -value if negative and mantissa else value, PLAIN
    # What is too long or too large may be infinite, which strict readers refuse.
    if at - start > 40 or not -250 < written < 250:
        return -1, 0.0, 0
    value = mantissa * 10.0 ** (power + max(0, digits - _MOST_DIGITS))
    return at, -value if negative else value, how


@inlined
def within(low: Any, value: Any, high: Any, how: Any) -> Any:
    """Is it surely between two bounds?"""
    slack = 0.0 if how == PLAIN else _SLACK * (1.0 + abs(value))
    return low + slack <= value <= high - slack


@inlined
def literal(at: Any) -> Any:
    """Past `true`, `false` or `null`."""
    a, b, c, d = byte(at), byte(at + 1), byte(at + 2), byte(at + 3)
    if a == 116 and b == 114 and c == 117 and d == 101:
        return at + 4
    if a == 110 and b == 117 and c == 108 and d == 108:
        return at + 4
    if a == 102 and b == 97 and c == 108 and d == 115 and byte(at + 4) == 101:
        return at + 5
    return -1


@inlined
def scalar(at: Any) -> Any:
    """Past one value that is neither an object nor an array."""
    found = byte(at)
    if found == 34:
        return string(at + 1)[0] + 1 or -1
    if found == 45 or (48 <= found < 58):
        return number(at)[0]
    return literal(at)


@compiled
def skip(at: Any) -> Any:
    """Past any value that is JSON throughout. `kinds` has a bit for each level open: 1 for an object."""
    depth, kinds = 0, np.int64(0)
    while True:
        found = byte(at)
        if found == 123 or found == 91:
            if depth == _DEEPEST:
                return -1
            depth += 1
            kinds = (kinds << 1) | (1 if found == 123 else 0)
            at = blank(at + 1)
            if byte(at) != (125 if found == 123 else 93):
                if found == 123:
                    at = _key(at)
                    if at < 0:
                        return -1
                continue
        else:
            at = scalar(at)
            if at < 0 or depth == 0:
                return at
            at = blank(at)
        while byte(at) == (125 if kinds & 1 else 93):
            at += 1
            depth -= 1
            kinds >>= 1
            if depth == 0:
                return at
            at = blank(at)
        if byte(at) != 44:
            return -1
        at = blank(at + 1)
        if kinds & 1:
            at = _key(at)
            if at < 0:
                return -1


@inlined
def _key(at: Any) -> Any:
    """Past a key and its colon, to the value."""
    if byte(at) != 34:
        return -1
    at = string(at + 1)[0]
    if at < 0:
        return -1
    at = blank(at + 1)
    return blank(at + 1) if byte(at) == 58 else -1


@inlined
def _digits(at: Any, count: Any) -> Any:
    """So many digits as a number, or something below zero that no further digits bring above it."""
    found = 0
    for n in range(at, at + count):
        digit = byte(n) - 48
        found = found * 10 + (digit if 0 <= digit < 10 else -1_000_000)
    return found


@inlined
def day(at: Any) -> Any:
    """`YYYY-MM-DD` as days since 1970-01-01 from the year 1 on. (Howard Hinnant, "chrono-compatible low-level date
    algorithms")"""
    year, month, date = _digits(at, 4), _digits(at + 5, 2), _digits(at + 8, 2)
    if byte(at + 4) != 45 or byte(at + 7) != 45 or year < 1 or month < 1 or month > 12 or date < 1:
        return NO_DAY
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if date > _MONTHS[month] + leap:
        return NO_DAY
    if month < 3:
        year, month = year - 1, month + 12
    of_era = year % 400
    of_year = (153 * (month - 3) + 2) // 5 + date - 1
    return (year // 400) * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@compiled
def moment(at: Any, length: Any) -> Any:
    """RFC 3339 with an offset as microseconds, as core.times.parse_time reads it; 1971 to 2099."""
    if length < 20:
        return -1
    days = day(at)
    hour, minute, second = _digits(at + 11, 2), _digits(at + 14, 2), _digits(at + 17, 2)
    between = byte(at + 10)
    if (
        days == NO_DAY
        or not (between == 84 or between == 116 or between == 32)
        or byte(at + 13) != 58
        or byte(at + 16) != 58
    ):
        return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    end, now = at + length, at + 19
    fraction, unit = 0, 1_000_000
    if byte(now) == 46:
        now += 1
        first = now
        while now < end and 48 <= byte(now) < 58:
            unit //= 10
            fraction += (byte(now) - 48) * unit  # beyond microseconds the unit is 0: cut off, not rounded
            now += 1
        if now == first:
            return -1
    offset, sign = 0, byte(now)
    if sign == 90 or sign == 122:
        now += 1
    elif (sign == 43 or sign == 45) and now + 6 == end and byte(now + 3) == 58:
        hours, minutes = _digits(now + 1, 2), _digits(now + 4, 2)
        if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
            return -1
        offset = (hours * 60 + minutes) * (44 - sign)
        now += 6
    else:
        return -1
    if now != end:
        return -1
    found = ((days * 24 + hour) * 60 + minute - offset) * 60_000_000 + second * 1_000_000 + fraction
    return found if 31_536_000_000_000 <= found < 4_102_444_800_000_000 else -1
