"""`zhongshu identity`: which records of some files are one person or company (needs no hub), and in a hub the pairs
that a person is asked about."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.show import AsJson, as_json, note, say, table
from app.cli.words import cli_lang, t

group = typer.Typer(no_args_is_help=True)
_SHOWN = 20


class Within(StrEnum):
    AUTO = "auto"
    YES = "yes"
    NO = "no"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="identity", help=t("身份：哪些记录是同一主体", "Identity: which records are one entity"))


@group.command(
    "resolve",
    help=t(
        "把文件里的记录归到各自的人或公司：一个文件则去重，多个则跨文件对应",
        "Tie the records of files to people or companies: within one file, across several",
    ),
)
def resolve_files(
    files: Annotated[
        list[Path],
        typer.Option(
            "--input",
            help=t("CSV、Excel、JSON、NDJSON、Parquet；可多次", "CSV, Excel, JSON, NDJSON, Parquet; repeatable"),
        ),
    ],
    columns: Annotated[
        Path | None,
        typer.Option(
            "--map", help=t("列的含义（YAML/JSON）；默认自动识别", "what columns mean (YAML, JSON); default: found out")
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help=t("结果文件，.csv 或 .json", "where to write the result, .csv or .json")),
    ] = None,
    within: Annotated[
        Within,
        typer.Option(help=t("多个文件时，同一文件内是否也有重复", "with several files: may one file repeat an entity")),
    ] = Within.AUTO,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", help=t("身份规则（YAML）；默认内置", "identity rules (YAML); default: built in")),
    ] = None,
    json: AsJson = False,
) -> None:
    from core.errors import InvalidInput
    from core.text import Text
    from knowledge.identity import load_rules, read_map, resolve
    from knowledge.identity.files import as_data, read_table, write_clusters

    names = [f.name if len({g.name for g in files}) == len(files) else str(f) for f in files]
    if len(set(names)) < len(names):
        raise InvalidInput(Text("同一个文件给了两次", "one file is given twice"), where={"field": "--input"})
    read = [read_table(path, name) for path, name in zip(files, names, strict=True)]
    told = None
    if columns is not None:
        try:
            told = read_map(columns.read_text(encoding="utf-8"))
        except OSError as cause:
            raise InvalidInput(
                Text(f"读不了列映射：{cause.strerror}", f"the column map cannot be read: {cause.strerror}"),
                where={"file": str(columns)},
            ) from cause
    tables = [found for found, _ in read]
    resolution = resolve(tables, told, rules=load_rules(rules), within=within.value)
    data = as_data(resolution, tables, [bad for _, bad in read])
    if output is not None:
        write_clusters(output, data, cli_lang())
    if json:
        as_json(data)
    else:
        _show(data, output)


def _show(data: dict[str, Any], output: Path | None) -> None:
    lang = cli_lang()
    for source in data["inputs"]:
        columns = ", ".join(f"{column} → {name}" for column, name in source["columns"].items())
        note(f"{source['input']}: {columns}")
        if source["unreadable_lines"]:
            lines = ", ".join(map(str, source["unreadable_lines"][:_SHOWN]))
            note(t(f"读不了的行：{lines}", f"lines that cannot be read: {lines}"), style="yellow")
    tied = [r for r in data["records"] if r["decision"] != "single"]
    table(
        [t("主体", "entity"), t("文件", "file"), t("记录", "record"), t("把握", "confidence"), t("理由", "why")],
        [(r["cluster"], r["input"], r["record"], f"{r['confidence']:.4f}", r["reason"][lang]) for r in tied[:_SHOWN]],
        t("没有两条记录是同一主体", "no two records are one entity"),
    )
    if len(tied) > _SHOWN:
        note(t(f"……另有 {len(tied) - _SHOWN} 条", f"… and {len(tied) - _SHOWN} more"))
    records, entities, reviews = len(data["records"]), data["entities"], len(data["reviews"])
    say(
        t(
            f"{records} 条记录，{entities} 个主体，{reviews} 对待人确认",
            f"{records} records, {entities} entities, {reviews} pairs for a person to confirm",
        ),
        "bold",
    )
    if output is not None:
        note(t(f"结果：{output}", f"Result: {output}"))


PairId = Annotated[str, typer.Argument(help=t("一对的编号", "the pair's id"), metavar="PAIR")]
Why = Annotated[str, typer.Option("--why", help=t("理由，会记入审计", "the reason, for the audit log"))]


@group.command("reviews", help=t("待确认的记录对", "Pairs of records that a person is asked about"))
def list_reviews(limit: Annotated[int, typer.Option(min=1, max=200)] = 20, json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("identity", "reviews", limit=limit)["items"]
    if json:
        as_json(found)
        return
    lang = cli_lang()
    table(
        [t("编号", "id"), t("记录", "records"), t("依据", "evidence")],
        [(p["id"], f"{p['left']} = {p['right']} ?", p["explanation"][lang]) for p in found],
        t("没有待确认的", "nothing to confirm"),
    )


@group.command("accept", help=t("两条记录是同一主体：合并", "Two records are one entity: merge them"))
def accept(pair: PairId, why: Why = "") -> None:
    _answer(pair, "accept", why, t("已合并", "merged"))


@group.command("reject", help=t("两条记录是不同主体：不再询问", "Two records are two entities: do not ask again"))
def reject(pair: PairId, why: Why = "") -> None:
    _answer(pair, "reject", why, t("已分开，不再询问", "told apart, not asked again"))


def _answer(pair: str, answer: str, why: str, done: str) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        row = api.post("identity", "reviews", pair, answer, body={"why": why})
    say(f"{row['left']}, {row['right']}: {done}")


@group.command(
    "show", help=t("一条记录与哪些记录是同一主体，依据何在", "The records that are one with this one, and why")
)
def show(
    subject: Annotated[str, typer.Argument(help=t("例如 customer/c0001", "such as customer/c0001"))],
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("identity", "records", subject)
    if json:
        as_json(found)
        return
    say(f"{found['canonical']}: {', '.join(found['members'])}")
    table(
        [t("合并", "merge"), t("记录", "records"), t("谁", "actor"), t("理由", "reason")],
        [(m["id"], f"{m['kept']} = {m['gone']}", m["actor"], m["reason"]) for m in found["merges"]],
        t("没有合并过", "never merged"),
    )


@group.command("unmerge", help=t("撤销一次合并：一切如合并之前", "Withdraw a merge: everything is as before it"))
def unmerge(
    subject: Annotated[str, typer.Argument(help=t("其中一条记录", "one of the records"))],
    merge: Annotated[str, typer.Argument(help=t("合并的编号", "the merge's id"))],
    why: Annotated[str, typer.Option("--why", help=t("理由，会记入审计", "the reason, for the audit log"))],
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.post("identity", "unmerge", body={"subject": subject, "merge": merge, "why": why})
    say(f"{found['canonical']}: {', '.join(found['members'])}")


@group.command("sweep", help=t("重新学习，并把全部记录再判断一遍", "Learn anew and judge all records again"))
def sweep(json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.post("identity", "sweep")
    if json:
        as_json(found)
        return
    records, merged, asked = found["records"], found["merged"], found["asked"]
    say(
        t(
            f"{records} 条记录，合并 {merged} 次，新增 {asked} 对待确认",
            f"{records} records, {merged} merged, {asked} pairs more to confirm",
        )
    )
