"""What stood in the way of a strategy that never fired: over a sample of subjects, which of its conditions was most
often not true at the end, and whom it came nearest to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from core.events import Event
from core.text import Lang, Text
from knowledge.catalog import Catalog
from strategy.document import All, Any_, Condition, Happens, Not, Strategy
from strategy.engine.port import EngineBackend, Observation, Truth
from strategy.engine.values import passes
from strategy.explain import explain_observation
from strategy.language import condition_in_words

LOOKS = 200
"""Subjects looked at a strategy."""


@dataclass(slots=True)
class Obstacle:
    """One condition (`path` in the document). `missing`: subjects of the sample for whom it did not help; `unknown` of
    them for lack of data. `occurred`, for a condition on an event: how often such an event came in the whole replay;
    it is true at those instants only, so it stands in the way only when that is never."""

    path: str
    condition: Condition
    missing: int = 0
    unknown: int = 0
    occurred: int | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """The answer for one strategy: its conditions, most often missing first, and the subject that lacked fewest."""

    looked: int
    obstacles: tuple[Obstacle, ...] = ()
    nearest: str | None = None
    seen: tuple[Observation, Observation | None] | None = None


@dataclass(slots=True)
class Occurrences:
    """Counts, while a replay runs, the events that conditions of kind event wait for."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _tests: dict[str, list[tuple[tuple[str, str], Any]]] = field(default_factory=dict)

    def await_for(self, strategy: Strategy, catalog: Catalog) -> None:
        for path, condition, _ in leaves_of(strategy):
            if isinstance(condition, Happens):
                self._tests.setdefault(condition.event, []).append(((strategy.name, path), passes(condition, catalog)))

    @property
    def awaited(self) -> dict[str, list[tuple[tuple[str, str], Any]]]:
        """Event type → (strategy and path, test of an event's data or None) of each condition that waits for it."""
        return self._tests

    def note(self, event: Event) -> None:
        for place, test in self._tests.get(event.type, ()):
            if test is None or test(event.data):
                self.counts[place] += 1

    def forget(self, strategy: str) -> None:
        """It has fired: nobody will ask what stood in its way."""
        for type_, waiting in list(self._tests.items()):
            self._tests[type_] = [each for each in waiting if each[0][0] != strategy]
            if not self._tests[type_]:
                del self._tests[type_]


def nearest_miss(
    engine: EngineBackend, strategy: Strategy, subjects: Iterable[str], occurrences: Occurrences, chance: Random
) -> Miss:
    """Look at a sample of subjects under a strategy that runs on the engine."""
    pool = sorted(subjects)
    sample = sorted(chance.sample(pool, LOOKS)) if len(pool) > LOOKS else pool
    found = {path: Obstacle(path, condition) for path, condition, _ in leaves_of(strategy)}
    wanted = {path: wants for path, _, wants in leaves_of(strategy)}
    for path, obstacle in found.items():
        if isinstance(obstacle.condition, Happens):
            obstacle.occurred = occurrences.counts[strategy.name, path]
    best: tuple[int, str, tuple[Observation, Observation | None]] | None = None
    for subject in sample:
        seen = engine.look(strategy.name, subject)
        lacking = [leaf for leaf in _leaves(seen) if _stands_in_the_way(found[leaf.path], leaf, wanted[leaf.path])]
        for leaf in lacking:
            found[leaf.path].missing += 1
            found[leaf.path].unknown += leaf.truth is Truth.UNKNOWN
        if best is None or len(lacking) < best[0]:
            best = (len(lacking), subject, seen)
    ranked = sorted(found.values(), key=lambda each: -each.missing)
    return Miss(len(sample), tuple(ranked), *(best[1:] if best else (None, None)))


def _stands_in_the_way(obstacle: Obstacle, leaf: Observation, wants: bool) -> bool:
    if obstacle.occurred:
        return False
    return leaf.truth is not (Truth.TRUE if wants else Truth.FALSE)


def leaves_of(strategy: Strategy) -> Iterator[tuple[str, Condition, bool]]:
    """(path, condition, whether it is wanted true) of every leaf of trigger and audience; under an odd number of `not`s
    a condition is wanted false."""
    yield from _walk(strategy.trigger, "trigger", True)
    if strategy.audience is not None:
        yield from _walk(strategy.audience, "audience", True)


def _walk(condition: Condition, path: str, wanted: bool) -> Iterator[tuple[str, Condition, bool]]:
    if isinstance(condition, All | Any_):
        for i, part in enumerate(condition.of):
            yield from _walk(part, f"{path}.of.{i}", wanted)
    elif isinstance(condition, Not):
        yield from _walk(condition.of, f"{path}.of", not wanted)
    else:
        yield path, condition, wanted


def _leaves(seen: Sequence[Observation | None]) -> Iterator[Observation]:
    for each in seen:
        if each is not None and each.kind in ("all", "any", "not"):
            yield from _leaves(each.children)
        elif each is not None:
            yield each


def miss_as_dict(miss: Miss, strategy: Strategy, catalog: Catalog, lang: Lang) -> dict[str, Any]:
    """For JSON and for people, in one language."""
    wanted = {path: wants for path, _, wants in leaves_of(strategy)}
    conditions = [
        {
            "path": each.path,
            "condition": condition_in_words(
                each.condition if wanted[each.path] else Not(of=each.condition), strategy, catalog, lang
            ),
            "missing": each.missing,
            "unknown": each.unknown,
            **({} if each.occurred is None else {"occurred": each.occurred}),
        }
        for each in miss.obstacles
    ]
    told: dict[str, Any] = {"looked_at": miss.looked, "conditions": conditions}
    if miss.nearest is not None and miss.seen is not None:
        trigger, audience = miss.seen
        lines = explain_observation(trigger, strategy.trigger, catalog, lang, subject=strategy.subject)
        if audience is not None and strategy.audience is not None:
            inside = explain_observation(audience, strategy.audience, catalog, lang, subject=strategy.subject)
            lines += [Text(f"人群：{each}", f"Audience: {each}").say(lang) for each in inside]
        told["nearest"] = {"subject": miss.nearest, "lines": lines}
    return told
