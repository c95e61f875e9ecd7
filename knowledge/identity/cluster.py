"""From judged pairs to entities: groups that grow best pair first, and only while every part of a group agrees with the
other on the whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice, product

from knowledge.identity.fields import Record
from knowledge.identity.model import Judgement, MatchModel

_LOOKED_AT = 64
"""Pairs between two groups that are judged at most before they are joined."""
_HEAVIEST = 20.0
"""Bits that one pair counts at most, for or against, in the mean of two groups."""


class Clusters:
    """The records of some sources, grouped. `once`: sources that list each entity at most once."""

    def __init__(self, model: MatchModel, once: Collection[str] = ()) -> None:
        self._model, self._once = model, frozenset(once)
        self.records: list[Record] = []
        self.sources: list[str] = []
        self._group: list[int] = []
        self._members: dict[int, list[int]] = {}
        self.joined: dict[int, tuple[int, Judgement]] = {}
        """Record → the record it was joined to and the judgement that did it (both ways)."""

    def add(self, record: Record, source: str) -> int:
        """The record's place; it is a group of its own at first."""
        place = len(self.records)
        self.records.append(record)
        self.sources.append(source)
        self._group.append(place)
        self._members[place] = [place]
        return place

    def group(self, place: int) -> int:
        """The group's lowest record."""
        return self._group[place]

    def members(self, place: int) -> list[int]:
        return sorted(self._members[self._group[place]])

    def join(self, a: int, b: int, judgement: Judgement) -> bool:
        """Make the groups of two records one; False when they already are, or must not be."""
        left, right = self._group[a], self._group[b]
        if left == right or not self._may_join(self._members[left], self._members[right]):
            return False
        kept, gone = min(left, right), max(left, right)
        for place in self._members[gone]:
            self._group[place] = kept
        self._members[kept] += self._members.pop(gone)
        for one, other in ((a, b), (b, a)):
            if one not in self.joined or judgement.weight > self.joined[one][1].weight:
                self.joined[one] = (other, judgement)
        return True

    def _may_join(self, left: Sequence[int], right: Sequence[int]) -> bool:
        sources = {self.sources[i] for i in left} & {self.sources[i] for i in right}
        if sources & self._once:
            return False
        return agree(self._model, [self.records[i] for i in left], [self.records[j] for j in right])


def agree(model: MatchModel, left: Sequence[Record], right: Sequence[Record]) -> bool:
    """Do two groups agree on the whole, and does no rule keep any two of their records apart? Of two single records
    their own judgement says it all."""
    if len(left) == len(right) == 1:
        return True
    total, looked = 0.0, 0
    for one, other in islice(product(left, right), _LOOKED_AT):
        judged = model.judge(one, other)
        if judged.verdict == "no" and judged.barred:
            return False
        total += max(-_HEAVIEST, min(_HEAVIEST, judged.weight))
        looked += 1
    return total / looked > 0


def join_all(clusters: Clusters, judged: Sequence[tuple[int, int, Judgement]]) -> None:
    """Join what may be linked, the likeliest pair first; among equals the earliest records first."""
    for i, j, judgement in sorted(judged, key=lambda e: (-e[2].weight, e[0], e[1])):
        if judgement.verdict in ("auto", "link"):
            clusters.join(i, j, judgement)
