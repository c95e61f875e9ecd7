"""Numbers, durations, units, values and names put into words of one language, so that the grammar reads them back."""

from __future__ import annotations

import json
from typing import Any

from core.text import Lang
from core.times import DAY, HOUR, MINUTE, SECOND
from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute
from knowledge.catalog.units import canonical
from strategy.document import Value
from strategy.language.lexicon import Lexicon, Name, NameKind

_UNITS_ZH = {
    "ms": "毫秒",
    "s": "秒",
    "min": "分钟",
    "h": "小时",
    "d": "天",
    "week": "周",
    "month": "个月",
    "year": "年",
    "mm": "毫米",
    "cm": "厘米",
    "m": "米",
    "km": "公里",
    "g": "克",
    "kg": "公斤",
    "t": "吨",
    "percent": "%",
    "CNY": "元",
    "USD": "美元",
    "EUR": "欧元",
}
_UNITS_EN = {
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "week": "weeks",
    "month": "months",
    "year": "years",
    "percent": "%",
}
_PARTS = (
    (DAY, "天", "day"),
    (HOUR, "小时", "hour"),
    (MINUTE, "分钟", "minute"),
    (SECOND, "秒", "second"),
    (1_000, "毫秒", "millisecond"),
    (1, "微秒", "microsecond"),
)


def number(value: float) -> str:
    """The shortest text that reads back as the same float."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def duration(micros: int, lang: Lang) -> str:
    """7天 · 1 hour 30 minutes."""
    words: list[str] = []
    for size, zh, en in _PARTS:
        count, micros = divmod(micros, size)
        if count:
            words.append(f"{count}{zh}" if lang == "zh" else f"{count} {en}{'' if count == 1 else 's'}")
    return ("" if lang == "zh" else " ").join(words) or ("0秒" if lang == "zh" else "0 seconds")


def quoted(text: str, lang: Lang) -> str:
    """A literal text; Chinese quotes where nothing in it could end or change them, else a JSON string."""
    if lang == "zh" and text and not set(text) & set('“”"\\\n\r\t') and text.isprintable() and text == text.strip():
        return f"“{text}”"
    return json.dumps(text, ensure_ascii=False)


def params(values: dict[str, Any], lang: Lang) -> str:
    if not values:
        return ""
    return (" 参数" if lang == "zh" else " with params ") + json.dumps(values, ensure_ascii=False)


class Speech:
    """Names and values of one catalog in one language. `exact`: names by id, which no wording can confuse."""

    def __init__(self, catalog: Catalog, lexicon: Lexicon, lang: Lang, *, exact: bool) -> None:
        self.catalog = catalog
        self.lexicon = lexicon
        self.lang: Lang = lang
        self.exact = exact

    def name(self, kind: NameKind, ident: str, owner: str = "", item: str = "", of: Any = "") -> str:
        name = Name(kind, ident, owner, item, of)
        return f"`{name.exact}`" if self.exact else self.lexicon.label(name, self.lang)

    def amount(self, value: float, unit: str | None) -> str:
        """A number with the catalog's unit."""
        if unit is None:
            return number(value)
        unit = unit if unit == "分" else canonical(unit)  # a point or a minute: left as the catalog has it
        words = (_UNITS_ZH if self.lang == "zh" else _UNITS_EN).get(unit, unit)
        tight = self.lang == "zh" or words == "%"
        return f"{number(value)}{'' if tight else ' '}{words}"

    def value(self, value: Value, attribute: Attribute | None, name: Name) -> str:
        """A value compared for equality, as the attribute's type has it."""
        if isinstance(value, bool):
            return {("zh", True): "真", ("zh", False): "假", ("en", True): "true", ("en", False): "false"}[
                self.lang, value
            ]
        if isinstance(value, list):
            joint = "、" if self.lang == "zh" else ", "
            return f"[{joint.join(self.value(v, attribute, name) for v in value)}]"
        if isinstance(value, str):
            if attribute is not None and attribute.type == "enum" and value in attribute.values:
                return self.name("value", value, name.owner, name.id, name.kind)
            return quoted(value, self.lang)
        return self.amount(value, attribute.unit if attribute else None)

    def attribute(self, name: Name) -> Attribute | None:
        found = self.catalog.field if name.kind == "field" else self.catalog.attribute
        return found(name.owner, name.id)
