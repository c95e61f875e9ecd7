"""`zhongshu ingest`: events or facts from a file into the hub. Good lines are taken, bad ones reported by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app.cli.show import AsJson, as_json, err, note, say
from app.cli.words import t
from core.errors import InvalidInput

BLOCK = 4 * 1024 * 1024
"""Bytes sent at a time: well below the service's limit, large enough for thousands of lines."""
LINES = 50_000
"""Lines sent at a time at most, for the same reason."""
_SHOWN = 20


def register(app: typer.Typer) -> None:
    app.command("ingest", help=t("从文件导入事件或事实", "Events or facts from a file"))(ingest)


def ingest(
    file: Annotated[str, typer.Argument(help=t("NDJSON 文件，- 为标准输入", "an NDJSON file; - for standard input"))],
    facts: Annotated[
        bool,
        typer.Option("--facts/--events", help=t("是事实与关系；默认是事件", "facts and relations; default: events")),
    ] = False,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    total: dict[str, Any] = {"accepted": 0, "duplicates": 0, "late": 0, "rejected": []}
    with open_api() as api:
        for numbers, block in _blocks(file):
            path = "facts" if facts else "events"
            receipt = api.send(path, body=block, content_type="application/x-ndjson")
            for name in ("accepted", "duplicates", "late"):
                total[name] += receipt[name]
            for bad in receipt["rejected"]:
                total["rejected"].append({**bad, "line": numbers[bad["line"] - 1]})
    if json:
        as_json(total)
    else:
        _report(total)
    if total["rejected"]:
        raise typer.Exit(InvalidInput.exit_code)


def _blocks(file: str) -> Iterator[tuple[list[int], bytes]]:
    """The file's lines in blocks to send, each with the numbers its lines have in the file."""
    from strategy.stream import open_lines

    numbers: list[int] = []
    lines: list[bytes] = []
    size = 0
    for number, line in open_lines(file):
        numbers.append(number)
        lines.append(line)
        size += len(line)
        if size >= BLOCK or len(lines) >= LINES:
            yield numbers, b"\n".join(lines)
            numbers, lines, size = [], [], 0
    if lines:
        yield numbers, b"\n".join(lines)


def _report(total: dict[str, Any]) -> None:
    rejected = total["rejected"]
    for bad in rejected[:_SHOWN]:
        error = bad["error"]
        nearest = error.get("nearest")
        tail = t("；最接近：", "; nearest: ") + ", ".join(nearest) if nearest else ""
        err.print(f"{t('行', 'line')} {bad['line']}: {error['message']}{tail}", style="yellow", markup=False)
    if len(rejected) > _SHOWN:
        note(t(f"……另有 {len(rejected) - _SHOWN} 行", f"… and {len(rejected) - _SHOWN} more"))
    say(
        t(
            f"收下 {total['accepted']}，重复 {total['duplicates']}，迟到 {total['late']}，拒绝 {len(rejected)}",
            f"{total['accepted']} accepted, {total['duplicates']} duplicates, {total['late']} late, "
            f"{len(rejected)} rejected",
        ),
        "bold",
    )
