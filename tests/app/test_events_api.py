"""Events and facts over HTTP: every form of body, good lines kept, bad lines reported and kept aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import polars as pl
import pytest

from core.context import Role
from tests.app.hubclient import Client, Service

NDJSON = "application/x-ndjson"
ONE = "application/cloudevents+json"
ARROW = "application/vnd.apache.arrow.stream"


def now(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def event(key: str, kind: str = "app.login", subject: str = "customer/ev1", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": key,
        "source": "t",
        "type": kind,
        "time": now(),
        "subject": subject,
        "data": data,
    }


def send(client: Client, body: Any, kind: str = ONE, path: str = "/v1/events") -> Any:
    return client("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), Content_Type=kind)


def test_one_event_is_taken_and_the_same_again_is_a_duplicate(admin: Client) -> None:
    first = event("one-1")
    answer = send(admin, first)
    assert answer.status == 202
    assert answer.body == {"accepted": 1, "duplicates": 0, "late": 0, "rejected": []}
    assert send(admin, first).body["duplicates"] == 1


def test_a_batch_may_be_an_array(admin: Client) -> None:
    batch = [event("arr-1"), event("arr-2")]
    assert send(admin, batch, "application/cloudevents-batch+json").body["accepted"] == 2
    assert send(admin, batch, "application/json").body["duplicates"] == 2


def test_an_event_may_come_in_binary_mode(admin: Client) -> None:
    answer = admin(
        "POST",
        "/v1/events",
        b'{"opened": true}',
        Content_Type="application/json",
        ce_specversion="1.0",
        ce_id="bin-1",
        ce_type="email.marketing",
        ce_source="mailer",
        ce_time=now(),
        ce_subject="customer%2Fev2",
    )
    assert answer.status == 202, answer.body
    assert answer.body["accepted"] == 1


def test_good_lines_are_kept_and_bad_ones_named_by_line_field_and_nearest(admin: Client) -> None:
    lines = [
        json.dumps(event("nd-1")),
        "{not json",
        "",
        json.dumps(event("nd-2", "app.logn")),
        json.dumps(event("nd-3") | {"time": "2026-05-01T08:00:00"}),
        json.dumps(event("nd-4") | {"time": "1970-01-01T00:00:00Z"}),
        json.dumps(event("nd-5") | {"time": now(10 * 86400)}),
        json.dumps(event("nd-6", "vitals.pressure", systolic="20 km")),
        json.dumps(event("nd-7") | {"subject": "c1"}),
        json.dumps(event("nd-8", "vitals.pressure", systolic="21.3 kPa")),
    ]
    answer = send(admin, "\n".join(lines).encode(), NDJSON)
    assert answer.status == 202
    assert answer.body["accepted"] == 2
    bad = {entry["line"]: entry["error"] for entry in answer.body["rejected"]}
    assert sorted(bad) == [2, 4, 5, 6, 7, 8, 9]
    assert bad[2]["where"]["column"] == 2
    assert bad[4]["nearest"][0] == "app.login"
    assert bad[4]["where"] == {"line": 4, "field": "type"}
    assert "no offset" in bad[5]["message"]
    assert "+08:00" in bad[5]["hint"]
    assert "clock" in bad[6]["hint"]
    assert bad[7]["code"] == "absurd-clock"
    assert bad[8]["code"] == "wrong-unit"
    assert "mmHg" in bad[8]["nearest"]
    assert bad[9]["where"]["field"] == "subject"


def arrow(rows: list[dict[str, Any]], **options: Any) -> bytes:
    out = BytesIO()
    pl.DataFrame(rows).write_ipc_stream(out, **options)
    return out.getvalue()


def row(key: str, when: datetime | None = None, **changes: Any) -> dict[str, Any]:
    base = {"id": key, "type": "vitals.pressure", "time": when or datetime.now(UTC), "subject": "customer/ar1"}
    return {**base, "source": "a", "data.systolic": 120.0, **changes}


def test_a_batch_may_be_an_arrow_stream_with_one_receipt_for_its_rows(admin: Client) -> None:
    late = datetime(2026, 5, 1, tzinfo=UTC)
    rows = [row("ar-1"), row("ar-2", type="vitals.presure"), row("ar-3", datetime.now(UTC) + timedelta(days=3))]
    answer = send(admin, arrow([*rows, row("ar-1"), row("ar-4", late)]), ARROW)
    assert answer.status == 202, answer.body
    assert [answer.body[name] for name in ("accepted", "duplicates", "late")] == [1, 1, 1]
    assert [(bad["line"], bad["error"]["where"]) for bad in answer.body["rejected"]] == [
        (2, {"row": 2, "field": "type"}),
        (3, {"row": 3, "field": "time"}),
    ]
    kept = admin("GET", "/v1/set-aside?limit=200").body["items"]
    assert any("ar-2" in item["raw"] and item["line"] == 2 for item in kept)


def test_facts_may_come_as_an_arrow_stream(admin: Client) -> None:
    facts = [{"subject": "customer/ar2", "property": "tier", "value": "vip", "from": now()}]
    assert send(admin, arrow(facts), ARROW, "/v1/facts").body["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"no arrow", "Arrow stream"),
        (arrow([row("ar-9")], compression="lz4"), "compressed"),
        (arrow([{"id": "x", "type": "app.login", "time": now()}]), "subject is missing"),
    ],
)
def test_an_arrow_stream_that_cannot_be_read_says_why(admin: Client, body: bytes, said: str) -> None:
    answer = send(admin, body, ARROW)
    assert answer.status == 422
    assert said in answer.body["detail"]


def test_bad_lines_are_kept_aside_for_inspection(admin: Client) -> None:
    send(admin, b'{"id": "aside-1"\n', NDJSON)
    zh = admin.speaking("zh")("GET", "/v1/set-aside?reason=rejected&limit=200").body["items"]
    kept = next(item for item in zh if item["raw"] == '{"id": "aside-1"')
    assert kept["line"] == 1
    assert "JSON" in kept["error"]["message"]


def test_a_single_bad_event_is_a_bad_request_in_the_readers_language(admin: Client) -> None:
    answer = send(admin.speaking("zh"), event("bad-1", "app.logout"))
    assert answer.status == 422
    assert answer.body["code"] == "unknown-name"
    assert "没有事件类型 'app.logout'" in answer.body["detail"]
    assert "app.login" in answer.body["nearest"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", ONE, 422),
        (b"{", ONE, 422),
        (b"[1, 2]", "application/json", 202),
        (b"7", "application/json", 422),
        (b"\xff\xfe{", NDJSON, 422),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
    ],
)
def test_bodies_that_are_no_events_are_refused(admin: Client, body: bytes, kind: str, status: int) -> None:
    answer = send(admin, body, kind)
    assert answer.status == status
    if status == 202:
        assert [bad["error"]["code"] for bad in answer.body["rejected"]] == ["invalid-input"] * 2
    elif status == 415:
        assert ONE in answer.body["nearest"]


@pytest.mark.parametrize(("kind", "body"), [("x-ndjson", b"1\n" * 100_001), ("json", b"[" + b"1," * 100_000 + b"1]")])
def test_more_inputs_than_a_request_may_have_are_refused_at_once(admin: Client, kind: str, body: bytes) -> None:
    answer = admin("POST", "/v1/events", body, Content_Type=f"application/{kind}")
    assert answer.status == 413
    assert "100000" in answer.body["detail"]


def test_who_may_not_send_is_refused_before_the_body_is_read(service: Service) -> None:
    for client, status in ((service.nobody, 401), (service.as_role(Role.VIEWER), 403)):
        for path in ("/v1/events", "/v1/facts"):
            assert client("POST", path, b"not json", Content_Type="application/json").status == status


def test_a_late_event_is_reported_and_kept_aside(admin: Client) -> None:
    send(admin, event("late-0", subject="customer/late"))
    answer = send(admin, [event("late-1", subject="customer/late") | {"time": now(-3600)}], "application/json")
    assert answer.body == {"accepted": 0, "duplicates": 0, "late": 1, "rejected": []}
    aside = admin("GET", "/v1/set-aside?reason=late").body["items"]
    assert any('"late-1"' in item["raw"] for item in aside)


def test_facts_and_relations_are_in_the_graph_at_once(admin: Client) -> None:
    facts = [
        {"subject": "customer/f1", "property": "tier", "value": "vip", "from": now(-60)},
        {"subject": "customer/f1", "property": "dwell", "value": "2 min", "from": now(-60)},
        {"subject": "customer/f1", "relation": "owns", "object": "device/d1", "from": now(-60)},
        {"subject": "customer/f1", "property": "teir", "value": "vip", "from": now(-60)},
    ]
    answer = send(admin, "\n".join(map(json.dumps, facts)).encode(), NDJSON, "/v1/facts")
    assert answer.body["accepted"] == 3
    assert answer.body["rejected"][0]["line"] == 4
    assert answer.body["rejected"][0]["error"]["nearest"] == ["tier"]
    shown = admin("GET", "/v1/customers/f1").body
    assert {v["name"]: v["value"] for v in shown["values"]} == {"tier": "vip", "dwell": 120.0}
    assert shown["relations"][0]["object"] == "device/d1"
    assert admin("GET", "/v1/customers?text=f1").body["items"][0]["subject"] == "customer/f1"


def test_an_unknown_customer_is_not_found(admin: Client) -> None:
    assert admin("GET", "/v1/customers/nobody-knows").status == 404


def test_a_role_without_the_right_sends_nothing(service: Service) -> None:
    answer = send(service.as_role(Role.STRATEGIST), event("denied-1"))
    assert answer.status == 403
    assert send(service.admin, event("denied-1")).body["accepted"] == 1


def test_pages_of_what_was_set_aside_follow_each_other(admin: Client) -> None:
    send(admin, b"\n".join(b'{"page": %d' % n for n in range(5)), NDJSON)
    first = admin("GET", "/v1/set-aside?limit=2").body
    second = admin("GET", f"/v1/set-aside?limit=2&before={first['next']}").body
    seqs = [item["seq"] for item in first["items"] + second["items"]]
    assert seqs == sorted(seqs, reverse=True)
    assert len(set(seqs)) == 4
