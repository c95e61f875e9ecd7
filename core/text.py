"""Text in the two languages of the product, side by side, so that neither is ever missing."""

from __future__ import annotations

import locale
import os
from typing import Literal, NamedTuple

Lang = Literal["zh", "en"]


class Text(NamedTuple):
    """One message in Chinese and in English."""

    zh: str
    en: str

    def say(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


def has_chinese(text: str) -> bool:
    """True when `text` holds at least one CJK ideograph."""
    return not text.isascii() and any("\u3400" <= c <= "\u9fff" for c in text)


def guess_lang(text: str) -> Lang:
    """The language a person wrote `text` in: Chinese as soon as it holds ideographs."""
    return "zh" if has_chinese(text) else "en"


def system_lang() -> Lang:
    """The language of the process's locale (`LC_ALL`, `LC_MESSAGES`, `LANG`); English unless it is Chinese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    code = locale.getlocale()[0] or ""
    return "zh" if code.lower().startswith(("zh", "chinese")) else "en"


def negotiate_lang(accept_language: str | None, default: Lang = "en") -> Lang:
    """The first of zh/en that an HTTP `Accept-Language` header names, by its quality values."""
    best: tuple[float, Lang] | None = None
    for item in (accept_language or "").split(","):
        tag, _, params = item.strip().partition(";")
        primary = tag.strip().lower().split("-")[0]
        if primary not in ("zh", "en"):
            continue
        try:
            quality = float(params.split("=", 1)[1]) if "=" in params else 1.0
        except ValueError:
            quality = 0.0
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, "zh" if primary == "zh" else "en")
    return best[1] if best else default
