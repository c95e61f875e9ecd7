"""`zhongshu migrate`: bring the store to this version of the program. `serve` does the same at its start."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, say
from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("migrate", help=t("升级数据库结构", "Bring the store's schema up to date"))(migrate)


Rejoin = Annotated[
    bool,
    typer.Option(
        "--rejoin-audit",
        help=t(
            "审计日志若有分叉，把各分支接成一条链", "put the branches of an audit log that has forked behind each other"
        ),
    ),
]


def migrate(rejoin_audit: Rejoin = False, json: AsJson = False) -> None:
    from app.lock import DataLock
    from app.migrations import current_revision
    from app.migrations import migrate as bring_up
    from app.settings import load_settings
    from core.db import Database

    settings = load_settings()
    lock = DataLock(settings.data_dir)
    database = Database(settings.store_url)
    try:
        applied = bring_up(database, rejoin_audit)
        revision = current_revision(database)
    finally:
        database.close()
        lock.release()
    if json:
        as_json({"revision": revision, "applied": applied})
    elif applied:
        say(t(f"已升级到 {revision}", f"now at {revision}"), "green")
    else:
        say(t(f"已是最新（{revision}）", f"up to date ({revision})"), "green")
