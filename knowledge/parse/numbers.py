"""Numbers as people write them: digits with separators, and Chinese or English number words."""

from __future__ import annotations

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_TO_FIFTEEN = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_WORDS = {word: n for n, word in enumerate(_TO_FIFTEEN.split())} | {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
}

CHINESE = "零〇一二两三四五六七八九十百千万"
ENGLISH = "|".join(sorted(_WORDS, key=len, reverse=True))


def chinese_number(text: str) -> float | None:
    """`三千五百` → 3500.0, `两万` → 20000.0, `八五` → 85.0 (digits side by side); None when it is not a number."""
    if text and all(c in _DIGITS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS:
            section += (digit or 1) * _UNITS[char]
            digit = 0
        elif char == "万":
            total += (section + digit or 1) * 10_000
            section = digit = 0
        else:
            return None
    return float(total + section + digit) if text else None


def number(text: str) -> float | None:
    """`1,280.5`, `三百`, `ten` → the number; None when it is none."""
    plain = text.strip().lower().replace(",", "")
    if plain in _WORDS:
        return float(_WORDS[plain])
    try:
        return float(plain)
    except ValueError:
        return chinese_number(plain)
