"""Counts, sums, averages and newest values over a window."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import cast, get_args

from core.text import Text, has_chinese
from knowledge.catalog.units import adds_up
from strategy.document import SUBJECT, Aggregate, Function, Op, Streak
from strategy.language.amounts import OPPOSITE, Comparison, Span
from strategy.language.draft import LeafDraft
from strategy.language.fields import draft_of, fields_for, filters_of, take_loose, window_of
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.runs import not_counted, since_leaf
from strategy.language.said import Said
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain, describe
from strategy.language.values import Tests, number_tests


def aggregate_leaf(seg: Segment, said: Said) -> LeafDraft:
    scope, function = seg.scope, cast(Function, said.function)
    if (
        function == "last"
        and said.named
        and not said.fields
        and not said.tests
        and said.window
        and said.window.form == "bare"
    ):
        seg.take("SINCE", "AGO", "BEFORE")
        return since_leaf(seg, said)
    if said.negation is not None:
        complain(said.negation, scope)
    if said.count is not None and function == "sum" and not said.plain_fields(scope):
        return count_leaf(seg, said)
    if function == "distinct" and (whom := _members(seg, said)):
        return _members_leaf(seg, said, whom)
    compared = next((t for t in reversed(said.tests) if _aggregable(scope, t.name, function)), None)
    if compared is not None:
        name, tests = compared.name, compared.tests
        if function in ("distinct",) and scope.attribute(name).type != "number":
            complain(compared.part, scope)
        said.fields = [(p, n) for p, n in said.fields if n.id != name.id]
    else:
        name, tests = _aggregate_value(seg, said, function)
    if len(tests) != 1:
        scope.refuse(
            list(seg.parts),
            "合计或平均请只与一个数比较",
            "compare a sum or an average with one number only",
            Text("把范围拆成两个条件", "Split the range into two conditions"),
        )
    op, value = tests[0]
    if op not in get_args(Op) or value is None:
        scope.refuse(
            list(seg.parts),
            "这样的比较不能用在合计、平均或最新值上",
            "a total, an average or a newest value cannot be compared so",
        )
    if said.count is not None:
        complain(said.count[2], scope)
    condition = Aggregate(
        event=said.event,
        where=filters_of(seg, said, without=[compared] if compared else []),
        function=function,
        field=name.id,
        window=window_of(said),
        op=cast(Op, op),
        value=value,
    )
    windowless = said.window is None and function != "last"
    if windowless:
        _say_all_history(seg)
    return draft_of(seg, said, condition, "fixed" if function == "last" else "state", windowless)


def _members(seg: Segment, said: Said) -> Part | None:
    """ "不同客户": the noun for whom the event happens to, said after "distinct" where no field is."""
    if said.plain_fields(seg.scope):
        return None
    at = next(i for i, p in enumerate(seg.parts) if p.has("FUNCTION"))
    subject = seg.scope.catalog.events[said.event].subject
    return next((p for p in seg.parts[at:] if any(n.id == subject for n in p.named("object"))), None)


def _members_leaf(seg: Segment, said: Said, whom: Part) -> LeafDraft:
    """下单的不同客户数不低于3 · at least 3 different customers order."""
    scope = seg.scope
    if said.count is not None:
        op, number, part = said.count
    elif said.loose:
        part = said.loose.pop(0)
        tests = number_tests(part.get("CMPQ"), None, part, scope)
        if len(tests) != 1:
            complain(part, scope)
        op, number = tests[0]
    else:
        scope.invalid([whom], "没有说与多少比较", "it is not said how many")
    condition = Aggregate(
        event=said.event,
        where=filters_of(seg, said),
        function="distinct",
        field=SUBJECT,
        window=window_of(said),
        op=cast(Op, op or ">="),
        value=float(number),
    )
    if said.window is None:
        _say_all_history(seg)
    return draft_of(seg, said, condition, "state", said.window is None)


def _aggregable(scope: Scope, name: Name, function: Function) -> bool:
    kind = scope.attribute(name).type
    return kind == "number" or function in ("last", "distinct")


def _aggregate_value(seg: Segment, said: Said, function: Function) -> tuple[Name, Tests]:
    """The field of an aggregate whose comparison stands apart from it ("total order amount … over 1000")."""
    scope = seg.scope
    fields = [n for _, n in said.plain_fields(scope)]
    if function == "distinct" and not fields:
        fields = [n for _, n in said.booleans(scope)]
        said.fields = [(p, n) for p, n in said.fields if n not in fields]
    if said.count is not None and function == "distinct":
        op, number, part = said.count
        said.count = None
        loose = part
        tests: Tests = [(cast(Op, op or ">="), number)]
        if len(fields) == 1:
            return fields[0], tests
        complain(loose, scope)
    if not said.loose:
        scope.invalid(
            list(seg.parts),
            "没有说与多少比较",
            "it is not said what the value is compared with",
            Text("例如“超过1000元”", "For example “over 1000”"),
        )
    part = said.loose.pop(0)
    comparison: Comparison = part.get("CMPQ")
    if not fields:
        fields = fields_for(scope, said.event, comparison.quantity)
        if len(fields) == 1:
            label = describe(fields[0], scope)
            scope.warn(f"“{scope.said(part)}”按{label.zh}理解", f"{scope.said(part)!r} was read as {label.en}")
    if len(fields) != 1:
        if len(fields) > 1:
            scope.ask([part], "指哪个字段？", "which field is meant?", [describe(n, scope) for n in fields])
        complain(part, scope)
    attribute = scope.attribute(fields[0])
    if function == "distinct":
        return fields[0], [(op, v) for op, v in number_tests(comparison, None, part, scope)]
    tests = [(op, v) for op, v in number_tests(comparison, attribute.unit, part, scope)]
    said.fields = [(p, n) for p, n in said.fields if n != fields[0]]
    return fields[0], tests


def _say_all_history(seg: Segment) -> None:
    seg.scope.warn(
        f"“{seg.scope.said(*seg.parts)}”没有时间窗，按全部历史计算",
        f"{seg.scope.said(*seg.parts)!r} has no time window; all history is counted",
    )


def count_leaf(seg: Segment, said: Said) -> LeafDraft:
    scope = seg.scope
    assert said.count is not None
    op, number, part = said.count
    filters = filters_of(seg, said)
    if said.negation is not None and not said.booleans(scope):
        _ask_times_denied(seg, said, said.negation)
        op = "<" if op is None else OPPOSITE[op]
    elif op is None:
        if seg.take("ONLY"):
            scope.ask(
                [part],
                "是“恰好”还是“不超过”？",
                "exactly, or at most?",
                [Text("恰好", "exactly"), Text("不超过", "at most")],
            )
        op = ">=" if number else "=="
        words = scope.said(part)
        if said.every and said.window is None and (said.tests or said.booleans(scope)):
            _ask_each_of(seg, words)
        if number:
            scope.warn(f"“{words}”按“至少{words}”理解", f"{words!r} was read as “at least {words}”")
    if number != int(number):
        scope.invalid([part], "次数应是整数", "a count must be a whole number")
    if (op == "<" and number <= 0) or (op in ("<=", "==") and number < 0):
        scope.refuse([part], "次数不会小于0，这个条件永远不成立", "a count is never below 0: this can never be true")
    if (op == ">=" and number <= 0) or (op in (">", "!=") and number < 0):
        scope.refuse([part], "次数总是不小于0，这个条件总是成立", "a count is always at least 0: this is always true")
    condition = Aggregate(
        event=said.event, where=filters, function="count", window=window_of(said), op=cast(Op, op), value=float(number)
    )
    windowless = said.window is None and said.function is None
    if windowless:
        _say_all_history(seg)
    return draft_of(seg, said, condition, "state", windowless)


def _ask_each_of(seg: Segment, words: str) -> None:
    """ "三次测验正确率都低于60%": the last three, or three of all?"""
    said = seg.scope.said(*seg.parts)
    seg.scope.ask(
        list(seg.parts),
        f"“{said}”：是连续{words}，还是一共{words}？",
        f"{said!r}: {words} in a row, or {words} in all?",
        [
            Text(f"连续{words}：前面加“连续”", f"in a row: say “{words} in a row”"),
            Text(
                f"一共{words}：去掉“都”，写上时间，例如“30天内”",
                "in all: leave out “all” and say a time, such as “in 30 days”",
            ),
        ],
    )


_FAILURES = ("fail to", "failed to", "fails to")


def _ask_times_denied(seg: Segment, said: Said, denied: Part) -> None:
    """ "未交作业超过2次" may be two that were not handed in, or no more than two that were; "3次没上课" can only be
    three that were missed, which no event tells. English says "has not … more than" of those that came."""
    assert said.count is not None
    scope, (op, number, part) = seg.scope, said.count
    failed = scope.plain(denied) in _FAILURES
    if seg.index(part) < seg.index(denied) and not denied.has("NEVER") and scope.lang == "zh":
        not_counted([denied], scope)
    if scope.lang == "en" and op is not None and not failed:
        return
    label = Text(*(scope.label("event", said.event, lang) for lang in ("zh", "en")))
    bound = Text("不超过", "at most") if op == ">" else Text("少于", "fewer than")
    first, last = sorted((seg.index(denied), seg.index(part)))
    about = seg.parts[first : last + 1]
    fewer = Text(f"{label.zh}{bound.zh}{number:g}次", f"{label.en} {bound.en} {number:g} times")
    scope.ask(
        about,
        f"“{scope.said(*seg.parts)}”：是{label.zh}不够这么多次，还是没有{label.zh}的情况有这么多次？",
        f"{scope.said(*seg.parts)!r}: fewer {label.en!r} than that, or so many times that there was none?",
        [
            fewer,
            Text("没发生的次数：目录里要有这样的事件", "times of none: the catalog needs an event for that"),
        ],
        [fewer.zh if scope.lang == "zh" else fewer.en, scope.said(*about)],
    )


def windowed_leaf(seg: Segment, said: Said) -> LeafDraft:
    if cast(Span, said.window).form == "bare" and seg.take("SINCE"):
        return since_leaf(seg, said)
    scope, window, part = seg.scope, cast(Span, said.window), cast(Part, said.window_part)
    if said.every and window.last is None and (said.tests or said.loose or said.booleans(scope)):
        words = scope.said(*seg.parts)
        scope.ask(
            list(seg.parts),
            f"“{words}”：每一次都如此，还是至少一次？",
            f"{words!r}: each time, or at least once?",
            [
                Text("每一次：改成“连续N次…”", "each time: say “N times in a row”"),
                Text("至少一次：加上“至少1次”", "at least once: add “at least once”"),
            ],
        )
    if window.last is not None:
        return _last_n(seg, said, window.last)
    behind = next((i for i, p in enumerate(seg.parts) if p.named("event")), len(seg.parts))
    trailing = window.form == "inside" and not said.tests and seg.index(part) > behind  # 缺课7天内: and then?
    if window.form in ("bare", "for") or (trailing and has_chinese(scope.said(part))):
        scope.invalid(
            [part],
            f"没有看懂“{scope.said(part)}”在这里指什么",
            f"{scope.said(part)!r} was not understood here",
            Text("例如“7天内登录少于2次”“7天没有登录”", "For example “logs in fewer than 2 times in 7 days”"),
        )
    if said.loose and said.single:
        take_loose(seg, said)
    elif said.loose:
        loose = said.loose.pop(0)
        comparison: Comparison = loose.get("CMPQ")
        if comparison.quantity.unit is None:
            words = scope.said(loose)
            scope.ask(
                [loose],
                f"“{words}”说的是次数还是金额或数值？",
                f"{words!r}: how often, or how much?",
                [Text(f"次数{words}次", f"{words} times"), Text("写上单位，例如“元”", "say the unit, such as “yuan”")],
            )
        _ask_none_of(seg, loose, part)
        if any(p.has("A", "ONE") and q.named("event") for p, q in itertools.pairwise(seg.parts)):
            _ask_total_or_one(seg, fields_for(scope, said.event, comparison.quantity), loose, part)
        fields = fields_for(scope, said.event, comparison.quantity)
        if len(fields) != 1:
            if fields:
                scope.ask([loose], "指哪个字段？", "which field is meant?", [describe(n, scope) for n in fields])
            complain(loose, scope)
        attribute = scope.attribute(fields[0])
        tests = number_tests(comparison, attribute.unit, loose, scope)
        if len(tests) != 1:
            complain(loose, scope)
        label = describe(fields[0], scope)
        scope.warn(
            f"“{scope.said(loose)}”按{label.zh}合计理解", f"{scope.said(loose)!r} was read as the total of {label.en}"
        )
        total = Aggregate(
            event=said.event,
            where=filters_of(seg, said),
            function="sum",
            field=fields[0].id,
            window=window_of(said),
            op=tests[0][0],
            value=tests[0][1],
        )
        return draft_of(seg, said, total)
    amounts = [t for t in said.tests if (unit := scope.attribute(t.name).unit) and adds_up(unit)]
    if amounts and not said.single and not said.bracket:
        _ask_total_or_one(seg, [amounts[0].name], amounts[0].part, part)
    condition = Aggregate(
        event=said.event, where=filters_of(seg, said), function="count", window=window_of(said), op=">=", value=1.0
    )
    return draft_of(seg, said, condition)


def _ask_none_of(seg: Segment, compared: Part, window: Part) -> None:
    """ "30天内没有|超过100元的|订单": no such order, or all of them no more than that?"""
    scope, at = seg.scope, seg.index(compared)
    after = [p for p in seg.parts[at + 1 :] if not p.senses.keys() <= {"FILLER"}]
    if not (
        scope.plain(compared)[:1] in ("没", "无") and len(after) > 1 and after[0].has("DE") and after[1].named("event")
    ):
        return
    words, span = scope.said(compared), scope.said(window)
    label = scope.said(after[1])
    scope.ask(
        list(seg.parts),
        "是没有这样的一笔，还是合计没有这么多？",
        "none of that kind, or a total below that?",
        [
            Text(f"一笔也没有：{span}这样的{label}少于1次", f"none of that kind: fewer than 1 of them {span}"),
            Text(f"合计：{span}{label}合计{words}", f"the total: {label} in total {words} {span}"),
        ],
    )


def _ask_total_or_one(seg: Segment, fields: Sequence[Name], compared: Part, window: Part) -> None:
    """ "an order over 300 yuan in the last 7 days" is one of them; "orders over 300 yuan" may be their total."""
    if not fields:
        return
    scope, words, span = seg.scope, seg.scope.said(compared), seg.scope.said(window)
    label = describe(fields[0], scope)
    scope.ask(
        list(seg.parts),
        "是这段时间的合计，还是其中一笔？",
        "the total over that time, or one of them?",
        [
            Text(f"{span}{label.zh}合计{words}", f"total {label.en} {words} {span}"),
            Text(f"{span}有单笔{label.zh}{words}", f"a single {label.en} {words} {span}"),
        ],
    )


def _last_n(seg: Segment, said: Said, last: int) -> LeafDraft:
    """ "最近3次都高于150" is a run; without 都 it may as well be an average."""
    scope = seg.scope
    if (said.tests or said.booleans(scope)) and (said.every or last == 1):
        filters = filters_of(seg, said)
        if last == 1 and len(said.tests) == 1 and len(filters) == 1:
            test = said.tests[0]
            latest = Aggregate(
                event=said.event, function="last", field=test.name.id, op=filters[0].op, value=filters[0].value
            )
            return draft_of(seg, said, latest, "fixed")
        return draft_of(seg, said, Streak(event=said.event, where=filters, times=last))
    if said.tests:
        words = scope.said(said.tests[0].part)
        label = describe(said.tests[0].name, scope)
        scope.ask(
            list(seg.parts),
            f"最近{last}次是每一次都如此，还是平均如此？",
            f"each of the last {last}, or their average?",
            [
                Text(f"连续{last}次{label.zh}{words}", f"{label.en} {words} {last} times in a row"),
                Text(f"最近{last}次{label.zh}平均{words}", f"average {label.en} over the last {last} times {words}"),
            ],
        )
    return complain(cast(Part, said.window_part), scope)
