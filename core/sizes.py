"""Sizes of memory: whole bytes inside, `4GiB` at the borders."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from core.errors import InvalidInput
from core.text import Text
from core.times import pydantic_reader

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?\s*")
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_UNITS |= {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_size(text: object) -> int:
    """`512MiB`, `4GiB`, `1.5GB` → bytes; a positive number is bytes already.

    Raises:
        InvalidInput: no such size.
    """
    match = _SIZE.fullmatch(str(text)) if isinstance(text, str | int) and not isinstance(text, bool) else None
    if match is None or float(match[1]) == 0:
        raise InvalidInput(
            Text(f"{text!r} 不是内存大小", f"{text!r} is not a size"),
            hint=Text("例如 512MiB、4GiB", "For example 512MiB, 4GiB"),
        )
    return round(float(match[1]) * _UNITS[match[2] or "B"])


def format_size(count: float) -> str:
    """Bytes for people: 1536 → 1.5 KiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"


Size = Annotated[
    int,
    BeforeValidator(pydantic_reader(parse_size)),
    WithJsonSchema({"type": "string", "examples": ["512MiB", "4GiB"]}),
]
"""Bytes inside; `4GiB` in settings."""
