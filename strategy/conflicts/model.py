"""What the check of strategies against each other finds, as data: kinds, pairs, witnesses. Words are in words.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.events import Event, Fact, Input, Relation
from core.text import Lang, Text
from core.times import DAY, Micros, format_time
from knowledge.catalog import Catalog
from strategy.conflicts.words import example

TOGETHER = DAY
"""Two strategies meet when both fire for one subject within this time and what lasts of either still holds."""


class Kind(StrEnum):
    """What is wrong between strategies (or, of `dead`, with one)."""

    OPPOSITE = "opposite"
    EXCLUSIVE = "exclusive"
    PILE_UP = "pile_up"
    SWALLOWED = "swallowed"
    CYCLE = "cycle"
    DEAD = "dead"


KINDS = {
    Kind.OPPOSITE: Text("动作相反", "opposite actions"),
    Kind.EXCLUSIVE: Text("动作互斥", "actions that exclude each other"),
    Kind.PILE_UP: Text("同渠道堆叠，超出频次上限", "messages pile up beyond a cap"),
    Kind.SWALLOWED: Text("被另一策略完全覆盖", "swallowed by another"),
    Kind.CYCLE: Text("互相触发，形成循环", "a cycle"),
    Kind.DEAD: Text("永远不会触发", "it can never fire"),
}


@dataclass(frozen=True, slots=True)
class Shot:
    """A strategy fires on a witness."""

    strategy: str
    at: Micros


@dataclass(frozen=True, slots=True)
class Witness:
    """A subject and its past, in order of time, on which an engine has fired the strategies as `shots` say, with time
    moved on to `until`. What others did before serves as the beginning of history."""

    subject: str
    inputs: tuple[Input, ...]
    shots: tuple[Shot, ...]
    until: Micros

    def as_dict(self, zone: str) -> dict[str, Any]:
        """As JSON: what holds of the subject (and of what it is related to), and what happens to it."""
        facts = [
            {"subject": i.subject, "property": i.property, "value": i.value, "from": format_time(i.time, zone)}
            for i in self.inputs
            if isinstance(i, Fact)
        ]
        relations = [
            {"subject": i.subject, "relation": i.relation, "object": i.object, "from": format_time(i.time, zone)}
            for i in self.inputs
            if isinstance(i, Relation)
        ]
        events = [
            {"id": i.id, "type": i.type, "subject": i.subject, "time": format_time(i.time, zone), "data": dict(i.data)}
            for i in self.inputs
            if isinstance(i, Event)
        ]
        return {
            "subject": self.subject,
            "facts": facts,
            "relations": relations,
            "events": events,
            "fires": [{"strategy": shot.strategy, "at": format_time(shot.at, zone)} for shot in self.shots],
            "until": format_time(self.until, zone),
        }


@dataclass(frozen=True, slots=True)
class Happened:
    """How often it really happened: in recorded history so many subjects were hit so many times; `examples` are some of
    them with the moments at which each strategy fired."""

    times: int
    subjects: int
    examples: tuple[tuple[str, tuple[Shot, ...]], ...] = ()

    def as_dict(self, zone: str) -> dict[str, Any]:
        return {
            "times": self.times,
            "subjects": self.subjects,
            "examples": [
                {"subject": who, "fires": [{"strategy": s.strategy, "at": format_time(s.at, zone)} for s in shots]}
                for who, shots in self.examples
            ],
        }


@dataclass(frozen=True, slots=True)
class Clash:
    """One finding. `strategies`: whom it is between (the swallowed one first; a cycle in its order). `actions`: what
    clashes. `decided` is False when neither a witness was found nor that there is none: then nothing is claimed."""

    kind: Kind
    strategies: tuple[str, ...]
    said: Text
    actions: tuple[str, ...] = ()
    decided: bool = True
    witness: Witness | None = None
    happened: Happened | None = field(default=None)

    def as_dict(self, lang: Lang, catalog: Catalog) -> dict[str, Any]:
        zone = catalog.timezone
        return {
            "kind": self.kind.value,
            "strategies": list(self.strategies),
            "actions": list(self.actions),
            "decided": self.decided,
            "said": self.said.say(lang),
            "example": None if self.witness is None else example(self.witness.inputs[1:], catalog).say(lang),
            "witness": None if self.witness is None else self.witness.as_dict(zone),
            "happened": None if self.happened is None else self.happened.as_dict(zone),
        }
