"""What a strategy may be called."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import InvalidInput
from core.text import Text


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, numbered when it is taken."""
    names, number, free = set(taken), 1, name
    while free in names:
        number += 1
        free = f"{name} ({number})"
    return free


def check_name(name: str) -> None:
    """Names are shown on terminals and pages, and typed again: raises InvalidInput for one that cannot be."""
    if not name.isprintable() or name != name.strip() or not name:
        raise InvalidInput(
            Text(f"名字 {name!r} 不能用", f"the name {name!r} cannot be used"),
            where={"field": "name"},
            hint=Text("只用可见字符，首尾不留空格", "Use visible characters only, without blanks at either end"),
        )
