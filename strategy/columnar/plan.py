"""Strategies as tables for the compiled loop: conditions (shared by all strategies that ask the same), filters, trees.
Adding and removing touches the rows concerned and nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.catalog.model import Catalog
from strategy.columnar import codes as c
from strategy.columnar.filters import FilterIndex, key_of
from strategy.columnar.layout import Pool, Region, Table
from strategy.document import All, Any_, Condition, EventFilter, Not, Strategy
from strategy.engine.nodes import Leaf as Judge
from strategy.engine.values import is_date


@dataclass(slots=True, eq=False)
class Filtered:
    """One event filter in use: where it stands, and how many hooks (condition, role) hang on it."""

    channel: int
    position: int
    key: tuple[Any, ...]
    hooks: int = 0


@dataclass(slots=True, eq=False)
class Leaf:
    """A condition in the tables. `number`: its row; `fact`: set for those on facts; `uses`: how many trees name it."""

    number: int
    key: tuple[Any, ...]
    condition: Condition
    fact: Judge | None = None
    uses: int = 0
    filters: list[tuple[Filtered, int]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Entry:
    """A strategy version in the tables. `trigger`, `audience`: (path, leaf) in the order of their codes."""

    number: int
    strategy: Strategy
    version: int
    begin: int | None
    order: int = 0
    trigger: list[tuple[str, Leaf]] = field(default_factory=list)
    audience: list[tuple[str, Leaf]] = field(default_factory=list)
    restless: bool = False
    draining: bool = False


@dataclass(slots=True, eq=False)
class Channel:
    """The events of one type that concern one kind of subject."""

    number: int
    type: int
    kind: int
    index: FilterIndex
    slot: int = 0
    positions: int = 0
    room: int = 0
    fields_at: int = 0
    live_at: int = -1
    words: int = 0
    hooks: int = 0
    """How often its filters lead to a condition: what one event may meet at most."""
    regions: dict[int, Region] = field(default_factory=dict)
    """Place of a field → where it is laid out."""


class Tables:
    """Everything `loop.run` reads and does not change for itself, but for the moving columns of `conditions`."""

    def __init__(
        self, catalog: Catalog, types: Sequence[str], fields: Sequence[Sequence[str]], kinds: dict[str, int]
    ) -> None:
        self.catalog = catalog
        self.types = {name: place for place, name in enumerate(types)}
        self.names_of_types = list(types)
        self.fields = fields
        self.kinds = kinds
        self.conditions = Table(c.WIDTH)
        self.whole = Table(0)
        self.floats = Table(0, np.float64)
        self.gaps = Table(5)
        self.absents = Table(2)
        self.strategies = Table(c.STRATEGY_WIDTH)
        self.tree = Table(0)
        self.uses = Table(2)
        self.hooks = Table(3)
        self.tests = Table(4)
        self.spans = Table(2, np.float64)
        self.channels: list[Channel] = []
        self.by_place: dict[tuple[int, int], Channel] = {}
        self.leaves: dict[tuple[Any, ...], Leaf] = {}
        self.by_number: dict[int, Leaf] = {}
        self.filters: dict[tuple[Any, ...], Filtered] = {}
        self.bits = Pool(np.uint64, 0)
        self.heads = Pool(np.int64, -1)
        self.checks = Pool(np.int64, -1)
        self.bounds = Pool(np.float64, 0)
        self.wanted = np.zeros((len(types), max(1, max(map(len, fields), default=1))), np.int8)
        """Type and column → whether anything asks for that value."""
        self.channel_table = np.zeros((0, 7), np.int64)
        self.field_table = np.zeros((0, 7), np.int64)
        self.width = 1
        self.slots = 1
        """The most channels that one type of event has."""
        self.channel_places = np.full((len(types), len(kinds) + 1), -1, np.int64)
        """Type and kind of subject → channel; kind -1 (none of the catalog's) is the last column."""
        self.kind_of_code = np.zeros(64, np.int32)
        self.periods = False
        self.entries: dict[int, Entry] = {}
        self.names: dict[str, int] = {}
        """Strategy → the number under which its last firings are kept; a retired one that comes back has a new one."""
        self._named = 0
        self.restless_of = np.zeros((len(kinds), 2), np.int64)
        self.restless = np.zeros(0, np.int64)
        self.wakers_of = np.zeros((len(kinds), 2), np.int64)
        self.wakers = np.zeros(0, np.int64)
        self.cooled = 0
        self.touched: list[int] = []
        """Conditions that shards have yet to take over."""
        self._dirty: set[int] = set()

    # filters

    def channel(self, type_: int, kind: int) -> Channel:
        found = self.by_place.get((type_, kind))
        if found is None:
            slot = sum(1 for each in self.channels if each.type == type_)
            found = Channel(len(self.channels), type_, kind, self._index(type_), slot)
            self.slots = max(self.slots, slot + 1)
            self.channel_places[type_, kind] = found.number
            self.channels.append(found)
            self.by_place[type_, kind] = found
            self._dirty.add(found.number)
        return found

    def _index(self, type_: int) -> FilterIndex:
        fields = self.catalog.events[self.names_of_types[type_]].fields
        return FilterIndex(self.fields[type_], [name for name, field in fields.items() if is_date(field)])

    def hook(self, leaf: Leaf, kind: int, asked: EventFilter, role: int) -> None:
        """Let events that pass a filter meet a condition in a role (bits)."""
        type_ = self.types[asked.event]
        key = (type_, kind, key_of(asked.where))
        found = self.filters.get(key)
        channel = self.channel(type_, kind)
        if found is None:
            position = channel.index.add(asked.where)
            self._place(channel, position)
            found = self.filters[key] = Filtered(channel.number, position, key)
            for each in asked.where:
                self.wanted[type_, self.fields[type_].index(each.field)] = 1
            self._dirty.add(channel.number)
        at = channel.positions + found.position
        self.heads.array[at] = self.hooks.add(leaf.number, role, self.heads.array[at])
        found.hooks += 1
        channel.hooks += 1
        leaf.filters.append((found, role))

    def want(self, type_: str, name: str) -> int:
        """The column of a field whose values a condition keeps."""
        place = self.types[type_]
        column = list(self.fields[place]).index(name)
        self.wanted[place, column] = 1
        return column

    def _place(self, channel: Channel, position: int) -> None:
        """Room for a position's hooks and checks."""
        if position >= channel.room:
            room = max(64, 2 * channel.room)
            at, checks = self.heads.take(room), self.checks.take(room)
            assert at == checks
            self.heads.array[at : at + channel.room] = self.heads.array[
                channel.positions : channel.positions + channel.room
            ]
            self.checks.array[at : at + channel.room] = self.checks.array[
                channel.positions : channel.positions + channel.room
            ]
            channel.positions, channel.room = at, room
        if position in channel.index.checks:
            head = -1
            for place, clause in channel.index.checks[position]:
                first = self.spans.count
                for low, high in clause.spans:
                    self.spans.add(low, high)
                head = self.tests.add(channel.index.fields[place].column, first, len(clause.spans), head)
            self.checks.array[channel.positions + position] = head
        else:
            self.checks.array[channel.positions + position] = -1

    def unhook(self, leaf: Leaf) -> None:
        """Let no event meet a condition any more; filters nobody asks for are gone."""
        for found, _ in leaf.filters:
            channel = self.channels[found.channel]
            at = channel.positions + found.position
            self.heads.array[at] = _without(self.hooks.rows, 2, int(self.heads.array[at]), 0, leaf.number)
            found.hooks -= 1
            channel.hooks -= 1
            if found.hooks == 0:
                channel.index.remove(found.position)
                del self.filters[found.key]
                self._dirty.add(channel.number)
        leaf.filters.clear()

    # conditions and strategies

    def new_leaf(self, key: tuple[Any, ...], condition: Condition) -> Leaf:
        number = self.conditions.add(*([0] * c.WIDTH))
        row = self.conditions.rows[number]
        row[c.USE] = row[c.COLUMN] = row[c.PER] = row[c.DEADLINE] = -1
        row[c.STAMP] = row[c.MASKED] = -1
        row[c.BEGIN] = c.ALWAYS_LATER
        leaf = Leaf(number, key, condition)
        self.leaves[key] = self.by_number[number] = leaf
        self.touched.append(number)
        return leaf

    def drop_leaf(self, leaf: Leaf) -> None:
        self.unhook(leaf)
        self.conditions.rows[leaf.number, c.WAKE] = 0
        self.touched.append(leaf.number)
        self.leaves.pop(leaf.key, None)
        del self.by_number[leaf.number]

    def name(self, strategy: str) -> int:
        if strategy not in self.names:
            self.names[strategy] = self._named
            self._named += 1
        return self.names[strategy]

    def new_strategy(self, entry: Entry) -> None:
        """Lay a strategy's trees; its leaves are in `entry` in the order of the conditions' leaves."""
        spans = []
        strategy = entry.strategy
        for tree, places in ((strategy.trigger, entry.trigger), (strategy.audience, entry.audience)):
            laid = [] if tree is None else _codes(tree, [leaf.number for _, leaf in places])
            at = self.tree.extend(laid)
            spans += [at, at + len(laid)]
        cool = -1 if strategy.guards.cooldown is None else strategy.guards.cooldown
        entry.number = self.strategies.add(*spans, cool, self.name(strategy.name), 1, 0, -1)
        self.entries[entry.number] = entry
        for leaf in {id(each): each for _, each in entry.trigger}.values():
            row = self.conditions.rows[leaf.number]
            row[c.USE] = self.uses.add(entry.number, row[c.USE])
            self.touched.append(leaf.number)
        for _, leaf in (*entry.trigger, *entry.audience):
            leaf.uses += 1

    def drop_strategy(self, entry: Entry) -> list[Leaf]:
        """Take a strategy out; the conditions that nobody asks for any more, which are out too."""
        self.strategies.rows[entry.number, c.LIVE] = 0
        del self.entries[entry.number]
        for leaf in {id(each): each for _, each in entry.trigger}.values():
            row = self.conditions.rows[leaf.number]
            row[c.USE] = _without(self.uses.rows, 1, int(row[c.USE]), 0, entry.number)
            self.touched.append(leaf.number)
        gone = []
        for _, leaf in (*entry.trigger, *entry.audience):
            leaf.uses -= 1
            if leaf.uses == 0:
                gone.append(leaf)
                self.drop_leaf(leaf)
        return gone

    def alive(self) -> NDArray[np.uint8]:
        """Condition → 1 while any strategy asks for it."""
        found = np.zeros(max(1, self.conditions.count), np.uint8)
        found[list(self.by_number)] = 1
        return found

    def names_alive(self) -> NDArray[np.uint8]:
        found = np.zeros(max(1, self._named), np.uint8)
        found[list(self.names.values())] = 1
        return found

    def list_restless(self) -> None:
        """Which strategies are judged, and which conditions armed, when a subject is first named."""
        by_kind: dict[int, list[Entry]] = {}
        self.cooled = 0
        for entry in self.entries.values():
            self.cooled += entry.strategy.guards.cooldown is not None
            if entry.restless and not entry.draining:
                by_kind.setdefault(self.kinds[entry.strategy.subject], []).append(entry)
        strategies: list[int] = []
        leaves: list[int] = []
        for kind in range(len(self.kinds)):
            mine = by_kind.get(kind, [])
            awake = {leaf.number for e in mine for _, leaf in e.trigger if self.conditions.rows[leaf.number, c.WAKE]}
            self.restless_of[kind] = len(strategies), len(mine)
            self.wakers_of[kind] = len(leaves), len(awake)
            strategies += [entry.number for entry in mine]
            leaves += sorted(awake)
        self.restless, self.wakers = np.array(strategies, np.int64), np.array(leaves, np.int64)

    # laying out for compiled code

    def lay(self) -> None:
        """Bring the flat arrays up to date with the channels that changed."""
        for number in self._dirty:
            self._lay_channel(self.channels[number])
        if self._dirty:
            self._lay_directory()
        self._dirty.clear()
        self.channel_table[:, 6] = [channel.hooks for channel in self.channels]

    def _lay_channel(self, channel: Channel) -> None:
        index = channel.index
        if channel.live_at < 0 or channel.words != index.words:
            channel.live_at = self.bits.take(index.words * (1 + len(index.columns)))
            channel.words = index.words
            channel.regions.clear()
        live = channel.live_at
        self.bits.array[live : live + index.words] = index.live
        for place, found in enumerate(index.fields):
            free = live + index.words * (1 + place)
            self.bits.array[free : free + index.words] = ~found.asked
            region = channel.regions.get(place)
            if region is None or region.rows < found.rows or region.room < len(found.bounds):
                rows, room = found.rows + 8 + found.rows // 4, max(16, 2 * len(found.bounds))
                region = Region(self.bits.take(rows * index.words), rows, self.bounds.take(room), room)
                channel.regions[place] = region
                found.dirty = True
            if found.dirty:
                at = region.table
                self.bits.array[at : at + found.rows * index.words] = found.table[: found.rows].reshape(-1)
                self.bounds.array[region.bounds : region.bounds + len(found.bounds)] = found.bounds
                found.dirty = False

    def _lay_directory(self) -> None:
        self.channel_table = np.zeros((len(self.channels), 7), np.int64)
        fields: list[tuple[int, ...]] = []
        for channel in self.channels:
            first = len(fields)
            channel.fields_at = first
            order = sorted(range(len(channel.index.fields)), key=lambda p: -len(channel.index.fields[p].clauses))
            for place in order:
                found = channel.index.fields[place]
                region = channel.regions[place]
                free = channel.live_at + channel.words * (1 + place)
                fields.append((found.column, region.bounds, len(found.bounds), region.table, free, place, channel.slot))
            checks = 1 if channel.index.checks else 0
            self.channel_table[channel.number] = (
                channel.words, channel.live_at, first, len(channel.index.fields), channel.positions, checks, 0,
            )  # fmt: skip
        self.field_table = np.array(fields, np.int64).reshape(-1, 7)
        self.width = max((64 * channel.words for channel in self.channels), default=1)

    def channel_of(self, field: int) -> Channel:
        """Whose field a row of the table of fields is."""
        place = bisect_right(self.channels, field, key=lambda channel: channel.fields_at)
        return self.channels[place - 1]

    def text_row(self, channel: Channel, place: int, value: Any) -> int:
        """The row of a text in a field, laid out if it is new."""
        found = channel.index.fields[place]
        rows = found.rows
        row = found.text_row(value)
        if found.rows != rows:
            region = channel.regions.get(place)
            if region is None or region.rows < found.rows:
                self._dirty.add(channel.number)
                found.dirty = True
            elif not found.dirty:
                at = region.table + row * channel.words
                self.bits.array[at : at + channel.words] = found.table[row]
        return row


def _without(rows: NDArray[Any], next_: int, head: int, column: int, value: int) -> int:
    """A linked list's head after the nodes with a value have been taken out."""
    while head >= 0 and rows[head, column] == value:
        head = int(rows[head, next_])
    node = head
    while node >= 0:
        after = int(rows[node, next_])
        while after >= 0 and rows[after, column] == value:
            after = int(rows[after, next_])
        rows[node, next_] = after
        node = after
    return head


def _codes(condition: Condition, leaves: Iterable[int]) -> list[int]:
    """A condition's tree in postfix order."""
    numbers = iter(leaves)

    def lay(part: Condition) -> list[int]:
        if isinstance(part, All | Any_):
            return [
                *(code for each in part.of for code in lay(each)),
                c.ALL if isinstance(part, All) else c.ANY,
                len(part.of),
            ]
        if isinstance(part, Not):
            return [*lay(part.of), c.NOT]
        return [next(numbers)]

    return lay(condition)
