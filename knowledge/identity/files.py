"""Tables of people or companies from files, and their resolution as data for a file or a program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.text import Lang, Text
from knowledge.identity.resolve import Resolution, Resolved, Table
from knowledge.sources import read_rows
from knowledge.sources.plan import write_text

_COLUMNAR = (".xlsx", ".xls", ".parquet")
_COLUMNS = ("input", "row", "record", "cluster", "confidence", "decision", "reason")


def read_table(path: Path, name: str | None = None) -> tuple[Table, list[int]]:
    """The file's rows, and the lines of those that could not be read. CSV, TSV, JSON, NDJSON, Excel, Parquet.

    Raises:
        InvalidInput: the file cannot be read, or holds no rows.
    """
    rows, bad = [], []
    if path.suffix.lower() in _COLUMNAR:
        rows = _columnar(path)
    else:
        for row in read_rows(path):
            if row.error is None:
                rows.append(row.values)
            else:
                bad.append(row.line)
    if not rows:
        raise InvalidInput(
            Text("文件里没有可读的行", "the file holds no rows that can be read"), where={"file": str(path)}
        )
    return Table(name or path.name, rows), bad


def _columnar(path: Path) -> list[dict[str, Any]]:
    import polars as pl

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path).to_dicts()
        return pl.read_excel(path, infer_schema_length=None).to_dicts()
    except (OSError, ValueError, pl.exceptions.PolarsError) as cause:
        raise InvalidInput(
            Text(f"读不了文件：{cause}", f"the file cannot be read: {cause}"), where={"file": str(path)}
        ) from cause


def as_data(resolution: Resolution, tables: Sequence[Table], bad: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The resolution as JSON: `inputs` (how each file was read), `entities` (how many), `records` (each with its
    cluster, confidence and reason), `reviews` (pairs for a person), most doubtful last."""
    inputs = []
    for table, layout, lines in zip(tables, resolution.layouts, bad, strict=True):
        inputs.append(
            {
                "input": table.name,
                "records": len(table.rows),
                "unreadable_lines": list(lines),
                "record_column": layout.record,
                "columns": {column: name for name, found in layout.columns.items() for column in found},
                "each_entity_once": table.name in resolution.once,
            }
        )
    records = [_record(r) for r in resolution.records]
    return {
        "inputs": inputs,
        "entities": len({r.cluster for r in resolution.records}),
        "records": records,
        "reviews": [
            {
                "left": _named(resolution.records[pair.left]),
                "right": _named(resolution.records[pair.right]),
                "probability": round(pair.judgement.probability, 6),
                "reason": pair.judgement.says()._asdict(),
                "parts": [p._asdict() for p in pair.judgement.parts],
            }
            for pair in sorted(resolution.reviews, key=lambda p: -p.judgement.probability)
        ],
    }


def _record(resolved: Resolved) -> dict[str, Any]:
    data = asdict(resolved)
    return {"input": data.pop("table"), **data, "reason": resolved.reason._asdict()}


def _named(resolved: Resolved) -> dict[str, Any]:
    return {"input": resolved.table, "row": resolved.row, "record": resolved.record, "cluster": resolved.cluster}


def write_clusters(path: Path, data: dict[str, Any], lang: Lang) -> None:
    """Write `as_data`'s records: as JSON all of it, else as CSV a row a record, with the reason in `lang`.

    Raises:
        InvalidInput: the file cannot be written.
    """
    if path.suffix.lower() == ".json":
        text = json.dumps(data, ensure_ascii=False, indent=2)
    else:
        written = io.StringIO()
        rows = csv.DictWriter(written, _COLUMNS)
        rows.writeheader()
        rows.writerows({**{c: r[c] for c in _COLUMNS}, "reason": r["reason"][lang]} for r in data["records"])
        text = written.getvalue()
    write_text(path, text)
