"""A property over time, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.times import DAY, Micros, format_time
from knowledge.graph import Assertion
from tests.app.hubclient import Client, Service
from tests.app.test_cli import against

START = 1_700_000_000_000_000


def at(day: int) -> str:
    return format_time(Micros(START + day * DAY))


@pytest.fixture
def told(service: Service) -> Client:
    """The oil of a device: 60, 64, 68 on three days; the last was learned later."""
    claims = [
        Assertion("device/curve1", "oil", 60 + 4 * day, valid_from=Micros(START + day * DAY),
                  recorded_at=Micros(START + (9 if day == 2 else day) * DAY))
        for day in range(3)
    ]  # fmt: skip
    service.hub.graph.assert_facts(service.hub.context(), claims)
    return service.admin


def curve(client: Client, **more: str) -> dict[str, Any]:
    words = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in more.items())
    body: dict[str, Any] = client("GET", f"/v1/curves?subject=device/curve1&name=oil&{words}").body
    return body


def test_a_curve_says_its_steps_its_rise_and_its_trend(told: Client) -> None:
    found = curve(told)
    assert [(s["start"], s["value"]) for s in found["steps"]] == [(at(0), 60), (at(1), 64), (at(2), 68)]
    assert (found["change"], found["trend"]) == (8, pytest.approx(4))


def test_a_curve_is_of_the_span_and_of_what_was_known(told: Client) -> None:
    assert curve(told, known_at=at(5))["change"] == 4
    assert (curve(told, since=at(2))["change"], curve(told, until=at(1))["trend"]) == (0, None)


def test_a_moment_that_cannot_be_read_is_refused(told: Client) -> None:
    answer = told("GET", "/v1/curves?subject=c1&name=oil&since=monday")
    assert answer.status == 422 and answer.body["where"]["field"] == "since"


def test_the_command_line_shows_the_curve_in_either_language(service: Service, told: Client) -> None:
    english, chinese = (against(service, "curve", "device/curve1", "oil", lang=lang).stdout for lang in ("en", "zh"))
    assert "change: +8" in english and "trend: +4 a day" in english
    assert "变化：+8" in chinese and "趋势：每天 +4" in chinese
    known = against(service, "curve", "device/curve1", "oil", "--known-at", at(5), "--json").stdout
    assert json.loads(known)["change"] == 4
