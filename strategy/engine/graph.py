"""What a path needs of a graph: neighbours along a relation and their facts, as they stand now. A `World` is one."""

from __future__ import annotations

from typing import Any, Protocol

from core.times import Micros


class GraphPort(Protocol):
    """Relations and facts as of one moment. A relation that was never told of does not exist."""

    def objects(self, relation: str, subject: str) -> list[str]:
        """What the subject has that relation to, in order of id."""
        ...

    def subjects(self, relation: str, object_: str) -> list[str]:
        """Who has that relation to the object, in order of id."""
        ...

    def fact(self, subject: str, name: str) -> tuple[Micros, Any] | None:
        """The newest (since, value) of a property; None when there is none."""
        ...
