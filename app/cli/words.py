"""The language of the command line: `--lang` anywhere, else `ZHONGSHU_LANG`, else the locale's."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from core.text import Lang, Text, system_lang


def cli_lang(argv: Sequence[str] | None = None) -> Lang:
    """Asked before typer has parsed anything, because the help texts depend on it."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for index, argument in enumerate(arguments):
        value = argument.partition("=")[2] if argument.startswith("--lang=") else ""
        if argument == "--lang" and index + 1 < len(arguments):
            value = arguments[index + 1]
        if value in ("zh", "en"):
            return "zh" if value == "zh" else "en"
    chosen = os.environ.get("ZHONGSHU_LANG", "").lower()
    if chosen in ("zh", "en"):
        return "zh" if chosen == "zh" else "en"
    return system_lang()


def t(zh: str, en: str) -> str:
    """One of the two, by the language of this process."""
    return Text(zh, en).say(cli_lang())
