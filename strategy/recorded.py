"""Recorded history in a file, as a stream of checked inputs: NDJSON (also gzipped), Parquet, Arrow IPC. Of a columnar
file only a slice of rows is in memory at a time; a row that cannot be used is told by its number and column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from core.errors import InvalidInput
from core.text import Text
from knowledge.catalog import Catalog
from strategy.stream import Line, event_of, fact_of, open_bytes, open_lines, read_lines

if TYPE_CHECKING:
    from polars import DataFrame, Schema

    from strategy.rows import Rows

SLICE = 25_000
"""Rows of a columnar file held in memory at a time."""
LARGE_BYTES, LARGE_ROWS = 100_000_000, 500_000
_KINDS = {".parquet": "Parquet", ".arrow": "Arrow", ".ipc": "Arrow", ".feather": "Arrow"}
_MARKS = ((b"PAR1", "Parquet"), (b"ARROW1", "Arrow"))


class Recording(Protocol):
    """A file of inputs, to be iterated over once.

    Attributes:
        warnings: what the user should know about the file as a whole.
        large: whether it is worth the columnar engine's while.
        share: how much of it has been read, from 0 to 1; None where the end is not known.
    """

    warnings: list[Text]
    large: bool

    @property
    def share(self) -> float | None: ...

    def __iter__(self) -> Iterator[Line]: ...


def open_events(path: str, catalog: Catalog) -> Recording:
    """A file of events (`-`: NDJSON on standard input).

    Raises:
        InvalidInput: a columnar file that is damaged, lacks a column, or has one of a type that cannot be read.
    """
    return _open(path, catalog, events=True)


def open_facts(path: str, catalog: Catalog) -> Recording:
    """A file of facts and relations; errors as in `open_events`."""
    return _open(path, catalog, events=False)


def _open(path: str, catalog: Catalog, *, events: bool) -> Recording:
    kind = _kind(path)
    return LineFile(path, catalog, events) if kind is None else RowFile(path, kind, catalog, events)


def _kind(path: str) -> str | None:
    """Parquet or Arrow, by the first bytes of the file; None: lines of text."""
    file = Path(path)
    if path == "-" or not file.is_file():
        return None
    with file.open("rb") as stream:
        head = stream.read(6)
    found = next((kind for mark, kind in _MARKS if head.startswith(mark)), None)
    named = _KINDS.get(file.suffix.lower())
    if found is None and named is not None:
        stream_format = head.startswith(b"\xff\xff\xff\xff")
        raise InvalidInput(
            Text(f"不是完整的 {named} 文件", f"it is not a whole {named} file"),
            where={"file": path},
            hint=Text("这是 Arrow 流格式，请存为文件格式", "It is an Arrow stream; save it in the file format")
            if stream_format
            else None,
        )
    return found


class LineFile:
    """NDJSON, one object a line."""

    def __init__(self, path: str, catalog: Catalog, events: bool) -> None:
        self.warnings: list[Text] = []
        self._path, self._catalog, self._events = path, catalog, events
        self._file: BinaryIO | None = None
        self._done = False
        file = Path(path)
        self.large = path != "-" and file.is_file() and file.stat().st_size >= LARGE_BYTES

    @property
    def share(self) -> float | None:
        if self._done:
            return 1.0
        if self._file is None or self._file.closed or not self._file.seekable():
            return None if self._path == "-" or self._file is not None else 0.0
        size = Path(self._path).stat().st_size
        return min(1.0, self._file.tell() / size) if size else None

    def _opened(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[Line]:
        lines = open_lines(self._path, self._opened)
        yield from read_lines(lines, self._catalog, event_of if self._events else fact_of)
        self._done = True

    @contextmanager
    def bytes(self) -> Iterator[BinaryIO]:
        """The file as it is, for who reads it whole in another way."""
        with open_bytes(self._path, self._opened) as stream:
            yield stream
        self._done = True


class RowFile:
    """A columnar file, read in slices of rows."""

    def __init__(self, path: str, kind: str, catalog: Catalog, events: bool) -> None:
        import polars as pl

        from strategy.rows import Rows, readable

        self._path, self._read, self._catalog = path, 0, catalog
        with readable(path):
            self._scan = (pl.scan_parquet if kind == "Parquet" else pl.scan_ipc)(path, glob=False)
            self.schema: Schema = self._scan.collect_schema()
            self._rows: Rows = Rows(self.schema, catalog, events=events)
            self._total: int = self._scan.select(pl.len()).collect().item()
        self.warnings = self._rows.warnings
        self.large = self._total >= LARGE_ROWS

    @property
    def share(self) -> float | None:
        return self._read / self._total if self._total else 1.0

    def __iter__(self) -> Iterator[Line]:
        for first, frame in self._frames():
            for line in self._rows.lines(frame, first):
                self._read = line.line
                yield line

    def frames(self) -> Iterator[tuple[int, DataFrame]]:
        """The file in slices, each with the number of its first row, for who reads it whole in another way."""
        for first, frame in self._frames():
            yield first, frame
            self._read = first + frame.height - 1

    def _frames(self) -> Iterator[tuple[int, DataFrame]]:
        from strategy.rows import readable

        used = self._scan.select(self._rows.columns)
        for start in range(0, self._total, SLICE):
            with readable(self._path, start + 1):
                frame = used.slice(start, SLICE).collect()
            yield start + 1, frame
