"""All SQL of the graph. Functions take a session and never commit; every statement names the tenant."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, Table, and_, bindparam, func, or_, select
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, SQLModel

from core.context import Purpose
from core.events import Event
from core.times import Micros
from knowledge.graph.model import GraphFact, Retraction
from knowledge.graph.tables import (
    EdgeInRow,
    EdgeOutRow,
    FactRow,
    GraphEventRow,
    LookupRow,
    RetractionRow,
    SubjectRow,
)

_CHUNK = 500
"""Values in one IN list; SQLite allows 32,766 parameters a statement, and short lists keep its plans simple."""


def _table(model: type[SQLModel]) -> Table:
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare what its metaclass adds
    assert isinstance(table, Table)
    return table


_FACT, _GONE, _OUT, _IN = _table(FactRow), _table(RetractionRow), _table(EdgeOutRow), _table(EdgeInRow)
_SUBJECT, _LOOKUP, _EVENT = _table(SubjectRow), _table(LookupRow), _table(GraphEventRow)


_ALWAYS = 2**62
"""A moment after every other."""


class Keyed(NamedTuple):
    """A short text value in the form that `find` compares, and the fact it belongs to."""

    key: str
    seq: int


# Statements that every read needs are built once: building them costs more than SQLite takes to answer.

_STANDS: list[ColumnElement[bool]] = [
    _FACT.c.tenant == bindparam("tenant"),
    _FACT.c.recorded_at <= bindparam("known_at"),
    or_(_GONE.c.seq.is_(None), _GONE.c.recorded_at > bindparam("known_at")),
]
"""Recorded by then, and not withdrawn by then."""
_HOLDS: list[ColumnElement[bool]] = [
    _FACT.c.valid_from <= bindparam("as_of"),
    or_(_FACT.c.valid_to.is_(None), _FACT.c.valid_to > bindparam("as_of")),
]
_IS_PROPERTY = _FACT.c.object.is_(None)
_IS_EDGE = _FACT.c.object == bindparam("object")
_ABOUT: list[ColumnElement[bool]] = [_FACT.c.subject == bindparam("subject"), _FACT.c.name == bindparam("name")]


def _standing(index: Table | None = None) -> Select[Any]:
    """Facts that stand, reached through an index table where one is given."""
    source = _FACT if index is None else _FACT.join(index, index.c.seq == _FACT.c.seq)
    gone = source.outerjoin(_GONE, _GONE.c.seq == _FACT.c.seq)
    return select(_FACT).select_from(gone).where(*_STANDS)


def _edges(index: Table, end: ColumnElement[str]) -> Select[Any]:
    nodes = end.in_(bindparam("nodes", expanding=True))
    return _standing(index).where(index.c.tenant == bindparam("tenant"), nodes, *_HOLDS).limit(bindparam("limit"))


def _values() -> Select[Any]:
    order = (_FACT.c.valid_from.desc(), _FACT.c.recorded_at.desc(), _FACT.c.seq.desc())
    place = func.row_number().over(partition_by=_FACT.c.name, order_by=order).label("place")
    own = (
        _standing().add_columns(place).where(_FACT.c.subject == bindparam("subject"), _IS_PROPERTY, *_HOLDS).subquery()
    )
    return select(own).where(own.c.place == 1).order_by(own.c.name)


_EDGES = (_edges(_OUT, _OUT.c.subject), _edges(_IN, _IN.c.object))
_VALUES = _values()
_PROPERTY = _standing().where(*_ABOUT, _IS_PROPERTY)
_EDGE = _standing().where(*_ABOUT, _IS_EDGE)
_SAID = {
    kind: statement.where(_FACT.c.valid_from == bindparam("valid_from"), _FACT.c.source == bindparam("source"))
    .order_by(_FACT.c.recorded_at.desc(), _FACT.c.seq.desc())
    .limit(1)
    for kind, statement in (("property", _PROPERTY), ("edge", _EDGE))
}


# --- writing -----------------------------------------------------------------


def next_seq(session: Session) -> int:
    """The log's next place. The caller holds the write lock, so nobody else takes it."""
    return (session.execute(select(func.max(_FACT.c.seq))).scalar() or 0) + 1


def known_ids(session: Session, tenant: str, ids: Collection[str]) -> set[str]:
    found: set[str] = set()
    for chunk in _chunks(ids):
        found.update(
            session.execute(select(_FACT.c.id).where(_FACT.c.tenant == tenant, _FACT.c.id.in_(chunk))).scalars()
        )
    return found


def latest_claim(
    session: Session, tenant: str, subject: str, name: str, obj: str | None, valid_from: int, source: str
) -> GraphFact | None:
    """The last standing claim of one source about one property (or edge) from one moment on."""
    row = session.execute(
        _SAID["property" if obj is None else "edge"],
        {
            "tenant": tenant,
            "known_at": _ALWAYS,
            "subject": subject,
            "name": name,
            "object": obj,
            "valid_from": valid_from,
            "source": source,
        },
    ).first()
    return _fact(row) if row else None


def add_facts(session: Session, tenant: str, facts: Sequence[GraphFact], keys: Sequence[Keyed]) -> None:
    """Append to the log and to the indexes over it."""
    if not facts:
        return
    session.execute(_FACT.insert(), [_fact_values(tenant, f) for f in facts])
    if edges := [
        {"tenant": tenant, "subject": f.subject, "name": f.name, "object": f.object, "seq": f.seq}
        for f in facts
        if f.object is not None
    ]:
        session.execute(_OUT.insert(), edges)
        session.execute(_IN.insert(), edges)
    if keys:
        session.execute(_LOOKUP.insert(), [{"tenant": tenant, "key": k.key, "seq": k.seq} for k in keys])


def add_subjects(session: Session, tenant: str, subjects: dict[str, str]) -> None:
    """Remember subjects (id → key); known ones stay."""
    if subjects:
        session.execute(
            insert_sqlite(_SUBJECT).on_conflict_do_nothing(),
            [{"tenant": tenant, "subject": s, "key": k} for s, k in subjects.items()],
        )


def add_retractions(session: Session, tenant: str, facts: Sequence[GraphFact], retraction: Retraction) -> int:
    """Withdraw facts; those withdrawn before stay as they are. Returns how many are new."""
    seqs = [f.seq for f in facts]
    before: set[int] = set()
    for chunk in _chunks(seqs):
        before.update(session.execute(select(_GONE.c.seq).where(_GONE.c.seq.in_(chunk))).scalars())
    rows = [
        {
            "seq": seq,
            "tenant": tenant,
            "recorded_at": retraction.recorded_at,
            "reason": retraction.reason,
            "actor": retraction.actor,
        }
        for seq in dict.fromkeys(seqs)
        if seq not in before
    ]
    if rows:
        session.execute(_GONE.insert(), rows)
    return len(rows)


def add_events(session: Session, tenant: str, events: Sequence[Event]) -> int:
    """Keep events; returns how many were new by (source, id)."""
    if not events:
        return 0
    before = count(session, _EVENT, tenant)
    session.execute(
        insert_sqlite(_EVENT).on_conflict_do_nothing(),
        [
            {
                "tenant": tenant,
                "source": e.source,
                "id": e.id,
                "type": e.type,
                "subject": e.subject,
                "time": e.time,
                "data": to_json(dict(e.data)),
            }
            for e in events
        ],
    )
    return count(session, _EVENT, tenant) - before


# --- reading -----------------------------------------------------------------


def facts_by_id(session: Session, tenant: str, ids: Collection[str]) -> dict[str, GraphFact]:
    """Facts, withdrawn ones too."""
    found: dict[str, GraphFact] = {}
    for chunk in _chunks(ids):
        for row in session.execute(select(_FACT).where(_FACT.c.tenant == tenant, _FACT.c.id.in_(chunk))):
            found[row.id] = _fact(row)
    return found


def retraction_of(session: Session, fact: GraphFact) -> Retraction | None:
    row = session.execute(select(_GONE).where(_GONE.c.seq == fact.seq)).first()
    return Retraction(Micros(row.recorded_at), row.reason, row.actor) if row else None


def values_of(session: Session, tenant: str, subject: str, as_of: Micros, known_at: Micros | None) -> list[GraphFact]:
    """Of each property of the subject the fact that counts; "no value" included."""
    asked = {"tenant": tenant, "subject": subject, "as_of": as_of, "known_at": _known(known_at)}
    return [_fact(row) for row in session.execute(_VALUES, asked)]


def facts_of(
    session: Session, tenant: str, subject: str, name: str, obj: str | None = None, known_at: Micros | None = None
) -> list[GraphFact]:
    """All facts of one property (or edge)."""
    asked = {"tenant": tenant, "subject": subject, "name": name, "object": obj, "known_at": _known(known_at)}
    return [_fact(row) for row in session.execute(_PROPERTY if obj is None else _EDGE, asked)]


def edges_at(
    session: Session, tenant: str, nodes: Sequence[str], as_of: Micros, known_at: Micros | None, limit: int
) -> tuple[list[GraphFact], bool]:
    """Facts about edges from or to any of `nodes`, "no longer" included, and whether there are more: of 500 nodes at
    most `limit` facts in each direction are read."""
    found: dict[int, GraphFact] = {}
    more = False
    asked = {"tenant": tenant, "as_of": as_of, "known_at": _known(known_at), "limit": limit + 1}
    for chunk in _chunks(nodes):
        for statement in _EDGES:
            rows = session.execute(statement, {**asked, "nodes": chunk}).all()
            more = more or len(rows) > limit
            found.update((row.seq, _fact(row)) for row in rows[:limit])
    return list(found.values()), more


def lookup(session: Session, tenant: str, key: str, limit: int) -> list[GraphFact]:
    """Standing facts whose text value is `key` or begins with it; whole matches first."""
    statement = (
        _standing(_LOOKUP)
        .where(_LOOKUP.c.tenant == tenant, *_begins(_LOOKUP.c.key, key))
        .order_by(_LOOKUP.c.key, _FACT.c.seq)
        .limit(limit)
    )
    return [_fact(row) for row in session.execute(statement, {"tenant": tenant, "known_at": _ALWAYS})]


def subjects_like(session: Session, tenant: str, text: str, key: str, limit: int) -> list[tuple[str, str]]:
    """(subject, key) of subjects whose id is `text`, or whose key is or begins with `key`; whole matches first."""
    statement = (
        select(_SUBJECT.c.subject, _SUBJECT.c.key)
        .where(_SUBJECT.c.tenant == tenant, or_(_SUBJECT.c.subject == text, and_(*_begins(_SUBJECT.c.key, key))))
        .order_by(_SUBJECT.c.subject != text, _SUBJECT.c.key, _SUBJECT.c.subject)
        .limit(limit)
    )
    return [(row.subject, row.key) for row in session.execute(statement)]


def events_before(
    session: Session, tenant: str, subject: str, until: Micros, types: Collection[str]
) -> Iterator[Event]:
    """A subject's events at or before a moment, newest first, read as they are asked for."""
    statement = select(_EVENT).where(_EVENT.c.tenant == tenant, _EVENT.c.subject == subject, _EVENT.c.time <= until)
    if types:
        statement = statement.where(_EVENT.c.type.in_(list(types)))
    statement = statement.order_by(_EVENT.c.time.desc(), _EVENT.c.id.desc(), _EVENT.c.source.desc())
    for row in session.execute(statement.execution_options(yield_per=100)):
        yield _event(row)


def events_by_id(session: Session, tenant: str, event_id: str) -> list[Event]:
    statement = select(_EVENT).where(_EVENT.c.tenant == tenant, _EVENT.c.id == event_id)
    return [_event(row) for row in session.execute(statement)]


def count(session: Session, table: Table, tenant: str) -> int:
    rows: int = session.execute(select(func.count()).select_from(table).where(table.c.tenant == tenant)).scalar_one()
    return rows


def counts(session: Session, tenant: str) -> tuple[int, int, int]:
    """Subjects, facts (withdrawn ones included) and events."""
    return count(session, _SUBJECT, tenant), count(session, _FACT, tenant), count(session, _EVENT, tenant)


# --- parts -------------------------------------------------------------------


def _known(known_at: Micros | None) -> int:
    return _ALWAYS if known_at is None else known_at


def _begins(column: ColumnElement[str], key: str) -> list[ColumnElement[bool]]:
    return [column >= key, column < key + "\U0010ffff"]


def _chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    for i in range(0, len(listed), _CHUNK):
        yield listed[i : i + _CHUNK]


def to_json(value: Any) -> str:
    """JSON with sorted keys; the same value is always the same text.

    Raises:
        TypeError, ValueError: it has no JSON form (NaN and infinity have none).
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _fact_values(tenant: str, fact: GraphFact) -> dict[str, Any]:
    return {
        "seq": fact.seq,
        "tenant": tenant,
        "id": fact.id,
        "subject": fact.subject,
        "name": fact.name,
        "object": fact.object,
        "value": to_json(fact.value),
        "ended": fact.ended,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
        "recorded_at": fact.recorded_at,
        "source": fact.source,
        "confidence": fact.confidence,
        "purposes": ",".join(sorted(fact.purposes)),
    }


def _fact(row: Row[Any]) -> GraphFact:
    return GraphFact(
        id=row.id,
        seq=row.seq,
        subject=row.subject,
        name=row.name,
        value=json.loads(row.value),
        object=row.object,
        ended=row.ended,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        recorded_at=row.recorded_at,
        source=row.source,
        confidence=row.confidence,
        purposes=frozenset(Purpose(p) for p in row.purposes.split(",") if p),
    )


def _event(row: Row[Any]) -> Event:
    return Event(row.id, row.type, Micros(row.time), row.subject, json.loads(row.data), row.source)
