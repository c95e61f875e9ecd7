"""One peer in a process of its own environment: answers on the sample first, then (if told to) is timed. Uses nothing
but the standard library and the peer. Commands come as JSON lines on standard input, answers go the same way."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Form(NamedTuple):
    """One way to put the rules to a peer. `prepare` takes lines of JSON to what the peer reads, and is not part of what
    is timed as matching; `match` gives for each event the names of the rules that it passes."""

    prepare: Callable[[list[str]], list[Any]]
    match: Callable[[list[Any]], list[list[str]]]


def flat(lines: list[str]) -> list[dict[str, Any]]:
    """Events as one level of names: the type, and the fields of `data`."""
    return [{"type": event["type"], **event["data"]} for event in map(json.loads, lines)]


def by_type(rules: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        found.setdefault(rule["event"], []).append(rule)
    return found


def timed(form: Form, lines: list[str], seconds: float, rounds: int, warm: float) -> dict[str, float]:
    """CPU and wall microseconds an event, each the median of rounds that take `seconds` of CPU, after warming up."""
    started = time.process_time()
    events = form.prepare(lines)
    decode = (time.process_time() - started) / len(events)
    size, spent = 1, 0.0
    while spent < min(seconds, 0.2) and size < len(events):
        size = min(2 * size, len(events))
        spent = _spent(form, events[:size])[0]
    begun = time.process_time()
    while time.process_time() - begun < warm:
        form.match(events[:size])
    cpus, walls = [], []
    for _ in range(rounds):
        cpu = wall = 0.0
        count = 0
        while cpu < seconds:
            part = [events[(count + i) % len(events)] for i in range(size)]
            more = _spent(form, part)
            cpu, wall, count = cpu + more[0], wall + more[1], count + size
        cpus.append(cpu / count)
        walls.append(wall / count)
    return {
        "decode_us": decode * 1e6,
        "match_us": statistics.median(cpus) * 1e6,
        "wall_us": statistics.median(walls) * 1e6,
    }


def _spent(form: Form, events: list[Any]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    form.match(events)
    return time.process_time() - cpu, time.perf_counter() - wall


class Peer:
    """The peer of a module, and the form that is being looked at."""

    def __init__(self, module: Path, job: dict[str, Any]) -> None:
        self._module, self._job = module, job
        self._form: Form | None = None

    def answer(self, form: str) -> dict[str, Any]:
        """What the form says about the sample."""
        made = self._loaded().FORMS[form]
        started = time.process_time()
        self._form = made(self._job["rules"], self._job["fields"])
        built = time.process_time() - started
        return {"build_s": built, "answers": self._form.match(self._form.prepare(self._job["sample"]))}

    def time(self, seconds: float, rounds: int, warm: float) -> dict[str, float]:
        assert self._form is not None
        return timed(self._form, self._job["lines"], seconds, rounds, warm)

    def _loaded(self) -> Any:
        spec = importlib.util.spec_from_file_location(self._module.stem, self._module)
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a peer prints itself is no answer
    sys.modules["child"] = sys.modules["__main__"]
    peer = Peer(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    for command in map(json.loads, sys.stdin):
        try:
            answer = getattr(peer, command.pop("do"))(**command)
        except Exception as error:  # whatever a peer raises is its answer
            answer = {"failed": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
