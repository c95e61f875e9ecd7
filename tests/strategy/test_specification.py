"""The specification holds: every timeline of docs/strategy-semantics.md, played on the oracle and on every engine,
gives exactly what it says; every sentence is shown by a timeline or named in a test's docstring, after `spec:`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from core.events import Input
from core.times import DAY, Micros, format_time
from strategy.document import Strategy
from strategy.engine.port import EngineBackend, Firing, Observation, Outcome
from tests.backends import BACKENDS, Backend
from tests.strategy.engine.versions import Versions
from tests.strategy.timelines import (
    CHINESE,
    ME,
    PAGE,
    Deploy,
    Line,
    Retire,
    Timeline,
    bare_timelines,
    sentence_ids,
    timelines,
)

TIMELINES = timelines()


def label(line: Timeline) -> str:
    return f"{'-'.join(line.ids)}-line{line.place}"


each = pytest.mark.parametrize("line", TIMELINES, ids=label)
backends = pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS.keys())


class Player(Protocol):
    """Whoever a timeline is played on."""

    def take(self, item: Input) -> str | None: ...
    def advance(self, to: Micros) -> None: ...
    def deploy(self, strategy: Strategy, version: int, history: list[Input]) -> None: ...
    def retire(self, name: str) -> None: ...
    def truth(self, name: str, subject: str) -> str: ...
    def fired(self) -> list[tuple[int, str, str, int]]: ...
    def observed(self, name: str, subject: str, at: int | None) -> Observation | None: ...


class Slow:
    """The oracle. It observes nothing."""

    def __init__(self, line: Timeline) -> None:
        self._oracle = Versions(line.catalog, lateness=line.lateness)

    def take(self, item: Input) -> str | None:
        before = len(self._oracle.aside)
        self._oracle.ingest([item])
        return self._oracle.aside[-1][1] if len(self._oracle.aside) > before else None

    def advance(self, to: Micros) -> None:
        self._oracle.advance(to)

    def deploy(self, strategy: Strategy, version: int, history: list[Input]) -> None:
        self._oracle.deploy(strategy, version, cold=not history)

    def retire(self, name: str) -> None:
        self._oracle.retire(name)

    def truth(self, name: str, subject: str) -> str:
        return self._oracle.stands(name, subject)

    def fired(self) -> list[tuple[int, str, str, int]]:
        return self._oracle.fired()

    def observed(self, name: str, subject: str, at: int | None) -> None:
        return None


class Fast:
    """An engine; with `restless`, it is snapshot and restored before everything it does."""

    def __init__(self, line: Timeline, backend: Backend, restless: bool = False) -> None:
        self._line, self._backend, self._restless = line, backend, restless
        self._made = backend(line.catalog, line.lateness)
        self._firings: list[Firing] = []

    @property
    def _engine(self) -> EngineBackend:
        if self._restless:
            kept = self._made.snapshot()
            self._made = self._backend(self._line.catalog, self._line.lateness)
            self._made.restore(kept)
        return self._made

    def take(self, item: Input) -> str | None:
        outcome = self._engine.ingest([item])
        self._keep(outcome)
        return outcome.set_aside[0].reason if outcome.set_aside else None

    def advance(self, to: Micros) -> None:
        self._keep(self._engine.advance(to))

    def _keep(self, outcome: Outcome) -> None:
        self._firings += outcome.firings

    def deploy(self, strategy: Strategy, version: int, history: list[Input]) -> None:
        self._engine.deploy(strategy, version, history)

    def retire(self, name: str) -> None:
        self._engine.retire(name)

    def truth(self, name: str, subject: str) -> str:
        return self._engine.look(name, subject)[0].truth.value

    def fired(self) -> list[tuple[int, str, str, int]]:
        return [(f.at, f.strategy, f.subject, f.version) for f in self._firings]

    def observed(self, name: str, subject: str, at: int | None) -> Observation | None:
        if at is None:
            return self._engine.look(name, subject)[0]
        return next(f.trigger for f in self._firings if (f.strategy, f.subject, f.at) == (name, subject, at))


def play(line: Timeline, player: Player) -> None:
    """Play a timeline and hold it to what it says at every line."""
    version = {strategy.name: 1 for strategy in line.strategies}
    waiting = list(line.versions)
    taken: list[Input] = []
    for strategy in line.strategies:
        player.deploy(strategy, 1, [])
    for step in line.lines:
        if isinstance(step.act, Deploy):
            player.advance(step.at)
            new = waiting.pop(0)
            version[new.name] = version.get(new.name, 0) + 1
            past = [item for item in taken if item.time <= step.at]
            player.deploy(new, version[new.name], [] if step.act.cold else past)
        elif isinstance(step.act, Retire):
            player.advance(step.at)
            player.retire("s")
        elif step.act is not None:
            reason = player.take(step.act)
            assert reason == step.aside, step.act
            taken += [] if reason else [step.act]
        if step.waits:
            player.advance(step.at)
        for (name, subject), truth in step.truths.items():
            about = f"{name} of {subject} at {format_time(step.at, line.catalog.timezone)} is "
            assert about + player.truth(name, subject) == about + truth
        if step.seen and not step.fires:
            see(step, player.observed("s", ME, None))
    player.advance(Micros(max(step.at for step in line.lines)))
    assert not line.fires or told(line, player.fired()) == told(line, line.firings)
    for step in line.lines:
        if step.fires and step.seen:
            name, subject, _ = step.fires[0]
            see(step, player.observed(name, subject, step.at))


def see(step: Line, found: Observation | None) -> None:
    if found is not None:
        seen = {"saw": found.observed, "by": found.evidence, "note": found.note}
        assert {key: seen[key] for key in step.seen} == step.seen, step


def told(line: Timeline, firings: list[tuple[int, str, str, int]]) -> list[str]:
    zone = line.catalog.timezone
    return [f"{format_time(at, zone)} {name} v{version} {subject}" for at, name, subject, version in firings]


@each
def test_the_oracle_says_what_the_page_says(line: Timeline) -> None:
    play(line, Slow(line))


@backends
@each
def test_every_engine_does_what_the_page_says(line: Timeline, backend: Backend) -> None:
    play(line, Fast(line, backend))


@backends
@each
def test_a_restart_between_any_two_lines_changes_nothing(line: Timeline, backend: Backend) -> None:
    """spec: M3"""
    play(line, Fast(line, backend, restless=True))


@backends
@pytest.mark.parametrize("line", [t for t in TIMELINES if t.plain], ids=label)
def test_the_order_of_arrival_within_the_lateness_changes_nothing(line: Timeline, backend: Backend) -> None:
    inputs = [step for step in reversed(line.lines) if step.act is not None]
    times = [step for step in line.lines if step.act is None]
    turned = replace(line, lateness=10_000 * DAY, lines=(*inputs, *times))
    play(turned, Fast(turned, backend))


# the page itself


def test_every_sentence_has_an_id_of_its_own() -> None:
    ids = sentence_ids(PAGE)
    assert len(ids) == len(set(ids))
    assert ids == sorted(ids, key=lambda i: (list(dict.fromkeys(i[0] for i in ids)).index(i[0]), int(i[1:])))


def test_every_sentence_is_shown_by_a_timeline_or_named_by_a_test() -> None:
    shown = {id for line in TIMELINES for id in line.ids}
    tests = [page.read_text(encoding="utf-8") for page in Path(__file__).parents[1].rglob("test_*.py")]
    named = {id for text in tests for found in re.findall(r'"""[^"]*\bspec: ([A-Z\d ]+)', text) for id in found.split()}
    ids = set(sentence_ids(PAGE))
    assert ids - shown - named == set(), "no timeline and no test is about them"
    assert shown | named <= ids, "the page does not have them"


def test_both_languages_have_the_same_sentences_and_the_same_timelines() -> None:
    assert sentence_ids(CHINESE) == sentence_ids(PAGE)
    assert bare_timelines(CHINESE) == bare_timelines(PAGE)
