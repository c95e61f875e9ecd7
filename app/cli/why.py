"""`zhongshu why`: the layered answer to "why this decision?" or "why not for this customer?"."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, lines, say
from app.cli.words import t
from core.errors import InvalidInput
from core.text import Text


def register(app: typer.Typer) -> None:
    app.command("why", help=t("为什么有这个决定；或为什么没有", "Why this decision; or why none"))(why)


def why(
    decision: Annotated[str | None, typer.Argument(help=t("决定的编号（dec_…）", "the decision's id (dec_…)"))] = None,
    strategy: Annotated[str | None, typer.Option(help=t("问“为什么没有”：策略名", "ask why not: the strategy"))] = None,
    subject: Annotated[str | None, typer.Option(help=t("问“为什么没有”：客户", "ask why not: the customer"))] = None,
    json: AsJson = False,
) -> None:
    if not decision and not (strategy and subject):
        raise InvalidInput(
            Text("给出决定编号，或 --strategy 与 --subject", "give a decision's id, or --strategy and --subject")
        )
    from app.cli.reach import open_api

    with open_api() as api:
        if decision:
            found = api.get("decisions", decision, "why")
        else:
            found = api.get("strategies", strategy or "", "why-not", subject=subject)
    if json:
        as_json(found)
        return
    say(found["headline"], "bold")
    lines(found["lines"])
