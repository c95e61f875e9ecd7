"""From sample rows of several tables to a plan of the graph: what a row is, what numbers it, what it refers to, what
its columns mean. Everything proposed rests on the values (uniqueness, overlap, form) and on names (words, likeness)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

from knowledge.catalog import Catalog
from knowledge.sources.columns import Column, look_at
from knowledge.sources.identities import agreeing, find_identities
from knowledge.sources.joins import Reference, find_key, find_references, same_things
from knowledge.sources.mapping import Cell, EventRule, Mapping, RelationRule
from knowledge.sources.places import Table
from knowledge.sources.plan import Plan, RelationPlan, TablePlan
from knowledge.sources.rows import Row
from knowledge.sources.vocabulary import Meaning, Vocabulary, looks_like_id, slug, stem_of, words_of

SAMPLE = 20_000
"""Rows of a table that are looked at."""


@dataclass(slots=True)
class Looked:
    """One table as its sample shows it."""

    table: Table
    rows: list[dict[str, Any]]
    columns: list[Column]
    key: Column | None = None
    type: Meaning | None = None
    space: str = ""
    """What its keys are prefixed with, where another table numbers other things of this type alike."""
    references: list[Reference] = field(default_factory=list)

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


def propose(
    tables: Sequence[Table], words: Vocabulary, *, timezone: str = "Asia/Shanghai", sample: int = SAMPLE
) -> Plan:
    """
    Raises:
        InvalidInput: a table cannot be read.
    """
    looked = [seen for table in tables if (seen := look(table, sample)).rows]
    _find_keys(looked, words)
    for seen in looked:
        seen.type = _type(seen, words)
    _share_types(looked, words)
    return _Writer(looked, words, timezone).plan()


def look(table: Table, sample: int = SAMPLE) -> Looked:
    """Sample rows and what their columns hold."""
    read: list[Row] = [row for row in islice(table.rows(), sample) if row.error is None]
    names = list(
        dict.fromkeys(
            name
            for row in read
            for name, value in row.values.items()
            if name.strip() and not isinstance(value, dict | list)
        )
    )
    columns = [
        look_at(table.name, name, place, [row.values.get(name) for row in read]) for place, name in enumerate(names)
    ]
    return Looked(table, [row.values for row in read], [c for c in columns if c.filled])


def _find_keys(looked: Sequence[Looked], words: Vocabulary) -> None:
    keys: dict[str, Column] = {}
    for seen in looked:
        seen.key = find_key(seen.columns, seen.table.name, words)
        if seen.key is not None:
            keys[seen.table.name] = seen.key
    for seen in looked:
        seen.references = find_references(seen.columns, keys, words)


def _type(seen: Looked, words: Vocabulary) -> Meaning:
    """What a row is: by the name of its key (`customer_id`), then of the table, else a type of the table's name."""
    stem = stem_of(seen.key.name) if seen.key is not None and looks_like_id(seen.key.name) else ""
    by_table = words.type_of(seen.table.name)
    by_key = words.type_of(stem) if stem else None
    if seen.key is None and by_table is not None and by_table.sure < 1:
        return words.new_type(seen.table.name)  # the name of an event: its own words say more than what is like it
    if by_key is not None and (by_table is None or by_key.sure >= by_table.sure):
        return by_key
    return by_table or _people(seen, words) or words.new_type(stem or seen.table.name)


def _people(seen: Looked, words: Vocabulary) -> Meaning | None:
    """Rows with a name and something else that only people have are people, whatever the table is called."""
    meant = {words.property_of(c.name, "", c.type).id for c in seen.columns}
    named = meant & {"name", "first_name", "last_name", "nickname"}
    return words.type_of("customer") if named and meant & {"phone", "birthday", "gender", "id_card", "email"} else None


def _share_types(looked: Sequence[Looked], words: Vocabulary) -> None:
    """Tables whose keys number the same things are of one type; tables of one type whose keys do not are told apart by
    a prefix, so that number 7 of one system is not taken for number 7 of another."""
    entities = [seen for seen in looked if seen.key is not None]
    for one, other in combinations(entities, 2):
        assert one.key is not None and other.key is not None and one.type is not None and other.type is not None
        alike = same_things(one.key, other.key)
        if alike and _same_name(one, other) and one.type.id != other.type.id:
            better, worse = (one, other) if len(one.key.values) >= len(other.key.values) else (other, one)
            worse.type = better.type
    groups: dict[str, list[Looked]] = {}
    for seen in entities:
        assert seen.type is not None
        groups.setdefault(seen.type.id, []).append(seen)
    for group in groups.values():
        spaces: list[list[Looked]] = []
        for seen in sorted(group, key=lambda s: (-len(s.rows), s.table.name)):
            home = next((space for space in spaces if any(_one_space(seen, other, words) for other in space)), None)
            (spaces.append([seen]) if home is None else home.append(seen))
        for space in spaces[1:]:
            for seen in space:
                seen.space = f"{slug(space[0].table.name)}-"


def _same_name(one: Looked, other: Looked) -> bool:
    assert one.key is not None and other.key is not None
    return bool(stem_of(one.key.name)) and words_of(one.key.name) == words_of(other.key.name)


def _one_space(one: Looked, other: Looked, words: Vocabulary) -> bool:
    """Whether two tables of one type number the same things: their keys overlap, and where a key stands for the same
    person or thing in both, what else they say of it agrees."""
    assert one.key is not None and other.key is not None
    refers = any(r.table == other.table.name and r.column.name == one.key.name for r in one.references)
    if not same_things(one.key, other.key) and not refers:
        return False
    agreed = agreeing(one, other, words)
    return agreed >= 0.5 if agreed is not None else not one.key.plain_number or _same_name(one, other)


class _Writer:
    """Writes down what was found: mappings, relations, the catalog of it all."""

    def __init__(self, looked: Sequence[Looked], words: Vocabulary, timezone: str) -> None:
        self._looked, self._words, self._zone = looked, words, timezone
        self._by_name = {seen.table.name: seen for seen in looked}
        self._objects: dict[str, dict[str, Any]] = {}
        self._events: dict[str, dict[str, Any]] = {}
        self._relations: dict[str, dict[str, Any]] = {}
        self._found: list[RelationPlan] = []

    def plan(self) -> Plan:
        tables = {seen.table.name: self._table(seen) for seen in self._looked}
        content = {
            "catalog": 1, "timezone": self._zone,
            "objects": self._objects, "events": self._events, "relations": self._relations,
        }  # fmt: skip
        return Plan(
            tables=tables,
            relations=self._found,
            identities=find_identities(self._looked, self._words),
            catalog=Catalog.model_validate(content),
        )

    def _table(self, seen: Looked) -> TablePlan:
        assert seen.type is not None
        ends = self._ends(seen)
        time, moment = self._times(seen)
        bearer = self._bearer(seen, ends)
        key = seen.key
        if key is not None:
            self._object(seen.type)
            subject = f"{seen.type.id}/{seen.space}{{{key.name}}}"
        elif bearer is not None:
            subject = self._template(bearer, ends[bearer])
        else:
            return TablePlan(file=seen.table.file, part=seen.table.part, rows=len(seen.rows))
        owner = seen.type.id if key is not None else ends[bearer].id if bearer is not None else ""
        others = {name: end for name, end in ends.items() if key is not None or name != bearer}
        borrowed = self._borrowed(seen, others, owner)
        rest = [
            c
            for c in seen.columns
            if c is not key and c.name not in ends and c.name != moment and c.name not in borrowed
        ]
        happened = self._happened(seen, bearer, moment, key is not None)
        facts = self._cells(owner, rest) if key is not None or not happened else {}
        mapping = Mapping(
            mapping=1,
            source=seen.table.name,
            subject=subject,
            time=time,
            timezone=self._zone,
            facts=facts,
            relations=tuple(self._relation(seen, owner, name, end, borrowed) for name, end in others.items()),
            events=(self._event(seen, bearer, ends, moment, rest),) if happened and bearer and moment else (),
        )
        entity = seen.type.id if key is not None else None
        return TablePlan(
            file=seen.table.file, part=seen.table.part, rows=len(seen.rows),
            entity=entity, key=[key.name] if key else [], mapping=mapping,
        )  # fmt: skip

    def _ends(self, seen: Looked) -> dict[str, Meaning]:
        """Column → the type of thing it refers to: found among the tables, or named by an id column without a table."""
        ends: dict[str, Meaning] = {}
        for reference in seen.references:
            target = self._by_name[reference.table].type
            own_key = seen.key is not None and reference.column.name == seen.key.name
            if target is not None and not own_key:
                ends[reference.column.name] = target
        for column in seen.columns:
            stem = stem_of(column.name)
            lone = column.name not in ends and column is not seen.key and looks_like_id(column.name) and stem
            if lone and not column.kind and column.type in ("text", "enum", "number") and not column.unit:
                found = self._words.type_of(stem)
                if found is not None and self._words.property_of(column.name).sure < 1:
                    ends[column.name] = found
        for end in ends.values():
            self._object(end)
        return dict(sorted(ends.items(), key=lambda item: seen.column(item[0]).place))

    def _template(self, column: str, end: Meaning) -> str:
        target = next(
            (
                r.table
                for seen in self._looked
                for r in seen.references
                if r.column.name == column and self._by_name[r.table].type == end
            ),
            None,
        )
        space = self._by_name[target].space if target is not None else ""
        return f"{end.id}/{space}{{{column}}}"

    def _bearer(self, seen: Looked, ends: dict[str, Meaning]) -> str | None:
        """The column that says to whom a row happened."""
        order = self._words.bearers
        rated = sorted(
            ends,
            key=lambda name: (
                order.index(ends[name].id) if ends[name].id in order else len(order),
                seen.column(name).place,
            ),
        )
        return rated[0] if rated else None

    def _times(self, seen: Looked) -> tuple[str | None, str | None]:
        """The column from when what a row says is so, and the one when it happened."""
        dates = [c for c in seen.columns if c.type == "date" and c.full]
        meant = {c.name: self._words.property_of(c.name) for c in dates}
        happened = next((c.name for c in dates if meant[c.name].id == "occurred"), None)
        happened = happened or next((c.name for c in dates if meant[c.name].id == "created"), None)
        happened = happened or next((c.name for c in dates if c.timed and meant[c.name].id != "updated"), None)
        if happened is None and seen.key is None and len(dates) == 1:
            happened = dates[0].name
        since = next((c.name for c in dates if meant[c.name].id == "updated"), None)
        # A birthday or the end of a contract says nothing about when the rest of the row began to be so.
        since = since or next((c.name for c in dates if meant[c.name].id in ("occurred", "created", "joined")), None)
        return since or happened, happened

    def _happened(self, seen: Looked, bearer: str | None, moment: str | None, keyed: bool) -> bool:
        if bearer is None or moment is None or seen.type is None:
            return False
        return not keyed or seen.type.id in self._words.happenings

    def _borrowed(self, seen: Looked, ends: dict[str, Meaning], owner: str) -> dict[str, str]:
        """Columns that tell of a thing referred to, not of the row: `store_name` beside `store_id`, when each store has
        one name throughout. Column → the referring column."""
        found: dict[str, str] = {}
        for name, end in ends.items():
            stem, labels = stem_of(name), {words_of(end.zh), words_of(end.en), end.id}
            for column in seen.columns:
                said = words_of(column.name)
                about = any(said != label and said.startswith(label) for label in {stem, *labels} if label)
                if (
                    about
                    and end.id != owner
                    and column.name not in ends
                    and column is not seen.key
                    and _determines(seen, name, column.name)
                ):
                    found[column.name] = name
        return found

    def _cells(self, owner: str, columns: Sequence[Column]) -> dict[str, Cell]:
        """Property → cell, and the properties' names, types and units in the catalog."""
        cells: dict[str, Cell] = {}
        attributes = self._objects[owner]["attributes"]
        for column in columns:
            meaning = self._words.property_of(column.name, owner, column.type)
            name = meaning.id
            if name in cells:  # two columns that mean alike: the second keeps its own name
                zh, en = self._words.both(column.name)
                meaning = Meaning(slug(column.name), zh, en, 0.0)
                name = meaning.id if meaning.id not in cells else f"{meaning.id}_{column.place}"
            cells[name] = self._cell(owner, name, column)
            attributes.setdefault(name, _attribute(meaning, column, cells[name]))
        return cells

    def _cell(self, owner: str, name: str, column: Column) -> Cell:
        known = self._words.catalog.attribute(owner, name) if self._words.catalog else None
        kinds = {"number": "number", "boolean": "boolean", "date": "date"}
        kind = kinds.get(column.type, "text")
        to = known.unit if known is not None and known.type == "number" else column.unit
        told = column.unit if kind == "number" else None
        return Cell.model_validate({"column": column.name, "type": kind, "unit": told, "to": to if told else None})

    def _relation(self, seen: Looked, owner: str, column: str, end: Meaning, borrowed: dict[str, str]) -> RelationRule:
        found = next((r for r in seen.references if r.column.name == column), None)
        name = self._relation_name(owner, column, end)
        cardinality = found.cardinality if found else "1:1" if seen.column(column).unique else "n:1"
        if seen.key is None:
            cardinality = "n:n"
        self._found.append(
            RelationPlan(
                name=name, source=owner, target=end.id, table=seen.table.name, column=column,
                cardinality=cardinality, overlap=found.overlap if found else None,
            )
        )  # fmt: skip
        mine = [c for c in seen.columns if borrowed.get(c.name) == column]
        return RelationRule(relation=name, object=self._template(column, end), facts=self._cells(end.id, mine))

    def _relation_name(self, owner: str, column: str, end: Meaning) -> str:
        """The catalog's relation between the two types; else `owner_target`, with the role where the column names one
        (`referrer_id` → `customer_referrer`)."""
        known = self._words.catalog.relations if self._words.catalog else {}
        fitting = [name for name, item in known.items() if (item.source, item.target) == (owner, end.id)]
        if len(fitting) == 1:
            return fitting[0]
        stem = stem_of(column) or words_of(column)
        role = self._words.type_of(stem)
        plain = role is not None and role.id == end.id and role.sure == 1 and owner != end.id
        zh, en = (end.zh, end.en) if plain else self._words.both(stem)
        name = f"{owner}_{end.id if plain else slug(stem)}"
        mine = self._objects[owner]["labels"]
        labels = {"zh": [f"{mine['zh'][0]}的{zh}"], "en": [f"{mine['en'][0]}'s {en}"]}
        held = self._relations.setdefault(name, {"from": owner, "to": end.id, "labels": labels})
        if (held["from"], held["to"]) != (owner, end.id):
            name = f"{name}_{end.id}"
            self._relations.setdefault(name, {"from": owner, "to": end.id, "labels": labels})
        return name

    def _event(
        self, seen: Looked, bearer: str, ends: dict[str, Meaning], moment: str, rest: Sequence[Column]
    ) -> EventRule:
        assert seen.type is not None
        end = ends[bearer]
        name = f"{seen.type.id}.recorded"
        fields: dict[str, Any] = {}
        data: dict[str, Cell] = {}
        for column in [c for c in seen.columns if c in rest or (c.name in ends and c.name != bearer)]:
            meaning = self._words.property_of(column.name, seen.type.id, column.type)
            told = meaning.id if meaning.id not in data else slug(column.name)
            if column.name in ends:
                told = slug(column.name)
            data[told] = self._cell(seen.type.id, told, column)
            fields[told] = _attribute(meaning, column, data[told])
        labels = {
            "zh": [f"{seen.type.zh}记录" if not seen.type.zh.endswith("记录") else seen.type.zh],
            "en": [f"{seen.type.en} recorded"],
        }
        held = self._events.setdefault(name, {"subject": end.id, "labels": labels, "fields": {}})
        for key, attribute in fields.items():
            held["fields"].setdefault(key, attribute)
        number = f"{seen.table.name}-{{{seen.key.name}}}" if seen.key is not None else None
        whose = self._template(bearer, end) if seen.key is not None else None
        return EventRule(type=name, subject=whose, id=number, time=moment, data=data)

    def _object(self, meaning: Meaning) -> None:
        self._objects.setdefault(meaning.id, {"labels": {"zh": [meaning.zh], "en": [meaning.en]}, "attributes": {}})


def _attribute(meaning: Meaning, column: Column, cell: Cell) -> dict[str, Any]:
    kind = column.type if column.type in ("number", "boolean", "date") else "text"
    unit = {"unit": cell.to or cell.unit} if kind == "number" and (cell.to or cell.unit) else {}
    return {"type": kind, **unit, "labels": {"zh": [meaning.zh], "en": [meaning.en]}}


def _determines(seen: Looked, by: str, name: str) -> bool:
    """Whether rows with the same value of one column have the same of the other, and some value occurs twice."""
    told: dict[str, str] = {}
    again = False
    for row in seen.rows:
        key, value = str(row.get(by) or ""), str(row.get(name) or "")
        if key and value:
            again = again or key in told
            if told.setdefault(key, value) != value:
                return False
    return bool(told) and (again or len(told) == len(seen.rows))
