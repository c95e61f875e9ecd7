"""Time as integers. Inside, a moment is microseconds since 1970-01-01T00:00:00Z and a duration is microseconds;
RFC 3339 and words such as `7d` exist only at the borders."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, NewType, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from core.errors import InvalidInput
from core.text import Text

_T = TypeVar("_T")

Micros = NewType("Micros", int)
"""A moment: microseconds since the Unix epoch, UTC."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

EARLIEST = Micros(0)
"""Moments before 1970 are taken for a broken clock."""
LATEST = Micros(4_102_444_800 * SECOND)
"""Moments from 2100-01-01 on are taken for a broken clock."""

LONGEST = 1_000 * 366 * DAY
"""Durations beyond this are slips, and would not fit where moments are kept."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?$")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)")
_UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": 1_000, "us": 1}


def parse_time(text: object, field: str = "time") -> Micros:
    """RFC 3339 with an offset → moment.

    Raises:
        InvalidInput: not RFC 3339, no offset (a naive time has no one meaning), or outside 1970–2100.
    """
    if not isinstance(text, str) or not (match := _RFC3339.match(text)):
        raise InvalidInput(
            Text(f"{text!r} 不是 RFC 3339 时间", f"{text!r} is not an RFC 3339 time"),
            where={"field": field},
            hint=Text("例如 2026-05-01T08:00:00+08:00", "For example 2026-05-01T08:00:00+08:00"),
        )
    if not match.group(2):
        raise InvalidInput(
            Text(f"时间 {text!r} 没有时区", f"time {text!r} has no offset"),
            where={"field": field},
            hint=Text(f"加上时区，如 {text}+08:00 或 {text}Z", f"Add one, such as {text}+08:00 or {text}Z"),
        )
    try:
        moment = to_micros(datetime.fromisoformat(text.upper().replace(" ", "T")))
    except (ValueError, OverflowError) as cause:
        raise InvalidInput(
            Text(f"{text!r} 不是存在的时间", f"{text!r} is not a time that exists"), where={"field": field}
        ) from cause
    return check_moment(moment, field, text)


def check_moment(moment: int, field: str = "time", text: object = None) -> Micros:
    """A moment that came as a number, or was read from `text`.

    Raises:
        InvalidInput: outside 1970–2100.
    """
    if not EARLIEST <= moment < LATEST:
        said = f"{moment} µs" if text is None else repr(text)
        raise InvalidInput(
            Text(f"时间 {said} 不可信", f"time {said} cannot be right"),
            where={"field": field},
            hint=Text(
                "应在 1970 与 2100 年之间；请检查设备时钟",
                "It must lie between 1970 and 2100; check the sender's clock",
            ),
        )
    return Micros(moment)


def to_micros(moment: datetime) -> Micros:
    """An aware datetime → moment, exact to the microsecond."""
    return Micros((moment - _EPOCH) // timedelta(microseconds=1))


def to_datetime(moment: int, zone: str = "UTC") -> datetime:
    """A moment → aware datetime in `zone`."""
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))


def format_time(moment: int, zone: str = "UTC") -> str:
    """A moment → RFC 3339, with `Z` for UTC and a fraction only where there is one."""
    return to_datetime(moment, zone).isoformat().replace("+00:00", "Z")


def parse_duration(text: object, field: str = "duration") -> int:
    """`90s`, `10m`, `2h`, `7d`, `1w`, `1h30m` → microseconds, up to `LONGEST`; a positive int passes unchanged."""
    if isinstance(text, int) and not isinstance(text, bool) and 0 <= text <= LONGEST:
        return text
    if isinstance(text, str):
        parts = _DURATION.findall(text)
        if parts and "".join(n + u for n, u in parts) == text.strip():
            micros = sum(float(n) * _UNITS[u] for n, u in parts)
            if micros <= LONGEST:
                return round(micros)
            raise InvalidInput(
                Text(f"时长 {text[:40]!r} 太长", f"duration {text[:40]!r} is too long"),
                where={"field": field},
                hint=Text("最长 1000 年", "At most 1000 years"),
            )
    raise InvalidInput(
        Text(f"{text!r} 不是时长", f"{text!r} is not a duration"),
        where={"field": field},
        hint=Text("例如 90s、10m、2h、7d、1w", "For example 90s, 10m, 2h, 7d, 1w"),
    )


def format_duration(micros: int) -> str:
    """Microseconds → the shortest text that `parse_duration` reads back exactly."""
    if micros == 0:
        return "0s"
    parts: list[str] = []
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1_000), ("us", 1)):
        count, micros = divmod(micros, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def check_zone(name: object) -> str:
    """An IANA time zone's name, checked.

    Raises:
        InvalidInput: there is no such zone.
    """
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        raise InvalidInput(
            Text(f"没有时区 {name!r}", f"there is no time zone {name!r}"),
            hint=Text("例如 Asia/Shanghai", "For example Asia/Shanghai"),
        ) from cause
    return str(name)


def pydantic_reader(read: Callable[[object], _T]) -> Callable[[object], _T]:
    """Let a reader that raises InvalidInput serve as a pydantic validator, which must raise ValueError."""

    def validate(value: object) -> _T:
        try:
            return read(value)
        except InvalidInput as error:
            raise ValueError(error.say("en")) from error

    return validate


Duration = Annotated[
    int,
    BeforeValidator(pydantic_reader(parse_duration)),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(us|ms|s|m|h|d|w))+$", "examples": ["15m", "7d"]}),
]
"""Microseconds inside, text such as `7d` in documents."""
