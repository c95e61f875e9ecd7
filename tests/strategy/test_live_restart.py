"""A restart, graceful or by kill -9, changes nothing: what was acknowledged is kept, and each firing is decided once,
as in a run without interruption."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock, SystemClock
from core.times import HOUR, MINUTE, SECOND
from strategy.repository import JournalRepository
from strategy.runner import TenantRunner
from tests.strategy.livehub import CTX, NOW, LiveHub, every_login, login, mail, silence, unread

ROOT = Path(__file__).parents[2]
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


class Child:
    """The hub in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.strategy.live_child", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, batch: Batch) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(batch) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        found: dict[str, int] = json.loads(self._process.stdout.readline())
        return found

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self.close()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=20)


def journalled(hub: LiveHub) -> list[str]:
    with hub.db.reading() as session:
        rows = JournalRepository(session, CTX.tenant).after(0, 10_000)
    return [row.id for row in rows if row.id is not None]


def test_kill_9_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    """spec: O2"""
    start = SystemClock().now() - HOUR
    batches = [*stream(seed=7, batches=45, start=start), [login("end", start + 2 * HOUR, "customer/end")]]
    wanted = sorted(_whole(tmp_path / "whole", batches))
    folder = tmp_path / "killed"
    folder.mkdir()
    with hub_in(folder, clock=SystemClock(), lateness=10 * MINUTE) as hub:
        strategies(hub)
        done = 0
        for stop_at in (9, 24, 37):
            child = Child(folder)
            while done < stop_at:
                child.send(batches[done])
                child.answer()
                done += 1
            child.send(batches[done])  # in flight when the process dies; sent again below
            child.kill()
            acknowledged = [event["id"] for batch in batches[:done] for event in batch]
            assert set(acknowledged) <= set(journalled(hub))
        child = Child(folder)
        for batch in batches[done:]:
            child.send(batch)
            assert child.answer()["taken"] == len(batch)
        child.send([])
        child.answer()
        child.close()
        found = journalled(hub)
        assert sorted(found) == sorted(event["id"] for batch in batches for event in batch)
        assert sorted(hub.fired()) == wanted


def _whole(folder: Path, batches: list[Batch]) -> list[tuple[str, int]]:
    folder.mkdir()
    with hub_in(folder, clock=SystemClock(), lateness=10 * MINUTE) as hub:
        strategies(hub)
        for batch in batches:
            hub.live.accept_events(CTX, batch)
            hub.live.settle()
        return hub.fired()
