"""Whole tables resolved at once: rows in, entities with their reasons out, and the pairs that a person should see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Literal, NamedTuple

from core.text import Text
from knowledge.identity.cluster import Clusters, join_all
from knowledge.identity.fields import Field, Layout, Record, Rows, lay_out, read_record
from knowledge.identity.model import Judgement, MatchModel
from knowledge.identity.rules import Rules, load_rules

Within = Literal["auto", "yes", "no"]
"""May one table list an entity more than once? `auto`: as it looks."""
_REPEATS = 0.01
"""From which share of a table's records surely repeated in it the table counts as one that repeats."""


class Table(NamedTuple):
    """Rows under a name."""

    name: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Resolved:
    """One record and the entity it belongs to. `confidence` is the probability of its strongest tie to another
    record of that entity (1 for a record alone)."""

    table: str
    row: int
    record: str
    cluster: str
    confidence: float
    decision: Literal["auto", "link", "single"]
    reason: Text


class Review(NamedTuple):
    """Two records, by their place in `Resolution.records`, that a person should judge."""

    left: int
    right: int
    judgement: Judgement


@dataclass(frozen=True)
class Resolution:
    fields: tuple[Field, ...]
    layouts: tuple[Layout, ...]
    records: tuple[Resolved, ...]
    reviews: tuple[Review, ...]
    standard: tuple[Record, ...]
    once: frozenset[str]
    model: MatchModel
    pairs: tuple[tuple[int, int, Judgement], ...]
    """Every pair judged at least worth a look."""


def resolve(
    tables: Sequence[Table],
    told: Mapping[str, str] | None = None,
    *,
    rules: Rules | None = None,
    within: Within = "auto",
    seed: int = 1,
) -> Resolution:
    """Train on the tables themselves and group their records. With one table its records are grouped; with
    several, also across, and within a table only if it lists entities more than once (`within`).

    Raises:
        InvalidInput: no column can be compared.
        UnknownName: `told` names a column that there is not.
    """
    from knowledge.identity.train import train

    rules = rules or load_rules()
    fields, layouts = lay_out([t.rows for t in tables], told)
    records: list[Record] = []
    places: list[tuple[int, int]] = []
    for number, (table, layout) in enumerate(zip(tables, layouts, strict=True)):
        own = [read_record(row, fields, layout) for row in table.rows]
        _drop_placeholders(own, fields, rules)
        records += own
        places += [(number, row) for row in range(len(own))]
    model, scored = train(records, fields, rules, seed)
    judged = _judged(model, records, scored)
    sources = [tables[number].name for number, _ in places]
    once = _once([t.name for t in tables], sources, judged, within)
    clusters = Clusters(model, once)
    for record, source in zip(records, sources, strict=True):
        clusters.add(record, source)
    join_all(clusters, judged)
    return Resolution(
        fields,
        tuple(layouts),
        tuple(_resolved(tables, layouts, places, clusters)),
        tuple(Review(i, j, e) for i, j, e in judged if e.verdict != "auto" and _open(clusters, i, j, e)),
        tuple(records),
        once,
        model,
        tuple(judged),
    )


def _open(clusters: Clusters, i: int, j: int, judgement: Judgement) -> bool:
    """Is there something for a person to say: a link that wants confirming, or a doubt between two groups?"""
    return (clusters.group(i) == clusters.group(j)) == (judgement.verdict == "link")


def _drop_placeholders(records: Sequence[Record], fields: Sequence[Field], rules: Rules) -> None:
    """Take out key values that so many records of one table share that they cannot be a key."""
    for field in fields:
        if key := rules.keys.get(field.role):
            counts = Counter(r[field.name] for r in records if field.name in r)
            for record in records:
                if counts.get(record.get(field.name, ""), 0) > key.at_most:
                    del record[field.name]


def _judged(
    model: MatchModel, records: Sequence[Record], scored: Sequence[tuple[int, int, float]]
) -> list[tuple[int, int, Judgement]]:
    share = model.rules.thresholds.review
    least = log2(share / (1 - share))
    keyed = [f.name for f in model.fields if f.role in model.rules.keys]
    found = []
    for i, j, weight in scored:
        if weight >= least or any(k in records[i] and records[i][k] == records[j].get(k) for k in keyed):
            judgement = model.judge(records[i], records[j])
            if judgement.verdict != "no":
                found.append((i, j, judgement))
    return found


def _once(
    names: Sequence[str], sources: Sequence[str], judged: Sequence[tuple[int, int, Judgement]], within: Within
) -> frozenset[str]:
    """The tables that list each entity once: none of a single table, else as told, else those that do not repeat."""
    if len(names) == 1 or within == "yes":
        return frozenset()
    if within == "no":
        return frozenset(names)
    sizes = Counter(sources)
    repeated = Counter(sources[i] for i, j, e in judged if e.verdict == "auto" and sources[i] == sources[j])
    return frozenset(name for name in names if repeated[name] < _REPEATS * max(1, sizes[name]))


def _resolved(
    tables: Sequence[Table], layouts: Sequence[Layout], places: Sequence[tuple[int, int]], clusters: Clusters
) -> list[Resolved]:
    numbers: dict[int, int] = {}
    found = []
    names = [_name(tables, layouts, place) for place in places]
    for place, (number, row) in enumerate(places):
        cluster = numbers.setdefault(clusters.group(place), len(numbers) + 1)
        tie = clusters.joined.get(place)
        if tie is None:
            confidence, decision, reason = 1.0, "single", Text("没有与之相同的记录", "no other record is the same")
        else:
            other, judgement = tie
            said = judgement.says()
            confidence, decision = judgement.probability, judgement.verdict
            reason = Text(f"与 {names[other]}：{said.zh}", f"with {names[other]}: {said.en}")
        found.append(
            Resolved(tables[number].name, row + 1, names[place], f"c{cluster}", round(confidence, 6), decision, reason)  # type: ignore[arg-type]  # what joined is auto or link
        )
    return found


def _name(tables: Sequence[Table], layouts: Sequence[Layout], place: tuple[int, int]) -> str:
    """The record's own id where its table has one, else its row from 1."""
    number, row = place
    column = layouts[number].record
    return str(tables[number].rows[row].get(column)) if column else str(row + 1)
