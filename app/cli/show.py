"""How commands print: tables and panels for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from app.cli.words import t
from app.terminal import SHOWN, Terminal

AsJson = Annotated[bool, typer.Option("--json", help=t("输出 JSON，供程序读取", "print JSON, for programs"))]

out = Terminal()
err = Terminal(stderr=True, soft_wrap=True)


def as_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A plain table; `empty` is said when there are no rows."""
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for name in head:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(str(cell).translate(SHOWN)) for cell in row))
    out.print(grid if grid.row_count else escape(empty))


def say(text: str, style: str = "") -> None:
    out.print(escape(text), style=style, soft_wrap=True)


def note(text: str, style: str = "dim") -> None:
    """To standard error, so that standard output keeps to the result."""
    err.print(escape(text), style=style)


def lines(items: Iterable[str], indent: str = "  ") -> None:
    for item in items:
        say(f"{indent}{item}")
