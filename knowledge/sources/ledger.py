"""How rows and claims are known again: digests of a row's key, of its values, and of what a claim says. What was taken
is kept in tables.py, and forgotten here with the person it was about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from core.db import Database
from core.events import Event, Fact, Input
from core.ids import stable_id
from knowledge.governance.forgetful import ForgetfulTables, Rows
from knowledge.graph import GraphFact
from knowledge.sources.columns import as_text
from knowledge.sources.mapping import Mapping
from knowledge.sources.rows import Row
from knowledge.sources.tables import LineageRow, SourceEntryRow


def mapping_digest(mapping: Mapping) -> str:
    return _digest(mapping.model_dump(mode="json"))


def row_digest(row: Row, mapping: str) -> str:
    """Of its values and of what is made of them: a mapping that changed is applied to every row anew."""
    said = row.error.as_dict("en") if row.error is not None else {k: as_text(v) for k, v in row.values.items()}
    return _digest([mapping, said])


def row_key(row: Row, key: Sequence[str]) -> str:
    """Of the columns that number the rows; without such (a log), of all values; of an unreadable row, of its line."""
    if row.error is not None:
        return stable_id("line", row.line)
    columns = key if key and all(as_text(row.values.get(c)) for c in key) else sorted(row.values)
    return stable_id("key", *(f"{c}={as_text(row.values.get(c))}" for c in columns))


def claim_of(found: Input) -> str:
    if isinstance(found, Event):
        return stable_id("event", found.source, found.id)
    said = _plain(found.value) if isinstance(found, Fact) else found.object
    name = found.property if isinstance(found, Fact) else found.relation
    return stable_id("claim", found.subject, name, said, found.time, found.source)


def claim_of_fact(fact: GraphFact) -> str:
    """As `claim_of` of the input that became this fact."""
    said = _plain(fact.value) if fact.object is None else fact.object
    return stable_id("claim", fact.subject, fact.name, said, fact.valid_from, fact.source)


def ledger_traces(database: Database) -> ForgetfulTables:
    return ForgetfulTables(
        "source ledger", database, (Rows(SourceEntryRow, owner=("subject",)), Rows(LineageRow, owner=("subject",)))
    )


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _digest(value: Any) -> str:
    return hashlib.sha256(_plain(value).encode()).hexdigest()
