"""NDJSON → columns, without an object a line. What the scanner cannot vouch for is left over, to be read by
strategy.stream: both together give exactly what strategy.stream gives for every line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from knowledge.catalog import Catalog
from strategy.columnar.columns import Columns, Layout
from strategy.columnar.lines import BASE, scan
from strategy.columnar.names import padded, tables
from strategy.stream import MAX_LINE, check_start

CHUNK = 1 << 22
"""Bytes that `read_chunks` gives at a time, about."""
_SHORTEST = 60
"""No event can be told in fewer bytes."""
_ROOM = 1_024
"""Lines set aside at a time."""
_CELLS = (np.uint8, np.float64, np.int64, np.int32)
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Decoded:
    """`lines[i]` is the number of the line that row i of `columns` was. `leftovers`: number and bytes of every other
    line but the blank ones, as `strategy.stream.number_lines` gives them."""

    columns: Columns
    lines: NDArray[np.int64]
    leftovers: list[tuple[int, bytes]]


class Decoder:
    """Reads lines for one layout and catalog; may be used by several threads at once."""

    def __init__(self, layout: Layout, catalog: Catalog) -> None:
        self._width = layout.width
        self._tables = known = tables(layout, catalog)
        self._known = [known.names.ctypes.data, len(known.names), known.types.ctypes.data, known.fields.ctypes.data]

    def decode(self, chunk: bytes, first: int = 1) -> Decoded:
        """Whole lines (the last may lack its line end); `first` is the number of the first one.

        Raises:
            InvalidInput: the text begins as UTF-16 does.
        """
        at = check_start(chunk) if first == 1 else 0
        text, most = padded(chunk), len(chunk) // _SHORTEST + 1
        # Few arrays for many columns: making each costs as much as reading a line.
        longs, ints = np.zeros((5, most), np.int64), np.zeros((4, most), np.int32)
        cells = [np.zeros((most, self._width), kind) for kind in _CELLS]
        notes = np.zeros(3 * _ROOM + len(self._tables.fields), np.int64)
        desk = self._desk(text, longs, ints, cells, notes)
        leftovers: list[tuple[int, bytes]] = []
        rows, line, base = 0, first, int(desk[BASE])
        at, end = base + at, base + len(chunk)
        while at < end:
            rows, others, at, line = scan(desk.ctypes.data, at, end, line, rows)
            leftovers += [_leftover(chunk, *row) for row in notes[: 3 * others].reshape(-1, 3).tolist()]
        time, id_at, subject_at, source_at, lines = longs[:, :rows]
        kinds, id_len, subject_len, source_len = ints[:, :rows]
        heads = (time, kinds, id_at, id_len, subject_at, subject_len, source_at, source_len)
        return Decoded(Columns(text, *heads, *(cell[:rows] for cell in cells)), lines, leftovers)

    def _desk(self, text: Array, longs: Array, ints: Array, cells: list[Array], notes: Array) -> NDArray[np.int64]:
        """What the scanner works with, as strategy.columnar.lines orders it."""
        long, wide = longs.ctypes.data, longs.strides[0]
        short, half = ints.ctypes.data, ints.strides[0]
        spans = [part for n in range(1, 4) for part in (long + n * wide, short + n * half)]
        held = notes.ctypes.data
        desk = [long, short, *spans, *(cell.ctypes.data for cell in cells), text.ctypes.data, self._width]
        return np.array([*desk, *self._known, held + 24 * _ROOM, long + 4 * wide, held, _ROOM], np.int64)


def decode(chunk: bytes, layout: Layout, catalog: Catalog) -> Decoded:
    """As `Decoder.decode`, for a single chunk."""
    return Decoder(layout, catalog).decode(chunk)


def read_chunks(stream: BinaryIO, size: int = CHUNK) -> Iterator[tuple[int, bytes]]:
    """A stream as chunks of whole lines, each with the number of its first line. Of a line longer than `MAX_LINE` one
    byte more than that is kept, so that it is refused as everywhere."""
    number, parts, held = 1, [], 0
    while line := stream.readline(MAX_LINE + 2):
        if len(line) > MAX_LINE + 1 and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            line = line[: MAX_LINE + 1] + b"\n"
        parts.append(line)
        held += len(line)
        if held >= size:
            yield number, b"".join(parts)
            number, parts, held = number + len(parts), [], 0
    if parts:
        yield number, b"".join(parts)


def _leftover(chunk: bytes, number: int, start: int, end: int) -> tuple[int, bytes]:
    if end - start > MAX_LINE:
        return number, chunk[start : start + MAX_LINE + 1]
    return number, chunk[start:end].rstrip(b"\r")
