"""Strategies go draft → approved → canary → live → paused/retired; every version stays as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

import strategy.tables  # noqa: F401  # so that create_tables knows them
from core.audit import AuditRow, first_broken
from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.errors import Conflict, InvalidInput, NotFound, UnknownName
from core.ids import TenantId
from core.times import DAY, parse_time
from knowledge.catalog import Catalog, load_catalog
from strategy.service import StrategyService
from strategy.tables import State
from strategy.versions import Change

CTX = system_context()
OTHER = RequestContext(TenantId("other"), CTX.actor, CTX.role, CTX.purpose)


def document(name: str = "few logins", **more: Any) -> dict[str, Any]:
    trigger = {"kind": "aggregate", "event": "app.login", "function": "count", "window": {"over": "7d"}}
    return {
        "name": name,
        "trigger": {**trigger, "op": "<", "value": 2},
        "actions": [{"action": "outbound_call"}],
        **more,
    }


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
    return ManualClock(parse_time("2026-05-01T00:00:00Z"))


@pytest.fixture
def service(db: Database, clock: ManualClock, catalog: Catalog) -> StrategyService:
    return StrategyService(db, clock, lambda ctx: catalog)


def verbs(db: Database, tenant: str = "default") -> list[str]:
    with db.reading() as session:
        assert first_broken(session, tenant) is None
        query = select(AuditRow.action).where(AuditRow.tenant == tenant).order_by(col(AuditRow.seq))
        return list(session.exec(query))


@pytest.mark.parametrize(
    "sentence",
    ["客户7天内登录少于2次,就安排外呼", "when a customer logs in fewer than 2 times in 7 days, outbound call"],
)
def test_a_sentence_becomes_a_draft_read_back_in_both_languages(service: StrategyService, sentence: str) -> None:
    found = service.draft(CTX, sentence=sentence)
    assert (found.version, found.newest, found.state, found.percent) == (1, 1, State.DRAFT, 0.0)
    assert found.sentence == sentence
    assert found.read_by == "grammar"
    assert found.strategy.trigger.model_dump()["event"] == "app.login"
    assert "登录" in found.readback.zh
    assert "login" in found.readback.en or "log in" in found.readback.en
    assert service.show(CTX, found.name) == found


def test_a_document_becomes_a_draft_with_the_warnings_of_its_check(service: StrategyService) -> None:
    found = service.draft(CTX, document=document(actions=[{"task": "送一束花"}]))
    assert found.read_by == "document"
    assert found.sentence is None
    assert found.strategy.actions[0].task == "送一束花"
    assert service.list(CTX) == [found]


def test_what_cannot_be_read_is_not_stored(service: StrategyService, db: Database) -> None:
    with pytest.raises(UnknownName):
        service.draft(CTX, document=document(trigger={"kind": "event", "event": "app.logn"}))
    with pytest.raises(InvalidInput) as error:
        service.draft(CTX, document={**document(), "trigger": {"kind": "evnt"}})
    assert error.value.where["field"].startswith("trigger")
    with pytest.raises(InvalidInput):
        service.draft(CTX)
    assert service.list(CTX) == []
    assert verbs(db) == []


def test_a_taken_name_is_a_conflict_when_asked_for_and_numbered_when_not(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    with pytest.raises(Conflict):
        service.draft(CTX, document=document(), name="few logins")
    again = service.draft(CTX, document=document())
    assert again.name == again.strategy.name == "few logins (2)"


def test_approval_starts_on_the_documents_share_which_is_one_percent_unless_said(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    service.draft(CTX, document=document("wide", rollout={"percent": 20}))
    assert service.approve(CTX, "few logins", 1).percent == 1.0
    wide = service.approve(CTX, "wide", 1)
    assert (wide.state, wide.percent) == (State.CANARY, 20.0)
    assert wide.effective.rollout.percent == 20.0
    assert wide.strategy == service.show(CTX, "wide").strategy


def test_a_canary_ramps_to_live_and_a_live_one_can_be_brought_back(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    assert service.approve(CTX, "few logins", 1, percent=0).state == State.APPROVED
    assert service.approve(CTX, "few logins", 1).state == State.CANARY
    assert service.approve(CTX, "few logins", 1, percent=100).state == State.LIVE
    assert service.approve(CTX, "few logins", 1, percent=10).state == State.CANARY
    with pytest.raises(InvalidInput):
        service.approve(CTX, "few logins", 1, percent=101)


def test_a_paused_strategy_resumes_on_the_share_it_had(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    service.approve(CTX, "few logins", 1, percent=30)
    assert service.pause(CTX, "few logins").state == State.PAUSED
    assert service.running(CTX) == []
    resumed = service.resume(CTX, "few logins")
    assert (resumed.state, resumed.percent) == (State.CANARY, 30.0)


def test_a_verb_that_the_state_does_not_allow_names_those_it_does(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    with pytest.raises(Conflict) as error:
        service.pause(CTX, "few logins")
    assert error.value.hint is not None
    assert "approve" in error.value.hint.en
    service.retire(CTX, "few logins")
    for verb in (service.pause, service.resume, service.retire):
        with pytest.raises(Conflict):
            verb(CTX, "few logins")
    with pytest.raises(Conflict):
        service.approve(CTX, "few logins", 1)


def test_an_edit_is_a_new_version_and_the_old_one_runs_on_until_the_new_is_approved(service: StrategyService) -> None:
    first = service.draft(CTX, document=document())
    service.approve(CTX, "few logins", 1, percent=100)
    changed = document(trigger={"kind": "event", "event": "app.login"})
    second = service.edit(CTX, "few logins", document=changed, base_version=1)
    assert (second.version, second.state) == (2, State.DRAFT)
    assert [v.version for v in service.running(CTX)] == [1]
    assert service.show(CTX, "few logins").newest == 2
    service.approve(CTX, "few logins", 2)
    assert [(v.version, v.state) for v in service.versions(CTX, "few logins")] == [
        (1, State.RETIRED),
        (2, State.CANARY),
    ]
    assert service.show(CTX, "few logins", 1).strategy == first.strategy


def test_an_edit_of_an_older_version_than_the_newest_is_a_conflict(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    service.edit(CTX, "few logins", document=document(), base_version=1)
    with pytest.raises(Conflict):
        service.edit(CTX, "few logins", document=document(), base_version=1)


def test_a_change_on_a_revision_that_is_gone_is_a_conflict(service: StrategyService) -> None:
    seen = service.draft(CTX, document=document())
    service.approve(CTX, "few logins", 1, revision=seen.revision)
    with pytest.raises(Conflict):
        service.approve(CTX, "few logins", 1, percent=100, revision=seen.revision)
    assert service.show(CTX, "few logins").percent == 1.0


def test_every_change_leaves_an_audit_row_and_tells_the_listeners(service: StrategyService, db: Database) -> None:
    heard: list[Change] = []
    service.listeners.append(lambda ctx, change: heard.append(change))
    service.draft(CTX, document=document())
    service.approve(CTX, "few logins", 1)
    service.edit(CTX, "few logins", document=document())
    service.approve(CTX, "few logins", 2)
    service.pause(CTX, "few logins")
    service.resume(CTX, "few logins")
    service.retire(CTX, "few logins")
    assert [v.removeprefix("strategy.") for v in verbs(db)] == [
        "draft",
        "approve",
        "edit",
        "approve",
        "pause",
        "resume",
        "retire",
    ]
    assert Change("few logins", 1, State.CANARY, State.RETIRED) in heard
    assert heard[-1] == Change("few logins", 2, State.CANARY, State.RETIRED)


def test_tenants_do_not_see_each_other(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    service.draft(OTHER, document=document())
    service.approve(OTHER, "few logins", 1)
    assert [v.state for v in service.list(CTX)] == [State.DRAFT]
    assert service.running(CTX) == []
    with pytest.raises(NotFound):
        service.show(RequestContext(TenantId("third"), "a", CTX.role, CTX.purpose), "few logins")


def test_a_name_or_version_that_is_not_there_names_the_nearest(service: StrategyService) -> None:
    service.draft(CTX, document=document())
    with pytest.raises(NotFound) as error:
        service.show(CTX, "few login")
    assert error.value.nearest == ["few logins"]
    with pytest.raises(NotFound) as error:
        service.show(CTX, "few logins", 9)
    assert error.value.nearest == ["1"]


def test_a_draft_that_no_longer_fits_the_catalog_is_not_approved(
    db: Database, clock: ManualClock, catalog: Catalog
) -> None:
    current = [catalog]
    service = StrategyService(db, clock, lambda ctx: current[0])
    service.draft(CTX, document=document())
    current[0] = catalog.model_copy(update={"events": {k: v for k, v in catalog.events.items() if k != "app.login"}})
    with pytest.raises(UnknownName):
        service.approve(CTX, "few logins", 1)
    assert service.show(CTX, "few logins").state == State.DRAFT


def test_times_of_making_and_changing_come_from_the_clock(service: StrategyService, clock: ManualClock) -> None:
    made = service.draft(CTX, document=document())
    clock.advance(DAY)
    changed = service.approve(CTX, "few logins", 1)
    assert changed.created_at == made.created_at
    assert changed.updated_at == made.created_at + DAY


@pytest.mark.parametrize("name", ["  ", "vip ", "a\x1b[31mb", "a\nb", "a\x00b"])
def test_a_name_that_cannot_be_shown_and_typed_is_refused(service: StrategyService, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be used") as caught:
        service.draft(CTX, sentence="客户登录就外呼", name=name)
    assert caught.value.where["field"] == "name"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"deep": [float("-inf")]}, b"x"])
def test_a_document_with_what_json_cannot_hold_is_refused(service: StrategyService, value: object) -> None:
    actions = [{"action": "outbound_call", "params": {"text": value}}]
    with pytest.raises(InvalidInput, match="JSON cannot hold it"):
        service.draft(
            CTX, document={"name": "x", "trigger": {"kind": "event", "event": "app.login"}, "actions": actions}
        )
