"""Tables of other systems through the intake: what is new or changed, bad rows aside, facts with their row."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from core.context import Role
from tests.app.hubclient import Client, Service

HEAD = ["id", "dwell", "at"]
ROWS = [["src-a", "30", "2026-05-01T08:00:00Z"], ["src-b", "40", "2026-05-01T08:00:00Z"]]


def _plan(source: str) -> dict[str, Any]:
    mapping = {
        "mapping": 1, "source": source, "subject": f"customer/{source}-{{id}}", "time": "at",
        "facts": {"dwell": {"column": "dwell", "type": "number"}},
    }  # fmt: skip
    return {
        "plan": 1,
        "tables": {"members": {"file": "members.csv", "entity": "customer", "key": ["id"], "mapping": mapping}},
        "catalog": {"catalog": 1, "objects": {"customer": {"labels": {"zh": ["客户"], "en": ["customer"]}}}},
    }


def _table(rows: list[list[str]], digest: str = "") -> dict[str, Any]:
    sent = [{"line": n, "values": dict(zip(HEAD, row, strict=True))} for n, row in enumerate(rows, 2)]
    return {"name": "members", "file": "members.csv", "digest": digest, "rows": sent}


@pytest.fixture
def run(admin: Client, request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Apply rows as a source of the test's own; its one table's report, with the receipt's counts."""
    source = "".join(c for c in request.node.name if c.isalnum())

    def apply(rows: list[list[str]], digest: str = "") -> dict[str, Any]:
        body = {"plan": _plan(source), "tables": [_table(rows, digest)]}
        answer = admin("POST", "/v1/sources/apply", body)
        assert answer.status == 200, answer.body
        return {**answer.body.pop("tables")[0], **answer.body, "source": source}

    return apply


def test_a_second_run_adds_nothing(run: Callable[..., dict[str, Any]]) -> None:
    first, second = run(ROWS), run(ROWS)
    assert [first[name] for name in ("added", "accepted")] == [2, 2]
    assert [second[name] for name in ("added", "unchanged", "accepted")] == [0, 2, 0]


def test_a_changed_row_and_a_new_one_are_two_newer_claims(run: Callable[..., dict[str, Any]], admin: Client) -> None:
    run(ROWS)
    changed = [["src-a", "50", "2026-05-01T08:00:00Z"], ROWS[1], ["src-c", "30", "2026-05-02T08:00:00Z"]]
    third = run(changed)
    assert [third[name] for name in ("added", "unchanged", "accepted")] == [2, 1, 2]
    shown = admin("GET", f"/v1/customers/{third['source']}-src-a").body
    assert [(v["value"], v["source"]) for v in shown["values"]] == [(50.0, third["source"])]


def test_the_file_of_the_last_run_is_not_looked_at(run: Callable[..., dict[str, Any]]) -> None:
    assert not run(ROWS, "same")["skipped"]
    again = run(ROWS, "same")
    assert (again["skipped"], again["unchanged"]) == (True, 2)
    assert not run(ROWS, "other")["skipped"]


def test_a_bad_row_is_set_aside_once_with_its_place_and_taken_when_it_is_right(
    run: Callable[..., dict[str, Any]], admin: Client
) -> None:
    bad = run([*ROWS, ["src-d", "30", "one day"]], "same")
    assert (bad["added"], bad["rejected"]) == (2, 1)
    assert (bad["errors"][0]["file"], bad["errors"][0]["line"]) == ("members.csv", 4)
    assert run([*ROWS, ["src-d", "30", "one day"]], "same")["rejected"] == 1

    kept = admin("GET", "/v1/set-aside?limit=200").body["items"]
    mine = [row for row in kept if "src-d" in row["raw"]]
    assert [(row["error"]["where"]["file"], row["error"]["where"]["line"]) for row in mine] == [("members.csv", 4)]
    assert run([*ROWS, ["src-d", "30", "2026-05-02T08:00:00Z"]], "mended")["added"] == 1


def test_a_fact_says_which_row_it_comes_from(run: Callable[..., dict[str, Any]], admin: Client) -> None:
    source = run(ROWS)["source"]
    fact = admin("GET", f"/v1/customers/{source}-src-b").body["values"][0]["evidence"]
    told = admin("GET", f"/v1/sources/lineage/{fact}").body
    assert (told["source"], told["table"], told["file"], told["line"]) == (source, "members", "members.csv", 3)


def test_the_ledger_says_how_far_a_table_was_taken(run: Callable[..., dict[str, Any]], admin: Client) -> None:
    source = run(ROWS, "d1")["source"]
    told = next(t for t in admin("GET", "/v1/sources/ledger").body["items"] if t["source"] == source)
    assert (told["rows"], told["digest"]) == (2, "d1")
    assert told["watermark"].startswith("2026-05-01T08:00:00")


def test_who_is_forgotten_is_not_in_the_ledger(run: Callable[..., dict[str, Any]], admin: Client) -> None:
    source = run(ROWS)["source"]
    body = {"subject": f"customer/{source}-src-b", "dry_run": False}
    answer = admin("POST", "/v1/privacy/erase", body, X_Purpose="compliance").body
    assert {s["store"]: s["erased"] for s in answer["stores"]}["source ledger"] == 2
    assert answer["certificate"]["left"] == []


@pytest.mark.parametrize("path", ["propose", "preview", "apply"])
def test_only_who_may_is_let_at_the_tables(service: Service, path: str) -> None:
    answer = service.as_role(Role.STRATEGIST)("POST", f"/v1/sources/{path}", {"plan": {}, "tables": []})
    assert answer.status == 403


def test_tables_are_proposed_and_previewed_before_anything_is_written(admin: Client) -> None:
    tables = [_table([[f"C{n:04}", "30", "2026-05-01T08:00:00Z"] for n in range(20)])]
    said = admin("POST", "/v1/sources/propose", {"tables": tables})
    assert said.status == 200, said.body
    seen = admin("POST", "/v1/sources/preview", {"plan": said.body["plan"], "tables": tables})
    assert seen.body["preview"] == said.body["preview"]
    assert seen.body["preview"]["facts"] == 20


def test_the_command_sends_a_folder_by_its_plan(service: Service, tmp_path: Path, monkeypatch: Any) -> None:
    from app.cli.commands import build

    with (tmp_path / "members.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *ROWS])
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump(_plan("bycommand"), allow_unicode=True))
    monkeypatch.setenv("ZHONGSHU_SERVICE_URL", service.address)
    monkeypatch.setenv("ZHONGSHU_API_KEY", service.keys[Role.ADMIN])
    asked = ["graph", "ingest", str(plan), "--input", os.fspath(tmp_path), "--json"]
    first, second = (CliRunner().invoke(build(asked), asked) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert '"added": 2' in first.output
    assert '"added": 0' in second.output
