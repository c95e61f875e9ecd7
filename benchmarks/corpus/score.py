"""What comes of a sentence against what should: the document, and where it differs, what it does on the timeline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.corpus.cases import Case, Meaning
from core.errors import NeedsAnswer, ZhongshuError
from core.events import Event, Fact, Relation
from core.times import Micros
from strategy.document import Strategy
from strategy.engine.python import PythonEngine
from strategy.language import read_sentence
from tests.strategy.timelines import Timeline

Outcome = Literal["exact", "same", "task", "refused", "asked", "wrong"]
"""exact: the very document, but for the order of its parts. same: another one, that does the same at the same moments.
task: as said, but for an action that was kept as a task for a person, which a warning says. wrong: a strategy that does
something else, or one where there should be none."""


@dataclass(frozen=True)
class Verdict:
    """What came of a sentence, and what reading it took. `answer`: what was read, or the error in English."""

    case: Case
    outcome: Outcome
    wall_ms: float
    cpu_ms: float
    answer: str
    warned: bool = False

    @property
    def right(self) -> bool:
        wanted = self.case.meaning.wanted
        return self.outcome in ("exact", "same") if wanted == "read" else self.outcome == wanted


def judge(case: Case) -> Verdict:
    """Read the sentence; errors of other kinds than the product's own are not caught: they are bugs."""
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        reading = read_sentence(case.text, case.meaning.catalog, lang=case.lang)
        answer: Strategy | ZhongshuError = reading.document
        warned = bool(reading.warnings)
    except ZhongshuError as error:
        answer, warned = error, False
    spent = ((time.perf_counter() - wall) * 1_000, (time.process_time() - cpu) * 1_000)
    if isinstance(answer, ZhongshuError):
        return Verdict(case, "asked" if isinstance(answer, NeedsAnswer) else "refused", *spent, str(answer))
    return Verdict(case, compared(case.meaning, answer, warned), *spent, _shown(answer), warned)


def compared(meaning: Meaning, read: Strategy, warned: bool) -> Outcome:
    """What a strategy is against the gold. `warned`: the reading says what it took for granted."""
    gold, timeline = meaning.gold, meaning.timeline
    if gold is None or timeline is None:
        return "wrong"
    found, wanted = ({**uniform(s.model_dump(mode="json")), "name": ""} for s in (read, gold))
    if found == wanted:
        return "exact"
    shown = ("audience", "trigger")  # what these two say is seen when they are played
    kept = found["actions"] != wanted["actions"]
    if kept and not (warned and all(call["task"] or call in wanted["actions"] for call in found["actions"])):
        return "wrong"
    if any(found[key] != wanted[key] for key in wanted if key not in (*shown, "actions")):
        return "wrong"
    if fired(timeline, read) != expected(timeline):
        return "wrong"
    return "task" if kept else "same"


def uniform(part: Any) -> Any:
    """A document with what carries no meaning made alike: the order of parts and filters, groups within groups of their
    kind, `between` for its two comparisons."""
    if isinstance(part, list):
        return [uniform(each) for each in part]
    if not isinstance(part, dict):
        return part
    part = {key: uniform(value) for key, value in part.items()}
    if part.get("op") == "between" and "kind" in part:
        return uniform({"kind": "all", "of": _ends(part)})
    if isinstance(part.get("where"), list):
        tests = [end for test in part["where"] for end in (_ends(test) if test["op"] == "between" else [test])]
        part["where"] = sorted(tests, key=repr)
    if part.get("kind") in ("all", "any"):
        inner = [each for one in part["of"] for each in (one["of"] if one["kind"] == part["kind"] else [one])]
        part["of"] = sorted(inner, key=repr)
    return part


def _ends(test: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**test, "op": op, "value": value} for op, value in zip((">=", "<="), test["value"], strict=True)]


def expected(timeline: Timeline) -> list[tuple[Micros, str]]:
    return sorted((line.at, subject) for line in timeline.lines for _, subject, _ in line.fires)


def fired(timeline: Timeline, strategy: Strategy) -> list[tuple[Micros, str]]:
    """When, and for whom, a strategy fires on a timeline."""
    engine = PythonEngine(timeline.catalog, timeline.lateness)
    engine.deploy(strategy, 1)
    firings = []
    for line in timeline.lines:
        if isinstance(line.act, Event | Fact | Relation):
            firings += engine.ingest([line.act]).firings
        if line.waits:
            firings += engine.advance(line.at).firings
    firings += engine.advance(max(line.at for line in timeline.lines)).firings
    return sorted((firing.at, firing.subject) for firing in firings)


def _shown(read: Strategy) -> str:
    return read.model_dump_json(exclude_defaults=True, exclude={"strategy", "name"})
