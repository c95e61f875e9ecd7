"""What strategies' conditions imply of each other, whatever the past: that two never hold together, that one implies
the other, that one never holds. Quantities (a count over a window, an attribute) are free within what the catalog and
arithmetic allow, which is more than can happen: so a proof holds, and the lack of one says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

import z3

from knowledge.catalog import Catalog
from strategy.conflicts.symbols import NO, YES, Choice, Number, Pair, conj, holds, rational
from strategy.conflicts.traces import Waits, traces, waits_of
from strategy.conflicts.witness import ONE, PATIENCE, lasting
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Condition,
    ForecastIs,
    Happens,
    MetricIs,
    Not,
    Ratio,
    Strategy,
    Streak,
)
from strategy.document import Sequence as Ordered
from strategy.engine.bounds import Bounds, conjuncts
from strategy.engine.contradictions import domain_of
from strategy.engine.quantities import Quantities, includes
from strategy.engine.values import TRUE


def never_together(one: Strategy, other: Strategy, catalog: Catalog) -> bool:
    """True when what lasts of both (audiences and triggers, instants apart) can never hold at one time."""
    if obviously_apart(one, other, catalog):
        return True
    parts = [lasting(c) for s in (one, other) for c in (s.trigger, s.audience) if c is not None]
    return _impossible([*parts, *traces(one, other), *traces(other, one)], [], one.subject, catalog)


def obviously_apart(one: Strategy, other: Strategy, catalog: Catalog) -> bool:
    """As `never_together`, by a look at what both compare, without a solver."""
    parts = [
        (path, part)
        for strategy in (one, other)
        for root, condition in (("trigger", strategy.trigger), ("audience", strategy.audience))
        if condition is not None
        for path, part in conjuncts(condition, root)
        if not isinstance(part, Happens)
    ]
    left = [("", trace) for trace in (*traces(one, other), *traces(other, one))]
    return Bounds(one, catalog).clash([*parts, *left], "") is not None


def always(condition: Condition, strategy: Strategy, catalog: Catalog) -> bool:
    """False where a condition of a strategy is certain to fail for some subject at some time."""
    if isinstance(condition, All | Any_ | Not):
        return _impossible([], [condition], strategy.subject, catalog)
    return Bounds(strategy, catalog).verdict(condition, "").possible == {TRUE}


def implies(narrow: Strategy, wide: Strategy, catalog: Catalog) -> bool:
    """True when at every instant at which the narrow one's trigger and audience hold, the wide one's do."""
    parts = [c for c in (narrow.trigger, narrow.audience) if c is not None]
    wanted = [c for c in (wide.trigger, wide.audience) if c is not None]
    return all(_impossible(parts, [each], narrow.subject, catalog) for each in wanted)


def never(strategy: Strategy, catalog: Catalog) -> tuple[Condition, ...] | None:
    """Conditions of the strategy that cannot hold together, as few as the solver names; None: no proof of that."""
    parts = [part for c in (strategy.trigger, strategy.audience) if c is not None for _, part in conjuncts(c, "")]
    with ONE:
        space, solver = _Space(strategy.subject, catalog), _solver()
        marks = {f"part {i}": part for i, part in enumerate(parts)}
        for name, part in marks.items():
            solver.assert_and_track(space.truth(part).true, name)
        solver.add(*space.rules())
        if solver.check() != z3.unsat:
            return None
        return tuple(marks[str(name)] for name in solver.unsat_core())


def _impossible(hold: Sequence[Condition], fail: Sequence[Condition], kind: str, catalog: Catalog) -> bool:
    """No state makes all of the first true and none of the second."""
    with ONE:
        space, solver = _Space(kind, catalog), _solver()
        solver.add(*(space.truth(each).true for each in hold), *(z3.Not(space.truth(each).true) for each in fail))
        solver.add(*space.rules())
        return bool(solver.check() == z3.unsat)


def _solver() -> Any:
    solver = z3.SimpleSolver()
    solver.set("timeout", PATIENCE)
    return solver


class _Space:
    """The quantities of one subject at one instant."""

    def __init__(self, kind: str, catalog: Catalog) -> None:
        self._kind, self._catalog = kind, catalog
        self._quantities = Quantities(catalog, kind)
        self._values: dict[str, Number | Choice] = {}
        self._short: dict[str, Any] = {}
        self._counts: dict[str, Aggregate] = {}
        self._runs: dict[str, tuple[Streak, Any]] = {}
        self._happens: list[tuple[Happens, Any]] = []
        self._free: dict[str, Pair] = {}
        self._waits: dict[str, tuple[Waits, Any]] = {}

    def truth(self, c: Condition) -> Pair:
        if isinstance(c, All | Any_):
            parts = [self.truth(part) for part in c.of]
            return Pair.every(parts) if isinstance(c, All) else Pair.some(parts)
        if isinstance(c, Not):
            return self.truth(c.of).turned()
        if isinstance(c, AttributeIs | ForecastIs) and c.via is None:
            return self._property(c)
        if isinstance(c, Aggregate | MetricIs | Ratio):
            return self._reduced(c)
        if isinstance(c, Streak):
            _, run = self._runs.setdefault(c.model_dump_json(exclude={"times"}), (c, z3.Int(f"run {len(self._runs)}")))
            return Pair(run >= c.times, run < c.times)
        if isinstance(c, Happens):
            return self._happening(c)
        found = self._unknowable(c)
        if isinstance(c, Ordered) and (waits := waits_of(c)) is not None:
            self._waits[c.model_dump_json()] = waits, found.true
        return found

    def rules(self) -> list[Any]:
        """What arithmetic says of the quantities asked about so far."""
        found = [bound for value in self._values.values() for bound in value.bounds if bound is not YES]
        found += [run >= 0 for _, run in self._runs.values()]
        found += (
            rule for streak, run in self._runs.values() if streak.per == "event" for rule in self._in_a_row(streak, run)
        )
        for key, count in self._counts.items():
            if count.window.last is not None:
                found.append(z3.Or(self._short[key], self._total(key) == count.window.last))
        for a, wide in self._counts.items():
            for b, narrow in self._counts.items():
                if a != b and _covers(wide, narrow):
                    found.append(self._total(a) >= self._total(b))
        for happens, now in self._happens:
            for key, count in self._counts.items():
                if count.window.last is None and includes(count, happens):
                    found.append(z3.Implies(now, self._total(key) >= 1))
            found += [z3.Implies(now, other) for wide, other in self._happens if includes(wide, happens)]
        for waits, over in self._waits.values():
            found += self._waited(waits, over)
        return found

    def _in_a_row(self, streak: Streak, run: Any) -> Iterator[Any]:
        """The last events of a type all pass the filters: of as many as came in a time, or as there are in a row."""
        for some, count in self._counts.items():
            for passing, other in self._counts.items():
                if count.event == streak.event and includes(other, streak) and _as_long(other, count):
                    total = self._total(some)
                    yield self._total(passing) >= z3.If(total < run, total, run)

    def _waited(self, waits: Waits, over: Any) -> Iterator[Any]:
        """A sequence ends now in vain waiting: its last event came so long ago, and others have not come since."""
        for happens, now in self._happens:
            if waits.forbids(happens, 0):
                yield z3.Not(z3.And(over, now))
        for other, too in self._waits.values():
            if waits.forbids(other.last, other.ago):
                yield z3.Not(z3.And(over, too))
        for key, count in self._counts.items():
            long = count.window.last is None and (count.window.over or inf) > waits.ago
            if long and includes(count, waits.last):
                yield z3.Implies(over, self._total(key) >= 1)

    def _total(self, key: str) -> Any:
        value = self._values[key]
        assert isinstance(value, Number)
        return value.total

    def _property(self, c: AttributeIs | ForecastIs) -> Pair:
        name = c.name if isinstance(c, AttributeIs) else c.forecast
        attribute = self._catalog.attribute(self._kind, name)
        if attribute is None or attribute.type == "number":
            return self._number(name, c).test(c.op, c.value)
        if attribute.type in ("enum", "boolean"):
            listed: list[Any] = list(attribute.values) if attribute.type == "enum" else [True, False]
            found = self._values.setdefault(name, Choice(name, listed))
            return found.test(c.op, c.value)
        return self._unknowable(c)

    def _number(self, name: str, c: AttributeIs | ForecastIs) -> Number:
        attribute = self._catalog.attribute(self._kind, name)
        span = self._quantities.domain(c).span if attribute is None else domain_of(attribute).span
        found = self._values.setdefault(name, Number(name, span))
        assert isinstance(found, Number)
        return found

    def _reduced(self, c: Aggregate | MetricIs | Ratio) -> Pair:
        """While history is short, what is seen of a count is at most what there is: it bounds the comparison."""
        if isinstance(c, Aggregate) and c.function == "last" and not isinstance(c.value, int | float):
            return self._unknowable(c)
        key = c.model_dump_json(exclude={"op", "value"})
        span = self._quantities.domain(c).span
        value = self._values.setdefault(key, Number(key, span))
        assert isinstance(value, Number)
        found = holds(c.op, value.total, c.value)
        there = value.there if self._quantities.may_lack(c) else YES
        known = Pair(conj((there, found)), conj((there, z3.Not(found))))
        if isinstance(c, Aggregate) and c.function == "count":
            self._counts[key] = c
        if c.window.over is None and c.window.last is None:
            return known
        if isinstance(c, Aggregate) and c.function == "last":
            return known
        short = self._short.setdefault(key, z3.Bool(f"short {key}"))
        early = self._early(c, value.total, there)
        return Pair(z3.If(short, early.true, known.true), z3.If(short, early.false, known.false))

    def _early(self, c: Aggregate | MetricIs | Ratio, seen: Any, there: Any) -> Pair:
        if not isinstance(c, Aggregate) or not self._quantities.grows(c):
            return Pair(NO, NO)
        falls = c.function == "min"
        beyond: Any = (
            conj(seen < rational(float(v)) if falls else seen > rational(float(v)) for v in c.value)
            if isinstance(c.value, list)
            else holds("<" if falls else ">", seen, c.value)
        )
        if c.op in ("==", "in"):
            return Pair(NO, conj((there, beyond)))
        if c.op in ("!=", "not_in"):
            return Pair(conj((there, beyond)), NO)
        found = holds(c.op, seen, c.value)
        growing = c.op in (("<", "<=") if falls else (">", ">="))
        return Pair(conj((there, found)), NO) if growing else Pair(NO, conj((there, z3.Not(found))))

    def _happening(self, c: Happens) -> Pair:
        known = next((now for happens, now in self._happens if happens == c), None)
        if known is None:
            known = z3.Bool(f"now {len(self._happens)}")
            self._happens.append((c, known))
        return Pair(known, z3.Not(known))

    def _unknowable(self, c: Condition) -> Pair:
        """Anything, and the same thing wherever it is asked."""
        key = c.model_dump_json()
        if key not in self._free:
            true, false = z3.Bool(f"true {key}"), z3.Bool(f"false {key}")
            self._free[key] = Pair(true, z3.And(false, z3.Not(true)))
        return self._free[key]


def _covers(wide: Aggregate, narrow: Aggregate) -> bool:
    """Whatever the narrow count takes, the wide one takes."""
    return wide.field == narrow.field and _as_long(wide, narrow) and includes(wide, narrow)


def _as_long(wide: Aggregate, narrow: Aggregate) -> bool:
    if wide.window.last is not None or narrow.window.last is not None:
        return False
    return (wide.window.over or inf) >= (narrow.window.over or inf)
