"""A restart, graceful or by a crash, changes nothing: what was acknowledged is kept, and each firing is decided once,
as in a run without interruption. Crashes by kill -9 are in test_kill.py."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from core.times import HOUR, MINUTE, SECOND
from strategy.repository import JournalRepository
from strategy.runner import TenantRunner
from tests.strategy.livehub import CTX, NOW, LiveHub, every_login, login, mail, silence, unread

Batch = list[dict[str, Any]]


def stream(seed: int, batches: int, start: int = NOW) -> list[Batch]:
    """Batches of logins and mails of five customers, a minute apart, each up to a second out of order."""
    chance = random.Random(seed)
    found: list[Batch] = []
    for n in range(batches):
        batch = []
        for k in range(chance.randint(1, 4)):
            at = start + n * MINUTE - chance.randint(0, SECOND // 2)
            subject, key = f"customer/c{chance.randint(1, 5)}", f"e{n}-{k}"
            batch.append(
                login(key, at, subject) if chance.random() < 0.4 else mail(key, at, chance.random() < 0.3, subject)
            )
        found.append(batch)
    return found


def strategies(hub: LiveHub) -> None:
    for document in (every_login(), unread(2, "two"), unread(3, "three"), silence("3m")):
        hub.run(document)


def play(hub: LiveHub, batches: list[Batch], first: int = 0) -> None:
    for n, batch in enumerate(batches, first):
        hub.live.accept_events(CTX, batch)
        hub.move(NOW + n * MINUTE + 2 * SECOND)


@contextmanager
def hub_in(folder: Path, **options: Any) -> Iterator[LiveHub]:
    hub = LiveHub(folder, **options)
    try:
        yield hub
    finally:
        hub.close()


def uninterrupted(folder: Path, batches: list[Batch]) -> list[tuple[str, int]]:
    folder.mkdir()
    with hub_in(folder) as hub:
        strategies(hub)
        play(hub, batches)
        return hub.fired()


@pytest.mark.parametrize("snapshot_every", [7, 20_000])
def test_a_crash_at_any_moment_changes_no_firing(tmp_path: Path, snapshot_every: int) -> None:
    batches = stream(seed=11, batches=24)
    wanted = uninterrupted(tmp_path / "whole", batches)
    assert {key.split("@")[0] for key, _ in wanted} == {"login", "two", "three", "silence"}
    (tmp_path / "cut").mkdir()
    clock = ManualClock(NOW)
    cuts = [0, 1, 5, 6, 13, 22, 24]
    with hub_in(tmp_path / "cut", clock=clock) as hub:
        strategies(hub)
    for since, until in pairwise(cuts):
        with hub_in(tmp_path / "cut", clock=clock, snapshot_every=snapshot_every) as hub:  # nobody calls stop: a crash
            play(hub, batches[since:until], since)
            fired = hub.fired()
    assert fired == wanted


def test_a_crash_between_acknowledging_and_applying_loses_nothing(tmp_path: Path) -> None:
    with hub_in(tmp_path) as hub:
        hub.run(every_login())
        hub.live.accept_events(CTX, [login("e1", NOW)])
    with hub_in(tmp_path) as hub:
        hub.move(NOW + MINUTE)
        assert [at for _, at in hub.fired()] == [NOW]


def test_a_crash_while_deciding_decides_once(tmp_path: Path) -> None:
    with hub_in(tmp_path) as hub:
        hub.run(every_login())
        hub.live.accept_events(CTX, [login("e1", NOW), login("e2", NOW + 1)])
        hub.decider.fail = 1
        with pytest.raises(RuntimeError):
            hub.move(NOW + MINUTE)
    with hub_in(tmp_path) as hub:
        hub.move(NOW + MINUTE)
        assert [at for _, at in hub.fired()] == [NOW, NOW + 1]
    with hub_in(tmp_path) as hub:
        hub.move(NOW + HOUR)
        assert len(hub.fired()) == 2


def test_a_timer_that_came_due_while_the_hub_was_down_fires_at_its_own_moment(tmp_path: Path) -> None:
    with hub_in(tmp_path) as hub:
        hub.run(silence("15m"))
        hub.live.accept_events(CTX, [login("e1", NOW)])
        hub.live.settle()
        hub.live.stop()
    with hub_in(tmp_path) as hub:
        hub.move(NOW + 5 * HOUR)
        assert [at for _, at in hub.fired()] == [NOW + 15 * MINUTE]


def test_after_a_graceful_stop_nothing_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub_in(tmp_path) as hub:
        strategies(hub)
        play(hub, stream(seed=3, batches=5))
        before = hub.fired()
        hub.live.stop()
    applied: list[str] = []
    apply = TenantRunner._apply
    monkeypatch.setattr(
        TenantRunner, "_apply", lambda self, rows: (applied.extend(row.kind for row in rows), apply(self, rows))[1]
    )
    with hub_in(tmp_path) as hub:
        hub.live.step()
        assert applied == []
        assert hub.live.stats()[CTX.tenant].deployed == {"login": 1, "two": 1, "three": 1, "silence": 1}
        assert hub.fired() == before


def test_a_snapshot_of_another_catalog_is_rebuilt_from_the_journal(tmp_path: Path) -> None:
    batches = stream(seed=5, batches=10)
    wanted = uninterrupted(tmp_path / "whole", batches)
    (tmp_path / "cut").mkdir()
    with hub_in(tmp_path / "cut") as hub:
        strategies(hub)
        play(hub, batches[:6])
        hub.live.stop()
        changed = hub.catalog.model_copy(update={"timezone": "UTC"})
    with hub_in(tmp_path / "cut", clock=ManualClock(NOW + 5 * MINUTE), catalog=changed) as hub:
        play(hub, batches[6:], 6)
        assert hub.fired() == wanted


def test_a_snapshot_that_cannot_be_read_is_rebuilt_from_the_journal(tmp_path: Path) -> None:
    batches = stream(seed=6, batches=10)
    wanted = uninterrupted(tmp_path / "whole", batches)
    (tmp_path / "cut").mkdir()
    with hub_in(tmp_path / "cut") as hub:
        strategies(hub)
        play(hub, batches[:6])
        hub.live.stop()
        with hub.db.transaction() as session:
            row = JournalRepository(session, CTX.tenant).snapshot()
            assert row is not None
            row.body = row.body[: len(row.body) // 2]
    with hub_in(tmp_path / "cut", clock=ManualClock(NOW + 5 * MINUTE)) as hub:
        play(hub, batches[6:], 6)
        assert hub.fired() == wanted
