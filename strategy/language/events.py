"""What a segment says about an event → the kind of condition it makes: an act, a count or other aggregate over a window,
a run in a row, or nothing for a time; and a step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import cast

from core.text import Text
from core.times import DAY
from strategy.document import (
    Aggregate, EventFilter, Filter, Function, Happens, Op, Sequence, Step, Streak, Value, Window,
)  # fmt: skip
from strategy.language.draft import LeafDraft, Style
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.quantities import OPPOSITE, Comparison, Quantity, Run, Span
from strategy.language.said import FieldTest, Said, gather
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain, describe
from strategy.language.values import number_tests, tests_of


def event_leaf(seg: Segment, breakers: Seq[Segment] = ()) -> LeafDraft:
    """The condition a segment about one event makes; `breakers` are the "without …" of a run."""
    said = gather(seg)
    scope = seg.scope
    if said.run is not None:
        draft = _run(seg, said, breakers)
    elif said.function is not None:
        draft = _aggregate(seg, said)
    elif said.count is not None:
        draft = _count(seg, said)
    elif said.negation is not None:
        draft = _negated(seg, said)
    elif said.window is not None:
        draft = _windowed(seg, said)
    else:
        draft = _act(seg, said)
    _no_loose(seg, said)
    seg.finish()
    numeric = [t for t in said.tests if scope.attribute(t.name).type == "number"]
    if numeric:
        scope.recent = Part(numeric[-1].part.start, numeric[-1].part.start, {"NAME": (numeric[-1].name,)})
    elif said.count is not None:
        scope.recent = Part(said.count[2].start, said.count[2].start, {"NAME": (Name("event", said.event),)})
    return draft


def _no_loose(seg: Segment, said: Said) -> None:
    if said.loose:
        complain(said.loose[0], seg.scope)


def _draft(
    seg: Segment, said: Said, condition: Happens | Aggregate | Streak, style: Style = "state", windowless: bool = False
) -> LeafDraft:
    owner = seg.scope.catalog.events[said.event].subject
    draft = LeafDraft(condition, owner, style, seg.parts, windowless)
    if said.window is not None and said.window.form in ("inside", "within", "in"):
        draft.within = said.window.over
    return draft


def _filters(seg: Segment, said: Said, *, positive: bool | None = None, without: Seq[FieldTest] = ()) -> tuple[Filter, ...]:
    """Every filter in the order said. `positive`: the polarity of boolean fields (default: not negated)."""
    seen = [t for t in said.tests if t not in without]
    polarity = said.negation is None if positive is None else positive
    placed: list[tuple[int, Filter]] = [(seg.index(t.part), f) for t in seen for f in t.filters()]
    for part, name in said.booleans(seg.scope):
        placed.append((seg.index(part), Filter(field=name.id, op="==", value=polarity)))
    if said.plain_fields(seg.scope) and said.function is None:
        part, name = said.plain_fields(seg.scope)[0]
        label = describe(name, seg.scope)
        seg.scope.invalid(
            [part], f"“{label.zh}”没有说与什么比较", f"{label.en!r} is not compared with anything",
            Text(f"例如“{label.zh}大于…”", f"For example “{label.en} above …”"),
        )  # fmt: skip
    return (*said.bracket, *(f for _, f in sorted(placed, key=lambda p: p[0])))


def _window(said: Said) -> Window:
    if said.window is None:
        return Window()
    return Window(over=said.window.over, last=said.window.last)


def _run(seg: Segment, said: Said, breakers: Seq[Segment]) -> LeafDraft:
    scope, run = seg.scope, said.run
    assert run is not None
    times = run.times
    if said.window is not None and said.window_part is not None:
        scope.refuse(
            [said.window_part], "“连续”没有时间窗;它只看先后,不看多久", "a run in a row has no time window: only order counts",
            Text("若指时间窗内的次数,去掉“连续”", "If you mean a count in a window, leave out “in a row”"),
        )  # fmt: skip
    if run.micros is not None and said.negation is not None and not seg.has("EVERYPER"):
        if said.booleans(scope):
            _ask_negated_period(seg, said, run)
        return _absence(seg, said, run.micros)
    if run.times is None and run.micros is not None:
        scope.refuse(
            [cast(Part, said.run_part)], "“连续”后面应是次数、天、晚、周或月", "a run is counted in times, days, nights, weeks or months"
        )
    if times is None and said.count is not None and said.count[0] in (None, ">=", "==", ">"):
        times = round(said.count[1]) + (1 if said.count[0] == ">" else 0)
        said.count = None
    if times is None and (part := next((p for p in seg.free("QTY") if p.get("QTY").unit is None), None)):
        times = round(part.get("QTY").number)
        seg.use(part)
    if times is None:
        scope.invalid(
            [cast(Part, said.run_part)], "“连续”多少次?", "how many in a row?",
            Text("例如“连续3次”“连续两晚”", "For example “3 times in a row”, “two nights running”"),
        )  # fmt: skip
    if said.count is not None:
        scope.refuse(
            [said.count[2]], "“连续”与另一个次数不能合在一个条件里", "a run and another count cannot be one condition"
        )
    if said.negation is not None and not said.booleans(scope):
        scope.refuse(
            [said.negation], "没发生的事没有“次”数;要说多久没有发生", "what did not happen has no count; say for how long",
            Text("例如“连续7天没有登录”", "For example “has not logged in for 7 days”"),
        )  # fmt: skip
    if said.loose:
        _loose_test(seg, said)
    condition = Streak(
        event=said.event, where=_filters(seg, said), times=times, per=run.per,
        without=tuple(breaker_of(b) for b in breakers),
    )  # fmt: skip
    if said.function is not None:
        scope.invalid(list(seg.parts), "“连续”不能与合计、平均等一起用", "a run cannot go with a sum or an average")
    return _draft(seg, said, condition)


def breaker_of(seg: Segment) -> EventFilter:
    """The event of "without …"."""
    said = gather(seg)
    if said.count or said.window or said.run or said.function:
        seg.scope.invalid(list(seg.parts), "“期间没有”后面只能是事件", "“without” takes an event only")
    found = EventFilter(event=said.event, where=_filters(seg, said, positive=True))
    _no_loose(seg, said)
    seg.finish()
    return found


def _ask_negated_period(seg: Segment, said: Said, run: Run) -> None:
    scope = seg.scope
    field = said.booleans(scope)[0][1]
    zh, en = scope.label("event", said.event, "zh"), scope.label("event", said.event, "en")
    fzh, fen = scope.label("field", field.id, "zh", said.event), scope.label("field", field.id, "en", said.event)
    days, times = round((run.micros or 0) / DAY), run.times
    unit = {"day": ("天", "days"), "night": ("晚", "nights"), "week": ("周", "weeks"), "month": ("个月", "months")}[run.per]
    scope.ask(
        list(seg.parts),
        "是这段时间里一次也没有,还是每天都有一次没有?",
        "not even once in that time, or missed on each of those days?",
        [
            Text(f"过去{days}天内没有{fzh}{zh}", f"no {en} {fen} in the last {days} days"),
            Text(f"连续{times}{unit[0]}都有{zh}（{fzh}为假）", f"{en} ({fen} is false) on {times} consecutive {unit[1]}"),
        ],
    )


def _absence(seg: Segment, said: Said, micros: int | None) -> LeafDraft:
    condition = Aggregate(
        event=said.event, where=_filters(seg, said, positive=True), function="count",
        window=Window(over=micros), op="==", value=0.0,
    )  # fmt: skip
    return _draft(seg, said, condition)


def _aggregate(seg: Segment, said: Said) -> LeafDraft:
    scope, function = seg.scope, cast(Function, said.function)
    if function == "last" and said.named and not said.fields and not said.tests and said.window and said.window.form == "bare":
        seg.take("SINCE")
        return _since(seg, said)
    if said.negation is not None:
        complain(said.negation, scope)
    if said.count is not None and function == "sum" and not said.plain_fields(scope):
        return _count(seg, said)
    compared = next((t for t in reversed(said.tests) if _aggregable(scope, t.name, function)), None)
    if compared is not None:
        name, tests = compared.name, list(compared.tests)
        if function in ("distinct",) and scope.attribute(name).type != "number":
            complain(compared.part, scope)
        others = [t for t in said.tests if t is not compared]
        said.fields = [(p, n) for p, n in said.fields if n.id != name.id]
    else:
        name, tests = _aggregate_value(seg, said, function)
        others = said.tests
    del others
    if len(tests) != 1:
        scope.refuse(
            list(seg.parts), "合计或平均请只与一个数比较", "compare a sum or an average with one number only",
            Text("把范围拆成两个条件", "Split the range into two conditions"),
        )  # fmt: skip
    op, value = tests[0]
    condition = Aggregate(
        event=said.event, where=_filters(seg, said, without=[compared] if compared else []), function=function,
        field=name.id, window=_window(said), op=op, value=value,
    )  # fmt: skip
    windowless = said.window is None and function != "last"
    if windowless:
        _say_all_history(seg)
    return _draft(seg, said, condition, "fixed" if function == "last" else "state", windowless)


def _aggregable(scope: Scope, name: Name, function: Function) -> bool:
    kind = scope.attribute(name).type
    return kind == "number" or function in ("last", "distinct")


def _aggregate_value(seg: Segment, said: Said, function: Function) -> tuple[Name, list[tuple[Op, Value]]]:
    """The field of an aggregate whose comparison stands apart from it ("total order amount … over 1000")."""
    scope = seg.scope
    fields = [n for _, n in said.plain_fields(scope)]
    if said.count is not None and function == "distinct":
        op, number, part = said.count
        said.count = None
        loose = part
        tests: list[tuple[Op, Value]] = [(cast(Op, op or ">="), number)]
        if len(fields) == 1:
            return fields[0], tests
        complain(loose, scope)
    if not said.loose:
        scope.invalid(
            list(seg.parts), "没有说与多少比较", "it is not said what the value is compared with",
            Text("例如“超过1000元”", "For example “over 1000”"),
        )  # fmt: skip
    part = said.loose.pop(0)
    comparison: Comparison = part.get("CMPQ")
    if not fields:
        fields = _fields_for(scope, said.event, comparison.quantity)
        if len(fields) == 1:
            label = describe(fields[0], scope)
            scope.warn(f"“{scope.said(part)}”按{label.zh}理解", f"{scope.said(part)!r} was read as {label.en}")
    if len(fields) != 1:
        if len(fields) > 1:
            scope.ask([part], "指哪个字段?", "which field is meant?", [describe(n, scope) for n in fields])
        complain(part, scope)
    attribute = scope.attribute(fields[0])
    if function == "distinct":
        return fields[0], [(op, v) for op, v in number_tests(comparison, None, part, scope)]
    tests = [(op, v) for op, v in number_tests(comparison, attribute.unit, part, scope)]
    said.fields = [(p, n) for p, n in said.fields if n != fields[0]]
    return fields[0], tests


def _fields_for(scope: Scope, event: str, quantity: Quantity) -> list[Name]:
    """The numeric fields of an event that a quantity can be meant for: those of its dimension, else (no unit) all."""
    fields = [Name("field", n, event) for n, f in scope.catalog.events[event].fields.items() if f.type == "number"]
    if quantity.unit is None or len(fields) <= 1:
        return fields
    from knowledge.catalog.units import WrongUnit, convert

    fitting = []
    for name in fields:
        try:
            convert(1, quantity.unit, scope.attribute(name).unit)
        except WrongUnit:
            continue
        fitting.append(name)
    return fitting or fields


def _say_all_history(seg: Segment) -> None:
    seg.scope.warn(
        f"“{seg.scope.said(*seg.parts)}”没有时间窗,按全部历史计算",
        f"{seg.scope.said(*seg.parts)!r} has no time window; all history is counted",
    )


def _count(seg: Segment, said: Said) -> LeafDraft:
    scope = seg.scope
    assert said.count is not None
    op, number, part = said.count
    filters = _filters(seg, said)
    if said.negation is not None and not said.booleans(scope):
        op = "<" if op is None else OPPOSITE[op]
    elif op is None:
        if seg.take("ONLY"):
            scope.ask([part], "是“恰好”还是“不超过”?", "exactly, or at most?", [Text("恰好", "exactly"), Text("不超过", "at most")])
        op = ">="
        words = scope.said(part)
        scope.warn(f"“{words}”按“至少{words}”理解", f"{words!r} was read as “at least {words}”")
    if number != int(number):
        scope.invalid([part], "次数应是整数", "a count must be a whole number")
    if (op == "<" and number <= 0) or (op in ("<=", "==") and number < 0):
        scope.refuse([part], "次数不会小于0,这个条件永远不成立", "a count is never below 0: this can never be true")
    if (op == ">=" and number <= 0) or (op in (">", "!=") and number < 0):
        scope.refuse([part], "次数总是不小于0,这个条件总是成立", "a count is always at least 0: this is always true")
    condition = Aggregate(
        event=said.event, where=filters, function="count", window=_window(said), op=cast(Op, op), value=float(number)
    )
    windowless = said.window is None and said.function is None
    if windowless:
        _say_all_history(seg)
    return _draft(seg, said, condition, "state", windowless)


def _negated(seg: Segment, said: Said) -> LeafDraft:
    scope = seg.scope
    if said.never:
        if said.window is not None and said.window.over is not None:
            return _absence(seg, said, said.window.over)
        return _absence(seg, said, None)
    if said.window is not None:
        if said.window.last is not None:
            complain(cast(Part, said.window_part), scope)
        return _absence(seg, said, said.window.over)
    if said.booleans(scope):
        condition = Happens(event=said.event, where=_filters(seg, said))
        return _draft(seg, said, condition, "fixed" if said.explicit else "act")
    filters = _filters(seg, said)
    condition_ = Aggregate(event=said.event, where=filters, function="count", op="==", value=0.0)
    draft = _draft(seg, said, condition_)
    draft.without = EventFilter(event=said.event, where=filters)
    return draft


def _since(seg: Segment, said: Said) -> LeafDraft:
    """"距上次登录超过7天", "7 days since the last login": the event, then none for that long."""
    step = Step(event=said.event, where=_filters(seg, said))
    absent = step.model_copy(update={"within": cast(Span, said.window).over, "absent": True})
    owner = seg.scope.catalog.events[said.event].subject
    return LeafDraft(Sequence(steps=(step, absent)), owner, "fixed", seg.parts)


def _windowed(seg: Segment, said: Said) -> LeafDraft:
    if cast(Span, said.window).form == "bare" and seg.take("SINCE"):
        return _since(seg, said)
    scope, window, part = seg.scope, cast(Span, said.window), cast(Part, said.window_part)
    if window.last is not None:
        return _last_n(seg, said, window.last)
    if window.form in ("bare", "for"):
        scope.invalid(
            [part], f"没有看懂“{scope.said(part)}”在这里指什么", f"{scope.said(part)!r} was not understood here",
            Text("例如“7天内登录少于2次”“7天没有登录”", "For example “logs in fewer than 2 times in 7 days”"),
        )  # fmt: skip
    if said.loose and said.single:
        _loose_test(seg, said)
    elif said.loose:
        loose = said.loose.pop(0)
        comparison: Comparison = loose.get("CMPQ")
        fields = _fields_for(scope, said.event, comparison.quantity)
        if len(fields) != 1:
            if fields:
                scope.ask([loose], "指哪个字段?", "which field is meant?", [describe(n, scope) for n in fields])
            complain(loose, scope)
        attribute = scope.attribute(fields[0])
        tests = number_tests(comparison, attribute.unit, loose, scope)
        if len(tests) != 1:
            complain(loose, scope)
        label = describe(fields[0], scope)
        scope.warn(f"“{scope.said(loose)}”按{label.zh}合计理解", f"{scope.said(loose)!r} was read as the total of {label.en}")
        total = Aggregate(
            event=said.event, where=_filters(seg, said), function="sum", field=fields[0].id, window=_window(said),
            op=tests[0][0], value=tests[0][1],
        )  # fmt: skip
        return _draft(seg, said, total)
    money = [t for t in said.tests if (scope.attribute(t.name).unit or "") in ("CNY", "USD", "EUR", "元", "万元")]
    if money and not said.single and not said.bracket:
        words = scope.said(money[0].part)
        label = describe(money[0].name, scope)
        span = scope.said(part)
        scope.ask(
            list(seg.parts), "是这段时间的合计,还是其中一笔?", "the total over that time, or one of them?",
            [Text(f"{span}{label.zh}合计{words}", f"total {label.en} {words} {span}"),
             Text(f"{span}有单笔{label.zh}{words}", f"a single {label.en} {words} {span}")],
        )  # fmt: skip
    condition = Aggregate(
        event=said.event, where=_filters(seg, said), function="count", window=_window(said), op=">=", value=1.0
    )
    return _draft(seg, said, condition)


def _last_n(seg: Segment, said: Said, last: int) -> LeafDraft:
    """"最近3次都高于150" is a run; without 都 it may as well be an average."""
    scope = seg.scope
    if (said.tests or said.booleans(scope)) and (said.every or last == 1):
        filters = _filters(seg, said)
        if last == 1 and len(said.tests) == 1 and len(filters) == 1:
            test = said.tests[0]
            latest = Aggregate(
                event=said.event, function="last", field=test.name.id, op=filters[0].op, value=filters[0].value
            )
            return _draft(seg, said, latest, "fixed")
        return _draft(seg, said, Streak(event=said.event, where=filters, times=last))
    if said.tests:
        words = scope.said(said.tests[0].part)
        label = describe(said.tests[0].name, scope)
        scope.ask(
            list(seg.parts), f"最近{last}次是每一次都如此,还是平均如此?", f"each of the last {last}, or their average?",
            [Text(f"连续{last}次{label.zh}{words}", f"{label.en} {words} {last} times in a row"),
             Text(f"最近{last}次{label.zh}平均{words}", f"average {label.en} over the last {last} times {words}")],
        )  # fmt: skip
    complain(cast(Part, said.window_part), scope)


def _act(seg: Segment, said: Said) -> LeafDraft:
    scope = seg.scope
    if said.loose:
        _loose_test(seg, said)
    condition = Happens(event=said.event, where=_filters(seg, said))
    style: Style = "act"
    if said.explicit:
        style = "fixed"
    elif not said.named and not said.bracket and all(scope.attribute(t.name).type == "number" for t in said.tests):
        style = "reading" if said.tests and not said.booleans(scope) else "act"
    return _draft(seg, said, condition, style)


def _loose_test(seg: Segment, said: Said) -> None:
    """A comparison that names no field is a test on the event's one field that it fits."""
    scope = seg.scope
    loose = said.loose.pop(0)
    fields = _fields_for(scope, said.event, loose.get("CMPQ").quantity)
    if len(fields) != 1:
        if fields:
            scope.ask([loose], "指哪个字段?", "which field is meant?", [describe(n, scope) for n in fields])
        complain(loose, scope)
    label = describe(fields[0], scope)
    scope.warn(f"“{scope.said(loose)}”按{label.zh}理解", f"{scope.said(loose)!r} was read as {label.en}")
    said.tests.append(FieldTest(fields[0], loose, tests_of(scope.attribute(fields[0]), fields[0], loose, scope)))


def step_of(seg: Segment, *, first: bool, absent: bool = False) -> Step:
    """A segment as a step of a sequence: an event, its filters, "within" and "not".

    Raises:
        Refused: counts, runs and sums cannot be steps.
    """
    said = gather(seg)
    scope = seg.scope
    if said.count or said.run or said.function:
        scope.refuse(
            list(seg.parts), "先后顺序里的每一步只能是一个事件", "each step of a sequence can only be one event",
            Text("把计数条件放到“且”后面", "Put the count after an “and”"),
        )  # fmt: skip
    negative = said.negation is not None
    if said.loose:
        _loose_test(seg, said)
    if first and negative and said.booleans(scope):
        step = Step(event=said.event, where=_filters(seg, said, positive=False))
    else:
        absent = absent or negative
        step = Step(event=said.event, where=_filters(seg, said, positive=True), absent=absent)
    if said.window is not None:
        if said.window.over is None or said.window.form == "past":
            complain(cast(Part, said.window_part), scope)
        step = step.model_copy(update={"within": said.window.over})
    _no_loose(seg, said)
    seg.finish()
    return step
