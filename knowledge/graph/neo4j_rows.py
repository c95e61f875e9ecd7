"""Reading the graph in a database that speaks Cypher, and how facts, events and merges are nodes there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from neo4j import ManagedTransaction, Transaction

from core.context import Purpose
from core.events import Event
from core.times import Micros
from knowledge.graph.backend import ALWAYS
from knowledge.graph.curve import current
from knowledge.graph.model import ANY_PURPOSE, GraphFact, Merge, Reminder, Retraction, SameAs
from knowledge.graph.weight import Channel, DecayedSum

_PAGE = 500
_STANDS = "f.recorded_at <= $known_at AND (f.gone_at IS NULL OR f.gone_at > $known_at)"
_HOLDS = "f.valid_from <= $as_of AND (f.valid_to IS NULL OR f.valid_to > $as_of)"
_SEP = "\x1f"
_OUT = "MATCH (s:Subject)-[:SAYS]->(f:Fact)"
_IN = "MATCH (s:Subject)<-[:OF]-(f:Fact)"


class Rows:
    """`FactReader` in one transaction of the database."""

    def __init__(self, transaction: Transaction | ManagedTransaction, tenant: str) -> None:
        self._transaction, self._tenant = transaction, tenant

    def facts_by_id(self, ids: Collection[str]) -> dict[str, GraphFact]:
        found = self._facts("MATCH (f:Fact) WHERE f.key IN $keys", keys=[self._key(i) for i in ids])
        return {f.id: f for f in found}

    def retractions(self, facts: Collection[GraphFact]) -> dict[str, Retraction]:
        rows = self._nodes("MATCH (f:Fact) WHERE f.key IN $keys AND f.gone_at IS NOT NULL",
                           keys=[self._key(f.id) for f in facts])  # fmt: skip
        return {r["id"]: Retraction(Micros(r["gone_at"]), r["gone_why"], r["gone_by"]) for r in rows}

    def values_of(self, subject: str, as_of: Micros, known_at: Micros) -> list[GraphFact]:
        match = f"MATCH (f:Fact) WHERE f.owner = $owner AND f.object IS NULL AND {_STANDS} AND {_HOLDS}"
        each: dict[str, list[GraphFact]] = {}
        for fact in self._facts(match, owner=self._key(subject), as_of=as_of, known_at=known_at):
            each.setdefault(fact.name, []).append(fact)
        counting = (current(each[name], as_of) for name in sorted(each))
        return [fact for fact in counting if fact is not None]

    def facts_of(self, subject: str, name: str, obj: str | None, known_at: Micros) -> list[GraphFact]:
        match = f"MATCH (f:Fact) WHERE f.about = $about AND {_STANDS}"
        return self._facts(match, about=self._about(subject, name, obj), known_at=known_at)

    def edges_at(
        self, nodes: Sequence[str], as_of: Micros, known_at: Micros, limit: int
    ) -> tuple[list[GraphFact], bool]:
        keys = [self._key(n) for n in nodes]
        asked = {"keys": keys, "as_of": as_of, "known_at": known_at, "limit": limit + 1}
        each = [self._facts(f"{way} WHERE s.key IN $keys AND {_STANDS} AND {_HOLDS}", "LIMIT $limit", **asked)
                for way in (_OUT, _IN)]  # fmt: skip
        found = {f.seq: f for facts in each for f in facts[:limit]}
        return list(found.values()), any(len(facts) > limit for facts in each)

    def edges_along(self, node: str, name: str, reverse: bool, as_of: Micros, known_at: Micros) -> list[GraphFact]:
        match = f"{_IN if reverse else _OUT} WHERE s.key = $key AND f.name = $name AND {_STANDS} AND {_HOLDS}"
        return self._facts(match, key=self._key(node), name=name, as_of=as_of, known_at=known_at)

    def lookup(self, key: str, limit: int) -> list[GraphFact]:
        match = f"MATCH (f:Fact) WHERE f.lookup >= $from AND f.lookup < $end AND {_STANDS}"
        start = self._key(key)
        return self._facts(match, "ORDER BY f.lookup, f.seq LIMIT $limit",
                           **{"from": start, "end": end_of(start), "limit": limit, "known_at": ALWAYS})  # fmt: skip

    def subjects_like(self, text: str, key: str, limit: int) -> list[tuple[str, str]]:
        start = self._key(key)
        match = "MATCH (f:Subject) WHERE f.key = $text OR (f.lookup >= $from AND f.lookup < $end)"
        rows = self._nodes(match, "ORDER BY f.key <> $text, f.lookup, f.key LIMIT $limit",
                           **{"text": self._key(text), "from": start, "end": end_of(start),
                              "limit": limit})  # fmt: skip
        return [(r["subject"], r["lookup"].split(_SEP, 1)[1]) for r in rows]

    def subjects_of(self, object_type: str, after: str, limit: int) -> list[str]:
        start = f"{object_type}/"
        match = "MATCH (f:Subject) WHERE f.key > $after AND f.key < $end"
        rows = self._nodes(match, "ORDER BY f.key LIMIT $limit", after=self._key(max(start, after)),
                           end=end_of(self._key(start)), limit=limit)  # fmt: skip
        return [r["subject"] for r in rows]

    def count_of(self, object_type: str) -> int:
        start = self._key(f"{object_type}/")
        match = "MATCH (f:Subject) WHERE f.key > $start AND f.key < $end RETURN count(f) AS n"
        return int(self._run(match, start=start, end=end_of(start))[0]["n"])

    def events_before(
        self, subject: str, until: Micros, types: Collection[str], since: Micros | None = None
    ) -> Iterator[Event]:
        match = "MATCH (f:Event) WHERE f.owner = $owner AND f.time <= $until AND f.time > $since"
        match += " AND f.type IN $types" if types else ""
        asked = {"owner": self._key(subject), "until": until, "since": -1 if since is None else since}
        skip = 0
        while page := self._nodes(match, "ORDER BY f.time DESC, f.id DESC, f.source DESC SKIP $skip LIMIT $page",
                                  types=list(types), skip=skip, page=_PAGE, **asked):  # fmt: skip
            yield from map(event_of, page)
            skip += _PAGE

    def events_by_id(self, event_id: str) -> list[Event]:
        return [event_of(r) for r in self._nodes("MATCH (f:Event) WHERE f.named = $named", named=self._key(event_id))]

    def merges_of(self, subjects: Collection[str], known_at: Micros) -> list[Merge]:
        match = f"MATCH (f:Merge) WHERE (f.kept_key IN $keys OR f.gone_key IN $keys) AND {_STANDS}"
        found: dict[str, Merge] = {}
        asked, seen = set(subjects), set[str]()
        while asked:
            rows = self._nodes(match, keys=[self._key(s) for s in asked], known_at=known_at)
            found.update((r["id"], merge_of(r)) for r in rows)
            seen |= asked
            asked = {s for m in found.values() for s in (m.claim.kept, m.claim.gone)} - seen
        return list(found.values())

    def merges_by_id(self, ids: Collection[str]) -> dict[str, Merge]:
        rows = self._nodes("MATCH (f:Merge) WHERE f.key IN $keys", keys=[self._key(i) for i in ids])
        return {r["id"]: merge_of(r) for r in rows}

    def all_of(self, subjects: Collection[str]) -> tuple[list[GraphFact], list[Event], list[Merge]]:
        keys = [self._key(s) for s in subjects]
        facts = [*self._facts("MATCH (f:Fact) WHERE f.owner IN $keys", keys=keys),
                 *self._facts("MATCH (f:Fact) WHERE f.towards IN $keys", keys=keys)]  # fmt: skip
        events = [event_of(r) for r in self._nodes("MATCH (f:Event) WHERE f.owner IN $keys", keys=keys)]
        merges = self._nodes("MATCH (f:Merge) WHERE f.kept_key IN $keys OR f.gone_key IN $keys", keys=keys)
        return (
            [f for _, f in sorted({f.seq: f for f in facts}.items())],
            sorted(events, key=lambda e: e.order),
            sorted(map(merge_of, merges), key=lambda m: m.seq),
        )

    def sums_of(self, subject: str) -> dict[Channel, DecayedSum]:
        rows = self._nodes("MATCH (f:Sum) WHERE f.owner = $owner", owner=self._key(subject))
        return {
            Channel(r["event"], r.get("value"), r["half_life"]): DecayedSum(r["total"], Micros(r["at"])) for r in rows
        }

    def reminders(self, until: Micros, limit: int) -> list[Reminder]:
        rows = self._nodes("MATCH (f:Reminder) WHERE f.tenant = $tenant AND f.at <= $until",
                           "ORDER BY f.at, f.item, f.subject LIMIT $limit", until=until, limit=limit)  # fmt: skip
        return [Reminder(Micros(r["at"]), r["item"], r["subject"]) for r in rows]

    def counts(self) -> tuple[int, int, int]:
        subjects, facts, events = (
            self._run(f"MATCH (f:{label}) WHERE f.tenant = $tenant RETURN count(f) AS n")[0]["n"]
            for label in ("Subject", "Fact", "Event")
        )
        return subjects, facts, events

    # --- parts ---

    def _key(self, *parts: str) -> str:
        return _SEP.join((self._tenant, *parts))

    def _about(self, subject: str, name: str, obj: str | None) -> str:
        return self._key(subject, name) if obj is None else self._key(subject, name, obj)

    def _run(self, statement: str, **asked: Any) -> list[dict[str, Any]]:
        found = self._transaction.run(statement, {"tenant": self._tenant, **asked})
        return [record.data() for record in found]

    def _nodes(self, match: str, order: str = "", **asked: Any) -> list[dict[str, Any]]:
        return [row["f"] for row in self._run(f"{match} RETURN properties(f) AS f {order}", **asked)]

    def _facts(self, match: str, order: str = "", **asked: Any) -> list[GraphFact]:
        return [fact_of(row) for row in self._nodes(match, order, **asked)]


def end_of(key: str) -> str:
    """A text after every one that begins with `key`."""
    return key + "\U0010ffff"


def fact_of(r: Mapping[str, Any]) -> GraphFact:
    purposes = frozenset(Purpose(p) for p in r["purposes"].split(",")) if r["purposes"] else ANY_PURPOSE
    return GraphFact(
        r["id"], r["seq"], r["subject"], r["name"], json.loads(r["value"]), r.get("object"), r["ended"],
        Micros(r["valid_from"]), None if r.get("valid_to") is None else Micros(r["valid_to"]), Micros(r["recorded_at"]),
        r["source"], r["confidence"], purposes,
    )  # fmt: skip


def event_of(r: Mapping[str, Any]) -> Event:
    return Event(r["id"], r["type"], Micros(r["time"]), r["subject"], json.loads(r["data"]), r["source"])


def merge_of(r: Mapping[str, Any]) -> Merge:
    undone = None if r.get("gone_at") is None else Retraction(Micros(r["gone_at"]), r["gone_why"], r["gone_by"])
    claim = SameAs(r["kept"], r["gone"], r["reason"], json.loads(r["evidence"]), r["confidence"])
    return Merge(r["id"], r["seq"], claim, Micros(r["recorded_at"]), r["actor"], undone)
