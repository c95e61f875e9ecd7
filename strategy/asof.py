"""A strategy's conditions as they stood for one subject at a past moment: what the journal holds about it (and about
what it is related to) up to then goes through a fresh engine. Exact, and bounded by what the strategy reads of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from core.errors import TooLarge
from core.events import Event, Input
from core.telemetry import span
from core.text import Text
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.compile import compile_strategy
from strategy.engine.groups import key_of
from strategy.engine.paths import PathLeaf
from strategy.engine.port import Observation
from strategy.engine.python import PythonEngine
from strategy.journal import input_from
from strategy.repository import JournalEntry, JournalRepository
from strategy.tables import Kind

MOST = 200_000
"""Inputs read for one answer."""
SCANNED = 1_000_000
"""Events looked through for those of a group, which are not kept by group."""


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


@dataclass(slots=True)
class _Reading:
    """Gathers rows of the journal about the subject and what it is related to, up to the instant, up to `MOST`."""

    journal: JournalRepository
    at: Micros
    rows: dict[int, JournalEntry] = field(default_factory=dict)

    def about(self, subjects: Collection[str], types: Collection[str]) -> list[JournalEntry]:
        """What there is of these types about these subjects."""
        room = MOST + 1 - len(self.rows)
        return self._keep(self.journal.about(subjects, types, self.at, room) if subjects and types else [])

    def along(self, relation: str, owners: Collection[str], *, reverse: bool = False) -> set[str]:
        """Whom or what these were ever related to."""
        if not reverse:
            return {row.body["object"] for row in self.about(owners, [relation]) if row.kind == Kind.RELATION}
        return {row.subject for row in self._keep(self.journal.leading_to(owners, [relation], self.at))}

    def of_group(self, subject: str, fields: dict[str, str], since: Micros | None) -> None:
        """Events that count for a group: `fields` has the field with its key of each type."""
        key, scanned = subject.partition("/")[2], 0
        for page in self.journal.events_back(fields, since, self.at):
            scanned += len(page)
            if scanned > SCANNED:
                raise _too_much(subject, SCANNED)
            self._keep([row for row in page if key_of(row.body.get(fields[row.type])) == key])

    def _keep(self, rows: list[JournalEntry]) -> list[JournalEntry]:
        self.rows.update((row.seq, row) for row in rows)
        if len(self.rows) > MOST:
            raise _too_much("", MOST)
        return rows


def _read(
    journal: JournalRepository, catalog: Catalog, strategy: Strategy, subject: str, at: Micros
) -> Collection[JournalEntry]:
    """Everything that the strategy's conditions depend on for the subject."""
    program = compile_strategy(strategy, catalog)
    reading = _Reading(journal, at)
    for leaf in program.leaves:
        reading.about([subject], leaf.events)
        owners = {subject} if leaf.via is None else reading.along(leaf.via, [subject])
        reading.about(owners, leaf.properties)
        if isinstance(leaf, PathLeaf):
            owners = {subject}
            for hop in leaf.hops:
                owners = reading.along(hop.relation, owners, reverse=hop.reverse)
                reading.about(owners, [name for name, _ in hop.tests])
    events = {event for leaf in program.leaves for event in leaf.events}
    if fields := {e: field for e in events if (field := catalog.events[e].groups.get(strategy.subject)) is not None}:
        reading.of_group(subject, fields, None if program.history is None else Micros(at - program.history))
    return reading.rows.values()


def _too_much(subject: str, most: int) -> TooLarge:
    return TooLarge(
        Text(f"要读的输入超过 {most:,} 条", f"more than {most:,} inputs would have to be read"),
        where={"subject": subject} if subject else {},
        hint=Text("改用回放（POST /v1/replays）", "Replay it instead (POST /v1/replays)"),
    )


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
