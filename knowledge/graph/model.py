"""What goes into the customer graph and what comes out. A fact has two times: from when to when it was so in the world
(valid), and when the hub learned it (recorded). Corrections and retractions add to the log; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from core.context import Purpose
from core.events import Event
from core.text import Text
from core.times import Micros, format_time

Purposes = frozenset[Purpose]
ANY_PURPOSE: Purposes = frozenset()
"""No purposes named: no limit."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A claim to be recorded: from `valid_from` (to `valid_to`, if given) the subject's property `name` has `value`,
    or the subject is in relation `name` to `object`.

    A value of None says that the property has no value from then on; `ended` says that the relation holds no more.
    `recorded_at` defaults to now; imports of an older system's knowledge give the time it learned.
    """

    subject: str
    name: str
    value: Any = None
    object: str | None = None
    ended: bool = False
    valid_from: Micros = field(kw_only=True)
    valid_to: Micros | None = None
    source: str = ""
    confidence: float = 1.0
    purposes: Purposes = ANY_PURPOSE
    recorded_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class GraphFact:
    """One recorded claim. `id` may be cited as evidence and never changes; `seq` is its place in the log."""

    id: str
    seq: int
    subject: str
    name: str
    value: Any
    object: str | None
    ended: bool
    valid_from: Micros
    valid_to: Micros | None
    recorded_at: Micros
    source: str
    confidence: float
    purposes: Purposes

    @property
    def rank(self) -> tuple[int, int, int]:
        """Of the facts that hold at a moment the one of highest rank counts: the one that began last; of those, the
        one recorded last; of those, the later in the log."""
        return (self.valid_from, self.recorded_at, self.seq)

    def says(self) -> Text:
        """The claim as a sentence with its time and source."""
        since, told = format_time(self.valid_from), format_time(self.recorded_at)
        source = self.source or "?"
        if self.object is not None:
            zh, en = ("不再", "no longer ") if self.ended else ("", "")
            return Text(
                f"{self.subject} 自 {since} 起{zh} {self.name} {self.object}（来源 {source}，记录于 {told}）",
                f"{self.subject} {en}{self.name} {self.object} since {since} (source {source}, recorded {told})",
            )
        return Text(
            f"{self.subject} 的 {self.name} 自 {since} 起为 {self.value!r}（来源 {source}，记录于 {told}）",
            f"{self.subject}'s {self.name} is {self.value!r} since {since} (source {source}, recorded {told})",
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch [start, end) over which one fact gives the value; `end` None: still so."""

    start: Micros
    end: Micros | None
    fact: GraphFact

    @property
    def value(self) -> Any:
        return self.fact.value


@dataclass(frozen=True, slots=True)
class Series:
    """A property as a curve: steps in order of time, with gaps where it had no value. `change`: how much a number rose
    from the first step to the last; `trend`: the slope of the line through its steps, in units a day."""

    subject: str
    name: str
    steps: tuple[Step, ...]
    withheld: int = 0
    change: float | None = None
    trend: float | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Records of one customer that give different values at one moment: which counts, the others, and why."""

    kept: GraphFact
    others: tuple[GraphFact, ...]
    why: Text


@dataclass(frozen=True, slots=True)
class Profile:
    """A subject's values at one moment, each as the fact that gives it. `withheld` counts those the purpose may not
    see; `conflicts` has the properties about which merged records disagree."""

    subject: str
    as_of: Micros
    values: Mapping[str, GraphFact]
    withheld: int = 0
    conflicts: Mapping[str, Conflict] = field(default_factory=dict)

    def value(self, name: str, default: Any = None) -> Any:
        fact = self.values.get(name)
        return default if fact is None else fact.value


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What is related to a subject, in both directions. `hops` gives each node's distance, `edges` the facts that tie
    them, with the canonical ids of merged records as their ends; `truncated`: there is more than was read."""

    subject: str
    hops: Mapping[str, int]
    edges: tuple[GraphFact, ...]
    withheld: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A subject's events, newest first; an event's id is its evidence id."""

    subject: str
    events: tuple[Event, ...]
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """A subject found by text. `fact` is the value that matched, None when it was the subject's own id; `current` tells
    a present value from a former one, `exact` a whole match from a beginning."""

    subject: str
    fact: GraphFact | None
    exact: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Matches:
    """Best first: exact before partial, present before former."""

    matches: tuple[Match, ...]
    withheld: int = 0

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(m.subject for m in self.matches))


@dataclass(frozen=True, slots=True)
class Retraction:
    """A fact was withdrawn: it was never so, as far as is known from `recorded_at` on."""

    recorded_at: Micros
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class SameAs:
    """A claim that two records are one customer, to be recorded: `kept` gives the id that reads answer with. The
    evidence has a JSON form and says what it was concluded from (a key that agrees, a score and its parts)."""

    kept: str
    gone: str
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Merge:
    """A recorded `SameAs`. `undone`: it was withdrawn, and counts no more."""

    id: str
    seq: int
    claim: SameAs
    recorded_at: Micros
    actor: str
    undone: Retraction | None = None

    def stands(self, known_at: Micros | None = None) -> bool:
        if known_at is None:
            return self.undone is None
        return self.recorded_at <= known_at and (self.undone is None or self.undone.recorded_at > known_at)


@dataclass(frozen=True, slots=True)
class Identity:
    """The records that are one customer, and the merges that say so. A subject that was never merged is its own."""

    canonical: str
    members: tuple[str, ...]
    merges: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """Everything the graph holds of one customer: facts about all its records and relations to them, withdrawn ones
    too, events, and merges. `withheld` counts what the purpose may not see; compliance sees everything."""

    subject: str
    members: tuple[str, ...]
    facts: tuple[GraphFact, ...]
    retractions: Mapping[str, Retraction]
    events: tuple[Event, ...]
    merges: tuple[Merge, ...]
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, or with `dry_run` would be: rows by kind, of all records of the customer."""

    subject: str
    members: tuple[str, ...]
    rows: Mapping[str, int]
    dry_run: bool


class Outdated(NamedTuple):
    """What need not be kept: events of type `name` from before a moment; or with `object_type`, values of property
    `name` of such subjects that were replaced, withdrawn or over before it."""

    name: str
    before: Micros
    object_type: str | None = None


class Naming(NamedTuple):
    """Rows in whose text somebody is named: values of facts, data of events, reasons and evidence of merges, and
    reasons of withdrawals (by fact id)."""

    facts: Sequence[GraphFact] = ()
    events: Sequence[Event] = ()
    merges: Sequence[Merge] = ()
    retractions: Mapping[str, Retraction] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a fact counts or does not, now: `by` is the fact that counts instead of it, and `why` that one survives where
    merged records disagree."""

    fact: GraphFact
    status: Literal["current", "superseded", "past", "future", "retracted"]
    by: GraphFact | None = None
    why: Text | None = None
    retraction: Retraction | None = None

    def says(self) -> Text:
        claim = self.fact.says()
        if self.retraction is not None:
            told = format_time(self.retraction.recorded_at)
            return Text(
                f"{claim.zh}；{told} 由 {self.retraction.actor} 撤回：{self.retraction.reason}",
                f"{claim.en}; retracted {told} by {self.retraction.actor}: {self.retraction.reason}",
            )
        if self.by is not None:
            other, zh, en = self.by.says(), "", ""
            if self.why is not None:
                zh, en = f"（{self.why.zh}）", f" ({self.why.en})"
            return Text(f"{claim.zh}；现由另一条取代{zh}：{other.zh}", f"{claim.en}; superseded{en}: {other.en}")
        note = {"past": Text("；已过期", "; it has ended"), "future": Text("；尚未生效", "; it has not begun")}
        tail = note.get(self.status, Text("；现行有效", "; it holds now"))
        return Text(claim.zh + tail.zh, claim.en + tail.en)


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A way through a path pattern: the relations and events that make it so, in order of the steps."""

    subject: str
    at: Micros
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """Whether a pattern holds for a subject (None: no), and the earliest later moment at which that may change without
    anything new being told (None: none is foreseen)."""

    found: PathMatch | None
    next_change: Micros | None


class Reminder(NamedTuple):
    """A derived attribute (`pattern.…`, `weight.…`) of a record is to be looked at again as of a moment."""

    at: Micros
    item: str
    subject: str


@dataclass(frozen=True, slots=True)
class Stats:
    """How much one tenant's graph holds."""

    subjects: int
    facts: int
    events: int
