"""What strategies keep in memory: an estimate from their windows, how often events come, and for how many subjects.

Per subject a condition takes 16 bytes. A window keeps the events in it: each beyond the third takes 8 bytes, or 24 each
where their values are needed (anything but a count). So with r events a day and a window of d days

    16 + 8·max(0, r·d - 3)    count, and either side of a ratio or metric; a change of counts over 2·d
    16 + 24·r·d               sum, avg, min, max, distinct; a change of sums or averages over 2·d
    16 + 8·max(0, n - 3)      a streak, n = min(times, 20); the last N events: n = N (24·N with values)
    16 + 24·runs              a sequence: a run for each step that waits, or r·d where an absent step lasts d days

All history keeps 20 events; `distinct` over it is counted for a year. Filters are taken to pass everything. Conditions
that look at the same events in the same window keep them once between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import Refused
from core.sizes import format_size
from core.text import Text
from core.times import DAY
from knowledge.catalog import Catalog, text_of
from strategy.document import (
    Aggregate,
    Change,
    Condition,
    EventFilter,
    MetricIs,
    Ratio,
    Strategy,
    Streak,
    leaves,
)
from strategy.document import Sequence as Ordered
from strategy.engine.nodes import EVIDENCE
from strategy.engine.rates import ratio_of

CONDITION, EVENT, VALUE, FREE = 16, 8, 24, 3
"""Bytes of a (subject, condition), of a kept event, of a kept event with its value; events that take nothing more."""
RATE = 1.0
"""Events a day and subject where nothing has been observed."""
YEAR = 365 * DAY
TIGHT = 0.8
"""The share of the budget from which a warning is given."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the stream is like. `rates`: event type → events a day for one subject of its own type; `subjects`: object
    type → how many there are. What is not told of is taken for one event a day, and one subject."""

    rates: Mapping[str, float] = field(default_factory=dict)
    subjects: Mapping[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        return max(1, self.subjects.get(kind, 1))

    def rate(self, event: str, kind: str, catalog: Catalog) -> float:
        """Events a day for one subject of a type; a group's subjects share what their members do."""
        own = catalog.events[event].subject
        rate = self.rates.get(event, RATE)
        return rate if own == kind else rate * self.count(own) / self.count(kind)


@dataclass(frozen=True, slots=True)
class StateCost:
    """Bytes a subject, of how many subjects; `subject`: what people call one; `parts`: place in the document → its
    bytes a subject."""

    subject: Text
    subjects: int
    parts: Mapping[str, float]

    @property
    def each(self) -> float:
        return sum(self.parts.values())

    @property
    def total(self) -> float:
        return self.each * self.subjects

    @property
    def said(self) -> Text:
        return Text(
            f"每个{self.subject.zh}约 {format_size(self.each)}，{self.subjects} 个共 {format_size(self.total)}",
            f"about {format_size(self.each)} a {self.subject.en}, {format_size(self.total)} for {self.subjects}",
        )


def state_cost(strategy: Strategy, catalog: Catalog, load: Load, shared: set[str] | None = None) -> StateCost:
    """What one strategy keeps. `shared`: the events that others keep already, which it adds its own to."""
    kept = set() if shared is None else shared
    parts: dict[str, float] = {}
    for root, condition in (("trigger", strategy.trigger), ("audience", strategy.audience)):
        for path, leaf in leaves(condition, root):
            parts[path] = CONDITION
            about = f"{strategy.subject} {leaf.model_dump_json(exclude={'op', 'value'})}"
            if about not in kept:
                kept.add(about)
                parts[path] += _Kept(strategy.subject, catalog, load).bytes(leaf)
    kind = strategy.subject
    return StateCost(text_of(catalog.objects[kind], kind), load.count(kind), parts)


def check_budget(
    strategies: Sequence[Strategy],
    catalog: Catalog,
    rates: Mapping[str, float],
    subjects: Mapping[str, int],
    budget: int,
) -> list[Text]:
    """Warnings about the state of strategies that are to run together; the last of them is the one to be added.

    Args:
        rates, subjects: as in `Load`. budget: bytes.

    Raises:
        Refused: they keep more than the budget; `where` is the costliest condition of the last one.
    """
    load, kept = Load(rates, subjects), set[str]()
    costs = [state_cost(strategy, catalog, load, kept) for strategy in strategies]
    total = sum(cost.total for cost in costs)
    if not costs or total <= TIGHT * budget:
        return []
    cost = costs[-1]
    place = max(cost.parts, key=lambda path: cost.parts[path])
    said = Text(
        f"运行中的策略估计共占内存 {format_size(total)}，预算是 {format_size(budget)}；这一处对每个{cost.subject.zh}占"
        f" {format_size(cost.parts[place])}，共 {cost.subjects} 个",
        f"all running strategies are estimated to keep {format_size(total)} of a budget of {format_size(budget)}; this"
        f" condition keeps {format_size(cost.parts[place])} a {cost.subject.en}, for {cost.subjects}",
    )
    cure = Text(
        "缩短时间窗，或用 last 限定事件数，或调大 ZHONGSHU_ENGINE_STATE_BUDGET",
        "shorten its window, take the last N events, or raise ZHONGSHU_ENGINE_STATE_BUDGET",
    )
    if total > budget:
        raise Refused(said, where={"field": place}, hint=Text(cure.zh, cure.en[0].upper() + cure.en[1:]))
    return [Text(f"{place}：{said.zh}；{cure.zh}", f"{place}: {said.en}; {cure.en}")]


@dataclass(frozen=True, slots=True)
class _Kept:
    """The events that a condition keeps for one subject."""

    subject: str
    catalog: Catalog
    load: Load

    def bytes(self, leaf: Condition) -> float:
        if isinstance(leaf, MetricIs):
            return self.bytes(ratio_of(leaf, self.catalog.metrics[leaf.metric]))
        if isinstance(leaf, Ratio):
            return sum(
                _plain(self._events(side.event, leaf.window.over, leaf.window.last)) for side in (leaf.of, leaf.per)
            )
        if isinstance(leaf, Aggregate):
            return self._aggregate(leaf)
        if isinstance(leaf, Change):
            events = self._events(leaf.event, 2 * leaf.window)
            return _plain(events) if leaf.function == "count" else VALUE * events
        if isinstance(leaf, Streak):
            return _plain(min(leaf.times, EVIDENCE))
        return VALUE * self._runs(leaf) if isinstance(leaf, Ordered) else 0

    def _aggregate(self, leaf: Aggregate) -> float:
        over, last = leaf.window.over, leaf.window.last
        if leaf.function == "last":
            return VALUE
        if leaf.function == "distinct" and over is None and last is None:
            over = YEAR
        events = self._events(leaf.event, over, last)
        return _plain(events) if leaf.function == "count" else VALUE * events

    def _events(self, event: str, over: int | None, last: int | None = None) -> float:
        if over is None:
            return last if last is not None else EVIDENCE
        return self.load.rate(event, self.subject, self.catalog) * over / DAY

    def _runs(self, leaf: Ordered) -> float:
        """Of the runs that wait for one step only the newest is kept, unless an absent step has a time of its own, or
        the end of the sequence is waited for."""
        runs, before, absent = 0.0, leaf.steps[0], list[int | None]()
        for step in leaf.steps[1:]:
            if step.absent:
                absent.append(step.within)
                continue
            runs += self._waiting(before, absent)
            before, absent = step, []
        return runs + (self._waiting(before, absent) if absent else 0)

    def _waiting(self, before: EventFilter, absent: list[int | None]) -> float:
        times = [within for within in absent if within is not None]
        return max(1.0, self._events(before.event, max(times))) if times else 1.0


def _plain(events: float) -> float:
    return EVENT * max(0.0, events - FREE)
