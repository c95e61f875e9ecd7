"""What any strategy engine is to the rest of the hub. Every backend passes tests/conformance/test_engine_backend.py and
plays every timeline of docs/strategy-semantics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, Protocol

from core.events import Input
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.document import Strategy


class Truth(Enum):
    """Three truth values. Unknown (no data, too little history) never fires and is shown as such."""

    FALSE = "false"
    UNKNOWN = "unknown"
    TRUE = "true"


Note = Literal["no_data", "short_history", "nothing_to_divide", "missing_field", "withheld"]
"""Why a condition is unknown."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one node of a trigger (or audience) tree looked like at one moment; language-neutral and serialisable.

    `path` addresses the node in the document ("trigger", "trigger.of.0", "audience"); `observed` is the value seen (a
    count, a field's value, metres, a streak's length); `threshold` what it was compared with; `window` the half-open
    span looked at as (from, to]; `evidence` the ids of the events that made it so, oldest first, at most 20.
    """

    path: str
    kind: str
    truth: Truth
    observed: Any = None
    op: str | None = None
    threshold: Any = None
    window: tuple[Micros, Micros] | None = None
    evidence: tuple[str, ...] = ()
    note: Note | None = None
    children: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Firing:
    """A strategy's trigger turned true for a subject. `instance` is stable across replay, live and restart."""

    strategy: str
    version: int
    subject: str
    at: Micros
    instance: str
    trigger: Observation
    audience: Observation | None = None

    @property
    def key(self) -> str:
        return f"{self.strategy}@{self.version}/{self.subject}/{self.instance}"


@dataclass(frozen=True, slots=True)
class SetAside:
    """An input the engine did not take, and why. Late: before the watermark. Duplicate: (source, id) seen before."""

    input: Input
    reason: Literal["late", "duplicate"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call did. Firings are ordered by (at, order of deployment, subject)."""

    firings: tuple[Firing, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployed:
    """A strategy version as the engine runs it. `warm_up` is how much history its state needs (None: all)."""

    strategy: Strategy
    version: int
    warm_up: int | None = field(default=None)


class BeyondColumns(Exception):
    """A value came that a matcher of columns cannot add up exactly. Its engine is of no more use: the Python matcher is
    to take over, from what was recorded. Nothing that the call led to has been handed out.

    Args:
        strategies: whose conditions the value is for.
    """

    def __init__(self, strategies: Sequence[str]) -> None:
        super().__init__(f"a value is too large or too fine for {', '.join(strategies)}")
        self.strategies = tuple(strategies)


class EngineBackend(Protocol):
    """Matches events, facts and relations against live strategies, exactly, in event time.

    Inputs may arrive out of order by up to `lateness`; they are applied in time order once the watermark (largest event
    time seen minus lateness, or `advance`) passes them. One backend serves one tenant.
    """

    @property
    def watermark(self) -> Micros | None: ...

    def deploy(self, strategy: Strategy, version: int, history: Iterable[Input] = ()) -> Deployed:
        """Add a strategy, or replace its older version; `history` (in time order, up to the watermark) warms its state
        without firing. Other strategies' state is untouched.

        Raises:
            InvalidInput: it names what the catalog does not have, or compares a unit or type that cannot be compared.
            Refused: it can never fire.
        """
        ...

    def retire(self, name: str) -> None:
        """Stop a strategy and drop its state."""
        ...

    def ingest(self, inputs: Sequence[Input]) -> Outcome:
        """Take inputs and return the firings that the watermark has made final.

        Raises:
            BeyondColumns: from a matcher of columns alone, here and in `advance`.
        """
        ...

    def advance(self, to: Micros) -> Outcome:
        """Move event time to `to`: everything buffered up to it is applied, timers due by then fire."""
        ...

    def next_due(self) -> Micros | None:
        """The earliest moment at which a buffered input or a timer waits, or None."""
        ...

    def look(self, name: str, subject: str) -> tuple[Observation, Observation | None]:
        """Trigger and audience as they stand for a subject at the watermark: the answer to "why not?"."""
        ...

    def snapshot(self) -> bytes:
        """The whole state; `restore` of it on a fresh backend with the same catalog continues identically."""
        ...

    def restore(self, snapshot: bytes) -> None: ...


EngineFactory = Callable[[Catalog, int], EngineBackend]
"""Makes a fresh engine for a catalog and a lateness in microseconds."""
