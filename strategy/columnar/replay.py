"""Replay by the columnar matcher: files are read into columns, without an object an event. Rows that only the plain
path can judge go through it at their place, so the firings are those of any other replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from core.errors import Refused
from core.text import Text
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.columnar import codes as c
from strategy.columnar.arrow import FrameDecoder
from strategy.columnar.columns import Columns
from strategy.columnar.decode import Decoder, read_chunks
from strategy.columnar.engine import ColumnarEngine
from strategy.columnar.side import events_of
from strategy.columnar.strings import DUPLICATE, TAKEN
from strategy.document import Strategy
from strategy.engine.port import BeyondColumns
from strategy.recorded import LineFile, RowFile
from strategy.replay import AHEAD, CHUNK, JUMP, Item, Replay
from strategy.stream import GoodLine, Line, Place, event_of, read_lines

_FEW = 64
"""Rows left over in a block up to which the others stay in columns; with more, all of it is read plainly."""
_ROWS = tuple(f.name for f in fields(Columns) if f.name != "text")
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a file: rows in columns with their numbers, and the lines that stand between them, in order."""

    rows: Columns
    numbers: Array
    leftovers: Sequence[Line]
    place: Place


class ColumnarReplay(Replay):
    """As `Replay`; what it watches and sets aside comes in larger portions. Of NDJSON, fields that look misspelt are
    pointed out only where a line is read plainly."""

    def __init__(self, catalog: Catalog, strategies: Sequence[Strategy], **options: Any) -> None:
        super().__init__(catalog, strategies, engine=ColumnarEngine, **options)
        self._catalog = catalog
        self._columns = cast(ColumnarEngine, self._engine)
        self._met: dict[str, set[str]] | None = None

    def run(self, facts: Iterable[Line], events: Iterable[Line]) -> Iterator[Item]:
        """
        Raises:
            Refused: a value is too large or too fine for columns.
        """
        try:
            yield from super().run(facts, events)
        except BeyondColumns as cause:
            names = ", ".join(cause.strategies)
            raise Refused(
                Text(f"有数值超出列式引擎的精度（{names}）", f"a value is beyond what columns hold exactly ({names})"),
                hint=Text("改用 python 引擎", "Use the engine `python`"),
            ) from cause

    def known(self, kind: str) -> set[str]:
        """Asked when the run has ended."""
        if self._met is None:
            engine, self._met = self._columns, dict[str, set[str]]()
            for code in range(len(engine.names)):
                shard = engine.shards[code % len(engine.shards)]
                if shard.subj[code // len(engine.shards), c.KNOWN] != c.NEVER:
                    name = engine.names.text(code)
                    self._met.setdefault(name.partition("/")[0], set()).add(name)
        return super().known(kind) | self._met.get(kind, set())

    def _feed_events(self, events: Iterable[Line]) -> Iterator[Item]:
        if isinstance(events, RowFile):
            blocks = self._frames(events)
        elif isinstance(events, LineFile):
            blocks = self._lines(events)
        else:
            yield from super()._feed_events(events)
            return
        room = self._limit
        for block in blocks:
            if room is not None:
                block = _first(block, room)
                room -= len(block.numbers) + len(block.leftovers)
            yield from self._block(block)
            if self._watch is not None:
                self._watch(self.summary)
            if room == 0:
                return

    def _frames(self, file: RowFile) -> Iterator[Block]:
        decoder = FrameDecoder(file.schema, self._columns.layout, self._catalog)
        for first, frame in file.frames():
            found = decoder.decode(frame, first)
            yield Block(found.columns, found.rows, found.leftovers, "row")

    def _lines(self, file: LineFile) -> Iterator[Block]:
        decoder = Decoder(self._columns.layout, self._catalog)
        with file.bytes() as stream:
            for first, chunk in read_chunks(stream):
                found = decoder.decode(chunk, first)
                yield Block(found.columns, found.lines, [*read_lines(found.leftovers, self._catalog, event_of)], "line")

    def _block(self, block: Block) -> Iterator[Item]:
        numbers, leftovers = block.numbers, block.leftovers
        if len(leftovers) > _FEW:
            every = [*self._plain(block.rows, numbers, block.place), *leftovers]
            yield from self._feed(sorted(every, key=lambda line: line.line))
            return
        start = 0
        for line, cut in zip(leftovers, np.searchsorted(numbers, [line.line for line in leftovers]), strict=True):
            yield from self._stretch(block, start, int(cut))
            yield from self._take([line])
            start = int(cut)
        yield from self._stretch(block, start, len(numbers))

    def _stretch(self, block: Block, start: int, end: int) -> Iterator[Item]:
        """Rows from `start` to `end`, with nothing left over between them."""
        if start == end:
            return
        rows, numbers = block.rows, block.numbers
        if end - start < len(numbers):
            rows, numbers = _picked(rows, slice(start, end)), numbers[start:end]
        times = rows.time
        newest = np.maximum.accumulate(times)
        before = np.concatenate(([times[0] if self._newest_event is None else self._newest_event], newest[:-1]))
        if ((times - before > JUMP) & (times > self._now + AHEAD)).any():
            for at in range(0, len(numbers), CHUNK):
                part = slice(at, at + CHUNK)
                yield from self._take(self._plain(_picked(rows, part), numbers[part], block.place))
            return
        self.summary.events += len(numbers)
        if self._until is not None and newest[-1] > self._until:
            inside = times <= self._until
            self.summary.after_until += int(len(numbers) - inside.sum())
            rows, numbers = _picked(rows, inside), numbers[inside]
        if len(numbers):
            yield from self._match(rows, numbers, block.place)

    def _match(self, rows: Columns, numbers: Array, place: Place) -> Iterator[Item]:
        self._reach(Micros(int(rows.time.min())), Micros(int(rows.time.max())))
        firings, verdict = self._columns.ingest_columns(rows)
        aside = np.flatnonzero(verdict != TAKEN)
        for i, line in zip(aside, self._plain(_picked(rows, aside), numbers[aside], place), strict=True):
            yield self._set_aside(line.input, "duplicate" if verdict[i] == DUPLICATE else "late", line)
        self._note(rows, verdict == TAKEN)
        yield from self._fired(firings)

    def _note(self, rows: Columns, taken: Array) -> None:
        """Count the events that conditions of strategies which have not fired wait for."""
        for kind, waiting in self._occurrences.awaited.items():
            mine = np.flatnonzero(taken & (rows.type == self._columns.layout.types.index(kind)))
            tested = [test for _, test in waiting if test is not None]
            data = [event.data for event in events_of(rows, mine, self._columns)] if tested else []
            for place, test in waiting:
                count = len(mine) if test is None else sum(map(test, data))
                self._occurrences.counts[place] += count

    def _plain(self, rows: Columns, numbers: Array, place: Place) -> list[GoodLine]:
        """Rows as lines that the plain path reads."""
        events = events_of(rows, range(rows.rows), self._columns)
        return [GoodLine(int(number), event, place) for number, event in zip(numbers, events, strict=True)]


def _first(block: Block, count: int) -> Block:
    """The first so many lines of a block."""
    if len(block.numbers) + len(block.leftovers) <= count:
        return block
    last = sorted([*block.numbers.tolist(), *(line.line for line in block.leftovers)])[count - 1]
    inside = block.numbers <= last
    leftovers = [line for line in block.leftovers if line.line <= last]
    return Block(_picked(block.rows, inside), block.numbers[inside], leftovers, block.place)


def _picked(rows: Columns, which: Any) -> Columns:
    return Columns(rows.text, **{name: getattr(rows, name)[which] for name in _ROWS})
