"""Rows of a data frame (Parquet, Arrow) as checked inputs. A row is the JSON object it stands for: columns `id`,
`type`, `time`, `subject`, `source` and `data` (a struct, or JSON text) or `data.<field>` for events; `subject`,
`property`, `value` (or `value.<kind>`), `relation`, `object` and `from` for facts and relations. Null is missing."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import orjson
import polars as pl

from core.errors import InvalidInput, ZhongshuError
from core.events import Input
from core.text import Text
from knowledge.catalog import Catalog, nearest
from strategy.stream import BadLine, GoodLine, Line, event_of, excerpt, fact_of, read_json

_EVENT_COLUMNS = ("id", "type", "subject", "source", "specversion")
_FACT_COLUMNS = ("subject", "property", "relation", "object")
_SIMPLE = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)
_NO_JSON = (pl.Binary, pl.Object, pl.Time, pl.Duration)


class Rows:
    """What the columns of one file mean.

    Attributes:
        columns: those that are read. warnings: columns that look like data and are not read.

    Raises:
        InvalidInput: a column is missing, or of a type that cannot be read.
    """

    def __init__(self, schema: pl.Schema, catalog: Catalog, *, events: bool) -> None:
        self._catalog, self._events = catalog, events
        self._of: Callable[[object, Catalog, int | None], Input] = event_of if events else fact_of
        self._time = "time" if self._events else "from"
        self._heads = [
            n for n in (_EVENT_COLUMNS if self._events else _FACT_COLUMNS) if n in schema and n != self._time
        ]
        self._body = "data" if self._events else "value"
        self._parts = [name for name in schema if name.startswith(f"{self._body}.")]
        self._check(schema)
        whole = [self._body] if self._body in schema else []
        self.columns = [self._time, *self._heads, *whole, *self._parts]
        self._cells = {name: _plain(schema[name], name) for name in [*whole, *self._parts]}
        self._dated = isinstance(schema[self._time], pl.Datetime)
        unread = sorted(set(schema) - set(self.columns))
        self.warnings = [_unread(unread, self._body)] if unread else []

    def _check(self, schema: pl.Schema) -> None:
        needed = ("id", "type", "time", "subject") if self._events else ("subject", "from")
        for name in needed:
            if name not in schema:
                raise InvalidInput(
                    Text(f"缺少列 {name}", f"the column {name} is missing"),
                    where={"field": name},
                    nearest=nearest(name, schema),
                )
        if not self._events and not {"property", "relation"} & set(schema):
            raise InvalidInput(
                Text("缺少列 property 或 relation", "there is neither a column property nor relation"),
                where={"field": "property"},
            )
        for name in self._heads:
            if not isinstance(schema[name], _SIMPLE) or isinstance(schema[name], pl.Boolean):
                raise _wrong_type(name, schema[name], Text("应为文本", "It must be text"))
        time = schema[self._time]
        if isinstance(time, pl.Datetime) and time.time_zone is None:
            raise _wrong_type(self._time, time, Text("时间要带时区", "Times need a time zone"))
        if not isinstance(time, pl.Datetime | pl.String):
            said = Text("应为带时区的时间或 RFC 3339 文本", "It must be Datetime with a time zone, or RFC 3339 text")
            raise _wrong_type(self._time, time, said)

    def lines(self, frame: pl.DataFrame, first: int) -> Iterator[Line]:
        """Every row as a checked input or as a bad row; `first` is the number of the first one."""
        times = frame[self._time]
        moments: Sequence[Any] = (times.dt.epoch("us") if self._dated else times).to_list()
        heads = zip(*(frame[name].cast(pl.String).to_list() for name in self._heads), strict=True)
        cells = {name: frame[name].to_list() for name in self._cells}
        for number, (moment, values) in enumerate(zip(moments, heads, strict=True), first):
            obj = {name: value for name, value in zip(self._heads, values, strict=True) if value is not None}
            try:
                self._fill(obj, cells, number - first)
                if not self._dated and moment is not None:
                    obj[self._time] = moment
                yield GoodLine(number, self._of(obj, self._catalog, moment if self._dated else None), "row")
            except ZhongshuError as error:
                yield BadLine(number, error.at(row=number), excerpt(orjson.dumps(obj, default=str)), "row")

    def _fill(self, obj: dict[str, Any], cells: dict[str, list[Any]], i: int) -> None:
        """The data of an event, or the value of a fact."""
        found: dict[str, Any] = {}
        for name, plain in self._cells.items():
            value = cells[name][i]
            if value is not None:
                found[name] = value if plain is None else plain(value)
        if self._events:
            whole: object = found.pop("data", None) or {}
            if isinstance(whole, str):
                whole = read_json(whole)
            if isinstance(whole, dict):
                whole = {name: value for name, value in whole.items() if value is not None}
                whole |= {name.removeprefix("data."): value for name, value in found.items()}
            obj["data"] = whole
        elif "relation" not in obj:
            if len(found) > 1:
                names = ", ".join(found)
                raise InvalidInput(
                    Text(f"一行有几个取值：{names}", f"the row has several values: {names}"), where={"field": "value"}
                )
            obj["value"] = next(iter(found.values()), None)


def _plain(kind: pl.DataType, column: str) -> Callable[[Any], Any] | None:
    """What turns a cell into JSON; None where it is that already."""
    if isinstance(kind, pl.Struct):
        parts = {f.name: _plain(f.dtype, f"{column}.{f.name}") for f in kind.fields}  # type: ignore[arg-type]  # of a schema, dtypes are instances
        if not any(parts.values()):
            return None
        return lambda value: {
            name: cell if (plain := parts[name]) is None or cell is None else plain(cell)
            for name, cell in value.items()
        }
    if isinstance(kind, pl.List | pl.Array):
        inner = _plain(kind.inner, column)  # type: ignore[arg-type]  # as above
        return lambda value: [v if inner is None or v is None else inner(v) for v in value]
    if isinstance(kind, _NO_JSON):
        raise _wrong_type(column, kind, Text("应为数、文本、布尔、日期或由它们组成", "It must be made of JSON's types"))
    if isinstance(kind, pl.Decimal | pl.Date | pl.Datetime):
        return _scalar
    return None


def _scalar(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


@contextmanager
def readable(path: str, row: int | None = None) -> Iterator[None]:
    """What the file's reader raises, as bad input with the file (and the row from which it cannot be read)."""
    try:
        yield
    except InvalidInput as error:
        raise error.at(file=path) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as cause:
        why = str(cause).splitlines()[0][:200]
        raise InvalidInput(
            Text(f"读不了文件：{why}", f"the file cannot be read: {why}"),
            where={"file": path} if row is None else {"file": path, "row": row},
        ) from cause


def _wrong_type(column: str, kind: pl.DataType, hint: Text) -> InvalidInput:
    return InvalidInput(
        Text(f"列 {column} 的类型是 {kind}", f"column {column} has type {kind}"), where={"field": column}, hint=hint
    )


def _unread(names: Sequence[str], body: str) -> Text:
    listed = ", ".join(names)
    return Text(
        f"没有读取这些列：{listed}（数据列应名为 {body}.<字段>）",
        f"columns not read: {listed} (columns of data are named {body}.<field>)",
    )
