"""The graph backend for Neo4j 5 (or what else speaks Bolt and Cypher): facts are nodes between what they speak of.
Writers take turns by a lock on one node; what they tell the hub's audit log goes there by outbox.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

from neo4j import Driver, GraphDatabase, ManagedTransaction, Session, Transaction
from neo4j.exceptions import AuthError, ConstraintError, DriverError, Neo4jError

from core.clock import Clock
from core.context import Purpose, RequestContext
from core.db import Database
from core.errors import InvalidInput, Unavailable
from core.events import Event
from core.ids import new_id
from core.text import Text
from core.times import Micros
from knowledge.graph import outbox
from knowledge.graph.answers import CustomerGraph
from knowledge.graph.backend import ALWAYS, FactReader, FactWriter, Given, Keyed
from knowledge.graph.curve import current
from knowledge.graph.derived import Derivations
from knowledge.graph.log import erased_with, look_up_key, to_json
from knowledge.graph.model import ANY_PURPOSE, GraphFact, Merge, Reminder, Retraction, SameAs
from knowledge.graph.port import PurposeLimits
from knowledge.graph.weight import Channel, DecayedSum

_SCHEMA = (
    *(f"CREATE CONSTRAINT {label.lower()}_key IF NOT EXISTS FOR (n:{label}) REQUIRE n.key IS UNIQUE"
      for label in ("Fact", "Subject", "Event", "Merge", "Sum", "Reminder", "Turn", "Audit")),
    *(f"CREATE INDEX {label.lower()}_{name} IF NOT EXISTS FOR (n:{label}) ON (n.{name})"
      for label, name in (
          ("Fact", "owner"), ("Fact", "about"), ("Fact", "towards"), ("Fact", "lookup"), ("Subject", "lookup"),
          ("Event", "owner"), ("Event", "named"), ("Merge", "kept_key"), ("Merge", "gone_key"), ("Sum", "owner"),
          ("Reminder", "at"), ("Reminder", "owner"),
      )),
)  # fmt: skip
_STANDS = "f.recorded_at <= $known_at AND (f.gone_at IS NULL OR f.gone_at > $known_at)"
_HOLDS = "f.valid_from <= $as_of AND (f.valid_to IS NULL OR f.valid_to > $as_of)"
_AGAIN_S = 0.02
"""A turn takes milliseconds: whoever lost it to another writer comes again soon, not after the driver's own second."""
_TRIES = 20
_PAGE = 500


class Neo4jGraphStore(CustomerGraph):
    """`GraphStore` over a database that speaks Bolt and Cypher.

    Args:
        url: `bolt://host:port` or `neo4j://host:port`, with user and password apart.
        audits: the relational store that keeps the audit log.

    Raises:
        InvalidInput: the address or the key is wrong.
        Unavailable: nobody answers there.
    """

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None,
        audits: Database,
        clock: Clock,
        limits: PurposeLimits | None = None,
        derived: Derivations | None = None,
        database: str | None = None,
    ) -> None:
        super().__init__(_Neo4jLog(_open(url, auth, database), database, audits, clock), clock, limits, derived)


def _open(url: str, auth: tuple[str, str] | None, database: str | None) -> Driver:
    try:
        driver = GraphDatabase.driver(url, auth=auth, initial_retry_delay=_AGAIN_S, retry_delay_multiplier=1.5)
        with driver.session(database=database) as session:
            for statement in _SCHEMA:
                session.run(statement).consume()
    except (ValueError, AuthError) as cause:
        raise InvalidInput(Text(f"图数据库不可用：{cause}", f"the graph database cannot be used: {cause}")) from cause
    except (DriverError, Neo4jError) as cause:
        raise Unavailable(Text(f"图数据库没有应答：{cause}", f"the graph database does not answer: {cause}")) from cause
    return driver


def _in_turn(session: Session, work: Callable[[ManagedTransaction], Given]) -> Given:
    """Do work that takes the lock. A server that lets turns overlap and refuses the later one at its end may do so by a
    key that both made: as good a reason to begin anew as the errors that the driver itself takes for one."""
    for _ in range(_TRIES):
        with suppress(ConstraintError):
            return session.execute_write(work)
    return session.execute_write(work)


class _Neo4jLog:
    """`FactLog` over a driver."""

    def __init__(self, driver: Driver, database: str | None, audits: Database, clock: Clock) -> None:
        self._driver, self._database, self._audits, self._clock = driver, database, audits, clock
        self._tell()  # what a process that died left

    @contextmanager
    def reading(self, ctx: RequestContext) -> Iterator[FactReader]:
        with self._driver.session(database=self._database) as session, session.begin_transaction() as transaction:
            yield _Rows(transaction, ctx.tenant)

    def write(self, ctx: RequestContext, work: Callable[[FactWriter], Given]) -> Given:
        with self._driver.session(database=self._database) as session:
            given = _in_turn(session, lambda transaction: work(_Turn(transaction, ctx, self._clock)))
        self._tell()
        return given

    def _tell(self) -> None:
        with self._driver.session(database=self._database) as session:
            outbox.copy(session, self._audits)

    def close(self) -> None:
        self._driver.close()


class _Rows:
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
                           **{"from": start, "end": _end(start), "limit": limit, "known_at": ALWAYS})  # fmt: skip

    def subjects_like(self, text: str, key: str, limit: int) -> list[tuple[str, str]]:
        start = self._key(key)
        match = "MATCH (f:Subject) WHERE f.key = $text OR (f.lookup >= $from AND f.lookup < $end)"
        rows = self._nodes(match, "ORDER BY f.key <> $text, f.lookup, f.key LIMIT $limit",
                           **{"text": self._key(text), "from": start, "end": _end(start), "limit": limit})  # fmt: skip
        return [(r["subject"], r["lookup"].split(_SEP, 1)[1]) for r in rows]

    def subjects_of(self, object_type: str, after: str, limit: int) -> list[str]:
        start = f"{object_type}/"
        match = "MATCH (f:Subject) WHERE f.key > $after AND f.key < $end"
        rows = self._nodes(match, "ORDER BY f.key LIMIT $limit", after=self._key(max(start, after)),
                           end=_end(self._key(start)), limit=limit)  # fmt: skip
        return [r["subject"] for r in rows]

    def events_before(
        self, subject: str, until: Micros, types: Collection[str], since: Micros | None = None
    ) -> Iterator[Event]:
        match = "MATCH (f:Event) WHERE f.owner = $owner AND f.time <= $until AND f.time > $since"
        match += " AND f.type IN $types" if types else ""
        asked = {"owner": self._key(subject), "until": until, "since": -1 if since is None else since}
        skip = 0
        while page := self._nodes(match, "ORDER BY f.time DESC, f.id DESC, f.source DESC SKIP $skip LIMIT $page",
                                  types=list(types), skip=skip, page=_PAGE, **asked):  # fmt: skip
            yield from map(_event, page)
            skip += _PAGE

    def events_by_id(self, event_id: str) -> list[Event]:
        return [_event(r) for r in self._nodes("MATCH (f:Event) WHERE f.named = $named", named=self._key(event_id))]

    def merges_of(self, subjects: Collection[str], known_at: Micros) -> list[Merge]:
        match = f"MATCH (f:Merge) WHERE (f.kept_key IN $keys OR f.gone_key IN $keys) AND {_STANDS}"
        found: dict[str, Merge] = {}
        asked, seen = set(subjects), set[str]()
        while asked:
            rows = self._nodes(match, keys=[self._key(s) for s in asked], known_at=known_at)
            found.update((r["id"], _merge(r)) for r in rows)
            seen |= asked
            asked = {s for m in found.values() for s in (m.claim.kept, m.claim.gone)} - seen
        return list(found.values())

    def merges_by_id(self, ids: Collection[str]) -> dict[str, Merge]:
        rows = self._nodes("MATCH (f:Merge) WHERE f.key IN $keys", keys=[self._key(i) for i in ids])
        return {r["id"]: _merge(r) for r in rows}

    def all_of(self, subjects: Collection[str]) -> tuple[list[GraphFact], list[Event], list[Merge]]:
        keys = [self._key(s) for s in subjects]
        facts = [*self._facts("MATCH (f:Fact) WHERE f.owner IN $keys", keys=keys),
                 *self._facts("MATCH (f:Fact) WHERE f.towards IN $keys", keys=keys)]  # fmt: skip
        events = [_event(r) for r in self._nodes("MATCH (f:Event) WHERE f.owner IN $keys", keys=keys)]
        merges = self._nodes("MATCH (f:Merge) WHERE f.kept_key IN $keys OR f.gone_key IN $keys", keys=keys)
        return (
            [f for _, f in sorted({f.seq: f for f in facts}.items())],
            sorted(events, key=lambda e: e.order),
            sorted(map(_merge, merges), key=lambda m: m.seq),
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
        return [_fact(row) for row in self._nodes(match, order, **asked)]


class _Turn(_Rows):
    """`FactWriter` in one transaction."""

    def __init__(self, transaction: ManagedTransaction, ctx: RequestContext, clock: Clock) -> None:
        super().__init__(transaction, ctx.tenant)
        self._ctx, self._clock = ctx, clock
        self._run(outbox.LOCK, log=new_id("log", clock))
        self._last = self._run(outbox.READ)[0]

    def next_seq(self, kind: Literal["fact", "merge", "audit"] = "fact") -> int:
        return int(self._last[kind]) + 1

    def known_ids(self, ids: Collection[str]) -> set[str]:
        keys = [self._key(i) for i in ids]
        return {r["id"] for r in self._run("MATCH (f:Fact) WHERE f.key IN $keys RETURN f.id AS id", keys=keys)}

    def latest_claim(self, subject: str, name: str, obj: str | None, valid_from: int, source: str) -> GraphFact | None:
        found = [f for f in self.facts_of(subject, name, obj, ALWAYS)
                 if (f.valid_from, f.source) == (valid_from, source)]  # fmt: skip
        return max(found, key=lambda f: f.rank, default=None)

    def add_facts(self, facts: Sequence[GraphFact], keys: Sequence[Keyed]) -> None:
        lookups = {k.seq: self._key(k.key) for k in keys}
        rows = [{**self._row(f), "lookup": lookups.get(f.seq)} for f in facts]
        ends = {end for f in facts for end in (f.subject, f.object) if end is not None and f.object is not None}
        self.add_subjects({s: look_up_key(s.split("/", 1)[-1]) for s in ends})
        self._run("UNWIND $rows AS row CREATE (f:Fact) SET f = row", rows=rows)
        self._run(
            "UNWIND $rows AS row"
            " MATCH (s:Subject {key: row.owner}), (f:Fact {key: row.key}), (o:Subject {key: row.towards})"
            " CREATE (s)-[:SAYS]->(f)-[:OF]->(o)",
            rows=[{k: row[k] for k in ("owner", "key", "towards")} for row in rows if row["towards"]],
        )
        if facts:
            self._reach("fact", facts[-1].seq)

    def add_subjects(self, subjects: Mapping[str, str]) -> None:
        rows = [{"key": self._key(s), "subject": s, "lookup": self._key(k)} for s, k in sorted(subjects.items())]
        self._run(
            "UNWIND $rows AS row MERGE (s:Subject {key: row.key})"
            " ON CREATE SET s.tenant = $tenant, s.subject = row.subject, s.lookup = row.lookup",
            rows=rows,
        )

    def add_retractions(self, facts: Sequence[GraphFact], retraction: Retraction) -> int:
        return self._withdraw("Fact", [f.id for f in facts], retraction)

    def add_events(self, events: Sequence[Event]) -> list[Event]:
        each = {self._key(e.source, e.id): e for e in reversed(events)}
        known = self._run("MATCH (f:Event) WHERE f.key IN $keys RETURN f.key AS key", keys=list(each))
        new = {key: each[key] for key in each.keys() - {r["key"] for r in known}}
        rows = [
            {"key": key, "tenant": self._tenant, "owner": self._key(e.subject), "named": self._key(e.id), "id": e.id,
             "source": e.source, "type": e.type, "subject": e.subject, "time": e.time, "data": to_json(dict(e.data))}
            for key, e in new.items()
        ]  # fmt: skip
        self._run("UNWIND $rows AS row CREATE (f:Event) SET f = row", rows=rows)
        return [e for e in events if new.pop(self._key(e.source, e.id), None) is not None]

    def add_merge(self, merge: Merge) -> None:
        claim = merge.claim
        row = {"key": self._key(merge.id), "tenant": self._tenant, "id": merge.id, "seq": merge.seq, "kept": claim.kept,
               "gone": claim.gone, "kept_key": self._key(claim.kept), "gone_key": self._key(claim.gone),
               "reason": claim.reason, "evidence": to_json(dict(claim.evidence)), "confidence": claim.confidence,
               "recorded_at": merge.recorded_at, "actor": merge.actor}  # fmt: skip
        self._run("CREATE (f:Merge) SET f = $row", row=row)
        self._reach("merge", merge.seq)

    def undo_merges(self, merges: Sequence[Merge], undone: Retraction) -> int:
        return self._withdraw("Merge", [m.id for m in merges], undone)

    def put_sums(self, subject: str, sums: Mapping[Channel, DecayedSum]) -> None:
        rows = [
            {"key": self._key(subject, c.event, c.value or "", str(c.half_life)), "owner": self._key(subject),
             "event": c.event, "value": c.value, "half_life": c.half_life, "total": s.total, "at": s.at}
            for c, s in sums.items()
        ]  # fmt: skip
        self._run("UNWIND $rows AS row MERGE (f:Sum {key: row.key}) SET f = row", rows=rows)

    def add_reminders(self, reminders: Collection[Reminder]) -> None:
        rows = [
            {"key": self._key(str(r.at), r.item, r.subject), "tenant": self._tenant, "at": r.at, "item": r.item,
             "subject": r.subject, "owner": self._key(r.subject)}
            for r in reminders
        ]  # fmt: skip
        self._run("UNWIND $rows AS row MERGE (f:Reminder {key: row.key}) SET f = row", rows=rows)

    def drop_reminders(self, reminders: Collection[Reminder]) -> None:
        keys = [self._key(str(r.at), r.item, r.subject) for r in reminders]
        self._run("MATCH (f:Reminder) WHERE f.key IN $keys DETACH DELETE f", keys=keys)

    def erase(self, subjects: Collection[str], dry_run: bool) -> dict[str, int]:
        facts, events, merges = self.all_of(subjects)
        edges = sum(f.object is not None for f in facts)
        keys = {
            "Fact": [self._key(f.id) for f in facts],
            "Event": [self._key(e.source, e.id) for e in events],
            "Merge": [self._key(m.id) for m in merges],
            "Sum": self._keys_of("Sum", subjects),
            "Reminder": self._keys_of("Reminder", subjects),
            "Subject": [self._key(s) for s in erased_with(self, subjects, facts)],
        }
        known = self._run("MATCH (f:Subject) WHERE f.key IN $keys RETURN count(f) AS n", keys=keys["Subject"])[0]["n"]
        counts = {
            "lookups": sum(bool(look_up_key(f.value)) for f in facts),
            "retractions": len(self.retractions(facts)),
            "edges": edges,
            "facts": len(facts),
            "events": len(events),
            "merges": len(merges),
            "sums": len(keys["Sum"]),
            "reminders": len(keys["Reminder"]),
            "subjects": known,
        }
        for label, each in keys.items() if not dry_run else ():
            self._run(f"MATCH (f:{label}) WHERE f.key IN $keys DETACH DELETE f", keys=each)
        return counts

    def audit(self, action: str, target: str, detail: Mapping[str, Any]) -> None:
        number = self.next_seq("audit")
        row = outbox.kept(self._ctx, self._last["log"], number, self._clock.now(), action, target, detail)
        self._run(outbox.KEEP, row=row)
        self._reach("audit", number)

    def _keys_of(self, label: str, subjects: Collection[str]) -> list[str]:
        return [r["key"] for r in self._nodes(f"MATCH (f:{label}) WHERE f.owner IN $owners",
                                              owners=[self._key(s) for s in subjects])]  # fmt: skip

    def _reach(self, kind: Literal["fact", "merge", "audit"], seq: int) -> None:
        self._last[kind] = seq
        self._run(f"MATCH (t:Turn {{key: 'log'}}) SET t.{kind} = $seq", seq=seq)

    def _withdraw(self, label: str, ids: Iterable[str], gone: Retraction) -> int:
        rows = self._run(
            f"MATCH (f:{label}) WHERE f.key IN $keys AND f.gone_at IS NULL"
            " SET f.gone_at = $at, f.gone_why = $why, f.gone_by = $by RETURN count(f) AS n",
            keys=[self._key(i) for i in ids], at=gone.recorded_at, why=gone.reason, by=gone.actor,
        )  # fmt: skip
        return int(rows[0]["n"]) if rows else 0

    def _row(self, f: GraphFact) -> dict[str, Any]:
        return {
            "key": self._key(f.id), "tenant": self._tenant, "owner": self._key(f.subject),
            "about": self._about(f.subject, f.name, f.object),
            "towards": None if f.object is None else self._key(f.object),
            "id": f.id, "seq": f.seq, "subject": f.subject, "name": f.name, "value": to_json(f.value),
            "object": f.object, "ended": f.ended, "valid_from": f.valid_from, "valid_to": f.valid_to,
            "recorded_at": f.recorded_at, "source": f.source, "confidence": float(f.confidence),
            "purposes": ",".join(sorted(f.purposes)),
        }  # fmt: skip


_SEP = "\x1f"
_OUT = "MATCH (s:Subject)-[:SAYS]->(f:Fact)"
_IN = "MATCH (s:Subject)<-[:OF]-(f:Fact)"


def _end(key: str) -> str:
    """A text after every one that begins with `key`."""
    return key + "\U0010ffff"


def _fact(r: Mapping[str, Any]) -> GraphFact:
    purposes = frozenset(Purpose(p) for p in r["purposes"].split(",")) if r["purposes"] else ANY_PURPOSE
    return GraphFact(
        r["id"], r["seq"], r["subject"], r["name"], json.loads(r["value"]), r.get("object"), r["ended"],
        Micros(r["valid_from"]), None if r.get("valid_to") is None else Micros(r["valid_to"]), Micros(r["recorded_at"]),
        r["source"], r["confidence"], purposes,
    )  # fmt: skip


def _event(r: Mapping[str, Any]) -> Event:
    return Event(r["id"], r["type"], Micros(r["time"]), r["subject"], json.loads(r["data"]), r["source"])


def _merge(r: Mapping[str, Any]) -> Merge:
    undone = None if r.get("gone_at") is None else Retraction(Micros(r["gone_at"]), r["gone_why"], r["gone_by"])
    claim = SameAs(r["kept"], r["gone"], r["reason"], json.loads(r["evidence"]), r["confidence"])
    return Merge(r["id"], r["seq"], claim, Micros(r["recorded_at"]), r["actor"], undone)
