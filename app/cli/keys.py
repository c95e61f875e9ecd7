"""`zhongshu keys`: make, list and revoke API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, note, say, table
from app.cli.words import t
from core.context import Role

group = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="keys", help=t("API 密钥：创建、列出、吊销", "API keys: create, list, revoke"))


@group.command("create", help=t("创建密钥；全文只显示这一次", "Create a key; its text is shown this once"))
def create(
    role: Annotated[Role, typer.Option(help=t("角色", "role"))],
    name: Annotated[str, typer.Option(help=t("给谁或给什么用", "whom or what it is for"))],
    days: Annotated[int | None, typer.Option(help=t("几天后到期；不写则不到期", "expires after so many days"))] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        key = api.post("keys", body={"name": name, "role": role.value, "days": days})
    if json:
        as_json(key)
        return
    say(key["key"], "bold")
    note(t("请存好：以后不再显示", "Keep it: it will not be shown again"))


@group.command("list", help=t("列出密钥", "List keys"))
def list_keys(json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("keys")["items"]
    if json:
        as_json(found)
        return
    head = [t("编号", "id"), t("名称", "name"), t("角色", "role"), t("状态", "state"), t("创建于", "created")]
    rows = [(k["id"], k["name"], k["role"], k["state"], k["created_at"][:19]) for k in found]
    table(head, rows, t("还没有密钥", "no keys yet"))


@group.command("revoke", help=t("吊销密钥，立即生效", "Revoke a key, at once"))
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help=t("密钥编号", "the key's id"))]) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        api.delete("keys", key_id)
    say(t(f"已吊销 {key_id}", f"revoked {key_id}"), "green")
