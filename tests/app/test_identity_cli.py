"""`zhongshu identity resolve` as a user meets it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
from typer.testing import CliRunner

from app.cli.commands import build

ROWS = [
    {"编号": "k1", "姓名": "王晓明", "身份证号": "440301199003051234", "电话": "138****5678"},
    {"编号": "k2", "姓名": "王小明", "身份证号": "440301199003051234", "电话": "13812345678"},
    {"编号": "k3", "姓名": "陈静", "身份证号": "110101198512120021", "电话": "13900001111"},
]


def resolved(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(build(["identity"]), ["identity", "resolve", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.exception
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def clusters(answer: dict[str, Any]) -> dict[str, str]:
    return {r["record"]: r["cluster"] for r in answer["records"]}


def test_a_spreadsheet_is_resolved_and_written_as_csv(tmp_path: Path) -> None:
    source, target = tmp_path / "a.xlsx", tmp_path / "clusters.csv"
    pl.DataFrame(ROWS).write_excel(source)
    answer = resolved("--input", source, "--output", target)
    assert clusters(answer)["k1"] == clusters(answer)["k2"] != clusters(answer)["k3"]
    written = list(csv.DictReader(target.open(encoding="utf-8")))
    assert [(r["record"], r["cluster"]) for r in written] == list(clusters(answer).items())


def test_two_files_are_linked_by_a_column_map(tmp_path: Path) -> None:
    left, right, columns = tmp_path / "a.json", tmp_path / "b.parquet", tmp_path / "map.yaml"
    left.write_text(json.dumps([{"编号": r["编号"], "q": r["身份证号"]} for r in ROWS[::2]]), encoding="utf-8")
    pl.DataFrame([{"编号": "b1", "q": ROWS[0]["身份证号"]}, {"编号": "b2", "q": "x"}]).write_parquet(right)
    columns.write_text("columns: {编号: record, q: national_id}", encoding="utf-8")
    answer = resolved("--input", left, "--input", right, "--map", columns)
    assert clusters(answer)["k1"] == clusters(answer)["b1"]
    assert len(set(clusters(answer).values())) == 3
