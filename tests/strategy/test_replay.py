"""Replay reads as it goes, sets bad lines aside, and gives the firings that live running gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import UnknownName
from core.events import Event
from core.times import DAY, HOUR, MINUTE, SECOND, Micros
from strategy.document import Strategy
from strategy.replay import CHUNK, Fired, Notice, Replay, Summary, record_of
from strategy.stream import GoodLine, Line, input_of
from tests.strategy.livehub import CATALOG, CTX, NOW, LiveHub, every_login, login, mail, silence, unread

DOCUMENTS = [every_login(), unread(2, "two"), unread(3, "three"), silence("3m")]
STRATEGIES = [Strategy.model_validate(document) for document in DOCUMENTS]


def lines(*events: dict[str, object]) -> Iterator[Line]:
    return (GoodLine(n, input_of(event, CATALOG)) for n, event in enumerate(events, 1))


def keys(items: Iterator[Fired | Notice]) -> list[tuple[str, int]]:
    return [(item.firing.key, item.firing.at) for item in items if isinstance(item, Fired)]


def test_firings_come_before_the_whole_file_is_read() -> None:
    read = 0

    def endless() -> Iterator[Line]:
        nonlocal read
        while True:
            read += 1
            yield GoodLine(read, Event(f"e{read}", "app.login", Micros(NOW + read * SECOND), "customer/c1"))

    replay = Replay(CATALOG, [STRATEGIES[0]], lateness=SECOND)
    first = next(replay.run((), endless()))
    assert isinstance(first, Fired)
    assert read == CHUNK


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), lateness=st.sampled_from([0, SECOND, 5 * MINUTE]))
def test_any_order_within_the_lateness_gives_the_same_firings(seed: int, lateness: int) -> None:
    chance = random.Random(seed)
    events = []
    for n in range(40):
        subject, at = f"customer/c{chance.randint(1, 3)}", NOW + n * MINUTE
        events.append(
            login(f"e{n}", at, subject) if chance.random() < 0.3 else mail(f"e{n}", at, chance.random() < 0.2, subject)
        )
    ordered = Replay(CATALOG, STRATEGIES, lateness=lateness, until=Micros(NOW + HOUR))
    shuffled = sorted(events, key=lambda event: NOW + int(event["id"][1:]) * MINUTE + chance.random() * lateness)
    mixed = Replay(CATALOG, STRATEGIES, lateness=lateness, until=Micros(NOW + HOUR))
    assert keys(mixed.run((), lines(*shuffled))) == keys(ordered.run((), lines(*events)))
    assert mixed.summary.late == 0


def test_replay_and_live_running_give_the_same_firings(tmp_path: Path) -> None:
    """spec: O2"""
    chance = random.Random(4)
    events = []
    for n in range(60):
        subject, at = f"customer/c{chance.randint(1, 4)}", NOW + n * MINUTE
        events.append(
            login(f"e{n}", at, subject) if chance.random() < 0.4 else mail(f"e{n}", at, chance.random() < 0.3, subject)
        )
    hub = LiveHub(tmp_path, ManualClock(NOW))
    for document in DOCUMENTS:
        hub.run(document)
    for n, event in enumerate(events):
        hub.live.accept_events(CTX, [event])
        hub.move(NOW + n * MINUTE + 30 * SECOND)
    end = Micros(NOW + 2 * HOUR)
    hub.move(end + SECOND)
    live = hub.fired()
    hub.close()
    replayed = keys(Replay(CATALOG, STRATEGIES, lateness=SECOND, until=end).run((), lines(*events)))
    assert {key.split("@")[0] for key, _ in replayed} == {"login", "two", "three", "silence"}
    assert sorted(live) == sorted(replayed)


def test_a_rehearsal_shows_what_a_strategy_would_have_done_on_the_hubs_own_records(tmp_path: Path) -> None:
    hub = LiveHub(tmp_path, ManualClock(NOW))
    past = [Event(f"e{n}", "app.login", Micros(NOW - (20 - n) * DAY), f"customer/c{n % 3}") for n in range(20)]
    hub.live.load_history(CTX, past)
    hub.live.settle()
    hub.service.draft(CTX, document=every_login())
    seen = hub.service.rehearse(CTX, "login")
    assert (seen.firings, seen.subjects, seen.last_week, seen.ended) == (20, 3, 6, NOW)
    assert seen.newest[0].firing.at == NOW - DAY
    assert hub.fired() == []
    hub.close()


def test_firings_before_a_moment_are_counted_and_not_shown_and_what_made_them_still_counts() -> None:
    mails = [mail(f"m{n}", NOW + n * MINUTE, False) for n in range(3)]
    logins = [login("l1", NOW + MINUTE), login("l2", NOW + 2 * MINUTE)]
    events = sorted([*mails, *logins], key=lambda event: str(event["time"]))
    capped = Strategy.model_validate(every_login(guards={"cap": {"times": 1, "per": "1h"}}))
    since = Micros(NOW + 2 * MINUTE)
    whole = Replay(CATALOG, [capped, STRATEGIES[2]], lateness=0)
    later = Replay(CATALOG, [capped, STRATEGIES[2]], lateness=0, since=since)
    expected = [key for key in keys(whole.run((), lines(*events))) if key[1] >= since]
    assert keys(later.run((), lines(*events))) == expected
    assert [key.split("@")[0] for key, _ in expected] == ["three"]
    assert (later.summary.firings, later.summary.before_since, later.summary.dropped) == (1, 1, 1)


def test_a_limit_ends_reading_after_so_many_lines_of_events() -> None:
    events = iter(lines(*(login(f"e{n}", NOW + n * MINUTE) for n in range(5))))
    replay = Replay(CATALOG, [STRATEGIES[0]], lateness=0, limit=3)
    assert len(keys(replay.run((), events))) == 3
    assert len(list(events)) == 2


def test_who_watches_sees_the_counts_between_chunks_and_may_end_the_run() -> None:
    seen: list[int] = []

    def watch(summary: Summary) -> None:
        seen.append(summary.events)
        if len(seen) == 2:
            raise InterruptedError

    events = lines(*(login(f"e{n}", NOW + n * SECOND) for n in range(3 * CHUNK)))
    with pytest.raises(InterruptedError):
        list(Replay(CATALOG, [STRATEGIES[0]], lateness=0, watch=watch).run((), events))
    assert seen == [CHUNK, 2 * CHUNK]


def test_one_absurd_time_does_not_make_the_rest_late() -> None:
    events = lines(login("e1", NOW), login("e2", NOW + 20 * 365 * DAY), login("e3", NOW + MINUTE))
    replay = Replay(CATALOG, [STRATEGIES[0]], lateness=0, clock=ManualClock(NOW))
    items = list(replay.run((), events))
    assert [item.firing.at for item in items if isinstance(item, Fired)] == [NOW, NOW + MINUTE]
    (bad,) = [item for item in items if isinstance(item, Notice)]
    assert bad.error is not None
    assert bad.error.where == {"line": 2, "field": "time"}
    assert replay.summary.bad == 1


def test_an_old_first_event_does_not_make_todays_absurd() -> None:
    events = lines(login("e1", NOW - 20 * 365 * DAY), login("e2", NOW), login("e3", NOW + DAY))
    replay = Replay(CATALOG, [STRATEGIES[0]], lateness=0, clock=ManualClock(NOW))
    assert len(keys(replay.run((), events))) == 3


def test_a_strategy_that_does_not_fit_the_catalog_is_refused_before_reading() -> None:
    wrong = Strategy.model_validate(every_login(trigger={"kind": "event", "event": "app.logn"}))
    with pytest.raises(UnknownName) as error:
        Replay(CATALOG, [wrong], lateness=0)
    assert "app.login" in error.value.nearest


def test_a_record_has_what_the_json_line_promises() -> None:
    (fired,) = Replay(CATALOG, [STRATEGIES[0]], lateness=0).run((), lines(login("e1", NOW)))
    assert isinstance(fired, Fired)
    record = record_of(fired, CATALOG, "zh")
    assert list(record) == ["strategy", "subject", "at", "actions", "why"]
    assert record["at"] == "2026-05-01T12:00:00Z"
    assert record["actions"] == ["outbound_call"]
    assert any("登录" in why for why in record["why"])
