"""Entities in a text, each with its exact place. Every pattern is bounded, so time grows with the text and no faster;
where two readings of one piece collide, the more telling kind wins, then the longer one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from knowledge.parse.dates import find_dates
from knowledge.parse.model import Entity, EntityKind
from knowledge.parse.numbers import CHINESE, ENGLISH, number
from knowledge.parse.vocabulary import Vocabulary
from knowledge.parse.width import fold, narrow

_PRIORITY: tuple[EntityKind, ...] = (
    "contract",
    "order",
    "phone",
    "amount",
    "date",
    "serial",
    "discount",
    "product",
    "customer",
)

_CONTRACT = re.compile(r"(?<![A-Za-z0-9-])[A-Za-z]{1,4}-\d{4}-\d{3,8}(?![\d-])")
_CONTRACT_CUE = re.compile(
    r"(?:合同|协议)(?:编号|号码?)?(?:是|为)?[:#\s]{0,3}([A-Z]{0,6}-?\d[A-Z0-9-]{4,24})"
    r"|\b(?:contract|agreement)(?: (?:no\.?|number|id))?[\s:#]{1,3}([A-Z]{0,6}-?\d[A-Z0-9-]{4,24})",
    re.IGNORECASE,
)
_ORDER = re.compile(r"(?<![A-Za-z0-9])(?:DD|ORD|SO|PO)-?\d{6,20}(?!\d)", re.IGNORECASE)
_ORDER_CUE = re.compile(
    r"(?:订单|单号)(?:编号|号码?)?(?:是|为)?[:#\s]{0,3}([A-Z]{0,4}-?\d{5,20})(?![\d元块])"
    r"|\border(?: (?:no\.?|number|id))?[\s:#]{1,3}([A-Z]{0,4}-?\d{5,20})(?!\d)",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{7,11}(?![A-Za-z0-9])")
_SERIAL_CUE = re.compile(
    r"(?:序列号|机身号|\bserial(?: (?:no\.?|number))?|\bS/N)(?:是|为)?[:#\s]{0,3}([A-Z]{0,4}\d[A-Z0-9-]{4,20})",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\d-])(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?![\d-])"
    r"|(?<![\d-])(0\d{2,3})-(\d{7,8})(?![\d-])"
    r"|(?<![\d-])(400)[- ]?(\d{3,4})[- ]?(\d{3,4})(?![\d-])"
    r"|(?<![\d+])(\+\d{1,3})[ -](\d{2,4})[ -](\d{3,4})(?:[ -](\d{3,4}))?(?![\d-])"
)
_CURRENCIES = {
    "CNY": ("¥", "人民币", "rmb", "cny", "元", "块钱", "块", "yuan"),
    "USD": ("$", "us$", "usd", "美元", "美金", "dollars", "dollar"),
    "EUR": ("€", "eur", "欧元", "euros", "euro"),
    "GBP": ("£", "gbp", "英镑", "pounds", "pound"),
}
_CURRENCY = {word: code for code, words in _CURRENCIES.items() for word in words}
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,12}(?:\.\d{1,2})?"
_AMOUNT = re.compile(
    rf"(¥|人民币|US\$|\$|€|£|\b(?:RMB|CNY|USD|EUR|GBP))\s?({_DIGITS})(?![\d,]\d)(?:\s?(万))?(?:元|块钱|块)?"
    rf"|(?<![\d-])(?<!\d[.,])({_DIGITS})(?:\s?(万))?(元|块钱|块|人民币|美元|美金|欧元|英镑"
    r"|\s?(?:yuan|RMB|CNY|dollars?|USD|euros?|EUR|pounds?|GBP)\b)"
    rf"|([{CHINESE}]{{1,12}})(元|块钱|块|美元|欧元)",
    re.IGNORECASE,
)
_DISCOUNT = re.compile(
    r"(?<![\d.第])([一二三四五六七八九]{1,2}|\d(?:\.\d)?|[1-9]\d)折"
    r"|(?:优惠|便宜|降价?|低|让利|减)了?\s?(\d{1,2}(?:\.\d)?)\s?%"
    rf"|(?<![\d.])(\d{{1,2}}(?:\.\d)?|\b(?:{ENGLISH}))\s?(?:%|percent) (?:off|discount|less|cheaper|reduction)\b"
    r"|\bdiscount of (\d{1,2}(?:\.\d)?)\s?(?:%|percent)",
    re.IGNORECASE,
)
_CUSTOMER_ID = re.compile(r"(?<![\w/])customer/[\w.-]{1,40}|(?<![A-Za-z0-9])c\d{4}(?![A-Za-z0-9])")
_SELF_ZH = re.compile(r"(?:我是|我叫|联系人:?)([\u4e00-\u9fff]{2,4})(?=[,\uff0c。.;:!\s、]|$)")
_SELF_EN = re.compile(
    r"\b(?:my name is|this is|I am|I'm) ([A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20}){1,2})\b"
    r"|\b([A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20})?) here\b"
)
_NO_NAMES = {"顾客", "客户", "会员", "老客户", "老会员", "新用户", "认真的", "真心", "真的", "真的想"}


def find_entities(text: str, vocabulary: Vocabulary, today: date | None = None) -> tuple[Entity, ...]:
    """Every entity in order of place; none overlap.

    Args:
        today: the day of writing, by which relative dates are resolved; None leaves them relative.
    """
    plain = narrow(text)
    found = [
        *_numbered(plain, "contract", _CONTRACT, _CONTRACT_CUE),
        *_numbered(plain, "order", _ORDER, _ORDER_CUE),
        *_numbered(plain, "serial", _SERIAL, _SERIAL_CUE),
        *_phones(plain),
        *_amounts(plain),
        *_discounts(plain),
        *find_dates(plain, today),
        *vocabulary.find(plain, fold(plain)),
        *_customers(plain),
    ]
    return tuple(
        Entity(e.kind, text[e.start : e.end], e.start, e.end, e.value, e.unit) for e in _settle(found, len(text))
    )


def _settle(found: Iterable[Entity], length: int) -> list[Entity]:
    """Of those that overlap, keep the one of the more telling kind, then the longest, the known, the first."""
    rank = {kind: n for n, kind in enumerate(_PRIORITY)}
    taken = bytearray(length)
    kept: list[Entity] = []
    for entity in sorted(found, key=lambda e: (rank[e.kind], e.start - e.end, e.value is None, e.start)):
        if not any(taken[entity.start : entity.end]):
            taken[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
            kept.append(entity)
    return sorted(kept, key=lambda e: e.start)


def _numbered(text: str, kind: EntityKind, shape: re.Pattern[str], cue: re.Pattern[str]) -> Iterator[Entity]:
    for match in shape.finditer(text):
        yield Entity(kind, match.group(), match.start(), match.end(), match.group().upper())
    for match in cue.finditer(text):
        group = match.lastindex or 1
        word = match.group(group).rstrip("-")
        yield Entity(kind, word, match.start(group), match.start(group) + len(word), word.upper())


def _phones(text: str) -> Iterator[Entity]:
    for match in _PHONE.finditer(text):
        digits = "".join(part for part in match.groups() if part)
        yield Entity("phone", match.group(), match.start(), match.end(), digits)


def _amounts(text: str) -> Iterator[Entity]:
    for match in _AMOUNT.finditer(text):
        sign, value, ten_thousand, value_2, ten_thousand_2, unit, value_zh, unit_zh = match.groups()
        amount = number(value or value_2 or value_zh)
        if amount is None:
            continue
        if ten_thousand or ten_thousand_2:
            amount *= 10_000
        currency = _CURRENCY[(sign or unit or unit_zh).strip().lower()]
        yield Entity("amount", match.group(), match.start(), match.end(), amount, currency)


def _discounts(text: str) -> Iterator[Entity]:
    for match in _DISCOUNT.finditer(text):
        paid, *off = match.groups()
        if paid:
            share = number(paid)
            if share is None:
                continue
            value = round(100 - (share if share >= 10 else share * 10), 2)
        else:
            found = number(next(o for o in off if o))
            if found is None:
                continue
            value = found
        yield Entity("discount", match.group(), match.start(), match.end(), value, "percent")


def _customers(text: str) -> Iterator[Entity]:
    for match in _CUSTOMER_ID.finditer(text):
        key = match.group()
        yield Entity("customer", key, match.start(), match.end(), key if "/" in key else f"customer/{key}")
    for pattern in (_SELF_ZH, _SELF_EN):
        for match in pattern.finditer(text):
            group = match.lastindex or 1
            if match.group(group) not in _NO_NAMES:
                yield Entity("customer", match.group(group), match.start(group), match.end(group))
