"""The customer graph over any backend's facts: what is recorded, withdrawn, merged and erased, and what reads answer.
Which fact counts is in curve.py, who is whom in identity.py; how rows are kept is the backend's."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from core.clock import Clock
from core.context import Purpose, RequestContext, may_use
from core.errors import Forbidden, InvalidInput, NotFound
from core.events import Event
from core.telemetry import span
from core.text import Text
from core.times import Micros
from core.together import Together
from knowledge.catalog import Catalog
from knowledge.graph.backend import ALWAYS, FactLog, FactReader, FactWriter, Given
from knowledge.graph.curve import change, current, standing, trend
from knowledge.graph.derived import Derivations
from knowledge.graph.identity import Survivorship, canonical, identities
from knowledge.graph.limits import NoLimits
from knowledge.graph.log import Intake, check_claim, check_same, look_up_key, merge_of, subject_key
from knowledge.graph.model import (
    Assertion,
    Conflict,
    Erasure,
    Explanation,
    Export,
    GraphFact,
    Identity,
    Match,
    Matches,
    Neighbourhood,
    Profile,
    Retraction,
    SameAs,
    Series,
    Stats,
    Timeline,
)
from knowledge.graph.port import PurposeLimits

_MAX_EDGES = 2_000
"""Edges read in one direction from one set of nodes: a shop with a million customers must not fill the memory."""
_MAX_HOPS = 4
_MOST_TOGETHER = 20_000
"""Claims committed in one transaction when several callers come at once."""


_NOTHING = Catalog(catalog=1)


class TemporalGraph:
    """`GraphStore` over a `FactLog`."""

    def __init__(
        self,
        log: FactLog,
        clock: Clock,
        limits: PurposeLimits | None = None,
        derived: Derivations | None = None,
    ) -> None:
        self._log, self._clock, self._limits = log, clock, limits or NoLimits()
        self._derived = derived or Derivations(lambda: _NOTHING)
        self.listeners: list[Callable[[RequestContext], None]] = []
        """Told after each write that something may be due."""
        self._survivors = Survivorship(self._limits.trusted)
        self._together = Together(self._assert_all, _MOST_TOGETHER)

    def close(self) -> None:
        """Let go of what the backend holds open."""
        self._log.close()

    # --- writing ---

    def assert_facts(self, ctx: RequestContext, batch: Sequence[Assertion]) -> list[str]:
        for place, claim in enumerate(batch):
            check_claim(claim, place)
        if not batch:
            return []
        with span("graph.assert", facts=len(batch)):
            return self._together((ctx, batch), len(batch))

    def _assert_all(self, asked: Sequence[tuple[RequestContext, Sequence[Assertion]]]) -> list[list[str]]:
        """Batches that came at once, in one transaction for each tenant and actor that follow each other."""
        answers: list[list[str]] = []
        for ctx, turns in groupby(asked, key=lambda a: a[0]):
            answers += self._write(ctx, partial(self._take_all, ctx, [batch for _, batch in turns]))
        return answers

    def _take_all(
        self, ctx: RequestContext, batches: Sequence[Sequence[Assertion]], turn: FactWriter
    ) -> list[list[str]]:
        return [self._take(ctx, turn, batch) for batch in batches]

    def _take(self, ctx: RequestContext, turn: FactWriter, batch: Sequence[Assertion]) -> list[str]:
        intake = Intake(ctx.tenant, turn, self._clock.now(), batch)
        if added := intake.added:
            turn.add_subjects(intake.subjects)
            turn.add_facts(added, intake.keys)
            sources = sorted({f.source for f in added})
            detail = {"facts": len(added), "sources": sources[:10], "first": added[0].id}
            self._derived.take_facts(turn, added)
            turn.audit("graph.assert", f"{len(added)} facts", detail)
        return intake.answers

    def retract(self, ctx: RequestContext, fact_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        retraction = Retraction(at if at is not None else self._clock.now(), reason, ctx.actor)

        def work(turn: FactWriter) -> int:
            facts = turn.facts_by_id(fact_ids)
            for fact_id in fact_ids:
                if fact_id not in facts:
                    raise _no_fact(fact_id)
            if new := turn.add_retractions(list(facts.values()), retraction):
                self._derived.take_facts(turn, list(facts.values()))
                detail = {"facts": list(fact_ids)[:100], "reason": reason}
                turn.audit("graph.retract", f"{new} facts", detail)
            return new

        with span("graph.retract", facts=len(fact_ids)):
            return self._write(ctx, work)

    def record_events(self, ctx: RequestContext, events: Sequence[Event]) -> int:
        def work(turn: FactWriter) -> int:
            new = turn.add_events(events)
            turn.add_subjects({e.subject: subject_key(e.subject) for e in events})
            if new:
                self._derived.take_events(turn, new)
                turn.audit("graph.record_events", f"{len(new)} events", {})
            return len(new)

        if not events:
            return 0
        with span("graph.record_events", events=len(events)):
            return self._write(ctx, work)

    def _write(self, ctx: RequestContext, work: Callable[[FactWriter], Given]) -> Given:
        given = self._log.write(ctx, work)
        for listener in self.listeners:
            listener(ctx)
        return given

    # --- who is whom ---

    def merge(self, ctx: RequestContext, claims: Sequence[SameAs], at: Micros | None = None) -> list[str]:
        for place, claim in enumerate(claims):
            check_same(claim, place)
        moment = self._clock.now() if at is None else at

        def work(turn: FactWriter) -> list[str]:
            answers, new = [], 0
            for claim in claims:
                merge = merge_of(ctx.tenant, turn, claim, moment, ctx.actor)
                if not turn.merges_by_id([merge.id]):
                    turn.add_merge(merge)
                    turn.add_subjects({s: subject_key(s) for s in (claim.kept, claim.gone)})
                    new += 1
                answers.append(merge.id)
            if new:
                turn.add_reminders(self._derived.about([s for c in claims for s in (c.kept, c.gone)], moment))
                turn.audit("graph.merge", f"{new} merges", {"merges": answers[:100]})
            return answers

        if not claims:
            return []
        with span("graph.merge", merges=len(claims)):
            return self._write(ctx, work)

    def unmerge(self, ctx: RequestContext, merge_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        undone = Retraction(self._clock.now() if at is None else at, reason, ctx.actor)

        def work(turn: FactWriter) -> int:
            merges = turn.merges_by_id(merge_ids)
            for merge_id in merge_ids:
                if merge_id not in merges:
                    raise NotFound(Text(f"没有合并 {merge_id!r}", f"there is no merge {merge_id!r}"))
            if new := turn.undo_merges(list(merges.values()), undone):
                records = [s for m in merges.values() for s in (m.claim.kept, m.claim.gone)]
                turn.add_reminders(self._derived.about(records, undone.recorded_at))
                turn.audit("graph.unmerge", f"{new} merges", {"merges": list(merge_ids)[:100], "reason": reason})
            return new

        with span("graph.unmerge", merges=len(merge_ids)):
            return self._write(ctx, work)

    def identity(self, ctx: RequestContext, subject: str, known_at: Micros | None = None) -> Identity:
        with self._log.reading(ctx) as reader:
            return self._who(reader, [subject], _known(known_at))[subject]

    def _who(self, reader: FactReader, subjects: Collection[str], known_at: Micros) -> dict[str, Identity]:
        return identities(reader.merges_of(subjects, known_at), subjects)

    # --- reading ---

    def records(self, ctx: RequestContext, object_type: str, after: str = "", limit: int = 1_000) -> list[str]:
        with self._log.reading(ctx) as reader:
            return reader.subjects_of(object_type, after, limit)

    def count(self, ctx: RequestContext, object_type: str) -> int:
        with self._log.reading(ctx) as reader:
            return reader.count_of(object_type)

    def record(self, ctx: RequestContext, subject: str) -> Profile:
        with span("graph.record"), self._log.reading(ctx) as reader:
            return self._profile_of(ctx, reader, Identity(subject, (subject,)), self._clock.now(), ALWAYS)

    def profile(
        self, ctx: RequestContext, subject: str, as_of: Micros | None = None, known_at: Micros | None = None
    ) -> Profile:
        moment = self._clock.now() if as_of is None else as_of
        with span("graph.profile"), self._log.reading(ctx) as reader:
            who = self._who(reader, [subject], _known(known_at))[subject]
            return self._profile_of(ctx, reader, who, moment, _known(known_at))

    def _profile_of(
        self, ctx: RequestContext, reader: FactReader, who: Identity, at: Micros, known_at: Micros
    ) -> Profile:
        given: dict[str, list[GraphFact]] = {}
        for member in who.members:
            for fact in reader.values_of(member, at, known_at):
                given.setdefault(fact.name, []).append(fact)
        values: dict[str, GraphFact] = {}
        conflicts: dict[str, Conflict] = {}
        withheld = 0
        for name in sorted(given):
            kept, conflict = self._survivors.choose(given[name])
            if kept is None or kept.value is None:
                continue
            if not self._may_see(ctx, kept):
                withheld += 1
                continue
            values[name] = kept
            if conflict and (others := tuple(f for f in conflict.others if self._may_see(ctx, f))):
                conflicts[name] = replace(conflict, others=others)
        return Profile(who.canonical, at, values, withheld, conflicts)

    def series(
        self,
        ctx: RequestContext,
        subject: str,
        name: str,
        since: Micros | None = None,
        until: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Series:
        with span("graph.series"), self._log.reading(ctx) as reader:
            who = self._who(reader, [subject], _known(known_at))[subject]
            records = [reader.facts_of(m, name, None, _known(known_at)) for m in who.members]
        curve = [s for s in self._survivors.curve(records, since, until) if s.value is not None]
        seen = tuple(s for s in curve if self._may_see(ctx, s.fact))
        withheld = {s.fact.id for s in curve} - {s.fact.id for s in seen}
        return Series(who.canonical, name, seen, len(withheld), change(seen), trend(seen))

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
        moment, known = self._clock.now() if as_of is None else as_of, _known(known_at)
        edges = dict[str, GraphFact]()
        withheld: set[str] = set()
        truncated = False
        with span("graph.neighbourhood", hops=hops), self._log.reading(ctx) as reader:
            whom = self._who(reader, [subject], known)
            start = whom[subject]
            distance, frontier = {start.canonical: 0}, list(start.members)
            for hop in range(1, hops + 1):
                rows, more = reader.edges_at(frontier, moment, known, _MAX_EDGES)
                truncated, frontier = truncated or more, []
                ends = {end for f in rows for end in (f.subject, f.object or "") if end not in whom}
                whom.update(self._who(reader, ends, known))
                members = {who.canonical: who.members for who in whom.values()}
                for fact in standing((canonical(f, whom) for f in rows), moment):
                    if not self._may_see(ctx, fact):
                        withheld.add(fact.id)
                        continue
                    edges[fact.id] = fact
                    for node in (fact.subject, fact.object or ""):
                        if node not in distance:
                            distance[node] = hop
                            frontier += members[node]
                if not frontier:
                    break
        ordered = tuple(sorted(edges.values(), key=lambda f: (f.subject, f.name, f.object or "", f.seq)))
        return Neighbourhood(start.canonical, distance, ordered, len(withheld), truncated)

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
        with span("graph.timeline"), self._log.reading(ctx) as reader:
            who = self._who(reader, [subject], ALWAYS)[subject]
            each = [reader.events_before(member, moment, types) for member in who.members]
            for event in heapq.merge(*each, key=lambda e: e.order, reverse=True):
                if len(kept) >= limit:
                    break
                if may_use(ctx.purpose, self._limits.of_event(event.type)):
                    kept.append(self._for_purpose(ctx, event))
                else:
                    withheld += 1
        return Timeline(who.canonical, tuple(kept), withheld)

    def find(self, ctx: RequestContext, text: str, limit: int = 10) -> Matches:
        key = look_up_key(text)
        if not key:
            return Matches(())
        moment, wide = self._clock.now(), max(limit * 5, 50)
        found: list[Match] = []
        withheld = 0
        with span("graph.find"), self._log.reading(ctx) as reader:
            for subject, own in reader.subjects_like(text.strip(), key, wide):
                found.append(Match(subject, None, own == key or subject == text.strip(), True))
            for fact in reader.lookup(key, wide):
                if not self._may_see(ctx, fact):
                    withheld += 1
                    continue
                same = reader.facts_of(fact.subject, fact.name, None, ALWAYS)
                counts = current(same, moment)
                is_current = counts is not None and counts.value == fact.value
                found.append(Match(fact.subject, fact, look_up_key(fact.value) == key, is_current))
            whom = self._who(reader, {m.subject for m in found}, ALWAYS)
        found.sort(key=lambda m: (not m.exact, not m.current))  # stable: ids first, then in order of value
        best: dict[str, Match] = {}
        for match in found:
            best.setdefault(whom[match.subject].canonical, replace(match, subject=whom[match.subject].canonical))
        return Matches(tuple(best.values())[:limit], withheld)

    def explain(self, ctx: RequestContext, fact_id: str) -> Explanation:
        with span("graph.explain"), self._log.reading(ctx) as reader:
            fact = reader.facts_by_id([fact_id]).get(fact_id)
            if fact is None:
                raise _no_fact(fact_id)
            if not self._may_see(ctx, fact):
                raise Forbidden(
                    Text(
                        f"事实 {fact_id} 不能用于目的 {ctx.purpose}",
                        f"fact {fact_id} may not be used for the purpose {ctx.purpose}",
                    )
                )
            if retraction := reader.retractions([fact]).get(fact.id):
                return Explanation(fact, "retracted", retraction=retraction)
            now = self._clock.now()
            who = self._who(reader, [fact.subject], ALWAYS)[fact.subject]
            same = [reader.facts_of(m, fact.name, fact.object, ALWAYS) for m in who.members]
        if fact.valid_from > now:
            return Explanation(fact, "future")
        counts, conflict = self._counts(same, now)
        if counts is not None and counts.id == fact.id:
            return Explanation(fact, "current")
        if not (fact.valid_to is None or now < fact.valid_to):
            return Explanation(fact, "past")
        by = counts if counts is not None and self._may_see(ctx, counts) else None
        why = conflict.why if conflict and by and any(f.id == fact.id for f in conflict.others) else None
        return Explanation(fact, "superseded", by=by, why=why)

    def _counts(self, records: Sequence[list[GraphFact]], at: Micros) -> tuple[GraphFact | None, Conflict | None]:
        """The fact that counts of one property or edge, given each record's facts."""
        if any(f.object is not None for facts in records for f in facts):
            return current((f for facts in records for f in facts), at), None
        return self._survivors.choose(f for facts in records if (f := current(facts, at)) is not None)

    def exists(self, ctx: RequestContext, evidence_id: str) -> bool:
        with self._log.reading(ctx) as reader:
            fact = reader.facts_by_id([evidence_id]).get(evidence_id)
            if fact is not None:
                return self._may_see(ctx, fact) and not reader.retractions([fact])
            events = reader.events_by_id(evidence_id)
        return any(may_use(ctx.purpose, self._limits.of_event(e.type)) for e in events)

    def stats(self, ctx: RequestContext) -> Stats:
        with self._log.reading(ctx) as reader:
            return Stats(*reader.counts())

    # --- a customer's own rights ---

    def export(self, ctx: RequestContext, subject: str) -> Export:
        everything = ctx.purpose is Purpose.COMPLIANCE
        with span("graph.export"), self._log.reading(ctx) as reader:
            who = self._who(reader, [subject], ALWAYS)[subject]
            facts, events, merges = reader.all_of(who.members)
            retractions = reader.retractions(facts)
        seen = [f for f in facts if everything or self._may_see(ctx, f)]
        told = [e for e in events if everything or may_use(ctx.purpose, self._limits.of_event(e.type))]
        return Export(
            who.canonical,
            who.members,
            tuple(seen),
            {f.id: retractions[f.id] for f in seen if f.id in retractions},
            tuple(told if everything else (self._for_purpose(ctx, e) for e in told)),
            tuple(merges),
            len(facts) - len(seen) + len(events) - len(told),
        )

    def erase(self, ctx: RequestContext, subject: str, dry_run: bool = False) -> Erasure:
        def work(turn: FactWriter) -> Erasure:
            who = self._who(turn, [subject], ALWAYS)[subject]
            rows = turn.erase(who.members, dry_run)
            if not dry_run and any(rows.values()):
                # The audit log outlives the customer: it says how much was erased, not whose it was.
                turn.audit("graph.erase", f"{sum(rows.values())} rows", dict(rows))
            return Erasure(who.canonical, who.members, rows, dry_run)

        with span("graph.erase"):
            return self._write(ctx, work)

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


def _known(known_at: Micros | None) -> Micros:
    return ALWAYS if known_at is None else known_at


def _no_fact(fact_id: str) -> NotFound:
    return NotFound(Text(f"没有事实 {fact_id!r}", f"there is no fact {fact_id!r}"))
