"""NDJSON → columns, without an object a line. What the scanner cannot vouch for is left over, to be read by
strategy.stream: both together give exactly what strategy.stream gives for every line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from knowledge.catalog import Catalog
from strategy.columnar.columns import Columns, Layout
from strategy.columnar.lines import CELLS, OUT, scan
from strategy.columnar.names import padded, tables
from strategy.stream import MAX_LINE, check_start

CHUNK = 1 << 22
"""Bytes that `read_chunks` gives at a time, about."""
_SHORTEST = 60
"""No event can be told in fewer bytes."""
_ROOM = 1_024
"""Lines set aside at a time."""


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
        self._tables = tables(layout, catalog)

    def decode(self, chunk: bytes, first: int = 1) -> Decoded:
        """Whole lines (the last may lack its line end); `first` is the number of the first one.

        Raises:
            InvalidInput: the text begins as UTF-16 does.
        """
        at = check_start(chunk) if first == 1 else 0
        text = padded(chunk)
        most = len(chunk) // _SHORTEST + 1
        columns = Columns.empty(most, self._width, text)
        lines = np.empty(most, np.int64)
        seen, aside = np.zeros(len(self._tables.fields), np.int64), np.empty((_ROOM, 3), np.int64)
        known, base = self._tables, text.ctypes.data
        arrays = [*(getattr(columns, name) for name in (*OUT, *CELLS))]
        tables = [known.names.ctypes.data, len(known.names), known.types.ctypes.data, known.fields.ctypes.data]
        held = [seen.ctypes.data, lines.ctypes.data, aside.ctypes.data, _ROOM]
        desk = np.array([*(array.ctypes.data for array in arrays), base, self._width, *tables, *held], np.int64)
        leftovers: list[tuple[int, bytes]] = []
        rows, line, at, end = 0, first, base + at, base + len(chunk)
        while at < end:
            rows, others, at, line = scan(desk.ctypes.data, at, end, line, rows)
            leftovers += [_leftover(chunk, *row) for row in aside[:others].tolist()]
        return Decoded(_head(columns, rows), lines[:rows], leftovers)


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


def _head(columns: Columns, rows: int) -> Columns:
    """The first so many rows, in the same memory."""
    return Columns(columns.text, **{name: getattr(columns, name)[:rows] for name in (*OUT, *CELLS)})
