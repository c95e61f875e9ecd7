"""Reading inputs line by line: NDJSON in, checked events, facts and relations out, and every line that cannot be used
with its number and error. Only the line at hand is held in memory. Files of other kinds are read in recorded.py."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar, cast

import orjson

from core.errors import InvalidInput, TooLarge, ZhongshuError
from core.events import Event, Fact, Input, Relation, read_event, read_fact
from core.text import Text
from core.times import DAY, Micros, format_time
from knowledge.catalog import Catalog, check_event, check_fact, check_relation

MAX_LINE = 1 << 20
"""Bytes of one line; a longer one is refused without being read into memory."""
MAX_RAW = 64 * 1024
"""Bytes kept of a line that is set aside."""
_GZIP = b"\x1f\x8b"
CLOCK_NEVER_SET = Micros(365 * DAY)

_T = TypeVar("_T", bound=Input)


class AbsurdClock(InvalidInput):
    """A time that only a wrong clock can have sent."""

    code = "absurd-clock"


Place = Literal["line", "row"]
"""What numbers count: lines of text, or rows of a columnar file."""


@dataclass(frozen=True, slots=True)
class GoodLine:
    """A line that was read and checked; values stand in the catalog's units."""

    line: int
    input: Input
    place: Place = "line"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line kept aside: what is wrong with it, and its first `MAX_RAW` bytes."""

    line: int
    error: ZhongshuError
    raw: str
    place: Place = "line"


Line = GoodLine | BadLine


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch. Accepted inputs are on disk; duplicates were there already; late and rejected ones are
    kept aside."""

    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    rejected: tuple[BadLine, ...] = ()

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.late + other.late,
            self.rejected + other.rejected,
        )


def open_lines(path: str, opened: Callable[[BinaryIO], None] | None = None) -> Iterator[tuple[int, bytes]]:
    """The numbered lines of a file (`-`: standard input) without line ends; blank lines and a leading BOM are skipped.
    `opened` and errors as in `open_bytes`."""
    with open_bytes(path, opened) as stream:
        yield from number_lines(stream)


@contextmanager
def open_bytes(path: str, opened: Callable[[BinaryIO], None] | None = None) -> Iterator[BinaryIO]:
    """A file (`-`: standard input), unpacked if its first bytes say that it is gzipped. `opened` is given the file
    itself, so that a caller can tell how far reading has come.

    Raises:
        InvalidInput: the file cannot be opened or unpacked, or what reads it finds that it is UTF-16.
    """
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(path).open("rb")  # noqa: SIM115  # closed below; only opening may fail as bad input
    except OSError as cause:
        raise InvalidInput(
            Text(f"读不了文件：{cause.strerror}", f"the file cannot be read: {cause.strerror}"), where={"file": path}
        ) from cause
    with stream:
        if opened is not None:
            opened(stream)
        try:
            packed = stream.peek(2)[:2] == _GZIP
            yield cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream
        except InvalidInput as error:
            raise error.at(file=path) from None
        except IsADirectoryError as cause:
            raise InvalidInput(Text("这是目录", "it is a directory"), where={"file": path}) from cause
        except (gzip.BadGzipFile, EOFError, zlib.error) as cause:
            raise InvalidInput(
                Text(f"压缩文件读到一半坏了：{cause}", f"the compressed file breaks off: {cause}"), where={"file": path}
            ) from cause


def number_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """As `open_lines`, from a binary stream. Of a line longer than `MAX_LINE` one byte more than that is given."""
    number = 0
    while chunk := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            chunk = chunk[check_start(chunk) :]
        if len(chunk) > MAX_LINE and not chunk.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
        elif not (chunk := chunk.rstrip(b"\r\n")).strip():
            continue
        yield number, chunk


def check_start(chunk: bytes) -> int:
    """How many bytes of a byte order mark the first line begins with.

    Raises:
        InvalidInput: it is one of UTF-16.
    """
    if chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InvalidInput(
            Text("文件是 UTF-16 编码", "the file is UTF-16"), hint=Text("请存为 UTF-8", "Save it as UTF-8")
        )
    return 3 if chunk.startswith(b"\xef\xbb\xbf") else 0


def read_json(raw: bytes | str) -> object:
    """One line of JSON, strictly (no NaN, valid UTF-8).

    Raises:
        InvalidInput: with the column; TooLarge: longer than `MAX_LINE`.
    """
    if len(raw) > MAX_LINE:
        raise TooLarge(
            Text(f"这一行超过 {MAX_LINE} 字节", f"the line is longer than {MAX_LINE} bytes"),
            hint=Text("把大段内容存到别处，只传引用", "Keep large content elsewhere and send a reference"),
        )
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as cause:
        what = str(cause).split(": line ")[0]
        raise InvalidInput(
            Text(f"不是合法的 JSON({what})", f"not valid JSON ({what})"),
            where={"column": cause.colno},
            hint=Text("每行一个 JSON 对象，文本用双引号", "One JSON object a line, text in double quotes"),
        ) from cause
    return value


def event_of(obj: object, catalog: Catalog, time: int | None = None) -> Event:
    """A CloudEvents object → an event the catalog knows; `time` as in `read_event`.

    Raises:
        InvalidInput: structure, time, type, fields or units are wrong; UnknownName carries the nearest types.
    """
    if isinstance(obj, dict) and "type" not in obj and ("property" in obj or "relation" in obj):
        raise InvalidInput(
            Text("这是事实或关系，不是事件", "this is a fact or a relation, not an event"),
            hint=Text("请放进事实文件（--facts）", "Put it into the facts file (--facts)"),
        )
    event = read_event(obj, time)
    if event.time < CLOCK_NEVER_SET:
        raise AbsurdClock(
            Text(
                f"时间 {format_time(event.time)} 不可信：没有对过时的设备才会报 1970 年",
                f"time {format_time(event.time)} cannot be right: 1970 is what a device says whose clock was never set",
            ),
            where={"field": "time"},
            hint=Text("请检查设备时钟", "Check the sender's clock"),
        )
    return check_event(event, catalog)


def fact_of(obj: object, catalog: Catalog, time: int | None = None) -> Fact | Relation:
    """A fact or relation object → one the catalog knows; errors as in `event_of`."""
    if isinstance(obj, dict) and "type" in obj and "property" not in obj and "relation" not in obj:
        raise InvalidInput(
            Text("这是事件，不是事实", "this is an event, not a fact"),
            hint=Text("请放进事件文件（--events）", "Put it into the events file (--events)"),
        )
    found = read_fact(obj, time)
    return check_fact(found, catalog) if isinstance(found, Fact) else check_relation(found, catalog)


def input_of(obj: object, catalog: Catalog) -> Input:
    """An event, fact or relation, told apart by its keys; errors as in `event_of`."""
    if isinstance(obj, dict) and "type" not in obj and ("property" in obj or "relation" in obj):
        return fact_of(obj, catalog)
    return event_of(obj, catalog)


def read_lines(
    lines: Iterable[tuple[int, bytes]], catalog: Catalog, of: Callable[[object, Catalog], _T]
) -> Iterator[Line]:
    """Each numbered line as a checked input or as a bad line; one bad line never stops the rest."""
    for number, raw in lines:
        try:
            yield GoodLine(number, of(read_json(raw), catalog))
        except ZhongshuError as error:
            yield BadLine(number, error.at(line=number), excerpt(raw))


def excerpt(raw: bytes | str) -> str:
    """The first `MAX_RAW` bytes of what came, as text that any store can keep."""
    data = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    return data[:MAX_RAW].decode("utf-8", "replace").replace("\x00", "\ufffd")
