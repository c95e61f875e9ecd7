"""`zhongshu curve`: a property over time, how much it rose, and where it leads."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.show import AsJson, as_json, say, table
from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("curve", help=t("一个属性的曲线：变化与趋势", "A property over time: change and trend"))(show)


def show(
    subject: Annotated[
        str, typer.Argument(help=t("对象，如 customer/c0001、device/d0001", "such as customer/c0001, device/d0001"))
    ],
    name: Annotated[str, typer.Argument(help=t("属性，如 churn_risk", "the property, such as churn_risk"))],
    since: Annotated[str | None, typer.Option(help=t("从何时起，RFC 3339", "from when on, RFC 3339"))] = None,
    until: Annotated[str | None, typer.Option(help=t("到何时止，RFC 3339", "until when, RFC 3339"))] = None,
    known_at: Annotated[
        str | None, typer.Option(help=t("按当时所知，RFC 3339", "as it was known then, RFC 3339"))
    ] = None,
    purpose: Annotated[str | None, typer.Option(help=t("用途，默认随角色", "purpose; default: the role's"))] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api(purpose) as api:
        found = api.get("curves", subject=subject, name=name, since=since, until=until, known_at=known_at)
    if json:
        as_json(found)
        return
    head = [t("从", "from"), t("到", "until"), t("值", "value"), t("依据", "evidence")]
    rows = [(s["start"][:19], (s["end"] or "")[:19], s["value"], s["evidence"]) for s in found["steps"]]
    table(head, rows, t("没有这个属性的值", "the property has no value"))
    if found["change"] is not None:
        say(t(f"变化：{found['change']:+.4g}", f"change: {found['change']:+.4g}"))
    if found["trend"] is not None:
        say(t(f"趋势：每天 {found['trend']:+.4g}", f"trend: {found['trend']:+.4g} a day"))
    if found["withheld"]:
        say(t(f"{found['withheld']} 段因用途不可见", f"{found['withheld']} steps may not be seen for this purpose"))
