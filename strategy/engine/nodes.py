"""The compiled tree: what every leaf offers the step, and the three ways of joining them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from core.events import Event
from core.times import Micros
from strategy.document import EventFilter
from strategy.document import Leaf as LeafCondition
from strategy.engine.port import Observation, Truth
from strategy.engine.values import TRUE, Exact
from strategy.engine.world import World

TRUTHS = (Truth.FALSE, Truth.UNKNOWN, Truth.TRUE)
EVIDENCE = 20


@dataclass(slots=True)
class Now:
    """The moment at which a leaf is asked. `begin`: since when history is complete (None: it has not begun).
    `after`: just after the instant, when what is true only at it has passed."""

    world: World
    at: Micros = Micros(0)  # noqa: RUF009 - a NewType call is no function call
    subject: str = ""
    begin: Micros | None = None
    after: bool = False


class Leaf(ABC):
    """A condition. What it keeps of one subject is its cell: None while it has seen nothing. Leaves that look at the
    same thing (`looks`) and compare it with different values share their cells.

    Attributes:
        path: where it stands in the document. slot: its number among the leaves of its strategy.
        pulse: true only at instants, never between them. opens: the roles that make a cell where there is none.
        minds_failing: an event of its first filter's type that fails
            that filter concerns it as well, where it has a cell.
        condition: what it was made of (a metric's ratio for a metric).
        filters: the events it takes; the place of a filter here is an event's role.
        properties: the facts it reads. via: the relation it looks along.
        history: how far back it reads; 0: not at all, None: everything. full: how long history must be to be enough.
        marks: two plain numbers that it sees are judged alike unless one of these lies between them or is one of them.
    """

    kind: ClassVar[str]
    pulse: ClassVar[bool] = False
    opens: ClassVar[int] = -1
    minds_failing: ClassVar[bool] = False

    def __init__(self, path: str, slot: int, condition: LeafCondition) -> None:
        self.path = path
        self.slot = slot
        self.condition = condition
        self.filters: tuple[EventFilter, ...] = ()
        self.properties: tuple[str, ...] = ()
        self.via: str | None = None
        self.history: int | None = 0
        self.full: int | None = None
        self.marks: tuple[Exact | float, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """The event types it takes."""
        return tuple(dict.fromkeys(found.event for found in self.filters))

    @property
    def looks(self) -> str:
        return self.condition.model_dump_json()

    def feed(self, cell: Any, event: Event, roles: int) -> Any:
        """Take an event that passed the filters at the places of the bits of `roles`; the cell after it."""
        return cell

    @abstractmethod
    def level(self, cell: Any, now: Now) -> Any:
        """What it sees at a moment: all that `judge` needs. Equal levels are judged alike. Moments do not go back."""

    @abstractmethod
    def judge(self, level: Any) -> int:
        """The truth of what it sees."""

    def truth(self, cell: Any, now: Now) -> int:
        return self.judge(self.level(cell, now))

    @abstractmethod
    def observe(self, cell: Any, now: Now) -> Observation: ...

    def due(self, cell: Any, now: Now) -> Micros | None:
        """The earliest moment after now at which time alone may change what it sees, history's length aside."""
        return None

    def idle(self, cell: Any, at: Micros) -> bool:
        """True when nothing would be lost by forgetting the cell after that moment."""
        return False

    def dump(self, cell: Any) -> Any:
        """The cell as JSON."""
        return cell

    def load(self, data: Any) -> Any:
        return data


@dataclass(frozen=True, slots=True)
class Join:
    """Parts joined by `all`, `any` or `not`."""

    kind: str
    path: str
    of: tuple[Node, ...]


Node = Join | Leaf


def worth(node: Node, ask: Callable[[Leaf], int]) -> int:
    """The truth of a tree, by that of its leaves."""
    if isinstance(node, Leaf):
        return ask(node)
    if node.kind == "not":
        return TRUE - worth(node.of[0], ask)
    truths = [worth(part, ask) for part in node.of]
    return min(truths) if node.kind == "all" else max(truths)


def shown(node: Node, look: Callable[[Leaf], Observation]) -> Observation:
    """A tree as seen, by what its leaves saw."""
    if isinstance(node, Leaf):
        return look(node)
    parts = tuple(shown(part, look) for part in node.of)
    truths = [TRUTHS.index(part.truth) for part in parts]
    truth = TRUE - truths[0] if node.kind == "not" else min(truths) if node.kind == "all" else max(truths)
    return Observation(node.path, node.kind, TRUTHS[truth], children=parts)


def leaves(node: Node) -> list[Leaf]:
    return [node] if isinstance(node, Leaf) else [leaf for part in node.of for leaf in leaves(part)]
