"""Conditions while the sentence is still being read: a leaf of the document with what is needed to settle its subject,
its window and what it means beside its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from strategy.document import EventFilter, Leaf, Step
from strategy.language.lexer import Part

Style = Literal["act", "reading", "state", "fixed"]
"""act: a bare event, true at its instant. reading: a numeric field named alone, an act or (beside other events) the
newest value. state: everything that lasts. fixed: said so exactly that its neighbours change nothing."""


@dataclass(slots=True, eq=False)
class LeafDraft:
    condition: Leaf
    owner: str
    """The object type it speaks about."""
    style: Style
    parts: tuple[Part, ...]
    windowless: bool = False
    """No window was said, and one said by a neighbour may be meant."""
    relation: str | None = None
    """The relation named to reach `owner` from the strategy's subject."""
    negated: bool = False
    """The leaf is to be wrapped in `not` (far from a place)."""
    without: EventFilter | None = None
    """Set when the clause is a bare "did not X", which only means something beside a run."""
    stretch: bool = False
    """A date said as a stretch of time ("合同30天内到期"), while the document knows only the day it begins on."""
    carries_on: bool = False
    """A sequence whose first step has a time: it goes on from an act said before it."""
    within: int | None = None
    """A time bound that may reach back (a window) or forward (after the act before it): "且2小时内未解决"."""


@dataclass(slots=True, eq=False)
class Opening:
    """Steps whose rest follows in the next clause: "投诉后," "first adds to cart,"."""

    steps: list[Step]
    owner: str
    parts: tuple[Part, ...]


@dataclass(slots=True, eq=False)
class Group:
    kind: Literal["all", "any", "not"]
    of: list[Draft]
    bracketed: bool
    marks: tuple[str, ...] = ()


Draft = LeafDraft | Group | Opening


def leaves(draft: Draft) -> list[LeafDraft]:
    if isinstance(draft, LeafDraft):
        return [draft]
    if isinstance(draft, Opening):
        return []
    return [leaf for part in draft.of for leaf in leaves(part)]


def parts_of(draft: Draft) -> tuple[Part, ...]:
    """The parts of the sentence a draft was read from, in order."""
    if isinstance(draft, Group):
        return tuple(sorted((p for d in draft.of for p in parts_of(d)), key=lambda p: p.start))
    return draft.parts
