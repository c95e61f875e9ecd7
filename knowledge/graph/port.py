"""What any graph backend is to the rest of the hub. Every backend passes tests/conformance/test_graph_store.py."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from core.context import RequestContext
from core.events import Event
from core.times import Micros
from knowledge.graph.model import (
    Assertion,
    Explanation,
    Matches,
    Neighbourhood,
    Profile,
    Series,
    Stats,
    Timeline,
)


class PurposeLimits(Protocol):
    """What the catalog allows its items to be used for, on top of the limits that a fact carries itself. An empty
    answer is no limit."""

    def of_property(self, object_type: str, name: str) -> Collection[str]: ...

    def of_relation(self, name: str) -> Collection[str]: ...

    def of_event(self, event_type: str) -> Collection[str]: ...

    def of_field(self, event_type: str, name: str) -> Collection[str]: ...


class GraphStore(Protocol):
    """Bi-temporal facts, relations and events of one hub's customers.

    `as_of` is the moment in the world that is asked about (default: now), `known_at` what the hub knew by then
    (default: all it knows). Reads leave out what `ctx.purpose` may not see and count it as `withheld`; a newer fact
    that is withheld is not replaced by an older one.
    """

    def assert_facts(self, ctx: RequestContext, batch: Sequence[Assertion]) -> list[str]:
        """Record claims in one transaction; returns a fact id for each. A claim that its source made last for that
        property and moment is not recorded again.

        Raises:
            InvalidInput: one of them is malformed (`where` has its place in the batch); none is recorded.
        """
        ...

    def retract(self, ctx: RequestContext, fact_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        """Withdraw facts, known from `at` (default: now); returns how many were not withdrawn before.

        Raises:
            NotFound: there is no such fact; none is withdrawn.
        """
        ...

    def record_events(self, ctx: RequestContext, events: Sequence[Event]) -> int:
        """Keep events for timelines; returns how many were new by (source, id)."""
        ...

    def profile(
        self, ctx: RequestContext, subject: str, as_of: Micros | None = None, known_at: Micros | None = None
    ) -> Profile: ...

    def series(
        self,
        ctx: RequestContext,
        subject: str,
        name: str,
        since: Micros | None = None,
        until: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Series:
        """The curve within [since, until): steps are cut at its ends; each step's fact has its own times."""
        ...

    def neighbourhood(
        self,
        ctx: RequestContext,
        subject: str,
        hops: int = 1,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
    ) -> Neighbourhood: ...

    def timeline(
        self,
        ctx: RequestContext,
        subject: str,
        limit: int = 20,
        until: Micros | None = None,
        types: Collection[str] = (),
    ) -> Timeline:
        """The last `limit` events at or before `until` (default: now), newest first."""
        ...

    def find(self, ctx: RequestContext, text: str, limit: int = 10) -> Matches:
        """Subjects whose id, or one of whose short text values (name, phone, contract number), is or begins with
        `text`; case, width, spaces and dashes do not matter."""
        ...

    def explain(self, ctx: RequestContext, fact_id: str) -> Explanation:
        """
        Raises:
            NotFound: there is no such fact.
            Forbidden: the purpose may not see it.
        """
        ...

    def exists(self, ctx: RequestContext, evidence_id: str) -> bool:
        """True for a fact that stands, or an event, that this purpose may see: what a decision may cite."""
        ...

    def stats(self, ctx: RequestContext) -> Stats: ...
