"""What is kept no longer goes from journal and graph, and nothing else changes: not what running strategies decide, not
what holds now."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from app.hub import Hub
from core.audit import AuditRow
from core.clock import ManualClock
from core.errors import Refused
from core.times import DAY, HOUR, Micros, format_time, parse_time
from strategy.delivery.tables import Decision
from tests.app.hubclient import settings_for

START = parse_time("2026-01-01T00:00:00Z")
CATALOG = """
catalog: 1
timezone: UTC
keep: {set_aside: 10d}
objects:
  customer: {keep: 30d, labels: {en: [customer]}, attributes: {tier: {type: text, labels: {en: [tier]}}}}
events:
  app.login: {subject: customer, keep: 30d, labels: {en: [log in, login]}, fields: {ok: {type: boolean}}}
  app.swipe: {subject: customer, labels: {en: [swipe]}}
actions:
  outbound_call: {labels: {en: [outbound call]}}
"""
SENTENCES = {
    "often": "Schedule an outbound call when a customer logs in at least 4 times within 20 days",
    "seldom": "Schedule an outbound call when a customer logs in fewer than 2 times within 25 days",
}


@contextmanager
def _hub(folder: Path, catalog: str = CATALOG) -> Iterator[tuple[Hub, ManualClock]]:
    path = folder / "catalog.yaml"
    path.write_text(catalog, encoding="utf-8")
    clock = ManualClock(START)
    with Hub.open(settings_for(folder / "data", catalog=path, lateness=0), clock) as hub:
        yield hub, clock


def _event(key: str, kind: str, at: int, subject: str) -> dict[str, Any]:
    return {"id": key, "type": kind, "time": format_time(Micros(at)), "subject": subject, "source": "app"}


def _fact(subject: str, value: str, at: int) -> dict[str, Any]:
    return {"subject": subject, "property": "tier", "value": value, "from": format_time(Micros(at)), "source": "crm"}


def _send(hub: Hub, *items: dict[str, Any]) -> None:
    assert hub.live.accept_events(hub.context(), items).accepted == len(items)
    hub.live.settle()


def _start(hub: Hub, names: Sequence[str]) -> None:
    for name in names:
        drafted = hub.strategies.draft(hub.context(), sentence=SENTENCES[name], name=name)
        hub.strategies.approve(hub.context(), name, drafted.version, percent=100)
    hub.live.settle()


def _logins(seed: int, days: int) -> list[list[dict[str, Any]]]:
    """Day by day; one customer stops after three weeks, one comes back after two months."""
    chance, found = random.Random(seed), list[list[dict[str, Any]]]()
    for day in range(days):
        here = [f"customer/c{n}" for n in range(4) if chance.random() < 0.25]
        here += ["customer/early"] * (day < 21) + ["customer/back"] * (day in (1, 2, 70, 71, 72, 73))
        moments = sorted(chance.randrange(24) for _ in here)
        day_at = START + day * DAY
        found.append(
            [
                _event(f"e{day}.{n}", "app.login", day_at + hour * HOUR + n + 1, who)
                for n, (hour, who) in enumerate(zip(moments, here, strict=True))
            ]
        )
    return found


def _decided(folder: Path, days: list[list[dict[str, Any]]], *, trims: bool) -> tuple[set[Any], int]:
    """What was decided, and the rows of logins left in the journal. `trims`: retention after each day, and twice the
    engine is made anew from what is left."""
    with _hub(folder) as (hub, clock):
        _send(hub, *(_fact(f"customer/{who}", "gold", START) for who in ("early", "back", "c0", "c1", "c2", "c3")))
        _start(hub, [*SENTENCES])
        for number, events in enumerate(days):
            clock.set(START + (number + 1) * DAY)
            _send(hub, _event(f"s{number}", "app.swipe", START + number * DAY + 1, "customer/c0"), *events)
            if trims:
                hub.retention.run(hub.context(), dry_run=False)
                if number in (40, 75):
                    hub.live.forget(hub.context(), lambda session: None)
                    hub.live.settle()
        with hub.database.reading() as session:
            rows = {(d.strategy, d.subject, d.at, d.verdict) for d in session.exec(select(Decision))}
            left = session.connection().exec_driver_sql("SELECT count(*) FROM journal WHERE type = 'app.login'")
            return rows, int(left.scalar_one())


def test_running_strategies_decide_the_same_with_retention_and_without(tmp_path: Path) -> None:
    days = _logins(1, 80)
    whole, all_rows = _decided(tmp_path, days, trims=False)
    (tmp_path / "trimmed").mkdir()
    trimmed, rows = _decided(tmp_path / "trimmed", days, trims=True)
    assert trimmed == whole
    assert {strategy for strategy, *_ in whole} == set(SENTENCES)
    assert rows < all_rows / 2


def test_what_was_replaced_long_ago_goes_and_what_holds_stays(tmp_path: Path) -> None:
    with _hub(tmp_path) as (hub, clock):
        ctx = hub.context()
        _send(hub, _fact("customer/a", "new", START), _fact("customer/b", "vip", START))
        _send(hub, _fact("customer/a", "gold", START + DAY), _event("old", "app.login", START + DAY, "customer/a"))
        clock.set(START + 40 * DAY)
        _send(
            hub, _fact("customer/a", "vip", START + 39 * DAY), _event("e", "app.login", START + 40 * DAY, "customer/a")
        )
        counted = hub.retention.run(ctx, dry_run=True)
        gone = hub.retention.run(ctx, dry_run=False)
        assert [d.as_dict("en") for d in gone] == [d.as_dict("en") for d in counted]
        assert {d.label.en: (d.journal, d.graph) for d in gone} == {
            "log in": (1, 1),
            "earlier tier of a customer": (1, 1),
            "inputs set aside": (0, 0),
        }
        curve = [step.value for step in hub.graph.series(ctx, "customer/a", "tier").steps]
        assert curve == ["gold", "vip"]
        assert hub.graph.profile(ctx, "customer/b").values["tier"].value == "vip"
        assert [event.id for event in hub.graph.timeline(ctx, "customer/a", 10).events] == ["e"]
        with hub.database.reading() as session:
            (row,) = session.exec(select(AuditRow).where(AuditRow.action == "privacy.retention"))
        assert row.purpose == "compliance"
        assert row.detail == {"event app.login": 2, "fact tier": 2}


def test_a_strategy_that_looks_at_all_history_holds_its_events(tmp_path: Path) -> None:
    catalog = CATALOG.replace("subject: customer, keep: 30d", "subject: customer")
    with _hub(tmp_path, catalog) as (hub, _):
        drafted = hub.strategies.draft(
            hub.context(), sentence="Schedule an outbound call when a customer logs in more than 3 times", name="ever"
        )
        hub.strategies.approve(hub.context(), "ever", drafted.version, percent=100)
        _send(hub, _event("e", "app.login", START, "customer/a"))
    with _hub(tmp_path) as (hub, clock):
        clock.set(START + 90 * DAY)
        _send(hub, _event("late enough", "app.swipe", START + 90 * DAY, "customer/a"))
        (logins,) = [d for d in hub.retention.run(hub.context(), dry_run=False) if d.cut.name == "app.login"]
        assert (logins.journal, logins.graph, logins.cut.held_by) == (0, 0, ("ever",))


def test_no_strategy_is_approved_that_would_count_over_longer_than_its_events_are_kept(tmp_path: Path) -> None:
    with _hub(tmp_path) as (hub, _):
        sentence = "Schedule an outbound call when a customer logs in at least 4 times within 60 days"
        drafted = hub.strategies.draft(hub.context(), sentence=sentence, name="long")
        assert any("kept for 30d" in warning.en for warning in drafted.warnings)
        with pytest.raises(Refused, match="kept for 30d, and this condition looks at 60d") as caught:
            hub.strategies.approve(hub.context(), "long", drafted.version, percent=100)
        assert caught.value.where == {"field": "trigger"}


def test_the_hub_lets_go_by_itself(tmp_path: Path) -> None:
    with _hub(tmp_path) as (hub, clock):
        _send(hub, _event("old", "app.login", START, "customer/a"))
        clock.set(START + 40 * DAY)
        _send(hub, _event("new", "app.login", START + 40 * DAY, "customer/a"))
        hub.retention.stop()
        turns = iter([False, True])
        hub.retention.work(lambda seconds: next(turns))
        assert [event.id for event in hub.graph.timeline(hub.context(), "customer/a", 10).events] == ["new"]
        assert hub.retention.errors == 0
