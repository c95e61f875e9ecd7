"""A page of figures: what a run wrote stands between two marks, and the words around it are written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def marks(command: str) -> tuple[str, str]:
    """What stands before and after what a run wrote."""
    return f"<!-- begin of what `{command}` wrote -->", "<!-- end of it -->"


def put(page: Path, command: str, title: str, body: str) -> None:
    """The page with `body` between its marks; a new page when there is none."""
    begin, end = marks(command)
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {title}\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    page.write_text(f"{before}{begin}\n{body}\n{end}{after}", encoding="utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
