"""`zhongshu audit`: who did what, and whether the log is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, say, table
from app.cli.words import t

group = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="audit", help=t("审计日志：查看、核对", "The audit log: list, verify"))


@group.command("list", help=t("最近的审计记录", "The newest rows"))
def list_rows(limit: Annotated[int, typer.Option(min=1, max=200)] = 20, json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("audit", limit=limit)["items"]
    if json:
        as_json(found)
        return
    head = ["#", t("时间", "at"), t("谁", "actor"), t("做了什么", "action"), t("对象", "target")]
    rows = [(r["seq"], r["at"][:19], r["actor"], r["action"], r["target"]) for r in found]
    table(head, rows, t("还没有记录", "no rows yet"))


@group.command("verify", help=t("核对整条哈希链", "Check the chain of seals, row by row"))
def verify(json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("audit", "verify")
    if json:
        as_json(found)
    elif found["whole"]:
        say(t(f"完整：{found['rows']} 条", f"whole: {found['rows']} rows"), "green")
    else:
        say(t(f"第 {found['first_broken']} 条对不上", f"row {found['first_broken']} does not hold"), "red")
    if not found["whole"]:
        raise typer.Exit(1)
