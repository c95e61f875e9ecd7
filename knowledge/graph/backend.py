"""What a store of facts has to do so that `TemporalGraph` can be a customer graph over it: keep rows, and find them by
key. What rows mean (which fact counts, who may see it, who is whom) is not here, and the same on every backend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from core.context import RequestContext
from core.events import Event
from core.times import Micros
from knowledge.graph.model import GraphFact, Merge, Naming, Outdated, Reminder, Retraction
from knowledge.graph.weight import Channel, DecayedSum

Given = TypeVar("Given")

ALWAYS = Micros(2**62)
"""A moment after every other."""


class Keyed(NamedTuple):
    """A short text value in the form that `find` compares, and the fact it belongs to."""

    key: str
    seq: int


class FactReader(Protocol):
    """One tenant's rows as of one moment of the store. `known_at` leaves out facts recorded later and lets those
    withdrawn later stand."""

    def facts_by_id(self, ids: Collection[str]) -> dict[str, GraphFact]:
        """Facts, withdrawn ones too."""
        ...

    def retractions(self, facts: Collection[GraphFact]) -> dict[str, Retraction]:
        """Fact id → its withdrawal, for those that were withdrawn."""
        ...

    def values_of(self, subject: str, as_of: Micros, known_at: Micros) -> list[GraphFact]:
        """Of each property of one record the fact that counts; "no value" included; in order of name."""
        ...

    def facts_of(self, subject: str, name: str, obj: str | None, known_at: Micros) -> list[GraphFact]:
        """All facts of one property (`obj` None) or one edge of a record."""
        ...

    def edges_at(
        self, nodes: Sequence[str], as_of: Micros, known_at: Micros, limit: int
    ) -> tuple[list[GraphFact], bool]:
        """Facts that hold then about edges from or to any of `nodes`, "no longer" included, and whether there are more:
        of some hundred nodes at most `limit` facts in each direction are read."""
        ...

    def edges_along(self, node: str, name: str, reverse: bool, as_of: Micros, known_at: Micros) -> list[GraphFact]:
        """Facts that hold then about one relation from (or with `reverse` to) one record, "no longer" included."""
        ...

    def lookup(self, key: str, limit: int) -> list[GraphFact]:
        """Standing facts whose text value is `key` or begins with it; whole matches first."""
        ...

    def subjects_like(self, text: str, key: str, limit: int) -> list[tuple[str, str]]:
        """(subject, key) of records whose id is `text`, or whose key is or begins with `key`; whole matches first."""
        ...

    def subjects_of(self, object_type: str, after: str, limit: int) -> list[str]:
        """Records of a type in order of id, from after `after` on."""
        ...

    def events_before(
        self, subject: str, until: Micros, types: Collection[str], since: Micros | None = None
    ) -> Iterator[Event]:
        """A record's events in (since, until], newest first, read as they are asked for."""
        ...

    def events_by_id(self, event_id: str) -> list[Event]: ...

    def merges_of(self, subjects: Collection[str], known_at: Micros) -> list[Merge]:
        """Every standing merge that, directly or through others, ties any of `subjects`."""
        ...

    def merges_by_id(self, ids: Collection[str]) -> dict[str, Merge]: ...

    def all_of(self, subjects: Collection[str]) -> tuple[list[GraphFact], list[Event], list[Merge]]:
        """All facts about records, with relations to them, all their events, and all merges that name them, withdrawn
        ones too; each in the order in which they came or happened."""
        ...

    def sums_of(self, subject: str) -> dict[Channel, DecayedSum]:
        """A record's stored sums."""
        ...

    def reminders(self, until: Micros, limit: int) -> list[Reminder]:
        """Those due, the earliest first."""
        ...

    def count_of(self, object_type: str) -> int:
        """How many records of a type there are."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """Subjects, facts (withdrawn ones included) and events."""
        ...


class FactWriter(FactReader, Protocol):
    """A turn at writing: what is done in it becomes visible together, or not at all. Turns follow each other."""

    def next_seq(self, kind: Literal["fact", "merge"] = "fact") -> int:
        """A place in the log (or among merges) after all that are taken."""
        ...

    def known_ids(self, ids: Collection[str]) -> set[str]: ...

    def latest_claim(
        self, subject: str, name: str, obj: str | None, valid_from: Micros, source: str
    ) -> GraphFact | None:
        """The last standing claim of one source about one property (or edge) from one moment on."""
        ...

    def add_facts(self, facts: Sequence[GraphFact], keys: Sequence[Keyed]) -> None:
        """Keep facts, one or more, about records that are remembered already."""
        ...

    def add_subjects(self, subjects: Mapping[str, str]) -> None:
        """Remember records (id → key); known ones stay."""
        ...

    def add_retractions(self, facts: Sequence[GraphFact], retraction: Retraction) -> int:
        """Withdraw facts; those withdrawn before stay as they are. Returns how many are new."""
        ...

    def add_events(self, events: Sequence[Event]) -> list[Event]:
        """Keep events; returns those that were new by (source, id)."""
        ...

    def add_merge(self, merge: Merge) -> None: ...

    def undo_merges(self, merges: Sequence[Merge], undone: Retraction) -> int:
        """Withdraw merges; those withdrawn before stay as they are. Returns how many are new."""
        ...

    def put_sums(self, subject: str, sums: Mapping[Channel, DecayedSum]) -> None:
        """Keep sums of a record in place of those it had."""
        ...

    def add_reminders(self, reminders: Collection[Reminder]) -> None: ...

    def drop_reminders(self, reminders: Collection[Reminder]) -> None: ...

    def erase(self, subjects: Collection[str], dry_run: bool) -> dict[str, int]:
        """Remove every trace of records: rows by kind that are (or would be) gone."""
        ...

    def drop_outdated(self, old: Outdated, dry_run: bool) -> int:
        """Remove such events or values; how many are (or would be) gone."""
        ...

    def naming(self, words: Collection[str]) -> Naming:
        """Rows whose texts, as JSON writes them, have one of the words in them."""
        ...

    def retell(self, told: Naming) -> None:
        """Keep these texts in place of those that the same rows had; values are looked up by what they say now."""
        ...

    def audit(self, action: str, target: str, detail: Mapping[str, Any]) -> None:
        """One audit row, which stands or falls with the turn."""
        ...


class FactLog(Protocol):
    """A store of one hub's facts."""

    def reading(self, ctx: RequestContext) -> AbstractContextManager[FactReader]: ...

    def write(self, ctx: RequestContext, work: Callable[[FactWriter], Given]) -> Given:
        """Do `work` in a turn and commit it to disk. A backend may begin `work` anew when another writer interfered."""
        ...

    def close(self) -> None:
        """Let go of what is held open, and is not the caller's."""
        ...
