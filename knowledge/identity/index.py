"""One record at a time: the trained model and its blocking keys over the records seen so far, without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from math import log2
from typing import NamedTuple

from knowledge.identity.blocking import CROWDED, narrowed, single_keys
from knowledge.identity.cluster import Clusters, join_all
from knowledge.identity.fields import Record
from knowledge.identity.model import Judgement, MatchModel


class Added(NamedTuple):
    """Where a record went. `judged`: the earlier records it may be, likeliest first."""

    place: int
    group: int
    judged: tuple[tuple[int, Judgement], ...]


class IdentityIndex:
    """Records grouped as they come, by the model of a batch."""

    def __init__(self, model: MatchModel, once: Collection[str] = ()) -> None:
        self.clusters = Clusters(model, once)
        self._model = model
        self._blocks: defaultdict[str, list[int]] = defaultdict(list)
        share = model.rules.thresholds.review
        self._least = log2(share / (1 - share))
        self._keyed = [c.field.name for c in model.comparisons if c.field.role in model.rules.keys]

    def candidates(self, record: Record) -> set[int]:
        """Earlier records that share a key with this one; crowded keys give none."""
        keys = narrowed(single_keys(record, self._model.fields), self._model.common)
        blocks = (self._blocks[key] for key in keys if key in self._blocks)
        return {place for block in blocks if len(block) <= CROWDED for place in block}

    def match(self, record: Record) -> list[tuple[int, Judgement]]:
        """The earlier records that this one may be, likeliest first; nothing is changed."""
        found = []
        for place in self.candidates(record):
            other = self.clusters.records[place]
            keyed = any(name in record and record[name] == other.get(name) for name in self._keyed)
            if keyed or self._model.weight(record, other) >= self._least:
                found.append((place, self._model.judge(record, other)))
        return sorted(found, key=lambda f: (-f[1].weight, f[0]))

    def add(self, record: Record, source: str = "") -> Added:
        """Take a record in and join it to the groups that it may belong to."""
        judged = self.match(record)
        place = self.clusters.add(record, source)
        for key in narrowed(single_keys(record, self._model.fields), self._model.common):
            self._blocks[key].append(place)
        join_all(self.clusters, [(other, place, judgement) for other, judgement in judged])
        return Added(place, self.clusters.group(place), tuple(judged))
