"""Finding and masking personal data in free text, Chinese and English: offsets in, `<kind>` out. Numbers that look like
an order, contract or ticket id are left alone, because a masked id is a ticket nobody can work on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Pii(NamedTuple):
    """`text[start:end]` is personal data of `kind`."""

    kind: str
    start: int
    end: int


_WIDE = {0xFF01 + i: 0x21 + i for i in range(94)}
"""Full-width forms → ASCII, one character for one, so that offsets stay."""

_BEFORE = r"(?<![A-Za-z0-9_])(?<![A-Z0-9][-_.])"
"""Not inside a word, number or id such as HT-13812345678."""
_ALONE = _BEFORE + r"(?<!\d )"
_AFTER = r"(?![A-Za-z0-9_])(?![-_][A-Za-z0-9])"
_SEP = r"[ \u3000-]?"

_ID_WORD = re.compile(
    r"(?:订单|合同|工单|运单|快递|物流|发票|流水|序列|产品|商品|案件|单|编)(?:编?号码?|编码|ID|id)?[ ::#=是为]{0,3}$"
    r"|\b(?:order|contract|ticket|invoice|tracking|serial|case|sku|ref)(?:\s?(?:id|number|no\.?|nr\.?))?[ :#=]{0,3}$",
    re.IGNORECASE,
)
_VERSION_WORD = re.compile(r"(?:版本号?|固件|version|firmware|\bv|ver\.?)[ ::]{0,2}$", re.IGNORECASE)


def _luhn(digits: str) -> bool:
    total = 0
    for i, c in enumerate(reversed(digits)):
        value = int(c) * (2 if i % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and _luhn(digits)


_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _is_id_card(found: str) -> bool:
    """GB 11643: region, birth date, serial, and a check character by ISO 7064 MOD 11-2."""
    total = sum(int(c) * w for c, w in zip(found, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == found[17].upper()


def _is_phone(found: str) -> bool:
    return 8 <= len(re.sub(r"\D", "", found)) <= 15


def _is_ip(found: str) -> bool:
    return all(int(part) <= 255 for part in found.split("."))


def _always(_found: str) -> bool:
    return True


class _Rule(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool]
    unless_after: re.Pattern[str] | None


# A place (province, city, district; at least one, or none before a road) and then a road or estate with a number.
_ADDRESS_ZH = (
    r"(?:[\u4e00-\u9fff]{2,7}(?:省|自治区|市|区|县|旗|镇|乡|街道)){0,4}"
    r"[\u4e00-\u9fff]{1,8}(?:大道|路|街|巷|弄|胡同|村|小区|花园|新村|苑|公寓|大厦|广场)"
    r"[A-Za-z0-9一二三四五六七八九十百]{1,6}(?:号楼|号院|号|弄|栋|幢|座|单元)"
    r"(?:[\u4e00-\u9fff]{0,6}?[A-Za-z0-9一二三四五六七八九十百]{1,6}(?:号楼|号|栋|幢|座|单元|层|楼|室)-?){0,5}(?:\d{1,5}室?)?"
)
_ADDRESS_EN = (
    r"(?<![A-Za-z0-9])(?:(?:Flat|Apt\.?|Apartment|Unit|Suite|Room) [0-9A-Z-]{1,6},? )?\d{1,5}[A-Z]?(?: [NSEW]\.?)?"
    r"(?: [A-Z][a-z'.]{1,20}){1,4} (?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place"
    r"|Pl|Square|Sq|Terrace|Crescent|Close|Highway|Hwy|Parkway)(?![A-Za-z])\.?"
    r"(?:,? (?:Flat|Apt\.?|Apartment|Unit|Suite|Room|#) ?[0-9A-Z-]{1,6})?"
)

# Every quantifier is bounded and every start is guarded, so a megabyte of text takes linear time. Earlier rules win.
_RULES = (
    _Rule(
        "email",
        re.compile(
            r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9])"
        ),
        _always,
        None,
    ),
    _Rule(
        "id_card",
        re.compile(
            _BEFORE + r"[1-8]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]" + _AFTER
        ),
        _is_id_card,
        _ID_WORD,
    ),
    _Rule(
        "bank_card",
        re.compile(_BEFORE + r"(?:62|4\d|5[1-5]|2[2-7]|3[47]|35|95|60|68)\d{2}(?:[ -]?\d){9,15}" + _AFTER),
        _is_card,
        _ID_WORD,
    ),
    _Rule(
        "mobile",
        re.compile(
            rf"(?:(?<![A-Za-z0-9])(?:\+|00)86{_SEP}|{_BEFORE}(?:86{_SEP})?)1[3-9]\d{_SEP}\d{{4}}{_SEP}\d{{4}}{_AFTER}"
        ),
        _always,
        _ID_WORD,
    ),
    _Rule(
        "phone",
        re.compile(
            rf"{_ALONE}(?:\(0\d{{2,3}}\)[ -]?|0\d{{2,3}}[ -])[2-9]\d{{2,3}}[ -]?\d{{4}}{_AFTER}(?! \d)"  # CN landline
            rf"|(?<![A-Za-z0-9+])\+[1-9]\d{{0,2}}(?:[ .-]?\(?\d{{1,4}}\)?){{2,5}}{_AFTER}"  # international
            rf"|{_ALONE}(?!\(?[48]00)(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[ .-])[2-9]\d{{2}}[ .-]\d{{4}}{_AFTER}(?! \d)"
        ),
        _is_phone,
        _ID_WORD,
    ),
    _Rule(
        "plate",
        re.compile(
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使][A-HJ-NP-Z][·• ]?"
            r"(?=[A-HJ-NP-Z]{0,4}\d)[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳领](?![A-Za-z0-9])"
        ),
        _always,
        None,
    ),
    _Rule(
        "ip",
        re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)", re.ASCII),
        _is_ip,
        _VERSION_WORD,
    ),
    _Rule("address", re.compile(f"{_ADDRESS_ZH}|{_ADDRESS_EN}"), _always, None),
)


def find_pii(text: str) -> list[Pii]:
    """Personal data in order of place, without overlaps. Kinds: email, id_card, bank_card, mobile, phone, plate, ip,
    address.

    ID cards must pass their checksum and bank cards Luhn's, so that other long numbers stay readable. A number right
    after a word such as 订单号 or "order no." is an id, not a phone.
    """
    plain = text.translate(_WIDE)
    found: list[Pii] = []
    taken = bytearray(len(text))
    for kind, pattern, holds, unless_after in _RULES:
        for match in pattern.finditer(plain):
            start, end = match.span()
            if any(taken[start:end]) or not holds(match.group()):
                continue
            if unless_after and unless_after.search(plain[max(0, start - 24) : start]):
                continue
            taken[start:end] = b"\1" * (end - start)
            found.append(Pii(kind, start, end))
    return sorted(found, key=lambda p: p.start)


def mask_pii(text: str) -> str:
    """The text with each piece of personal data replaced by its kind: `请回拨 <mobile>`."""
    parts: list[str] = []
    last = 0
    for kind, start, end in find_pii(text):
        parts += [text[last:start], f"<{kind}>"]
        last = end
    return "".join([*parts, text[last:]])
