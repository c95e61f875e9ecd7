"""Matching alone: which of many event filters each event of a batch passes, on as many cores as are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.catalog import Catalog
from strategy.columnar.columns import Columns, Layout
from strategy.columnar.judge import match
from strategy.columnar.memory import compiled
from strategy.columnar.plan import Tables
from strategy.columnar.ready import Ready
from strategy.columnar.shard import Prepared
from strategy.document import EventFilter, Happens


class Matcher:
    """A fixed set of filters on events of a catalog.

    Args:
        threads: over how many cores a batch is spread.
    """

    def __init__(self, catalog: Catalog, filters: Sequence[EventFilter], threads: int = 1) -> None:
        types = tuple(sorted(catalog.events))
        self.layout = Layout(types, tuple(tuple(sorted(catalog.events[name].fields)) for name in types))
        kinds = {name: place for place, name in enumerate(sorted(catalog.objects))}
        self.tables = Tables(catalog, self.layout.types, self.layout.fields, kinds)
        for each in filters:
            leaf = self.tables.new_leaf(
                ("filter", self.tables.conditions.count), Happens(event=each.event, where=each.where)
            )
            self.tables.hook(leaf, kinds[catalog.events[each.event].subject], each, 1)
        self.tables.lay()
        self._kind_of_type = np.array([kinds[catalog.events[name].subject] for name in types], np.int32)
        self._ready = Ready(self.tables, self.layout, catalog)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "match") if threads > 1 else None

    def prepare(self, rows: Columns) -> Prepared:
        """Find the cell of every value: the part of matching that depends on the event alone."""
        tables = self.tables
        tables.kind_of_code = self._kind_of_type
        ready, _, _ = self._ready.prepare(
            rows, rows.type.astype(np.int64), np.arange(rows.rows), self._ready.texts, lambda: None
        )
        return ready

    def match(self, rows: Columns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(starts, filters): the filters that event i, in order of time, passes are `filters[starts[i]:starts[i + 1]]`."""
        return self.match_prepared(self.prepare(rows))

    def match_prepared(self, ready: Prepared) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n = len(ready.chan)
        cuts = np.linspace(0, n, self._threads + 1).astype(np.int64)
        jobs = list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
        if self._pool is None:
            parts = [self._match(ready, *job) for job in jobs]
        else:
            parts = list(self._pool.map(lambda job: self._match(ready, *job), jobs))
        counts = np.concatenate([part[0] for part in parts])
        starts = np.zeros(n + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        return starts, np.concatenate([part[1] for part in parts])

    def _match(self, ready: Prepared, first: int, last: int) -> Any:
        t = self.tables
        return match_many(
            t.channel_table, t.field_table, t.bits.array, t.heads.array, t.hooks.rows, t.checks.array, t.tests.rows,
            t.spans.rows, ready.chan, ready.cells, ready.number, ready.kind, first, last, t.width,
        )  # fmt: skip


@compiled
def match_many(
    CH: Any, CF: Any, POOL: Any, POS: Any, NODES: Any, CHECK: Any, TESTS: Any, SPANS: Any, chan: Any, cells: Any, numbers: Any,
    kinds: Any, first: int, last: int, width: int,
) -> Any:  # fmt: skip
    """How many filters each of the rows passes, and which."""
    counts = np.zeros(last - first, np.int64)
    passed = np.empty(1024, np.int64)
    found = np.empty(max(width, 1), np.int64)
    total = 0
    for r in range(first, last):
        ch = chan[r]
        if ch < 0:
            continue
        n = match(CH, CF, POOL, CHECK, TESTS, SPANS, ch, cells, numbers, kinds, r, found)
        for k in range(n):
            node = POS[CH[ch, 4] + found[k]]
            while node >= 0:
                if total == len(passed):
                    larger = np.empty(2 * total, np.int64)
                    larger[:total] = passed
                    passed = larger
                passed[total] = NODES[node, 0]
                total += 1
                counts[r - first] += 1
                node = NODES[node, 2]
    return counts, passed[:total].copy()
