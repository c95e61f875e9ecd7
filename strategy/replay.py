"""Replay: what strategies would have done over recorded facts and events, in event time, without delivering anything.
It shows what would happen for everyone: consent, rollout share and holdout belong to live decisions."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any, Literal

from rapidfuzz import fuzz

from core.clock import Clock, SystemClock
from core.errors import ZhongshuError
from core.events import Event, Fact, Input, Relation
from core.telemetry import span
from core.text import Lang, Text
from core.times import DAY, Micros, format_time
from knowledge.catalog import Catalog
from strategy.delivery.decide import Reason, Verdict
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.engine.groups import groups_of, subjects_of
from strategy.engine.port import EngineFactory, Firing
from strategy.engine.python import PythonEngine
from strategy.explain import explain
from strategy.nearest_miss import Miss, Occurrences, nearest_miss
from strategy.replay_guards import ReplayGuards, goes_out
from strategy.stream import AbsurdClock, BadLine, GoodLine, Line

CHUNK = 500
"""Lines read before the engine is asked for firings; memory does not grow with the file."""
JUMP = 3_653 * DAY
AHEAD = 366 * DAY

NoticeKind = Literal["bad", "late", "duplicate", "after_until", "before_since", "not_reached", "warning"]


@dataclass(frozen=True, slots=True)
class Fired:
    """A firing as it would reach the customer. `deliver_at` is set when quiet hours defer it."""

    firing: Firing
    strategy: Strategy
    deliver_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A firing that cap, quiet hours or budget stopped."""

    firing: Firing
    reason: Reason
    text: Text


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know besides the firings; `error` is set for lines kept aside as bad."""

    kind: NoticeKind
    text: Text
    error: ZhongshuError | None = None


Item = Fired | Dropped | Notice


@dataclass(slots=True)
class Summary:
    """Counts of one replay. `began` is the earliest event, `ended` the last moment of event time; `before_since` counts
    firings that came too early to be shown."""

    events: int = 0
    facts: int = 0
    bad: int = 0
    late: int = 0
    duplicates: int = 0
    after_until: int = 0
    not_reached: int = 0
    dropped: int = 0
    before_since: int = 0
    firings: int = 0
    began: Micros | None = None
    ended: Micros | None = None
    by_strategy: dict[str, int] = field(default_factory=dict)


class Replay:
    """One run. Build it (strategies are checked here), then iterate over `run` once; `summary` fills as it goes.

    Args:
        lateness: how far behind the newest event a line may lie and still count, in microseconds.
        since: firings before this moment are not shown. What lies before it builds up the state all the same, so the
            rest is what a replay of everything shows.
        until: event time goes on to this moment after the last event; later inputs are left out.
        limit: at most so many lines of events are read.
        engine: which matcher runs it. watch: called between chunks of lines; what it raises ends the run.

    Raises:
        InvalidInput, UnknownName, Refused: a strategy does not fit the catalog or can never fire.
    """

    def __init__(
        self,
        catalog: Catalog,
        strategies: Sequence[Strategy],
        *,
        lateness: int,
        since: Micros | None = None,
        until: Micros | None = None,
        limit: int | None = None,
        clock: Clock | None = None,
        engine: EngineFactory = PythonEngine,
        watch: Callable[[Summary], None] | None = None,
    ) -> None:
        self.summary = Summary(by_strategy={s.name: 0 for s in strategies})
        self.warnings: list[Text] = []
        self.since = since
        self.fired: set[str] = set()
        """Strategies that fired, whether or not it was let out."""
        self._until, self._limit, self._watch = until, limit, watch
        self._now = (clock or SystemClock()).now()
        self._strategies = {s.name: s for s in strategies}
        self._engine = engine(catalog, lateness)
        self._guards = ReplayGuards(catalog.timezone)
        self._events, self._groups = catalog.events, groups_of(catalog)
        self._slips: set[tuple[str, str]] = set()
        self._newest_event: Micros | None = None
        self._fact_times = array("q")
        self._known: dict[str, set[str]] = {strategy.subject: set() for strategy in strategies}
        self._occurrences = Occurrences()
        for strategy in strategies:
            self._occurrences.await_for(strategy, catalog)
            self.warnings += check_strategy(strategy, catalog)
            self._engine.deploy(strategy, 1)

    def run(self, facts: Iterable[Line], events: Iterable[Line]) -> Iterator[Item]:
        """Facts first (they take effect at their own times), then events in the order they arrive in."""
        with span("replay.run", strategies=len(self._strategies)):
            yield from self._feed(facts)
            yield from self._feed_events(events)
            yield from self._end()

    def _feed(self, lines: Iterable[Line]) -> Iterator[Item]:
        source = iter(lines)
        while chunk := list(islice(source, CHUNK)):
            yield from self._take(chunk)
            if self._watch is not None:
                self._watch(self.summary)

    def _feed_events(self, events: Iterable[Line]) -> Iterator[Item]:
        yield from self._feed(islice(events, self._limit))

    def _take(self, chunk: Sequence[Line]) -> Iterator[Item]:
        good: dict[int, GoodLine] = {}
        for line in chunk:
            if isinstance(line, GoodLine) and isinstance(line.input, Event):
                yield from self._slip(line.input, line)
            checked = self._admit(line)
            if isinstance(checked, GoodLine):
                good[id(checked.input)] = checked
            elif checked is not None:
                yield checked
        outcome = self._engine.ingest([line.input for line in good.values()])
        for aside in outcome.set_aside:
            yield self._set_aside(aside.input, aside.reason, good.pop(id(aside.input), None))
        for line in good.values():
            self._meet(line.input)
        yield from self._fired(outcome.firings)

    def _meet(self, found: Input) -> None:
        named = [found.subject, found.object] if isinstance(found, Relation) else [found.subject]
        if isinstance(found, Event):
            named = subjects_of(found, self._groups)
            self._occurrences.note(found)
        for subject in named:
            if (known := self._known.get(subject.partition("/")[0])) is not None:
                known.add(subject)

    def _admit(self, line: Line) -> GoodLine | Notice | None:
        """The line if the engine is to have it; a notice if it is bad; None if it lies after `until`."""
        if isinstance(line, BadLine):
            return self._bad(line.error)
        found = line.input
        if isinstance(found, Event):
            if self._absurd(found.time):
                return self._bad(_absurd(found.time, line))
            self.summary.events += 1
        else:
            self.summary.facts += 1
            self._fact_times.append(found.time)
        if self._until is not None and found.time > self._until:
            self.summary.after_until += 1
            return None
        if isinstance(found, Event):
            self._reach(found.time, found.time)
        return line

    def _reach(self, earliest: Micros, newest: Micros) -> None:
        """Events of these moments have come."""
        began = self.summary.began
        self.summary.began = earliest if began is None else min(began, earliest)
        self._newest_event = max(self._newest_event or newest, newest)

    def _slip(self, event: Event, line: GoodLine) -> Iterator[Notice]:
        """Undeclared fields are allowed; one that looks like a declared field misspelt is pointed out, once."""
        declared = self._events[event.type].fields
        for name in event.data.keys() - declared.keys():
            if (event.type, name) not in self._slips:
                self._slips.add((event.type, name))
                close = [known for known in declared if known not in event.data and fuzz.ratio(name, known) >= 75]
                if close:
                    place = _place(line)
                    yield Notice(
                        "warning",
                        Text(
                            f"{place.zh}{event.type} 没有字段 {name!r}，是否指 {close[0]!r}？",
                            f"{place.en}{event.type} has no field {name!r}; is {close[0]!r} meant?",
                        ),
                    )

    def _absurd(self, time: Micros) -> bool:
        """Far ahead of every event before it and of today: taken in, it would make the whole rest late."""
        newest = self._newest_event
        return newest is not None and time - newest > JUMP and time > self._now + AHEAD

    def _bad(self, error: ZhongshuError) -> Notice:
        self.summary.bad += 1
        return Notice("bad", error.text, error)

    def _set_aside(self, found: Input, reason: Literal["late", "duplicate"], line: GoodLine | None) -> Notice:
        place = _place(line) if line else Text("", "")
        what, mark = _name_of(found), self._engine.watermark
        if reason == "duplicate":
            self.summary.duplicates += 1
            text = Text(f"{place.zh}{what} 重复，不再计入", f"{place.en}{what} is a duplicate; not counted again")
        else:
            self.summary.late += 1
            behind = format_time(mark) if mark is not None else ""
            text = Text(
                f"{place.zh}{what}（{format_time(found.time)}）迟到，水位已到 {behind}，搁置",
                f"{place.en}{what} ({format_time(found.time)}) is late, the watermark is {behind}; set aside",
            )
        return Notice(reason, text)

    def _end(self) -> Iterator[Item]:
        end = self._until
        if end is None:
            end = self._newest_event
        if end is None and self._fact_times:
            end = Micros(max(self._fact_times))
        if end is not None:
            self.summary.ended = end
            yield from self._fired(self._engine.advance(end).firings)
        yield from self._left_out(end)

    def _left_out(self, end: Micros | None) -> Iterator[Notice]:
        if self.summary.after_until and self._until is not None:
            count, moment = self.summary.after_until, format_time(self._until)
            yield Notice(
                "after_until",
                Text(
                    f"{count} 条输入晚于 --until {moment}，没有计入", f"{count} inputs after --until {moment} left out"
                ),
            )
        if (early := self.summary.before_since) and self.since is not None:
            since = format_time(self.since)
            yield Notice(
                "before_since",
                Text(
                    f"{early} 次触发早于 --from {since}，没有列出", f"{early} firings before --from {since} not shown"
                ),
            )
        if self._until is None and end is not None:
            self.summary.not_reached = sum(1 for t in self._fact_times if t > end)
        if count := self.summary.not_reached:
            yield Notice(
                "not_reached",
                Text(
                    f"{count} 条事实晚于最后一个事件，时间没有走到；加 --until 可让它们生效",
                    f"{count} facts lie after the last event and did not take effect; --until moves time on",
                ),
            )

    def _fired(self, firings: Iterable[Firing]) -> Iterator[Item]:
        for firing in firings:
            if firing.strategy not in self.fired:
                self.fired.add(firing.strategy)
                self._occurrences.forget(firing.strategy)
            strategy = self._strategies[firing.strategy]
            verdict = self._guards.decide(firing, strategy)
            if self.since is not None and firing.at < self.since:
                self.summary.before_since += goes_out(verdict)
            elif goes_out(verdict):
                self.summary.firings += 1
                self.summary.by_strategy[firing.strategy] += 1
                yield Fired(firing, strategy, verdict.not_before if verdict.not_before > firing.at else None)
            else:
                self.summary.dropped += 1
                yield _dropped(firing, verdict)

    # for the report, when the run has ended

    def known(self, kind: str) -> set[str]:
        """The subjects of an object type that inputs have named."""
        return self._known.get(kind, set())

    def nearest_miss(self, name: str, chance: Random) -> Miss:
        """What stands in the way of a strategy at the end."""
        strategy = self._strategies[name]
        return nearest_miss(self._engine, strategy, self.known(strategy.subject), self._occurrences, chance)


def named_apart(strategies: Iterable[Strategy]) -> list[Strategy]:
    """The same strategies, each under a name of its own: a second one of a name is numbered."""
    found: dict[str, Strategy] = {}
    for strategy in strategies:
        name, number = strategy.name, 1
        while name in found:
            number += 1
            name = f"{strategy.name} ({number})"
        found[name] = strategy if name == strategy.name else strategy.model_copy(update={"name": name})
    return list(found.values())


def record_of(fired: Fired, catalog: Catalog, lang: Lang) -> dict[str, Any]:
    """A firing as the JSON line that `zhongshu simulate --json` prints."""
    record: dict[str, Any] = {
        "strategy": fired.strategy.name,
        "subject": fired.firing.subject,
        "at": format_time(fired.firing.at),
        "actions": [action.label for action in fired.strategy.actions],
        "why": explain(fired.firing, fired.strategy, catalog, lang),
    }
    if fired.deliver_at is not None:
        record["deliver_at"] = format_time(fired.deliver_at)
    return record


def _dropped(firing: Firing, verdict: Verdict) -> Dropped:
    why = verdict.layers[-1].said
    at = format_time(firing.at)
    assert verdict.reason is not None
    return Dropped(
        firing,
        verdict.reason,
        Text(
            f"{at} {firing.subject} {firing.strategy}：{why.zh}",
            f"{at} {firing.subject} {firing.strategy}: {why.en}",
        ),
    )


def _place(line: GoodLine) -> Text:
    return Text(f"第 {line.line} 行：", f"{line.place} {line.line}: ")


def _absurd(time: Micros, line: GoodLine) -> AbsurdClock:
    return AbsurdClock(
        Text(
            f"时间 {format_time(time)} 比此前所有事件晚十年以上",
            f"time {format_time(time)} is more than ten years ahead of every event before it",
        ),
        where={line.place: line.line, "field": "time"},
        hint=Text("请检查设备时钟", "Check the sender's clock"),
    )


def _name_of(found: Input) -> str:
    if isinstance(found, Event):
        return f"{found.type} {found.id}"
    if isinstance(found, Fact):
        return f"{found.subject} {found.property}"
    assert isinstance(found, Relation)
    return f"{found.subject} {found.relation} {found.object}"
