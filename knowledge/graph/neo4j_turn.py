"""A writer's turn at the graph in a database that speaks Cypher: everything in it becomes visible together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from neo4j import ManagedTransaction

from core.clock import Clock
from core.context import RequestContext
from core.events import Event
from core.ids import new_id
from core.times import Micros
from knowledge.graph import outbox
from knowledge.graph.backend import ALWAYS, Keyed
from knowledge.graph.log import erased_with, look_up_key, to_json
from knowledge.graph.model import GraphFact, Merge, Naming, Outdated, Reminder, Retraction
from knowledge.graph.neo4j_rows import Rows, end_of, event_of, fact_of, merge_of
from knowledge.graph.weight import Channel, DecayedSum


class Turn(Rows):
    """`FactWriter` in one transaction."""

    def __init__(self, transaction: ManagedTransaction, ctx: RequestContext, clock: Clock) -> None:
        super().__init__(transaction, ctx.tenant)
        self._ctx, self._clock = ctx, clock
        self._run(outbox.LOCK, log=new_id("log", clock))
        self._last = self._run(outbox.READ)[0]
        self._told: list[dict[str, Any]] = []

    def end(self) -> bool:
        """Keep how far the log has come, with what was told; whether anything was."""
        self._run(outbox.KEEP, last=self._last, rows=self._told)
        return bool(self._told)

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
        self._run("UNWIND $rows AS row CREATE (f:Fact) SET f = row", rows=rows)
        if edges := [{k: row[k] for k in ("owner", "key", "towards")} for row in rows if row["towards"]]:
            self._run(
                "UNWIND $rows AS row"
                " MATCH (s:Subject {key: row.owner}), (f:Fact {key: row.key}), (o:Subject {key: row.towards})"
                " CREATE (s)-[:SAYS]->(f)-[:OF]->(o)",
                rows=edges,
            )
        self._last["fact"] = facts[-1].seq

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
        self._last["merge"] = merge.seq

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

    def drop_outdated(self, old: Outdated, dry_run: bool) -> int:
        if old.object_type is None:
            label, match = "Event", "MATCH (f:Event) WHERE f.tenant = $tenant AND f.type = $name AND f.time < $before"
            keys = [r["key"] for r in self._run(f"{match} RETURN f.key AS key", name=old.name, before=old.before)]
        else:
            label, keys = "Fact", [key for own in self._curves(old.object_type, old.name) for key in _over(own, old)]
        for start in range(0, 0 if dry_run else len(keys), _TOGETHER):
            each = keys[start : start + _TOGETHER]
            self._run(f"MATCH (f:{label}) WHERE f.key IN $keys DETACH DELETE f", keys=each)
        return len(keys)

    def _curves(self, object_type: str, name: str) -> Iterator[list[dict[str, Any]]]:
        """The facts of a property, withdrawn ones too, subject by subject."""
        start = self._key(f"{object_type}/")
        rows = self._run(
            "MATCH (f:Fact) WHERE f.owner >= $start AND f.owner < $end AND f.name = $name AND f.object IS NULL"
            " RETURN f.key AS key, f.owner AS owner, f.valid_from AS valid_from, f.valid_to AS valid_to,"
            " f.recorded_at AS recorded_at, f.seq AS seq, f.gone_at AS gone_at ORDER BY owner",
            start=start, end=end_of(start), name=name,
        )  # fmt: skip
        for _, own in groupby(rows, key=lambda r: r["owner"]):
            yield list(own)

    def naming(self, words: Collection[str]) -> Naming:
        def told(label: str, *fields: str) -> list[dict[str, Any]]:
            has = " OR ".join(f"f.{field} CONTAINS w" for field in fields)
            match = f"MATCH (f:{label}) WHERE f.tenant = $tenant AND any(w IN $words WHERE {has})"
            return self._nodes(match, words=list(words))

        withdrawn = told("Fact", "gone_why")
        return Naming(
            [fact_of(r) for r in told("Fact", "value")],
            [event_of(r) for r in told("Event", "data")],
            [merge_of(r) for r in told("Merge", "reason", "evidence", "gone_why")],
            {r["id"]: Retraction(Micros(r["gone_at"]), r["gone_why"], r["gone_by"]) for r in withdrawn},
        )

    def retell(self, told: Naming) -> None:
        rows = {
            "Fact": [{"key": self._key(f.id), "value": to_json(f.value), "lookup": self._lookup(f)} for f in told.facts]
            + [{"key": self._key(fact), "gone_why": r.reason} for fact, r in told.retractions.items()],
            "Event": [{"key": self._key(e.source, e.id), "data": to_json(dict(e.data))} for e in told.events],
            "Merge": [
                {"key": self._key(m.id), "reason": m.claim.reason, "evidence": to_json(dict(m.claim.evidence)),
                 "gone_why": m.undone and m.undone.reason}
                for m in told.merges
            ],
        }  # fmt: skip
        for label, each in rows.items():
            self._run(f"UNWIND $rows AS row MATCH (f:{label} {{key: row.key}}) SET f += row", rows=each)

    def _lookup(self, fact: GraphFact) -> str | None:
        key = look_up_key(fact.value)
        return self._key(key) if key else None

    def audit(self, action: str, target: str, detail: Mapping[str, Any]) -> None:
        number = self.next_seq("audit")
        self._told.append(outbox.kept(self._ctx, self._last["log"], number, self._clock.now(), action, target, detail))
        self._last["audit"] = number

    def _keys_of(self, label: str, subjects: Collection[str]) -> list[str]:
        return [r["key"] for r in self._nodes(f"MATCH (f:{label}) WHERE f.owner IN $owners",
                                              owners=[self._key(s) for s in subjects])]  # fmt: skip

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


_TOGETHER = 10_000
"""Nodes deleted by one statement."""


def _over(facts: Sequence[Mapping[str, Any]], old: Outdated) -> Iterator[str]:
    """Keys of one property's facts that were over, withdrawn or replaced before the moment."""

    def rank(f: Mapping[str, Any]) -> tuple[int, int, int]:
        return f["valid_from"], f["recorded_at"], f["seq"]

    began = [f for f in facts if f["valid_from"] < old.before]
    lasting = [rank(f) for f in began if f["valid_to"] is None and f["gone_at"] is None]
    newest = max(lasting, default=None)
    for f in began:
        ended = f["valid_to"] is not None and f["valid_to"] <= old.before
        withdrawn = f["gone_at"] is not None and f["gone_at"] < old.before
        if ended or withdrawn or (newest is not None and rank(f) < newest):
            yield f["key"]
