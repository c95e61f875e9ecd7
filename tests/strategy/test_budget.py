"""How much the stream holds is seen from the journal's newest events; strategies that would keep more than the budget
are warned about as drafts and refused when they are to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import strategy.tables  # noqa: F401  # so that create_tables knows them
from core.clock import ManualClock
from core.context import system_context
from core.db import Database
from core.errors import Refused
from core.times import DAY, HOUR, Micros, format_time, parse_time
from knowledge.catalog import Catalog, read_catalog
from strategy import observed as seen
from strategy.budget import Budget
from strategy.engine.cost import Load
from strategy.journal import Journal
from strategy.observed import observed
from strategy.repository import JournalRepository
from strategy.service import StrategyService
from strategy.tables import State

NOW = parse_time("2026-05-11T00:00:00Z")
CTX = system_context()
CATALOG = read_catalog("""
catalog: 1
objects: {customer: {}, store: {}}
events:
  login: {subject: customer}
  order: {subject: customer, fields: {shop: {type: text}}, groups: {store: shop}}
actions: {call: {}}
""").catalog


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path / 'hub.db'}")
    found.create_tables()
    yield found
    found.close()


@pytest.fixture
def journal(db: Database) -> Journal:
    return Journal(db, ManualClock(NOW), 0)


def event(key: int, kind: str, customer: int, days: float, **data: Any) -> dict[str, Any]:
    at = Micros(NOW - round(days * DAY))
    return {"id": f"e{key}", "type": kind, "time": format_time(at), "subject": f"customer/{customer}", "data": data}


def take(journal: Journal, *events: dict[str, Any], catalog: Catalog = CATALOG) -> None:
    journal.take(CTX, journal.read(events, catalog), backfill=True)


def look(db: Database) -> Load:
    with db.reading() as session:
        return observed(JournalRepository(session, CTX.tenant), CATALOG)


def test_rates_are_events_a_day_for_one_subject_over_the_time_seen(db: Database, journal: Journal) -> None:
    take(journal, *(event(i, "login", i % 2, i / 2) for i in range(21)), event(99, "order", 1, 3, shop="north"))
    load = look(db)
    assert load.subjects == {"customer": 2, "store": 1}
    assert load.rates == {"login": pytest.approx(21 / 10 / 2), "order": pytest.approx(1 / 10 / 2)}


def test_a_moment_s_records_are_taken_for_a_day_s(db: Database, journal: Journal) -> None:
    take(journal, *(event(i, "login", 1, 1) for i in range(8)))
    assert look(db).rates == {"login": pytest.approx(8)}


def test_an_empty_journal_shows_nothing(db: Database) -> None:
    assert look(db) == Load({}, {})


def test_of_a_long_journal_the_number_of_subjects_is_estimated(
    db: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 30 looked at, 10 come once and 10 twice: 20, and 10·10/(2·10) that were not seen."""
    monkeypatch.setattr(seen, "SAMPLE", 30)
    take(journal, *(event(i, "login", i % 20, 5 - i * HOUR / DAY) for i in range(20, 50)), event(0, "login", 77, 9))
    take(journal, *(event(i, "login", i % 20, 0.5) for i in range(50, 80)))
    assert look(db).subjects == {"customer": 25}


def document(over: str) -> dict[str, Any]:
    trigger = {
        "kind": "aggregate",
        "event": "login",
        "function": "count",
        "window": {"over": over},
        "op": ">",
        "value": 2,
    }
    return {"name": f"in {over}", "trigger": trigger, "actions": [{"action": "call"}]}


@pytest.fixture
def service(db: Database, journal: Journal) -> StrategyService:
    """100 customers who log in 10 times a day, and 85,000 bytes for what strategies keep of it."""
    take(journal, *(event(i, "login", i % 100, i / 1_000) for i in range(1_000)))
    return StrategyService(db, ManualClock(NOW), lambda ctx: CATALOG, Budget(85_000))


def test_a_draft_beyond_the_budget_is_kept_with_a_warning(service: StrategyService) -> None:
    found = service.draft(CTX, document=document("30d"))
    (warning,) = found.warnings
    assert "field trigger" in warning.en and "of a budget of 83 KiB" in warning.en
    assert "字段 trigger" in warning.zh and "ZHONGSHU_ENGINE_STATE_BUDGET" in warning.zh
    assert service.show(CTX, found.name).warnings == found.warnings


def test_a_strategy_beyond_the_budget_is_approved_for_nobody(service: StrategyService) -> None:
    service.draft(CTX, document=document("30d"))
    with pytest.raises(Refused) as found:
        service.approve(CTX, "in 30d", 1, 5)
    assert found.value.where == {"field": "trigger"}
    assert service.approve(CTX, "in 30d", 1, 0).state is State.APPROVED


def test_what_runs_already_counts_and_an_older_version_does_not(service: StrategyService) -> None:
    for over in ("1d", "10d"):
        service.draft(CTX, document=document(over))
    assert service.approve(CTX, "in 10d", 1, 5).state is State.CANARY
    with pytest.raises(Refused):
        service.approve(CTX, "in 1d", 1, 5)
    service.edit(CTX, "in 10d", document=document("9d"))
    assert service.approve(CTX, "in 10d", 2, 5).state is State.CANARY


def test_a_paused_strategy_resumes_only_within_the_budget(service: StrategyService) -> None:
    for over in ("9d", "10d"):
        service.draft(CTX, document=document(over))
    service.approve(CTX, "in 10d", 1, 5)
    service.pause(CTX, "in 10d")
    service.approve(CTX, "in 9d", 1, 5)
    with pytest.raises(Refused):
        service.resume(CTX, "in 10d")
