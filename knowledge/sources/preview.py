"""The graph that a plan gives, before anything is written: how many of what, what contradicts what, what is left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from core.events import Event, Fact, Input, Relation
from core.times import Micros
from knowledge.sources.identities import normal
from knowledge.sources.mapping import Mapped, map_rows
from knowledge.sources.places import Table
from knowledge.sources.plan import Plan

_SHOWN = 5


@dataclass(slots=True)
class Preview:
    """Counts of what the tables give. `conflicts`: properties for which sources say different things from the same
    moment on, or without one; `dangling`: things that are referred to and have no row of their own."""

    entities: dict[str, int] = field(default_factory=dict)
    facts: int = 0
    relations: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    dangling: dict[str, int] = field(default_factory=dict)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    same: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    rejected_rows: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def inputs_of(
    plan: Plan, tables: Sequence[Table], now: Micros, limit: int | None = None
) -> Iterator[tuple[str, Mapped]]:
    """Table by table, what each row gives. Tables of the plan that are not there, or are left out, give nothing."""
    by_name = {table.name: table for table in tables}
    for name, told in plan.tables.items():
        table = by_name.get(name)
        if table is not None and told.mapping is not None:
            for mapped in map_rows(islice(table.rows(), limit), told.mapping, table.file, now):
                yield name, mapped


def preview(plan: Plan, tables: Sequence[Table], now: Micros, limit: int | None = None) -> Preview:
    """
    Raises:
        InvalidInput: a table cannot be read. UnknownName: the plan names a column that it does not have.
    """
    seen = Preview()
    told: defaultdict[tuple[str, str], dict[str, tuple[Any, int]]] = defaultdict(dict)
    subjects, named, relations, events = set[str](), set[str](), set[tuple[str, str, str]](), Counter[str]()
    for table, mapped in inputs_of(plan, tables, now, limit):
        if mapped.error is not None:
            seen.rejected_rows += 1
            if len(seen.rejected) < 4 * _SHOWN:
                seen.rejected.append({"table": table, "line": mapped.line, "error": mapped.error.as_dict("en")})
            continue
        told_of = {item.subject for item in mapped.inputs if not isinstance(item, Event)}
        if told_of:
            subjects.add(next(item.subject for item in mapped.inputs if not isinstance(item, Event)))
        for item in mapped.inputs:
            _count(item, table, seen, told, named, relations, events)
    everyone = subjects | named
    seen.entities = dict(sorted(Counter(s.split("/", 1)[0] for s in everyone).items()))
    own = {told.entity for told in plan.tables.values() if told.entity}
    seen.dangling = dict(sorted(Counter(s.split("/")[0] for s in named - subjects if s.split("/")[0] in own).items()))
    seen.relations = dict(sorted(Counter(name for _, name, _ in relations).items()))
    seen.events = dict(sorted(events.items()))
    seen.conflicts = _conflicts(told)
    seen.same = _same(plan, told)
    return seen


def _count(
    item: Input,
    table: str,
    seen: Preview,
    told: defaultdict[tuple[str, str], dict[str, tuple[Any, int]]],
    named: set[str],
    relations: set[tuple[str, str, str]],
    events: Counter[str],
) -> None:
    named.add(item.subject)
    if isinstance(item, Fact):
        seen.facts += 1
        before = told[item.subject, item.property].get(table)
        if before is None or before[1] <= item.time:
            told[item.subject, item.property][table] = (item.value, item.time)
    elif isinstance(item, Relation):
        named.add(item.object)
        relations.add((item.subject, item.relation, item.object))
    else:
        events[item.type] += 1


def _conflicts(told: dict[tuple[str, str], dict[str, tuple[Any, int]]]) -> list[dict[str, Any]]:
    """By property: for how many subjects two tables disagree, with a few of them."""
    found: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for (subject, name), by_table in told.items():
        said = {normal(str(value), name) or str(value) for value, _ in by_table.values()}
        if len(said) > 1:
            values = {table: value for table, (value, _) in by_table.items()}
            found[subject.split("/", 1)[0], name].append({"subject": subject, "values": values})
    return [
        {"entity": entity, "property": name, "subjects": len(cases), "examples": cases[:_SHOWN]}
        for (entity, name), cases in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _same(plan: Plan, told: dict[tuple[str, str], dict[str, tuple[Any, int]]]) -> list[dict[str, Any]]:
    """By identity: how many values several subjects share, and how many subjects that are."""
    wanted = {(identity.entity, identity.property) for identity in plan.identities}
    held: defaultdict[tuple[str, str], defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (subject, name), by_table in told.items():
        about = (subject.split("/", 1)[0], name)
        for value, _ in by_table.values() if about in wanted else ():
            held[about][normal(str(value), name)].add(subject)
    found = []
    for (entity, name), values in sorted(held.items()):
        groups = [sorted(subjects) for value, subjects in values.items() if value and len(subjects) > 1]
        if groups:
            found.append(
                {
                    "entity": entity,
                    "property": name,
                    "values": len(groups),
                    "subjects": len(set().union(*groups)),
                    "examples": groups[:_SHOWN],
                }
            )
    return found
