"""Errors over HTTP: always problem+json, in the reader's language, with the place and what would be right."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.app.hubclient import Client, Service


def test_a_path_that_does_not_exist_is_a_problem_in_the_readers_language(service: Service) -> None:
    for lang, words in (("en", "there is no path"), ("zh", "没有路径")):
        answer = service.admin.speaking(lang)("GET", "/v1/nowhere")
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == lang
        assert words in answer.body["detail"]
        assert answer.body["type"] == "urn:zhongshu:problem:not-found"
        assert answer.body["instance"] == "/v1/nowhere"


def test_a_wrong_method_names_the_right_ones(admin: Client) -> None:
    answer = admin("DELETE", "/v1/strategies")
    assert answer.status == 405
    assert set(answer.body["nearest"]) == set(answer.headers["allow"].split(", "))
    assert "GET" in answer.body["nearest"]


def test_a_field_of_the_wrong_type_is_named_in_both_languages(admin: Client) -> None:
    for lang, words in (("en", "days must be a whole number"), ("zh", "days 应为整数")):
        answer = admin.speaking(lang)("POST", "/v1/keys", {"name": "x", "role": "viewer", "days": "many"})
        assert answer.status == 422
        assert words in answer.body["detail"]
        assert answer.body["where"] == {"field": "days"}
        assert answer.body["errors"][0]["field"] == "days"


def test_several_bad_fields_are_all_listed(admin: Client) -> None:
    answer = admin("POST", "/v1/keys", {"name": "", "role": "king", "extra": 1})
    assert {error["field"] for error in answer.body["errors"]} == {"name", "role", "extra"}


def test_broken_json_names_the_place(admin: Client) -> None:
    answer = admin("POST", "/v1/keys", b'{"name": "x",', Content_Type="application/json")
    assert answer.status == 422
    assert "not valid JSON" in answer.body["detail"]
    assert answer.body["where"]["offset"] > 0


def test_a_body_above_the_limit_is_refused_before_it_is_read(admin: Client) -> None:
    answer = admin.speaking("zh")("POST", "/v1/tickets", b"x" * (1024 * 1024 + 1), Content_Type="application/json")
    assert answer.status == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "超过 1 MB" in answer.body["detail"]


def test_a_body_above_the_limit_is_refused_when_its_length_is_not_told(service: Service) -> None:
    parts = urlsplit(service.address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {service.admin.key}", "Content-Type": "application/json"}
    chunks = iter([b'{"name": "'] + [b"x" * 65536] * 20)
    try:
        connection.request("POST", "/v1/keys", chunks, headers, encode_chunked=True)
        response = connection.getresponse()
        assert response.status == 413
        assert response.getheader("content-type") == "application/problem+json"
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused while it was still being sent, which is as good
    finally:
        connection.close()


def test_a_request_id_is_taken_over_or_made(admin: Client) -> None:
    assert admin("GET", "/v1/me", X_Request_Id="mine-1").headers["x-request-id"] == "mine-1"
    made = admin("GET", "/v1/nowhere", X_Request_Id="not ok\tat all")
    assert made.headers["x-request-id"].startswith("req_")
    assert made.body["request_id"] == made.headers["x-request-id"]


def test_the_request_id_is_with_the_audit_rows_of_the_request(admin: Client) -> None:
    """The log and the problem share it; what an operator is told leads to the lines."""
    answer = admin("POST", "/v1/keys", {"name": "traced", "role": "viewer"}, X_Request_Id="trace-7")
    assert answer.status == 201
    assert answer.headers["x-request-id"] == "trace-7"


@pytest.mark.parametrize("mark", ["9" * 40, "%C2%B2", "-1", "abc", "%00", "1.5.x%00", "%D9%A1"])
@pytest.mark.parametrize("path", ["tickets", "inbox", "set-aside", "audit", "decisions"])
def test_a_page_mark_that_we_did_not_give_is_refused(admin: Client, path: str, mark: str) -> None:
    answer = admin("GET", f"/v1/{path}?before={mark}")
    assert answer.status == (200 if mark.startswith("1.5") else 422)
    assert answer.status == 200 or answer.body["where"] == {"field": "before"}


def test_half_a_character_is_refused_wherever_text_may_stand(admin: Client) -> None:
    document = '{"name": "x", "trigger": {"kind": "event", "event": "app.login"}, "actions": [{"task": "%s"}]}'
    bodies = {
        "/v1/tickets": '{"text": "%s"}',
        "/v1/chat": '{"message": "%s"}',
        "/v1/strategies": '{"document": ' + document + "}",
        "/v1/keys": '{"name": "%s", "role": "viewer"}',
        "/v1/approvals/apr_x/approve": '{"args": {"text": "%s"}}',
        "/v1/events": '{"id": "%s", "type": "app.login"}',
    }
    for path, body in bodies.items():
        answer = admin("POST", path, (body % "\\ud800").encode(), Content_Type="application/json")
        assert (path, answer.status) == (path, 422)
        assert answer.body["code"] == "invalid-input"


def test_a_version_is_a_number_from_one_on(admin: Client) -> None:
    for path, method in (("x", "GET"), ("x/readback", "GET"), ("x/rehearse", "POST")):
        assert admin(method, f"/v1/strategies/{path}?version=0").body["where"] == {"field": "version"}
