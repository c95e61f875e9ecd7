"""A raw cell in the one form in which its kind is compared. Nothing here judges likeness (that is compare.py)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Literal

from core.text import has_chinese
from knowledge.identity.words import company_forms, plain, words

Kind = Literal[
    "name", "full_name", "company", "date", "phone", "email", "identifier", "code", "place", "address", "text"
]

_BLANK = {"", "nan", "none", "null", "n/a", "na", "-", "--", "unknown", "无", "未知", "暂无", "不详", "\\n"}
_EXTENSION = re.compile(r"(?:ext\.?|x|#|转|分机|,)\s*(\d{1,6})$")
_INNER = re.compile(r"^(?:\+?86[ -]?)?\(?0?\d{0,4}\)?[ -]?\d{7,8}-(\d{1,5})$")
"""A switchboard's number with the extension after a dash."""
_NUMBER_BEHIND = re.compile(
    r"[\s,;:，；：、/|]*(?:电话|手机|tel)?[\s:：.]*"
    r"(?:1[3-9][\d*]{9}|(?:\(?0\d{2,3}\)?[ -]?)?[2-8][\d*]{6,7}(?:\s*(?:转|分机|-)\s*\d{1,6})?)\s*$"
)
"""A phone number at the end of a cell that has more before it."""
_DATE_CHINESE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?")
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
_MONTHS = {"janfebmaraprmayjunjulaugsepoctnovdec"[i : i + 3]: i // 3 + 1 for i in range(0, 36, 3)}
_DATE_WORD = re.compile(r"(\d{1,2})?\s*([a-z]{3})[a-z]*\s+(?:(\d{1,2}),?\s+)?(\d{4})")


def standard(kind: Kind, value: object, *, month_first: bool = False) -> str | None:
    """The cell as compared, or None when it says nothing.

    `month_first` reads 03/04/1990 as March 4th; which of the two a column means is for `fields` to find out.
    """
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = plain(value.isoformat() if isinstance(value, date | datetime) else value)
    if text in _BLANK:
        return None
    if kind == "date":
        return _date(text, month_first)
    return _FORMS[kind](text) or None


def _date(text: str, month_first: bool) -> str | None:
    """YYYYMMDD, kept even where it is no day of the calendar: a typo is still most of a date."""
    if found := _DATE_CHINESE.search(text):
        return f"{found[1]}{int(found[2]):02}{int(found[3] or 0):02}"
    if found := _DATE.search(text):
        first, second, third = found.groups()
        if len(first) == 4:
            return f"{first}{int(second):02}{int(third):02}"
        day, month = (second, first) if month_first else (first, second)
        return f"{_century(third)}{int(month):02}{int(day):02}"
    if (found := _DATE_WORD.search(text)) and found[2] in _MONTHS:
        return f"{found[4]}{_MONTHS[found[2]]:02}{int(found[1] or found[3] or 0):02}"
    digits = re.sub(r"\D", "", text)
    return digits[:8] if len(digits) >= 6 else digits or None


def _century(year: str) -> str:
    return year if len(year) == 4 else f"20{year}" if int(year) < 30 else f"19{year.zfill(2)}"


def _name(text: str) -> str:
    return re.sub(r"[^\w]|\d|_", "", text)


def _full_name(text: str) -> str:
    """Words in alphabetical order, so that "Smith, John" is "John Smith"; a Chinese name as it stands."""
    if has_chinese(text):
        return _untitled(re.sub(r"[^\u3400-\u9fff·]", "", text.split("(")[0]).replace("·", ""))
    found = [w for w in re.split(r"[^\w']+", text.replace("'", "")) if w and w not in _titles()]
    return " ".join(sorted(found))


@cache
def _titles() -> frozenset[str]:
    return frozenset(words()["titles"])


def _untitled(name: str) -> str:
    for title in words()["titles"]:
        if has_chinese(title) and len(name) > len(title) and name.endswith(title):
            return name[: -len(title)]
    return name


def _phone(text: str) -> str:
    """Numbers in the order written, digits and `*` where masked, an extension after `x`; joined by a space."""
    numbers = []
    if re.search(r"[\u3400-\u9fff]{3}", text):  # it stands behind an address
        text = found[0] if (found := _NUMBER_BEHIND.search(text)) else ""
    for part in re.split(r"[/;|、，]|\s{2,}|(?<=\d)\s+(?=1[3-9]\d{9})", text):
        found = _EXTENSION.search(part.strip())
        extension = found[1] if found else ""
        main = re.sub(r"[^\d*]", "", part[: found.start()] if found else re.sub("[x×•●]", "*", part))
        if (tail := _INNER.search(part.strip())) and not found:
            extension, main = tail[1], main[: -len(tail[1])]
        abroad = part.strip().startswith(("+86", "0086"))
        main = re.sub(r"^(?:00)?86" if abroad else r"^(?:00)?86(?=1[3-9][\d*]{9}$|0\d{9,11}$)", "", main)
        if len(main) >= 4:
            numbers.append(main + (f"x{extension}" if extension else ""))
    return " ".join(dict.fromkeys(numbers))


def _email(text: str) -> str:
    return re.sub(r"\s|^mailto:", "", text)


def _identifier(text: str) -> str:
    return re.sub(r"[^\w*]|_", "", text)


def _code(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lstrip("0") or "0"


def _place(text: str) -> str:
    if has_chinese(text):
        return re.sub(r"(?:特别行政|自治|[壮回]族|维吾尔)|[省市区县州盟\s]", "", text) or text
    return re.sub(r"[^\w]|_", "", text)


def _address(text: str) -> str:
    """Chinese: without province and the words 省市区县, one run; otherwise words with abbreviations written out."""
    if has_chinese(text):
        text = _NUMBER_BEHIND.sub("", text) or text
        short = re.sub(_regions(), "", re.sub(r"^中国|[\s,，、()（）。]", "", text))
        return re.sub(r"(?<=[\u3400-\u9fff]{2})(?:市|区|县)|(?:自治|特别行政)", "", short) or text
    streets = words()["streets"]
    return " ".join(streets.get(w, w) for w in re.split(r"[^\w]+", text) if w)


@cache
def _regions() -> str:
    names = "|".join(words()["regions"])
    return f"^(?:{names})(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区)?(?=.{{3}})"


def _company(text: str) -> str:
    """Without legal form and the place in front: what is left is what the company is called."""
    if not has_chinese(text):
        words_left = re.findall(r"[^\W_]+", company_forms().sub("", text.replace("&", " and ")))
        return " ".join(w for w in words_left if w != "the") or text
    text = re.sub(rf"\((?:{'|'.join(_places())})[省市区]?\)", "", text) or text
    bare = re.sub(r"[^\w]", "", company_forms().sub("", re.sub(r"[\s,，。.·]", "", text)))
    for _ in range(2):
        place = next((p for p in _places() if bare.startswith(p) and len(bare) > len(p) + 2), "")
        bare = re.sub(r"^[省市](?=.{2})", "", bare[len(place) :]) if place else bare
    return re.sub(r"^[\u3400-\u9fff]{2,3}市(?=[\u3400-\u9fff]{2})", "", bare) or text


@cache
def _places() -> tuple[str, ...]:
    return tuple(words()["regions"] + words()["cities"])


_FORMS: dict[str, Callable[[str], str]] = {
    "name": _name,
    "full_name": _full_name,
    "company": _company,
    "phone": _phone,
    "email": _email,
    "identifier": _identifier,
    "code": _code,
    "place": _place,
    "address": _address,
    "text": lambda text: re.sub(r"[^\w]+|_", " ", text).strip(),
}
