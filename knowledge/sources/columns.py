"""What a column of sample rows holds: its type, unit and kind of personal data, how full and how distinct it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from knowledge.catalog.units import canonical, unit_words
from knowledge.governance.pii import find_pii
from knowledge.sources.vocabulary import looks_like_id

_NUMBER = re.compile(
    r"([¥￥$€]?)\s*([-+]?\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*([^\d\s.,]{0,8})"
)
_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT_DATE = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_GEO = re.compile(r"\s*-?\d{1,2}\.\d+\s*[,，]\s*-?\d{1,3}\.\d+\s*")
_YES_NO = frozenset({"true", "false", "yes", "no", "y", "n", "是", "否", "有", "无", "对", "不"})
_IN_NAME = re.compile(r"[(（\[【]\s*([^)）\]】]{1,10})\s*[)）\]】]\s*$")
_UNIT_TAILS = {
    "usd",
    "eur",
    "cny",
    "rmb",
    "kg",
    "km",
    "cm",
    "mm",
    "mmhg",
    "kpa",
    "mpa",
    "ms",
    "sec",
    "secs",
    "seconds",
    "min",
    "mins",
    "minutes",
    "hours",
    "days",
    "pct",
    "percent",
    "kwh",
    "bpm",
}
_SIGNS = {"¥": "CNY", "￥": "CNY", "$": "USD", "€": "EUR"}
_MOST_VALUES = 30
"""Distinct values of a column that is taken for a list of choices."""
_SAMPLE = 2_000
"""Values whose form is looked at."""
_MOSTLY = 0.95


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `type`: number, boolean, date, geo, enum or text. `whole`: numbers without a fraction.
    `kind`: what kind of personal data most values are ("" for none). `values`: the distinct values as text."""

    table: str
    name: str
    place: int
    type: str
    unit: str | None
    kind: str
    rows: int
    filled: int
    whole: bool
    timed: bool
    values: frozenset[str]

    @property
    def unique(self) -> bool:
        return self.filled > 0 and len(self.values) == self.filled

    @property
    def full(self) -> bool:
        return self.filled >= self.rows * 0.98

    @property
    def plain_number(self) -> bool:
        """Numbers such as 1, 2, 3 …, which other columns have as well without meaning the same."""
        return self.whole and all(len(value) <= 6 for value in self.values)


def as_text(value: Any) -> str:
    """A cell as keys are compared and written: trimmed, whole numbers without a fraction."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if value is not None else ""


def read_number(text: str) -> tuple[float, str | None] | None:
    """`¥1,280.50` → (1280.5, "CNY"); `35%` → (35, "percent"); None for what is no number."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    sign, digits, tail = match.groups()
    unit = _SIGNS.get(sign) or (unit_words().get(tail) or unit_words().get(tail.lower()) if tail else None)
    if tail and unit is None:
        if tail.isascii():
            return None
        unit = tail  # ℃, 次, 台: no unit that is converted, but one
    return float(digits.replace(",", "").replace("，", "")), unit


def read_date(text: str) -> datetime | None:
    """`2026-05-01`, `2026/5/1 8:00`, `2026年5月1日`, `20260501`, RFC 3339; None for what is no date."""
    said = text.strip()
    if _COMPACT_DATE.fullmatch(said):
        said = f"{said[:4]}-{said[4:6]}-{said[6:]}"
    match = _DATE.fullmatch(said)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    zone = (match.group(7) or "").replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
    except ValueError:
        return None


def look_at(table: str, name: str, place: int, cells: Sequence[Any]) -> Column:
    """A column from all its sampled cells (empty ones among them)."""
    texts = [text for cell in cells if (text := as_text(cell))]
    sample = texts[:_SAMPLE]
    values = frozenset(texts)
    kind = _kind(sample, name)
    type_, unit, timed = _type(sample, name, kind, len(values), len(texts))
    whole = type_ == "number" and all(re.fullmatch(r"[-+]?\d+", text) for text in sample)
    return Column(table, name, place, type_, unit, kind, len(cells), len(texts), whole, timed, values)


def unit_in(name: str) -> str | None:
    """`金额(元)` → CNY, `duration_min` → min."""
    inner = _IN_NAME.search(name)
    if inner and (found := _known_unit(inner.group(1))):
        return found
    tail = re.split(r"[\W_]+", name.strip())[-1].lower()
    if tail in _UNIT_TAILS and tail != name.lower():
        return {"pct": "percent", "cny": "CNY", "usd": "USD", "eur": "EUR"}.get(tail) or _known_unit(tail)
    return None


def _known_unit(word: str) -> str | None:
    words = unit_words()
    return words.get(word) or words.get(word.lower())


def _type(sample: Sequence[str], name: str, kind: str, distinct: int, filled: int) -> tuple[str, str | None, bool]:
    if not sample:
        return "text", None, False
    few = distinct <= min(_MOST_VALUES, max(2, filled // 2)) and distinct < filled
    if {text.lower() for text in sample} <= _YES_NO or ({*sample} == {"0", "1"} and not looks_like_id(name)):
        return "boolean", None, False
    dates = [read_date(text) for text in sample]
    if _share(dates) >= _MOSTLY:
        return "date", None, any(moment and (moment.hour or moment.minute or moment.second) for moment in dates)
    if _share([_GEO.fullmatch(text) for text in sample]) >= _MOSTLY:
        return "geo", None, False
    numbers = [found for text in sample if (found := read_number(text))]
    coded = any(len(text) > 1 and text.startswith("0") and text.isdigit() for text in sample)
    if len(numbers) >= _MOSTLY * len(sample) and not coded and kind in ("", "ip"):
        units = Counter(unit for _, unit in numbers if unit)
        common = units.most_common(1)[0][0] if units else None
        return "number", canonical(given) if (given := common or unit_in(name)) else None, False
    return ("enum" if few and max(map(len, sample)) <= 24 else "text"), None, False


def _kind(sample: Sequence[str], name: str) -> str:
    """The kind of personal data that most values are. A column of plain numbers under an id's name has none: an order
    number may well look like a phone's."""
    found = Counter(hits[0].kind for text in sample[:200] if (hits := find_pii(text)) and _all_of(text, hits[0]))
    if not found:
        return ""
    kind, count = found.most_common(1)[0]
    return kind if count >= 0.6 * min(200, len(sample)) else ""


def _all_of(text: str, hit: Any) -> bool:
    return bool(hit.end - hit.start >= 0.8 * len(text))


def _share(found: Sequence[object]) -> float:
    return sum(item is not None for item in found) / len(found) if found else 0.0
