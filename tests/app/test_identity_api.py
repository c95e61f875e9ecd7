"""Identity over HTTP and from the command line, with a hub that ties records together as facts arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cli.commands import build
from core.context import Role
from tests.app.hubclient import Client, Service, settings_for

CATALOG = """
catalog: 1
objects:
  customer:
    attributes: {title: {type: text}, tel: {type: text}, card: {type: text}}
identity:
  customer: {properties: {title: full_name, tel: phone, card: national_id}}
"""
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def tying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Use subjects and numbers of your own."""
    from app.server import in_background

    folder: Path = tmp_path_factory.mktemp("tying")
    (folder / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    settings = settings_for(folder, catalog=folder / "catalog.yaml", identity=True)
    with in_background(settings) as (address, hub):
        keys = {role: hub.keys.create(hub.context(), f"test {role}", role).text for role in Role}
        yield Service(address, hub, keys)


def tell(client: Client, key: str, **values: str) -> None:
    facts = [
        {"subject": f"customer/{key}", "property": name, "value": value, "from": SINCE}
        for name, value in values.items()
    ]
    assert client("POST", "/v1/facts", facts).body["accepted"] == len(facts)


def open_pairs(client: Client, prefix: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client("GET", "/v1/identity/reviews").body["items"]
    return [pair for pair in items if pair["left"].startswith(f"customer/{prefix}")]


def members(client: Client, key: str) -> list[str]:
    found: list[str] = client("GET", f"/v1/identity/records/customer/{key}").body["members"]
    return found


def test_facts_that_name_one_card_make_one_customer_with_the_evidence(tying: Service) -> None:
    tell(tying.admin, "a1", title="李秀兰", card="E12345678")
    tell(tying.admin, "a2", title="李秀兰", card="e1234 5678", tel="13900000001")
    shown = tying.admin("GET", "/v1/customers/a1").body
    assert {v["name"]: v["value"] for v in shown["values"]}["tel"] == "13900000001"
    (merge,) = tying.admin("GET", "/v1/identity/records/a2").body["merges"]
    assert {c["field"] for c in merge["evidence"]["comparisons"]} == {"full_name", "national_id"}


def test_a_pair_is_listed_accepted_and_unmerged(tying: Service) -> None:
    admin = tying.admin
    tell(admin, "b1", title="王小芳", tel="13900000002")
    tell(admin, "b2", title="王小芳", tel="13900000002")
    (pair,) = open_pairs(admin, "b")
    assert "full_name same" in pair["explanation"]["en"]
    assert "full_name相同" in pair["explanation"]["zh"]
    accepted = admin("POST", f"/v1/identity/reviews/{pair['id']}/accept", {"why": "asked her"}).body
    assert (accepted["state"], members(admin, "b1")) == ("accepted", ["customer/b1", "customer/b2"])
    (merge,) = admin("GET", "/v1/identity/records/b1").body["merges"]
    undo = {"subject": "customer/b2", "merge": merge["id"], "why": "two sisters"}
    assert admin("POST", "/v1/identity/unmerge", undo).body["members"] == ["customer/b2"]
    assert members(admin, "b1") == ["customer/b1"]
    assert admin("POST", "/v1/identity/unmerge", undo).status == 404


def test_reviews_come_in_pages(tying: Service) -> None:
    for number in range(3):
        for side in "xy":
            tell(tying.admin, f"c{number}{side}", title=f"赵{'一二三'[number]}", tel=f"1390000010{number}")
    found, before = [], ""
    while before is not None:
        page = tying.admin("GET", f"/v1/identity/reviews?limit=1{before and f'&before={before}'}").body
        found += [pair["id"] for pair in page["items"]]
        before = page["next"]
    assert len(found) == len(set(found))
    assert {p["id"] for p in open_pairs(tying.admin, "c")} <= set(found)
    assert len(open_pairs(tying.admin, "c")) == 3


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.ADMIN])
def test_only_an_admin_says_who_is_who(tying: Service, role: Role) -> None:
    client = tying.as_role(role)
    asked = [("GET", "reviews"), ("POST", "reviews/pair_x/accept"), ("POST", "sweep"), ("GET", "records/a1")]
    assert [client(method, f"/v1/identity/{path}").status for method, path in asked] == [403] * 4


def test_the_command_line_lists_rejects_and_sweeps(tying: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_SERVICE_URL", tying.address)
    monkeypatch.setenv("ZHONGSHU_API_KEY", tying.keys[Role.ADMIN])

    def run(*arguments: str) -> str:
        with capture_logs():  # the service's own, in this process
            result = CliRunner().invoke(build(["identity"]), ["identity", *arguments])
        assert result.exit_code == 0, result.exception
        return result.stdout

    tell(tying.admin, "d1", title="周明", tel="13900000003")
    tell(tying.admin, "d2", title="周明", tel="13900000003")
    (pair,) = [p for p in json.loads(run("reviews", "--json")) if p["left"] == "customer/d1"]
    assert "customer/d1" in run("reject", pair["id"], "--why", "father and son")
    assert json.loads(run("sweep", "--json"))["asked"] == 0
    assert json.loads(run("show", "customer/d1", "--json"))["members"] == ["customer/d1"]
    assert pair["id"] not in run("reviews", "--json")
