"""The graph's health as a client and as the command line meet it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from app.cli.commands import build
from core.context import Role
from tests.app.hubclient import Service


def test_sources_say_what_came_under_their_name(service: Service) -> None:
    fact = {"subject": "customer/health-1", "property": "tier", "value": "vip", "from": "2026-01-01T00:00:00Z"}
    assert service.admin("POST", "/v1/facts", {**fact, "source": "health-crm"}).status < 300
    service.hub.live.settle()
    answer = service.admin("GET", "/v1/sources")
    (told,) = (s for s in answer.body["items"] if s["id"] == "health-crm")
    assert (told["facts"], told["declared"], told["state"]) == (1, False, "unset")
    assert [(c["name"], c["subjects"]) for c in told["coverage"]] == [("tier", 1)]
    assert told["coverage"][0]["label"] == {"zh": "客户的等级", "en": "customer: tier"}


def test_who_may_not_read_the_graph_may_not_read_its_health(service: Service) -> None:
    assert service.as_role(Role.VIEWER)("GET", "/v1/graph/health").status == 403
    assert service.as_role(Role.EVALUATOR)("GET", "/v1/graph/health").status == 200


@pytest.mark.parametrize(("lang", "says"), [("zh", "来源之间的冲突"), ("en", "Sources that disagree")])
def test_the_report_is_printed_in_both_languages(
    service: Service, monkeypatch: pytest.MonkeyPatch, lang: str, says: str
) -> None:
    monkeypatch.setenv("ZHONGSHU_SERVICE_URL", service.address)
    monkeypatch.setenv("ZHONGSHU_API_KEY", service.keys[Role.ADMIN])
    monkeypatch.setenv("ZHONGSHU_LANG", lang)
    printed = CliRunner().invoke(build(["graph"]), ["graph", "health"])
    assert (printed.exit_code, says in printed.stdout) == (0, True), printed.output
    told = CliRunner().invoke(build(["sources"]), ["sources", "--json"])
    assert (told.exit_code, '"items": [' in told.stdout) == (0, True)
