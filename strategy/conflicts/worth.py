"""What conditions are worth at a moment of a past that is still to be chosen, as formulas over its slots and facts."""

from __future__ import annotations

from typing import Any

import z3

from strategy.conflicts.layout import LONGEST_RUN
from strategy.conflicts.symbols import NEITHER, NO, YES, Choice, Number, Pair, conj, disj, holds, total
from strategy.conflicts.timeline import Property, Slot, Timeline
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    EventFilter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Step,
    Streak,
)
from strategy.document import Sequence as Ordered
from strategy.engine.calendars import period
from strategy.engine.facts import DateLeaf, NearLeaf
from strategy.engine.paths import reached
from strategy.engine.rates import ratio_of
from strategy.engine.values import TRUE, UNKNOWN, is_date


class Worth:
    """Asked of a past; what it takes for granted it adds to the past's rules."""

    def __init__(self, past: Timeline) -> None:
        self._past = past
        self._told: dict[tuple[int, int], tuple[Condition, Pair]] = {}

    # what a condition is worth

    def truth(self, c: Condition, at: int) -> Pair:
        """At so many microseconds before the moment; facts are unknown until they arrive."""
        key = (id(c), at)
        if key not in self._told:
            # The condition is kept with its answer: an id is its own only while it lives.
            self._told[key] = c, self._truth(c, at)
        return self._told[key][1]

    def _truth(self, c: Condition, at: int) -> Pair:
        if isinstance(c, All | Any_):
            parts = [self.truth(part, at) for part in c.of]
            return Pair.every(parts) if isinstance(c, All) else Pair.some(parts)
        if isinstance(c, Not):
            return self.truth(c.of, at).turned()
        if isinstance(c, AttributeIs | ForecastIs | DateIs | Near | Path):
            return self._on_facts(c) if at <= self._past.layout.arrival else NEITHER
        if isinstance(c, MetricIs):
            return self._ratio(ratio_of(c, self._past.catalog.metrics[c.metric]), at)
        if isinstance(c, Ratio):
            return self._ratio(c, at)
        if isinstance(c, Happens):
            return _known(disj(self._comes(slot, c) for slot in self._of(c) if slot.offset == at))
        if isinstance(c, Aggregate):
            return self._aggregate(c, at)
        if isinstance(c, Streak):
            return _known(self._streak(c, at) >= c.times)
        if isinstance(c, Change):
            return self._change(c, at)
        return _known(self._completes(c, at))

    def _on_facts(self, c: AttributeIs | ForecastIs | DateIs | Near | Path) -> Pair:
        if isinstance(c, Path):
            return self._path(c)
        via = getattr(c, "via", None)
        kind = self._past.catalog.relations[via].target if via is not None else self._past.kind
        found = self._of_object(c, via or "", kind)
        if via is None:
            return found
        link = self._past.links.setdefault(via, z3.Bool(f"linked {via}"))
        return Pair(conj((link, found.true)), conj((link, found.false)))

    def _of_object(self, c: AttributeIs | ForecastIs | DateIs | Near, owner: str, kind: str) -> Pair:
        if isinstance(c, AttributeIs):
            return self._tested(
                self._past.fact(owner, kind, c.name), c, is_date(self._past.catalog.attribute(kind, c.name))
            )
        if isinstance(c, ForecastIs):
            return self._past.fact(owner, kind, c.forecast).test(c.op, c.value)
        found = self._past.fact(owner, kind, c.attribute)
        assert isinstance(found, Choice)
        if isinstance(c, Near):
            leaf: NearLeaf | DateLeaf = NearLeaf("", 0, c, self._past.catalog.places[c.place])
        else:
            leaf = DateLeaf("", 0, c, self._past.catalog.timezone)
        return found.where(lambda value: _truth(leaf.holds(value, self._past.layout.now)))

    def _tested(self, found: Property, test: Any, dated: bool) -> Pair:
        if isinstance(found, Choice):
            return found.test(test.op, test.value, dated=dated)
        return found.test(test.op, test.value)

    def _path(self, c: Path) -> Pair:
        """A chain of objects of its own; without it there is none."""
        name = f"path {len(self._past.paths)}"
        known = next((i for i, (path, _) in enumerate(self._past.paths) if path == c), None)
        if known is None:
            self._past.paths.append((c, z3.Bool(name)))
            known = len(self._past.paths) - 1
        chain = self._past.paths[known][1]
        *_, last = c.steps
        tests = [conj((chain,))]
        for i, step in enumerate(c.steps):
            if not step.absent or len(c.steps) == 1:
                kind = reached(step, self._past.catalog)
                for each in step.where:
                    dated = is_date(self._past.catalog.attribute(kind, each.field))
                    tests.append(self._tested(self._past.fact(f"{known}.{i}", kind, each.field), each, dated).true)
        found = Pair(conj(tests), z3.Not(chain))
        return found.turned() if last.absent and len(c.steps) == 1 else found

    # events

    def _of(self, *found: EventFilter) -> list[Slot]:
        names = {each.event for each in found}
        return [slot for slot in self._past.slots if slot.event in names]

    def _since(self, c: EventFilter, at: int, over: int | None, until: int = 0) -> list[Slot]:
        """Slots of an event in (at - over, at - until]."""
        return [s for s in self._of(c) if at + until <= s.offset and (over is None or s.offset < at + over)]

    def _passes(self, slot: Slot, found: EventFilter) -> Any:
        """That the slot's events are taken; whether there are any is another question."""
        if slot.event != found.event:
            return NO
        key = str(found.where)
        if key not in slot.passes:
            slot.passes[key] = conj(
                self._tested(
                    slot.fields[test.field], test, is_date(self._past.catalog.field(slot.event, test.field))
                ).true
                for test in found.where
            )
        return slot.passes[key]

    def _comes(self, slot: Slot, found: EventFilter) -> Any:
        return conj((slot.some, self._passes(slot, found)))

    def _taken(self, c: Aggregate | Change, slots: list[Slot]) -> list[tuple[Slot, Any]]:
        """The slots with the condition for their events to count: they pass, and have the field."""
        name = c.field
        return [(s, conj((self._comes(s, c), s.fields[name].there if name is not None else YES))) for s in slots]

    def _aggregate(self, c: Aggregate, at: int) -> Pair:
        taken = self._taken(c, self._since(c, at, c.window.over))
        enough = YES
        if c.window.last is not None:
            taken, enough = self._newest(taken, c.window.last)
        match c.function:
            case "count":
                found = holds(c.op, total(z3.If(ok, s.count, 0) for s, ok in taken), c.value)
            case "distinct":
                found = holds(c.op, self._distinct(c, taken), c.value)
            case "sum":
                found = holds(c.op, total(z3.If(ok, _sum(s, c), z3.RealVal(0)) for s, ok in taken), c.value)
            case "avg":
                there = disj(ok for _, ok in taken)
                number = z3.ToReal(total(z3.If(ok, s.count, 0) for s, ok in taken))
                summed = total(z3.If(ok, _sum(s, c), z3.RealVal(0)) for s, ok in taken)
                return _given(conj((there, enough)), holds(c.op, summed, c.value, number))
            case "last":
                return self._last(c, taken)
            case _:
                return _given(conj((disj(ok for _, ok in taken), enough)), _extreme(c, taken))
        return _given(enough, found)

    def _newest(self, taken: list[tuple[Slot, Any]], wanted: int) -> tuple[list[tuple[Slot, Any]], Any]:
        """Those among the newest so many. Slots are taken whole: that they fit is made a rule."""
        later: Any = z3.IntVal(0)
        kept = []
        for slot, ok in reversed(taken):
            count = z3.If(ok, slot.count, 0)
            self._past.rules.append(z3.Or(later >= wanted, later + count <= wanted))
            kept.append((slot, conj((ok, later < wanted))))
            later = later + count
        return kept[::-1], later >= wanted

    def _distinct(self, c: Aggregate, taken: list[tuple[Slot, Any]]) -> Any:
        new = []
        for i, (slot, ok) in enumerate(taken):
            same = [conj((other_ok, _same(slot.fields[c.field or ""], other.fields[c.field or ""])))
                    for other, other_ok in taken[:i]]  # fmt: skip
            new.append(z3.If(conj((ok, z3.Not(disj(same)))), 1, 0))
        return total(new)

    def _last(self, c: Aggregate, taken: list[tuple[Slot, Any]]) -> Pair:
        found, dated = NEITHER, is_date(self._past.catalog.field(c.event, c.field or ""))
        for slot, ok in taken:
            now = self._tested(slot.fields[c.field or ""], c, dated)
            found = Pair(z3.If(ok, now.true, found.true), z3.If(ok, now.false, found.false))
        return found

    def _ratio(self, c: Ratio, at: int) -> Pair:
        if c.window.last is not None:
            return NEITHER
        of, per = (
            total(z3.If(self._comes(s, side), s.count, 0) for s in self._since(side, at, c.window.over))
            for side in (c.of, c.per)
        )
        scale = 100 if c.percent else 1
        return _given(per > 0, holds(c.op, z3.ToReal(of) * scale, c.value, z3.ToReal(per)))

    def _streak(self, c: Streak, at: int) -> Any:
        if c.times > LONGEST_RUN and c.per != "event":
            return z3.IntVal(0)
        run: Any = z3.IntVal(0)
        last: Any = z3.IntVal(0)
        for slot in (s for s in self._of(c, *c.without) if s.offset >= at):
            broken = disj(self._comes(slot, each) for each in c.without)
            if slot.event != c.event:
                run = z3.If(broken, 0, run)
                continue
            good = conj((self._passes(slot, c), z3.Not(broken)))
            if c.per == "event":
                longer = run + slot.count
            else:
                number = period(slot.at, c.per, self._past.catalog.timezone)
                longer = z3.If(z3.And(run > 0, last == number), run, z3.If(last == number - 1, run + 1, 1))
                last = z3.If(slot.some, number, last)
            run = z3.If(slot.some, z3.If(good, longer, 0), run)
        return run

    def _change(self, c: Change, at: int) -> Pair:
        now, before = self._since(c, at, c.window), self._since(c, at, 2 * c.window, c.window)
        sides = []
        for slots in (now, before):
            taken = self._taken(c, slots)
            number = z3.ToReal(total(z3.If(ok, s.count, 0) for s, ok in taken))
            amount = number if c.function == "count" else total(z3.If(ok, _sum(s, c), z3.RealVal(0)) for s, ok in taken)
            sides.append((amount, number))
        (x, n), (y, m) = sides
        if c.function == "avg":
            self._past.rules.append(n == m)
        share = z3.RealVal(str(c.percent)) / 100
        found = x >= y * (1 + share) if c.direction == "rise" else x <= y * (1 - share)
        return _given(conj((y > 0, m > 0)), found)

    def _completes(self, c: Ordered, at: int) -> Any:
        """Some run of the steps ends exactly then."""
        slots = [slot for slot in self._of(*c.steps) if slot.offset >= at]
        present = [step for step in c.steps if not step.absent]
        between = _absent_before(c)
        done = [self._comes(slot, present[0]) for slot in slots]
        for step, absent in zip(present[1:], between[1:], strict=False):
            done = [
                conj(
                    (
                        self._comes(slot, step),
                        disj(
                            conj((done[i], self._undisturbed(slots[i], slots[i + 1 : j], step, absent)))
                            for i in range(j)
                            if step.within is None or slots[i].offset - slot.offset <= step.within
                        ),
                        *(z3.Not(self._comes(slot, each)) for each in absent),
                    )
                )
                for j, slot in enumerate(slots)
            ]
        trailing = between[len(present)]
        if not trailing:
            return disj(each for each, slot in zip(done, slots, strict=True) if slot.offset == at)
        end = max(step.within or 0 for step in trailing)
        return disj(
            conj((done[i], self._quiet(slot, slots[i + 1 :], trailing)))
            for i, slot in enumerate(slots)
            if slot.offset == at + end
        )

    def _undisturbed(self, start: Slot, between: list[Slot], step: Step, absent: list[Step]) -> Any:
        """Nothing between that is forbidden, or that would have been the step."""
        return conj((self._quiet(start, between, absent), *(z3.Not(self._comes(slot, step)) for slot in between)))

    def _quiet(self, start: Slot, later: list[Slot], absent: list[Step]) -> Any:
        return conj(
            z3.Not(self._comes(slot, each))
            for slot in later
            for each in absent
            if each.within is None or start.offset - slot.offset <= each.within
        )


def _truth(found: int) -> bool | None:
    return None if found == UNKNOWN else found == TRUE


def _known(true: Any) -> Pair:
    return Pair(true, z3.Not(true))


def _given(known: Any, true: Any) -> Pair:
    return Pair(conj((known, true)), conj((known, z3.Not(true))))


def _sum(slot: Slot, c: Aggregate | Change) -> Any:
    found = slot.fields[c.field or ""]
    assert isinstance(found, Number)
    return found.total


def _same(one: Property, other: Property) -> Any:
    """Equal values, where each stands for one event."""
    if isinstance(one, Choice) and isinstance(other, Choice):
        return one.index == other.index
    assert isinstance(one, Number) and isinstance(other, Number)
    return one.total == other.total


def _extreme(c: Aggregate, taken: list[tuple[Slot, Any]]) -> Any:
    """The comparison of the largest or smallest value."""
    some: tuple[str, ...] = (">", ">=") if c.function == "max" else ("<", "<=")

    def one(op: Any, value: Any) -> Any:
        if op in some:
            return disj(conj((ok, _compared(s, c, op, value))) for s, ok in taken)
        if op in ("<", "<=", ">", ">="):
            return conj(z3.Implies(ok, _compared(s, c, op, value)) for s, ok in taken)
        if op in ("!=", "not_in"):
            return z3.Not(one("==" if op == "!=" else "in", value))
        if op == "in":
            return disj(one("==", each) for each in value)
        return conj((one("<=", value), one(">=", value)))

    return one(c.op, c.value)


def _compared(slot: Slot, c: Aggregate, op: Any, value: Any) -> Any:
    found = slot.fields[c.field or ""]
    assert isinstance(found, Number)
    return holds(op, found.total, value, found.weight)


def _absent_before(c: Ordered) -> list[list[Step]]:
    """The absent steps before each present one, and those at the end."""
    found: list[list[Step]] = [[]]
    for step in c.steps:
        if step.absent:
            found[-1].append(step)
        else:
            found.append([])
    return found
