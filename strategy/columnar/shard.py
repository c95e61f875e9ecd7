"""The subjects of one shard: their state, and the compiled loop over what happens to them. Shards share nothing that
changes, so they run beside each other on several cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategy.columnar import codes as c
from strategy.columnar.compact import compact, renumber
from strategy.columnar.judge import arm_all
from strategy.columnar.loop import run
from strategy.columnar.plan import Tables
from strategy.columnar.record import look_at
from strategy.columnar.spill import Memory
from strategy.columnar.state import entry, sort_rows
from strategy.columnar.view import desk

Numbers = NDArray[Any]
_GROWN = 4
"""Memory is made compact when so many times more is in use than was kept the last time."""
_MOVING = (c.STAMP, c.TB, c.TA, c.MASK, c.MASKED, c.LARGEST, c.WAITING)


@dataclass(slots=True)
class Prepared:
    """Rows of events ready for the loop, shared by all shards."""

    chan: Numbers
    cells: Numbers
    kind: Numbers
    value: Numbers
    number: Numbers
    sums: Numbers
    periods: Numbers
    own: Numbers
    text: Numbers
    id_at: Numbers
    id_len: Numbers


@dataclass(slots=True)
class Items:
    """What happens to the subjects of one shard, by (time, subject); see `loop.run`."""

    time: Numbers
    subject: Numbers
    what: Numbers
    marks: Numbers


@dataclass(slots=True)
class Fired:
    """Firings as recorded: rows (strategy, subject, at, first record), records, and the ids of their evidence."""

    fires: Numbers
    records: Numbers
    ids: list[str]


class Shard:
    """State of one shard. Growing and compacting happen between groups, so that a group never runs out of room."""

    def __init__(self, tables: Tables, memory: Memory) -> None:
        self._tables = tables
        self._memory = memory
        self.conditions = np.zeros((0, c.WIDTH), np.int64)
        self.strategies = np.zeros((0, c.STRATEGY_WIDTH), np.int64)
        self.subjects = 0
        self.subj = memory.zeros((64, 4), np.int64)
        self.kinds = memory.zeros(64, np.int32)
        self.rows = memory.zeros((256, 4), np.uint32)
        self.ring = memory.zeros(1024, np.int64)
        self.log_time = memory.zeros(256, np.int64)
        self.log_ids = memory.zeros((256, 2), np.int64)
        self.log_text = memory.zeros(4096, np.uint8)
        self.heap = memory.zeros((64, 2), np.int64)
        self.meta = np.zeros(c.META, np.int64)
        self._kept = 1 << 23
        """How much was kept when it was last made compact."""

    # tables

    def sync(self, leaves: list[int]) -> None:
        """Take over conditions that were added or changed, and all strategies."""
        source = self._tables.conditions
        if len(self.conditions) < source.count:
            larger = np.zeros((len(source.rows), c.WIDTH), np.int64)
            larger[: len(self.conditions)] = self.conditions
            self.conditions = larger
        for number in leaves:
            moving = self.conditions[number, _MOVING].copy()
            self.conditions[number] = source.rows[number]
            self.conditions[number, _MOVING] = moving
        self.strategies = self._tables.strategies.rows.copy()
        self.strategies[:, c.MARK] = -1

    def add_subjects(self, kinds: Numbers) -> None:
        """Subjects that were heard of for the first time; they are known from their first item on."""
        n = len(kinds)
        self.subj = self._memory.grown(self.subj, self.subjects + n)
        self.kinds = self._memory.grown(self.kinds, self.subjects + n)
        place = slice(self.subjects, self.subjects + n)
        self.subj[place] = 0
        self.subj[place, c.KNOWN] = c.NEVER
        self.kinds[place] = kinds
        self.subjects += n

    def _desk(self) -> NDArray[np.int64]:
        t = self._tables
        return desk(
            self.conditions, t.whole.rows, t.floats.rows, t.gaps.rows, t.absents.rows, self.rows, self.ring,
            self.log_time, self.subj, self.meta, self.heap, t.tree.rows,
        )  # fmt: skip

    # running

    def run(
        self, items: Items, ready: Prepared, closed: int, *, silent: bool = False, only: int = 0
    ) -> tuple[list[Fired], int | None]:
        """Run everything up to `closed`. Returns what fired, and the condition whose values have become too large for
        it (None: none has); it stopped before the instant at which they had."""
        t = self._tables
        fired: list[Fired] = []
        start = 0
        while True:
            found = run(
                self._desk(), self.conditions, t.whole.rows, t.floats.rows, t.gaps.rows, t.absents.rows,
                self.strategies, t.tree.rows, t.uses.rows, t.hooks.rows, t.channel_table, t.field_table, t.bits.array,
                t.heads.array, t.checks.array, t.tests.rows, t.spans.rows, t.restless_of, t.restless, t.wakers_of,
                t.wakers, self.subj, self.kinds, self.rows, self.ring, self.log_time, self.log_ids, self.log_text,
                self.heap, self.meta, items.time, items.subject, items.what, items.marks,
                ready.chan, ready.cells, ready.kind, ready.value, ready.number, ready.sums, ready.periods, ready.own,
                ready.text, ready.id_at, ready.id_len, start, closed, silent, only, t.cooled, t.width,
            )  # fmt: skip
            start, status, leaf, fires, n_fires, records, n_records, evidence, n_evidence = found
            if n_fires:
                ids = self._ids(evidence[:n_evidence])
                fired.append(Fired(fires[:n_fires].copy(), records[:n_records].copy(), ids))
            if status == c.DONE:
                return fired, None
            if status == c.DEMOTE:
                return fired, int(leaf)
            self._make_room(status, int(items.time[start]) if start < len(items.time) else closed)

    def _ids(self, numbers: Numbers) -> list[str]:
        spans, text = self.log_ids, self.log_text
        return [
            text[spans[n, 0] : spans[n, 0] + spans[n, 1]].tobytes().decode("utf-8", "surrogatepass") for n in numbers
        ]

    def _make_room(self, status: int, at: int) -> None:
        m, memory = self.meta, self._memory
        if status == c.MORE_HEAP:
            self.heap = memory.grown(self.heap, 2 * len(self.heap))
            return
        if (m[c.ROWS_TOP] + m[c.RING_TOP] + m[c.LOG_N]) > _GROWN * self._kept:
            heap = int(self.heap[0, 0]) if m[c.HEAP_N] else at
            self.compact(min(at, heap) - 1)
            return
        if status == c.MORE_ROWS:
            self.rows = memory.grown(self.rows, 2 * len(self.rows))
        elif status == c.MORE_RING:
            self.ring = memory.grown(self.ring, 2 * len(self.ring))
        else:
            self.log_time = memory.grown(self.log_time, 2 * len(self.log_time))
            self.log_ids = memory.grown(self.log_ids, 2 * len(self.log_ids))
            self.log_text = memory.grown(self.log_text, 2 * len(self.log_text))

    def compact(self, closed: int) -> None:
        """Leave out what nothing at an instant after `closed` can depend on."""
        t, m, memory = self._tables, self.meta, self._memory
        old_rows, old_ring = int(m[c.ROWS_TOP]), int(m[c.RING_TOP])
        rows = memory.zeros((max(256, old_rows + old_rows // 2), 4), np.uint32)
        ring = memory.zeros(max(1024, old_ring + old_ring // 2), np.int64)
        used = np.zeros(int(m[c.LOG_N]) + 1, np.uint8)
        compact(
            self.conditions, self.subj, self.subjects, self.rows, self.ring, self.log_time, m, t.alive(),
            t.names_alive(), closed, rows, ring, used,
        )  # fmt: skip
        kept = np.flatnonzero(used)
        numbers = np.cumsum(used, dtype=np.int64) - 1
        self.rows, self.ring = rows, ring
        renumber(self.conditions, self.subj, self.subjects, self.rows, self.ring, numbers)
        spans = self.log_ids[kept]
        size = int(spans[:, 1].sum())
        text = memory.zeros(max(4096, size + size // 2), np.uint8)
        starts = np.concatenate([[0], np.cumsum(spans[:, 1])])[:-1] if len(kept) else np.zeros(0, np.int64)
        picked = np.repeat(spans[:, 0] - starts, spans[:, 1]) + np.arange(size)
        text[:size] = self.log_text[picked]
        room = max(256, len(kept) + len(kept) // 2)
        times, ids = memory.zeros(room, np.int64), memory.zeros((room, 2), np.int64)
        times[: len(kept)] = self.log_time[kept]
        ids[: len(kept), 0], ids[: len(kept), 1] = starts, spans[:, 1]
        self.log_time, self.log_ids, self.log_text = times, ids, text
        m[c.LOG_N], m[c.TEXT_TOP] = len(kept), size
        self._kept = max(1 << 23, int(m[c.ROWS_TOP] + m[c.RING_TOP] + m[c.LOG_N]))

    # single questions

    def arm(self, leaves: list[int], kind: int, at: int) -> None:
        """Wake the subjects of a kind for conditions that time alone may change."""
        more = self.subjects * len(leaves)
        held = int(self.subj[: self.subjects, c.ENTRIES].sum())
        self.rows = self._memory.grown(self.rows, int(self.meta[c.ROWS_TOP]) + 6 * (held + more + 8))
        self.heap = self._memory.grown(self.heap, int(self.meta[c.HEAP_N]) + more + 8)
        arm_all(self._desk(), np.array(leaves, np.int64), self.kinds, kind, self.subjects, at)

    def set_fact(self, leaf: int, subject: int, worth: int) -> None:
        """Note the truth of a condition on facts."""
        need = int(self.meta[c.ROWS_TOP]) + 6 * (int(self.subj[subject, c.ENTRIES]) + 8)
        self.rows = self._memory.grown(self.rows, need)
        place = entry(self._desk(), subject, leaf)
        self.rows[place, 1] = worth

    def look(self, leaf: int, subject: int, at: int) -> tuple[Numbers, tuple[str, ...]]:
        """A condition as it stands just after an instant: its record and the ids of its evidence."""
        records, evidence = np.zeros((1, 8), np.int64), np.zeros(64, np.int64)
        n = look_at(self._desk(), leaf, subject, at, records, evidence)
        return records[0], tuple(self._ids(evidence[:n]))

    @property
    def state_bytes(self) -> int:
        """Bytes of what subjects have seen: rows and blocks in use, without the log of events."""
        return int(self.meta[c.ROWS_TOP]) * 16 + int(self.meta[c.RING_TOP]) * 8

    # keeping

    def dump(self, places: dict[int, int], names: dict[int, int]) -> dict[str, Numbers]:
        """The state, just compacted, with conditions and names under their places."""
        m = self.meta
        rows, ring = self.rows[: m[c.ROWS_TOP]].copy(), self.ring[: m[c.RING_TOP]]
        _retag(rows, _map_of(places), _map_of(names))
        sort_rows(rows, self.subj, self.subjects)
        heap = self.heap[: m[c.HEAP_N]].copy()
        kept = np.isin(heap[:, 1] & 0xFFFFFFFF, list(places))
        heap = heap[kept]
        heap[:, 1] = (heap[:, 1] >> 32 << 32) | _map_of(places)[heap[:, 1] & 0xFFFFFFFF]
        moving = self.conditions[list(places)][:, [c.LARGEST, c.WAITING]]
        subj = self.subj[: self.subjects]
        return {
            "subj": subj, "rows": rows, "ring": ring, "log_time": self.log_time[: m[c.LOG_N]],
            "log_ids": self.log_ids[: m[c.LOG_N]], "log_text": self.log_text[: m[c.TEXT_TOP]],
            "heap": heap[np.lexsort((heap[:, 1], heap[:, 0]))], "moving": moving,
        }  # fmt: skip

    def load(self, kept: dict[str, Numbers], numbers: list[int]) -> None:
        """What `dump` gave, under this engine's numbers: place → number of the condition. Names are their places."""
        memory, m = self._memory, self.meta
        sized = {"rows": c.ROWS_TOP, "ring": c.RING_TOP, "log_time": c.LOG_N, "log_text": c.TEXT_TOP, "heap": c.HEAP_N}
        for name, top in sized.items():
            setattr(self, name, memory.grown(getattr(self, name), len(kept[name]) + 1))
            getattr(self, name)[: len(kept[name])] = kept[name]
            m[top] = len(kept[name])
        self.log_ids = memory.grown(self.log_ids, len(self.log_time))
        self.log_ids[: len(kept["log_ids"])] = kept["log_ids"]
        self.subj[: self.subjects] = kept["subj"]
        wanted = np.array([*numbers, 0], np.int64)
        live = self.rows[: m[c.ROWS_TOP]]
        _retag(live, wanted)
        sort_rows(live, self.subj, self.subjects)
        heap = self.heap[: m[c.HEAP_N]]
        heap[:, 1] = (heap[:, 1] >> 32 << 32) | wanted[heap[:, 1] & 0xFFFFFFFF]
        self.conditions[np.array(numbers, np.int64)[:, None], [c.LARGEST, c.WAITING]] = kept["moving"]


def _map_of(places: dict[int, int]) -> Numbers:
    found = np.zeros(max(places, default=0) + 1, np.int64)
    for number, place in places.items():
        found[number] = place
    return found


def _retag(rows: Numbers, leaves: Numbers, names: Numbers | None = None) -> None:
    """Give entries of rows other numbers of conditions and, unless they keep theirs, of names."""
    tags = rows[:, 0].astype(np.int64)
    marks, counts = tags & (c.TIMER | c.COOLDOWN), tags & ~np.int64(c.TAG)
    own = tags & c.TAG & ~(c.TIMER | c.COOLDOWN)
    cooled = marks & c.COOLDOWN != 0
    own[~cooled] = leaves[np.minimum(own[~cooled], len(leaves) - 1)]
    if names is not None:
        own[cooled] = names[own[cooled]]
    rows[:, 0] = (counts | marks | own).astype(np.uint32)
