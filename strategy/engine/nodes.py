"""The compiled tree: what every leaf offers the step, and the three ways of joining them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from strategy.engine.port import Observation, Truth
from strategy.engine.values import FALSE, TRUE
from strategy.engine.world import World

Cells = list[Any]
"""One subject's state for one strategy: a cell a leaf, None while it has seen nothing."""

TRUTHS = (Truth.FALSE, Truth.UNKNOWN, Truth.TRUE)
EVIDENCE = 20


@dataclass(slots=True)
class Now:
    """The moment at which a tree is asked. `begin`: since when history is complete (None: it has not begun).
    `after`: just after the instant, when what is true only at it has passed."""

    world: World
    at: Micros = Micros(0)  # noqa: RUF009 - a NewType call is no function call
    subject: str = ""
    begin: Micros | None = None
    after: bool = False


class Node(ABC):
    """Anything that has a truth. `path` addresses it in the document."""

    kind: ClassVar[str]
    path: str

    @abstractmethod
    def truth(self, cells: Cells, now: Now) -> int: ...

    @abstractmethod
    def observe(self, cells: Cells, now: Now) -> Observation: ...

    @abstractmethod
    def leaves(self) -> list[Leaf]: ...


class Leaf(Node):
    """A condition. It reads events through `feed`, in order, and facts through `now.world`.

    Attributes:
        pulse: true only at instants, never between them.
        restless: may be true, or turn true by time alone, for a subject about which it has read nothing.
        events: the event types it reads. properties: the facts it reads. via: the relation it looks along.
        history: how far back it reads; 0: not at all, None: everything.
    """

    pulse: ClassVar[bool] = False
    restless: bool = False

    def __init__(self, path: str, slot: int) -> None:
        self.path = path
        self.slot = slot
        self.events: tuple[str, ...] = ()
        self.properties: tuple[str, ...] = ()
        self.via: str | None = None
        self.history: int | None = 0

    def leaves(self) -> list[Leaf]:
        return [self]

    def feed(self, cells: Cells, event: Event) -> bool:
        """Take an event of one of its types; True when its truth or next change may be another now."""
        return False

    def due(self, cells: Cells, now: Now) -> Micros | None:
        """The earliest moment after now at which time alone may change its truth."""
        return None

    def idle(self, cell: Any) -> bool:
        """True when nothing would be lost by forgetting the cell."""
        return False

    def dump(self, cell: Any) -> Any:
        """The cell as JSON."""
        return cell

    def load(self, data: Any) -> Any:
        return data


class AllOf(Node):
    kind: ClassVar[str] = "all"

    def __init__(self, path: str, of: list[Node]) -> None:
        self.path, self.of = path, of

    def truth(self, cells: Cells, now: Now) -> int:
        lowest = TRUE
        for node in self.of:
            found = node.truth(cells, now)
            if found == FALSE:
                return FALSE
            lowest = min(lowest, found)
        return lowest

    def observe(self, cells: Cells, now: Now) -> Observation:
        parts = tuple(node.observe(cells, now) for node in self.of)
        return Observation(self.path, self.kind, TRUTHS[self.truth(cells, now)], children=parts)

    def leaves(self) -> list[Leaf]:
        return [leaf for node in self.of for leaf in node.leaves()]


class AnyOf(AllOf):
    kind: ClassVar[str] = "any"

    def truth(self, cells: Cells, now: Now) -> int:
        highest = FALSE
        for node in self.of:
            found = node.truth(cells, now)
            if found == TRUE:
                return TRUE
            highest = max(highest, found)
        return highest


class NotOf(AllOf):
    kind: ClassVar[str] = "not"

    def truth(self, cells: Cells, now: Now) -> int:
        return TRUE - self.of[0].truth(cells, now)
