"""What streams in: events (CloudEvents 1.0), facts and relations. These are the shapes inside; reading them from JSON
checks structure only — whether the catalog knows the type and fields is asked in knowledge.catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidInput
from core.text import Text
from core.times import Micros, check_moment, parse_time

_SUBJECT = re.compile(r"[A-Za-z][\w.-]*/[^\s/][^\s]*")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a subject. Identity is (source, id); `time` is event time."""

    id: str
    type: str
    time: Micros
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def order(self) -> tuple[int, str, str]:
        """Total order of events: time, then id, then source; arrival order never matters."""
        return (self.time, self.id, self.source)


@dataclass(frozen=True, slots=True)
class Fact:
    """From `time` on, the subject's property has this value (None: it has none any more). `source`: who says so."""

    subject: str
    property: str
    value: Any
    time: Micros
    source: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """From `time` on, the subject is (or, with `ended`, is no longer) in `relation` to `object`."""

    subject: str
    relation: str
    object: str
    time: Micros
    ended: bool = False
    source: str = ""


Input = Event | Fact | Relation
"""Everything the engine consumes, in one stream ordered by time."""


def _subject(value: object, name: str = "subject") -> str:
    if not isinstance(value, str) or not _SUBJECT.fullmatch(value):
        raise InvalidInput(
            Text(f"{name} {value!r} 不是“类型/编号”", f"{name} {value!r} is not `type/key`"),
            where={"field": name},
            hint=Text("例如 customer/c1", "For example customer/c1"),
        )
    return value


def _text(obj: Mapping[str, Any], name: str) -> str:
    value = obj.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(Text(f"缺少文本字段 {name}", f"the text field {name} is missing"), where={"field": name})
    return value


def _time(obj: Mapping[str, Any], name: str, known: int | None) -> Micros:
    return parse_time(obj.get(name), name) if known is None else check_moment(known, name)


def read_event(obj: object, time: int | None = None) -> Event:
    """A CloudEvents 1.0 JSON object → Event. `time`: its moment, where a typed source (a column of a file) has it.

    Raises:
        InvalidInput: not an object, a required attribute missing or malformed, a naive or absurd time.
    """
    if not isinstance(obj, dict):
        raise InvalidInput(Text("事件应是 JSON 对象", "an event must be a JSON object"))
    version = obj.get("specversion", "1.0")
    if version != "1.0":
        raise InvalidInput(
            Text(f"不支持 CloudEvents 版本 {version!r}", f"CloudEvents version {version!r} is not supported"),
            where={"field": "specversion"},
            hint=Text("应为 1.0", "It must be 1.0"),
        )
    data = obj.get("data", {})
    if not isinstance(data, dict):
        raise InvalidInput(Text("data 应是 JSON 对象", "data must be a JSON object"), where={"field": "data"})
    source = obj.get("source", "")
    return Event(
        id=_text(obj, "id"),
        type=_text(obj, "type"),
        time=_time(obj, "time", time),
        subject=_subject(obj.get("subject")),
        data=data,
        source=source if isinstance(source, str) else "",
    )


def read_fact(obj: object, time: int | None = None) -> Fact | Relation:
    """`{"subject","property","value","from"}` or `{"subject","relation","object","from"}` → Fact or Relation; `time` as
    in `read_event`.

    Raises:
        InvalidInput: neither shape, or a part of it malformed.
    """
    if not isinstance(obj, dict):
        raise InvalidInput(Text("事实应是 JSON 对象", "a fact must be a JSON object"))
    subject = _subject(obj.get("subject"))
    since = _time(obj, "from", time)
    source = _text(obj, "source") if obj.get("source") else ""
    if "relation" in obj:
        return Relation(subject, _text(obj, "relation"), _subject(obj.get("object"), "object"), since, source=source)
    if "value" not in obj:
        raise InvalidInput(Text("缺少字段 value", "the field value is missing"), where={"field": "value"})
    return Fact(subject, _text(obj, "property"), obj["value"], since, source)
