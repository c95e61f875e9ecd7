"""Arrow IPC streams from senders → a data frame. A few bytes can stand for a great many values (compression, views,
dictionaries, nulls), so what a stream will unfold to is looked at before it is read, and again before it is used."""

from __future__ import annotations

from io import BytesIO
from struct import error as struct_error
from struct import unpack_from
from typing import Any

import polars as pl

from core.errors import InvalidInput, TooLarge
from core.text import Text

MOST_CELLS = 10_000_000
"""Values of one stream, those in lists counted."""
MOST_TEXT = 64 << 20
"""Bytes of its texts, each value counted."""
_MOST_FIELDS = 1_000
_DEEPEST = 8
_ROWS, _VALUES = Text("行", "rows"), Text("个值", "values")
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
"""Kinds of message. (Arrow columnar format, Message.fbs)"""


def read_stream(body: bytes, most: int) -> pl.DataFrame:
    """The rows of a stream, at most `most` of them.

    Raises:
        InvalidInput: not a stream, damaged, or compressed. TooLarge: more than may be sent at a time.
    """
    try:
        rows, fields = _look(body)
    except (struct_error, RecursionError, OverflowError) as cause:
        raise _damaged("its messages cannot be followed") from cause
    _limit(rows, most, _ROWS)
    _limit(rows * fields, MOST_CELLS, _VALUES)
    try:
        frame = pl.read_ipc_stream(BytesIO(body))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as cause:
        raise _damaged(str(cause).splitlines()[0][:200]) from cause
    _limit(frame.height, most, _ROWS)
    cells = texts = 0
    for column in frame.get_columns():
        cells, texts = _weigh(column, cells, texts)
    return frame


def _limit(found: int, most: int, what: Text) -> None:
    if found > most:
        raise TooLarge(
            Text(f"一次最多 {most} {what.zh}", f"at most {most} {what.en} a request"),
            hint=Text("请拆成几次发送", "Send it in several parts"),
        )


def _damaged(why: str) -> InvalidInput:
    return InvalidInput(
        Text(f"请求体不是完整的 Arrow 流：{why}", f"the body is not a whole Arrow stream: {why}"),
        hint=Text("请用 Arrow IPC 流格式，不是文件格式", "Use the Arrow IPC streaming format, not the file format"),
    )


def _look(body: bytes) -> tuple[int, int]:
    """How many rows and fields (of any depth) the messages of a stream announce."""
    at = rows = fields = 0
    while at < len(body):
        mark, size = unpack_from("<Ii", body, at)
        if mark != 0xFFFFFFFF or size < 0:
            raise _damaged("a message does not begin as messages do")
        if size == 0:
            break
        parts = _Parts(body[at + 8 : at + 8 + size])
        root = parts.number("<I", 0)
        kind, header = parts.value(root, 1, "<B"), parts.table(root, 2)
        length = parts.value(root, 3, "<q")
        if length < 0:
            raise _damaged("a message has no length")
        if kind == _SCHEMA:
            fields += parts.fields(header, 1, _DEEPEST, fields)
        elif kind in (_DICTIONARY, _BATCH):
            batch = parts.table(header, 1) if kind == _DICTIONARY else header
            if parts.place(batch, 3):
                raise InvalidInput(
                    Text("不接受压缩的 Arrow 流", "compressed Arrow streams are not accepted"),
                    hint=Text("发送时不要压缩", "Send it without compression"),
                )
            rows += max(0, parts.value(batch, 0, "<q")) if kind == _BATCH else 0
        at += 8 + size + length
    return rows, fields


class _Parts:
    """The FlatBuffers of one message's head, of which little enough is needed to follow them by hand."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def number(self, form: str, at: int) -> int:
        if at < 0:
            raise struct_error("before the beginning")
        found: int = unpack_from(form, self._raw, at)[0]
        return found

    def place(self, table: int, field: int) -> int:
        """Where a table has a field; 0: it has it not."""
        names = table - self.number("<i", table)
        if 4 + 2 * field >= self.number("<H", names):
            return 0
        offset = self.number("<H", names + 4 + 2 * field)
        return table + offset if offset else 0

    def value(self, table: int, field: int, form: str) -> int:
        at = self.place(table, field)
        return self.number(form, at) if at else 0

    def table(self, table: int, field: int) -> int:
        at = self.place(table, field)
        if not at:
            raise struct_error("a part is missing")
        return at + self.number("<I", at)

    def fields(self, table: int, field: int, deepest: int, known: int) -> int:
        """How many fields stand in a list of them, and in theirs."""
        if not self.place(table, field):
            return 0
        at = self.table(table, field)
        count = self.number("<I", at)
        if (count and deepest == 0) or known + count > _MOST_FIELDS:
            raise TooLarge(
                Text(
                    f"最多 {_MOST_FIELDS} 列，{_DEEPEST} 层", f"at most {_MOST_FIELDS} columns, {_DEEPEST} levels deep"
                )
            )
        for n in range(count):
            one = at + 4 + 4 * n
            count += self.fields(one + self.number("<I", one), 5, deepest - 1, known + count)
        return count


def _weigh(values: pl.Series, cells: int, texts: int) -> tuple[int, int]:
    """Values and bytes of text so far, and those of one column more."""
    kind: Any = values.dtype
    if isinstance(kind, pl.Struct):
        for part in kind.fields:
            cells, texts = _weigh(values.struct.field(part.name), cells, texts)
        return cells, texts
    if isinstance(kind, pl.List | pl.Array):
        cells += int(values.list.len().sum()) if isinstance(kind, pl.List) else len(values) * kind.size
        _limit(cells, MOST_CELLS, _VALUES)
        return _weigh(values.explode(), cells, texts)
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        texts += int(values.cast(pl.String).str.len_bytes().sum())
    _limit(cells + len(values), MOST_CELLS, _VALUES)
    _limit(texts, MOST_TEXT, Text("字节文本", "bytes of text"))
    return cells + len(values), texts
