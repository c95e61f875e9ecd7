"""`zhongshu phrase`: what your own words stand for: learn, list, forget."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, say, table
from app.cli.words import t

group = typer.Typer(no_args_is_help=True)
Said = Annotated[str, typer.Argument(metavar="SAID", help=t("您的说法", "the words as you say them"))]


def register(app: typer.Typer) -> None:
    app.add_typer(
        group, name="phrase", help=t("记住您的说法指什么", "What your own words stand for: learn, list, forget")
    )


@group.command("learn", help=t("记住一个说法", "Remember what words stand for"))
def learn(
    said: Said,
    means: Annotated[str, typer.Argument(metavar="MEANS", help=t("目录里的说法", "what the catalog calls it"))],
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.post("phrases", body={"said": said, "means": means})
    if json:
        as_json(found)
        return
    say(
        t(f"已记住：“{found['said']}”指“{found['means']}”", f"remembered: {found['said']} means {found['means']}"),
        "green",
    )


@group.command("list", help=t("列出记住的说法", "List what is remembered"))
def list_phrases(json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("phrases")["items"]
    if json:
        as_json(found)
        return
    head = [t("说法", "said"), t("指", "means"), t("谁教的", "learned by"), t("何时", "when")]
    rows = [(p["said"], p["means"], p["learned_by"], p["learned_at"][:19]) for p in found]
    table(head, rows, t("还没有记住的说法", "nothing is remembered yet"))


@group.command("forget", help=t("忘掉一个说法，以后再问", "Forget it, and be asked again"))
def forget(said: Said) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        api.delete("phrases", said)
    say(t(f"已忘掉“{said}”", f"forgot {said}"), "green")
