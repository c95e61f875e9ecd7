"""`zhongshu next`: steps that are missing, with evidence, the heaviest customers first."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, lines, say
from app.cli.words import cli_lang, t


def register(app: typer.Typer) -> None:
    app.command("next", help=t("下一步该做什么：缺失的步骤与依据", "What to do next: missing steps, with evidence"))(
        show
    )


def show(
    subject: Annotated[
        str | None,
        typer.Argument(help=t("只看一个对象，如 customer/c0001", "one subject only, such as customer/c0001")),
    ] = None,
    pattern: Annotated[str | None, typer.Option(help=t("只看一个路径模式", "one pattern only"))] = None,
    weight: Annotated[
        str | None, typer.Option(help=t("按目录里的权重排序", "order by a weight of the catalog"))
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help=t("最多几条", "how many at most"))] = 20,
    purpose: Annotated[str | None, typer.Option(help=t("用途，默认随角色", "purpose; default: the role's"))] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api(purpose) as api:
        found = api.get("next-actions", subject=subject, pattern=pattern, weight=weight, limit=limit)
    if json:
        as_json(found)
        return
    lang = cli_lang()
    for each in found["items"]:
        heavy = f"  {each['weight']['says'][lang]}" if each["weight"] else ""
        say(f"{each['subject']}  {each['label'][lang]}{heavy}", "bold")
        act = each["action_label"]
        told = [f"{each['what'][lang]} → {act[lang]}" if act else each["what"][lang], each["because"][lang]]
        lines([*told, t("依据：", "evidence: ") + ", ".join(each["evidence"])])
    if not found["items"]:
        say(t("没有缺失的步骤", "no step is missing"))
