"""Kill -9 at random moments: a hub on a real folder takes batches from several senders and dies again and again. At the
end its firings are the oracle's, each decided once, and everything acknowledged is in its journal.

Run: python -m tests.strategy.kill_campaign [--rounds 20] [--seed 1] [--backend python]
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.clock import SystemClock
from core.times import HOUR, MINUTE, SECOND, format_time
from strategy.document import Strategy
from strategy.repository import JournalRepository
from strategy.stream import input_of
from tests.backends import BACKENDS
from tests.strategy.engine.oracle import Fired, Oracle
from tests.strategy.live_child import LATENESS, SENDERS
from tests.strategy.livehub import CATALOG, CTX, LiveHub, every_login, login, mail, silence, unread

ROOT = Path(__file__).parents[2]
Batch = list[dict[str, Any]]
BATCHES = 20
IN_FLIGHT = 2 * SENDERS
"""Batches a minute apart that may overtake one another: fewer than the lateness has room for."""


class Child:
    """The hub in a process of its own; what it says is read as it comes."""

    def __init__(self, folder: Path, backend: str, snapshot_every: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.strategy.live_child", str(folder), backend, str(snapshot_every)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    def send(self, n: int, batch: Batch) -> None:
        self._stdin.write(json.dumps({"n": n, "batch": batch}) + "\n")
        self._stdin.flush()

    def answer(self) -> dict[str, Any] | None:
        """What it says next; None: it is dead."""
        line = self._stdout.readline()
        found: dict[str, Any] | None = json.loads(line) if line.endswith("\n") else None
        return found

    def kill_in(self, seconds: float) -> threading.Timer:
        """Kill it after a while, or at once."""
        timer = threading.Timer(seconds, self._process.send_signal, [signal.SIGKILL])
        timer.start()
        return timer

    def close(self) -> None:
        self._stdin.close()
        self._stdout.close()
        self._process.wait(timeout=60)


@dataclass
class Round:
    """One world: strategies, batches, and what became of them."""

    seed: int
    backend: str = "python"
    acknowledged: set[int] = field(default_factory=set)
    kills: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.strategies = documents(self.chance)
        self.batches = stream(self.chance, SystemClock().now() - HOUR)
        self.snapshot_every = self.chance.choice([7, 40, 20_000])

    def play(self, folder: Path, kills: int) -> list[str]:
        """What is wrong at the end, if anything."""
        hub = LiveHub(folder, SystemClock(), lateness=LATENESS, backend=BACKENDS[self.backend])
        try:
            for document in self.strategies:
                hub.run(document)
            hub.live.stop()
            for _ in range(kills):
                self._run(folder, self.chance.choice([0.0, 0.05, 0.2, 0.5]))
                lost = self._expected(self.acknowledged) - set(_journalled(hub))
                if lost:
                    return [f"acknowledged, but not in the journal: {sorted(lost)}"]
            self._run(folder, None)
            return self._judge(hub)
        finally:
            hub.close()

    def _run(self, folder: Path, kill_after: float | None) -> None:
        """A hub that lives until it has everything, or until it is killed some time after a random acknowledgement."""
        child = Child(folder, self.backend, self.snapshot_every)
        waiting = [n for n in range(len(self.batches)) if n not in self.acknowledged]
        sent: set[int] = set()
        stay = self.chance.randint(0, len(waiting) // 2) if kill_after is not None else -1
        timer = None
        answer = child.answer()
        while answer is not None and "done" not in answer:
            if "n" in answer:
                self.acknowledged.add(answer["n"])
                sent.discard(answer["n"])
                stay -= 1
            if stay == 0 and kill_after is not None:
                timer, stay = child.kill_in(kill_after), -1
                self.kills += 1
            try:
                while waiting and len(sent) < IN_FLIGHT and waiting[0] - min(sent, default=waiting[0]) < IN_FLIGHT:
                    n = waiting.pop(0)
                    child.send(n, self.batches[n])
                    sent.add(n)
                if not waiting and not sent and kill_after is None:
                    child.send(-1, [])
            except BrokenPipeError:
                pass  # it was killed; what it said before is still to be read
            answer = child.answer()
        if timer is not None:
            timer.join()
        child.close()

    def _expected(self, batches: set[int]) -> set[str]:
        return {item["id"] for n in batches for item in self.batches[n] if "id" in item}

    def _judge(self, hub: LiveHub) -> list[str]:
        wrong = []
        journalled, wanted = _journalled(hub), self._expected(set(range(len(self.batches))))
        if sorted(journalled) != sorted(wanted):
            wrong.append(f"journalled {len(journalled)} events of {len(wanted)}")
        oracle = Oracle(CATALOG, [Strategy.model_validate(document) for document in self.strategies], LATENESS)
        oracle.ingest([input_of(item, CATALOG) for batch in self.batches for item in batch])
        expected, found = sorted(oracle.firings()), sorted(_fired(hub))
        if found != expected:
            missing, odd = set(expected) - set(found), set(found) - set(expected)
            wrong.append(f"missing {sorted(missing)}, odd {sorted(odd)}, twice {len(found) - len(set(found))}")
        return wrong


def documents(chance: random.Random) -> list[dict[str, Any]]:
    """Strategies of every kind that a lost, doubled or reordered input would change."""
    within = chance.choice(["2m", "3m", "10m"])
    often = {"kind": "aggregate", "event": "app.login", "function": "count", "op": ">="}
    rare = {"kind": "aggregate", "event": "app.login", "function": "count", "op": "<", "value": 1}
    vip = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}
    triggers = {
        "often": often | {"window": {"over": chance.choice(["5m", "10m"])}, "value": chance.randint(2, 3)},
        "rare": rare | {"window": {"over": within}},
        "vip": {"kind": "all", "of": [vip, {"kind": "event", "event": "app.login"}]},
    }
    named = [{"name": name, "trigger": trigger, "actions": [{"task": "x"}]} for name, trigger in triggers.items()]
    return [every_login(), unread(chance.randint(2, 3), "unread"), silence(within), *named]


def stream(chance: random.Random, start: int) -> list[Batch]:
    """Batches a minute apart, of five customers, in disorder, with facts; the last lets everything before it fire."""
    found: list[Batch] = []
    for n in range(BATCHES):
        batch: Batch = []
        for k in range(chance.randint(1, 4)):
            at = start + n * MINUTE - chance.randint(0, 50 * SECOND)
            subject, key = f"customer/c{chance.randint(1, 5)}", f"e{n}-{k}"
            kind = chance.random()
            if kind < 0.1:
                tier = chance.choice(["vip", None])
                batch.append({"subject": subject, "property": "tier", "value": tier, "from": format_time(at)})
            else:
                batch.append(login(key, at, subject) if kind < 0.5 else mail(key, at, chance.random() < 0.3, subject))
        found.append(batch)
    return [*found, [login("end", start + 2 * HOUR, "customer/end")]]


def _journalled(hub: LiveHub) -> list[str]:
    with hub.db.reading() as session:
        rows = JournalRepository(session, CTX.tenant).after(0, 100_000)
    return [row.id for row in rows if row.id is not None]


def _fired(hub: LiveHub) -> list[Fired]:
    found = []
    for key, at in hub.fired():
        name, _, rest = key.partition("@")
        _, kind, subject, _ = rest.split("/")
        found.append((name, f"{kind}/{subject}", at))
    return found


def campaign(seeds: Sequence[int], kills: int, backend: str) -> list[str]:
    """What went wrong, with the seed that shows it."""
    wrong: list[str] = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            one = Round(seed, backend)
            wrong += [f"seed {seed}: {what}" for what in one.play(Path(folder), kills)]
            sys.stderr.write(f"seed {seed}: {one.kills} kills, {len(wrong)} wrong so far\n")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--backend", choices=[*BACKENDS], default="python")
    args = parser.parse_args()
    wrong = campaign(range(args.seed, args.seed + args.rounds), args.kills, args.backend)
    sys.stdout.write("\n".join(wrong) + "\n" if wrong else f"{args.rounds} rounds, nothing lost and nothing doubled\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
