"""A customer's rights on a real hub: strings planted through every entrance, a count, erasure, and not a byte left."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from app.privacy import digest_of
from core.context import Role
from core.db import Database
from core.times import HOUR, SECOND, Micros, format_time
from knowledge.retrieval import Document
from tests.app.hubclient import Client, settings_for

WHO, OTHER = "customer/planted-771", "customer/stays-882"
PHONE, SHARED = "13977712345", "13888812345"
COMPLIANCE = {"X_Purpose": "compliance"}
CATALOG = """
catalog: 1
objects:
  customer:
    labels: {zh: [客户], en: [customer]}
    attributes:
      tier: {type: text, labels: {zh: [等级], en: [tier]}}
      phone: {type: text, labels: {zh: [手机号], en: [phone]}, purposes: [service, operations]}
  device: {labels: {zh: [设备], en: [device]}}
events:
  app.login: {subject: customer, labels: {zh: [登录], en: [log in]}, fields: {note: {type: text}}}
actions:
  outbound_call: {labels: {zh: [外呼], en: [outbound call]}, channel: voice}
relations:
  owns: {from: customer, to: device, labels: {zh: [拥有], en: [owns]}}
"""


class Planted(NamedTuple):
    """A hub into which strings were planted, and what of it was said at each step."""

    admin: Client
    folder: Path
    words: list[str]
    counted: dict[str, Any]
    erased: dict[str, Any]
    exported: dict[str, Any]
    verified: dict[str, Any]
    found_before: set[str]
    later: str


def _word(place: str) -> str:
    return f"PLANT{place}771X"


def _files_with(folder: Path, words: list[str]) -> set[str]:
    """`file: word` for every word in the bytes of every file, as UTF-8 or as JSON writes it."""
    hits = set[str]()
    for path in (p for p in folder.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        hits |= {f"{path.relative_to(folder)}: {word}" for word in words if word.encode() in raw}
    return hits


def _plant(admin: Client, hub: Any) -> None:
    def event(number: str, subject: str, at: str, note: str) -> dict[str, Any]:
        return {
            "id": number,
            "type": "app.login",
            "time": at,
            "subject": subject,
            "data": {"note": note},
            "source": "s",
        }

    def said(*answer: Any) -> Any:
        assert answer[0].status < 300, answer[0].body
        return answer[0].body

    def at(seconds: int) -> str:
        return format_time(Micros(hub.clock.now() + HOUR + seconds * SECOND))

    when = at(0)
    drafted = said(
        admin(
            "POST", "/v1/strategies", {"sentence": "Schedule an outbound call when a customer logs in", "name": "calls"}
        )
    )
    said(admin("POST", f"/v1/strategies/{drafted['name']}/approve", {"version": drafted["version"], "percent": 100}))
    for whose in (WHO, "customer/kin-771"):
        said(
            admin(
                "POST",
                "/v1/facts",
                {"subject": whose, "property": "phone", "value": SHARED, "from": "2026-01-01T00:00:00Z"},
            )
        )
    hub.live.settle()
    said(admin("POST", "/v1/facts", {"subject": WHO, "property": "tier", "value": _word("fact"), "from": when}))
    said(admin("POST", "/v1/facts", {"subject": WHO, "property": "phone", "value": PHONE, "from": when}))
    said(
        admin(
            "POST",
            "/v1/facts",
            {"subject": WHO, "relation": "owns", "object": f"device/{_word('device')}", "from": when},
        )
    )
    said(admin("POST", "/v1/facts", {"subject": OTHER, "property": "tier", "value": "kept-tier", "from": when}))
    about = {"subject": "customer/friend-993", "property": "tier", "value": f"brought by {PHONE}", "from": when}
    said(admin("POST", "/v1/facts", about))
    said(
        admin(
            "POST",
            "/v1/events",
            [
                event("e0", OTHER, at(10), "kept-note"),
                event(_word("event"), WHO, at(11), _word("note")),
            ],
        )
    )
    said(admin("POST", "/v1/events", event("e2", OTHER, at(20), f"referred by {PHONE}")))
    assert admin("POST", "/v1/events", event(_word("late"), WHO, "2020-01-01T00:00:00Z", "late")).status < 500
    assert (
        admin("POST", "/v1/events", {"id": _word("bad"), "type": "no.such", "time": when, "subject": WHO}).status == 422
    )
    said(
        admin(
            "POST", "/v1/consents", {"subject": WHO, "purpose": "marketing", "given": True, "source": _word("consent")}
        )
    )
    said(
        admin(
            "POST",
            "/v1/tickets",
            {
                "id": "tkt-planted-1",
                "subject": WHO,
                "text": f"My machine is broken, {_word('ticket')}, please call {PHONE}",
            },
        )
    )
    said(
        admin(
            "POST",
            "/v1/tickets",
            {"id": "tkt-planted-2", "text": f"Nobody called me back on {PHONE} {_word('unnamed')}"},
        )
    )
    said(
        admin(
            "POST",
            "/v1/chat",
            {"message": f"What about this customer? {_word('chat')}", "thread": "chat-planted", "subject": WHO},
        )
    )
    said(admin("POST", "/v1/phrases", {"said": f"the friends of {PHONE}", "means": "customer"}))
    lines = [event("h1", WHO, when, _word("history")), event("h2", OTHER, when, "kept-history")]
    raw = "".join(json.dumps(line) + "\n" for line in lines)
    said(admin("POST", "/v1/histories/april.ndjson", raw.encode()))
    said(admin("POST", "/v1/histories/april.ndjson.gz", gzip.compress(raw.encode())))
    frame = pl.DataFrame(
        {
            **{k: [line[k] for line in lines] for k in ("id", "type", "subject", "source")},
            "time": [when] * 2,
            "data.note": [line["data"]["note"] for line in lines],
        }
    )
    path = hub.settings.data_dir / "upload.parquet"
    frame.write_parquet(path)
    said(admin("POST", "/v1/histories/april.parquet", path.read_bytes()))
    path.unlink()
    hub.retriever.get().add(
        hub.context(),
        [
            Document("doc-planted", "ticket", f"The pump leaks, {_word('document')}", subject=WHO),
            Document("doc-stays", "article", "How to descale the machine, kept-document"),
        ],
    )
    hub.live.settle()
    hub.outbox.wake()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    from app.server import in_background

    folder = tmp_path_factory.mktemp("privacy")
    catalog = folder / "catalog.yaml"
    catalog.write_text(CATALOG, encoding="utf-8")
    data = folder / "data"
    words = [
        _word(p)
        for p in (
            "fact",
            "device",
            "event",
            "note",
            "late",
            "bad",
            "consent",
            "ticket",
            "unnamed",
            "chat",
            "history",
            "document",
        )
    ]
    words += [PHONE, WHO, "planted-771"]
    with in_background(settings_for(data, catalog=catalog, lateness=0)) as (address, hub):
        admin = Client(address, hub.keys.create(hub.context(), "test", Role.ADMIN).text)
        _plant(admin, hub)
        before = _files_with(data, words)
        counted = admin("POST", "/v1/privacy/erase", {"subject": WHO, "dry_run": True}, **COMPLIANCE)
        assert _files_with(data, words) >= before
        exported = admin("POST", "/v1/privacy/export", {"subject": WHO}, **COMPLIANCE)
        erased = admin("POST", "/v1/privacy/erase", {"subject": WHO, "dry_run": False}, **COMPLIANCE)
        verified = admin("GET", "/v1/audit/verify")
        later = format_time(Micros(hub.clock.now() + 2 * HOUR))
        yield Planted(admin, data, words, counted.body, erased.body, exported.body, verified.body, before, later)


def test_every_planted_string_was_in_the_files(planted: Planted) -> None:
    found = {hit.split(": ")[1] for hit in planted.found_before}
    in_parquet = {_word("history")}
    assert found >= set(planted.words) - in_parquet


def test_after_erasure_not_a_byte_of_them_is_left_in_any_file(planted: Planted) -> None:
    assert _files_with(planted.folder, planted.words) == set()
    assert planted.erased["certificate"]["left"] == []
    rest = pl.read_parquet(planted.folder / "histories" / "default" / "april.parquet")
    assert rest["subject"].to_list() == [OTHER]


def test_what_is_others_stays(planted: Planted) -> None:
    kept = {"kept-tier", "kept-note", "kept-history", "kept-document", SHARED}
    assert {hit.split(": ")[1] for hit in _files_with(planted.folder, sorted(kept))} == kept


def test_the_dry_run_counts_what_the_erasure_then_does(planted: Planted) -> None:
    counted = {s["store"]: (s["erased"], s["kept"]) for s in planted.counted["stores"]}
    erased = {s["store"]: (s["erased"], s["kept"]) for s in planted.erased["stores"]}
    assert counted == erased
    assert all(
        counted[store] != (0, 0)
        for store in (
            "journal",
            "graph",
            "search index",
            "delivery",
            "tickets",
            "conversations",
            "histories",
            "consents",
        )
    )


def test_what_stays_under_an_alias_says_why(planted: Planted) -> None:
    kept = {s["store"]: s["why"] for s in planted.erased["stores"] if s["kept"]}
    assert "evidence of automated decisions" in kept["delivery"]
    assert "proof of what was allowed" in kept["consents"]


def test_the_audit_log_stays_whole(planted: Planted) -> None:
    assert planted.verified["whole"]


def test_the_certificate_is_sealed_in_the_log_and_names_nobody(planted: Planted) -> None:
    (sealed,) = planted.admin("GET", "/v1/privacy/certificates", **COMPLIANCE).body["items"]
    given = planted.erased["certificate"]
    assert sealed == {k: v for k, v in given.items() if k not in ("salt", "left")}
    assert digest_of(given) == given["digest"]
    assert not any(word in json.dumps(sealed) for word in planted.words)


def test_a_copy_has_what_every_store_holds(planted: Planted) -> None:
    said = json.dumps(planted.exported, ensure_ascii=False)
    missing = [word for word in planted.words if word not in said]
    assert missing == []


def test_a_value_of_another_that_named_them_is_found_by_what_is_left_of_it(planted: Planted) -> None:
    alias = planted.erased["certificate"]["alias"]
    found = planted.admin("GET", f"/v1/customers?text=brought+by+{alias.replace('/', '%2F')}").body["items"]
    assert [match["subject"] for match in found] == ["customer/friend-993"]


def test_erasing_again_finds_nobody(planted: Planted) -> None:
    again = planted.admin("POST", "/v1/privacy/erase", {"subject": WHO, "dry_run": True}, **COMPLIANCE)
    assert again.status == 404


def test_the_hub_goes_on_and_hears_of_others(planted: Planted) -> None:
    event = {"id": "after", "type": "app.login", "time": planted.later, "subject": OTHER, "source": "s"}
    assert planted.admin("POST", "/v1/events", event).status == 202
    held = planted.admin("POST", "/v1/privacy/export", {"subject": OTHER}, **COMPLIANCE).body["stores"]
    notes = {row["id"]: row["body"].get("note") for row in held["journal"] if row.get("kind") == "event"}
    assert set(notes) == {"e0", "e2", "after"}
    assert notes["e2"].startswith("referred by customer/erased-")


def test_without_the_compliance_purpose_nobody_erases(planted: Planted) -> None:
    answer = planted.admin("POST", "/v1/privacy/erase", {"subject": OTHER})
    assert answer.status == 403


@pytest.mark.parametrize("law", ["gdpr", "pipl"])
def test_every_line_of_a_checklist_is_checked_on_the_hub(planted: Planted, law: str) -> None:
    found = planted.admin("GET", f"/v1/privacy/checklists/{law}", **COMPLIANCE).body
    assert [line["id"] for line in found["lines"] if not line["passed"]] == []


def test_a_checklist_fails_when_the_log_was_tampered_with(planted: Planted) -> None:
    database = Database(f"sqlite:///{planted.folder / 'zhongshu.db'}")
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE audit SET role = 'viewer' WHERE seq = 2")
    database.close()
    found = planted.admin("GET", "/v1/privacy/checklists/gdpr", **COMPLIANCE).body
    assert [line["id"] for line in found["lines"] if not line["passed"]] == ["accountability"]
    assert not found["passed"]
