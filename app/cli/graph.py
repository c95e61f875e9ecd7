"""`zhongshu graph`: from tables of other systems to a plan of the graph, and by it into the hub; and the graph's
health. `map` needs no running hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from app.cli.show import AsJson, as_json, lines, note, say, table
from app.cli.words import t

if TYPE_CHECKING:
    from knowledge.sources import Plan
    from knowledge.sources.preview import Preview

group = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="graph", help=t("客户图谱：从表格到图", "The customer graph: from tables to a graph"))


@group.command("map", help=t("从样例行推断实体、主键、关系与属性", "Propose entities, keys, relations and properties"))
def map_tables(
    input: Annotated[
        list[str],
        typer.Option(
            help=t("目录、文件或 SQLAlchemy 地址，可多次给出", "a folder, a file or a SQLAlchemy address; repeatable")
        ),
    ],
    accept: Annotated[Path | None, typer.Option(help=t("对方案的修改（YAML）", "edits of the plan (YAML)"))] = None,
    output: Annotated[Path | None, typer.Option(help=t("把方案写入文件", "write the plan to a file"))] = None,
    catalog: Annotated[
        Path | None, typer.Option(help=t("已有的目录文件", "a catalog whose names are to be used"))
    ] = None,
    json: AsJson = False,
) -> None:
    from core.clock import SystemClock
    from knowledge.catalog import load_catalog
    from knowledge.sources import edited, find_tables, load_yaml, save_plan
    from knowledge.sources.preview import preview
    from knowledge.sources.propose import propose
    from knowledge.sources.report import as_report
    from knowledge.sources.vocabulary import Vocabulary

    tables = [table for place in input for table in find_tables(place)]
    known = load_catalog(catalog).catalog if catalog else None
    plan = propose(tables, Vocabulary.offline(known))
    if accept is not None:
        plan = edited(plan, load_yaml(accept), str(accept))
    seen = preview(plan, tables, SystemClock().now())
    if output is not None:
        save_plan(plan, output)
        note(t(f"方案已写入 {output}", f"the plan is in {output}"))
    if json:
        as_json(as_report(plan, seen))
    else:
        _show(plan, seen)


@group.command("health", help=t("图谱体检：来源与闭环", "The graph's health, by source and closed loop"))
def health(
    purpose: Annotated[str | None, typer.Option(help=t("用途，默认随角色", "purpose; default: the role's"))] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api
    from app.cli.sources import show_health

    with open_api(purpose) as api:
        found = api.get("graph", "health")
    if json:
        as_json(found)
    else:
        show_health(found)


def _show(plan: Plan, seen: Preview) -> None:
    from knowledge.sources.report import as_report

    said = as_report(plan, seen)
    table(
        [t("类型", "type"), t("主键", "keys"), t("个数", "count")],
        [(e["type"], ", ".join(e["keys"]), f"{e['count']:,}") for e in said["entities"]],
        t("没有认出实体", "no entity was found"),
    )
    say(t("关系", "Relations"), "bold")
    lines(
        f"{r['source']} -{r['name']}→ {r['target']}  ({r['table']}.{r['column']}, {r['cardinality']})  {r['count']:,}"
        for r in said["relations"]
    )
    say(t("属性", "Properties"), "bold")
    lines(
        f"{p['table']}.{p['column']} → {p['entity']}.{p['property']} ({' '.join(filter(None, (p['type'], p['unit'])))})"
        for p in said["properties"]
    )
    say(t("事件", "Events"), "bold")
    lines(f"{e['type']} ({e['subject']})  {e['count']:,}" for e in said["events"])
    say(t(f"事实 {seen.facts:,} 条", f"{seen.facts:,} facts"), "bold")
    for found in seen.conflicts:
        what, count = f"{found['entity']}.{found['property']}", found["subjects"]
        say(t(f"冲突：{what}，{count} 个对象", f"conflict: {what} for {count} subjects"), "yellow")
    for found in seen.same:
        what, count = f"{found['entity']}.{found['property']}", found["subjects"]
        say(t(f"可能同一：{what} 相同的 {count} 个", f"perhaps the same: {count} that share {what}"), "yellow")
    if seen.rejected_rows:
        say(t(f"{seen.rejected_rows} 行不能用", f"{seen.rejected_rows} rows cannot be used"), "yellow")


@group.command("ingest", help=t("按方案把新增和改动的行收进中枢", "Take new and changed rows into the hub by a plan"))
def ingest(
    plan: Annotated[Path, typer.Argument(help=t("graph map 写出的方案", "the plan that graph map wrote"))],
    input: Annotated[
        list[str],
        typer.Option(
            help=t("目录、文件或 SQLAlchemy 地址，可多次给出", "a folder, a file or a SQLAlchemy address; repeatable")
        ),
    ],
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api
    from core.errors import InvalidInput
    from knowledge.sources import find_tables, load_yaml, read_plan

    told = read_plan(load_yaml(plan), str(plan))
    found = [table for place in input for table in find_tables(place) if table.name in told.tables]
    sent = [
        {
            "name": each.name,
            "file": each.file,
            "digest": each.digest(),
            "rows": [
                {"line": row.line, "values": row.values, "error": row.error.text._asdict() if row.error else None}
                for row in each.rows()
            ],
        }
        for each in found
    ]
    body = orjson.dumps({"plan": told.as_dict(), "tables": sent}, default=str)
    with open_api() as api:
        report = api.send("sources", "apply", body=body, content_type="application/json")
    if json:
        as_json(report)
    else:
        for each in report["tables"]:
            for bad in each["errors"]:
                say(f"{bad['file']}:{bad['line']}: {bad['error']['message']}", "yellow")
        table(
            [t("表", "table"), t("新增", "added"), t("未变", "unchanged"), t("拒绝", "rejected")],
            [(r["table"], str(r["added"]), str(r["unchanged"]), str(r["rejected"])) for r in report["tables"]],
            t("没有可收的表", "there is no table to take"),
        )
        if report["late"]:
            say(t(f"{report['late']} 个事件迟到", f"{report['late']} events came late"), "yellow")
    if any(each["rejected"] for each in report["tables"]):
        raise typer.Exit(InvalidInput.exit_code)
