"""`zhongshu demo`: two stories, told in the terminal; app.demo has them."""

from __future__ import annotations

import typer

from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("demo", help=t("一分钟讲两个故事", "Two stories in a minute"))(demo)


def demo() -> None:
    from app.demo import tell

    tell()
