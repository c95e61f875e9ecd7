"""The records of one object type as the graph has them now, and the model that compares them. It is rebuilt from the
graph at a start; what is done about its verdicts is in service.py."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from knowledge.identity.cluster import agree
from knowledge.identity.expected import untrained
from knowledge.identity.fields import Record, lay_out, read_record
from knowledge.identity.index import Candidates
from knowledge.identity.model import Judgement, MatchModel
from knowledge.identity.subjects import Compared

_ENOUGH, _SAMPLE = 200, 5_000
"""From how many records on the model is learnt, and from how many at most."""
_FEW = 1_000
"""Fewer records are judged as if there were so many: a hub that has just begun must not take chance for identity."""
_SEED = 1


class KnownRecords:
    """Records by subject. `rows`: subject → property → value."""

    def __init__(self, how: Compared, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self._how = how
        every_property: Mapping[str, Any] = dict.fromkeys(how.roles)
        self._fields, (self._layout,) = lay_out([[every_property, *rows.values()]], how.roles)
        self._sharing: Counter[tuple[str, str]] = Counter()
        records = {subject: self._read(row) for subject, row in rows.items()}
        self.model = self._learn(records)
        self._candidates = Candidates[str](self.model)
        for subject, record in records.items():
            self._take(subject, record)

    @property
    def subjects(self) -> list[str]:
        return list(self._candidates.records)

    def put(self, subject: str, row: Mapping[str, Any]) -> None:
        """What a record says now, in place of what it said before."""
        self.drop(subject)
        self._take(subject, self._read(row))

    def drop(self, subject: str) -> None:
        self._sharing.subtract(self._keys(self._candidates.records.get(subject, {})))
        self._candidates.drop(subject)

    def matches(self, subject: str) -> list[tuple[str, Judgement]]:
        """The other records that may be the same entity, likeliest first."""
        return self._candidates.match(self._compared(subject), but=subject)

    def agree(self, left: Collection[str], right: Collection[str]) -> bool:
        """Do two groups of records agree on the whole?"""
        known = self._candidates.records.keys()
        return agree(self.model, *([self._compared(s) for s in side if s in known] for side in (left, right)))

    def _take(self, subject: str, record: Record) -> None:
        self._candidates.put(subject, record)
        self._sharing.update(self._keys(record))

    def _read(self, row: Mapping[str, Any]) -> Record:
        return read_record(row, self._fields, self._layout)

    def _keys(self, record: Record) -> list[tuple[str, str]]:
        return [(f.name, record[f.name]) for f in self._fields if f.role in self._how.rules.keys and f.name in record]

    def _compared(self, subject: str) -> Record:
        """The record without key values that so many others share that they are placeholders."""
        record = self._candidates.records[subject]
        most = {f.name: self._how.rules.keys[f.role].at_most for f in self._fields if f.role in self._how.rules.keys}
        crowded = {name for name, value in self._keys(record) if self._sharing[name, value] > most[name]}
        return {name: value for name, value in record.items() if name not in crowded}

    def _learn(self, records: Mapping[str, Record]) -> MatchModel:
        told = [record for _, record in sorted(records.items()) if record]
        if len(told) < _ENOUGH:
            return untrained(self._fields, self._how.rules, max(_FEW, len(told)))
        from knowledge.identity.train import train  # Splink and DuckDB take their time to import

        if len(told) > _SAMPLE:
            told = random.Random(_SEED).sample(told, _SAMPLE)
        return train(told, self._fields, self._how.rules, _SEED)[0]
