"""`zhongshu privacy`: a customer's copy, erasure with a dry run, and checklists that check themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.show import AsJson, as_json, lines, note, say, table
from app.cli.words import t
from core.errors import InvalidInput
from core.text import Text

group = typer.Typer(no_args_is_help=True)
Whom = Annotated[str, typer.Argument(help=t("客户，如 customer/c0001", "the customer, such as customer/c0001"))]
_COMPLIANCE = "compliance"
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "yellow")}


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="privacy", help=t("客户的权利与合规清单", "Customers' rights, and checklists"))


@group.command("export", help=t("导出一位客户的全部数据", "Everything that is kept of a customer"))
def export(
    subject: Whom,
    output: Annotated[
        Path | None, typer.Option(help=t("写入文件；默认标准输出", "write to a file; default: standard output"))
    ] = None,
) -> None:
    import json

    from app.cli.reach import open_api

    with open_api(_COMPLIANCE) as api:
        found = api.post("privacy", "export", body={"subject": subject})
    if output is None:
        as_json(found)
        return
    try:
        output.write_text(json.dumps(found, ensure_ascii=False, indent=2), encoding="utf-8")
    except OSError as cause:
        raise InvalidInput(
            Text(f"写不了文件：{cause.strerror}", f"the file cannot be written: {cause.strerror}"),
            where={"field": "--output", "file": str(output)},
        ) from cause
    note(t(f"已写入 {output}", f"written to {output}"))


@group.command(
    "erase", help=t("抹除一位客户；先用 --dry-run 看会动到什么", "Erase a customer; see first with --dry-run")
)
def erase(
    subject: Whom,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=t("只清点，不动手", "only count what would go"))] = False,
    yes: Annotated[bool, typer.Option("--yes", help=t("不再询问", "do not ask again"))] = False,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api(_COMPLIANCE) as api:
        if not dry_run and not yes:
            typer.confirm(t(f"抹除 {subject}？不可撤销", f"Erase {subject}? It cannot be undone"), abort=True, err=True)
        found = api.post("privacy", "erase", body={"subject": subject, "dry_run": dry_run})
    if json:
        as_json(found)
        return
    _show(found)
    if (certificate := found["certificate"]) and certificate["left"]:
        raise typer.Exit(1)


def _show(found: dict[str, Any]) -> None:
    head = [t("存处", "store"), t("抹除", "erased"), t("化名保留", "kept, alias"), t("他处隐去", "redacted"), ""]
    rows = [(s["store"], s["erased"], s["kept"], s["redacted"], s["why"] or "") for s in found["stores"]]
    table(head, rows, "")
    certificate = found["certificate"]
    if certificate is None:
        say(t("以上只是清点，什么都没有动", "this was a count; nothing was touched"))
        return
    say(t(f"凭证 {certificate['id']}", f"certificate {certificate['id']}"), "bold")
    lines([f"digest {certificate['digest']}", f"commitment {certificate['commitment']}", f"salt {certificate['salt']}"])
    if certificate["left"]:
        say(t("以下文件中仍有痕迹：", "Traces are left in:"), "red")
        lines(certificate["left"])
    else:
        say(t("数据目录的字节中已无痕迹", "nothing is left in the bytes of the data folder"), "green")


@group.command(
    "retention",
    help=t("按目录里的保留期限放手；先用 --dry-run 看", "Let go of what is kept no longer; see with --dry-run"),
)
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help=t("只清点，不动手", "only count what would go"))] = False,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api(_COMPLIANCE) as api:
        found = api.post("privacy", "retention", body={"dry_run": dry_run})
    if json:
        as_json(found)
        return
    head = [
        t("类别", "class"),
        t("保留", "kept for"),
        t("早于", "older than"),
        t("日志", "journal"),
        t("图谱", "graph"),
        "",
    ]
    held = t("仍被回看：", "still looked at by ")
    table(
        head,
        [
            (
                c["label"],
                c["keep"],
                c["before"] or "-",
                c["journal"],
                c["graph"],
                held * bool(c["held_by"]) + ", ".join(c["held_by"]),
            )
            for c in found["classes"]
        ],
        t("目录没有写保留期限（keep）", "the catalog names no period (`keep`)"),
    )
    if dry_run:
        say(t("以上只是清点，什么都没有动", "this was a count; nothing was touched"))


@group.command("checklist", help=t("逐条核对 gdpr 或 pipl", "Check gdpr or pipl, line by line"))
def checklist(
    law: Annotated[str, typer.Argument(help=t("gdpr 或 pipl", "gdpr or pipl"))], json: AsJson = False
) -> None:
    from app.cli.reach import open_api

    with open_api(_COMPLIANCE) as api:
        found = api.get("privacy", "checklists", law)
    if json:
        as_json(found)
    else:
        say(found["title"], "bold")
        for line in found["lines"]:
            mark, style = _MARKS[line["passed"]]
            say(f"{mark} {line['article']}  {line['says']}", style)
            lines([line["found"]], "    ")
    if not found["passed"]:
        raise typer.Exit(1)
