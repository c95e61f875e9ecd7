"""Dates in a letter: found with their place, put into one normal form, resolved when the day of writing is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from knowledge.parse.model import Entity

_YEAR = "January February March April May June July August September October November December"
_MONTHS = _YEAR.split()
_MONTH = "|".join(f"{m}|{m[:3]}" for m in _MONTHS)
_MONTH_NUMBER = {name: n for n, m in enumerate(_MONTHS, start=1) for name in (m, m[:3])}
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAY = "|".join(_DAYS)

_RELATIVE = {
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨晚": -1,
    "今天": 0,
    "今晚": 0,
    "今早": 0,
    "明天": 1,
    "明早": 1,
    "后天": 2,
    "the day before yesterday": -2,
    "yesterday": -1,
    "last night": -1,
    "today": 0,
    "tonight": 0,
    "the day after tomorrow": 2,
    "tomorrow": 1,
}
_MONTH_END = ("月底", "end of the month")

_NUMERIC = re.compile(r"(?<![\d-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d-])")
_CHINESE = re.compile(r"(?:(\d{4})年)?(?<!\d)(\d{1,2})月(\d{1,2})[日号]")
_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({_MONTH})\b(?:,? (\d{{4}})(?!\d))?")
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (\d{{4}})(?!\d))?")
_WEEKDAY_ZH = re.compile(r"(上|本|这|下)?(?:周|星期|礼拜)([一二三四五六日天])")
_WEEKDAY_EN = re.compile(rf"\b(?:(last|this|next) )?({_DAY})\b", re.IGNORECASE)
_NAMED = re.compile(
    "|".join(
        rf"\b{re.escape(w)}\b" if w.isascii() else w for w in sorted([*_RELATIVE, *_MONTH_END], key=len, reverse=True)
    ),
    re.IGNORECASE,
)
_SHIFT = {"上": "last_", "last": "last_", "下": "next_", "next": "next_"}


def find_dates(text: str, today: date | None) -> Iterator[Entity]:
    """Every date in the text; see `Entity.value` for its form. Days that no calendar has are passed over."""
    for pattern, order in ((_NUMERIC, "ymd"), (_CHINESE, "ymd"), (_DAY_FIRST, "dmy"), (_MONTH_FIRST, "mdy")):
        for match in pattern.finditer(text):
            part = dict(zip(order, match.groups(), strict=True))
            month = _MONTH_NUMBER.get(part["m"]) or int(part["m"])
            if value := _calendar_day(part["y"], month, int(part["d"])):
                yield _date(match, value, today)
    for match in _NAMED.finditer(text):
        word = match.group().lower()
        days = _RELATIVE.get(word)
        yield _date(match, "month_end" if days is None else f"{days:+d}d", today)
    for match in _WEEKDAY_ZH.finditer(text):
        number = "一二三四五六日".find(match.group(2).replace("天", "日")) + 1
        yield _date(match, f"{_SHIFT.get(match.group(1) or '', '')}weekday:{number}", today)
    for match in _WEEKDAY_EN.finditer(text):
        number = _DAYS.index(match.group(2).lower()) + 1
        yield _date(match, f"{_SHIFT.get((match.group(1) or '').lower(), '')}weekday:{number}", today)


def _date(match: re.Match[str], value: str, today: date | None) -> Entity:
    resolved = resolve(value, today) if today else value
    return Entity("date", match.group(), match.start(), match.end(), resolved)


def _calendar_day(year: str | None, month: int, day: int) -> str | None:
    try:
        found = date(int(year) if year else 2000, month, day)
    except ValueError:
        return None
    return found.isoformat() if year else f"--{month:02d}-{day:02d}"


def resolve(value: str, today: date) -> str:
    """A normal form → the day it means when written on `today`: a day without a year is the nearest one, a weekday the
    coming one (`next_`: of next week, `last_`: of last week)."""
    if value.startswith("--"):
        month, day = int(value[2:4]), int(value[5:7])
        near = []
        for year in (today.year - 1, today.year, today.year + 1):
            try:
                near.append(date(year, month, day))
            except ValueError:
                continue
        return min(near, key=lambda d: abs((d - today).days)).isoformat() if near else value
    if value.endswith("d") and value[0] in "+-":
        return (today + timedelta(days=int(value[:-1]))).isoformat()
    if value == "month_end":
        first = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
        return (first - timedelta(days=1)).isoformat()
    if "weekday:" in value:
        shift, _, number = value.rpartition("weekday:")
        monday = today - timedelta(days=today.weekday())
        day_of_week = monday + timedelta(days=int(number) - 1)
        if shift:
            day_of_week += timedelta(days=7 if shift == "next_" else -7)
        elif day_of_week < today:
            day_of_week += timedelta(days=7)
        return day_of_week.isoformat()
    return value
