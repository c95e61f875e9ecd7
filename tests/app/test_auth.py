"""Keys, roles and purposes over HTTP: nothing without a key, nothing that no policy allows."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from app.auth import Keys
from core.clock import ManualClock
from core.context import Role, system_context
from core.db import Database
from core.errors import Unauthorized
from core.ids import TenantId
from tests.app.hubclient import Client, Service


def test_without_a_key_every_resource_is_closed(service: Service) -> None:
    paths = ["me", "strategies", "decisions", "customers/c1", "search?q=x", "catalog", "inbox", "set-aside", "stats"]
    for path in [*paths, "audit", "keys", "tickets", "approvals"]:
        answer = service.nobody("GET", f"/v1/{path}")
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.body["code"] == "unauthorized"


@pytest.mark.parametrize("key", ["", "zs_", "zs_000000000000_" + "A" * 43, "Bearer", "zs_ffffffffffff_短"])
def test_a_malformed_or_unknown_key_is_refused_alike(service: Service, key: str) -> None:
    answer = service.nobody("GET", "/v1/me", X_API_Key=key.encode().decode("latin-1"))
    assert answer.status == 401


def test_a_right_id_with_a_wrong_secret_is_refused(service: Service) -> None:
    key = service.keys[Role.ADMIN]
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert Client(service.address, wrong)("GET", "/v1/me").status == 401
    assert Client(service.address, key)("GET", "/v1/me").status == 200


def test_the_key_may_come_in_either_header(service: Service) -> None:
    assert service.nobody("GET", "/v1/me", X_API_Key=service.keys[Role.VIEWER]).body["role"] == "viewer"


def test_a_role_may_do_what_policy_permits_and_nothing_else(service: Service) -> None:
    viewer, strategist = service.as_role(Role.VIEWER), service.as_role(Role.STRATEGIST)
    assert viewer("GET", "/v1/strategies").status == 200
    for client, method, path in [
        (viewer, "GET", "/v1/customers/c1"),
        (viewer, "GET", "/v1/keys"),
        (strategist, "GET", "/v1/audit"),
        (strategist, "POST", "/v1/keys"),
    ]:
        body = {"name": "x", "role": "admin"} if method == "POST" else None
        answer = client(method, path, body)
        assert answer.status == 403, path
        assert "Needs the role: admin" in answer.body["hint"] or "role" in answer.body["hint"]


def test_a_refusal_is_in_the_audit_log(service: Service) -> None:
    service.as_role(Role.VIEWER)("GET", "/v1/keys")
    rows = service.admin("GET", "/v1/audit?action=policy.refuse&limit=5").body["items"]
    assert any(row["detail"]["action"] == "keys.manage" and row["role"] == "viewer" for row in rows)


def test_the_purpose_may_be_named_and_must_be_one(service: Service) -> None:
    strategist = service.as_role(Role.STRATEGIST)
    assert strategist("GET", "/v1/catalog", X_Purpose="retention").status == 200
    denied = strategist("GET", "/v1/catalog", X_Purpose="service")
    assert denied.status == 403
    assert "service" in denied.body["detail"]
    wrong = strategist("GET", "/v1/catalog", X_Purpose="fun")
    assert wrong.status == 422
    assert wrong.body["where"] == {"field": "X-Purpose"}
    assert "marketing" in wrong.body["nearest"]


def test_a_key_is_shown_once_and_stored_hashed(service: Service, admin: Client) -> None:
    made = admin("POST", "/v1/keys", {"name": "once", "role": "viewer", "days": 30})
    assert made.status == 201
    secret = made.body["key"].split("_")[2]
    assert "key" not in next(k for k in admin("GET", "/v1/keys").body["items"] if k["id"] == made.body["id"])
    store = service.hub.settings.data_dir / "zhongshu.db"
    rows = sqlite3.connect(store).execute("select * from api_key where id = ?", (made.body["id"],)).fetchall()
    assert len(rows) == 1
    assert secret not in repr(rows)


def test_a_revoked_key_opens_nothing_from_the_next_request_on(service: Service, admin: Client) -> None:
    made = admin("POST", "/v1/keys", {"name": "short-lived", "role": "viewer"}).body
    client = Client(service.address, made["key"])
    assert client("GET", "/v1/me").status == 200
    assert admin("DELETE", f"/v1/keys/{made['id']}").status == 200
    assert client("GET", "/v1/me").body["detail"].startswith("the API key is revoked")
    assert admin("DELETE", f"/v1/keys/{made['id']}").status == 409
    assert admin("DELETE", "/v1/keys/000000000000").status == 404


def test_a_key_of_another_tenant_sees_nothing_of_this_one(service: Service, admin: Client) -> None:
    other = replace(service.hub.context(), tenant=TenantId("rival"))
    rival = Client(service.address, service.hub.keys.create(other, "rival", Role.ADMIN).text)
    name = admin("POST", "/v1/strategies", {"sentence": "客户登录就外呼", "name": "tenants-secret"}).body["name"]
    for path in ("strategies", "decisions", "tickets", "outbox", "inbox", "approvals", "set-aside"):
        assert rival("GET", f"/v1/{path}").body["items"] == []
    assert rival("GET", f"/v1/strategies/{name}").status == 404
    assert rival("POST", f"/v1/strategies/{name}/approve", {"version": 1}).status == 404
    assert rival("GET", "/v1/stats").body["strategies"] == {"running": 0, "by_state": {}, "list": []}


def test_an_expired_key_opens_nothing() -> None:
    clock = ManualClock(1_000_000)
    database = Database("sqlite://")
    database.create_tables()
    keys = Keys(database, clock)
    issued = keys.create(system_context(), "brief", Role.VIEWER, expires_at=2_000_000)
    assert keys.authenticate(issued.text).role == "viewer"
    clock.set(2_000_000)
    with pytest.raises(Unauthorized, match="expired"):
        keys.authenticate(issued.text)
