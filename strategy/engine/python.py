"""The exact matcher in pure Python: watermark, late and duplicate inputs, deployment, snapshots around the step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from core.errors import InvalidInput, NotFound
from core.events import Event, Input, Relation
from core.text import Text
from core.times import DAY, EARLIEST, Micros
from knowledge.catalog import Catalog, nearest
from strategy.document import Strategy
from strategy.engine import snapshot as snapshots
from strategy.engine.check import check_strategy
from strategy.engine.compile import compile_strategy
from strategy.engine.groups import subjects_of
from strategy.engine.history import in_order
from strategy.engine.memory import Memory
from strategy.engine.nodes import shown
from strategy.engine.port import Deployed, Observation, Outcome, SetAside
from strategy.engine.state import Partition, Running
from strategy.engine.step import advance, drain, looker
from strategy.engine.takers import Takers

FORMAT = 2
REMEMBER = 30 * DAY
"""For how long, in event time before the watermark, the identity of an event is remembered."""


class PythonEngine:
    """`EngineBackend` for one tenant. Not thread-safe. `lateness` in microseconds."""

    def __init__(self, catalog: Catalog, lateness: int = 0) -> None:
        self._catalog = catalog
        self._lateness = lateness
        self._part = Partition(catalog)
        self._mark: Micros | None = None
        self._closed: Micros | None = None
        """The last instant that takes no more inputs."""
        self._seen: dict[tuple[str, str], Micros] = {}
        self._prune_at = 100_000

    @property
    def watermark(self) -> Micros | None:
        """Largest event time seen minus lateness, or what `advance` went to. Earlier events are late; so are events at
        an instant that `advance` went to."""
        return self._mark

    def deploy(
        self, strategy: Strategy, version: int, history: Iterable[Input] = (), *, checked: bool = False
    ) -> Deployed:
        if not checked:
            check_strategy(strategy, self._catalog)
        part = self._part
        program = compile_strategy(strategy, self._catalog)
        old = part.running.get(part.names.get(strategy.name, -1))
        past = self._past(history)
        self._learn(past)
        part.deployments += 1
        running = Running(strategy, version, part.deployments, program, self._begin(past))
        if old is not None and (old.version == version or self._closed is None):
            part.remove(old)
            old = None
        made = part.remember(running)
        self._warm(made, past)
        if old is not None and self._closed is not None:
            for memory in running.sequences:
                memory.cells.clear()
            drain(part, old, self._closed)
        part.add(running, made, self._closed)
        return Deployed(strategy, version, program.history)

    def _past(self, history: Iterable[Input]) -> list[Input]:
        """History in order, each event once, without what is still queued. It brings a fresh engine to its end."""
        past = in_order(history)
        if self._closed is None:
            if past:
                self._closed = self._mark = past[-1].time
            return past
        return [item for item in past if item.time <= self._closed]

    def _learn(self, past: Sequence[Input]) -> None:
        """Take from history what is not any strategy's: subjects, facts, relations, identities, the first event."""
        part, world, closed = self._part, self._part.world, self._closed
        for item in past:
            world.meet(item.subject)
            if isinstance(item, Event):
                for subject in subjects_of(item, part.groups):
                    world.meet(subject)
                self._seen[(item.source, item.id)] = item.time
                continue
            if isinstance(item, Relation):
                world.meet(item.object)
            readers = list(part.readers(item))
            news = world.relate(item) if isinstance(item, Relation) else world.learn(item)
            if news and closed is not None:
                for memory, subject in readers:
                    part.arm(memory, subject, closed)
        first = next((item.time for item in past if isinstance(item, Event)), None)
        if first is not None:
            part.begin = first if part.begin is None else min(part.begin, first)

    def _warm(self, made: Sequence[Memory], past: Sequence[Input]) -> None:
        """Feed new memories what was. Nothing fires, and nobody else notices."""
        takers: dict[tuple[str, str], Takers] = {}
        for memory in made:
            for event in memory.lead.events:
                key = (event, memory.kind)
                if key not in takers:
                    takers[key] = Takers(event, self._catalog)
                takers[key].add(memory)
        known, groups = self._part.world.known, self._part.groups
        for item in past if takers else ():
            if isinstance(item, Event):
                for subject in subjects_of(item, groups):
                    mine = takers.get((item.type, known[subject]))
                    for memory, roles in mine.of(item, subject) if mine is not None else ():
                        fed = memory.lead.feed(memory.cells.get(subject), item, roles)
                        if fed is not None:
                            memory.cells[subject] = fed

    def _begin(self, past: Sequence[Input]) -> Micros | None:
        """Since when the history a new strategy has seen is complete."""
        declared, begin, closed = self._catalog.history_from, self._part.begin, self._closed
        if begin is not None and closed is not None and not any(isinstance(item, Event) for item in past):
            return Micros(max(closed + 1, declared if declared is not None else 0))
        return declared if declared is not None else begin

    def adopt(self, world: dict[str, Any], begin: Micros | None, mark: Micros | None, closed: Micros | None) -> None:
        """Begin, fresh, where another matcher stands: what it knows apart from events, and its clock."""
        self._part.world.load(world)
        self._part.begin, self._mark, self._closed = begin, mark, closed

    def retire(self, name: str) -> None:
        part = self._part
        for running in [r for r in part.running.values() if r.strategy.name == name]:
            part.remove(running)
        part.fired.pop(name, None)

    def ingest(self, inputs: Sequence[Input]) -> Outcome:
        aside: list[SetAside] = []
        for item in inputs:
            if isinstance(item, Event):
                if (reason := self._refuse(item)) is not None:
                    aside.append(SetAside(item, reason))
                    continue
                self._part.put(item, item.time)
                self._see(item.time)
            else:
                closed = self._closed
                self._part.put(item, item.time if closed is None or item.time > closed else Micros(closed + 1))
        firings = [] if self._closed is None else advance(self._part, self._closed)
        return Outcome(tuple(firings), tuple(aside))

    def _refuse(self, event: Event) -> Literal["late", "duplicate"] | None:
        key = (event.source, event.id)
        before = self._seen.get(key)
        if before is not None and (self._mark is None or before > self._mark - REMEMBER):
            return "duplicate"
        if self._closed is not None and event.time <= self._closed:
            return "late"
        self._seen[key] = event.time
        if len(self._seen) > self._prune_at:
            self._prune()
        return None

    def _prune(self) -> None:
        if self._mark is not None:
            horizon = self._mark - REMEMBER
            self._seen = {key: time for key, time in self._seen.items() if time > horizon}
        self._prune_at = 2 * max(len(self._seen), 50_000)

    def _see(self, time: Micros) -> None:
        mark = Micros(time - self._lateness)
        if self._mark is None or mark > self._mark:
            self._mark = mark
            self._closed = Micros(max(mark - 1, self._closed if self._closed is not None else mark - 1))

    def advance(self, to: Micros) -> Outcome:
        if self._closed is None or to > self._closed:
            self._closed = to
            self._mark = to if self._mark is None else max(self._mark, to)
        return Outcome(tuple(advance(self._part, self._closed)))

    def next_due(self) -> Micros | None:
        return self._part.next_instant()

    def look(self, name: str, subject: str) -> tuple[Observation, Observation | None]:
        part = self._part
        if name not in part.names:
            raise NotFound(
                Text(f"没有运行中的策略 {name!r}", f"no strategy {name!r} is running"),
                nearest=nearest(name, part.names),
            )
        running = part.running[part.names[name]]
        trigger, audience = running.program.trigger, running.program.audience
        look = looker(part, running, subject, self._closed if self._closed is not None else EARLIEST, after=True)
        return shown(trigger, look), shown(audience, look) if audience is not None else None

    def snapshot(self) -> bytes:
        body = {
            "format": FORMAT,
            "mark": self._mark,
            "closed": self._closed,
            "seen": [[*key, time] for key, time in self._seen.items()],
            **snapshots.dump(self._part, self._closed),
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def restore(self, snapshot: bytes) -> None:
        try:
            body = json.loads(snapshot)
            found = body["format"]
        except (ValueError, KeyError, TypeError) as cause:
            raise InvalidInput(Text("不是引擎快照", "this is not a snapshot of the engine")) from cause
        if found != FORMAT:
            raise InvalidInput(
                Text(f"快照格式 {found} 不是 {FORMAT}", f"the snapshot has format {found}, not {FORMAT}"),
                hint=Text("从日志重建", "Rebuild it from the journal"),
            )
        self._mark, self._closed = body["mark"], body["closed"]
        self._seen = {(source, id_): Micros(time) for source, id_, time in body["seen"]}
        self._part = snapshots.load(body, self._catalog)
