"""Dates against the calendar: days before one, its month or day, once or every year."""

from __future__ import annotations

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
