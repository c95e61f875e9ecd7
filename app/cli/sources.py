"""`zhongshu sources`, and how the graph's health is printed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from app.cli.show import AsJson, as_json, lines, say, table
from app.cli.words import cli_lang, t


def register(app: typer.Typer) -> None:
    app.command("sources", help=t("触点盘点：来源、负责人、新鲜度、覆盖", "Sources: owner, freshness, coverage, gaps"))(
        show
    )


def show(
    purpose: Annotated[str | None, typer.Option(help=t("用途，默认随角色", "purpose; default: the role's"))] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api(purpose) as api:
        found = api.get("sources")
    if json:
        as_json(found)
    else:
        show_sources(found["items"])


def show_health(found: dict[str, Any]) -> None:
    """The whole report: sources, conflicts, duplicates, loops."""
    held = ", ".join(f"{kind} {count:,}" for kind, count in found["subjects"].items())
    say(t(f"对象：{held or '无'}", f"subjects: {held or 'none'}"), "bold")
    say(t(f"已合并的记录 {found['merged']}", f"records merged {found['merged']}"))
    if found["asked"]:
        say(
            t(
                f"有 {found['asked']} 对记录等人确认：zhongshu identity reviews",
                f"{found['asked']} pairs of records wait for a person: zhongshu identity reviews",
            ),
            "yellow",
        )
    if found["withheld"]:
        count, purpose = found["withheld"], found["purpose"]
        say(
            t(
                f"用途 {purpose} 不可见的 {count} 项未计入",
                f"{count} items not counted: purpose {purpose} may not see them",
            )
        )
    show_sources(found["sources"])
    say(t("来源之间的冲突", "Sources that disagree"), "bold")
    disagreeing = [c for c in found["conflicts"] if c["disagree"]]
    lines(map(_conflict, disagreeing) if disagreeing else [t("没有", "none")])
    say(t("可能重复", "Perhaps duplicates"), "bold")
    lines(map(_duplicates, found["duplicates"]) if found["duplicates"] else [t("没有", "none")])
    for loop in found["loops"]:
        _show_loop(loop)


def show_sources(sources: Iterable[dict[str, Any]]) -> None:
    states = {
        "fresh": t("及时", "fresh"),
        "late": t("过期", "late"),
        "silent": t("无数据", "silent"),
        "unset": t("未设", "unset"),
    }
    sources = list(sources)
    head = [t("来源", "source"), t("负责人", "owner"), t("接口", "API"), t("状态", "state"), t("最新", "last")]
    head += [t("事件", "events"), t("事实", "facts"), t("近7天", "last 7 days"), t("用途", "purposes")]
    table(
        head,
        [
            (
                _said(s["label"]),
                _said(s["owner"]) if s["owner"] else "-",
                s["api"] or "-",
                states[s["state"]],
                (s["last"] or "-")[:16],
                f"{s['events']:,}",
                f"{s['facts']:,}",
                f"{s['last_7_days']:,}",
                ", ".join(s["purposes"]) or t("不限", "any"),
            )
            for s in sources
        ],
        t("还没有来源", "there is no source yet"),
    )
    for source in sources:
        say(_said(source["label"]), "bold")
        lines(f"{_said(c['label'])}  {c['share']:.1%} ({c['subjects']:,}/{c['known']:,})" for c in source["coverage"])
        for gap in source["gaps"]:
            say(t("  缺口：", "  gap: ") + _said(gap), "yellow")


def _show_loop(loop: dict[str, Any]) -> None:
    owners = ", ".join(map(_said, loop["owners"]))
    name = _said(loop["label"]) + (f" ({owners})" if owners else "")
    done, known = loop["completed"], loop["known"]
    say(t(f"闭环：{name}，走完 {done:,}/{known:,}", f"loop: {name}, completed by {done:,} of {known:,}"), "bold")
    head = [t("环节", "step"), t("到达", "reached"), t("来自上一环节", "from the step before"), t("跳过", "skipped")]
    head += [t("等待中", "waiting"), t("停滞", "stalled"), t("来源", "sources")]
    table(
        head,
        [
            (
                _said(s["label"]),
                *(f"{s[n]:,}" for n in ("reached", "from_before", "skipped", "waiting", "stalled")),
                ", ".join(s["sources"]) or "-",
            )
            for s in loop["stages"]
        ],
        "",
    )
    for gap in loop["gaps"]:
        say(t("  缺口：", "  gap: ") + _said(gap), "yellow")


def _conflict(c: dict[str, Any]) -> str:
    what, (one, other), gap = _said(c["label"]), c["sources"], c["mean_gap"]
    said = f"{what}: {one} ≠ {other}  {c['disagree']:,}/{c['compared']:,}"
    if gap is None:
        return said
    most = c["largest_gap"]
    return said + t(f"，平均相差 {gap:g}，最多 {most:g}", f", {gap:g} apart on average, {most:g} at most")


def _duplicates(d: dict[str, Any]) -> str:
    what = _said(d["label"])
    return t(f"{what}：{d['subjects']:,} 个对象共用", f"{what}: {d['subjects']:,} subjects share values")


def _said(label: dict[str, str]) -> str:
    return label[cli_lang()]
