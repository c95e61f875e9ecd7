"""The live engine: acknowledged inputs become firings, each decided once; event time also moves with the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.clock import SystemClock
from core.context import RequestContext
from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.events import Event, Fact, Input
from core.ids import TenantId
from core.text import Text
from core.times import DAY, MINUTE, SECOND, Micros, format_time
from strategy.engine.port import Outcome, Truth
from strategy.engine.python import PythonEngine
from strategy.repository import JournalRepository
from strategy.tables import Kind
from strategy.whynot import Asked
from tests.strategy.livehub import CTX, NOW, LiveHub, every_login, login, mail, silence, unread

OTHER = RequestContext(TenantId("other"), CTX.actor, CTX.role, CTX.purpose)
Make = Callable[..., LiveHub]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[LiveHub] = []

    def build(**options: Any) -> LiveHub:
        made.append(LiveHub(tmp_path, **options))
        return made[-1]

    yield build
    for hub in made:
        hub.close()


def kinds(hub: LiveHub) -> list[str]:
    with hub.db.reading() as session:
        return [row.kind for row in JournalRepository(session, CTX.tenant).after(0, 10_000)]


def test_an_event_fires_once_the_clock_has_passed_it_by_the_lateness(make: Make) -> None:
    hub = make()
    hub.run(every_login(), percent=40)
    hub.live.accept_events(CTX, [login("e1", NOW)])
    hub.live.settle()
    assert hub.fired() == []
    hub.move(NOW + SECOND)
    assert [at for _, at in hub.fired()] == [NOW]


def test_the_decider_sees_the_share_the_strategy_was_approved_for(make: Make) -> None:
    hub = make()
    hub.run(every_login(rollout={"percent": 5}), percent=40)
    seen: list[float] = []
    hub.decider.decide = lambda session, ctx, firing, strategy: seen.append(strategy.rollout.percent)  # type: ignore[method-assign]  # a spy
    hub.live.accept_events(CTX, [login("e1", NOW)])
    hub.move(NOW + SECOND)
    hub.service.approve(CTX, "login", 1, percent=60)
    hub.live.accept_events(CTX, [login("e2", NOW + SECOND)])
    hub.move(NOW + 3 * SECOND)
    assert seen == [40.0, 60.0]


def test_a_timer_fires_without_traffic_at_its_own_moment(make: Make) -> None:
    hub = make()
    hub.run(silence("15m"))
    hub.live.accept_events(CTX, [login("e1", NOW)])
    hub.move(NOW + 15 * MINUTE)
    assert hub.fired() == []
    hub.move(NOW + 15 * MINUTE + SECOND)
    assert [at for _, at in hub.fired()] == [NOW + 15 * MINUTE]


def test_time_is_journalled_only_when_something_waits_for_it(make: Make) -> None:
    hub = make()
    hub.run(silence("15m"))
    hub.live.accept_events(CTX, [login("e1", NOW)])
    hub.move(NOW + SECOND)
    for minute in range(1, 15):
        hub.move(NOW + minute * MINUTE)
    before = kinds(hub).count(Kind.TICK)
    assert before <= 1
    hub.move(NOW + 16 * MINUTE)
    assert kinds(hub).count(Kind.TICK) == before + 1
    hub.move(NOW + DAY)
    assert kinds(hub).count(Kind.TICK) == before + 1


def test_a_fact_fires_a_strategy_as_an_event_does(make: Make) -> None:
    hub = make()
    trigger = {"kind": "attribute", "name": "dwell", "op": "<", "value": 15}
    hub.run({"name": "short", "trigger": trigger, "actions": [{"action": "outbound_call"}]})
    fact = {"subject": "customer/c1", "property": "dwell", "value": 9, "from": format_time(NOW)}
    assert hub.live.accept_events(CTX, [fact]).accepted == 1
    hub.move(NOW + 2 * SECOND)
    assert [at for _, at in hub.fired()] == [NOW]


def test_a_new_strategy_knows_what_happened_before_it(make: Make) -> None:
    hub = make()
    hub.live.accept_events(CTX, [mail(f"m{n}", NOW + n * MINUTE, False) for n in range(2)])
    hub.move(NOW + 5 * MINUTE)
    hub.run(unread(3))
    assert hub.fired() == []
    hub.live.accept_events(CTX, [mail("m2", NOW + 5 * MINUTE, False)])
    hub.move(NOW + 6 * MINUTE)
    assert [at for _, at in hub.fired()] == [NOW + 5 * MINUTE]


def test_history_counts_and_never_fires(make: Make) -> None:
    hub = make()
    hub.run(unread(2, "two"))
    hub.run(unread(3, "three"))
    past = [
        Event(f"m{n}", "email.marketing", Micros(NOW - (9 - n) * DAY), "customer/c1", {"opened": False})
        for n in range(2)
    ]
    assert hub.live.load_history(CTX, reversed(past)).accepted == 2
    hub.live.settle()
    hub.move(NOW + MINUTE)
    assert hub.fired() == []
    hub.live.accept_events(CTX, [mail("m9", NOW + MINUTE, False)])
    hub.move(NOW + 2 * MINUTE)
    assert [key.split("@")[0] for key, _ in hub.fired()] == ["three"]


def test_history_that_comes_in_parts_to_an_engine_that_runs_is_not_late(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strategy.live._CHUNK", 1)
    hub: LiveHub
    hub = make(sinks=[lambda ctx, inputs: hub.live.settle()])
    hub.run(unread(2))
    past = [Event(f"m{n}", "email.marketing", Micros(NOW - (9 - n) * DAY), "customer/c1", {}) for n in range(3)]
    receipt = hub.live.load_history(CTX, past)
    assert (receipt.accepted, receipt.late) == (3, 0)


def test_a_paused_strategy_is_silent_and_resumes_with_its_state_but_without_what_it_missed(make: Make) -> None:
    hub = make()
    hub.run(every_login())
    hub.service.pause(CTX, "login")
    hub.live.accept_events(CTX, [login("e1", NOW)])
    hub.move(NOW + MINUTE)
    hub.service.resume(CTX, "login")
    hub.live.settle()
    assert hub.fired() == []
    hub.live.accept_events(CTX, [login("e2", NOW + MINUTE)])
    hub.move(NOW + 2 * MINUTE)
    assert [at for _, at in hub.fired()] == [NOW + MINUTE]


def test_an_approved_edit_replaces_the_version_that_ran(make: Make) -> None:
    hub = make()
    hub.run(every_login())
    hub.service.edit(CTX, "login", document=unread(1))
    hub.service.approve(CTX, "login", 2, percent=100)
    hub.live.settle()
    assert hub.live.stats()[CTX.tenant].deployed == {"login": 2}
    hub.live.accept_events(CTX, [login("e1", NOW), mail("m1", NOW + 1, False)])
    hub.move(NOW + MINUTE)
    assert [key.split("/")[0] for key, _ in hub.fired()] == ["login@2"]


def test_a_decision_that_fails_is_made_again_once(make: Make) -> None:
    hub = make()
    hub.run(every_login())
    hub.live.accept_events(CTX, [login("e1", NOW), login("e2", NOW + 1)])
    hub.decider.fail = 1
    with pytest.raises(RuntimeError):
        hub.move(NOW + MINUTE)
    assert hub.fired() == []
    hub.live.settle()
    assert [at for _, at in hub.fired()] == [NOW, NOW + 1]


def test_a_firing_that_can_never_be_decided_is_set_aside_and_holds_up_no_other(make: Make) -> None:
    hub = make()
    hub.run(every_login())
    hub.decider.poison = "customer/bad"
    hub.live.accept_events(CTX, [login("e1", NOW, "customer/bad"), login("e2", NOW + 1, "customer/good")])
    for _ in range(3):
        with pytest.raises(RuntimeError):
            hub.move(NOW + MINUTE)
    hub.live.settle()
    assert [key.split("/")[2] for key, _ in hub.fired()] == ["good"]
    (aside,) = hub.live.aside(CTX, reason="undecided")
    assert "customer/bad" in aside.raw


def test_a_batch_that_takes_long_does_not_make_its_own_events_late(make: Make) -> None:
    hub = make()
    hub.run(every_login())

    def slowly() -> Iterator[dict[str, Any]]:
        for number in range(12_000):
            if number % 4_000 == 0:
                hub.move(hub.clock.now() + MINUTE)
            yield login(f"e{number}", NOW - number % 7)

    receipt = hub.live.accept_events(CTX, slowly())
    assert (receipt.accepted, receipt.late) == (12_000, 0)


def test_the_order_of_lines_in_a_batch_of_any_length_does_not_matter(make: Make) -> None:
    hub = make(lateness=0)
    batch = [login(f"e{number}", NOW - number * SECOND) for number in range(6_000)]
    receipt = hub.live.accept_events(CTX, [*batch, {"bad": 1}])
    assert (receipt.accepted, receipt.late) == (6_000, 0)
    assert [bad.line for bad in receipt.rejected] == [6_001]


def test_tenants_have_engines_of_their_own(make: Make) -> None:
    hub = make()
    hub.run(every_login())
    hub.run(every_login(), ctx=OTHER)
    hub.live.accept_events(OTHER, [login("e1", NOW)])
    hub.move(NOW + MINUTE)
    assert hub.fired() == []
    assert len(hub.fired(OTHER)) == 1


def test_sinks_hear_every_accepted_input_in_order_and_again_when_they_fail(make: Make) -> None:
    heard: list[str] = []
    broken = [False]

    def sink(ctx: RequestContext, inputs: Sequence[Input]) -> None:
        if broken[0]:
            raise RuntimeError("the graph is away")
        heard.extend(found.id if isinstance(found, Event) else "fact" for found in inputs)

    hub = make(sinks=[sink])
    hub.run(every_login())
    fact = {"subject": "customer/c1", "property": "tier", "value": "vip", "from": format_time(NOW)}
    hub.live.accept_events(CTX, [login("e1", NOW), fact, {"bad": 1}])
    assert heard == ["fact", "e1"]
    broken[0] = True
    assert hub.live.accept_events(CTX, [login("e2", NOW + 1)]).accepted == 1
    broken[0] = False
    hub.live.accept_events(CTX, [login("e3", NOW + 2)])
    assert heard == ["fact", "e1", "e2", "e3"]
    hub.live.stop()
    make(sinks=[sink]).live.step()
    assert heard == ["fact", "e1", "e2", "e3"]


def test_a_sink_that_failed_is_told_again_without_new_inputs(make: Make) -> None:
    heard: list[int] = []
    broken = [True]

    def sink(ctx: RequestContext, inputs: Sequence[Input]) -> None:
        if broken[0]:
            raise RuntimeError("the graph is away")
        heard.append(len(inputs))

    hub = make(sinks=[sink])
    hub.live.accept_events(CTX, [login("e1", NOW)])
    broken[0] = False
    hub.live.sinks.keep_up(NOW)
    hub.live.sinks.keep_up(Micros(NOW + MINUTE))
    assert heard == [1]
    assert hub.live.sinks.errors > 0


def test_an_input_that_a_sink_can_never_take_does_not_keep_the_others_from_it(make: Make) -> None:
    heard: list[str] = []

    def sink(ctx: RequestContext, inputs: Sequence[Input]) -> None:
        keys = [found.id for found in inputs if isinstance(found, Event)]
        if "bad" in keys:
            raise InvalidInput(Text("坏", "bad"))
        heard.extend(keys)

    hub = make(sinks=[sink])
    hub.live.accept_events(CTX, [login("e1", NOW), login("bad", NOW + 1), login("e2", NOW + 2)])
    hub.live.accept_events(CTX, [login("e3", NOW + 3)])
    assert heard == ["e1", "e2", "e3"]
    (aside,) = hub.live.aside(CTX, reason="not_kept")
    assert '"bad"' in aside.raw


def test_an_engine_that_breaks_on_one_input_goes_on_with_the_others_also_after_a_restart(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = PythonEngine.ingest

    def breaks(self: PythonEngine, inputs: Sequence[Input]) -> Outcome:
        if any(isinstance(found, Event) and found.id == "bad" for found in inputs):
            raise OverflowError("date value out of range")
        return ingest(self, inputs)

    monkeypatch.setattr(PythonEngine, "ingest", breaks)
    hub = make()
    hub.run(every_login())
    hub.live.accept_events(CTX, [login("e1", NOW), login("bad", NOW + 1), login("e2", NOW + 2)])
    hub.move(NOW + MINUTE)
    assert [at for _, at in hub.fired()] == [NOW, NOW + 2]
    (aside,) = hub.live.aside(CTX, reason="undecided")
    assert "bad" in aside.raw
    again = make()
    again.live.accept_events(CTX, [login("e3", NOW + MINUTE)])
    again.move(NOW + 2 * MINUTE)
    assert [at for _, at in again.fired()] == [NOW, NOW + 2, NOW + MINUTE]


def test_why_not_shows_how_a_strategy_stands_for_a_subject(make: Make) -> None:
    hub = make()
    hub.run(unread(3))
    hub.live.accept_events(CTX, [mail("m1", NOW, False)])
    hub.move(NOW + MINUTE)
    seen = hub.live.why_not(CTX, Asked("unread", "customer/c1"))
    assert seen.truth is Truth.FALSE
    assert any("1" in line for line in seen.trigger)
    assert seen.version == 1


def test_why_not_of_what_does_not_run_says_so(make: Make) -> None:
    hub = make()
    hub.service.draft(CTX, document=unread(3))
    with pytest.raises(Conflict, match="draft"):
        hub.live.why_not(CTX, Asked("unread", "customer/c1"))
    with pytest.raises(NotFound) as error:
        hub.live.why_not(CTX, Asked("unraed", "customer/c1"))
    assert error.value.nearest == ["unread"]


def test_a_new_catalog_rebuilds_the_engine_and_decides_nothing_twice(make: Make) -> None:
    hub = make()
    hub.run(every_login())
    hub.run(unread(2))
    hub.live.accept_events(CTX, [login("e1", NOW), mail("m1", NOW + 1, False)])
    hub.move(NOW + MINUTE)
    events = {k: v for k, v in hub.catalog.events.items() if k != "app.login"}
    hub.catalog = hub.catalog.model_copy(update={"events": events})
    hub.live.catalog_changed(CTX)
    hub.live.settle()
    assert hub.live.stats()[CTX.tenant].undeployable == {"login": 1}
    hub.live.accept_events(CTX, [mail("m2", NOW + MINUTE, False)])
    hub.move(NOW + 2 * MINUTE)
    assert [at for _, at in hub.fired()] == [NOW, NOW + MINUTE]


def test_the_worker_takes_from_many_senders_and_stops_only_when_all_is_decided(make: Make) -> None:
    hub = make(clock=SystemClock(), lateness=10 * SECOND)
    hub.live.start()
    hub.run(every_login())
    start = hub.clock.now()

    def send(sender: int) -> None:
        for n in range(20):
            hub.live.accept_events(CTX, [login(f"{sender}-{n}", start, f"customer/{sender}-{n}")])

    senders = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    hub.live.accept_events(CTX, [login("last", start + 11 * SECOND, "customer/last")])
    hub.live.settle()
    hub.live.stop()
    keys = [key for key, _ in hub.fired()]
    assert len(set(keys)) == len(keys) == 80
    assert hub.live.counters.errors == 0
    with pytest.raises(Unavailable):
        hub.live.accept_events(CTX, [login("after", start + DAY)])


def test_facts_reach_a_sink_as_facts(make: Make) -> None:
    heard: list[Input] = []
    hub = make(sinks=[lambda ctx, inputs: heard.extend(inputs)])
    hub.live.load_history(CTX, [Fact("customer/c1", "tier", "vip", Micros(NOW - DAY))])
    assert heard == [Fact("customer/c1", "tier", "vip", Micros(NOW - DAY))]
