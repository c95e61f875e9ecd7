"""What any graph backend is to the rest of the hub. Every backend passes tests/conformance/test_graph_store.py."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from core.context import RequestContext
from core.events import Event, Fact
from core.times import Micros
from knowledge.graph.model import (
    Assertion,
    Erasure,
    Explanation,
    Export,
    Identity,
    Matches,
    Neighbourhood,
    Outdated,
    PathAnswer,
    PathMatch,
    Profile,
    Reminder,
    SameAs,
    Series,
    Stats,
    Timeline,
)
from knowledge.graph.pattern import PathPattern
from knowledge.graph.weight import Weight


class PurposeLimits(Protocol):
    """What the catalog allows its items to be used for, on top of the limits that a fact carries itself. An empty
    answer is no limit."""

    def of_property(self, object_type: str, name: str) -> Collection[str]: ...

    def of_relation(self, name: str) -> Collection[str]: ...

    def of_event(self, event_type: str) -> Collection[str]: ...

    def of_field(self, event_type: str, name: str) -> Collection[str]: ...

    def trusted(self, object_type: str, name: str) -> Sequence[str]:
        """Sources of a property whose value survives where merged records disagree, the most trusted first."""
        ...


class GraphAccess(Protocol):
    """Bi-temporal facts, relations and events of one hub's customers: the store itself, or the service that asks first
    who may.

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

    def merge(self, ctx: RequestContext, claims: Sequence[SameAs], at: Micros | None = None) -> list[str]:
        """Record in one transaction that records are one customer, known from `at` (default: now); returns a merge id
        for each. A claim that stands already is not recorded again. From then on reads of any of the records answer for
        all of them, under the id that was kept first; nothing about them is changed.

        Raises:
            InvalidInput: one of them names no two records of one type; none is recorded.
        """
        ...

    def unmerge(self, ctx: RequestContext, merge_ids: Sequence[str], reason: str, at: Micros | None = None) -> int:
        """Withdraw merges, known from `at` (default: now): reads answer as if they had never been, and what other
        merges say still holds. Returns how many were not withdrawn before.

        Raises:
            NotFound: there is no such merge; none is withdrawn.
        """
        ...

    def identity(self, ctx: RequestContext, subject: str, known_at: Micros | None = None) -> Identity:
        """The records that are one customer with this one, and the merges that say so."""
        ...

    def records(self, ctx: RequestContext, object_type: str, after: str = "", limit: int = 1_000) -> list[str]:
        """Records of a type in order of id, from after `after` on."""
        ...

    def record(self, ctx: RequestContext, subject: str) -> Profile:
        """What one record says now by itself, whatever it was merged with."""
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

    def match(
        self,
        ctx: RequestContext,
        pattern: PathPattern,
        subject: str,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
    ) -> PathAnswer:
        """Whether a pattern holds for a subject; events count by their time alone, whenever they became known."""
        ...

    def matches(
        self,
        ctx: RequestContext,
        pattern: PathPattern,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[PathMatch]:
        """The subjects for which a pattern holds, in order of id, from after `after` on."""
        ...

    def weight(self, ctx: RequestContext, subject: str, profile: str, at: Micros | None = None) -> Weight:
        """A weight of the catalog, as of `at` (default: now).

        Raises:
            UnknownName: the catalog has no such weight.
        """
        ...

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

    def export(self, ctx: RequestContext, subject: str) -> Export:
        """Everything the graph holds of a customer, with all its records. For the compliance purpose nothing is
        withheld."""
        ...

    def erase(self, ctx: RequestContext, subject: str, dry_run: bool = False) -> Erasure:
        """Remove every trace of a customer, with all its records: facts, relations from and to them, events, merges,
        indexes. What is erased cannot be brought back, not even by `known_at`."""
        ...

    def stats(self, ctx: RequestContext) -> Stats: ...


class GraphStore(GraphAccess, Protocol):
    """A backend: what the graph answers, the upkeep of derived attributes, and what is forgotten."""

    def count(self, ctx: RequestContext, object_type: str) -> int:
        """How many records of a type there are; for a figure that tells of nobody."""
        ...

    def reminders(self, ctx: RequestContext, until: Micros, limit: int) -> list[Reminder]:
        """Derived attributes that are due to be looked at by `until`, the earliest first."""
        ...

    def look(self, ctx: RequestContext, reminder: Reminder) -> tuple[Fact | None, Reminder | None]:
        """A derived attribute's value as of the reminder's moment, if it is not what the graph has, and when to look
        again."""
        ...

    def settle(self, ctx: RequestContext, done: Sequence[Reminder], later: Sequence[Reminder]) -> None:
        """Drop reminders, and add others, in one transaction."""
        ...

    def let_go(self, ctx: RequestContext, old: Sequence[Outdated], dry_run: bool = False) -> list[int]:
        """Remove in one transaction what need not be kept; how many of each. What holds now always stays."""
        ...

    def redact(
        self,
        ctx: RequestContext,
        words: Collection[str],
        change: Callable[[Any], Any],
        but: Collection[str] = (),
        dry_run: bool = False,
    ) -> int:
        """Change values, events and reasons that have one of the words in them, except those about the subjects `but`;
        `change` gives any JSON value without what names somebody. Returns how many records it changed."""
        ...
