"""What two strategies fire on, each by itself, put together as the past of one subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from core.events import Event, Fact, Input, Relation
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.conflicts.model import TOGETHER, Witness

FIRST_KEY = 1_000
"""Keys of subjects that are tried together are longer than those of a witness, so that none begins another."""


EARLIER = TOGETHER // 4
"""How much earlier one of two fires: after all of the other's last minutes, and well within `TOGETHER`."""


def joined(one: Witness, other: Witness, number: int, catalog: Catalog) -> dict[str, list[Input]]:
    """Both pasts, in order of time, as that of one subject, whose key begins with the number. Where they say different
    things of the subject there are two: one with what the one says, one with what the other does."""
    return dict(_joined([(one, other)], number, catalog))


def apart(one: Witness, other: Witness, number: int, catalog: Catalog) -> dict[str, list[Input]]:
    """As `joined`, with the events of the one, then of the other, some hours earlier: what counts at an instant alone
    need not happen at the other's. What is known of the subject is known all along."""
    known = [_earlier(witness, events=False) for witness in (one, other)]
    return dict(_joined([(_earlier(one), known[1]), (known[0], _earlier(other))], number, catalog))


def _joined(
    pairs: Iterable[tuple[Witness, Witness]], number: int, catalog: Catalog
) -> Iterator[tuple[str, list[Input]]]:
    turns = count()
    for one, other in pairs:
        if one.until != other.until:
            continue
        first, second = (_said(witness) for witness in (one, other))
        differ = {name for name in first.keys() & second.keys() if first[name] != second[name]}
        for wins, yields in [(one, other), (other, one)] if differ else [(one, other)]:
            key = f"{number}{next(turns)}"
            left = tuple(item for item in yields.inputs if not (isinstance(item, Fact) and _place(item) in differ))
            inputs = [*renamed(wins, key, "a", catalog), *renamed(replace(yields, inputs=left), key, "b", catalog)]
            yield key, sorted(inputs, key=lambda item: item.time)


def _earlier(witness: Witness, *, events: bool = True) -> Witness:
    """What is known, and with `events` what happens, some hours earlier; history begins when it did."""
    first, *past = witness.inputs
    moved = (replace(i, time=Micros(i.time - EARLIER)) if events or not isinstance(i, Event) else i for i in past)
    return replace(witness, inputs=(first, *moved))


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
