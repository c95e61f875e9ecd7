"""A strategy's conditions as rows of the tables, and which of them this matcher can keep. What it cannot keep exactly
(see `fits`) the pure-Python matcher runs beside it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from knowledge.catalog.model import Catalog
from strategy.columnar import codes as c
from strategy.columnar.plan import Leaf, Tables
from strategy.columnar.strings import Strings
from strategy.document import (
    SUBJECT,
    Aggregate,
    All,
    Any_,
    Change,
    Condition,
    EventFilter,
    Happens,
    MetricIs,
    Not,
    Ratio,
    Sequence,
    Strategy,
    Streak,
)
from strategy.engine.nodes import Leaf as Judge
from strategy.engine.rates import ratio_of
from strategy.engine.values import bounded, exact, is_date
from strategy.engine.wakes import NEVER, parts, turns

PERIODS = ("day", "night", "week", "month")
_STEPS = 8
_ROLES = 58
_RATIO_LIMIT = 10**10


def fits(strategy: Strategy, catalog: Catalog) -> bool:
    """Whether every condition can be kept here exactly: sums in millionths, sequences of up to eight steps, no distinct
    values over all history, no order of texts (or dates) in `last`."""
    trees = [strategy.trigger, *([strategy.audience] if strategy.audience is not None else [])]
    return all(_fits(part.leaf, catalog) for tree in trees for part in parts(tree))


def _fits(condition: Condition, catalog: Catalog) -> bool:
    if isinstance(condition, Aggregate):
        values = condition.value if isinstance(condition.value, list) else [condition.value]
        if condition.function == "distinct" and condition.window.over is None and condition.window.last is None:
            return False
        if condition.function in ("sum", "avg"):
            return all(_millionths(v, c.SUMMABLE) is not None for v in values)
        if condition.function == "last":
            if is_date(catalog.field(condition.event, condition.field or "")):
                return False
            kinds = {_class(v) for v in values}
            return len(kinds) == 1 and (kinds == {c.NUMERIC} or condition.op in ("==", "!=", "in", "not_in"))
        return all(isinstance(v, int | float) and abs(v) < c.SUMMABLE for v in values)
    if isinstance(condition, MetricIs | Ratio):
        return _millionths(condition.value, _RATIO_LIMIT * c.SCALE) is not None
    if isinstance(condition, Change):
        return _millionths(condition.percent, c.SUMMABLE) is not None
    if isinstance(condition, Sequence):
        present = sum(1 for step in condition.steps if not step.absent)
        return present <= _STEPS and len(condition.steps) < _ROLES
    if isinstance(condition, Streak):
        return len(condition.without) < _ROLES
    return True


def _class(value: Any) -> int:
    return c.LOGICAL if isinstance(value, bool) else c.TEXTUAL if isinstance(value, str) else c.NUMERIC


def _millionths(value: Any, limit: int) -> int | None:
    """A threshold in whole millionths, or None when it has more decimals or is too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    scaled = Decimal(exact(value)) * c.SCALE
    return int(scaled) if scaled == int(scaled) and abs(scaled) < limit else None


class Writer:
    """Writes conditions into the tables."""

    def __init__(self, tables: Tables, texts: Strings, catalog: Catalog) -> None:
        self._tables = tables
        self._texts = texts
        self._catalog = catalog

    def write(self, leaf: Leaf, kind: int, fact: Judge | None, unknown: int) -> None:
        """Fill a new leaf's row and hook it to its events. `unknown`: a fact condition's truth with no facts at all."""
        row: dict[int, int] = {}
        condition = leaf.condition
        if fact is not None:
            leaf.fact = fact
            row = {c.KIND: c.FACT, c.DEFAULT: unknown}
        elif isinstance(condition, Happens):
            row = {c.KIND: c.HAPPENS, c.PULSE: 1}
            self._hook(leaf, kind, condition, c.PASSES)
        elif isinstance(condition, Aggregate):
            row = self._aggregate(leaf, kind, condition)
        elif isinstance(condition, Streak):
            row = self._streak(leaf, kind, condition)
        elif isinstance(condition, Sequence):
            row = self._sequence(leaf, kind, condition)
        elif isinstance(condition, Change):
            row = self._change(leaf, kind, condition)
        else:
            assert isinstance(condition, MetricIs | Ratio)
            row = self._ratio(leaf, kind, condition)
        place = self._tables.conditions.rows[leaf.number]
        for column, value in row.items():
            place[column] = value

    def _hook(self, leaf: Leaf, kind: int, asked: EventFilter, role: int) -> None:
        self._tables.hook(leaf, kind, asked, role)

    def _aggregate(self, leaf: Leaf, kind: int, condition: Aggregate) -> dict[int, int]:
        fn = c.FUNCTIONS[condition.function]
        own = condition.field is None or condition.field == SUBJECT
        field = None if own else self._catalog.field(condition.event, condition.field or "")
        values = condition.value if isinstance(condition.value, list) else [condition.value]
        row = {
            c.KIND: c.AGGREGATE, c.FN: fn, c.OP: c.OPS[condition.op], c.NV: len(values),
            c.OVER: condition.window.over or 0, c.LAST: condition.window.last or 0,
            c.STRIDE: 2 if fn == c.COUNT else 4 if fn in (c.SUM, c.AVG) else 3,
            c.SIGNED: int(field is not None and field.min is not None and field.min < 0),
        }  # fmt: skip
        if fn in (c.SUM, c.AVG):
            row[c.V0] = self._tables.whole.extend([_millionths(v, c.SUMMABLE) or 0 for v in values])
        elif fn == c.NEWEST and _class(values[0]) != c.NUMERIC:
            row[c.CLASS] = _class(values[0])
            row[c.V0] = self._tables.whole.extend([self._code(condition, v) for v in values])
        else:
            row[c.V0] = self._tables.floats.extend([float(v) for v in values])
        if condition.field is not None and condition.field != SUBJECT:
            row[c.COLUMN] = self._tables.want(condition.event, condition.field)
        self._hook(leaf, kind, condition, c.PASSES)
        return row

    def _code(self, condition: Aggregate, value: Any) -> int:
        """The bits that a text or boolean has as a value of the condition's field."""
        if isinstance(value, bool):
            return int(c.V_TRUE if value else c.V_FALSE)
        tables = self._tables
        type_ = tables.types[condition.event]
        column = tables.want(condition.event, condition.field or "")
        return int(c.V_TEXT) + self._texts.code(str(value), type_ * tables.wanted.shape[1] + column)

    def _streak(self, leaf: Leaf, kind: int, condition: Streak) -> dict[int, int]:
        for each in condition.without:
            self._hook(leaf, kind, each, c.WITHOUT)
        if condition.where:
            self._hook(leaf, kind, EventFilter(event=condition.event), c.OF_TYPE)
        self._hook(leaf, kind, EventFilter(event=condition.event, where=condition.where), c.PASSES)
        per = -1 if condition.per == "event" else PERIODS.index(condition.per)
        keep = min(condition.times, c.EVIDENCE)
        self._tables.periods |= per >= 0
        return {c.KIND: c.STREAK, c.TIMES: condition.times, c.PER: per, c.KEEP: keep, c.STRIDE: 1}

    def _sequence(self, leaf: Leaf, kind: int, condition: Sequence) -> dict[int, int]:
        tables = self._tables
        first, *rest = condition.steps
        self._hook(leaf, kind, EventFilter(event=first.event, where=first.where), 1)
        role, gap0, gaps, absents, deadline = 1, tables.gaps.count, 0, [], -1
        for step in rest:
            self._hook(leaf, kind, EventFilter(event=step.event, where=step.where), 1 << role)
            if step.absent:
                absents.append((role, -1 if step.within is None else step.within))
            else:
                rules = int(all(within < 0 for _, within in absents))
                self._gap(absents, role, -1 if step.within is None else step.within, rules)
                gaps, absents = gaps + 1, []
            role += 1
        if absents:
            deadline = max(max(within, 0) for _, within in absents)
            self._gap(absents, -1, deadline, 0)
            gaps += 1
        present = gaps + (deadline < 0)
        return {
            c.KIND: c.SEQUENCE, c.PULSE: 1, c.GAP0: gap0, c.NGAP: gaps, c.PRESENT: present, c.DEADLINE: deadline,
        }  # fmt: skip

    def _gap(self, absents: list[tuple[int, int]], then: int, within: int, rules: int) -> None:
        at = self._tables.absents.count
        for role, span in absents:
            self._tables.absents.add(role, span)
        self._tables.gaps.add(within, rules, then, at, len(absents))

    def _change(self, leaf: Leaf, kind: int, condition: Change) -> dict[int, int]:
        percent = _millionths(condition.percent, c.SUMMABLE) or 0
        rise = condition.direction == "rise"
        factor = 100 * c.SCALE + (percent if rise else -percent)
        row = {
            c.KIND: c.CHANGE, c.FN: c.FUNCTIONS[condition.function], c.OVER: 2 * condition.window, c.STRIDE: 4,
            c.RISE: int(rise), c.V0: self._tables.whole.extend([factor]),
        }  # fmt: skip
        if condition.field is not None:
            row[c.COLUMN] = self._tables.want(condition.event, condition.field)
        self._hook(leaf, kind, condition, c.PASSES)
        return row

    def _ratio(self, leaf: Leaf, kind: int, condition: MetricIs | Ratio) -> dict[int, int]:
        if isinstance(condition, MetricIs):
            condition = ratio_of(condition, self._catalog.metrics[condition.metric])
        self._hook(leaf, kind, condition.of, c.OF)
        self._hook(leaf, kind, condition.per, c.PER_SIDE)
        factor = 100 if condition.percent else 1
        threshold = _millionths(condition.value, _RATIO_LIMIT * c.SCALE) or 0
        return {
            c.KIND: c.RATIO, c.OP: c.OPS[condition.op], c.NV: 1, c.FACTOR: factor, c.STRIDE: 4,
            c.OVER: condition.window.over or 0, c.LAST: condition.window.last or 0,
            c.V0: self._tables.whole.extend([threshold]),
        }  # fmt: skip


def wakes(trigger: Condition) -> dict[int, int]:
    """Which conditions of a trigger (by their place among its leaves) need timers: RISING, or FALLING when only values
    below zero, which may also lie before history begins, make it so."""
    found = {}
    for place, part in enumerate(parts(trigger)):
        if turns(part.leaf, part.holds) != NEVER:
            found[place] = c.FALLING if turns(part.leaf, part.holds, negatives=False) == NEVER else c.RISING
    return found


def restless(condition: Condition, facts: dict[int, int]) -> bool:
    """Whether a trigger may be true of a subject of which nothing but its existence is known. `facts`: place of a fact
    condition among the leaves → its truth with no facts."""
    place = -1

    def possible(part: Condition) -> set[int]:
        nonlocal place
        if isinstance(part, All | Any_):
            sets = [possible(each) for each in part.of]
            join = min if isinstance(part, All) else max
            found = sets[0]
            for each in sets[1:]:
                found = {join(a, b) for a in found for b in each}
            return found
        if isinstance(part, Not):
            return {2 - worth for worth in possible(part.of)}
        place += 1
        return {facts[place]} if place in facts else _of_nothing(part)

    return c.TRUE in possible(condition)


def _of_nothing(condition: Condition) -> set[int]:
    """What a condition on events may be worth before any has come."""
    if isinstance(condition, Happens | Sequence | Streak):
        return {c.FALSE}
    if isinstance(condition, Aggregate) and condition.function in ("count", "sum", "distinct"):
        value: Any = condition.value
        wanted = [exact(v) for v in value] if isinstance(value, list) else exact(value)
        return {c.UNKNOWN, *(bounded(condition.op, 0, wanted, bound) for bound in ("exact", "lower"))}
    return {c.UNKNOWN}
