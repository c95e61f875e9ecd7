"""The peers' side: asking one in a process of its own. An answer comes before a time: what a peer
says about the sample is held against the brute-force oracle, and a form that answers wrongly is not timed."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine.generator import Rule
from benchmarks.engine.truth import matches
from benchmarks.engine.world import EVENTS
from benchmarks.environment import Environment

HERE = Path(__file__).parent
ENVIRONMENT = Environment(Path(__file__).parents[3] / "var" / "peers", HERE / "requirements.txt")
PYTHON = ENVIRONMENT.python


@dataclass(frozen=True)
class Peer:
    """`forms`: how the rules are put to it. The first is how its documents say, others what a patient user finds."""

    name: str
    module: Path
    forms: tuple[str, ...]
    slow_start: float = 1.0
    """How many times as much warming up it needs."""


def _peer(name: str, module: str, *forms: str, slow_start: float = 1.0) -> Peer:
    return Peer(name, HERE / f"with_{module}.py", forms, slow_start)


PEERS = (
    _peer("rule_engine", "rule_engine", "a rule each", "tuned: grouped by type"),
    _peer("cel", "cel", "a program each", "tuned: one list expression a type"),
    _peer("zen_engine", "zen", "decision table in batches", "tuned: one list expression a type"),
    _peer("drools", "drools", "a rule set that matches several", slow_start=6.0),
    _peer("durable_rules", "durable", "events", "facts put and taken back"),
)
SLOWEST = _peer("cel_python", "celpy", "a program each", "tuned: grouped by type")
"""Too slow for a quick run: seconds an event."""


@dataclass(frozen=True)
class Result:
    """What became of one form of one peer. `why` says why there are no times: not installed, failed, or wrong."""

    peer: str
    form: str
    build_s: float = 0.0
    decode_us: float = 0.0
    match_us: float = 0.0
    wall_us: float = 0.0
    why: str = ""

    @property
    def eps(self) -> float:
        """Events a CPU second, matching alone."""
        return 1e6 / self.match_us if self.match_us else 0.0

    @property
    def tuned(self) -> bool:
        return self.form.startswith("tuned")


@dataclass(frozen=True)
class Work:
    """The same for every peer: rules, the sample whose answers are checked, and the events that are timed."""

    rules: Sequence[Rule]
    sample: Sequence[bytes]
    lines: Sequence[bytes]


@dataclass(frozen=True)
class Pace:
    """Seconds of CPU a round, rounds, seconds of CPU to warm up, and the most seconds a peer is given in all."""

    seconds: float = 0.2
    rounds: int = 3
    warm: float = 0.5
    most: float = 60.0


def ask(peer: Peer, work: Work, pace: Pace, python: Path = PYTHON) -> list[Result]:
    """Every form of a peer: answers, then times."""
    right = matches(work.rules, work.sample)
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(_job(work)), encoding="utf-8")
        with _process([str(python), str(HERE / "child.py"), str(peer.module), str(job)], pace.most) as process:
            return [_asked(peer, form, process, right, pace) for form in peer.forms]


def _job(work: Work) -> dict[str, Any]:
    return {
        "rules": [{"name": rule.name, "event": rule.event, "where": rule.where} for rule in work.rules],
        "fields": {
            event: {field.name: {"type": field.type, "optional": field.present < 1} for field in fields}
            for event, fields in EVENTS.items()
        },
        "sample": [line.decode() for line in work.sample],
        "lines": [line.decode() for line in work.lines],
    }


@contextlib.contextmanager
def _process(command: list[str], most: float) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    )
    watch = threading.Timer(most, process.kill)
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def _asked(peer: Peer, form: str, process: subprocess.Popen[str], right: list[list[str]], pace: Pace) -> Result:
    answer = _said(process, {"do": "answer", "form": form})
    if "failed" in answer:
        return Result(peer.name, form, why=answer["failed"])
    wrong = sum(sorted(mine) != true for mine, true in zip(answer["answers"], right, strict=True))
    if wrong:
        return Result(peer.name, form, answer["build_s"], why=f"wrong about {wrong} of {len(right)} events")
    warm = pace.warm * peer.slow_start
    times = _said(process, {"do": "time", "seconds": pace.seconds, "rounds": pace.rounds, "warm": warm})
    if "failed" in times:
        return Result(peer.name, form, answer["build_s"], why=times["failed"])
    return Result(peer.name, form, answer["build_s"], **times)


def _said(process: subprocess.Popen[str], command: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
    line = process.stdout.readline()
    answer: dict[str, Any] = json.loads(line) if line else {"failed": "its process ended, or took too long"}
    return answer
