"""`zhongshu eval run|compare`: the evals room against the hub."""

from __future__ import annotations

import typer

from app.cli.words import t

group = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="eval", help=t("评测:运行、比较", "Evals: run, compare"))
