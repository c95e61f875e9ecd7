"""A workbook and a database of other systems through the commands: proposed, edited, taken, taken again after changes,
with what came late and what is wrong said by place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from app.cli.commands import build
from core.context import Role
from tests.app.hubclient import Client, settings_for

MEMBERS = [
    {
        "会员编号": f"M{n:03}",
        "等级": "金卡" if n % 3 else "银卡",
        "累计消费(元)": f"¥{n}00.50",
        "更新时间": f"2026-05-{n:02} 08:00:00",
    }
    for n in range(1, 21)
]
ORDERS = [(f"O{n:03}", f"M{n:03}", 10.0 * n, f"2026-05-{n:02} 09:00:00") for n in range(1, 21)]


class World:
    """A folder with a workbook and a database, and the commands on a running hub."""

    def __init__(self, folder: Path, client: Client, run: Callable[..., Any]) -> None:
        self.folder, self.client, self.run = folder, client, run
        self.proposed: dict[str, Any] = {}
        self.book, self.base = folder / "会员.xlsx", folder / "shop.db"

    def write(self, members: list[dict[str, str]], orders: list[tuple[Any, ...]]) -> None:
        pl.DataFrame(members).write_excel(self.book, worksheet="会员")
        self.base.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.base)) as connection, connection:
            connection.execute(
                "CREATE TABLE orders (order_no TEXT PRIMARY KEY, 会员编号 TEXT, amount REAL, paid_at TEXT)"
            )
            connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)

    def ingest(self) -> dict[str, Any]:
        code, found = self.run("graph", "ingest", str(self.folder / "plan.yaml"), "--input", str(self.folder), "--json")
        return {"code": code, **found, "by": {t["table"]: t for t in found["tables"]}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from app.server import in_background

    folder = tmp_path_factory.mktemp("tables")
    place = folder / "tables"
    place.mkdir()
    patch = pytest.MonkeyPatch()
    patch.setenv("ZHONGSHU_LANG", "en")

    def run(*asked: str) -> tuple[int, Any]:
        given = list(asked)
        done = CliRunner().invoke(build(given), given)
        begin, end = done.stdout.find("{\n"), done.stdout.rfind("\n}")  # the service in this process logs there too
        assert begin >= 0, done.output
        return done.exit_code, orjson.loads(done.stdout[begin : end + 2])

    first = World(place, Client("", None), run)
    first.write(MEMBERS, ORDERS)
    edits = folder / "edits.yaml"
    edits.write_text("tables: {orders: {mapping: {facts: {amount: null}}}}", encoding="utf-8")
    asked = ("graph", "map", "--input", str(place), "--accept", str(edits), "--output", str(place / "plan.yaml"))
    code, proposed = run(*asked, "--json")
    assert code == 0, proposed
    catalog = folder / "catalog.yaml"
    plan = yaml.safe_load((place / "plan.yaml").read_text(encoding="utf-8"))
    catalog.write_text(yaml.safe_dump(plan["catalog"], allow_unicode=True), encoding="utf-8")
    with in_background(settings_for(folder / "data", catalog=catalog)) as (address, hub):
        patch.setenv("ZHONGSHU_SERVICE_URL", address)
        patch.setenv("ZHONGSHU_API_KEY", hub.keys.create(hub.context(), "test", Role.ADMIN).text)
        first.client = Client(address, hub.keys.create(hub.context(), "reads", Role.ADMIN).text)
        first.proposed = proposed
        yield first
    patch.undo()


def test_a_workbook_and_a_database_are_proposed_with_units_and_taken_once(world: World) -> None:
    found = {(p["table"], p["column"]): (p["property"], p["unit"]) for p in world.proposed["properties"]}
    assert found["会员", "累计消费(元)"] == ("lifetime_value", "CNY")
    first, second = world.ingest(), world.ingest()
    assert (first["code"], first["by"]["会员"]["added"], first["by"]["orders"]["added"]) == (0, 20, 20)
    assert (second["by"]["会员"]["added"], second["by"]["orders"]["added"], second["accepted"]) == (0, 0, 0)
    shown = world.client("GET", "/v1/customers/M004").body
    assert {v["name"]: v["value"] for v in shown["values"]}["lifetime_value"] == 400.5


def test_an_edit_is_in_the_plan_that_is_saved_and_what_it_does_not_name_stays(world: World) -> None:
    kept = yaml.safe_load((world.folder / "plan.yaml").read_text(encoding="utf-8"))["tables"]["orders"]["mapping"]
    assert "amount" not in kept.get("facts", {})
    assert kept["events"][0]["data"]["amount"]["column"] == "amount"


def test_a_changed_row_is_a_newer_claim_and_one_that_tells_of_before_does_not_hide_what_is_known_since(
    world: World,
) -> None:
    newer = {**MEMBERS[0], "等级": "黑卡", "更新时间": "2026-06-01 08:00:00"}
    older = {**MEMBERS[1], "等级": "铜卡", "更新时间": "2026-01-01 08:00:00"}
    world.write([newer, older, *MEMBERS[2:]], ORDERS)
    assert world.ingest()["by"]["会员"]["added"] == 2
    tiers = [
        {v["name"]: v["value"] for v in world.client("GET", f"/v1/customers/{who}").body["values"]}["tier"]
        for who in ("M001", "M002")
    ]
    assert tiers == ["黑卡", "金卡"]


def test_rows_that_are_gone_change_nothing_that_was_told(world: World) -> None:
    world.write(MEMBERS[:10], ORDERS[:10])
    world.ingest()
    shown = world.client("GET", "/v1/customers/M015").body
    assert {v["name"] for v in shown["values"]} >= {"tier", "lifetime_value"}


def test_an_event_from_before_the_watermark_is_counted_as_late(world: World) -> None:
    world.write(MEMBERS, [*ORDERS, ("O900", "M001", 5.0, "2025-01-01 09:00:00")])
    assert world.ingest()["late"] == 1
    (aside,) = world.client("GET", "/v1/set-aside?reason=late").body["items"]
    assert "orders-O900" in aside["raw"]


def test_a_wrong_cell_is_named_by_file_row_and_column_with_what_would_be_right(world: World) -> None:
    wrong = {**MEMBERS[4], "累计消费(元)": "很多", "更新时间": "2026-06-02 08:00:00"}
    world.write([*MEMBERS[:4], wrong, *MEMBERS[5:]], ORDERS)
    found = world.ingest()
    (error,) = found["by"]["会员"]["errors"]
    assert error["error"]["where"] == {"file": "会员.xlsx", "part": "会员", "line": 6, "field": "累计消费(元)"}
    assert error["error"]["message"] == "'很多' is not a number"
    assert "1,200.5" in error["error"]["hint"]
