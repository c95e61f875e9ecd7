"""What strategies mean, computed the slow and obvious way from docs/strategy-semantics.md: at every candidate instant,
everything from all inputs again. It shares nothing with the engine but the document and the input types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from core.events import Event, Fact, Input, Relation
from core.times import DAY
from knowledge.catalog import Catalog
from strategy import document as d
from tests.strategy.engine.oracle_values import (
    F,
    T,
    U,
    bounded,
    compared,
    counts_for,
    durations,
    exact,
    metres,
    number,
    there,
)

Fired = tuple[str, str, int]
"""Strategy, subject, instant."""


@dataclass
class Oracle:
    """Takes inputs in order of arrival, as an engine does; `firings` judges all that was taken from the beginning."""

    catalog: Catalog
    strategies: list[d.Strategy]
    lateness: int = 0
    taken: list[tuple[int, Input]] = field(default_factory=list)
    aside: list[tuple[Input, str]] = field(default_factory=list)
    newest: int | None = None
    advanced: int | None = None
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    _counts_for: dict[int, set[str]] = field(default_factory=dict)
    """By the identity of what was taken, for it is asked many thousand times."""

    # what is taken in

    def closed(self) -> int | None:
        """The last instant that takes no more inputs: one before the watermark, or what time was advanced to."""
        ends = [] if self.newest is None else [self.newest - self.lateness - 1]
        ends += [] if self.advanced is None else [self.advanced]
        return max(ends, default=None)

    def ingest(self, inputs: Iterable[Input]) -> None:
        for item in inputs:
            closed = self.closed()
            if not isinstance(item, Event):
                self.taken.append((item.time if closed is None else max(item.time, closed + 1), item))
            elif self._remembers(item):
                self.aside.append((item, "duplicate"))
            elif closed is not None and item.time <= closed:
                self.aside.append((item, "late"))
            else:
                self.ids[item.source, item.id] = item.time
                self.newest = item.time if self.newest is None else max(self.newest, item.time)
                self.taken.append((item.time, item))

    def _remembers(self, item: Event) -> bool:
        first = self.ids.get((item.source, item.id))
        marks = [m for m in (self.newest and self.newest - self.lateness, self.advanced) if m is not None]
        return first is not None and (not marks or first > max(marks) - 30 * DAY)

    def advance(self, to: int) -> None:
        self.advanced = to if self.advanced is None else max(self.advanced, to)

    # what fires

    def firings(self) -> list[Fired]:
        end = self.closed()
        if end is None:
            return []
        instants = [t for t in self.instants() if t <= end]
        fired: list[tuple[int, int, str]] = []
        for order, strategy in enumerate(self.strategies):
            for subject in self.subjects(strategy.subject):
                fired += [(at, order, subject) for at in self._turns(strategy, subject, instants)]
        return [(self.strategies[order].name, subject, at) for at, order, subject in sorted(fired)]

    def _turns(self, strategy: d.Strategy, subject: str, instants: Sequence[int]) -> list[int]:
        before, last, found = False, None, []
        since = self.known_since(subject)
        for at in instants:
            if at < since:
                continue
            now = self.truth(strategy.trigger, strategy, subject, at) == T
            if now and not before:
                inside = strategy.audience is None or self.truth(strategy.audience, strategy, subject, at) == T
                cool = strategy.guards.cooldown
                if inside and (last is None or cool is None or at - last >= cool):
                    found.append(at)
                    last = at
            before = self.truth(strategy.trigger, strategy, subject, at, after=True) == T
        return found

    def instants(self) -> list[int]:
        """Every moment at which anything may change: inputs, inputs plus any duration written in a strategy, history
        plus any duration, and midnights and noons of the time zone."""
        spans = {n for s in self.strategies for n in durations(s.model_dump(mode="json"))}
        spans |= {2 * n for n in spans}
        times = {at for at, _ in self.taken}
        begin = self.begin()
        bases = times | ({begin} if begin is not None else set())
        instants = times | {b + n for b in bases for n in spans}
        if times:
            zone, day = ZoneInfo(self.catalog.timezone), timedelta(days=1)
            first = datetime.fromtimestamp(min(times) // 10**6, zone).date()
            last = datetime.fromtimestamp((max([*times, self.closed() or 0])) // 10**6, zone).date() + 2 * day
            while first <= last:
                instants.add(int(datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()) * 10**6)
                first += day
        return sorted(instants)

    def begin(self) -> int | None:
        if self.catalog.history_from is not None:
            return self.catalog.history_from
        return min((at for at, item in self.taken if isinstance(item, Event)), default=None)

    def subjects(self, kind: str) -> list[str]:
        named = {subject for _, item in self.taken for subject in self.counts_for(item)}
        named |= {item.object for _, item in self.taken if isinstance(item, Relation)}
        return sorted(s for s in named if s.split("/")[0] == kind)

    def known_since(self, subject: str) -> int:
        return min(
            at
            for at, i in self.taken
            if subject in self.counts_for(i) or (isinstance(i, Relation) and subject == i.object)
        )

    def counts_for(self, item: Input) -> set[str]:
        """An input's own subject and, for an event, those of its groups."""
        if id(item) not in self._counts_for:
            kind = self.catalog.events.get(item.type) if isinstance(item, Event) else None
            self._counts_for[id(item)] = {item.subject} if kind is None else counts_for(item, kind.groups)
        return self._counts_for[id(item)]

    # facts, relations and events as of an instant

    def events(self, subject: str, at: int, *types: str) -> list[Event]:
        mine = [i for e, i in self.taken if e <= at and isinstance(i, Event) and i.type in types]
        return sorted((i for i in mine if subject in self.counts_for(i)), key=lambda e: e.order)

    def fact(self, subject: str, name: str, at: int) -> Any:
        mine = [
            (i.time, json.dumps(i.value, sort_keys=True, ensure_ascii=False), i.value)
            for e, i in self.taken
            if isinstance(i, Fact) and e <= at and (i.subject, i.property) == (subject, name)
        ]
        return max(mine, key=lambda m: m[:2])[2] if mine else None

    def related(self, subject: str, relation: str, at: int) -> set[str]:
        links: dict[str, tuple[int, bool]] = {}
        for e, i in self.taken:
            if isinstance(i, Relation) and e <= at and (i.subject, i.relation) == (subject, relation):
                links[i.object] = max(links.get(i.object, (-1, False)), (i.time, i.ended))
        return {o for o, (_, ended) in links.items() if not ended}

    # truth

    def truth(self, c: d.Condition, s: d.Strategy, subject: str, at: int, after: bool = False) -> str:
        if isinstance(c, d.All | d.Any_):
            parts = [self.truth(p, s, subject, at, after) for p in c.of]
            strong, weak = (F, T) if isinstance(c, d.All) else (T, F)
            return strong if strong in parts else U if U in parts else weak
        if isinstance(c, d.Not):
            return {T: F, F: T, U: U}[self.truth(c.of, s, subject, at, after)]
        if isinstance(c, d.Happens):
            now = [e for e in self.events(subject, at, c.event) if e.time == at and self._passes(e, c)]
            return T if now and not after else F
        if isinstance(c, d.Sequence):
            return T if not after and at in self._completions(c, subject, at) else F
        if isinstance(c, d.Aggregate):
            return self._aggregate(c, subject, at)
        if isinstance(c, d.MetricIs):
            metric = self.catalog.metrics[c.metric]
            of, per = (d.EventFilter(event=name) for name in (metric.ratio.of, metric.ratio.per))
            return self._ratio(c, of, per, 100 if metric.unit == "percent" else 1, subject, at)
        if isinstance(c, d.Ratio):
            return self._ratio(c, c.of, c.per, 100 if c.percent else 1, subject, at)
        if isinstance(c, d.Path):
            return self._path(subject, list(c.steps), at)
        if isinstance(c, d.Streak):
            return T if self._streak(c, subject, at) >= c.times else F
        if isinstance(c, d.Change):
            return self._change(c, subject, at)
        return self._on_facts(c, subject, at)

    def _on_facts(self, c: d.Condition, subject: str, at: int) -> str:
        via = getattr(c, "via", None)
        owners = [subject] if via is None else sorted(self.related(subject, via, at))
        found = []
        for owner in owners:
            if isinstance(c, d.AttributeIs):
                found.append(self._attribute(owner, c, at))
            elif isinstance(c, d.ForecastIs):
                found.append(compared(self.fact(owner, c.forecast, at), c.op, c.value))
            elif isinstance(c, d.Near):
                found.append(self._near(c, self.fact(owner, c.attribute, at)))
            else:
                assert isinstance(c, d.DateIs)
                found.append(self._date(c, self.fact(owner, c.attribute, at), at))
        return T if T in found else U if U in found or not found else F

    def _attribute(self, owner: str, test: d.AttributeIs | d.Filter, at: int) -> str:
        name = test.name if isinstance(test, d.AttributeIs) else test.field
        attribute = self.catalog.attribute(owner.split("/")[0], name)
        dated = attribute is not None and attribute.type == "date"
        return compared(self.fact(owner, name, at), test.op, test.value, dated)

    def _path(self, owner: str, steps: list[d.PathStep], at: int) -> str:
        """Is there a chain from here by these steps?"""
        if not steps:
            return T
        step, *rest = steps
        found = []
        for object_ in self._neighbours(owner, step, at):
            links = [self._attribute(object_, test, at) for test in step.where] + [self._path(object_, rest, at)]
            found.append(F if F in links else U if U in links else T)
        some = T if T in found else U if U in found else F
        return {T: F, F: T, U: U}[some] if step.absent else some

    def _neighbours(self, owner: str, step: d.PathStep, at: int) -> list[str]:
        if not step.reverse:
            return sorted(self.related(owner, step.relation, at))
        holders = {i.subject for _, i in self.taken if isinstance(i, Relation)}
        return sorted(h for h in holders if owner in self.related(h, step.relation, at))

    def _near(self, c: d.Near, where: Any) -> str:
        if where is None:
            return U
        return T if any(metres(where, p.lat, p.lon) <= c.metres for p in self.catalog.places[c.place].points) else F

    def _date(self, c: d.DateIs, value: Any, at: int) -> str:
        if value is None:
            return U
        day, today = date.fromisoformat(value[:10]), self._local(at).date()
        if c.days_before is not None and not c.yearly:
            return T if today + timedelta(days=c.days_before) == day else F
        if c.part == "month":
            return T if today.month == day.month else F
        today += timedelta(days=c.days_before or 0)
        common = today.year % 4 != 0 or (today.year % 100 == 0 and today.year % 400 != 0)
        wanted = (2, 28) if (day.month, day.day) == (2, 29) and common else (day.month, day.day)
        return T if (today.month, today.day) == wanted else F

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at // 10**6, ZoneInfo(self.catalog.timezone))

    def _short(self, window: int | None, at: int) -> bool:
        begin = self.begin()
        return window is not None and (begin is None or at - window < begin)

    def _aggregate(self, c: d.Aggregate, subject: str, at: int) -> str:
        numeric = c.function in ("sum", "avg", "min", "max")
        events = [e for e in self.events(subject, at, c.event) if self._passes(e, c)]
        if c.field is not None and c.field != "@subject":
            events = [e for e in events if e.data.get(c.field) is not None]
            if numeric:
                events = [e for e in events if number(e.data[c.field])]
        short = self._short(c.window.over, at)
        if c.window.over is not None:
            events = [e for e in events if at - c.window.over < e.time]
        elif c.window.last is not None:
            short = len(events) < c.window.last
            events = events[-c.window.last :]
        values = [e.subject if c.field == "@subject" else e.data[c.field] for e in events if c.field is not None]
        if c.field is None:
            values = events
        if c.function == "last":
            dated = self._dated(c.event, c.field or "")
            return compared(values[-1], c.op, c.value, dated) if values else U
        return self._reduced(c, [exact(v) for v in values] if numeric else values, short)

    def _reduced(self, c: d.Aggregate, values: list[Any], short: bool) -> str:
        wanted = [exact(v) for v in c.value] if isinstance(c.value, list) else exact(c.value)
        if c.function in ("count", "distinct"):
            seen = len(values) if c.function == "count" else len({(type(v) is bool, v) for v in values})
            return bounded(c.op, Fraction(seen), wanted, "lower" if short else "exact")
        if c.function == "sum":
            attribute = self.catalog.field(c.event, c.field or "")
            signed = attribute is not None and attribute.min is not None and attribute.min < 0
            if short and (signed or any(v < 0 for v in values)):
                return U
            return bounded(c.op, sum(values, Fraction(0)), wanted, "lower" if short else "exact")
        if not values:
            return U
        if c.function == "avg":
            return U if short else bounded(c.op, sum(values, Fraction(0)) / len(values), wanted, "exact")
        if c.function == "max":
            return bounded(c.op, max(values), wanted, "lower" if short else "exact")
        return bounded(c.op, min(values), wanted, "upper" if short else "exact")

    def _ratio(
        self, c: d.MetricIs | d.Ratio, above: d.EventFilter, below: d.EventFilter, scale: int, subject: str, at: int
    ) -> str:
        of, per = ([e for e in self.events(subject, at, f.event) if self._passes(e, f)] for f in (above, below))
        if self._short(c.window.over, at):
            return U
        if c.window.over is not None:
            of, per = ([e for e in side if at - c.window.over < e.time] for side in (of, per))
        elif c.window.last is not None:
            if len(per) < c.window.last:
                return U
            per = per[-c.window.last :]
            of = [e for e in of if e.order >= per[0].order]
        if not per:
            return U
        return bounded(c.op, Fraction(len(of), len(per)) * scale, exact(c.value), "exact")

    def _streak(self, c: d.Streak, subject: str, at: int) -> int:
        count, last = 0, None
        for e in self.events(subject, at, c.event, *(w.event for w in c.without)):
            period = self._period(e.time, c.per)
            if any(e.type == w.event and self._passes(e, w) for w in c.without) or (
                e.type == c.event and not self._passes(e, c)
            ):
                count = 0
            elif e.type == c.event:
                if c.per == "event":
                    count += 1
                elif count and last == period:
                    pass
                elif count and last is not None and last == self._period_before(period, c.per):
                    count += 1
                else:
                    count = 1
                last = period
        return count

    def _period(self, at: int, per: str) -> date:
        """A period by its first day; a night by its evening."""
        local = self._local(at)
        day = local.date()
        if per == "night":
            return day if local.hour >= 12 else day - timedelta(days=1)
        if per == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if per == "month" else day

    def _period_before(self, period: date, per: str) -> date:
        if per == "month":
            return (period - timedelta(days=1)).replace(day=1)
        return period - timedelta(days=7 if per == "week" else 1)

    def _change(self, c: d.Change, subject: str, at: int) -> str:
        if self._short(2 * c.window, at):
            return U
        events = [e for e in self.events(subject, at, c.event) if self._passes(e, c)]
        if c.field is not None:
            numeric = c.function != "count"
            events = [e for e in events if (number if numeric else there)(e.data.get(c.field))]
        x = self._over(c, [e for e in events if at - c.window < e.time <= at])
        y = self._over(c, [e for e in events if at - 2 * c.window < e.time <= at - c.window])
        if x is None or y is None or y <= 0:
            return U
        share = exact(c.percent) / 100
        return T if (x >= y * (1 + share) if c.direction == "rise" else x <= y * (1 - share)) else F

    def _over(self, c: d.Change, events: list[Event]) -> Fraction | None:
        if c.function == "count":
            return Fraction(len(events))
        total = sum((exact(e.data[c.field or ""]) for e in events), Fraction(0))
        if c.function == "sum":
            return total
        return total / len(events) if events else None

    def _completions(self, c: d.Sequence, subject: str, at: int) -> set[int]:
        events = self.events(subject, at, *{s.event for s in c.steps})
        runs = [self._run(c, events[i + 1 :], e.time) for i, e in enumerate(events) if self.opens(e, c)]
        return {done for done in runs if done is not None}

    def opens(self, event: Event, c: d.Sequence) -> bool:
        return self._matches(event, c.steps[0])

    def _run(self, c: d.Sequence, later: list[Event], since: int) -> int | None:
        """When one run completes, given the events after its first."""
        steps, at = list(c.steps[1:]), since
        while steps:
            absent = list(takewhile(lambda step: step.absent, steps))
            steps = steps[len(absent) :]
            wanted = steps.pop(0) if steps else None
            end = wanted.within if wanted is not None else max(s.within or 0 for s in absent)
            done = None
            while later:
                e = later[0]
                if end is not None and e.time > at + end:
                    break
                later = later[1:]
                if any(self._matches(e, s) and (s.within is None or e.time <= at + s.within) for s in absent):
                    return None
                if wanted is not None and self._matches(e, wanted):
                    done = e.time
                    break
            if wanted is None:
                assert end is not None
                return at + end
            if done is None:
                return None
            at = done
        return at

    def _matches(self, e: Event, step: d.EventFilter) -> bool:
        return e.type == step.event and self._passes(e, step)

    def _passes(self, e: Event, found: d.EventFilter) -> bool:
        tests = [compared(e.data.get(f.field), f.op, f.value, self._dated(e.type, f.field)) for f in found.where]
        return all(test == T for test in tests)

    def _dated(self, event: str, name: str) -> bool:
        field = self.catalog.field(event, name)
        return field is not None and field.type == "date"
