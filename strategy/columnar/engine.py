"""The columnar matcher as an `EngineBackend`: what comes in is told apart, waits for its instant, and goes through the
compiled loop of its shard. Strategies in and out are in deploy.py's `Deployments`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFound
from core.events import Event, Input
from core.text import Text
from core.times import DAY, EARLIEST, Micros
from knowledge.catalog import Catalog, nearest
from strategy.columnar import codes as c
from strategy.columnar.columns import Columns, Layout, columns_of
from strategy.columnar.deploy import Deployments
from strategy.columnar.facts import Facts, Mark
from strategy.columnar.observe import observation, tree
from strategy.columnar.plan import Leaf
from strategy.columnar.program import fits
from strategy.columnar.queue import Queue
from strategy.columnar.ready import Ready
from strategy.columnar.shard import Fired, Items, Shard
from strategy.columnar.side import Side, events_of
from strategy.columnar.spill import Memory
from strategy.columnar.strings import DUPLICATE, TAKEN, Seen, Strings, grown, take_in
from strategy.document import Condition, Strategy
from strategy.engine.port import BeyondColumns, Deployed, Firing, Observation, Outcome, SetAside

REMEMBER = 30 * DAY
"""For how long, in event time before the watermark, the identity of an event is remembered."""
_APART = 256
"""Fewer items than this are run in one thread: handing them to others costs more."""


class ColumnarEngine:
    """`EngineBackend` for one tenant. Not thread-safe itself; it runs `shards` threads of its own (default: two, or as
    many as there are cores).

    Args:
        lateness: in microseconds.
        memory: bytes of state beyond which it goes to files under `folder`; None: never.
    """

    def __init__(
        self, catalog: Catalog, lateness: int = 0, *, shards: int | None = None, memory: int | None = None,
        folder: Path | None = None,
    ) -> None:  # fmt: skip
        self.catalog = catalog
        self.lateness = lateness
        types = tuple(sorted(catalog.events))
        self.layout = Layout(types, tuple(tuple(sorted(catalog.events[name].fields)) for name in types))
        self.memory = Memory(memory, folder)
        count = shards if shards is not None else min(2, os.cpu_count() or 1)
        self.names = Strings()
        self.seen = Seen()
        self.queue = Queue()
        self.facts = Facts()
        self.clock = np.full(2, c.NEVER, np.int64)
        self.begin: Micros | None = None
        self.deployments = Deployments(self, self.layout)
        self.shards = [Shard(self.deployments.tables, self.memory) for _ in range(count)]
        self.ready = Ready(self.deployments.tables, self.layout, catalog)
        self.deployments.texts = self.ready.texts
        self.side = Side(self)
        self._pool = ThreadPoolExecutor(count, "engine") if count > 1 else None

    # the port

    @property
    def watermark(self) -> Micros | None:
        return None if self.clock[0] == c.NEVER else Micros(int(self.clock[0]))

    @property
    def closed(self) -> Micros | None:
        """The last instant that takes no more inputs."""
        return None if self.clock[1] == c.NEVER else Micros(int(self.clock[1]))

    def deploy(self, strategy: Strategy, version: int, history: Iterable[Input] = ()) -> Deployed:
        if strategy.name not in self.side.orders and fits(strategy, self.catalog):
            return self.deployments.deploy(strategy, version, history)
        deployed = self.side.deploy(strategy, version, self.deployments.count + 1, history)
        self.deployments.replace(strategy.name, version)
        return deployed

    def retire(self, name: str) -> None:
        self.deployments.retire(name)
        self.side.retire(name)

    def ingest(self, inputs: Sequence[Input]) -> Outcome:
        events: list[Event] = []
        aside: list[SetAside] = []
        taken: list[Input] = []
        for item in inputs:
            if isinstance(item, Event):
                events.append(item)
                continue
            # A fact's place is the first open instant when it comes, so the events before it come first.
            self._events(events, taken, aside)
            events = []
            closed = self.closed
            self.facts.put(item, item.time if closed is None or item.time > closed else Micros(closed + 1))
            taken.append(item)
        self._events(events, taken, aside)
        firings = self.release(self.closed) if self.closed is not None else []
        if self.side.python is not None:
            firings = self._merged(firings, self.side.ingest(taken))
        return Outcome(tuple(firings), tuple(aside))

    def _events(self, events: list[Event], taken: list[Input], aside: list[SetAside]) -> None:
        if not events:
            return
        for event, verdict in zip(events, self.take(columns_of(events, self.layout)), strict=True):
            if verdict == TAKEN:
                taken.append(event)
            else:
                aside.append(SetAside(event, _reason(verdict)))

    def ingest_columns(self, rows: Columns) -> tuple[tuple[Firing, ...], NDArray[np.uint8]]:
        """A batch of events as arrays → firings, and for every row whether it was taken, late or a duplicate."""
        verdict = self.take(rows)
        firings = self.release(self.closed) if self.closed is not None else []
        if self.side.python is not None:
            mine = events_of(rows, np.flatnonzero(verdict == TAKEN), self)
            firings = self._merged(firings, self.side.ingest(mine))
        return tuple(firings), verdict

    def _merged(self, mine: list[Firing], its: list[Firing]) -> list[Firing]:
        """The firings of both matchers in one order: by (at, deployment, subject)."""
        if not its:
            return mine
        orders = {
            (entry.strategy.name, entry.version): entry.order for entry in self.deployments.tables.entries.values()
        }

        def place(firing: Firing) -> tuple[int, int, str]:
            order = orders.get((firing.strategy, firing.version)) or self.side.orders.get(firing.strategy, 0)
            return (firing.at, order, firing.subject)

        return sorted([*mine, *its], key=place)

    def advance(self, to: Micros) -> Outcome:
        if self.closed is None or to > self.closed:
            self.clock[1] = to
            self.clock[0] = max(int(self.clock[0]), to)
        closed = self.closed
        assert closed is not None
        return Outcome(tuple(self._merged(self.release(closed), self.side.advance(closed))))

    def next_due(self) -> Micros | None:
        found = [self.queue.first(), self.facts.next_instant()]
        found += [int(shard.heap[0, 0]) for shard in self.shards if shard.meta[c.HEAP_N]]
        found += [self.side.python.next_due()] if self.side.python is not None else []
        return min((Micros(due) for due in found if due is not None), default=None)

    # taking in

    def take(self, rows: Columns) -> NDArray[np.uint8]:
        """Tell new events from late ones and duplicates, and let the new ones wait for their instant."""
        n = rows.rows
        verdict, subject = np.zeros(n, np.uint8), np.zeros(n, np.int64)
        horizon = None if self.clock[0] == c.NEVER else int(self.clock[0]) - REMEMBER
        self.seen.room(n, horizon)
        self.names.room(n, int(rows.subject_len.sum()))
        names, seen = self.names, self.seen
        take_in(
            rows.text, rows.time, rows.id_at, rows.id_len, rows.source_at, rows.source_len, rows.subject_at,
            rows.subject_len, seen.marks, seen.times, seen.count, names.slots, names.spans, names.hashes, names.blob,
            names.head, self.clock, self.lateness, REMEMBER, verdict, subject,
        )  # fmt: skip
        self.meet_all()
        self.queue.put(rows, subject, verdict == TAKEN)
        return verdict

    def subject(self, name: str) -> int:
        """The code of a subject; a new one when it is new."""
        code = self.names.code(name)
        self.meet_all()
        return code

    def meet_all(self) -> None:
        """Give subjects that were heard of for the first time their places in the shards."""
        n, count = len(self.names), len(self.shards)
        known = sum(shard.subjects for shard in self.shards)
        if n == known:
            return
        kinds = np.array([self.deployments.kind_of(self.names.raw(code)) for code in range(known, n)], np.int32)
        tables = self.deployments.tables
        tables.kind_of_code = grown(tables.kind_of_code, n)
        tables.kind_of_code[known:n] = kinds
        places = np.arange(known, n) % count
        for k, shard in enumerate(self.shards):
            shard.add_subjects(kinds[places == k])

    # releasing

    def release(self, closed: int) -> list[Firing]:
        """Everything up to an instant, through the loop; what fired, by (at, deployment, subject)."""
        self.deployments.settle()
        taken = self.queue.take(closed)
        marks = self.facts.advance(Micros(closed))
        if taken is not None:
            rows, subject, order = taken
            if self.begin is None or self.deployments.unbegun:
                marks += self._begins(Micros(int(rows.time[order[0]])), marks)
            ready, times, who = self.ready.prepare(rows, subject, order, self.names, self.meet_all)
        else:
            ready, times, who = self.ready.nothing()
        if marks and not self.deployments.restless_kinds:
            marks = [mark for mark in marks if mark[2] != -2]
        work = self._share(times, who, marks)
        if len(times) + len(marks) < _APART or self._pool is None:
            found = [self._run(shard, items, ready, closed) for shard, items in zip(self.shards, work, strict=True)]
        else:
            jobs = [
                self._pool.submit(self._run, shard, items, ready, closed)
                for shard, items in zip(self.shards, work, strict=True)
            ]
            found = [job.result() for job in jobs]
        keyed = [each for k, fired in enumerate(found) for one in fired for each in self._firings(k, one)]
        keyed.sort(key=lambda pair: pair[0])
        self.facts.world.forget()
        self.deployments.sweep()
        return [firing for _, firing in keyed]

    def _run(self, shard: Shard, items: Items, ready: Any, closed: int) -> list[Fired]:
        fired, leaf = shard.run(items, ready, closed)
        if leaf is not None:
            raise BeyondColumns(self.deployments.askers(leaf))
        return fired

    def _begins(self, at: Micros, marks: list[Mark]) -> list[Mark]:
        """The stream's first event: windows have a moment from which they are full, for all that is known by then."""
        self.begin = at if self.begin is None else Micros(min(self.begin, at))
        kinds = self.deployments.begin(at)
        if not kinds:
            return []
        known = [
            self.names.text(code)
            for code in range(len(self.names))
            if self.shards[code % len(self.shards)].subj[code // len(self.shards), c.KNOWN] != c.NEVER
        ]
        known += [subject for moment, subject, _, _ in marks if moment < at]
        return [(at, subject, -2, 0) for subject in dict.fromkeys(known)]

    def _share(self, times: NDArray[Any], who: NDArray[Any], marks: list[Mark]) -> list[Items]:
        """The items of each shard, in order; `who`: subjects of the rows, which are in order already."""
        count = len(self.shards)
        mark_time = np.array([mark[0] for mark in marks], np.int64)
        mark_who = np.array([self.subject(mark[1]) for mark in marks], np.int64)
        mark_what = np.array([mark[2:] for mark in marks], np.int64).reshape(-1, 2)
        work = []
        for k in range(count):
            mine = np.flatnonzero(who % count == k) if count > 1 else np.arange(len(who))
            time, subject, what = times[mine], who[mine] // count, mine.astype(np.int64)
            if len(marks):
                its = np.flatnonzero(mark_who % count == k)
                time = np.concatenate([mark_time[its], time])
                subject = np.concatenate([mark_who[its] // count, subject])
                what = np.concatenate([-1 - its, what])
                order = np.lexsort((subject, time))
                time, subject, what = time[order], subject[order], what[order]
            work.append(Items(time, subject, what, mark_what))
        return work

    def _firings(self, shard: int, fired: Fired) -> Iterable[tuple[tuple[Any, ...], Firing]]:
        entries, count = self.deployments.tables.entries, len(self.shards)
        evidence, records = fired.ids, fired.records.tolist()
        for number, place, at, first in fired.fires.tolist():
            entry = entries[number]
            subject = self.names.text(place * count + shard)
            leaves = [
                self._observed(path, leaf, records[first + i], evidence, subject, Micros(at))
                for i, (path, leaf) in enumerate((*entry.trigger, *entry.audience))
            ]
            trigger, audience = _trees(entry.strategy, leaves, len(entry.trigger))
            firing = Firing(entry.strategy.name, entry.version, subject, Micros(at), str(at), trigger, audience)
            yield (at, entry.order, subject), firing

    def _observed(
        self, path: str, leaf: Leaf, record: Sequence[int], ids: Sequence[str], subject: str, at: Micros
    ) -> Observation:
        if leaf.fact is not None:
            return self.deployments.fact_observation(path, leaf, subject, at)
        first = record[c.O_EV]
        return observation(leaf, path, record, tuple(ids[first : first + record[c.O_EVN]]), at, self.ready.value)

    # looking

    def look(self, name: str, subject: str) -> tuple[Observation, Observation | None]:
        if self.side.python is not None and name in self.side.orders:
            return self.side.python.look(name, subject)
        entry = self.deployments.current.get(name)
        if entry is None:
            raise NotFound(
                Text(f"没有运行中的策略 {name!r}", f"no strategy {name!r} is running"),
                nearest=nearest(name, self.deployments.current),
            )
        self.deployments.settle()
        at = self.closed if self.closed is not None else EARLIEST
        code = self.subject(subject)
        shard, place = self.shards[code % len(self.shards)], code // len(self.shards)
        leaves = []
        for path, leaf in (*entry.trigger, *entry.audience):
            record, ids = shard.look(leaf.number, place, at)
            row = record.tolist()
            row[c.O_EV] = 0
            leaves.append(self._observed(path, leaf, row, ids, subject, at))
        return _trees(entry.strategy, leaves, len(entry.trigger))

    def snapshot(self) -> bytes:
        from strategy.columnar.snapshot import dump

        return dump(self)

    def restore(self, snapshot: bytes) -> None:
        from strategy.columnar.snapshot import load

        load(self, snapshot)


def _reason(verdict: int) -> Literal["late", "duplicate"]:
    return "duplicate" if verdict == DUPLICATE else "late"


def _trees(strategy: Strategy, leaves: list[Observation], mine: int) -> tuple[Observation, Observation | None]:
    audience: Condition | None = strategy.audience
    return (
        tree(strategy.trigger, "trigger", iter(leaves[:mine])),
        None if audience is None else tree(audience, "audience", iter(leaves[mine:])),
    )
