"""One customer's past as a solver may choose it: which events came, when and with what, and what is known of the
customer. A solution is a list of inputs for an engine; what conditions are worth in it is in worth.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import z3

from core.events import Event, Fact, Input, Relation
from core.times import SECOND, Micros
from knowledge.catalog.model import Attribute
from strategy.conflicts.layout import MOST, Layout
from strategy.conflicts.symbols import YES, Choice, Number, total
from strategy.document import SUBJECT, ForecastIs, Path
from strategy.engine.contradictions import domain_of
from strategy.engine.paths import reached
from strategy.engine.quantities import Quantities

Property = Number | Choice
_Kept = TypeVar("_Kept", Number, Choice)


@dataclass(slots=True)
class Slot:
    """A place in the past where `count` events of a type lie, all alike."""

    at: Micros
    event: str
    offset: int
    count: Any
    fields: dict[str, Property]
    passes: dict[str, Any] = field(default_factory=dict)
    some: Any = field(init=False)

    def __post_init__(self) -> None:
        self.some = self.count > 0


class Timeline:
    """The past of one subject of a type, as far as a layout can tell. `older`: with events further back than the last
    minutes. Add `rules` to the solver besides what is asked."""

    def __init__(self, layout: Layout, kind: str, *, older: bool) -> None:
        self.layout, self.kind = layout, kind
        self.catalog, self._older = layout.catalog, older
        self._quantities = Quantities(layout.catalog, kind)
        self.rules: list[Any] = []
        self._facts: dict[tuple[str, str, str], Property] = {}
        self.links: dict[str, Any] = {}
        self.paths: list[tuple[Path, Any]] = []
        self.slots = sorted(
            (slot for event in layout.events for slot in self._lay(event)), key=lambda s: (-s.offset, s.event)
        )
        self.rules.append(total(slot.count for slot in self.slots) <= layout.needed)

    # what there is to choose

    def _lay(self, event: str) -> Iterator[Slot]:
        for offset, single in self.layout.offsets(event, older=self._older):
            count = z3.Int(f"{event}@{offset}")
            self.rules += [count >= 0, count <= (1 if single else MOST)]
            fields = {name: self._field(event, name, offset, count) for name in self.layout.events[event]}
            key = self.catalog.events[event].groups.get(self.kind)
            if key is not None:
                fields[key] = self._kept(Choice(f"{event}@{offset}.{key}", [KEY]))
                self.rules.append(fields[key].there)
            yield Slot(Micros(self.layout.now - offset), event, offset, count, fields)

    def _field(self, event: str, name: str, offset: int, count: Any) -> Property:
        if name == SUBJECT:
            kind = self.catalog.events[event].subject
            whom = self._kept(Choice(f"{event}@{offset}.whom", [f"{kind}/{KEY}{n or ''}" for n in range(13)]))
            self.rules.append(whom.there)
            return whom
        attribute = self.catalog.field(event, name) or Attribute(type="text")
        return self._property(f"{event}@{offset}.{name}", (event, name), attribute, count)

    def _property(self, name: str, place: tuple[str, str], attribute: Attribute, weight: Any = None) -> Property:
        if attribute.type == "number":
            return self._kept(Number(name, domain_of(attribute).span, weight))
        return self._kept(Choice(name, self.layout.choices(place, attribute)))

    def _kept(self, found: _Kept) -> _Kept:
        self.rules += [bound for bound in found.bounds if bound is not YES]
        return found

    def fact(self, owner: str, kind: str, name: str) -> Property:
        key = (owner, kind, name)
        if key not in self._facts:
            attribute = self.catalog.attribute(kind, name)
            if attribute is None:
                forecast = self.catalog.forecasts[name]
                domain = self._quantities.domain(ForecastIs(forecast=name, op=">", value=0))
                self._facts[key] = self._kept(Number(f"{owner}.{name}", domain.span))
                assert forecast is not None
            else:
                self._facts[key] = self._property(f"{owner}.{name}", (kind, name), attribute)
        return self._facts[key]

    # what was chosen

    def inputs(self, model: z3.ModelRef, key: str = "1") -> list[Input]:
        """The past as inputs for the subject `kind/key`, in order of time."""
        found: list[Input] = [*self._said(model, key), *self._happened(model, key)]
        return sorted(found, key=lambda item: item.time) or self._born(key)

    def _born(self, key: str) -> list[Input]:
        """Something that nobody asks about: a subject exists once an input names it."""
        at, types = Micros(self.layout.now - self.layout.arrival), self.catalog.events.items()
        names = (name for name, each in types if each.subject == self.kind and name not in self.layout.events)
        first = next(names, None)
        return [] if first is None else [Event(f"{key}-born", first, at, f"{self.kind}/{key}")]

    def _said(self, model: z3.ModelRef, key: str) -> Iterator[Input]:
        at = Micros(self.layout.now - self.layout.arrival)
        names = {"": f"{self.kind}/{key}"}
        for via, link in self.links.items():
            names[via] = f"{self.catalog.relations[via].target}/{key}-{via}"
            if z3.is_true(model.eval(link)):
                yield Relation(names[""], via, names[via], at)
        for number, (path, chain) in enumerate(self.paths):
            owner = names[""]
            for i, step in enumerate(path.steps):
                if not z3.is_true(model.eval(chain)) or (step.absent and len(path.steps) > 1):
                    break
                object_ = names[f"{number}.{i}"] = f"{reached(step, self.catalog)}/{key}-{number}-{i}"
                yield (
                    Relation(object_, step.relation, owner, at)
                    if step.reverse
                    else Relation(owner, step.relation, object_, at)
                )
                owner = object_
        for (owner, _, name), fact in self._facts.items():
            value = fact.value(model)
            if owner in names and value is not None:
                yield Fact(names[owner], name, value, at)

    def _happened(self, model: z3.ModelRef, key: str) -> Iterator[Event]:
        step = min(SECOND, self.layout.unit // 8)
        for slot in self.slots:
            count = model.eval(slot.count, model_completion=True).as_long()
            for i in range(count):
                data = {}
                for name, value in slot.fields.items():
                    found = value.value(model, count) if isinstance(value, Number) else value.value(model)
                    declared = self.catalog.field(slot.event, name)
                    number = declared is not None and declared.type == "number" and found == KEY
                    data[name] = int(key) if number else _named(found, key)
                own = self.catalog.events[slot.event].subject
                whom = data.pop(SUBJECT, f"{own}/{key}")
                at = Micros(slot.at - (count - 1 - i) * (step // count))
                data = {name: value for name, value in data.items() if value is not None}
                yield Event(f"{key}-{slot.event}-{slot.offset}-{i}", slot.event, at, str(whom), data)


KEY = "@key"
"""Stands for the subject's own key until it is known."""


def _named(value: Any, key: str) -> Any:
    return value.replace(KEY, key) if isinstance(value, str) else value
