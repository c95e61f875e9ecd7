"""Inputs are on disk before they are acknowledged; duplicates, late and bad ones are told apart and kept aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

import strategy.tables  # noqa: F401  # so that create_tables knows them
from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.events import Event, Fact, Relation
from core.ids import TenantId
from core.times import DAY, HOUR, MINUTE, SECOND, Micros, format_time, parse_time
from knowledge.catalog import Catalog, load_catalog
from strategy.journal import Journal, input_from
from strategy.repository import JournalEntry, JournalRepository
from strategy.stream import Receipt
from strategy.tables import Kind

NOW = parse_time("2026-05-01T12:00:00Z")
CTX = system_context()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(Path(__file__).parents[1] / "data" / "catalog.yaml").catalog


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path / 'hub.db'}")
    found.create_tables()
    yield found
    found.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def login(key: str, at: int, **more: Any) -> dict[str, Any]:
    return {"id": key, "type": "app.login", "time": format_time(at), "subject": "customer/c1", **more}


def take(
    journal: Journal, catalog: Catalog, *items: object, ctx: RequestContext = CTX, backfill: bool = False
) -> Receipt:
    return journal.take(ctx, journal.read(items, catalog), backfill=backfill).receipt


def rows(db: Database, ctx: RequestContext = CTX) -> list[JournalEntry]:
    with db.reading() as session:
        return JournalRepository(session, ctx.tenant).after(0, 1_000)


def test_events_facts_and_relations_come_back_from_the_journal_as_they_were(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, SECOND)
    receipt = take(
        journal,
        catalog,
        login("e1", NOW, source="app", data={"screen": "首页"}),
        {"subject": "customer/c1", "property": "tier", "value": "vip", "from": format_time(NOW - DAY)},
        {"subject": "customer/c1", "relation": "owns", "object": "device/d1", "from": format_time(NOW)},
    )
    assert receipt == Receipt(accepted=3)
    assert [input_from(row) for row in rows(db)] == [
        Fact("customer/c1", "tier", "vip", Micros(NOW - DAY)),
        Relation("customer/c1", "owns", "device/d1", NOW),
        Event("e1", "app.login", NOW, "customer/c1", {"screen": "首页"}, "app"),
    ]


def test_the_same_source_and_id_is_a_duplicate_in_the_batch_later_and_after_a_restart(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, SECOND)
    assert take(journal, catalog, login("e1", NOW), login("e1", NOW)) == Receipt(accepted=1, duplicates=1)
    assert take(journal, catalog, login("e1", NOW)) == Receipt(duplicates=1)
    assert take(Journal(db, clock, SECOND), catalog, login("e1", NOW), login("e2", NOW)) == Receipt(1, 1)
    assert take(journal, catalog, login("e1", NOW, source="other")) == Receipt(accepted=1)


def test_the_same_id_in_another_tenant_is_another_event(db: Database, clock: ManualClock, catalog: Catalog) -> None:
    journal = Journal(db, clock, SECOND)
    other = RequestContext(TenantId("other"), CTX.actor, CTX.role, CTX.purpose)
    assert take(journal, catalog, login("e1", NOW)) == Receipt(accepted=1)
    assert take(journal, catalog, login("e1", NOW), ctx=other) == Receipt(accepted=1)
    assert len(rows(db, other)) == 1


def test_the_store_itself_refuses_an_identity_twice(db: Database, clock: ManualClock, catalog: Catalog) -> None:
    take(Journal(db, clock, SECOND), catalog, login("e1", NOW))
    with pytest.raises(IntegrityError), db.transaction() as session:
        JournalRepository(session, CTX.tenant).append([_copy(rows(db)[0])])


def _copy(row: JournalEntry) -> dict[str, Any]:
    return {k: v for k, v in row._asdict().items() if k != "seq"} | {"received_at": NOW}


def test_an_event_at_the_watermark_is_in_time_and_one_before_it_is_late_and_kept_aside(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, 10 * SECOND)
    take(journal, catalog, login("e1", NOW))
    assert take(journal, catalog, login("edge", NOW - 10 * SECOND)).accepted == 1
    assert take(journal, catalog, login("late", NOW - 10 * SECOND - 1)) == Receipt(late=1)
    (aside,) = journal.aside(CTX)
    assert aside.reason == "late"
    assert '"late"' in aside.raw
    assert "watermark" in aside.error["en"]["message"]
    assert "水位" in aside.error["zh"]["message"]


def test_lateness_is_judged_the_same_after_a_restart_and_by_ticks(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, SECOND)
    take(journal, catalog, login("e1", NOW - HOUR))
    journal.control(CTX.tenant, Kind.TICK, "", Micros(NOW - MINUTE), {})
    for one in (journal, Journal(db, clock, SECOND)):
        assert take(one, catalog, login("late", NOW - 2 * MINUTE)).late == 1
        assert one.end(CTX.tenant).opened == NOW - MINUTE + 1


def test_within_a_batch_the_order_of_lines_does_not_matter(db: Database, clock: ManualClock, catalog: Catalog) -> None:
    journal = Journal(db, clock, SECOND)
    receipt = take(journal, catalog, *(login(f"e{n}", NOW - n * HOUR) for n in range(5)))
    assert receipt == Receipt(accepted=5)
    assert [row.time for row in rows(db)] == sorted(NOW - n * HOUR for n in range(5))


def test_bad_lines_are_reported_and_kept_aside_and_good_ones_kept(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, SECOND)
    receipt = take(journal, catalog, b'{"id": ', login("e1", NOW), login("e2", NOW, type="app.logn"), 5)
    assert receipt.accepted == 1
    assert [(bad.line, bad.error.code) for bad in receipt.rejected] == [
        (1, "invalid-input"),
        (3, "unknown-name"),
        (4, "invalid-input"),
    ]
    kept = journal.aside(CTX, reason="rejected")
    assert [(row.line, row.raw[:9]) for row in reversed(kept)] == [(1, '{"id": '), (3, '{"id":"e2'), (4, "5")]
    assert kept[1].error["en"]["nearest"] == ["app.login"]
    assert [row.line for row in journal.aside(CTX, before=kept[0].seq, limit=1)] == [3]


def test_an_event_from_more_than_a_day_ahead_is_an_absurd_clock(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, SECOND)
    receipt = take(journal, catalog, login("e1", NOW + 24 * HOUR), login("e2", NOW + 24 * HOUR + 1))
    assert receipt.accepted == 1
    assert receipt.rejected[0].error.code == "absurd-clock"


def test_a_failed_commit_acknowledges_nothing_and_changes_nothing(
    db: Database, clock: ManualClock, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(db, clock, SECOND)
    take(journal, catalog, login("e1", NOW - HOUR))
    with monkeypatch.context() as patch:
        patch.setattr(JournalRepository, "set_aside", _disk_full)
        with pytest.raises(OSError, match="full"):
            take(journal, catalog, login("e2", NOW))
    assert [row.id for row in rows(db)] == ["e1"]
    assert take(journal, catalog, login("e3", NOW - HOUR)) == Receipt(accepted=1)
    assert take(journal, catalog, login("e2", NOW)) == Receipt(accepted=1)


def _disk_full(*_: object) -> None:
    raise OSError("disk full")


def test_event_time_follows_the_clock_less_lateness_and_less_the_streams_own_lag(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    journal = Journal(db, clock, SECOND)
    assert journal.event_clock(CTX.tenant) == NOW - SECOND
    take(journal, catalog, login("old", NOW - 30 * DAY), backfill=True)
    assert journal.event_clock(CTX.tenant) == NOW - SECOND
    take(journal, catalog, login("recorded", NOW - 10 * DAY))
    clock.advance(MINUTE)
    assert journal.event_clock(CTX.tenant) == NOW - 10 * DAY + MINUTE - SECOND
    assert Journal(db, clock, SECOND).event_clock(CTX.tenant) == NOW - 10 * DAY + MINUTE - SECOND
    take(journal, catalog, login("live", NOW + MINUTE))
    assert journal.event_clock(CTX.tenant) == NOW + MINUTE - SECOND
