"""What a customer allows, over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, select

from core.audit import AuditRow
from core.clock import ManualClock
from core.context import Purpose, system_context
from core.db import Database
from core.ids import TenantId
from knowledge.governance import Statement, consent_history, consented, import_consents, record_consent

CTX = system_context()
CLOCK = ManualClock(1_000)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    db = Database(f"sqlite:///{tmp_path}/hub.db")
    db.create_tables()
    with db.transaction() as session:
        yield session


def state(session: Session, given: bool, at: int, channel: str | None = None) -> None:
    record_consent(session, CTX, CLOCK, "customer/c1", Purpose.MARKETING, given, channel=channel, at=at, source="form")


def allows(session: Session, channel: str | None, at: int, purpose: Purpose = Purpose.MARKETING) -> bool:
    return consented(session, CTX, "customer/c1", purpose, channel, at)


def test_marketing_needs_a_statement_and_service_does_not(session: Session) -> None:
    assert not allows(session, "sms", 10)
    assert allows(session, "sms", 10, Purpose.SERVICE)
    assert allows(session, "sms", 10, Purpose.OPERATIONS)


def test_consent_holds_from_its_moment_until_it_is_withdrawn(session: Session) -> None:
    state(session, True, 10)
    state(session, False, 20)
    assert [allows(session, "sms", at) for at in (9, 10, 19, 20)] == [False, True, True, False]


def test_a_channel_opted_out_stays_out_when_general_consent_is_given_again(session: Session) -> None:
    state(session, True, 10)
    state(session, False, 20, "sms")
    state(session, True, 30)
    assert not allows(session, "sms", 40)
    assert allows(session, "email", 40)


def test_a_general_withdrawal_ends_consent_on_every_channel(session: Session) -> None:
    state(session, True, 10, "sms")
    assert (allows(session, "sms", 15), allows(session, "email", 15)) == (True, False)
    state(session, False, 20)
    assert not allows(session, "sms", 25)
    state(session, True, 30)
    assert allows(session, "sms", 35)


def test_of_two_statements_at_one_moment_the_later_recorded_counts(session: Session) -> None:
    state(session, True, 10)
    state(session, False, 10)
    assert not allows(session, None, 10)


def test_another_tenant_sees_no_consent(session: Session) -> None:
    state(session, True, 10)
    other = replace(CTX, tenant=TenantId("other"))
    assert not consented(session, other, "customer/c1", Purpose.MARKETING, None, 20)


def test_the_history_keeps_every_statement_and_each_is_audited(session: Session) -> None:
    state(session, False, 20)
    state(session, True, 10)
    assert [(s.at, s.given) for s in consent_history(session, CTX, "customer/c1")] == [(10, True), (20, False)]
    assert [r.action for r in session.exec(select(AuditRow)).all()] == ["consent.withdraw", "consent.give"]


def test_many_statements_of_one_source_are_one_audit_row(session: Session) -> None:
    made = [Statement(f"customer/c{i}", Purpose.MARKETING, i % 2 == 0, at=10) for i in range(4)]
    assert import_consents(session, CTX, CLOCK, made, "crm") == 4
    answers = [consented(session, CTX, f"customer/c{i}", Purpose.MARKETING, "sms", 11) for i in range(4)]
    assert answers == [True, False, True, False]
    assert [r.action for r in session.exec(select(AuditRow))] == ["consent.import"]
    assert consent_history(session, CTX, "customer/c0")[0].source == "crm"
