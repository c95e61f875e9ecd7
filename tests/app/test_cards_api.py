"""Cards, conflicts and recommendations over HTTP, and the commands that need no hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.proposer import TOOL
from tests.app.hubclient import Client
from tests.app.test_cli import ROOT, run
from tests.llmock import Reply, serve

RETAIL = ROOT / "knowledge" / "packs" / "retail" / "catalog.yaml"

CONTRARY = """
catalog: 1
objects: {customer: {attributes: {tier: {type: enum, values: {vip: {}, plain: {}}}}}}
events: {login: {subject: customer, labels: {en: [log in, logs in]}}, order: {subject: customer}}
actions: {offer: {opposite: silence, labels: {en: [offer]}}, silence: {}}
"""


def document(name: str, event: str, action: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "trigger": {"kind": "event", "event": event}, "actions": [{"action": action}], **more}


def test_the_card_of_a_version_shows_what_changed_since_the_one_before(admin: Client) -> None:
    name = "carded"
    assert admin("POST", "/v1/strategies", {"document": document(name, "app.login", "outbound_call")}).status == 201
    changed = document(name, "app.login", "outbound_call", guards={"cap": {"times": 1, "per": "7d"}})
    assert admin("POST", f"/v1/strategies/{name}/versions", {"document": changed}).status == 201
    card = admin("GET", f"/v1/strategies/{name}/versions/2/card").body
    assert (card["previous"], card["changes"]) == (1, ["cap: added at most 1 time per 7 days per subject"])
    assert card["trigger"]["says"] and card["readback"]["zh"] and card["cost"]["per_subject"] == 16
    assert card["replay"]["strategies"][0]["name"] == name
    first = admin.speaking("zh")("GET", f"/v1/strategies/{name}/versions/1/card?replay=false").body
    assert (first["previous"], first["changes"], first["replay"]) == (None, [], None)
    assert admin("GET", f"/v1/strategies/{name}/versions/9/card").status == 404


def test_conflicts_are_among_what_is_approved_or_runs(admin: Client) -> None:
    once = {"cap": {"times": 1, "per": "7d"}}
    for name in ("twice-a", "twice-b"):
        made = document(name, "app.login", "outbound_call", guards=once)
        assert admin("POST", "/v1/strategies", {"document": made}).status == 201
    assert all("twice-b" not in c["strategies"] for c in admin("GET", "/v1/conflicts").body["items"])
    assert admin("POST", "/v1/strategies/twice-a/approve", {"version": 1, "percent": 0}).status == 200
    found = admin("GET", "/v1/conflicts?strategy=twice-b&history=true").body["items"]
    piled = next(c for c in found if c["kind"] == "pile_up" and set(c["strategies"]) == {"twice-a", "twice-b"})
    assert piled["decided"] and {each["strategy"] for each in piled["witness"]["fires"]} == {"twice-a", "twice-b"}
    assert piled["happened"]["times"] >= 0
    assert admin("POST", "/v1/strategies/twice-a/retire").status == 200


def test_a_sentence_has_a_card_beside_what_runs_before_it_is_drafted(admin: Client) -> None:
    once = {"cap": {"times": 1, "per": "7d"}}
    calls = document("calls", "app.login", "outbound_call", guards=once)
    assert admin("POST", "/v1/strategies", {"document": calls}).status == 201
    assert admin("POST", "/v1/strategies/calls/approve", {"version": 1, "percent": 0}).status == 200
    before = admin("GET", "/v1/strategies").body["items"]
    say = "VIP客户登录时，就外呼"
    card = admin.speaking("zh")("POST", "/v1/cards?replay=false", {"sentence": say}).body
    assert (card["sentence"], card["path"], card["previous"]) == (say, "grammar", None)
    piled = next(each for each in card["conflicts"] if "calls" in each["strategies"])
    assert piled["kind"] == "pile_up" and "登录" in piled["example"] and piled["example"].count("等级 是 大客户") == 1
    assert card["cost"]["said"].startswith("每个客户约")
    assert admin("GET", "/v1/strategies").body["items"] == before
    refused = admin("POST", "/v1/cards", {"sentence": "when a customer's systolik is high, arrange an outbound call"})
    assert refused.status == 422 and refused.body["nearest"]
    assert admin("POST", "/v1/strategies/calls/retire").status == 200


def test_recommendations_are_given_where_there_is_no_pack_too(admin: Client) -> None:
    assert admin("GET", "/v1/recommendations").status == 200


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("when a customer logs in, arrange an outbound call", 0),
        ("when a customer logs in and orders, arrange an outbound call", 3),
        ("when a customer's systolik is above 160, arrange an outbound call", 4),
    ],
)
def test_a_sentence_is_read_without_a_hub(sentence: str, code: int, tmp_path: Path) -> None:
    answer = run(tmp_path, "strategy", "draft", sentence, "--catalog", str(RETAIL), "--json")
    assert answer.returncode == code, answer.stderr
    told = json.loads(answer.stdout)
    assert told["path"] == "grammar"
    if code == 0:
        assert told["document"]["trigger"]["event"] == "app.login" and told["readback"]["zh"] and told["readback"]["en"]
    if code == 3:
        assert len(told["questions"][0]["choices"]) > 1 and told["document"] is None
    if code == 4:
        assert told["unknown"][0]["word"] == "systolik" and told["unknown"][0]["offset"] == sentence.index("systolik")
        assert told["unknown"][0]["nearest"]


LOGINS = {"kind": "aggregate", "event": "app.login", "function": "count", "window": {"over": "7d"}}
FEW = {"trigger": {**LOGINS, "op": "<", "value": 2}, "actions": [{"action": "outbound_call"}]}
SAY = "when a customer logs in fewer than 2 times in 7 days, arrange an outbound call"


@pytest.mark.parametrize(
    ("script", "code", "path"),
    [
        ([Reply(calls=[(TOOL, FEW)])], 0, "model"),
        ([Reply(status=401)], 0, "grammar"),
        ([Reply(calls=[(TOOL, {**FEW, "trigger": {**LOGINS, "op": "<=", "value": 2}})])], 3, "model"),
    ],
)
def test_with_an_endpoint_a_sentence_is_read_without_a_hub_as_with_one(
    script: list[Reply], code: int, path: str, tmp_path: Path
) -> None:
    with serve(*script) as mock:
        model = {"ZHONGSHU_LLM_BASE_URL": mock.url, "ZHONGSHU_LLM_MODEL": "scripted"}
        answer = run(tmp_path, "strategy", "draft", SAY, "--catalog", str(RETAIL), "--json", **model)
    assert answer.returncode == code, answer.stderr
    told = json.loads(answer.stdout)
    assert told["path"] == path and len(mock.requests) == 1
    assert len(told["questions"][0]["choices"] if code == 3 else told["readback"]) == 2


def test_a_question_about_the_whole_sentence_is_answered_with_a_choice(tmp_path: Path) -> None:
    other = {**FEW, "trigger": {**LOGINS, "op": "<=", "value": 2}}
    with serve(Reply(calls=[(TOOL, other)]), Reply(calls=[(TOOL, other)])) as mock:
        model = {"ZHONGSHU_LLM_BASE_URL": mock.url, "ZHONGSHU_LLM_MODEL": "scripted"}
        draft = ("strategy", "draft", SAY, "--catalog", str(RETAIL), "--json")
        choices = json.loads(run(tmp_path, *draft, **model).stdout)["questions"][0]["choices"]
        meant = [json.loads(run(tmp_path, *draft, "--answer", choice, **model).stdout) for choice in choices]
    assert [each["document"]["trigger"]["op"] for each in meant] == ["<", "<="]


def test_an_answer_counts_without_a_hub(tmp_path: Path) -> None:
    say = "客户登录次数超过3,就发优惠"
    asked = run(tmp_path, "strategy", "draft", say, "--catalog", str(RETAIL), "--json")
    assert asked.returncode == 3
    choice = json.loads(asked.stdout)["questions"][0]["choices"][0]
    answer = ("--answer", f"优惠={choice}")
    told = run(tmp_path, "strategy", "draft", say, "--catalog", str(RETAIL), *answer, "--json")
    assert told.returncode == 0, told.stdout
    assert json.loads(told.stdout)["document"]["actions"][0]["action"] == "exclusive_offer"
    refused = run(tmp_path, "strategy", "draft", say, "--catalog", str(RETAIL), *answer, "--remember")
    assert refused.returncode == 2 and "--remember" in refused.stderr


def test_conflicts_of_a_folder_are_printed_with_kind_and_witness(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(CONTRARY, encoding="utf-8")
    folder = tmp_path / "strategies"
    folder.mkdir()
    for name, event, action in (("a", "login", "offer"), ("b", "order", "silence")):
        (folder / f"{name}.json").write_text(json.dumps(document(name, event, action)), encoding="utf-8")
    asked = ("strategy", "conflicts", "--catalog", str(tmp_path / "catalog.yaml"), "--strategies", str(folder))
    answer = run(tmp_path, *asked, "--json")
    assert answer.returncode == 0, answer.stderr
    (clash,) = json.loads(answer.stdout)["conflicts"]
    assert (clash["kind"], clash["strategies"]) == ("opposite", ["a", "b"])
    assert {event["type"] for event in clash["witness"]["events"]} == {"login", "order"}
    shown = run(tmp_path, *asked).stdout
    assert "[opposite actions]" in shown and "for example: log in; order" in shown


def test_a_card_is_made_from_files(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(CONTRARY, encoding="utf-8")
    asked = ("--catalog", str(tmp_path / "catalog.yaml"), "--say", "when a customer logs in, offer")
    answer = run(tmp_path, "strategy", "card", *asked)
    assert answer.returncode == 0, answer.stderr
    assert "Trigger" in answer.stdout and "Conflicts: none" in answer.stdout


def test_a_card_in_the_hub_is_asked_for_by_name_sentence_or_file(tmp_path: Path) -> None:
    shown = run(tmp_path, "strategy", "card", "--say", "when a customer logs in, arrange an outbound call")
    assert shown.returncode == 0, shown.stderr
    assert "nothing is on record to look at" in shown.stdout and "a customer" in shown.stdout
    assert "no strategies yet" in run(tmp_path, "strategy", "list").stdout
    refused = run(tmp_path, "strategy", "card", "calls", "--say", "when a customer logs in, arrange an outbound call")
    assert refused.returncode == 2 and "one of them" in refused.stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("card", "--say", SAY, "--events", "e.ndjson"), "--events goes with --catalog"),
        (("card", "--say", SAY, "--version", "2"), "--version goes with a name"),
        (("conflicts", "--strategies", "."), "--strategies goes with --catalog"),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(asked: tuple[str, ...], said: str, tmp_path: Path) -> None:
    refused = run(tmp_path, "strategy", *asked)
    assert refused.returncode == 2 and said in refused.stderr
