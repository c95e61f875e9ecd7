"""One record at a time: the trained model and its blocking keys over the records seen so far, without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from math import log2
from typing import Generic, NamedTuple, TypeVar

from knowledge.identity.blocking import CROWDED, narrowed, single_keys
from knowledge.identity.cluster import Clusters, join_all
from knowledge.identity.fields import Record
from knowledge.identity.model import Judgement, MatchModel

Name = TypeVar("Name", int, str)


class Added(NamedTuple):
    """Where a record went. `judged`: the earlier records it may be, likeliest first."""

    place: int
    group: int
    judged: tuple[tuple[int, Judgement], ...]


class Candidates(Generic[Name]):
    """Records by name under their blocking keys, and which of them another record may be."""

    def __init__(self, model: MatchModel) -> None:
        self.model = model
        self.records: dict[Name, Record] = {}
        self._blocks: defaultdict[str, dict[Name, None]] = defaultdict(dict)
        share = model.rules.thresholds.review
        self._least = log2(share / (1 - share))
        self._keyed = [c.field.name for c in model.comparisons if c.field.role in model.rules.keys]

    def put(self, name: Name, record: Record) -> None:
        """Take a record in, or in place of what it said before."""
        self.drop(name)
        self.records[name] = record
        for key in self._keys(record):
            self._blocks[key][name] = None

    def drop(self, name: Name) -> None:
        for key in self._keys(self.records.pop(name, {})):
            self._blocks[key].pop(name, None)
            if not self._blocks[key]:
                del self._blocks[key]

    def match(self, record: Record, but: Name | None = None) -> list[tuple[Name, Judgement]]:
        """The records (`but` one) that this one may be, likeliest first; nothing is changed. Crowded keys lead to
        none."""
        blocks = (self._blocks[key] for key in self._keys(record) if key in self._blocks)
        names = {name for block in blocks if len(block) <= CROWDED for name in block} - {but}
        found = []
        for name in names:
            other = self.records[name]
            keyed = any(key in record and record[key] == other.get(key) for key in self._keyed)
            if keyed or self.model.weight(record, other) >= self._least:
                found.append((name, self.model.judge(record, other)))
        return sorted(found, key=lambda f: (-f[1].weight, f[0]))

    def _keys(self, record: Record) -> list[str]:
        return narrowed(single_keys(record, self.model.fields), self.model.common)


class IdentityIndex:
    """Records grouped as they come, by the model of a batch."""

    def __init__(self, model: MatchModel, once: Collection[str] = ()) -> None:
        self.clusters = Clusters(model, once)
        self._candidates = Candidates[int](model)

    def add(self, record: Record, source: str = "") -> Added:
        """Take a record in and join it to the groups that it may belong to."""
        judged = self._candidates.match(record)
        place = self.clusters.add(record, source)
        self._candidates.put(place, record)
        join_all(self.clusters, [(other, place, judgement) for other, judgement in judged])
        return Added(place, self.clusters.group(place), tuple(judged))
