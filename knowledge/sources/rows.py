"""Rows of a CSV, JSON or NDJSON file, each with the line it stands on. Workbooks and databases are in places.py."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import InvalidInput, ZhongshuError
from core.text import Text

TEXT_FORMATS = (".csv", ".tsv", ".json", ".ndjson", ".jsonl")


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
    if ending not in TEXT_FORMATS:
        raise InvalidInput(
            Text(f"不支持的文件格式 {ending or '（无）'}", f"files ending in {ending or 'nothing'} are not supported"),
            where={"file": str(path)},
            nearest=TEXT_FORMATS,
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
    if isinstance(content, dict):  # {"data": [...]}, as exports of web services have it
        content = next((value for value in content.values() if isinstance(value, list)), None)
    if not isinstance(content, list):
        raise InvalidInput(
            Text("JSON 文件应是对象的数组", "a JSON file must be an array of objects"), where={"file": str(path)}
        )
    for place, item in enumerate(content, 1):
        yield Row(place, flat(item)) if isinstance(item, dict) else Row(place, {}, _no_object())


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
    return Row(line, flat(item)) if isinstance(item, dict) else Row(line, {}, _no_object())


def flat(item: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """What objects within an object hold becomes columns as well: `{"a": {"b": 1}}` → `{"a": {"b": 1}, "a.b": 1}`."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        found[f"{before}{name}"] = value
        if isinstance(value, dict):
            found.update(flat(value, f"{before}{name}."))
    return found


def rows_of_values(records: Iterable[Mapping[str, Any]], first: int) -> Iterator[Row]:
    """Rows of typed records (a sheet, a table of a database), numbered from `first`; blank ones are left out."""
    for line, record in enumerate(records, first):
        values = {str(name).strip(): _plain(value) for name, value in record.items()}
        if any(value not in (None, "") for value in values.values()):
            yield Row(line, values)


def _plain(value: Any) -> Any:
    """What JSON has a form for: times as ISO 8601, whole numbers without a fraction."""
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value.hex() if isinstance(value, bytes) else value


def _no_object() -> InvalidInput:
    return InvalidInput(Text("应是 JSON 对象", "a row must be a JSON object"))
