"""Numbers as people write them: 1,000 · 3万 · 十五 · 一百二 · 两 · twenty-five · three hundred."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_SCALES = {"十": 10, "百": 100, "千": 1_000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}

CHINESE_NUMBER = re.compile(r"[零〇一二两俩三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")
ARABIC_NUMBER = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?")
SCALE = re.compile(r"[百千万亿]+|k\b")

_WORDS = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    w: 10 * (i + 2)
    for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
}
_BIG = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}


def chinese_number(text: str) -> float | None:
    """十五 → 15, 一百二 → 120, 两万 → 20000, 三点五 → 3.5; None when the characters make no number."""
    whole, _, fraction = text.partition("点")
    if fraction:
        base = chinese_number(whole) if whole else 0.0
        return None if base is None else base + float("0." + "".join(str(_DIGITS[c]) for c in fraction))
    if not whole:
        return None
    if len(whole) > 1 and all(c in _DIGITS for c in whole):
        return float("".join(str(_DIGITS[c]) for c in whole))
    total, section, digit, scale = 0, 0, None, 1
    for c in whole:
        if c in _DIGITS:
            if digit not in (None, 0):
                return None
            digit = _DIGITS[c]
            if digit == 0:
                scale = 1  # after 零 a last digit counts ones: 一百零二
        elif c in _SCALES:
            scale = _SCALES[c]
            section += (1 if digit is None else digit) * scale
            digit, scale = None, scale // 10
        else:
            section += digit or 0
            if section == 0 and total == 0:
                return None
            total = (total + section) * _MYRIADS[c] if c == "亿" else total + section * _MYRIADS[c]
            section, digit, scale = 0, None, _MYRIADS[c] // 10
    return float(total + section + (digit or 0) * max(scale, 1))


def english_number(words: Sequence[str]) -> tuple[float, int] | None:
    """The number that `words` begin with and how many words it takes; None when they begin with none."""
    total, current, used = 0.0, None, 0
    last_tens = False
    for index, word in enumerate(words):
        if word in _WORDS:
            value = _WORDS[word]
            if current is not None and not (last_tens and 0 < value < 10) and current % 100 != 0:
                break
            current = (current or 0) + value
            last_tens = value >= 20
        elif word in _BIG and current is not None:
            current *= _BIG[word]
            if _BIG[word] >= 1000:
                total, current = total + current, 0
            last_tens = False
        elif word in ("-", "and") and current is not None and index + 1 < len(words) and words[index + 1] in _WORDS:
            if word == "and" and (current % 100 or not current):
                break
            if word == "-" and not last_tens:
                break
            continue
        else:
            break
        used = index + 1
    return None if current is None else (total + current, used)
