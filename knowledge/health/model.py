"""What a report on the graph's health says, as data. Times are microseconds; shares are between 0 and 1; a `label` is
what the catalog calls the property or event, or its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.text import Text
from core.times import Micros

State = Literal["fresh", "late", "silent", "unset"]
"""`silent`: nothing ever came; `unset`: the catalog does not say how often something is expected."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many subjects of a type a source gives a value of a property now, or has told an event of. `known`: of how
    many."""

    type: str
    name: str
    label: Text
    kind: Literal["property", "event"]
    subjects: int
    known: int

    @property
    def share(self) -> float:
        return self.subjects / self.known if self.known else 0.0


@dataclass(frozen=True, slots=True)
class Conflict:
    """What two sources say of a property now, where both say something: how many subjects they agree on and not. For
    numbers `mean_gap` and `largest_gap` are the distance between the values that differ, in the property's unit."""

    type: str
    name: str
    label: Text
    sources: tuple[str, str]
    compared: int
    disagree: int
    mean_gap: float | None = None
    largest_gap: float | None = None


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Subjects of a type that are several for the graph and share a value that seldom two have."""

    type: str
    name: str
    label: Text
    subjects: int
    values: int


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source. `declared`: the catalog knows it. `last`: its newest event, or when its newest fact was recorded."""

    id: str
    label: Text
    declared: bool
    owner: Text | None
    api: str | None
    purposes: tuple[str, ...]
    names: tuple[str, ...]
    every: int | None
    last: Micros | None
    state: State
    events: int
    facts: int
    last_7_days: int
    coverage: tuple[Coverage, ...]
    conflicts: tuple[Conflict, ...]
    duplicates: tuple[Duplicates, ...]
    gaps: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class StageHealth:
    """One step. `reached`: subjects that came here in order; `from_before`: those of them that had been at the step
    just before; `skipped`: subjects that went on without it; `waiting` and `stalled`: subjects whose last step this is
    and whose next one is not, or is, overdue."""

    id: str
    label: Text
    sources: tuple[str, ...]
    reached: int
    from_before: int
    skipped: int
    waiting: int
    stalled: int


@dataclass(frozen=True, slots=True)
class LoopHealth:
    """One closed loop. `known`: all subjects of its type; `completed`: those that came to its last step."""

    id: str
    label: Text
    subject: str
    known: int
    completed: int
    owners: tuple[Text, ...]
    stages: tuple[StageHealth, ...]
    conflicts: tuple[Conflict, ...]
    duplicates: tuple[Duplicates, ...]
    gaps: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """`withheld`: properties and event types that the purpose may not see; they are not counted. `merged`: records that
    were given up to others they are one with. `asked`: pairs of records that wait for a person to say whether they are
    one (`zhongshu identity reviews`)."""

    at: Micros
    subjects: dict[str, int]
    merged: int
    asked: int
    withheld: int
    sources: tuple[SourceHealth, ...]
    conflicts: tuple[Conflict, ...]
    duplicates: tuple[Duplicates, ...]
    loops: tuple[LoopHealth, ...]
