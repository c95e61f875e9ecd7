"""What two strategies fire on, each by itself, put together as the past of one subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.events import Event, Fact, Input, Relation
from knowledge.catalog import Catalog
from strategy.conflicts.model import Witness

FIRST_KEY = 1_000
"""Keys of subjects that are tried together are longer than those of a witness, so that none begins another."""


def joined(one: Witness, other: Witness, number: int, catalog: Catalog) -> Iterator[list[Input]]:
    """Both pasts, in order of time, as that of the subject `number` followed by 0. Where they say different things of
    the subject, twice (then followed by 0 and 1): once with what the one says, once with what the other does."""
    if one.until != other.until:
        return
    first, second = (_said(witness) for witness in (one, other))
    differ = {name for name in first.keys() & second.keys() if first[name] != second[name]}
    for turn, (wins, yields) in enumerate([(one, other), (other, one)] if differ else [(one, other)]):
        key = f"{number}{turn}"
        left = [item for item in yields.inputs if not (isinstance(item, Fact) and _place(item) in differ)]
        inputs = [*renamed(wins, key, "a", catalog), *renamed(replace(yields, inputs=tuple(left)), key, "b", catalog)]
        yield sorted(inputs, key=lambda item: item.time)


def _said(witness: Witness) -> dict[tuple[str, str], object]:
    return {_place(item): item.value for item in witness.inputs if isinstance(item, Fact)}


def _place(fact: Fact) -> tuple[str, str]:
    return fact.subject, fact.property


def renamed(witness: Witness, key: str, mark: str, catalog: Catalog) -> list[Input]:
    """A witness's past (without the beginning of history) as that of the subject with another key. What the subject is
    related to, and its events, are marked, so that those of two witnesses stay apart."""
    kind, old = witness.subject.split("/", 1)

    def name(subject: str) -> str:
        type_, own = subject.split("/", 1)
        return f"{type_}/{key}{own.removeprefix(old)}{mark if '-' in own else ''}"

    def one(item: Input) -> Input:
        if isinstance(item, Relation):
            return Relation(name(item.subject), item.relation, name(item.object), item.time, item.ended)
        if isinstance(item, Fact):
            return Fact(name(item.subject), item.property, item.value, item.time)
        group = catalog.events[item.type].groups.get(kind)
        data = dict(item.data)
        if group is not None:
            data[group] = int(key) if isinstance(data.get(group), int) else key
        return Event(f"{item.id}{mark}{key}", item.type, item.time, name(item.subject), data, item.source)

    return [one(item) for item in witness.inputs[1:]]
