"""The few strategies that columns cannot keep exactly, run by the pure-Python matcher beside the columnar one, on the
same inputs and the same clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.events import Event, Input
from core.times import Micros
from strategy.columnar import codes as c
from strategy.columnar.columns import Columns, value_of
from strategy.document import Strategy
from strategy.engine.port import Deployed, Firing
from strategy.engine.python import PythonEngine

if TYPE_CHECKING:
    from strategy.columnar.engine import ColumnarEngine


class Side:
    """Not there until the first such strategy comes; then it begins with all that is known by that time."""

    def __init__(self, engine: ColumnarEngine) -> None:
        self._engine = engine
        self.python: PythonEngine | None = None
        self.orders: dict[str, int] = {}
        """Strategy → its place among all deployments, by which firings of one instant are ordered."""

    def deploy(self, strategy: Strategy, version: int, order: int, history: Iterable[Input]) -> Deployed:
        if self.python is None:
            self.python = self._begin()
        deployed = self.python.deploy(strategy, version, history)
        self.orders[strategy.name] = order
        return deployed

    def retire(self, name: str) -> None:
        if self.python is not None and self.orders.pop(name, None) is not None:
            self.python.retire(name)

    def ingest(self, inputs: Sequence[Input]) -> list[Firing]:
        return list(self.python.ingest(inputs).firings) if self.python is not None else []

    def advance(self, to: Micros) -> list[Firing]:
        return list(self.python.advance(to).firings) if self.python is not None else []

    def restore(self, kept: str | None, orders: dict[str, int]) -> None:
        if kept is not None:
            self.python = PythonEngine(self._engine.catalog, self._engine.lateness)
            self.python.restore(kept.encode())
            self.orders = dict(orders)

    def _begin(self) -> PythonEngine:
        """A fresh Python matcher brought to where the columnar one stands."""
        engine = self._engine
        made = PythonEngine(engine.catalog, engine.lateness)
        count = len(engine.shards)
        known = [
            engine.names.text(code)
            for code in range(len(engine.names))
            if engine.shards[code % count].subj[code // count, c.KNOWN] != c.NEVER
        ]
        made.adopt(engine.facts.world.dump() | {"known": known}, engine.begin, engine.watermark, engine.closed)
        rows = engine.queue.rows
        waiting: list[Input] = [item for _, _, item in sorted(engine.facts.queue, key=lambda each: each[:2])]
        made.ingest([*waiting, *(events_of(rows, np.arange(rows.rows), engine) if rows is not None else ())])
        return made


def events_of(rows: Columns, which: Iterable[int], engine: ColumnarEngine) -> list[Event]:
    """Rows as event objects."""
    layout, found = engine.layout, []
    for i in which:
        place = int(rows.type[i])
        data = {}
        for w, name in enumerate(layout.fields[place]):
            at, size = int(rows.at[i, w]), int(rows.len[i, w])
            value = value_of(int(rows.kind[i, w]), float(rows.number[i, w]), rows.text[at : at + size].tobytes())
            if value is not None:
                data[name] = value
        texts = [
            rows.text[at : at + size].tobytes().decode("utf-8", "surrogatepass")
            for at, size in (
                (int(rows.id_at[i]), int(rows.id_len[i])),
                (int(rows.subject_at[i]), int(rows.subject_len[i])),
                (int(rows.source_at[i]), int(rows.source_len[i])),
            )
        ]
        found.append(Event(texts[0], layout.types[place], Micros(int(rows.time[i])), texts[1], data, texts[2]))
    return found
