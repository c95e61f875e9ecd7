"""Strategies in and out of the columnar matcher: conditions shared, state warmed from history, sequences in flight left
to finish on the version they began with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.events import Event, Fact, Input, Relation
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.columnar import codes as c
from strategy.columnar.columns import Layout, columns_of
from strategy.columnar.plan import Entry, Leaf, Tables
from strategy.columnar.program import Writer, restless, wakes
from strategy.columnar.shard import Items
from strategy.columnar.strings import Strings, remember
from strategy.document import Condition, Happens, Strategy
from strategy.document import Sequence as SequenceIs
from strategy.engine.check import check_strategy
from strategy.engine.compile import compile_strategy
from strategy.engine.facts import FactLeaf
from strategy.engine.history import in_order
from strategy.engine.nodes import Leaf as Judge
from strategy.engine.nodes import Now
from strategy.engine.paths import PathLeaf
from strategy.engine.port import Deployed, Observation
from strategy.engine.wakes import parts
from strategy.engine.world import World

if TYPE_CHECKING:
    from strategy.columnar.engine import ColumnarEngine


class Deployments:
    """The strategies that run, and the tables they are in. `current`: name → its newest version."""

    def __init__(self, engine: ColumnarEngine, layout: Layout) -> None:
        self._engine = engine
        self._catalog: Catalog = engine.catalog
        self.kinds = {name: place for place, name in enumerate(sorted(engine.catalog.objects))}
        self.tables = Tables(engine.catalog, layout.types, layout.fields, self.kinds)
        self.texts = Strings()
        self.current: dict[str, Entry] = {}
        self.unbegun: dict[int, Leaf] = {}
        """Conditions whose history has not begun, by number."""
        self.draining: list[Entry] = []
        """Older versions that finish what is in flight."""
        self.restless_kinds: set[int] = set()
        self.count = 0
        self._unsettled = False

    def kind_of(self, subject: bytes) -> int:
        """The number of a subject's kind; -1 when the catalog has no such object."""
        return self.kinds.get(subject.partition(b"/")[0].decode("utf-8", "surrogatepass"), -1)

    # in and out

    def deploy(self, strategy: Strategy, version: int, history: Iterable[Input]) -> Deployed:
        check_strategy(strategy, self._catalog)
        engine = self._engine
        past = self._past(history)
        begin = self._begin(past)
        self.count += 1
        old = self.current.get(strategy.name)
        fresh: list[Leaf] = []
        entry = Entry(-1, strategy, version, begin, order=self.count)
        needs = self._write(entry, fresh)
        awake = [leaf.number for _, leaf in entry.trigger if self.tables.conditions.rows[leaf.number, c.WAKE]]
        self.tables.new_strategy(entry)
        first = min((leaf.number for leaf in fresh), default=self.tables.conditions.count)
        self._unsettled = True
        if past or engine.closed is not None:  # else nothing looks at it before the next release does
            self.settle()
        self._warm(past, first, [leaf for leaf in fresh if not self._begins_now(old, version, leaf)])
        if old is not None:
            self._replace(old, version)
        self.current[strategy.name] = entry
        kind = self.kinds[strategy.subject]
        if begin is None:
            self.unbegun |= {leaf.number: leaf for leaf in fresh if leaf.fact is None}
        if engine.closed is not None:
            self._judge_facts([leaf for leaf in fresh if leaf.fact is not None], kind, engine.closed)
            if awake:
                for shard in engine.shards:
                    shard.arm(awake, kind, engine.closed)
        self._unsettled = True
        return Deployed(strategy, version, needs)

    def _write(self, entry: Entry, fresh: list[Leaf]) -> int | None:
        """Find or make the conditions of a strategy; how much history they need (None: all)."""
        strategy = entry.strategy
        program = compile_strategy(strategy, self._catalog)
        facts = [leaf if isinstance(leaf, FactLeaf | PathLeaf) else None for leaf in program.leaves]
        trigger = list(parts(strategy.trigger))
        audience = list(parts(strategy.audience, "audience")) if strategy.audience is not None else []
        for i, part in enumerate((*trigger, *audience)):
            places = entry.trigger if i < len(trigger) else entry.audience
            places.append((part.path, self._leaf(entry, part.leaf, facts[i], entry.begin, fresh)))
        unknown = {
            i: int(self.tables.conditions.rows[leaf.number, c.DEFAULT])
            for i, (_, leaf) in enumerate(entry.trigger)
            if leaf.fact is not None
        }
        entry.restless = restless(strategy.trigger, unknown)
        self._wake(entry)
        return program.history

    def _leaf(
        self, entry: Entry, condition: Condition, fact: Judge | None, begin: int | None, fresh: list[Leaf]
    ) -> Leaf:
        """The shared condition, or a new one. What has state is shared by those whose history begins together;
        sequences are their version's own, for they must finish on it."""
        strategy = entry.strategy
        key: tuple[Any, ...] = (strategy.subject, condition.model_dump_json())
        if isinstance(condition, SequenceIs):
            key = (*key, strategy.name, entry.order)
        elif fact is None and not isinstance(condition, Happens):
            key = (*key, "since", begin)
        found = self.tables.leaves.get(key)
        if found is None:
            found = self.tables.new_leaf(key, condition)
            kind = self.kinds[strategy.subject]
            Writer(self.tables, self.texts, self._catalog).write(
                found, kind, fact, self._of_nothing(fact, strategy.subject)
            )
            self.tables.conditions.rows[found.number, c.BEGIN] = c.ALWAYS_LATER if begin is None else begin
            if fact is not None:
                self._engine.facts.add(found, strategy.subject)
            fresh.append(found)
        return found

    def _of_nothing(self, fact: Judge | None, kind: str) -> int:
        if fact is None:
            return c.UNKNOWN
        now = Now(World())
        now.subject = f"{kind}/"
        return fact.truth([], now)

    def _wake(self, entry: Entry) -> None:
        """Mark the conditions that time alone may make a difference to."""
        for place, mode in wakes(entry.strategy.trigger).items():
            leaf = entry.trigger[place][1]
            row = self.tables.conditions.rows[leaf.number]
            if leaf.fact is None and row[c.WAKE] != c.RISING:
                row[c.WAKE] = mode
                self.tables.touched.append(leaf.number)

    def _past(self, history: Iterable[Input]) -> list[Input]:
        """History in order, each event once, without what is still queued. It brings a fresh engine to its end."""
        past = in_order(history)
        closed = self._engine.closed
        if closed is None:
            if past:
                self._engine.clock[:] = past[-1].time
            return past
        return [item for item in past if item.time <= closed]

    def _begin(self, past: Sequence[Input]) -> Micros | None:
        """Since when the history a new strategy has seen is complete."""
        engine = self._engine
        first = next((item.time for item in past if isinstance(item, Event)), None)
        if first is not None:
            engine.begin = first if engine.begin is None else min(engine.begin, first)
        declared, closed = self._catalog.history_from, engine.closed
        if engine.begin is not None and closed is not None and first is None:
            return Micros(max(closed + 1, declared if declared is not None else 0))
        return declared if declared is not None else engine.begin

    def _warm(self, past: Sequence[Input], first: int, fresh: list[Leaf]) -> None:
        """Feed new conditions what was. Nothing fires, nobody else notices."""
        engine = self._engine
        if not past:
            return
        events = [item for item in past if isinstance(item, Event)]
        named = []
        for item in past:
            named.append(item.subject)
            if isinstance(item, Relation):
                named.append(item.object)
            if isinstance(item, Fact | Relation):
                engine.facts.world.take(item, item.time)
        engine.facts.world.forget()
        skipped = {leaf.number for leaf in self.tables.by_number.values() if leaf.number >= first} - {
            f.number for f in fresh
        }
        rows = columns_of(events, engine.layout)
        engine.names.room(len(events), int(rows.subject_len.sum()))
        subject = np.array([engine.names.code(event.subject) for event in events], np.int64)
        for name in named:
            engine.names.code(name)
        engine.meet_all()
        engine.seen.room(len(events), None)
        if events:
            remember(
                rows.text, rows.time, rows.id_at, rows.id_len, rows.source_at, rows.source_len, engine.seen.marks,
                engine.seen.times, engine.seen.count,
            )  # fmt: skip
            ready, times, who = engine.ready.prepare(
                rows, subject, np.arange(len(events)), engine.names, engine.meet_all
            )
            count = len(engine.shards)
            for k, shard in enumerate(engine.shards):
                mine = np.flatnonzero(who % count == k)
                items = Items(times[mine], who[mine] // count, mine, np.zeros((0, 2), np.int64))
                for number in skipped:
                    shard.conditions[number, c.CLOSED] = 1
                shard.run(items, ready, int(past[-1].time), silent=True, only=first)
                for number in skipped:
                    shard.conditions[number, c.CLOSED] = 0
        for name in named:
            code = engine.names.code(name)
            row = engine.shards[code % len(engine.shards)].subj[code // len(engine.shards)]
            if row[c.KNOWN] == c.NEVER:
                row[c.KNOWN] = past[0].time

    def _begins_now(self, old: Entry | None, version: int, leaf: Leaf) -> bool:
        """Sequences of a new version begin after the edit."""
        return (
            isinstance(leaf.condition, SequenceIs)
            and old is not None
            and old.version != version
            and (self._engine.closed is not None)
        )

    def replace(self, name: str, version: int) -> None:
        """The other matcher has taken a strategy over: only what is in flight stays."""
        self.count += 1
        old = self.current.pop(name, None)
        if old is not None:
            self._replace(old, version)

    def askers(self, number: int) -> list[str]:
        """The strategies that name a condition."""
        return sorted(
            {
                entry.strategy.name
                for entry in self.tables.entries.values()
                for _, leaf in (*entry.trigger, *entry.audience)
                if leaf.number == number
            }
        )

    def _replace(self, old: Entry, version: int) -> None:
        """Sequences in flight finish on the version they began with, which lives on for them alone."""
        engine = self._engine
        if old.version == version or engine.closed is None or not self._in_flight(old):
            self._drop(old)
        else:
            self._drain(old)

    def _drain(self, old: Entry) -> None:
        """Let a version finish what is in flight, and begin nothing new."""
        sequences = [leaf for _, leaf in old.trigger if isinstance(leaf.condition, SequenceIs)]
        for leaf in sequences:
            self.tables.conditions.rows[leaf.number, c.CLOSED] = 1
            self.tables.touched.append(leaf.number)
        old.draining = True
        self.draining.append(old)
        self.tables.strategies.rows[old.number, c.DRAINING] = 1

    def _in_flight(self, entry: Entry) -> bool:
        sequences = [leaf.number for _, leaf in entry.trigger if isinstance(leaf.condition, SequenceIs)]
        return any(shard.conditions[number, c.WAITING] > 0 for number in sequences for shard in self._engine.shards)

    def _drop(self, entry: Entry) -> None:
        if entry.draining:
            self.draining.remove(entry)
        for leaf in self.tables.drop_strategy(entry):
            if leaf.fact is not None:
                self._engine.facts.remove(leaf)
            self.unbegun.pop(leaf.number, None)
        self._unsettled = True

    def retire(self, name: str) -> None:
        for entry in [each for each in self.tables.entries.values() if each.strategy.name == name]:
            self._drop(entry)
        self.current.pop(name, None)
        self.tables.names.pop(name, None)

    def sweep(self) -> None:
        """Drop older versions whose last sequence in flight is over."""
        for entry in [each for each in self.draining if not self._in_flight(each)]:
            self._drop(entry)

    def name_places(self) -> dict[int, int]:
        """Number of a name → its place among those in use."""
        return {number: place for place, number in enumerate(sorted(self.tables.names.values()))}

    def rebuild(self, kept: dict[str, Any]) -> list[int]:
        """The strategies of a snapshot into a fresh engine, without their state; place of a condition → its number."""
        self.count = kept["count"]
        names = sorted({each["strategy"]["name"] for each in kept["entries"]}, key=kept["names"].index)
        for name in names:
            self.tables.name(name)
        waiting: list[Leaf] = []
        for each in kept["entries"]:
            strategy = Strategy.model_validate(each["strategy"])
            entry = Entry(-1, strategy, each["version"], each["begin"], order=each["order"])
            self._write(entry, waiting)
            self.tables.new_strategy(entry)
            if each["current"]:
                self.current[strategy.name] = entry
            if each["draining"]:
                self._drain(entry)
            if entry.begin is None:
                self.unbegun |= {
                    leaf.number: leaf for _, leaf in (*entry.trigger, *entry.audience) if leaf.fact is None
                }
        self._unsettled = True
        self.settle()
        return [self.tables.leaves[_key(key)].number for key in kept["leaves"]]

    # between releases

    def settle(self) -> None:
        """Bring everything that compiled code reads up to date with what was deployed and retired."""
        if not self._unsettled:
            return
        self._unsettled = False
        tables = self.tables
        tables.list_restless()
        self.restless_kinds = {kind for kind in range(len(self.kinds)) if tables.restless_of[kind, 1] > 0}
        touched = sorted(set(tables.touched))
        tables.touched.clear()
        for shard in self._engine.shards:
            shard.sync(touched)
        tables.lay()

    def begin(self, at: Micros) -> set[int]:
        """History begins: windows that wait for it are full from then on. The kinds of subjects that concerns."""
        for leaf in self.unbegun.values():
            self.tables.conditions.rows[leaf.number, c.BEGIN] = at
            self.tables.touched.append(leaf.number)
            if leaf.key[-2:] == ("since", None):
                del self.tables.leaves[leaf.key]
                leaf.key = (*leaf.key[:-1], at)
                self.tables.leaves[leaf.key] = leaf
        self.unbegun.clear()
        for entry in self.tables.entries.values():
            if entry.begin is None:
                entry.begin = at
        self._unsettled = True
        self.settle()
        return self.restless_kinds

    # facts

    def _judge_facts(self, leaves: list[Leaf], kind: int, at: Micros) -> None:
        """The truth of new conditions on facts for everyone who is known."""
        engine, count = self._engine, len(self._engine.shards)
        for leaf in leaves:
            unknown = int(self.tables.conditions.rows[leaf.number, c.DEFAULT])
            for code in np.flatnonzero(self.tables.kind_of_code[: len(engine.names)] == kind).tolist():
                shard = engine.shards[code % count]
                if shard.subj[code // count, c.KNOWN] == c.NEVER:
                    continue
                worth = engine.facts.truth(leaf.number, engine.names.text(code), at)
                if worth != unknown:
                    shard.set_fact(leaf.number, code // count, worth)

    def fact_observation(self, path: str, leaf: Leaf, subject: str, at: Micros) -> Observation:
        """A condition on facts as it stood at an instant of the batch at hand (or stands now)."""
        assert leaf.fact is not None
        facts = self._engine.facts
        facts.now.at, facts.now.subject = at, subject
        facts.world.as_of = at
        seen = leaf.fact.observe([], facts.now)
        facts.world.as_of = None
        return _moved(seen, leaf.fact.path, path)


def _key(kept: list[Any]) -> tuple[Any, ...]:
    return tuple(kept)


def _moved(seen: Observation, old: str, new: str) -> Observation:
    """An observation under another path: the condition is shared, its place in the tree is not."""
    if old == new:
        return seen
    children = tuple(_moved(child, old, new) for child in seen.children)
    return replace(seen, path=new + seen.path[len(old) :], children=children)
