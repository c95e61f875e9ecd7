"""What a document speaks of: every name of the catalog and every number in it, each with its place. Beside a sentence
it is what faithful.py compares; it judges nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core.times import DAY
from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute
from strategy.document import (
    SUBJECT,
    ActionCall,
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    EventFilter,
    Filter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Sequence,
    Strategy,
    Streak,
    Window,
)
from strategy.engine.paths import reached
from strategy.language.lexicon import Name

NEGATIVE = ("!=", "not_in", "missing")


@dataclass(frozen=True, slots=True)
class NameUsed:
    """A catalog name at `field`. `implied_by`: names any of which says it too (a value its attribute, a field its
    event)."""

    name: Name
    field: str
    implied_by: frozenset[Name] = frozenset()


@dataclass(frozen=True, slots=True)
class NumberUsed:
    """A number at `field`: a duration in `micros`, or a `value` in the catalog's `unit`. `op`: how it is compared (the
    opposite under a `not`); `unsaid`: sentences usually leave it out (once, none); `counted`: times that something
    happens; `period`: what a run counts instead of times."""

    field: str
    value: float
    unit: str | None = None
    micros: int | None = None
    op: str | None = None
    unsaid: bool = False
    counted: bool = False
    period: str | None = None
    of: NameUsed | None = None


@dataclass(slots=True)
class Mentions:
    """All that a document speaks of. `texts`: literal texts (tasks, compared texts, texts among parameters) by place;
    `negative`: something in it is denied."""

    names: list[NameUsed] = field(default_factory=list)
    numbers: list[NumberUsed] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    negative: bool = False


def mentions(strategy: Strategy, catalog: Catalog) -> Mentions:
    """What `strategy` speaks of; it has to fit the catalog."""
    return _Walk(strategy, catalog).all()


class _Walk:
    def __init__(self, strategy: Strategy, catalog: Catalog) -> None:
        self._strategy, self._catalog = strategy, catalog
        self._found = Mentions()

    def all(self) -> Mentions:
        s = self._strategy
        if s.audience is not None:
            self._condition(s.audience, "audience", s.subject)
        self._condition(s.trigger, "trigger", s.subject)
        for i, call in enumerate(s.actions):
            self._action(call, f"actions.{i}")
        if s.verify is not None:
            if s.verify.event:
                self._name(Name("event", s.verify.event), "verify.event")
            if s.verify.metric:
                self._name(Name("metric", s.verify.metric), "verify.metric")
            self._span(s.verify.within, "verify.within")
        self._running()
        return self._found

    def _running(self) -> None:
        guards, rollout = self._strategy.guards, self._strategy.rollout
        if guards.cap:
            self._number(guards.cap.times, "guards.cap.times", unsaid=True, counted=True)
            self._span(guards.cap.per, "guards.cap.per")
        if guards.cooldown is not None:
            self._span(guards.cooldown, "guards.cooldown")
        if guards.budget is not None:
            self._number(guards.budget, "guards.budget", counted=True)
        self._number(rollout.percent, "rollout.percent", "percent", unsaid=True)
        self._number(rollout.holdout, "rollout.holdout", "percent", unsaid=True)
        for i, variant in enumerate(rollout.variants):
            self._number(variant.weight, f"rollout.variants.{i}.weight")
            self._params(variant.params, f"rollout.variants.{i}.params")

    def _action(self, call: ActionCall, place: str) -> None:
        if call.action:
            self._name(Name("action", call.action), f"{place}.action")
        if call.task:
            self._found.texts.append((call.task, f"{place}.task"))
        self._params(call.params, f"{place}.params")

    def _params(self, params: Any, place: str) -> None:
        if isinstance(params, dict):
            for key, value in params.items():
                self._params(value, f"{place}.{key}")
        elif isinstance(params, list):
            for i, value in enumerate(params):
                self._params(value, f"{place}.{i}")
        elif isinstance(params, str):
            self._found.texts.append((params, place))
        elif isinstance(params, int | float) and not isinstance(params, bool):
            self._number(params, place)

    # conditions

    def _condition(self, condition: Condition, place: str, subject: str) -> None:
        match condition:
            case All() | Any_():
                for i, part in enumerate(condition.of):
                    self._condition(part, f"{place}.of.{i}", subject)
            case Not():
                self._found.negative = True
                self._condition(condition.of, f"{place}.of", subject)
            case AttributeIs():
                owner = self._owner(condition.via, place, subject)
                name = Name("attribute", condition.name, owner)
                self._compared(name, condition.op, condition.value, place, f"{place}.name")
            case ForecastIs():
                self._owner(condition.via, place, subject)
                used = self._name(Name("forecast", condition.forecast), f"{place}.forecast")
                self._number(
                    condition.value,
                    f"{place}.value",
                    self._catalog.forecasts[condition.forecast].unit,
                    condition.op,
                    of=used,
                )
                horizon = self._catalog.forecasts[condition.forecast].horizon
                self._found.numbers.append(
                    NumberUsed(f"{place}.forecast", horizon / 1_000_000, "s", horizon, unsaid=True)
                )
            case DateIs():
                owner = self._owner(condition.via, place, subject)
                self._name(Name("attribute", condition.attribute, owner), f"{place}.attribute")
                if condition.days_before is not None:
                    self._span(condition.days_before * DAY, f"{place}.days_before")
            case Near():
                near = Name("place", condition.place)
                self._name(near, f"{place}.place")
                self._name(Name("attribute", condition.attribute, subject), f"{place}.attribute", {near})
                default = self._catalog.places[condition.place].radius
                self._number(condition.metres, f"{place}.metres", "m", unsaid=condition.metres == default)
            case MetricIs():
                used = self._name(Name("metric", condition.metric), f"{place}.metric")
                unit = self._catalog.metrics[condition.metric].unit
                self._number(condition.value, f"{place}.value", unit, condition.op, of=used)
                self._window(condition.window, place)
            case Path():
                self._path(condition, place, subject)
            case Ratio():
                self._event(condition.of, f"{place}.of")
                self._event(condition.per, f"{place}.per")
                unit = "percent" if condition.percent else None
                self._number(condition.value, f"{place}.value", unit, condition.op)
                self._window(condition.window, place)
            case _:
                self._on_events(condition, place)

    def _on_events(self, condition: Happens | Aggregate | Streak | Sequence | Change, place: str) -> None:
        if isinstance(condition, Sequence):
            for i, step in enumerate(condition.steps):
                self._event(step, f"{place}.steps.{i}")
                self._found.negative |= step.absent
                if step.within is not None:
                    self._span(step.within, f"{place}.steps.{i}.within")
            return
        used = self._event(condition, place)
        if isinstance(condition, Aggregate):
            self._aggregate(condition, place, used)
        elif isinstance(condition, Streak):
            period = None if condition.per == "event" else condition.per
            self._number(condition.times, f"{place}.times", unsaid=True, counted=period is None, period=period)
            for i, without in enumerate(condition.without):
                self._found.negative = True
                self._event(without, f"{place}.without.{i}")
        elif isinstance(condition, Change):
            if condition.field:
                self._name(Name("field", condition.field, condition.event), f"{place}.field", {used.name})
            self._number(condition.percent, f"{place}.percent", "percent")
            self._span(condition.window, f"{place}.window")

    def _aggregate(self, c: Aggregate, place: str, used: NameUsed) -> None:
        self._window(c.window, place)
        unit, of = None, used
        if c.field and c.field != SUBJECT:
            name = Name("field", c.field, c.event)
            of = self._name(name, f"{place}.field", {used.name})
            unit = self._attribute(name).unit if c.function != "distinct" else None
        counted = c.function in ("count", "distinct")
        self._found.negative |= counted and (c.op in ("<", "<=", "==") and c.value in (0, 1.0))
        for value in c.value if isinstance(c.value, list) else [c.value]:
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._number(value, f"{place}.value", unit, c.op, unsaid=counted, counted=counted, of=of)
            elif isinstance(value, str) and c.field and (field := Name("field", c.field, c.event)):
                self._value(value, field, f"{place}.value")

    def _path(self, path: Path, place: str, subject: str) -> None:
        for i, step in enumerate(path.steps):
            here = f"{place}.steps.{i}"
            owner = reached(step, self._catalog)
            self._found.negative |= step.absent
            self._name(Name("relation", step.relation), f"{here}.relation", {Name("object", owner)})
            for j, test in enumerate(step.where):
                name = Name("attribute", test.field, owner)
                self._compared(name, test.op, test.value, f"{here}.where.{j}", f"{here}.where.{j}.field")

    def _owner(self, via: str | None, place: str, subject: str) -> str:
        """Whose attribute it is. A relation is said by what it leads to or by anything of that."""
        if via is None:
            return subject
        target = self._catalog.relations[via].target
        told = {Name("object", target)} | {
            Name("attribute", a, target) for a in self._catalog.objects[target].attributes
        }
        told |= {Name("forecast", f) for f, found in self._catalog.forecasts.items() if found.subject == target}
        self._name(Name("relation", via), f"{place}.via", told)
        return target

    def _event(self, e: EventFilter, place: str) -> NameUsed:
        fields = {Name("field", f.field, e.event) for f in e.where}
        if isinstance(e, Aggregate | Change) and e.field:
            fields.add(Name("field", e.field, e.event))
        values = {n for f in fields for n in self._values(f)}
        used = self._name(Name("event", e.event), f"{place}.event", fields | values)
        for i, test in enumerate(e.where):
            if test.field != SUBJECT:
                self._test(test, e.event, f"{place}.where.{i}")
        return used

    def _test(self, test: Filter, event: str, place: str) -> None:
        self._compared(Name("field", test.field, event), test.op, test.value, place, f"{place}.field")

    def _compared(self, name: Name, op: str, value: Any, place: str, at: str) -> None:
        attribute = self._attribute(name)
        implied = set(self._values(name))
        if name.kind == "field" and attribute.type == "number":
            implied.add(Name("event", name.owner))  # "an order over 500 yuan"
        used = self._name(name, at, implied)
        self._found.negative |= op in (*NEGATIVE, "present") or value is False  # present: "is not empty"
        values = value if isinstance(value, list) else [value]
        for each in values:
            if isinstance(each, bool) or each is None:
                continue
            if isinstance(each, str):
                self._value(each, name, f"{place}.value" if each not in attribute.values else at)
            else:
                self._number(each, f"{place}.value", attribute.unit, op, of=used)

    # the smallest parts

    def _value(self, value: str, name: Name, place: str) -> None:
        """One of the values of an enum, or a text."""
        if value in self._attribute(name).values:
            self._name(
                Name("value", value, name.owner, name.id, "field" if name.kind == "field" else "attribute"), place
            )
        else:
            self._found.texts.append((value, place))

    def _attribute(self, name: Name) -> Attribute:
        source = self._catalog.field if name.kind == "field" else self._catalog.attribute
        found = source(name.owner, name.id)
        assert found is not None, name
        return found

    def _values(self, name: Name) -> Iterator[Name]:
        source = self._catalog.field if name.kind == "field" else self._catalog.attribute
        found = source(name.owner, name.id)
        for value in found.values if found else ():
            yield Name("value", value, name.owner, name.id, "field" if name.kind == "field" else "attribute")

    def _name(self, name: Name, place: str, implied_by: Iterable[Name] = ()) -> NameUsed:
        used = NameUsed(name, place, frozenset(implied_by))
        self._found.names.append(used)
        return used

    def _number(
        self,
        value: float,
        place: str,
        unit: str | None = None,
        op: str | None = None,
        *,
        unsaid: bool = False,
        counted: bool = False,
        period: str | None = None,
        of: NameUsed | None = None,
    ) -> None:
        quiet = unsaid and (value in (0, 1) or unit == "m")
        self._found.numbers.append(NumberUsed(place, float(value), unit, None, op, quiet, counted, period, of))

    def _span(self, micros: int, place: str) -> None:
        self._found.numbers.append(NumberUsed(place, micros / 1_000_000, "s", micros))

    def _window(self, window: Window, place: str) -> None:
        if window.over is not None:
            self._span(window.over, f"{place}.window.over")
        if window.last is not None:
            self._number(window.last, f"{place}.window.last", unsaid=True, counted=True)
