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
    begun = time.perf_counter()
    while time.perf_counter() - begun < warm:
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


def main() -> None:
    module, job = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a peer prints itself is no answer
    sys.modules["child"] = sys.modules["__main__"]
    spec = importlib.util.spec_from_file_location(module.stem, module)
    assert spec is not None and spec.loader is not None
    forms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(forms)
    form: Form | None = None
    for command in map(json.loads, sys.stdin):
        if command["do"] == "answer":
            started = time.process_time()
            form = forms.FORMS[command["form"]](job["rules"], job["fields"])
            built = time.process_time() - started
            answer: Any = {"build_s": built, "answers": form.match(form.prepare(job["sample"]))}
        else:
            assert form is not None
            answer = timed(form, job["lines"], command["seconds"], command["rounds"], command["warm"])
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
