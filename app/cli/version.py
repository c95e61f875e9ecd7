"""`zhongshu version`."""

from __future__ import annotations

import typer

from app import VERSION
from app.cli.show import AsJson, as_json
from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("version", help=t("版本号", "The version"))(version)


def version(json: AsJson = False) -> None:
    if json:
        as_json({"version": VERSION})
    else:
        typer.echo(f"zhongshu {VERSION}")
