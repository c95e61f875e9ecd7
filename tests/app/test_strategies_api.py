"""Strategies over HTTP, from a sentence to a firing that answers why, and one that answers why not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from core.context import Role
from tests.app.hubclient import Client, Service

SENTENCE = "客户登录就外呼"
DOCUMENT = {
    "name": "calls-after-login",
    "trigger": {
        "kind": "aggregate",
        "event": "app.login",
        "function": "count",
        "window": {"last": 2},
        "op": ">=",
        "value": 2,
    },
    "actions": [{"action": "outbound_call"}],
}


def wait_for(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        if found := look():
            return found
        pause.wait(0.02)
    raise AssertionError("waited in vain")


def login(client: Client, key: str, subject: str) -> None:
    moment = datetime.now(UTC).isoformat()
    event = {"id": key, "source": "strategies", "type": "app.login", "time": moment, "subject": subject}
    assert client("POST", "/v1/events", event).body["accepted"] == 1


def test_a_sentence_becomes_a_draft_that_is_read_back_in_both_languages(service: Service) -> None:
    strategist = service.as_role(Role.STRATEGIST)
    drafted = strategist("POST", "/v1/strategies", {"sentence": SENTENCE, "name": "每次登录"})
    assert drafted.status == 201, drafted.body
    assert drafted.body["state"] == "draft"
    assert drafted.body["read_by"] == "grammar"
    both = strategist("GET", f"/v1/strategies/{quote('每次登录')}/readback").body
    assert "登录" in both["zh"]
    assert "log in" in both["en"] or "app login" in both["en"]
    assert drafted.body["readback"] == both["en"]


def test_an_answer_is_taken_remembered_listed_and_forgotten(service: Service) -> None:
    strategist = service.as_role(Role.STRATEGIST)
    sentence = "对贵宾，客户登录就外呼"
    asked = strategist("POST", "/v1/strategies", {"sentence": sentence})
    assert (asked.status, asked.body["code"]) == (422, "unknown-name")
    answered = {"sentence": sentence, "answers": {"贵宾": "大客户"}, "remember": True}
    assert strategist("POST", "/v1/strategies", answered).status == 201
    assert strategist("POST", "/v1/strategies", {"sentence": sentence}).status == 201
    assert [(p["said"], p["means"]) for p in strategist("GET", "/v1/phrases").body["items"]] == [("贵宾", "大客户")]
    assert strategist("DELETE", f"/v1/phrases/{quote('贵宾')}").status == 200
    assert strategist("POST", "/v1/strategies", {"sentence": sentence}).status == 422


def test_a_draft_says_what_it_would_keep_in_memory(admin: Client) -> None:
    drafted = admin("POST", "/v1/strategies", {"document": {**DOCUMENT, "name": "small"}})
    memory = drafted.body["memory"]
    assert memory["per_subject"] == 16 and memory["budget"] == 4 << 30
    assert memory["said"].endswith("(budget 4 GiB)")


def test_an_unknown_name_in_a_sentence_has_its_place_and_the_nearest_names(admin: Client) -> None:
    sentence = "when a customer's systolik is above 160, schedule an outbound call"
    answer = admin("POST", "/v1/strategies", {"sentence": sentence})
    assert answer.status in (409, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["code"] == "unknown-name"
    offset, length = answer.body["where"]["offset"], answer.body["where"]["length"]
    assert "systolik" in sentence[offset : offset + length]
    assert answer.body["nearest"]


def test_a_sentence_or_a_document_and_not_both(admin: Client) -> None:
    for body in ({}, {"sentence": SENTENCE, "document": DOCUMENT}, {"sentence": "x" * 3000}):
        assert admin("POST", "/v1/strategies", body).status == 422


def test_a_document_that_breaks_the_format_names_the_field(admin: Client) -> None:
    broken = {**DOCUMENT, "trigger": {"kind": "aggregate", "event": "app.login", "function": "median"}}
    answer = admin("POST", "/v1/strategies", {"document": broken})
    assert answer.status == 422
    assert "trigger" in answer.body["where"]["field"]


def test_from_draft_to_firing_to_why_and_why_not(admin: Client) -> None:
    name = DOCUMENT["name"]
    assert admin("POST", "/v1/strategies", {"document": DOCUMENT, "name": name}).status == 201
    assert admin("GET", f"/v1/strategies/{name}/why-not?subject=customer/s1").status == 409
    approved = admin("POST", f"/v1/strategies/{name}/approve", {"version": 1, "percent": 100})
    assert (approved.body["state"], approved.body["percent"]) == ("live", 100.0)
    wait_for(lambda: admin("GET", f"/v1/strategies/{name}/why-not?subject=customer/s1").status == 200)

    consent = {"subject": "customer/s1", "purpose": "marketing", "given": True}
    assert admin("POST", "/v1/consents", consent).status == 201
    login(admin, "s1-1", "customer/s1")
    login(admin, "s1-2", "customer/s1")
    login(admin, "s2-1", "customer/s2")
    decided = wait_for(lambda: admin("GET", f"/v1/decisions?strategy={name}&subject=customer/s1").body["items"])[0]
    assert decided["verdict"] == "delivered"
    assert decided["actions"][0]["channel"] == "inbox"
    assert "voice" in decided["actions"][0]["note"]

    why = wait_for(lambda: _done(admin, decided["id"]))
    assert why["layers"][0]["layer"] == "trigger"
    assert "s1-1" in " ".join(why["lines"])
    zh = admin.speaking("zh")("GET", f"/v1/decisions/{decided['id']}/why").body
    assert "策略" in zh["headline"]

    why_not = admin("GET", f"/v1/strategies/{name}/why-not?subject=customer/s2").body
    assert why_not["truth"] != "true"
    assert why_not["lines"]
    assert why_not["fired"] is None
    then = admin("GET", f"/v1/strategies/{name}/why-not?subject=customer/s1&at={quote(decided['at'])}").body
    assert (then["truth"], then["at"], then["fired"]["decision"]) == ("true", decided["at"], decided["id"])
    assert then["tree"]["trigger"]["evidence"] == ["s1-1", "s1-2"]
    assert decided["id"] in " ".join(then["notes"])
    assert "held then" in then["headline"]

    rests_on = admin("GET", f"/v1/decisions/{decided['id']}/evidence").body
    assert [event["id"] for event in rests_on["events"]] == ["s1-1", "s1-2"]
    assert (rests_on["missing"], rests_on["withheld"]) == ([], 0)

    sent = admin("GET", "/v1/outbox?state=sent").body["items"]
    assert decided["id"] in {message["decision"] for message in sent}
    again = admin("POST", f"/v1/outbox/{decided['actions'][0]['message']}/send-again")
    assert again.status == 409
    task = next(i for i in admin("GET", "/v1/inbox?kind=task").body["items"] if i["decision"] == decided["id"])
    assert task["subject"] == "customer/s1"
    assert admin("POST", f"/v1/inbox/{task['id']}/done").body["done_at"]

    assert admin("POST", f"/v1/strategies/{name}/pause").body["state"] == "paused"
    assert admin("POST", f"/v1/strategies/{name}/resume").body["state"] == "live"
    assert admin("POST", f"/v1/strategies/{name}/retire").body["state"] == "retired"
    refused = admin("POST", f"/v1/strategies/{name}/pause")
    assert refused.status == 409
    assert "retired" in refused.body["detail"]


def test_a_draft_can_be_rehearsed_on_what_is_recorded(service: Service, admin: Client) -> None:
    login(admin, "s4-1", "customer/s4")
    login(admin, "s4-2", "customer/s4")
    admin("POST", "/v1/strategies", {"document": {**DOCUMENT, "name": "rehearsed"}})
    found = service.as_role(Role.EVALUATOR)("POST", "/v1/strategies/rehearsed/rehearse").body
    assert found["firings"] >= 1
    assert "customer/s4" in {fired["subject"] for fired in found["newest"]}
    assert admin("GET", "/v1/decisions?strategy=rehearsed").body["items"] == []


def test_an_effect_that_cannot_be_measured_yet_is_refused_with_what_is_missing(admin: Client) -> None:
    admin("POST", "/v1/strategies", {"document": {**DOCUMENT, "name": "unmeasured"}})
    answer = admin("GET", "/v1/strategies/unmeasured/effect")
    assert answer.status == 422
    assert answer.body["where"] == {"field": "verify.event"}


def test_without_consent_a_firing_is_dropped_with_its_reason(admin: Client) -> None:
    document = {**DOCUMENT, "name": "unasked"}
    admin("POST", "/v1/strategies", {"document": document})
    admin("POST", "/v1/strategies/unasked/approve", {"version": 1, "percent": 100})
    wait_for(lambda: admin("GET", "/v1/strategies/unasked/why-not?subject=customer/s3").status == 200)
    consent = {"subject": "customer/s3", "purpose": "marketing", "given": False}
    assert admin("POST", "/v1/consents", consent).body["items"][0]["given"] is False
    login(admin, "s3-1", "customer/s3")
    login(admin, "s3-2", "customer/s3")
    decided = wait_for(lambda: admin("GET", "/v1/decisions?strategy=unasked&verdict=dropped").body["items"])[0]
    assert decided["reason"] == "no_consent"
    assert decided["actions"][0]["channel"] is None


def _done(client: Client, decision: str) -> Any:
    why = client("GET", f"/v1/decisions/{decision}/why").body
    return why if why["layers"][-1]["state"] == "done" else None


def test_an_edit_is_a_new_version_and_a_stale_base_is_a_conflict(admin: Client) -> None:
    document = {**DOCUMENT, "name": "edited/with slash"}
    path = f"/v1/strategies/{quote('edited/with slash', safe='')}"
    assert admin("POST", "/v1/strategies", {"document": document}).status == 201
    assert admin("POST", f"{path}/versions?base=1", {"document": document}).body["version"] == 2
    assert admin("POST", f"{path}/versions?base=1", {"document": document}).status == 409
    assert [v["version"] for v in admin("GET", f"{path}/versions").body["items"]] == [1, 2]
    assert admin("GET", path).body["name"] == "edited/with slash"


def test_a_strategy_that_is_not_there_is_not_found_with_the_nearest_names(admin: Client) -> None:
    admin("POST", "/v1/strategies", {"document": {**DOCUMENT, "name": "welcome-back"}})
    answer = admin("GET", "/v1/strategies/welcom-back")
    assert answer.status == 404
    assert "welcome-back" in answer.body["nearest"]


def test_a_viewer_reads_strategies_and_drafts_none(service: Service) -> None:
    viewer = service.as_role(Role.VIEWER)
    assert viewer("GET", "/v1/strategies").status == 200
    assert viewer("POST", "/v1/strategies", {"sentence": SENTENCE}).status == 403


def test_a_moment_in_a_url_may_lack_the_escape_of_its_plus_sign(admin: Client) -> None:
    path = "/v1/strategies/none/why-not?subject=customer/x&at="
    assert admin("GET", f"{path}2026-05-01T08:00:00+08:00").status == 404
    assert admin("GET", f"{path}yesterday").body["where"] == {"field": "at"}
    assert admin("GET", f"{path}2098-05-01T08:00:00Z").status == 422


def test_a_viewer_asks_why_and_is_not_shown_the_events(service: Service) -> None:
    viewer = service.as_role(Role.VIEWER)
    assert viewer("GET", "/v1/decisions/dec_none/why").status == 404
    assert viewer("GET", "/v1/decisions/dec_none/evidence").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/v1/decisions/dec_none/why",
        "/v1/decisions/dec_none/evidence",
        "/v1/strategies/none/why-not?subject=customer/x",
    ],
)
def test_why_of_nothing_is_not_found(admin: Client, path: str) -> None:
    assert admin("GET", path).status == 404


def test_every_change_is_in_the_audit_log_which_is_whole(admin: Client) -> None:
    admin("POST", "/v1/strategies", {"document": {**DOCUMENT, "name": "audited"}})
    rows = admin("GET", "/v1/audit?action=strategy.draft").body["items"]
    assert any(row["target"] == "strategy/audited@1" for row in rows)
    assert admin("GET", "/v1/audit/verify").body["whole"] is True


def test_the_catalog_and_the_schemas_are_there_to_read(admin: Client) -> None:
    assert "app.login" in admin("GET", "/v1/catalog").body["events"]
    assert admin("GET", "/v1/schemas/strategy").body["title"] == "Strategy"
    assert admin("GET", "/v1/schemas/nothing").status == 422
