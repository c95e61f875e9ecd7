"""What two strategies fire on, each by itself, put together as the past of one subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, pairwise

from core.events import Event, Fact, Input, Relation
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.conflicts.layout import MOST, Layout
from strategy.conflicts.model import TOGETHER, Witness
from strategy.document import Aggregate, Strategy, leaves

FIRST_KEY = 1_000
"""Keys of subjects that are tried together are longer than those of a witness, so that none begins another."""


EARLIER = TOGETHER // 4
"""How much earlier one of two fires: after all of the other's last minutes, and well within `TOGETHER`."""


Pasts = Iterator[tuple[Witness, Witness]]
"""What each of two fires on, moved in time so that both may fire on the two together."""


@dataclass(frozen=True, slots=True)
class Alone:
    """What one strategy fires on by itself.

    Attributes:
        again: the same of somebody long known: of what there are to be few events there were too many, and some hours
            ago they fell out of the window.
        marks: how far back its conditions look, in microseconds.
    """

    witness: Witness
    again: Witness
    marks: frozenset[int]

    @staticmethod
    def of(strategy: Strategy, witness: Witness, catalog: Catalog) -> Alone:
        first, *past = (
            i if isinstance(i, Event) else replace(i, time=Micros(i.time - TOGETHER)) for i in witness.inputs
        )
        again = replace(witness, inputs=(first, *_fallen(strategy, witness, catalog), *past))
        return Alone(witness, again, frozenset(Layout.of([strategy], catalog).windows))


def as_they_are(one: Alone, other: Alone) -> Pasts:
    yield one.witness, other.witness


def apart(one: Alone, other: Alone) -> Pasts:
    """The events of the one, then of the other, some hours earlier: what counts at an instant alone need not happen at
    the other's. What is known of the subject is known all along."""
    known = [_earlier(each.witness, events=False) for each in (one, other)]
    yield _earlier(one.witness), known[1]
    yield known[0], _earlier(other.witness)


def spread(one: Alone, other: Alone) -> Pasts:
    """The events of a type that happen on either far back, beyond a window that conditions look through, or all of them
    but the last: there may be much in a long window and little in a short one. Facts are learned when they were."""
    yield one.again, other.witness
    yield one.witness, other.again
    marks = sorted(one.marks | other.marks)
    for near, far in pairwise([*marks, 2 * marks[-1]] if marks else []):
        by = min((near + far) // 2, near + TOGETHER // 2)
        for moved in _back(one.witness, by):
            yield moved, other.witness
        for moved in _back(other.witness, by):
            yield one.witness, moved


def _fallen(strategy: Strategy, witness: Witness, catalog: Catalog) -> Iterator[Event]:
    key = witness.subject.split("/", 1)[1]
    for _, c in leaves(strategy.trigger, ""):
        if isinstance(c, Aggregate) and c.function == "count" and c.op in ("<", "<=") and c.window.over and not c.where:
            at = Micros(witness.until - c.window.over - TOGETHER // 2)
            for n in range(min(int(float(str(c.value))) + 1, MOST)):
                yield Event(f"{key}-{c.event}-{at}-{n}", c.event, at, f"{catalog.events[c.event].subject}/{key}")


def joined(pasts: Pasts, number: int, catalog: Catalog) -> dict[str, list[Input]]:
    """Both of each two pasts, in order of time, as that of one subject, whose key begins with the number. Where they
    say different things of the subject there are two: one with what the one says, one with what the other does."""
    return dict(_joined(pasts, number, catalog))


def _joined(pasts: Pasts, number: int, catalog: Catalog) -> Iterator[tuple[str, list[Input]]]:
    turns = count()
    for one, other in pasts:
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


def _back(witness: Witness, by: int) -> Iterator[Witness]:
    """Type by type, all events, and all but the last, so much earlier."""
    events = [item for item in witness.inputs[1:] if isinstance(item, Event)]
    for name in dict.fromkeys(event.type for event in events):
        ids = [event.id for event in events if event.type == name]
        for moved in (ids, ids[:-1]) if len(ids) > 1 else (ids,):
            items = (
                replace(i, time=Micros(i.time - by)) if isinstance(i, Event) and i.id in moved else i
                for i in witness.inputs
            )
            yield replace(witness, inputs=tuple(items))


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
