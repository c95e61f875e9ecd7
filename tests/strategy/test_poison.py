"""An input on which an engine breaks never stops the stream: it is set aside, and everything else is as if it had never
come, whenever the engine gets to it, now and after a restart."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from core.events import Event, Input
from core.times import HOUR, MINUTE, SECOND, Micros
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.port import Deployed, EngineBackend, EngineFactory, Observation, Outcome
from tests.backends import BACKENDS
from tests.strategy.livehub import CTX, NOW, LiveHub, every_login, login, mail, silence, unread


class Brittle:
    """An engine that takes bad events in and breaks when it gets to them, losing what the same call led to."""

    def __init__(self, inner: EngineBackend) -> None:
        self.inner = inner
        self._bad: list[int] = []

    @property
    def watermark(self) -> Micros | None:
        return self.inner.watermark

    def deploy(self, strategy: Strategy, version: int, history: Iterable[Input] = ()) -> Deployed:
        past = list(history)
        if any(isinstance(item, Event) and item.id.startswith("bad") for item in past):
            raise OverflowError("date value out of range")
        return self.inner.deploy(strategy, version, past)

    def retire(self, name: str) -> None:
        self.inner.retire(name)

    def ingest(self, inputs: Sequence[Input]) -> Outcome:
        self._bad += [found.time for found in inputs if isinstance(found, Event) and found.id.startswith("bad")]
        return self._unless_bad(self.inner.ingest(inputs))

    def advance(self, to: Micros) -> Outcome:
        return self._unless_bad(self.inner.advance(to))

    def _unless_bad(self, outcome: Outcome) -> Outcome:
        due = self.inner.next_due()
        reached = [time for time in self._bad if due is None or time < due]
        self._bad = [time for time in self._bad if time not in reached]
        if reached:
            raise OverflowError("date value out of range")
        return outcome

    def next_due(self) -> Micros | None:
        return self.inner.next_due()

    def look(self, name: str, subject: str) -> tuple[Observation, Observation | None]:
        return self.inner.look(name, subject)

    def snapshot(self) -> bytes:
        return json.dumps(self._bad).encode() + b"\n" + self.inner.snapshot()

    def restore(self, snapshot: bytes) -> None:
        bad, _, body = snapshot.partition(b"\n")
        self._bad = json.loads(bad)
        self.inner.restore(body)


@pytest.fixture(params=BACKENDS)
def brittle(request: pytest.FixtureRequest) -> EngineFactory:
    make = BACKENDS[request.param]

    def backend(catalog: Catalog, lateness: int) -> EngineBackend:
        return Brittle(make(catalog, lateness))

    return backend


def bad_ones(hub: LiveHub) -> list[str]:
    return sorted(json.loads(row.raw)["id"] for row in hub.live.aside(CTX, reason="undecided"))


def test_what_fired_before_and_after_the_bad_one_fires(tmp_path: Path, brittle: EngineFactory) -> None:
    hub = LiveHub(tmp_path, backend=brittle)
    hub.run(every_login())
    times = [NOW, NOW + 1, NOW + 2, NOW + 10 * SECOND]
    batch = [login(key, at) for key, at in zip(["e1", "bad", "e2", "e3"], times, strict=True)]
    hub.live.accept_events(CTX, batch)
    hub.live.settle()
    assert [at for _, at in hub.fired()] == [NOW, NOW + 2]
    assert bad_ones(hub) == ["bad"]
    assert not hub.live.aside(CTX, reason="duplicate")
    hub.move(NOW + MINUTE)
    assert [at for _, at in hub.fired()] == [NOW, NOW + 2, NOW + 10 * SECOND]
    hub.close()


def test_of_inputs_of_one_instant_only_the_bad_ones_are_left_out(tmp_path: Path, brittle: EngineFactory) -> None:
    hub = LiveHub(tmp_path, backend=brittle)
    hub.run(every_login())
    good = [login(f"e{n}", NOW, f"customer/c{n}") for n in range(9)]
    hub.live.accept_events(CTX, [*good[:4], login("bad1", NOW), *good[4:], login("bad2", NOW, "customer/c2")])
    hub.move(NOW + MINUTE)
    assert len(hub.fired()) == 9
    assert bad_ones(hub) == ["bad1", "bad2"]
    hub.close()


@pytest.mark.parametrize("restarts", [False, True])
def test_a_strategy_that_comes_later_does_not_read_the_bad_one(
    tmp_path: Path, brittle: EngineFactory, restarts: bool
) -> None:
    hub = LiveHub(tmp_path, backend=brittle, snapshot_every=1)
    hub.run(every_login())
    hub.live.accept_events(CTX, [login("e1", NOW), login("bad", NOW + 1), login("e2", NOW + 2)])
    hub.move(NOW + MINUTE)
    if restarts:
        hub.close()
        hub = LiveHub(tmp_path, hub.clock, backend=brittle)
    counted = {"kind": "aggregate", "event": "app.login", "function": "count", "window": {"over": "1h"}}
    thrice = {
        "name": "thrice",
        "trigger": {**counted, "op": ">=", "value": 3},
        "actions": [{"action": "outbound_call"}],
    }
    hub.run(thrice)
    hub.live.accept_events(CTX, [login("e3", NOW + 2 * MINUTE)])
    hub.move(NOW + 3 * MINUTE)
    assert [at for key, at in hub.fired() if key.startswith("thrice")] == [NOW + 2 * MINUTE]
    hub.close()


def stream(seed: int) -> list[list[dict[str, Any]]]:
    """Batches a minute apart, with ties; in some of them bad events."""
    chance = random.Random(seed)
    found: list[list[dict[str, Any]]] = []
    for n in range(14):
        batch = []
        for k in range(chance.randint(1, 4)):
            at = NOW + n * MINUTE - chance.choice([0, 0, SECOND // 4, SECOND // 2])
            key = f"bad{n}-{k}" if chance.random() < 0.15 else f"e{n}-{k}"
            subject = f"customer/c{chance.randint(1, 3)}"
            batch.append(login(key, at, subject) if chance.random() < 0.5 else mail(key, at, False, subject))
        found.append(batch)
    return found


def play(folder: Path, batches: Sequence[list[dict[str, Any]]], cuts: Sequence[int], **options: Any) -> LiveHub:
    """The batches, with a crash at each cut."""
    folder.mkdir()
    clock = ManualClock(NOW)
    hub = LiveHub(folder, clock, **options)
    for document in (every_login(), unread(2, "two"), silence("3m")):
        hub.run(document)
    for n, batch in enumerate(batches):
        if n in cuts:
            hub.close()
            hub = LiveHub(folder, clock, **options)
        hub.live.accept_events(CTX, batch)
        hub.move(NOW + n * MINUTE + 2 * SECOND)
    hub.move(NOW + HOUR)
    return hub


@pytest.mark.parametrize("seed", range(3))
def test_all_else_is_as_if_the_bad_ones_had_never_come(tmp_path: Path, seed: int, brittle: EngineFactory) -> None:
    batches = stream(seed)
    clean = [[item for item in batch if not item["id"].startswith("bad")] for batch in batches]
    whole = play(tmp_path / "clean", clean, [])
    hub = play(tmp_path / "bad", batches, [4, 9], backend=brittle, snapshot_every=11)
    assert hub.fired() == whole.fired()
    assert bad_ones(hub) == sorted(i["id"] for batch in batches for i in batch if i["id"].startswith("bad"))
    whole.close()
    hub.close()
