"""Replays and named histories over HTTP."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import polars as pl

from core.context import Role
from tests.app.hubclient import Client, Service
from tests.app.test_strategies_api import wait_for

LOGIN = {"name": "replayed", "trigger": {"kind": "event", "event": "app.login"}, "actions": [{"task": "call"}]}
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def parquet(**columns: Any) -> bytes:
    rows: dict[str, Any] = {"id": ["h1", "h2"], "type": ["app.login"] * 2, "subject": ["customer/h"] * 2}
    buffer = io.BytesIO()
    pl.DataFrame({**rows, "time": [NOON] * 2, **columns}).write_parquet(buffer)
    return buffer.getvalue()


def upload(client: Client, name: str, body: bytes, kind: str = "events") -> Any:
    return client("POST", f"/v1/histories/{name}?kind={kind}", body, Content_Type="application/octet-stream")


def ended(client: Client, replay: str) -> Any:
    found = client("GET", f"/v1/replays/{replay}").body
    return found if found["ended_at"] else None


def test_a_document_is_replayed_over_an_uploaded_history_and_the_report_read(service: Service) -> None:
    evaluator = service.as_role(Role.EVALUATOR)
    assert upload(evaluator, "may.parquet", parquet()).body["size"] > 0
    assert upload(evaluator, "may.parquet", parquet()).status == 409
    facts = json.dumps({"subject": "customer/f", "property": "tier", "value": "vip", "from": "2026-01-01T00:00:00Z"})
    assert upload(evaluator, "may-facts.ndjson", facts.encode(), "facts").status == 201
    asked = {"strategies": [{"document": LOGIN}], "events": "may.parquet", "facts": "may-facts.ndjson"}
    started = evaluator("POST", "/v1/replays", asked)
    assert started.status == 202
    assert started.headers["location"] == f"/v1/replays/{started.body['id']}"
    done = wait_for(lambda: ended(evaluator, started.body["id"]))
    assert (done["state"], done["progress"]["share"]) == ("done", 1.0)
    (told,) = done["report"]["strategies"]
    assert (told["firings"], told["subjects"], told["known_subjects"]) == (1, 1, 2)
    zh = evaluator.speaking("zh")("GET", f"/v1/replays/{started.body['id']}").body
    assert "触发" in zh["report"]["sample"][0]["why"][0]
    listed = evaluator("GET", "/v1/replays").body["items"]
    assert started.body["id"] in {each["id"] for each in listed}
    assert all(each["report"] is None for each in listed)
    assert evaluator("DELETE", f"/v1/replays/{started.body['id']}").status == 200
    assert evaluator("GET", f"/v1/replays/{started.body['id']}").status == 404


def test_the_journal_is_replayed_when_no_history_is_named(admin: Client) -> None:
    event = {"id": "r1", "source": "replays", "type": "app.login", "time": datetime.now(UTC).isoformat()}
    assert admin("POST", "/v1/events", {**event, "subject": "customer/r1"}).body["accepted"] == 1
    admin("POST", "/v1/strategies", {"document": LOGIN})
    started = wait_for(lambda: _started(admin, {"strategies": [{"name": "replayed"}]}))
    done = wait_for(lambda: ended(admin, started["id"]))
    assert done["report"]["firings"] >= 1


def _started(client: Client, asked: dict[str, Any]) -> Any:
    answer = client("POST", "/v1/replays", asked)
    return answer.body if answer.status == 202 else None


def test_a_history_whose_columns_cannot_be_read_is_refused_and_not_kept(admin: Client) -> None:
    answer = upload(admin, "naive.parquet", parquet(time=[datetime(2026, 5, 1)] * 2))  # noqa: DTZ001  # that is what is wrong
    assert answer.status == 422
    assert answer.body["where"] == {"field": "time", "file": "naive.parquet"}
    assert upload(admin, "broken.parquet", b"PAR1").status == 422
    assert upload(admin, ".hidden", b"{}").status in (404, 422)
    names = {each["name"] for each in admin("GET", "/v1/histories").body["items"]}
    assert not names & {"naive.parquet", "broken.parquet"}


def test_a_history_is_deleted(admin: Client) -> None:
    assert upload(admin, "gone.ndjson", b"{}").status == 201
    assert admin("DELETE", "/v1/histories/gone.ndjson").status == 200
    assert admin("DELETE", "/v1/histories/gone.ndjson").status == 404


def test_who_may_not_simulate_neither_uploads_nor_replays(service: Service) -> None:
    viewer = service.as_role(Role.VIEWER)
    assert upload(viewer, "viewer.parquet", parquet()).status == 403
    assert viewer("POST", "/v1/replays", {"strategies": [{"document": LOGIN}]}).status == 403
    assert viewer("GET", "/v1/replays").status == 403


def test_what_is_asked_wrongly_names_its_field(admin: Client) -> None:
    for asked, field in (
        ({"strategies": []}, "strategies"),
        ({"strategies": [{"document": LOGIN, "name": "x"}]}, "strategies.0"),
        ({"strategies": [{"document": LOGIN}], "from": "yesterday"}, "from"),
        ({"strategies": [{"document": {"name": "x"}}]}, "trigger"),
    ):
        answer = admin("POST", "/v1/replays", asked)
        assert answer.status == 422
        assert field in answer.body["where"]["field"], answer.body
