"""The embedded graph backend: a bi-temporal fact log with adjacency tables, in the hub's relational store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import Forbidden, InvalidInput, NotFound
from core.events import Event
from core.telemetry import span
from core.text import Text
from core.times import Micros
from knowledge.graph import repository
from knowledge.graph.curve import current, steps
from knowledge.graph.limits import NoLimits
from knowledge.graph.log import Intake, check_claim, look_up_key, subject_key
from knowledge.graph.model import (
    Assertion,
    Explanation,
    GraphFact,
    Match,
    Matches,
    Neighbourhood,
    Profile,
    Retraction,
    Series,
    Stats,
    Timeline,
    may_use,
)
from knowledge.graph.port import PurposeLimits

_MAX_EDGES = 2_000
"""Edges read in one direction from one set of nodes: a shop with a million customers must not fill the memory."""
_MAX_HOPS = 4


class SqliteGraphStore:
    """`GraphStore` over `core.db.Database`."""

    def __init__(self, database: Database, clock: Clock, limits: PurposeLimits | None = None) -> None:
        self._database, self._clock, self._limits = database, clock, limits or NoLimits()

    # --- writing ---

    def assert_facts(self, ctx: RequestContext, batch: Sequence[Assertion]) -> list[str]:
        for place, claim in enumerate(batch):
            check_claim(claim, place)
        if not batch:
            return []
        with span("graph.assert", facts=len(batch)), self._database.transaction() as session:
            log = Intake(ctx, session, self._clock.now(), batch)
            ids = [log.add(claim) for claim in batch]
            repository.add_facts(session, ctx.tenant, log.added, log.keys)
            repository.add_subjects(session, ctx.tenant, log.subjects)
            if log.added:
                sources = sorted({f.source for f in log.added})
                detail = {"facts": len(log.added), "sources": sources[:10], "first": log.added[0].id}
                audit.record(session, ctx, self._clock, "graph.assert", f"{len(log.added)} facts", detail)
        return ids

    def retract(self, ctx: RequestContext, fact_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        with span("graph.retract", facts=len(fact_ids)), self._database.transaction() as session:
            facts = repository.facts_by_id(session, ctx.tenant, fact_ids)
            for fact_id in fact_ids:
                if fact_id not in facts:
                    raise _no_fact(fact_id)
            retraction = Retraction(at if at is not None else self._clock.now(), reason, ctx.actor)
            new = repository.add_retractions(session, ctx.tenant, list(facts.values()), retraction)
            if new:
                detail = {"facts": list(fact_ids)[:100], "reason": reason}
                audit.record(session, ctx, self._clock, "graph.retract", f"{new} facts", detail)
        return new

    def record_events(self, ctx: RequestContext, events: Sequence[Event]) -> int:
        if not events:
            return 0
        with span("graph.record_events", events=len(events)), self._database.transaction() as session:
            new = repository.add_events(session, ctx.tenant, events)
            repository.add_subjects(session, ctx.tenant, {e.subject: subject_key(e.subject) for e in events})
            if new:
                audit.record(session, ctx, self._clock, "graph.record_events", f"{new} events")
        return new

    # --- reading ---

    def profile(
        self, ctx: RequestContext, subject: str, as_of: Micros | None = None, known_at: Micros | None = None
    ) -> Profile:
        moment = self._clock.now() if as_of is None else as_of
        with span("graph.profile"), self._database.reading() as session:
            facts = repository.values_of(session, ctx.tenant, subject, moment, known_at)
        given = [f for f in facts if f.value is not None]
        seen = [f for f in given if self._may_see(ctx, f)]
        return Profile(subject, moment, {f.name: f for f in seen}, len(given) - len(seen))

    def series(
        self,
        ctx: RequestContext,
        subject: str,
        name: str,
        since: Micros | None = None,
        until: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Series:
        with span("graph.series"), self._database.reading() as session:
            facts = repository.facts_of(session, ctx.tenant, subject, name, known_at=known_at)
        curve = [s for s in steps(facts, since, until) if s.value is not None]
        seen = tuple(s for s in curve if self._may_see(ctx, s.fact))
        withheld = {s.fact.id for s in curve} - {s.fact.id for s in seen}
        return Series(subject, name, seen, len(withheld))

    def neighbourhood(
        self,
        ctx: RequestContext,
        subject: str,
        hops: int = 1,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Neighbourhood:
        if not 0 <= hops <= _MAX_HOPS:
            raise InvalidInput(
                Text(f"跳数 {hops} 不在 0 到 {_MAX_HOPS} 之间", f"{hops} hops are not between 0 and {_MAX_HOPS}"),
                where={"field": "hops"},
            )
        moment = self._clock.now() if as_of is None else as_of
        distance, edges = {subject: 0}, dict[str, GraphFact]()
        withheld: set[str] = set()
        truncated, frontier = False, [subject]
        with span("graph.neighbourhood", hops=hops), self._database.reading() as session:
            for hop in range(1, hops + 1):
                rows, more = repository.edges_at(session, ctx.tenant, frontier, moment, known_at, _MAX_EDGES)
                truncated, frontier = truncated or more, []
                for fact in _standing(rows, moment):
                    if not self._may_see(ctx, fact):
                        withheld.add(fact.id)
                        continue
                    edges[fact.id] = fact
                    for node in (fact.subject, fact.object or ""):
                        if node not in distance:
                            distance[node] = hop
                            frontier.append(node)
                if not frontier:
                    break
        ordered = tuple(sorted(edges.values(), key=lambda f: (f.subject, f.name, f.object or "", f.seq)))
        return Neighbourhood(subject, distance, ordered, len(withheld), truncated)

    def timeline(
        self,
        ctx: RequestContext,
        subject: str,
        limit: int = 20,
        until: Micros | None = None,
        types: Collection[str] = (),
    ) -> Timeline:
        moment = self._clock.now() if until is None else until
        kept: list[Event] = []
        withheld = 0
        with span("graph.timeline"), self._database.reading() as session:
            for event in repository.events_before(session, ctx.tenant, subject, moment, types):
                if len(kept) >= limit:
                    break
                if may_use(ctx.purpose, self._limits.of_event(event.type)):
                    kept.append(self._for_purpose(ctx, event))
                else:
                    withheld += 1
        return Timeline(subject, tuple(kept), withheld)

    def find(self, ctx: RequestContext, text: str, limit: int = 10) -> Matches:
        key = look_up_key(text)
        if not key:
            return Matches(())
        moment, wide = self._clock.now(), max(limit * 5, 50)
        found: list[Match] = []
        withheld = 0
        with span("graph.find"), self._database.reading() as session:
            for subject, own in repository.subjects_like(session, ctx.tenant, text.strip(), key, wide):
                found.append(Match(subject, None, own == key or subject == text.strip(), True))
            for fact in repository.lookup(session, ctx.tenant, key, wide):
                if not self._may_see(ctx, fact):
                    withheld += 1
                    continue
                same = repository.facts_of(session, ctx.tenant, fact.subject, fact.name)
                counts = current(same, moment)
                is_current = counts is not None and counts.value == fact.value
                found.append(Match(fact.subject, fact, look_up_key(fact.value) == key, is_current))
        found.sort(key=lambda m: (not m.exact, not m.current))  # stable: ids first, then in order of value
        best: dict[str, Match] = {}
        for match in found:
            best.setdefault(match.subject, match)
        return Matches(tuple(best.values())[:limit], withheld)

    def explain(self, ctx: RequestContext, fact_id: str) -> Explanation:
        with span("graph.explain"), self._database.reading() as session:
            fact = repository.facts_by_id(session, ctx.tenant, [fact_id]).get(fact_id)
            if fact is None:
                raise _no_fact(fact_id)
            if not self._may_see(ctx, fact):
                raise Forbidden(
                    Text(
                        f"事实 {fact_id} 不能用于目的 {ctx.purpose}",
                        f"fact {fact_id} may not be used for the purpose {ctx.purpose}",
                    )
                )
            if retraction := repository.retraction_of(session, fact):
                return Explanation(fact, "retracted", retraction=retraction)
            now = self._clock.now()
            same = repository.facts_of(session, ctx.tenant, fact.subject, fact.name, fact.object)
        if fact.valid_from > now:
            return Explanation(fact, "future")
        counts = current(same, now)
        if counts is not None and counts.id == fact.id:
            return Explanation(fact, "current")
        if counts is not None and counts.rank > fact.rank:
            return Explanation(fact, "superseded", by=counts if self._may_see(ctx, counts) else None)
        return Explanation(fact, "past")

    def exists(self, ctx: RequestContext, evidence_id: str) -> bool:
        with self._database.reading() as session:
            fact = repository.facts_by_id(session, ctx.tenant, [evidence_id]).get(evidence_id)
            if fact is not None:
                return self._may_see(ctx, fact) and repository.retraction_of(session, fact) is None
            events = repository.events_by_id(session, ctx.tenant, evidence_id)
        return any(may_use(ctx.purpose, self._limits.of_event(e.type)) for e in events)

    def stats(self, ctx: RequestContext) -> Stats:
        with self._database.reading() as session:
            return Stats(*repository.counts(session, ctx.tenant))

    # --- purposes ---

    def _may_see(self, ctx: RequestContext, fact: GraphFact) -> bool:
        limits = (
            self._limits.of_property(fact.subject.split("/", 1)[0], fact.name)
            if fact.object is None
            else self._limits.of_relation(fact.name)
        )
        return may_use(ctx.purpose, fact.purposes, limits)

    def _for_purpose(self, ctx: RequestContext, event: Event) -> Event:
        data = {k: v for k, v in event.data.items() if may_use(ctx.purpose, self._limits.of_field(event.type, k))}
        return Event(event.id, event.type, event.time, event.subject, data, event.source)


def _standing(facts: Iterable[GraphFact], at: Micros) -> Iterable[GraphFact]:
    """Of each edge the fact that counts, without edges that hold no longer."""

    def edge(fact: GraphFact) -> tuple[str, str, str]:
        return (fact.subject, fact.name, fact.object or "")

    for _, group in groupby(sorted(facts, key=edge), key=edge):
        fact = current(group, at)
        if fact is not None and not fact.ended:
            yield fact


def _no_fact(fact_id: str) -> NotFound:
    return NotFound(Text(f"没有事实 {fact_id!r}", f"there is no fact {fact_id!r}"))
