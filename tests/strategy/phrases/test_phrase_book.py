"""Answers are remembered a tenant, used where a sentence alone would be a question, audited, and can be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from core.audit import AuditRow, first_broken
from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.errors import InvalidInput, NeedsAnswer, NotFound, UnknownName
from core.ids import TenantId
from core.times import parse_time
from knowledge.catalog import read_catalog
from strategy.document import AttributeIs, Streak
from strategy.language import read_sentence
from strategy.service import StrategyService

CATALOG = read_catalog(
    "catalog: 1\n"
    "objects: {customer: {labels: {zh: [客户], en: [customer]}, attributes: {tier: {type: enum, "
    "labels: {zh: [等级], en: [tier]}, values: {vip: {zh: [大客户], en: [high-value]}}}}}}\n"
    "events:\n"
    "  sms: {subject: customer, labels: {zh: [短信]}, fields: {opened: {type: boolean, labels: {zh: [打开]}}}}\n"
    "  mail: {subject: customer, labels: {zh: [邮件]}, fields: {opened: {type: boolean, labels: {zh: [打开]}}}}\n"
    "actions: {call: {labels: {zh: [外呼], en: [call]}}}\n"
).catalog
CTX = system_context()
OTHER = RequestContext(TenantId("other"), CTX.actor, CTX.role, CTX.purpose)
ASKED = "连续3次没打开就外呼"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path / 'hub.db'}")
    found.create_tables()
    yield found
    found.close()


@pytest.fixture
def service(db: Database) -> StrategyService:
    return StrategyService(db, ManualClock(parse_time("2026-05-01T00:00:00Z")), lambda ctx: CATALOG)


def test_a_choice_answers_the_question_it_was_offered_for() -> None:
    with pytest.raises(NeedsAnswer) as caught:
        read_sentence(ASKED, CATALOG)
    for choice, event in zip(caught.value.choices, ("sms", "mail"), strict=True):
        reading = read_sentence(ASKED, CATALOG, phrases={"打开": choice.zh})
        assert isinstance(reading.document.trigger, Streak)
        assert reading.document.trigger.event == event
        assert choice.zh in reading.warnings[0].zh


def test_words_that_are_no_question_are_read_as_without_phrases() -> None:
    text = "连续3次没打开邮件就外呼"
    assert read_sentence(text, CATALOG, phrases={"打开": "短信的打开"}) == read_sentence(text, CATALOG)


def test_a_phrase_stands_for_a_name_the_catalog_lacks_in_any_width_and_case() -> None:
    reading = read_sentence(
        "对ＶＩＰ客户，连续3次没打开短信就外呼", CATALOG, phrases={"vip客户": "大客户", "vip": "大客户"}
    )
    assert reading.document.audience == AttributeIs(name="tier", op="==", value="vip")


def test_a_problem_after_an_answer_is_placed_in_the_sentence_as_typed() -> None:
    text = "对贵宾，收缩压连续3次超过160，就外呼"
    with pytest.raises(UnknownName) as caught:
        read_sentence(text, CATALOG, phrases={"贵宾": "等级是大客户的客户"})
    where = caught.value.where
    assert text[where["offset"] : where["offset"] + where["length"]] == "收缩压"


def test_phrases_that_lead_in_a_circle_are_an_error() -> None:
    with pytest.raises(InvalidInput):
        read_sentence("对贵宾，连续3次没打开短信就外呼", CATALOG, phrases={"贵宾": "上宾", "上宾": "贵宾"})


def test_an_answer_is_remembered_only_when_asked_to(service: StrategyService) -> None:
    answers = {"打开": "邮件的打开"}
    service.draft(CTX, sentence=ASKED, answers=answers)
    with pytest.raises(NeedsAnswer):
        service.draft(CTX, sentence=ASKED)
    service.draft(CTX, sentence=ASKED, answers=answers, remember=True)
    trigger = service.draft(CTX, sentence=ASKED).strategy.trigger
    assert isinstance(trigger, Streak)
    assert trigger.event == "mail"


def test_a_tenant_does_not_hear_the_words_of_another(service: StrategyService) -> None:
    service.phrases.learn(CTX, {"贵宾": "大客户"})
    assert service.phrases.list(OTHER) == []
    with pytest.raises(UnknownName):
        service.draft(OTHER, sentence="对贵宾客户，连续3次没打开短信就外呼")


def test_learning_and_forgetting_are_audited(service: StrategyService, db: Database) -> None:
    service.phrases.learn(CTX, {"贵宾": "大客户"})
    service.phrases.learn(CTX, {"贵宾": "等级是大客户的客户"})
    service.phrases.forget(CTX, "贵宾")
    with db.reading() as session:
        rows = list(session.exec(select(AuditRow).order_by(col(AuditRow.seq))))
        assert first_broken(session, CTX.tenant) is None
    assert [(r.action, r.target) for r in rows] == [
        ("phrase.learn", "phrase/贵宾"),
        ("phrase.learn", "phrase/贵宾"),
        ("phrase.forget", "phrase/贵宾"),
    ]
    assert rows[1].detail == {"means": "等级是大客户的客户", "before": "大客户"}


def test_what_is_forgotten_is_asked_again(service: StrategyService) -> None:
    service.phrases.learn(CTX, {"打开": "邮件的打开"})
    service.phrases.forget(CTX, "打开")
    with pytest.raises(NeedsAnswer):
        service.draft(CTX, sentence=ASKED)
    with pytest.raises(NotFound):
        service.phrases.forget(CTX, "打开")


def test_a_phrase_cannot_stand_for_what_is_unknown_itself_or_nothing(service: StrategyService) -> None:
    with pytest.raises(UnknownName):
        service.phrases.learn(CTX, {"贵宾": "至尊"})
    for means in ("贵宾", "  ", "大客户" * 100):
        with pytest.raises(InvalidInput):
            service.phrases.learn(CTX, {"贵宾": means})
