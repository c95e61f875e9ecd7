"""Why not, of a running hub: now, or at a past moment under the version that ran then, with what was decided before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from core.clock import ManualClock
from core.context import RequestContext
from core.errors import Conflict, InvalidInput, NotFound
from core.text import has_chinese
from core.times import DAY, HOUR, MINUTE, SECOND, Micros
from strategy.delivery.tables import Decision
from strategy.document import Strategy
from strategy.engine.port import Firing, Truth
from strategy.whynot import Asked, WhyNot
from tests.strategy.livehub import CTX, NOW, LiveHub, every_login, login, mail, unread

ME = "customer/c1"


class Hub(LiveHub):
    """A hub whose firings are kept as decisions."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ManualClock(NOW))
        self.decider.decide = self._decide  # type: ignore[method-assign]  # decisions instead of notes

    def _decide(self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy) -> None:
        empty: dict[str, Any] = {"actions": [], "why": {}}
        session.add(
            Decision(
                id=f"dec_{firing.at}",
                tenant=ctx.tenant,
                firing=firing.key,
                strategy=firing.strategy,
                version=firing.version,
                subject=firing.subject,
                at=firing.at,
                due=firing.at,
                verdict="delivered",
                decided_at=firing.at,
                **empty,
            )
        )

    def mails(self, *opened: bool) -> None:
        """One a minute from now on."""
        start = self.clock.now()
        for n, each in enumerate(opened):
            self.live.accept_events(CTX, [mail(f"m{start + n}", start + n * MINUTE, each)])
            self.move(start + n * MINUTE + 30 * SECOND)
        self.move(start + len(opened) * MINUTE)

    def ask(self, at: int | None = None, version: int | None = None, name: str = "unread", lang: str = "en") -> WhyNot:
        ctx = RequestContext(CTX.tenant, CTX.actor, CTX.role, CTX.purpose, lang)  # type: ignore[arg-type]  # zh or en
        return self.live.why_not(ctx, Asked(name, ME, None if at is None else Micros(at), version))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    yield hub
    hub.close()


def test_a_past_moment_is_answered_as_it_was(hub: Hub) -> None:
    hub.run(unread(3))
    hub.mails(False, False, True)
    seen = [hub.ask(NOW + n * MINUTE) for n in range(3)]
    assert [(s.truth, s.tree["trigger"]["observed"]) for s in seen] == [
        (Truth.FALSE, 1),
        (Truth.FALSE, 2),
        (Truth.FALSE, 0),
    ]
    assert seen[1].at == NOW + MINUTE
    assert any("2 times in a row" in line for line in seen[1].trigger)
    assert hub.ask(NOW - HOUR).tree["trigger"]["observed"] == 0


def test_the_version_that_ran_then_answers_and_another_may_be_asked_for(hub: Hub) -> None:
    hub.run(unread(3))
    hub.mails(False, False)
    changed = hub.clock.now()
    hub.service.edit(CTX, "unread", document=unread(2))
    hub.service.approve(CTX, "unread", 2, percent=100)
    hub.live.settle()
    hub.move(changed + HOUR)
    hub.mails(False)
    before, after = hub.ask(NOW), hub.ask(changed + HOUR)
    assert (before.version, before.tree["trigger"]["threshold"]) == (1, 3)
    assert (after.version, after.tree["trigger"]["threshold"]) == (2, 2)
    assert hub.ask(NOW, version=2).tree["trigger"]["threshold"] == 2
    assert hub.ask(version=1).version == 1


def test_when_it_did_not_run_there_is_an_answer_only_for_a_version_asked_for(hub: Hub) -> None:
    hub.mails(False)
    started = hub.clock.now()
    hub.run(unread(3))
    hub.mails(False)
    hub.service.pause(CTX, "unread")
    hub.live.settle()
    stopped = hub.clock.now()
    hub.move(stopped + HOUR)
    hub.mails(True)
    for at in (started - MINUTE, stopped + HOUR):
        with pytest.raises(Conflict, match="not running then"):
            hub.ask(at)
        assert hub.ask(at, version=1).truth is Truth.FALSE
        assert "was not running then: this is how" in hub.ask(at, version=1).notes[0]
    assert (hub.ask(started).version, hub.ask(started).notes) == (1, [])
    with pytest.raises(NotFound, match="no version 9"):
        hub.ask(started, version=9)
    with pytest.raises(NotFound, match="no strategy named"):
        hub.ask(started, name="unraed")


def test_the_future_cannot_be_asked_about(hub: Hub) -> None:
    hub.run(unread(3))
    with pytest.raises(InvalidInput, match="only come to"):
        hub.ask(NOW)
    hub.mails(False)
    with pytest.raises(InvalidInput) as error:
        hub.ask(NOW + DAY)
    assert error.value.where == {"field": "at"}


def _noted(hub: Hub, at: int, lang: str = "en") -> str:
    return " ".join(hub.ask(at, lang=lang).notes)


def test_what_was_decided_before_is_told_with_what_it_means_for_the_next_time(hub: Hub) -> None:
    hub.run(unread(2))
    hub.mails(False, False, False, True)
    fired = NOW + MINUTE
    assert _noted(hub, NOW) == ""
    assert f"fired at this very moment and went ahead (dec_{fired})" in _noted(hub, fired)
    holding = hub.ask(fired + MINUTE)
    assert holding.fired is not None and holding.fired.at == fired
    assert "holds still" in " ".join(holding.notes)
    assert "last fired" in _noted(hub, fired + 2 * MINUTE)
    assert "holds still" not in _noted(hub, fired + 2 * MINUTE)
    assert has_chinese(_noted(hub, fired + MINUTE, "zh"))


def test_a_cooldown_is_told(hub: Hub) -> None:
    hub.run({**unread(1), "guards": {"cooldown": "1h"}})
    hub.mails(False, True, False)
    assert "cooling down and does not fire before 2026-05-01 21:00" in _noted(hub, NOW + 2 * MINUTE)


def test_what_held_already_when_the_strategy_started_is_told(hub: Hub) -> None:
    hub.mails(False, False)
    hub.run(unread(2))
    hub.mails(False)
    assert "did not turn true while the strategy ran" in " ".join(hub.ask().notes)


def test_now_and_a_moment_ago_have_the_same_tree(hub: Hub) -> None:
    hub.run(
        {
            **every_login("both"),
            "trigger": _both(),
            "audience": {"kind": "not", "of": {**_vip(), "op": "present", "value": None}},
        }
    )
    hub.live.accept_events(CTX, [login("e1", NOW), {"subject": ME, "property": "tier", "value": "vip", "from": _AT}])
    hub.move(NOW + MINUTE)
    now = hub.ask(name="both")
    assert now.at is not None
    assert hub.ask(now.at, name="both").tree == now.tree
    trigger, audience = now.tree["trigger"], now.tree["audience"]
    assert [node["kind"] for node in trigger["of"]] == ["aggregate", "attribute"]
    assert trigger["of"][0]["evidence"] == ["e1"]
    assert audience["of"][0]["says"].endswith("the condition asks for the opposite.")


_AT = "2026-05-01T11:00:00Z"


def _vip() -> dict[str, Any]:
    return {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}


def _both() -> dict[str, Any]:
    often = {"kind": "aggregate", "event": "app.login", "function": "count", "op": ">=", "value": 2}
    return {"kind": "all", "of": [often, _vip()]}
