"""What goes into the customer graph and what comes out. A fact has two times: from when to when it was so in the world
(valid), and when the hub learned it (recorded). Corrections and retractions add to the log; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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
    """A property as a curve: steps in order of time, with gaps where it had no value."""

    subject: str
    name: str
    steps: tuple[Step, ...]
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """A subject's values at one moment, each as the fact that gives it. `withheld` counts those the purpose may not
    see."""

    subject: str
    as_of: Micros
    values: Mapping[str, GraphFact]
    withheld: int = 0

    def value(self, name: str, default: Any = None) -> Any:
        fact = self.values.get(name)
        return default if fact is None else fact.value


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What is related to a subject, in both directions. `hops` gives each node's distance, `edges` the facts that tie
    them; `truncated`: there is more than was read."""

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
class Explanation:
    """Why a fact counts or does not, now: `by` is the fact that counts instead of it."""

    fact: GraphFact
    status: Literal["current", "superseded", "past", "future", "retracted"]
    by: GraphFact | None = None
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
            other = self.by.says()
            return Text(f"{claim.zh}；现由另一条取代：{other.zh}", f"{claim.en}; superseded: {other.en}")
        note = {"past": Text("；已过期", "; it has ended"), "future": Text("；尚未生效", "; it has not begun")}
        tail = note.get(self.status, Text("；现行有效", "; it holds now"))
        return Text(claim.zh + tail.zh, claim.en + tail.en)


@dataclass(frozen=True, slots=True)
class Stats:
    """How much one tenant's graph holds."""

    subjects: int
    facts: int
    events: int


def may_use(purpose: Purpose, *limits: Collection[str]) -> bool:
    """True when each limit that names purposes names this one."""
    return all(not limit or purpose in limit for limit in limits)
