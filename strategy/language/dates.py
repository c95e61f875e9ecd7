"""Dates against the calendar: days before one, its month or day, once or every year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.text import Text
from core.times import DAY
from strategy.document import DateIs
from strategy.language.amounts import Comparison, Quantity, Span
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain, describe


def date_condition(seg: Segment, part: Part, name: Name) -> DateIs | None:
    """A date against the calendar; None when it is compared with a fixed date."""
    scope = seg.scope
    if seg.has("CMPV"):
        return None
    month_day: Literal["month", "day"] | None = None
    annual, exact = seg.take("ANNUAL") is not None, seg.has("WHOLEDAY")
    if (ahead := seg.take("AHEAD")) is not None:
        return _days_before(name, (ahead.get("AHEAD").micros or 0) // DAY, ahead, scope, annual=annual, exact=exact)
    if found := seg.take("MONTHOF", "DAYOF", "TODAY", "CALENDAR"):
        if found.has("CALENDAR"):
            if found.get("CALENDAR") not in ("month", "d"):
                complain(found, scope)
            month_day = "month" if found.get("CALENDAR") == "month" else "day"
        else:
            month_day = "month" if found.has("MONTHOF") else "day"
        seg.take("THIS")
        return DateIs(attribute=name.id, part=month_day)
    duration = _date_duration(seg)
    if duration is None and annual:
        if seg.take("WHOLEDAY"):
            return DateIs(attribute=name.id, days_before=0, yearly=True)
        return DateIs(attribute=name.id, part="day")
    if duration is None and any(p.has("ON") for p in seg.parts[: seg.index(part)]):
        return DateIs(attribute=name.id, part="day")
    if duration is None and not seg.has("CMPQ"):
        label = describe(name, scope)
        scope.ask(
            [part],
            f"“{label.zh}”的哪个时候？",
            f"when, as to {label.en}?",
            [
                Text(f"{label.zh}当天", f"on the day of {label.en}"),
                Text(f"{label.zh}当月", f"in the month of {label.en}"),
                Text(f"{label.zh}前30天", f"30 days before {label.en}"),
            ],
        )
    if duration is None:
        return None
    quantity, at = duration
    while seg.take("BEFORE", "INSIDE", "START", "WHOLEDAY", "DISTANCE", "SINCE", "AFTER", "NEXT", "TO"):
        pass
    if (quantity.micros or 0) % DAY:
        scope.invalid(
            [at],
            "日期条件按整天计",
            "a date condition counts whole days",
            near=["7天" if scope.lang == "zh" else "7 days"],
        )
    return _days_before(name, (quantity.micros or 0) // DAY, at, scope, annual=annual, exact=exact)


_OF_A_DATE = ("BEFORE", "DUR", "WINDOW", "MONTHOF", "DAYOF", "TODAY", "AHEAD", "ANNUAL", "START")
_BESIDE_A_DATE = ("FILLER", "DE", "A", "IN", "ON")


def dated_apart(parts: Sequence[Part], scope: Scope) -> tuple[list[Part], list[Part]] | None:
    """ "生日那个月上线", "has not renewed 3 days before expiry": the date with what is said of it, and the rest of the
    clause; None where no date is said beside an event, or where it only says before or after which day."""
    at = next((i for i, p in enumerate(parts) if _names_date(p, scope)), None)
    if at is None:
        return None
    begin, stop = at, at + 1
    while stop < len(parts) and parts[stop].has(*_OF_A_DATE, *_BESIDE_A_DATE) and not parts[stop].names:
        stop += 1
    if not any(p.has(*_OF_A_DATE) for p in parts[at + 1 : stop]):
        while begin and parts[begin - 1].has(*_OF_A_DATE, *_BESIDE_A_DATE) and not parts[begin - 1].names:
            begin -= 1
        stop = at + 1
    dated, rest = list(parts[begin:stop]), [*parts[:begin], *parts[stop:]]
    acts = any(p.named("event") for p in rest)
    compared = any(p.named("attribute", "metric", "forecast") for p in rest) and any(
        p.has("CMPQ", "CMPV") for p in rest
    )
    if not acts and not compared:
        return None
    of_day = any(p.has("MONTHOF", "DAYOF") for p in dated)
    ahead = any(p.has("BEFORE", "AHEAD") for p in dated) and any(p.has("DUR", "AHEAD") for p in dated)
    denied = any(p.has("NEG", "NEVER") for p in rest)  # what happens days before it may be meant of all those days
    if of_day:  # "did not order on the birthday" is of that day alone
        return None if denied and not any(p.has("WINDOW", "DUR") for p in rest) else (dated, rest)
    return (dated, rest) if ahead and (denied or not acts) else None


def _names_date(part: Part, scope: Scope) -> bool:
    return any(scope.attribute(n).type == "date" for n in part.named("attribute")) and not part.named("event")


_RECURRING = ("生日", "诞辰", "出生", "纪念日", "周年", "birth", "anniversary")
"""In the label of a date that lies in the past and is meant again every year."""


def _days_before(name: Name, days: int, at: Part, scope: Scope, *, annual: bool, exact: bool) -> DateIs:
    """`exact`: said so fully that nothing is taken for granted."""
    labels = " ".join(scope.attribute(name).labels.all()).lower()
    if not annual and not exact and any(word in labels for word in _RECURRING):
        annual = True
        label = describe(name, scope)
        scope.warn(f"“{label.zh}”按每年理解", f"{label.en!r} was taken to come every year")
    if annual and days > 365:
        scope.invalid([at], "每年的日期最多提前365天", "a yearly date can be at most 365 days ahead")
    return DateIs(attribute=name.id, days_before=days, yearly=annual)


def _date_duration(seg: Segment) -> tuple[Quantity, Part] | None:
    scope = seg.scope
    if part := seg.take("WINDOW"):
        span: Span = part.get("WINDOW")
        if span.form == "past" or span.said is None or span.over is None:
            complain(part, scope)
        return span.said, part
    for part in seg.free("CMPQ"):
        comparison: Comparison = part.get("CMPQ")
        if comparison.quantity.micros is not None:
            if comparison.op not in ("<", "<=", "==") or comparison.high:
                complain(part, scope)
            seg.use(part)
            days = (comparison.quantity.micros or 0) // DAY - (comparison.op == "<")
            return (comparison.quantity if comparison.op != "<" else Quantity(max(days, 0), "d")), part
    if part := seg.take("DUR"):
        if not seg.has("BEFORE", "DISTANCE", "SINCE", "TO"):
            complain(part, scope)
        return part.get("DUR"), part
    return None
