"""Rows of a CSV, JSON or NDJSON file, each with the line it stands on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import InvalidInput, ZhongshuError
from core.text import Text

_FORMATS = (".csv", ".tsv", ".json", ".ndjson", ".jsonl")


class Row(NamedTuple):
    """One record. `line` is where it ends in the file (in a JSON array: its place, from 1); `error` when it cannot be
    read, and then `values` is empty."""

    line: int
    values: dict[str, Any]
    error: ZhongshuError | None = None


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, by its ending. Text is UTF-8, or GB18030 as Chinese spreadsheets write it.

    Raises:
        InvalidInput: the file cannot be read, its format is not known, or as a whole it is not of its format.
    """
    ending = path.suffix.lower()
    if ending not in _FORMATS:
        raise InvalidInput(
            Text(f"不支持的文件格式 {ending or '（无）'}", f"files ending in {ending or 'nothing'} are not supported"),
            where={"file": str(path)},
            nearest=_FORMATS,
        )
    text = _decoded(path)
    if ending in (".csv", ".tsv"):
        yield from _csv(text, "\t" if ending == ".tsv" else None, path)
    elif ending == ".json":
        yield from _json(text, path)
    else:
        for line, raw in enumerate(text.split("\n"), 1):
            if raw.strip():
                yield _json_row(line, raw)


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as cause:
        raise InvalidInput(
            Text(f"读不了文件：{cause.strerror}", f"the file cannot be read: {cause.strerror}"),
            where={"file": str(path)},
        ) from cause
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(
        Text("文件不是 UTF-8 或 GB18030 编码的文本", "the file is text neither in UTF-8 nor in GB18030"),
        where={"file": str(path)},
    )


def _csv(text: str, delimiter: str | None, path: Path) -> Iterator[Row]:
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or max(",;\t", key=first.count), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                yield Row(reader.line_num, {}, _wrong_width(len(cells), len(header)))
            else:
                yield Row(reader.line_num, dict(zip(header, cells, strict=True)))
    except csv.Error as cause:
        raise InvalidInput(
            Text(f"不是合法的 CSV：{cause}", f"not valid CSV: {cause}"),
            where={"file": str(path), "line": reader.line_num},
        ) from cause


def _check_header(header: list[str], path: Path) -> None:
    twice = next((name for name in header if header.count(name) > 1), None)
    if not header or twice is not None:
        problem = (
            Text("没有表头", "there is no header row")
            if not header
            else Text(f"列名 {twice!r} 出现两次", f"the column {twice!r} occurs twice")
        )
        raise InvalidInput(problem, where={"file": str(path), "line": 1})


def _wrong_width(cells: int, columns: int) -> InvalidInput:
    return InvalidInput(
        Text(f"有 {cells} 个单元格，表头有 {columns} 列", f"{cells} cells under a header of {columns} columns"),
        hint=Text("含分隔符的内容要加双引号", "Quote cells that hold the separator"),
    )


def _json(text: str, path: Path) -> Iterator[Row]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as cause:
        raise InvalidInput(
            Text(f"不是合法的 JSON：{cause.msg}", f"not valid JSON: {cause.msg}"),
            where={"file": str(path), "line": cause.lineno, "column": cause.colno},
        ) from cause
    if not isinstance(content, list):
        raise InvalidInput(
            Text("JSON 文件应是对象的数组", "a JSON file must be an array of objects"), where={"file": str(path)}
        )
    for place, item in enumerate(content, 1):
        yield Row(place, item) if isinstance(item, dict) else Row(place, {}, _no_object())


def _json_row(line: int, raw: str) -> Row:
    try:
        item = json.loads(raw)
    except json.JSONDecodeError as cause:
        return Row(
            line,
            {},
            InvalidInput(
                Text(f"不是合法的 JSON：{cause.msg}", f"not valid JSON: {cause.msg}"), where={"column": cause.colno}
            ),
        )
    return Row(line, item) if isinstance(item, dict) else Row(line, {}, _no_object())


def _no_object() -> InvalidInput:
    return InvalidInput(Text("应是 JSON 对象", "a row must be a JSON object"))
