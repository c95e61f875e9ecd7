"""`zhongshu why`: the layered answer to "why this decision?"."""

from __future__ import annotations

import json as jsons
from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, lines, say
from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("why", help=t("为什么有这个决定", "Why this decision?"))(why)


def why(
    decision: Annotated[str, typer.Argument(help=t("决定的编号（dec_…）", "the decision's id (dec_…)"))],
    evidence: Annotated[
        bool, typer.Option("--evidence", help=t("附上所依据的事件", "with the events it rests on"))
    ] = False,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("decisions", decision, "why")
        if evidence:
            found["evidence"] = api.get("decisions", decision, "evidence")
    if json:
        as_json(found)
        return
    say(found["headline"], "bold")
    lines(found["lines"])
    if evidence:
        events = found["evidence"]
        lines([t("依据", "Evidence")])
        lines(
            (
                f"{e['at']}  {e['type']} {e['id']}  {jsons.dumps(e['data'], ensure_ascii=False)}"
                for e in events["events"]
            ),
            "    ",
        )
        if withheld := events["withheld"]:
            lines([t(f"另有 {withheld} 个不得用于此目的", f"{withheld} more may not be used for this purpose")], "    ")
