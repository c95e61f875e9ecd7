"""`zhongshu why-not`: why has a strategy not fired for a customer, now or at a past moment?"""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, lines, say
from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("why-not", help=t("为什么没有触发", "Why has it not fired?"))(why_not)


def why_not(
    strategy: Annotated[str, typer.Argument(help=t("策略名", "the strategy's name"))],
    subject: Annotated[str, typer.Argument(help=t("客户，如 customer/c0001", "the customer, such as customer/c0001"))],
    at: Annotated[
        str | None, typer.Option(help=t("过去的时刻（RFC 3339）；默认现在", "a past moment (RFC 3339); default: now"))
    ] = None,
    version: Annotated[
        int | None, typer.Option(help=t("版本；默认当时运行的", "version; default: the one that runs, or ran then"))
    ] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("strategies", strategy, "why-not", subject=subject, at=at, version=version)
    if json:
        as_json(found)
        return
    say(found["headline"], "bold")
    lines(found["lines"])
