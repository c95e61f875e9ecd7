"""No line of a checklist passes by itself: each thing that a line is about is broken on a hub, and that line fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl
from sqlmodel import select

import agents.intake
import app.checklist
import app.logs
import core.telemetry
from app.checklist import CHECKS, LAWS, run_checklist
from app.hub import Hub
from core.context import Purpose, RequestContext
from core.times import format_time
from knowledge.governance import Consent, Policy, audit_refusals, consent, record_consent
from knowledge.governance.forgetful import ForgetfulTables
from knowledge.governance.policy import POLICIES
from tests.app.hubclient import settings_for

CATALOG = """
catalog: 1
objects:
  customer:
    labels: {en: [customer]}
    attributes:
      phone: {type: text, labels: {en: [phone]}, purposes: [service]}
      name: {type: text, labels: {en: [full name]}, purposes: [service]}
events:
  app.login: {subject: customer, labels: {en: [log in, login]}}
actions:
  outbound_call: {labels: {en: [outbound call]}}
"""
Break = Callable[[Hub, pytest.MonkeyPatch], None]


@contextmanager
def _open(folder: Path) -> Iterator[Hub]:
    """One customer who said yes, and about whom a decision was made."""
    path = folder / "catalog.yaml"
    path.write_text(CATALOG, encoding="utf-8")
    with Hub.open(settings_for(folder / "data", catalog=path, lateness=0)) as hub:
        ctx = hub.context()
        drafted = hub.strategies.draft(ctx, sentence="Schedule an outbound call when a customer logs in", name="calls")
        hub.strategies.approve(ctx, "calls", drafted.version, percent=100)
        hub.live.settle()
        with hub.database.transaction() as session:
            record_consent(session, ctx, hub.clock, "customer/a", Purpose.MARKETING, True, source="form")
        at = format_time(hub.clock.now())
        login = {"id": "e1", "type": "app.login", "time": at, "subject": "customer/a", "source": "app"}
        assert hub.live.accept_events(ctx, [login]).accepted == 1
        hub.live.settle()
        yield hub


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """For what is undone after the test."""
    with _open(tmp_path_factory.mktemp("checklist")) as hub:
        yield hub


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Hub]:
    """For what stays broken."""
    with _open(tmp_path) as hub:
        yield hub


def _failed(hub: Hub, law: str) -> set[str]:
    checked = run_checklist(hub, _ctx(hub), law)
    wrong = {line["id"] for line in checked["lines"] if line["passed"] is False}
    assert checked["passed"] is not bool(wrong)
    return wrong


def _ctx(hub: Hub) -> RequestContext:
    return hub.context().for_purpose(Purpose.COMPLIANCE)


def _settings(**changed: Any) -> Break:
    def apply(hub: Hub, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(hub, "settings", hub.settings.model_copy(update=changed))

    return apply


def _policy(without: str = "", more: str = "") -> Break:
    def apply(hub: Hub, patch: pytest.MonkeyPatch) -> None:
        text = POLICIES.read_text(encoding="utf-8")
        begin = text.index(f'@id("{without}")') if without else len(text)
        end = text.index("@id", begin + 1) if without else len(text)
        patch.setattr(hub, "policy", Policy(audit_refusals(hub.database, hub.clock), text[:begin] + text[end:] + more))

    return apply


def _execute(statement: str) -> Break:
    def apply(hub: Hub, patch: pytest.MonkeyPatch) -> None:
        with hub.database.transaction() as session:
            session.connection().exec_driver_sql(statement)

    return apply


def _catalog(old: str, new: str) -> Break:
    def apply(hub: Hub, patch: pytest.MonkeyPatch) -> None:
        from knowledge.catalog import read_catalog

        assert old in CATALOG
        patch.setattr(hub, "catalog", read_catalog(CATALOG.replace(old, new)).catalog)

    return apply


def _unmasked(place: Any, name: str, value: Any) -> Break:
    return lambda hub, patch: patch.setattr(place, name, value)


def _folder_for_all(hub: Hub, patch: pytest.MonkeyPatch) -> None:
    hub.settings.data_dir.chmod(0o755)


def _unrecorded(hub: Hub, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(hub, "policy", Policy())


def _unexported(hub: Hub, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ForgetfulTables, "export", lambda self, ctx, person: [])


PATCHED: list[tuple[str, str, Break]] = [
    ("purposes", "the policy that keeps items to their purposes is gone", _policy("items-serve-only-their-purposes")),
    ("personal_fields", "a phone names no purpose", _catalog("[phone]}, purposes: [service]", "[phone]}")),
    ("personal_fields", "a name beside it names none", _catalog("[full name]}, purposes: [service]", "[full name]}")),
    ("transport", "the interface listens to everybody", _settings(host="0.0.0.0")),
    ("consent", "silence is taken for consent", _unmasked(consent, "NEEDS_EXPLICIT", frozenset())),
    ("withdrawal", "withdrawal is not heard", _unmasked(consent, "covers", lambda made, purpose, channel: bool(made))),
    ("export", "tables export nothing", _unexported),
    ("roles", "everybody may do everything", _policy(more="permit (principal, action, resource);")),
    ("roles", "refusals are not recorded", _unrecorded),
    ("masking", "logs keep what is said", _unmasked(app.logs, "mask", lambda logger, method, event: event)),
    ("masking", "traces keep what is said", _unmasked(core.telemetry, "masked", lambda value: value)),
    ("masking", "prompts keep what is said", _unmasked(agents.intake, "mask_pii", lambda text: text)),
    ("masking", "the recognisers find nothing", _unmasked(app.checklist, "mask_pii", lambda text: text)),
    ("transfer", "a webhook goes out in the open", _settings(webhook_url=HttpUrl("http://example.com/in"))),
    ("transfer", "mail goes out in the open", _settings(smtp_host="mail.example.com")),
    ("transfer", "the graph is reached in the open", _settings(graph_url="bolt://graph.example.com")),
]


CHANGED: list[tuple[str, str, Break]] = [
    ("folder", "others may read the folder", _folder_for_all),
    ("audit", "a row was changed", _execute("UPDATE audit SET actor = 'nobody' WHERE seq = 2")),
    ("audit", "a row is gone", _execute("DELETE FROM audit WHERE seq = 2")),
    ("consent_source", "a statement has no source", _execute("UPDATE consents SET source = ''")),
    ("erasure", "a table belongs to no store", _execute("CREATE TABLE contact (tenant TEXT, said TEXT)")),
    ("explained", "a decision has no reasons", _execute("UPDATE decisions SET why = '{}'")),
]


@pytest.mark.parametrize("law", LAWS)
def test_a_sound_hub_fails_no_line_and_leaves_none_untried(sound: Hub, law: str) -> None:
    lines = run_checklist(sound, _ctx(sound), law)["lines"]
    assert [line["id"] for line in lines if not line["passed"]] == []


def test_every_check_is_broken_in_some_way_here() -> None:
    assert {check for check, _, _ in (*PATCHED, *CHANGED)} == set(CHECKS)


@pytest.mark.parametrize(("check", "how", "breaks"), PATCHED, ids=[how for _, how, _ in PATCHED])
def test_a_line_fails_when_what_it_is_about_is_broken(
    sound: Hub, monkeypatch: pytest.MonkeyPatch, check: str, how: str, breaks: Break
) -> None:
    breaks(sound, monkeypatch)
    assert _broken(sound) == {check}, how


@pytest.mark.parametrize(("check", "how", "breaks"), CHANGED, ids=[how for _, how, _ in CHANGED])
def test_a_line_fails_when_what_is_kept_is_broken(
    own: Hub, monkeypatch: pytest.MonkeyPatch, check: str, how: str, breaks: Break
) -> None:
    breaks(own, monkeypatch)
    assert _broken(own) == {check}, how


def _broken(hub: Hub) -> set[str]:
    return {name for name, run in CHECKS.items() if run(hub, _ctx(hub)).passed is False}


def test_what_cannot_be_tried_yet_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    with Hub.open(settings_for(tmp_path / "empty")) as hub:
        untried = {name for name, run in CHECKS.items() if run(hub, _ctx(hub)).passed is None}
        assert untried >= {"export", "explained", "consent_source"}
        assert _failed(hub, "gdpr") == set()


def test_trying_a_withdrawal_leaves_nothing_behind(sound: Hub) -> None:
    run_checklist(sound, _ctx(sound), "pipl")
    with sound.database.reading() as session:
        assert [row.subject for row in session.exec(select(Consent))] == ["customer/a"]
