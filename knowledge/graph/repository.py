"""All SQL of the graph. It runs on the driver's own cursor, since SQLite answers in less time than a statement
takes to be put together; it never commits, and every statement names the tenant."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from core.context import Purpose
from core.events import Event
from core.times import Micros
from knowledge.graph.backend import ALWAYS, Keyed
from knowledge.graph.log import erased_with, look_up_key, to_json
from knowledge.graph.model import ANY_PURPOSE, GraphFact, Merge, Reminder, Retraction, SameAs
from knowledge.graph.weight import Channel, DecayedSum

_PAGE = 500

FACT = (
    "f.id, f.seq, f.subject, f.name, f.value, f.object, f.ended, f.valid_from, f.valid_to, f.recorded_at, f.source, "
    "f.confidence, f.purposes"
)
_STANDS = "f.tenant = :tenant AND f.recorded_at <= :known_at AND (r.seq IS NULL OR r.recorded_at > :known_at)"
"""Recorded by then, and not withdrawn by then."""
_HOLDS = "f.valid_from <= :as_of AND (f.valid_to IS NULL OR f.valid_to > :as_of)"
_GONE = "LEFT JOIN graph_retraction r ON r.seq = f.seq"
_LATEST = "ORDER BY f.valid_from DESC, f.recorded_at DESC, f.seq DESC LIMIT 1"
_PROPERTY = "f.subject = :subject AND f.name = :name AND f.object IS NULL"
_ALONG_OUT = "graph_edge_out e JOIN graph_fact f ON f.seq = e.seq"
_ALONG_IN = "graph_edge_in e JOIN graph_fact f ON f.seq = e.seq"
_IS_EDGE = "e.tenant = :tenant AND e.subject = :subject AND e.name = :name AND e.object = :object"

_PROPERTY_FACTS = f"SELECT {FACT} FROM graph_fact f {_GONE} WHERE {_STANDS} AND {_PROPERTY}"
_EDGE_FACTS = f"SELECT {FACT} FROM {_ALONG_OUT} {_GONE} WHERE {_IS_EDGE} AND {_STANDS}"
_SAID = f" AND f.valid_from = :valid_from AND f.source = :source {_LATEST}"

# Of each property one seek to its newest fact: a sensor's million readings are not looked at.
_VALUES = f"""
WITH RECURSIVE names(name) AS (
  SELECT min(name) FROM graph_fact WHERE tenant = :tenant AND subject = :subject AND object IS NULL
  UNION ALL
  SELECT (SELECT min(g.name) FROM graph_fact g WHERE g.tenant = :tenant AND g.subject = :subject AND g.name > n.name
          AND g.object IS NULL)
  FROM names n WHERE n.name IS NOT NULL)
SELECT {FACT} FROM names n CROSS JOIN graph_fact f ON f.seq = (
  SELECT f.seq FROM graph_fact f {_GONE}
  WHERE f.subject = :subject AND f.name = n.name AND f.object IS NULL AND {_STANDS} AND {_HOLDS} {_LATEST})
WHERE n.name IS NOT NULL ORDER BY f.name"""

_EDGES = tuple(
    f"""SELECT {FACT} FROM json_each(:nodes) n CROSS JOIN {table} {_GONE}
    WHERE e.tenant = :tenant AND e.{end} = n.value AND {_STANDS} AND {_HOLDS} LIMIT :limit"""
    for table, end in ((_ALONG_OUT, "subject"), (_ALONG_IN, "object"))
)
_ALONG = tuple(
    f"SELECT {FACT} FROM {table} {_GONE} WHERE e.tenant = :tenant AND e.{end} = :node AND e.name = :name"
    f" AND {_STANDS} AND {_HOLDS}"
    for table, end in ((_ALONG_OUT, "subject"), (_ALONG_IN, "object"))
)

MERGE = (
    "m.id, m.seq, m.kept, m.gone, m.reason, m.evidence, m.confidence, m.recorded_at, m.actor, m.undone_at,"
    " m.undone_why, m.undone_by"
)
_MERGE_STANDS = "m.tenant = :tenant AND m.recorded_at <= :known_at AND (m.undone_at IS NULL OR m.undone_at > :known_at)"
_MERGES = f"""
WITH RECURSIVE tied(subject) AS (
  SELECT value FROM json_each(:subjects)
  UNION SELECT m.gone FROM tied JOIN graph_merge m ON m.kept = tied.subject WHERE {_MERGE_STANDS}
  UNION SELECT m.kept FROM tied JOIN graph_merge m ON m.gone = tied.subject WHERE {_MERGE_STANDS})
SELECT {MERGE} FROM tied JOIN graph_merge m ON m.kept = tied.subject WHERE {_MERGE_STANDS} ORDER BY m.seq"""

EVENT = "id, type, time, subject, data, source"
_THEIRS = "tenant = :tenant AND subject IN (SELECT value FROM json_each(:subjects))"
_FACTS_ABOUT = f"""
SELECT {FACT} FROM graph_fact f WHERE f.seq IN (
  SELECT seq FROM graph_fact WHERE {_THEIRS}
  UNION SELECT seq FROM graph_edge_in WHERE tenant = :tenant AND object IN (SELECT value FROM json_each(:subjects)))
ORDER BY f.seq"""
_EVENTS_ABOUT = f"SELECT {EVENT} FROM graph_event WHERE {_THEIRS} ORDER BY time, id, source"
_MERGES_ABOUT = f"""
SELECT {MERGE} FROM graph_merge m WHERE m.tenant = :tenant AND m.seq IN (
  SELECT m.seq FROM json_each(:subjects) s JOIN graph_merge m ON m.tenant = :tenant AND m.kept = s.value
  UNION SELECT m.seq FROM json_each(:subjects) s JOIN graph_merge m ON m.tenant = :tenant AND m.gone = s.value)
ORDER BY m.seq"""


class GraphRepository:
    """`FactReader` and `FactWriter` on one cursor; whoever opened it commits."""

    def __init__(self, cursor: Any, tenant: str) -> None:
        self._cursor, self._tenant = cursor, tenant

    # --- reading ---

    def facts_by_id(self, ids: Collection[str]) -> dict[str, GraphFact]:
        statement = f"""SELECT {FACT} FROM json_each(:ids) i CROSS JOIN graph_fact f
            ON f.tenant = :tenant AND f.id = i.value"""
        return {f.id: f for f in self._facts(statement, ids=json.dumps(list(ids)))}

    def retractions(self, facts: Collection[GraphFact]) -> dict[str, Retraction]:
        ids = {f.seq: f.id for f in facts}
        statement = """SELECT r.seq, r.recorded_at, r.reason, r.actor FROM json_each(:seqs) s
            CROSS JOIN graph_retraction r ON r.seq = s.value"""
        rows = self._rows(statement, seqs=json.dumps(list(ids)))
        return {ids[seq]: Retraction(Micros(at), reason, actor) for seq, at, reason, actor in rows}

    def values_of(self, subject: str, as_of: Micros, known_at: Micros) -> list[GraphFact]:
        return self._facts(_VALUES, subject=subject, as_of=as_of, known_at=known_at)

    def facts_of(self, subject: str, name: str, obj: str | None, known_at: Micros) -> list[GraphFact]:
        statement = _PROPERTY_FACTS if obj is None else _EDGE_FACTS
        return self._facts(statement, subject=subject, name=name, object=obj, known_at=known_at)

    def edges_at(
        self, nodes: Sequence[str], as_of: Micros, known_at: Micros, limit: int
    ) -> tuple[list[GraphFact], bool]:
        asked = {"nodes": json.dumps(list(nodes)), "as_of": as_of, "known_at": known_at, "limit": limit + 1}
        each = [self._facts(statement, **asked) for statement in _EDGES]
        found = {f.seq: f for facts in each for f in facts[:limit]}
        return list(found.values()), any(len(facts) > limit for facts in each)

    def edges_along(self, node: str, name: str, reverse: bool, as_of: Micros, known_at: Micros) -> list[GraphFact]:
        return self._facts(_ALONG[reverse], node=node, name=name, as_of=as_of, known_at=known_at)

    def lookup(self, key: str, limit: int) -> list[GraphFact]:
        statement = f"""SELECT {FACT} FROM graph_lookup l JOIN graph_fact f ON f.seq = l.seq {_GONE}
            WHERE l.tenant = :tenant AND l.key >= :key AND l.key < :end AND {_STANDS}
            ORDER BY l.key, f.seq LIMIT :limit"""
        return self._facts(statement, key=key, end=_end(key), known_at=ALWAYS, limit=limit)

    def subjects_like(self, text: str, key: str, limit: int) -> list[tuple[str, str]]:
        statement = """SELECT subject, key FROM graph_subject WHERE tenant = :tenant
            AND (subject = :text OR (key >= :key AND key < :end))
            ORDER BY subject != :text, key, subject LIMIT :limit"""
        rows = self._rows(statement, text=text, key=key, end=_end(key), limit=limit)
        return [(subject, own) for subject, own in rows]

    def subjects_of(self, object_type: str, after: str, limit: int) -> list[str]:
        statement = """SELECT subject FROM graph_subject WHERE tenant = :tenant AND subject > :after AND subject < :end
            ORDER BY subject LIMIT :limit"""
        start = f"{object_type}/"
        rows = self._rows(statement, after=max(start, after), end=_end(start), limit=limit)
        return [subject for (subject,) in rows]

    def count_of(self, object_type: str) -> int:
        statement = "SELECT count(*) FROM graph_subject WHERE tenant = :tenant AND subject > :start AND subject < :end"
        start = f"{object_type}/"
        return int(self._rows(statement, start=start, end=_end(start))[0][0])

    def events_before(
        self, subject: str, until: Micros, types: Collection[str], since: Micros | None = None
    ) -> Iterator[Event]:
        kinds = "AND type IN (SELECT value FROM json_each(:types))" if types else ""
        statement = f"""SELECT {EVENT} FROM graph_event WHERE tenant = :tenant AND subject = :subject
            AND time <= :until AND time > :since {kinds} ORDER BY time DESC, id DESC, source DESC"""
        cursor = self._cursor.connection.cursor()  # it stays open while others are asked
        asked = {"subject": subject, "until": until, "since": -1 if since is None else since}
        cursor.execute(statement, {"tenant": self._tenant, "types": json.dumps(list(types)), **asked})
        while page := cursor.fetchmany(_PAGE):
            yield from map(event_of, page)

    def events_by_id(self, event_id: str) -> list[Event]:
        statement = f"SELECT {EVENT} FROM graph_event WHERE tenant = :tenant AND id = :id"
        return [event_of(row) for row in self._rows(statement, id=event_id)]

    def merges_of(self, subjects: Collection[str], known_at: Micros) -> list[Merge]:
        return [merge_of(row) for row in self._rows(_MERGES, subjects=json.dumps(list(subjects)), known_at=known_at)]

    def merges_by_id(self, ids: Collection[str]) -> dict[str, Merge]:
        statement = f"""SELECT {MERGE} FROM json_each(:ids) i CROSS JOIN graph_merge m
            ON m.tenant = :tenant AND m.id = i.value"""
        return {row[0]: merge_of(row) for row in self._rows(statement, ids=json.dumps(list(ids)))}

    def all_of(self, subjects: Collection[str]) -> tuple[list[GraphFact], list[Event], list[Merge]]:
        asked = {"subjects": json.dumps(list(subjects))}
        events = [event_of(row) for row in self._rows(_EVENTS_ABOUT, **asked)]
        return self._facts(_FACTS_ABOUT, **asked), events, [merge_of(row) for row in self._rows(_MERGES_ABOUT, **asked)]

    def sums_of(self, subject: str) -> dict[Channel, DecayedSum]:
        statement = """SELECT event, value, half_life, total, at FROM graph_sum
            WHERE tenant = :tenant AND subject = :subject"""
        rows = self._rows(statement, subject=subject)
        return {Channel(event, value or None, life): DecayedSum(total, at) for event, value, life, total, at in rows}

    def reminders(self, until: Micros, limit: int) -> list[Reminder]:
        statement = """SELECT at, item, subject FROM graph_reminder WHERE tenant = :tenant AND at <= :until
            ORDER BY at, item, subject LIMIT :limit"""
        return [Reminder(*row) for row in self._rows(statement, until=until, limit=limit)]

    def counts(self) -> tuple[int, int, int]:
        subjects, facts, events = (
            self._rows(f"SELECT count(*) FROM {table} WHERE tenant = :tenant")[0][0]
            for table in ("graph_subject", "graph_fact", "graph_event")
        )
        return subjects, facts, events

    # --- writing ---

    def next_seq(self, kind: Literal["fact", "merge"] = "fact") -> int:
        """The caller holds the write lock, so nobody else takes it."""
        last: int | None = self._rows(f"SELECT max(seq) FROM graph_{kind}")[0][0]
        return (last or 0) + 1

    def known_ids(self, ids: Collection[str]) -> set[str]:
        statement = """SELECT i.value FROM json_each(:ids) i
            WHERE EXISTS (SELECT 1 FROM graph_fact f WHERE f.tenant = :tenant AND f.id = i.value)"""
        return {found for (found,) in self._rows(statement, ids=json.dumps(list(ids)))}

    def latest_claim(self, subject: str, name: str, obj: str | None, valid_from: int, source: str) -> GraphFact | None:
        statement = (_PROPERTY_FACTS if obj is None else _EDGE_FACTS) + _SAID
        found = self._facts(
            statement,
            subject=subject, name=name, object=obj, valid_from=valid_from, source=source, known_at=ALWAYS,
        )  # fmt: skip
        return found[0] if found else None

    def add_facts(self, facts: Sequence[GraphFact], keys: Sequence[Keyed]) -> None:
        self._many("graph_fact", _FACT_COLUMNS, (_fact_row(self._tenant, f) for f in facts))
        edges = [f for f in facts if f.object is not None]
        for table, first, last in (("graph_edge_out", "subject", "object"), ("graph_edge_in", "object", "subject")):
            rows = ((self._tenant, getattr(f, first), f.name, getattr(f, last), f.seq) for f in edges)
            self._many(table, ("tenant", first, "name", last, "seq"), rows)
        self._many("graph_lookup", ("tenant", "key", "seq"), ((self._tenant, k.key, k.seq) for k in keys))

    def add_subjects(self, subjects: Mapping[str, str]) -> None:
        rows = ((self._tenant, s, k) for s, k in sorted(subjects.items()))
        self._many("graph_subject", ("tenant", "subject", "key"), rows)

    def add_retractions(self, facts: Sequence[GraphFact], retraction: Retraction) -> int:
        columns = ("seq", "tenant", "recorded_at", "reason", "actor")
        said = (retraction.recorded_at, retraction.reason, retraction.actor)
        return self._many("graph_retraction", columns, ((f.seq, self._tenant, *said) for f in facts))

    def add_events(self, events: Sequence[Event]) -> list[Event]:
        columns = ("tenant", "source", "id", "type", "subject", "time", "data")
        return [
            e
            for e in events
            if self._many(
                "graph_event",
                columns,
                [(self._tenant, e.source, e.id, e.type, e.subject, e.time, to_json(dict(e.data)))],
            )
        ]

    def add_merge(self, merge: Merge) -> None:
        claim = merge.claim
        columns = ("tenant", "id", "seq", "kept", "gone", "reason", "evidence", "confidence", "recorded_at", "actor")
        said = (claim.kept, claim.gone, claim.reason, to_json(dict(claim.evidence)), claim.confidence)
        row = (self._tenant, merge.id, merge.seq, *said, merge.recorded_at, merge.actor)
        self._many("graph_merge", columns, [row])

    def undo_merges(self, merges: Sequence[Merge], undone: Retraction) -> int:
        statement = """UPDATE graph_merge SET undone_at = ?, undone_why = ?, undone_by = ?
            WHERE seq = ? AND undone_at IS NULL"""
        rows = [(undone.recorded_at, undone.reason, undone.actor, m.seq) for m in merges]
        count: int = self._cursor.executemany(statement, rows).rowcount
        return count

    def put_sums(self, subject: str, sums: Mapping[Channel, DecayedSum]) -> None:
        statement = """INSERT OR REPLACE INTO graph_sum (tenant, subject, event, value, half_life, total, at)
            VALUES (?, ?, ?, ?, ?, ?, ?)"""
        rows = [(self._tenant, subject, c.event, c.value or "", c.half_life, s.total, s.at) for c, s in sums.items()]
        self._cursor.executemany(statement, rows)

    def add_reminders(self, reminders: Collection[Reminder]) -> None:
        self._many("graph_reminder", ("tenant", "at", "item", "subject"), ((self._tenant, *r) for r in reminders))

    def drop_reminders(self, reminders: Collection[Reminder]) -> None:
        statement = "DELETE FROM graph_reminder WHERE tenant = ? AND at = ? AND item = ? AND subject = ?"
        self._cursor.executemany(statement, [(self._tenant, *r) for r in reminders])

    def erase(self, subjects: Collection[str], dry_run: bool) -> dict[str, int]:
        facts, events, merges = self.all_of(subjects)
        edges = [f for f in facts if f.object is not None]
        seqs = [(f.seq,) for f in facts]
        tenant = self._tenant
        gone = erased_with(self, subjects, facts)
        traces: dict[str, list[tuple[str, list[tuple[Any, ...]]]]] = {
            "lookups": [
                ("graph_lookup WHERE tenant = ? AND key = ? AND seq = ?",
                 [(tenant, key, f.seq) for f in facts if (key := look_up_key(f.value))]),
            ],
            "retractions": [("graph_retraction WHERE seq = ?", seqs)],
            "edges": [
                ("graph_edge_out WHERE tenant = ? AND subject = ? AND name = ? AND object = ? AND seq = ?",
                 [(tenant, f.subject, f.name, f.object, f.seq) for f in edges]),
                ("graph_edge_in WHERE tenant = ? AND subject = ? AND name = ? AND object = ? AND seq = ?",
                 [(tenant, f.subject, f.name, f.object, f.seq) for f in edges]),
            ],
            "facts": [("graph_fact WHERE seq = ?", seqs)],
            "events": [("graph_event WHERE tenant = ? AND source = ? AND id = ?",
                        [(tenant, e.source, e.id) for e in events])],
            "merges": [("graph_merge WHERE seq = ?", [(m.seq,) for m in merges])],
            "sums": [("graph_sum WHERE tenant = ? AND subject = ?", [(tenant, s) for s in subjects])],
            "reminders": [("graph_reminder WHERE tenant = ? AND subject = ?", [(tenant, s) for s in subjects])],
            "subjects": [("graph_subject WHERE tenant = ? AND subject = ?", [(tenant, s) for s in gone])],
        }  # fmt: skip
        counts: dict[str, int] = {}
        for kind, deletes in traces.items():
            for where, rows in deletes:
                if dry_run:
                    count = self._counting(where, rows)
                else:
                    count = self._cursor.executemany(f"DELETE FROM {where}", rows).rowcount
                counts[kind] = max(count, 0)
        return counts

    # --- parts ---

    def _counting(self, where: str, rows: Sequence[tuple[Any, ...]]) -> int:
        statement = f"SELECT count(*) FROM {where}"
        return sum(self._cursor.execute(statement, row).fetchone()[0] for row in rows)

    def _rows(self, statement: str, **asked: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._cursor.execute(statement, {"tenant": self._tenant, **asked}).fetchall()
        return rows

    def _facts(self, statement: str, **asked: Any) -> list[GraphFact]:
        return [_fact(row) for row in self._rows(statement, **asked)]

    def _many(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
        """Add rows, leaving out those whose key is there; returns how many were added."""
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        count: int = self._cursor.executemany(statement, rows).rowcount
        return max(count, 0)


def _end(key: str) -> str:
    """A text after every one that begins with `key`."""
    return key + "\U0010ffff"


_FACT_COLUMNS = ("tenant", *(c.strip().removeprefix("f.") for c in FACT.split(",")))


def _fact_row(tenant: str, f: GraphFact) -> tuple[Any, ...]:
    claim = (f.id, f.seq, f.subject, f.name, to_json(f.value), f.object, f.ended)
    purposes = ",".join(sorted(f.purposes)) if f.purposes else ""
    return (tenant, *claim, f.valid_from, f.valid_to, f.recorded_at, f.source, float(f.confidence), purposes)


def _fact(row: tuple[Any, ...]) -> GraphFact:
    fact_id, seq, subject, name, value, obj, ended, valid_from, valid_to, recorded_at, source, confidence, limits = row
    purposes = frozenset(Purpose(p) for p in limits.split(",")) if limits else ANY_PURPOSE
    said = None if value == "null" else json.loads(value)
    return GraphFact(
        fact_id,
        seq,
        subject,
        name,
        said,
        obj,
        bool(ended),
        valid_from,
        valid_to,
        recorded_at,
        source,
        confidence,
        purposes,
    )


def event_of(row: tuple[Any, ...]) -> Event:
    event_id, kind, time, subject, data, source = row
    return Event(event_id, kind, Micros(time), subject, json.loads(data), source)


def merge_of(row: tuple[Any, ...]) -> Merge:
    merge_id, seq, kept, gone, reason, evidence, confidence, recorded_at, actor, undone_at, why, by = row
    undone = None if undone_at is None else Retraction(Micros(undone_at), why, by)
    claim = SameAs(kept, gone, reason, json.loads(evidence), confidence)
    return Merge(merge_id, seq, claim, Micros(recorded_at), actor, undone)
