"""A strategy's conditions as they stood for one subject at a past moment: what the journal holds about it (and about
what it is related to) up to then goes through a fresh engine. Exact, and bounded by what the strategy reads of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.errors import TooLarge
from core.events import Event, Input
from core.telemetry import span
from core.text import Text
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.compile import compile_strategy
from strategy.engine.port import Observation
from strategy.engine.python import PythonEngine
from strategy.journal import input_from
from strategy.repository import JournalEntry, JournalRepository

MOST = 200_000
"""Inputs read for one answer."""


@dataclass(slots=True)
class _Reads:
    """What a strategy reads of its subject, and of the objects that a relation leads to."""

    own: set[str] = field(default_factory=set)
    relations: set[str] = field(default_factory=set)
    of_objects: set[str] = field(default_factory=set)


def look_back(
    journal: JournalRepository, catalog: Catalog, strategy: Strategy, subject: str, at: Micros
) -> tuple[Observation, Observation | None]:
    """Trigger and audience just after the instant `at`, as `EngineBackend.look` gave them then.

    Raises:
        InvalidInput, UnknownName, Refused: the strategy does not fit the catalog (any more).
        TooLarge: more than `MOST` inputs would have to be read.
    """
    begin = journal.earliest_event() if catalog.history_from is None else catalog.history_from
    if begin is not None and catalog.history_from is None and begin > at:
        begin = None
    engine = PythonEngine(catalog.model_copy(update={"history_from": begin}))
    engine.deploy(strategy, 1)
    with span("strategy.look_back", strategy=strategy.name):
        for effective, item in _in_order(_read(journal, catalog, strategy, subject, at), at):
            if effective > item.time:
                engine.advance(Micros(effective - 1))
            engine.ingest([item])
        engine.advance(at)
        return engine.look(strategy.name, subject)


def _read(
    journal: JournalRepository, catalog: Catalog, strategy: Strategy, subject: str, at: Micros
) -> list[JournalEntry]:
    reads = _reads(strategy, catalog)
    rows = journal.about([subject], reads.own | reads.relations, at, MOST + 1)
    objects = {row.body["object"] for row in rows if row.type in reads.relations and "object" in row.body}
    if objects and reads.of_objects:
        rows += journal.about(objects, reads.of_objects, at, MOST + 1 - len(rows))
    if len(rows) > MOST:
        raise TooLarge(
            Text(f"{subject} 到那时的输入超过 {MOST} 条", f"{subject} has more than {MOST} inputs up to then"),
            hint=Text("改用回放（POST /v1/replays）", "Replay it instead (POST /v1/replays)"),
        )
    return rows


def _reads(strategy: Strategy, catalog: Catalog) -> _Reads:
    reads = _Reads()
    for leaf in compile_strategy(strategy, catalog).leaves:
        reads.own.update(leaf.events)
        if leaf.via is None:
            reads.own.update(leaf.properties)
        else:
            reads.relations.add(leaf.via)
            reads.of_objects.update(leaf.properties)
    return reads


def _in_order(rows: Iterable[JournalEntry], at: Micros) -> list[tuple[Micros, Input]]:
    """With the moments at which they took effect, up to `at`; at one moment facts and relations before events."""
    found = []
    for row in rows:
        item = input_from(row)
        late = None if isinstance(item, Event) else row.body.get("opened")
        effective = item.time if late is None else Micros(late)
        if effective <= at:
            found.append((effective, isinstance(item, Event), row.seq, item))
    return [(effective, item) for effective, _, _, item in sorted(found, key=lambda each: each[:3])]
