"""A declarative file that says which columns are which facts, relations and events, and its application to rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import InvalidInput, UnknownName, ZhongshuError
from core.events import Event, Input, read_event, read_fact
from core.ids import stable_id
from core.text import Text
from core.times import Micros, check_zone, format_time, parse_time, pydantic_reader, to_micros
from knowledge.catalog import nearest
from knowledge.catalog.units import convert
from knowledge.sources.columns import as_text, read_date, read_number
from knowledge.sources.rows import Row, read_rows

_PLACE = re.compile(r"\{([^{}]+)\}")
_BLANK = re.compile(r"[\s/]+")
"""What a subject's key cannot hold."""
_YES = {"true", "yes", "y", "1", "是", "对", "有"}
_NO = {"false", "no", "n", "0", "否", "不", "无"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cell(_Part):
    """A column and how to read it. `text` keeps what is there; empty cells give nothing. `unit`: what the column's
    numbers stand in where the cells do not say it; `to`: what they are converted to."""

    column: str
    type: Literal["text", "number", "boolean", "date", "any"] = "any"
    unit: str | None = None
    to: str | None = None


def _as_cell(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Cells = dict[str, Annotated[Cell, BeforeValidator(_as_cell)]]


class RelationRule(_Part):
    relation: str
    object: str = Field(description="such as device/{device_no}")
    facts: Cells = Field(default_factory=dict, description="properties of the object that the row tells")


class EventRule(_Part):
    type: str
    subject: str | None = Field(default=None, description="whom it happened to; default: the mapping's subject")
    id: str | None = Field(default=None, description="such as {order_no}; default: a digest of the row")
    time: str | None = Field(default=None, description="column; default: the mapping's")
    data: Cells = Field(default_factory=dict)


class Mapping(_Part):
    """What a source's rows say. `{column}` in a template stands for the row's value."""

    mapping: Literal[1]
    source: str = Field(min_length=1)
    subject: str = Field(description="such as customer/{customer_id}")
    time: str | None = Field(
        default=None, description="column that says from when it is so, or when it happened; none: when it is read"
    )
    timezone: Annotated[str | None, BeforeValidator(lambda z: z if z is None else pydantic_reader(check_zone)(z))] = (
        Field(default=None, description="of times without an offset; without it, such times are errors")
    )
    facts: Cells = Field(default_factory=dict)
    relations: tuple[RelationRule, ...] = ()
    events: tuple[EventRule, ...] = ()

    def columns(self) -> set[str]:
        """Every column that is named."""
        templates = [self.subject, *(r.object for r in self.relations)]
        templates += [t for e in self.events for t in (e.id, e.subject) if t]
        named = {c for t in templates for c in _PLACE.findall(t)}
        cells = [*self.facts.values(), *(c for e in self.events for c in e.data.values())]
        cells += [c for r in self.relations for c in r.facts.values()]
        return named | {c.column for c in cells} | {t for t in (self.time, *(e.time for e in self.events)) if t}


class Mapped(NamedTuple):
    """What one row gave: its inputs, or the error that keeps it aside."""

    line: int
    inputs: tuple[Input, ...]
    error: ZhongshuError | None = None


def load_mapping(path: Path) -> Mapping:
    """
    Raises:
        InvalidInput: the file cannot be read, is not YAML, or breaks the format (`where` has the field).
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Mapping.model_validate(content)
    except ValidationError as cause:
        problem = cause.errors()[0]
        field = ".".join(str(p) for p in problem["loc"])
        raise InvalidInput(
            Text(f"映射文件有误：{problem['msg']}", f"the mapping is wrong: {problem['msg']}"),
            where={"file": str(path), **({"field": field} if field else {})},
            nearest=nearest(field, Mapping.model_fields) if problem["type"] == "extra_forbidden" else (),
        ) from cause
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise InvalidInput(
            Text(f"读不了映射文件：{cause}", f"the mapping cannot be read: {cause}"), where={"file": str(path)}
        ) from cause


def read_inputs(path: Path, mapping: Mapping, now: Micros | None = None) -> Iterator[Mapped]:
    """Facts, relations and events of a file, row by row; a row with an error gives none of them. `now`: from when what
    the rows say counts where they name no time.

    Raises:
        InvalidInput: the file as a whole cannot be read.
        UnknownName: the mapping names a column that the first row does not have.
    """
    return map_rows(read_rows(path), mapping, str(path), now)


def map_rows(rows: Iterable[Row], mapping: Mapping, path: str, now: Micros | None = None) -> Iterator[Mapped]:
    """As `read_inputs`, of rows from anywhere; `path` is named in errors."""
    checked = False
    for row in rows:
        if row.error is None and not checked:
            _check_columns(row, mapping, path)
            checked = True
        try:
            if row.error is not None:
                raise row.error
            yield Mapped(row.line, tuple(_inputs(row, mapping, now)))
        except ZhongshuError as error:
            yield Mapped(row.line, (), error.at(file=path, line=row.line))


def _check_columns(row: Row, mapping: Mapping, path: str) -> None:
    for column in sorted(mapping.columns() - row.values.keys()):
        raise UnknownName(
            Text(f"文件没有列 {column!r}", f"the file has no column {column!r}"),
            where={"file": path},
            nearest=nearest(column, row.values) or sorted(row.values)[:5],
        )


def _inputs(row: Row, mapping: Mapping, now: Micros | None) -> Iterator[Input]:
    subject = _filled(mapping.subject, row)
    if mapping.facts or mapping.relations:
        since = format_time(_time(row, mapping.time, mapping.timezone, now))
        claim = {"from": since, "source": mapping.source}
        for name, cell in mapping.facts.items():
            if (value := _value(row, cell)) is not None:
                yield read_fact({"subject": subject, "property": name, "value": value, **claim})
        for rule in mapping.relations:
            if all(_present(row, c) for c in _PLACE.findall(rule.object)):
                other = _filled(rule.object, row)
                yield read_fact({"subject": subject, "relation": rule.relation, "object": other, **claim})
                for name, cell in rule.facts.items():
                    if (value := _value(row, cell)) is not None:
                        yield read_fact({"subject": other, "property": name, "value": value, **claim})
    for event in mapping.events:
        whose = _filled(event.subject, row) if event.subject else subject
        yield _event(row, mapping, event, whose, now)


def _event(row: Row, mapping: Mapping, rule: EventRule, subject: str, now: Micros | None) -> Event:
    body = {name: value for name, cell in rule.data.items() if (value := _value(row, cell)) is not None}
    moment = _time(row, rule.time or mapping.time, mapping.timezone, now)
    digest = stable_id("row", mapping.source, rule.type, *(f"{k}={v}" for k, v in sorted(row.values.items())))
    return read_event(
        {
            "id": _filled(rule.id, row) if rule.id else digest,
            "type": rule.type,
            "time": format_time(moment),
            "subject": subject,
            "source": mapping.source,
            "data": body,
        }
    )


def _present(row: Row, column: str) -> bool:
    value = row.values.get(column)
    return value is not None and str(value).strip() != ""


def _filled(template: str, row: Row) -> str:
    def fill(match: re.Match[str]) -> str:
        if not _present(row, match.group(1)):
            raise InvalidInput(Text("单元格是空的", "the cell is empty"), where={"field": match.group(1)})
        return _BLANK.sub("_", as_text(row.values[match.group(1)]))

    return _PLACE.sub(fill, template)


def _time(row: Row, column: str | None, zone: str | None, now: Micros | None) -> Micros:
    if column is None:
        if now is None:
            raise InvalidInput(
                Text("映射没有时间列", "the mapping names no column of times"),
                hint=Text("给映射加上 time", "Give the mapping a `time`"),
            )
        return now
    value = as_text(row.values.get(column))
    moment = read_date(value)
    if moment is None or (moment.tzinfo is None and zone is None):
        return parse_time(value, column)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone or "UTC"))
    return parse_time(format_time(to_micros(moment.astimezone(UTC))), column)


def _value(row: Row, cell: Cell) -> Any:
    if not _present(row, cell.column):
        return None
    value = row.values[cell.column]
    text = as_text(value)
    if cell.type == "number":
        return _number(text, cell)
    if cell.type == "date":
        moment = read_date(text)
        if moment is None:
            raise _wrong(cell, text, Text("不是日期", "is not a date"), hint=_DATES)
        return moment.date().isoformat() if not (moment.hour or moment.minute) else moment.isoformat()
    if cell.type == "boolean":
        if text.lower() in _YES | _NO:
            return text.lower() in _YES
        raise _wrong(cell, text, Text("不是是/否", "is not yes or no"), ["true", "false", "是", "否"])
    return text if cell.type == "text" or isinstance(value, str) else value


_NUMBERS = Text(
    "例如 1200、1,200.5、12.5%；列里是文字时，把映射里这一列的类型改为 text",
    "For example 1200, 1,200.5 or 12.5%; if the column holds words, make its type in the mapping text",
)
_DATES = Text(
    "例如 2026-05-31、2026年5月31日；列里是文字时，把映射里这一列的类型改为 text",
    "For example 2026-05-31 or 2026年5月31日; if the column holds words, make its type in the mapping text",
)


def _number(text: str, cell: Cell) -> float:
    found = read_number(text)
    if found is None:
        raise _wrong(cell, text, Text("不是数值", "is not a number"), hint=_NUMBERS)
    number, unit = found
    have = unit or cell.unit
    return convert(number, have, cell.to) if have and cell.to else number


def _wrong(cell: Cell, text: str, what: Text, nearest: Sequence[str] = (), hint: Text | None = None) -> InvalidInput:
    said = Text(f"{text!r:.40} {what.zh}", f"{text!r:.40} {what.en}")
    return InvalidInput(said, where={"field": cell.column}, nearest=nearest, hint=hint)
