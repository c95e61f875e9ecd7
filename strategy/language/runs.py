"""Runs in a row, nothing for a time, the first or n-th time, and the time since the last."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import NoReturn, cast

from core.text import Text
from core.times import DAY
from strategy.document import Aggregate, EventFilter, Sequence, Step, Streak, Window
from strategy.language.amounts import Quantity, Run, Span
from strategy.language.draft import LeafDraft
from strategy.language.fields import draft_of, filters_of, no_loose, take_loose, window_of
from strategy.language.lexer import Part
from strategy.language.said import Said, gather
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain


def run_leaf(seg: Segment, said: Said, breakers: Seq[Segment]) -> LeafDraft:
    scope, run = seg.scope, said.run
    assert run is not None
    over = said.window
    open_ended = run.times is None and run.per == "event" and run.micros is None
    if open_ended and over is not None and over.last is not None:
        run, said.window = Run(over.last), None  # the last three … in a row
    if open_ended and over is not None and over.form == "bare" and over.said is not None and over.said.period:
        run = Run(round(over.said.number), over.said.period, over.over)  # 连续登录3天
        said.window = None
    times = run.times
    if (part := seg.take("CMP")) is not None:
        if part.get("CMP") not in (">=", ">") or (times is None and said.count is None):
            complain(part, scope)
        times = times + 1 if times is not None and part.get("CMP") == ">" else times
    if said.window is not None and said.window_part is not None:
        scope.refuse(
            [said.window_part],
            "“连续”没有时间窗；它只看先后，不看多久",
            "a run in a row has no time window: only order counts",
            Text("若指时间窗内的次数，去掉“连续”", "If you mean a count in a window, leave out “in a row”"),
        )
    if run.micros is not None and said.negation is not None and not seg.has("EVERYPER"):
        if said.booleans(scope):
            _ask_negated_period(seg, said, run)
        return absence(seg, said, run.micros)
    if run.times is None and run.micros is not None:
        scope.refuse(
            [cast(Part, said.run_part)],
            "“连续”后面应是次数、天、晚、周或月",
            "a run is counted in times, days, nights, weeks or months",
        )
    if times is None and said.count is not None and said.count[0] in (None, ">=", "==", ">"):
        times = round(said.count[1]) + (1 if said.count[0] == ">" else 0)
        said.count = None
    if times is None and (part := next((p for p in seg.free("QTY") if p.get("QTY").unit is None), None)):
        times = round(part.get("QTY").number)
        seg.use(part)
    if times is None:
        scope.invalid(
            [cast(Part, said.run_part)],
            "“连续”多少次？",
            "how many in a row?",
            Text("例如“连续3次”“连续两晚”", "For example “3 times in a row”, “two nights running”"),
        )
    if said.count is not None:
        scope.refuse(
            [said.count[2]], "“连续”与另一个次数不能合在一个条件里", "a run and another count cannot be one condition"
        )
    if said.negation is not None and not said.booleans(scope):
        not_counted([said.negation], scope)
    if said.loose:
        take_loose(seg, said)
    if run.per != "event" and not seg.take("EVERYPER") and seg.has("EACH"):
        units = [p for p in seg.free("UNIT") if Quantity(1, p.get("UNIT")).period == run.per]
        if units:
            seg.use(units[0], seg.free("EACH")[0])
    if times < 1:
        scope.refuse(list(seg.parts), "“连续”至少要1次", "a run is at least 1 long")
    condition = Streak(
        event=said.event,
        where=filters_of(seg, said),
        times=times,
        per=run.per,
        without=tuple(breaker_of(b) for b in breakers),
    )
    if said.function is not None:
        scope.invalid(list(seg.parts), "“连续”不能与合计、平均等一起用", "a run cannot go with a sum or an average")
    return draft_of(seg, said, condition)


def not_counted(parts: Seq[Part], scope: Scope) -> NoReturn:
    """ "连续3次没登录", "3次没登录"."""
    scope.refuse(
        parts,
        "没发生的事没有“次”数；要说多久没有发生",
        "what did not happen has no count; say for how long",
        Text("例如“连续7天没有登录”", "For example “has not logged in for 7 days”"),
    )


def breaker_of(seg: Segment) -> EventFilter:
    """The event of "without …"."""
    said = gather(seg)
    if said.count or said.window or said.run or said.function:
        seg.scope.invalid(list(seg.parts), "“期间没有”后面只能是事件", "“without” takes an event only")
    found = EventFilter(event=said.event, where=filters_of(seg, said, positive=True))
    no_loose(seg, said)
    seg.finish()
    return found


def _ask_negated_period(seg: Segment, said: Said, run: Run) -> None:
    scope = seg.scope
    field = said.booleans(scope)[0][1]
    zh, en = scope.label("event", said.event, "zh"), scope.label("event", said.event, "en")
    fzh, fen = scope.label("field", field.id, "zh", said.event), scope.label("field", field.id, "en", said.event)
    days, times = round((run.micros or 0) / DAY), run.times
    unit = {"day": ("天", "days"), "night": ("晚", "nights"), "week": ("周", "weeks"), "month": ("个月", "months")}[
        run.per
    ]
    scope.ask(
        list(seg.parts),
        "是这段时间里一次也没有，还是每天都有一次没有？",
        "not even once in that time, or missed on each of those days?",
        [
            Text(f"过去{days}天内没有{fzh}{zh}", f"no {en} {fen} in the last {days} days"),
            Text(
                f"连续{times}{unit[0]}都有{zh}（{fzh}为假）", f"{en} ({fen} is false) on {times} consecutive {unit[1]}"
            ),
        ],
    )


def absence(seg: Segment, said: Said, micros: int | None) -> LeafDraft:
    condition = Aggregate(
        event=said.event,
        where=filters_of(seg, said, positive=True),
        function="count",
        window=Window(over=micros),
        op="==",
        value=0.0,
    )
    return draft_of(seg, said, condition)


def nth_leaf(seg: Segment, said: Said) -> LeafDraft:
    """ "首次登录", "第3次登录": a count over all history (or the window) that reaches that number, once."""
    number, part = said.nth or (1.0, seg.parts[0])
    ago = said.window_part if said.window is not None and said.window.form == "bare" else None
    for other in (said.negation, said.count and said.count[2], said.run_part, ago):
        if other is not None:
            complain(other, seg.scope)
    if number != int(number) or number < 1:
        complain(part, seg.scope)
    filters = filters_of(seg, said)
    if filters:
        words = seg.scope.said(*seg.parts)
        seg.scope.warn(
            f"“{words}”按第 {number:g} 次符合条件的事件理解",
            f"{words!r} was read as event number {number:g} of those that fit",
        )
    condition = Aggregate(
        event=said.event, where=filters, function="count", window=window_of(said), op=">=", value=number
    )
    return draft_of(seg, said, condition, "fixed")


def since_leaf(seg: Segment, said: Said) -> LeafDraft:
    """ "距上次登录超过7天", "7 days since the last login": the event, then none for that long."""
    step = Step(event=said.event, where=filters_of(seg, said))
    absent = step.model_copy(update={"within": cast(Span, said.window).over, "absent": True})
    owner = seg.scope.catalog.events[said.event].subject
    return LeafDraft(Sequence(steps=(step, absent)), owner, "fixed", seg.parts)
