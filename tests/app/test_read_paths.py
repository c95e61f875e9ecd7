"""Every way to read customers over HTTP, by the list of routes itself: each asks policy first and leaves its refusals
in the audit log, and none shows what the purpose of the request may not see. The command line goes through them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

import app.cli
from app.api.application import RESOURCES
from core.context import Purpose, Role
from core.times import HOUR, SECOND, Micros, format_time
from knowledge.governance import Action
from knowledge.retrieval import Document
from tests.app.hubclient import Client, Service, settings_for

OPEN = {
    "/healthz": "says that it lives",
    "/readyz": "names the parts",
    "/metrics": "counts",
    "/v1/stats": "counts; asks for a key or the start page's cookie",
    "/v1/me": "the caller's own key",
    "/": "a page without data",
    "/docs": "a page without data",
    "/assets/{name}": "files of the pages",
}
"""Routes that policy is not asked about, and why nobody is in their answers."""
WHO = "customer/limited-41"
SERVICE_ONLY = "SERVEONLY41"
"""Stands in everything that only service may see."""
PULSE = 177.25
CATALOG = """
catalog: 1
objects:
  customer:
    labels: {zh: [客户], en: [customer]}
    attributes:
      tier: {type: text, labels: {zh: [等级], en: [tier]}}
      diagnosis: {type: text, labels: {zh: [诊断], en: [diagnosis]}, purposes: [service]}
  doctor: {labels: {zh: [医生], en: [doctor]}}
events:
  vitals:
    subject: customer
    labels: {zh: [体征], en: [vital signs]}
    fields:
      pulse: {type: number, labels: {zh: [心率], en: [pulse]}, purposes: [service]}
      remark: {type: text, labels: {zh: [备注], en: [remark]}, purposes: [service]}
  visit: {subject: customer, purposes: [service], labels: {zh: [就诊], en: [visit]}, fields: {room: {type: text}}}
actions:
  outbound_call: {labels: {zh: [外呼], en: [outbound call]}}
relations:
  treated_by: {from: customer, to: doctor, purposes: [service], labels: {zh: [由其治疗], en: [treated by]}}
"""


def _flat(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _flat(inner)


def _routes() -> list[APIRoute]:
    return [route for resource in RESOURCES for route in resource.router.routes if isinstance(route, APIRoute)]


def _action_of(route: APIRoute) -> Action | None:
    guards = [call for call in _flat(route.dependant) if getattr(call, "__qualname__", "").startswith("allow.")]
    return guards[0].__closure__[0].cell_contents if guards else None


GUARDED = [(method, route.path, _action_of(route)) for route in _routes() for method in route.methods or ()]


def test_every_route_asks_policy_but_those_in_which_nobody_is() -> None:
    assert {path for _, path, action in GUARDED if action is None} == set(OPEN)


def test_every_guarded_route_refuses_who_may_not_and_the_audit_log_says_so(service: Service) -> None:
    """A viewer whose purpose is compliance may do nothing at all."""
    viewer = service.as_role(Role.VIEWER)
    guarded = [(method, path, action) for method, path, action in GUARDED if action is not None]
    for method, path, _ in guarded:
        answer = viewer(method, path.replace("{", "").replace("}", ""), X_Purpose="compliance")
        assert (answer.status, method, path) == (403, method, path)
    rows = service.admin("GET", f"/v1/audit?action=policy.refuse&limit={len(guarded)}").body["items"]
    refused = [(row["role"], row["purpose"], row["detail"]["action"]) for row in reversed(rows)]
    assert refused == [("viewer", "compliance", str(action)) for _, _, action in guarded]


def test_no_command_reads_customers_past_the_api() -> None:
    """`serve` is the API, `migrate` changes tables; everything else asks over HTTP."""
    folder = Path(app.cli.__file__).parent
    opens = {f.name for f in folder.glob("*.py") if {"Hub", "Database", "GraphStore"} & _names(f)}
    assert opens == {"serve.py", "migrate.py"}


def _names(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


class Limited(NamedTuple):
    admin: Client
    parts: dict[str, str]
    """What stands for the braces of a path."""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    """A hub that holds service-only data in every kind of place."""
    from app.server import in_background

    folder = tmp_path_factory.mktemp("read-paths")
    catalog = folder / "catalog.yaml"
    catalog.write_text(CATALOG, encoding="utf-8")
    with in_background(settings_for(folder / "data", catalog=catalog, lateness=0)) as (address, hub):
        admin = Client(address, hub.keys.create(hub.context(), "test", Role.ADMIN).text)

        def said(method: str, path: str, body: Any) -> Any:
            answer = admin(method, path, body, X_Purpose="service")
            assert answer.status < 300, answer.body
            return answer.body

        def event(key: str, kind: str, seconds: int, data: dict[str, Any]) -> dict[str, Any]:
            at = format_time(Micros(hub.clock.now() + HOUR + seconds * SECOND))
            return {"id": key, "type": kind, "time": at, "subject": WHO, "data": data, "source": "clinic"}

        sentence = "Schedule an outbound call when the highest pulse in the last 7 days is over 150"
        drafted = said("POST", "/v1/strategies", {"sentence": sentence, "name": "fast"})
        said("POST", "/v1/strategies/fast/approve", {"version": drafted["version"], "percent": 100})
        hub.live.settle()
        fact = {"subject": WHO, "property": "diagnosis", "value": SERVICE_ONLY, "from": "2026-01-01T00:00:00Z"}
        said("POST", "/v1/facts", fact)
        said("POST", "/v1/facts", {**fact, "property": "tier", "value": "gold"})
        related = {"subject": WHO, "relation": "treated_by", "object": "doctor/d41", "from": fact["from"]}
        said("POST", "/v1/facts", related)
        vitals = event("v1", "vitals", 0, {"pulse": PULSE, "remark": SERVICE_ONLY})
        said("POST", "/v1/events", [vitals, event("v2", "visit", 1, {"room": SERVICE_ONLY})])
        assert admin("POST", "/v1/events", {**vitals, "id": "bad", "type": "no.such"}).status == 422
        assert admin("POST", "/v1/events", {**vitals, "id": "late", "time": "2020-01-01T00:00:00Z"}).status < 500
        hub.live.settle()
        hub.outbox.wake()
        transcript = Document("call-1", "transcript", f"The customer said {SERVICE_ONLY} on the phone", subject=WHO)
        hub.retriever.get().add(hub.context(), [transcript])
        until = format_time(Micros(hub.clock.now() + 2 * HOUR))
        replay = said("POST", "/v1/replays", {"strategies": [{"name": "fast"}], "until": until})["id"]
        hub.replays.wait()
        decision = said("GET", "/v1/decisions", None)["items"][0]["id"]
        profile = said("GET", f"/v1/customers/{WHO}", None)
        parts = {
            "key": WHO, "subject": WHO, "name": "fast", "version": "1", "decision_id": decision, "replay": replay,
            "fact_id": next(v["evidence"] for v in profile["values"] if v["name"] == "diagnosis"), "law": "gdpr",
            "kind": "event",
        }  # fmt: skip
        yield Limited(admin, parts)


def _shown(limited: Limited, purpose: Purpose) -> set[str]:
    """The GET routes in whose answers service-only data stands."""
    asked = f"q={SERVICE_ONLY}&text={SERVICE_ONLY}&subject={WHO}&limit=50"
    found = set()
    for route in _routes():
        if "GET" not in (route.methods or ()):
            continue
        path = route.path.replace(":path}", "}").format_map(_Filled(limited.parts))
        for query in (asked, ""):
            answer = limited.admin("GET", f"{path}?{query}", X_Purpose=str(purpose))
            assert answer.status < 500, (path, answer.body)
            if SERVICE_ONLY in str(answer.body) or str(PULSE) in str(answer.body):
                found.add(route.path)
    return found


class _Filled(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "none"


def test_what_serves_one_purpose_is_shown_for_that_one_wherever_it_is_kept(limited: Limited) -> None:
    assert _shown(limited, Purpose.SERVICE) == {
        "/v1/customers/{key:path}",
        "/v1/decisions/{decision_id}/evidence",
        "/v1/decisions/{decision_id}/why",
        "/v1/search",
        "/v1/sources/lineage/{fact_id}",
        "/v1/strategies/{name:path}/why-not",
    }


def test_no_route_shows_it_for_another_purpose(limited: Limited) -> None:
    assert _shown(limited, Purpose.MARKETING) == set()


def test_a_replay_that_is_kept_shows_nothing_limited_and_still_says_what_fired(limited: Limited) -> None:
    report = limited.admin("GET", f"/v1/replays/{limited.parts['replay']}", X_Purpose="service").body["report"]
    (fired,) = report["sample"]
    assert "may not be used for this purpose" in " ".join(fired["why"])


def test_what_is_withheld_of_a_decision_is_said_in_both_languages(limited: Limited) -> None:
    path = f"/v1/decisions/{limited.parts['decision_id']}/why"
    layers = {
        lang: limited.admin.speaking(lang)("GET", path, X_Purpose="marketing").body["layers"][0]["lines"]
        for lang in ("en", "zh")
    }
    assert layers["en"] == [
        "one condition holds; what it looked at may not be used for this purpose, and is not shown."
    ]
    assert layers["zh"] == ["一项条件成立；它所依据的数据不可用于当前用途，不予显示。"]
