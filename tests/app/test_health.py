"""Health, readiness, metrics, the start page and the API description."""

from __future__ import annotations

from tests.app.hubclient import Client, Service


def test_health_needs_no_key(service: Service) -> None:
    assert service.nobody("GET", "/healthz").body["status"] == "ok"


def test_readiness_tells_how_far_each_part_is(service: Service) -> None:
    answer = service.nobody("GET", "/readyz")
    assert answer.status == 200
    assert {room["name"] for room in answer.body["rooms"]} >= {"retrieval", "agents"}


def test_metrics_are_in_the_form_that_prometheus_reads(service: Service, admin: Client) -> None:
    admin("GET", "/v1/me")
    page = service.nobody("GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    for name in ("zhongshu_http_requests_total", 'zhongshu_inputs_total{result="accepted"}', "zhongshu_outbox_depth"):
        assert name in page.body, name
    assert 'route="/v1/me",status="200"' in page.body


def test_the_start_page_is_plain_html_from_this_host_only(service: Service) -> None:
    page = service.nobody("GET", "/")
    assert page.status == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.body
    assert "https://" not in page.body
    for name in ("style.css", "page.js", "words.js", "icon.svg"):
        assert f"/assets/{name}" in page.body
        assert service.nobody("GET", f"/assets/{name}").status == 200
    assert service.nobody("GET", "/docs").status == 200


def test_no_other_file_is_served(service: Service) -> None:
    for path in (
        "/assets/..%2F..%2Fsettings.py",
        "/assets/%2Fetc%2Fpasswd",
        "/assets/nothing.css",
        f"/assets/{'a' * 5000}.js",
    ):
        assert service.nobody("GET", path).status == 404


def test_the_start_page_may_read_counts_on_loopback_and_nothing_else(service: Service) -> None:
    cookie = service.nobody("GET", "/").headers["set-cookie"].split(";")[0]
    stats = service.nobody("GET", "/v1/stats", Cookie=cookie)
    assert stats.status == 200
    assert {"rooms", "strategies", "events", "decisions", "outbox"} <= set(stats.body)
    assert service.nobody("GET", "/v1/strategies", Cookie=cookie).status == 401


def test_the_pages_cookie_opens_nothing_under_another_host_name(service: Service) -> None:
    cookie = service.nobody("GET", "/").headers["set-cookie"].split(";")[0]
    assert service.nobody("GET", "/v1/stats", Cookie=cookie, Host="evil.example").status == 401
    assert "set-cookie" not in service.nobody("GET", "/", Host="evil.example").headers
    for forged in (cookie[:-2] + "00", cookie[:-1] + "²", "zhongshu_page=²." + cookie[-64:]):
        assert service.nobody("GET", "/v1/stats", Cookie=forged).status == 401


def test_every_operation_is_described_and_those_with_a_body_have_an_example(service: Service) -> None:
    api = service.nobody("GET", "/openapi.json").body
    operations = [op for path in api["paths"].values() for op in path.values()]
    assert len(operations) > 30
    for op in operations:
        assert op["summary"], op["operationId"]
        for media in op.get("requestBody", {}).get("content", {}).values():
            ref = media.get("schema", {}).get("$ref", "").split("/")[-1]
            examples = api["components"]["schemas"].get(ref, {}).get("examples")
            required = op["requestBody"].get("required", False)
            assert "example" in media or "examples" in media or examples or not required, op["operationId"]
