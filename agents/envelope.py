"""How material enters a conversation: as JSON inside `<data>` blocks, so that a reader, model or playbook, can tell it
from instructions. Angle brackets inside the material are escaped; no text in it can close its block."""

from __future__ import annotations

import json
import re
from typing import Any

_BLOCK = re.compile(r"<data>\n(.*?)\n</data>", re.S)


def pack(material: Any) -> str:
    """JSON with `<` and `>` escaped inside texts."""
    text = json.dumps(material, ensure_ascii=False, default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def unpack(text: str) -> dict[str, Any]:
    """The objects of all blocks in a message's text, merged in order; empty when there is none."""
    merged: dict[str, Any] = {}
    for block in _BLOCK.findall(text):
        value = json.loads(block)
        if isinstance(value, dict):
            merged.update(value)
    return merged
