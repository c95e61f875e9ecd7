"""The graph as the rest of the hub uses it: the store behind a check of who may read and write, and the sink that turns
the live stream into graph rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from core.context import RequestContext
from core.events import Event, Fact, Input, Relation
from core.times import Micros
from knowledge.graph.model import (
    Assertion,
    Erasure,
    Explanation,
    Export,
    Identity,
    Matches,
    Neighbourhood,
    PathAnswer,
    PathMatch,
    Profile,
    SameAs,
    Series,
    Stats,
    Timeline,
)
from knowledge.graph.pattern import PathPattern
from knowledge.graph.port import GraphStore
from knowledge.graph.weight import Weight

Authorize = Callable[[RequestContext, str, str], None]
"""(ctx, action, resource): returns, or raises Forbidden. Actions here: `graph.read`, `graph.write`, `graph.merge`,
`graph.export`, `graph.erase`."""


def claims_of(inputs: Sequence[Input], source: str) -> list[Assertion]:
    """The facts and relations of a stream as claims of their sources; of `source` where they name none."""
    claims: list[Assertion] = []
    for item in inputs:
        if isinstance(item, Fact):
            told = item.source or source
            claims.append(Assertion(item.subject, item.property, item.value, valid_from=item.time, source=told))
        elif isinstance(item, Relation):
            claims.append(
                Assertion(
                    item.subject,
                    item.relation,
                    object=item.object,
                    ended=item.ended,
                    valid_from=item.time,
                    source=item.source or source,
                )
            )
    return claims


class GraphService:
    """A `GraphAccess` that asks `authorize` first; without one, whoever holds it may use it."""

    def __init__(self, store: GraphStore, authorize: Authorize | None = None) -> None:
        self._store, self._authorize = store, authorize or (lambda ctx, action, resource: None)

    def sink(self, ctx: RequestContext, inputs: Sequence[Input]) -> None:
        """Take what the live engine accepted. Giving the same inputs again adds nothing."""
        if claims := claims_of(inputs, "stream"):
            self.assert_facts(ctx, claims)
        if events := [i for i in inputs if isinstance(i, Event)]:
            self.record_events(ctx, events)

    def assert_facts(self, ctx: RequestContext, batch: Sequence[Assertion]) -> list[str]:
        self._authorize(ctx, "graph.write", "facts")
        return self._store.assert_facts(ctx, batch)

    def retract(self, ctx: RequestContext, fact_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        self._authorize(ctx, "graph.write", "facts")
        return self._store.retract(ctx, fact_ids, reason, at)

    def record_events(self, ctx: RequestContext, events: Sequence[Event]) -> int:
        self._authorize(ctx, "graph.write", "events")
        return self._store.record_events(ctx, events)

    def merge(self, ctx: RequestContext, claims: Sequence[SameAs], at: Micros | None = None) -> list[str]:
        self._authorize(ctx, "graph.merge", "identities")
        return self._store.merge(ctx, claims, at)

    def unmerge(self, ctx: RequestContext, merge_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        self._authorize(ctx, "graph.merge", "identities")
        return self._store.unmerge(ctx, merge_ids, reason, at)

    def identity(self, ctx: RequestContext, subject: str, known_at: Micros | None = None) -> Identity:
        self._authorize(ctx, "graph.read", subject)
        return self._store.identity(ctx, subject, known_at)

    def records(self, ctx: RequestContext, object_type: str, after: str = "", limit: int = 1_000) -> list[str]:
        self._authorize(ctx, "graph.read", f"{object_type}/")
        return self._store.records(ctx, object_type, after, limit)

    def record(self, ctx: RequestContext, subject: str) -> Profile:
        self._authorize(ctx, "graph.read", subject)
        return self._store.record(ctx, subject)

    def profile(
        self, ctx: RequestContext, subject: str, as_of: Micros | None = None, known_at: Micros | None = None
    ) -> Profile:
        self._authorize(ctx, "graph.read", subject)
        return self._store.profile(ctx, subject, as_of, known_at)

    def series(
        self,
        ctx: RequestContext,
        subject: str,
        name: str,
        since: Micros | None = None,
        until: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Series:
        self._authorize(ctx, "graph.read", subject)
        return self._store.series(ctx, subject, name, since, until, known_at)

    def neighbourhood(
        self,
        ctx: RequestContext,
        subject: str,
        hops: int = 1,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Neighbourhood:
        self._authorize(ctx, "graph.read", subject)
        return self._store.neighbourhood(ctx, subject, hops, as_of, known_at)

    def match(
        self,
        ctx: RequestContext,
        pattern: PathPattern,
        subject: str,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
    ) -> PathAnswer:
        self._authorize(ctx, "graph.read", subject)
        return self._store.match(ctx, pattern, subject, as_of, known_at)

    def matches(
        self,
        ctx: RequestContext,
        pattern: PathPattern,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[PathMatch]:
        self._authorize(ctx, "graph.read", pattern.subject)
        return self._store.matches(ctx, pattern, as_of, known_at, after, limit)

    def weight(self, ctx: RequestContext, subject: str, profile: str, at: Micros | None = None) -> Weight:
        self._authorize(ctx, "graph.read", subject)
        return self._store.weight(ctx, subject, profile, at)

    def timeline(
        self,
        ctx: RequestContext,
        subject: str,
        limit: int = 20,
        until: Micros | None = None,
        types: Collection[str] = (),
    ) -> Timeline:
        self._authorize(ctx, "graph.read", subject)
        return self._store.timeline(ctx, subject, limit, until, types)

    def find(self, ctx: RequestContext, text: str, limit: int = 10) -> Matches:
        self._authorize(ctx, "graph.read", "find")
        return self._store.find(ctx, text, limit)

    def explain(self, ctx: RequestContext, fact_id: str) -> Explanation:
        self._authorize(ctx, "graph.read", fact_id)
        return self._store.explain(ctx, fact_id)

    def exists(self, ctx: RequestContext, evidence_id: str) -> bool:
        self._authorize(ctx, "graph.read", evidence_id)
        return self._store.exists(ctx, evidence_id)

    def export(self, ctx: RequestContext, subject: str) -> Export:
        self._authorize(ctx, "graph.export", subject)
        return self._store.export(ctx, subject)

    def erase(self, ctx: RequestContext, subject: str, dry_run: bool = False) -> Erasure:
        self._authorize(ctx, "graph.erase", subject)
        return self._store.erase(ctx, subject, dry_run)

    def stats(self, ctx: RequestContext) -> Stats:
        self._authorize(ctx, "graph.read", "stats")
        return self._store.stats(ctx)
