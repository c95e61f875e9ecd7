"""What people see in a terminal. Names and texts come from customers, files and events: as they are printed, control
characters are shown and not obeyed, so that no data can move the cursor, clear the screen or forge a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_C0 = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_C1 = dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)
"""Characters that change the direction of what follows."""
SHOWN = {**_C0, 0x7F: 0x2421, **_C1, **_TURNING}
"""For `str.translate`: control characters → the signs that picture them (␛ for escape)."""


class Terminal(Console):
    """A rich console that prints control characters as signs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "emoji": False, **options})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(SHOWN))
