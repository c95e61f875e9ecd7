"""Conditions that are not about one event's occurrences: attributes, forecasts, metrics, places, dates and changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from core.text import Text
from core.times import DAY, HOUR
from knowledge.catalog.model import Attribute
from knowledge.catalog.units import adds_up, canonical
from strategy.document import (
    AttributeIs,
    Change,
    Filter,
    FilterOp,
    ForecastIs,
    MetricIs,
    Near,
    Op,
    Window,
)
from strategy.language.amounts import NOT, OPPOSITE, Comparison, Span
from strategy.language.dates import date_condition
from strategy.language.draft import LeafDraft
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.said import gather
from strategy.language.scope import Scope
from strategy.language.segment import Segment, choose, complain, describe
from strategy.language.speech import duration
from strategy.language.values import Tests, check_possible, enum_value, in_unit, number_tests, tests_of


def near_leaf(seg: Segment) -> LeafDraft:
    """附近500米有竞品门店 · within 500 m of a competitor store · 距离竞品门店超过1公里 (negated)."""
    scope = seg.scope
    part, name = cast(tuple[Part, Name], choose(seg.names("place"), scope))
    seg.use(part)
    if moved := seg.take("LIGHT"):
        complain(moved, scope)  # who leaves a shop is not near it
    while seg.take("NEAR", "DISTANCE", "INSIDE", "SINCE", "TO"):
        pass
    metres, far = scope.catalog.places[name.id].radius, False
    if measure := seg.take("CMPQ", "QTY"):
        comparison: Comparison = measure.get("CMPQ") or Comparison("<=", measure.get("QTY"))
        tests = number_tests(comparison, "m", measure, scope)
        if len(tests) != 1 or tests[0][0] not in ("<", "<=", ">", ">="):
            complain(measure, scope)
        metres, far = tests[0][1], tests[0][0] in (">", ">=")
        if metres <= 0:
            scope.invalid([measure], "距离应大于0", "a distance must be above 0")
    if seg.take("NEG", "WITHOUT"):
        far = not far
    owner, attribute = _geo(seg, part)
    draft = LeafDraft(Near(place=name.id, metres=metres, attribute=attribute), owner, "state", seg.parts, negated=far)
    seg.finish()
    return draft


def _geo(seg: Segment, part: Part) -> tuple[str, str]:
    scope = seg.scope
    named = [(p, [n for n in names if scope.attribute(n).type == "geo"]) for p, names in seg.names("attribute")]
    named = [(p, names) for p, names in named if names]
    if named:
        at, name = cast(tuple[Part, Name], choose(named, scope, scope.objects))
        seg.use(at)
        return name.owner, name.id
    found = [
        (owner, attribute)
        for owner, kind in scope.catalog.objects.items()
        for attribute, a in kind.attributes.items()
        if a.type == "geo"
    ]
    mentioned = [f for f in found if f[0] in scope.objects] or [f for f in found if f[0] == "customer"] or found
    if not mentioned:
        scope.refuse(
            [part], "目录里没有位置属性，无法判断附近", "the catalog has no position attribute to measure from"
        )
    usual = [f for f in mentioned if f[1] == "location"]
    if len(mentioned) > 1 and len(usual) != 1:
        scope.ask(
            [part],
            "用哪个位置？",
            "which position is meant?",
            [describe(Name("attribute", a, o), scope) for o, a in mentioned],
        )
    return usual[0] if usual else mentioned[0]


def forecast_leaf(seg: Segment) -> LeafDraft:
    """故障概率超过85%; a horizon that is said must be the catalog's."""
    scope = seg.scope
    part, name = cast(tuple[Part, Name], choose(seg.names("forecast"), scope))
    seg.use(part)
    forecast = scope.catalog.forecasts[name.id]
    seg.take("BOTH")
    future = seg.take("FUTURE")
    window: Part | None
    if future is not None and (ahead := seg.take("DUR")):
        window = Part(ahead.start, ahead.end, {"WINDOW": Span("inside", over=ahead.get("DUR").micros)})
    else:
        window = seg.take("WINDOW")
    if window is not None:
        span: Span = window.get("WINDOW")
        if span.over != forecast.horizon or span.form == "past":
            horizon = _ahead(forecast.horizon, scope)
            scope.invalid(
                [window],
                f"“{scope.said(part)}”预测的是未来 {horizon}，不是这里说的时长",
                f"{scope.said(part)!r} looks {horizon} ahead, not what is said here",
                near=[horizon],
            )
    while seg.take("LAST", "INSIDE"):
        pass
    tests = _only_numbers(seg, part, forecast.unit)
    if forecast.unit == "percent":
        check_possible(tests[0][1], 0, 100, tests[0][0], scope)
    op, value = _one_test(seg, tests)
    draft = LeafDraft(ForecastIs(forecast=name.id, op=op, value=value), forecast.subject, "state", seg.parts)
    draft.relation = _relation(seg, forecast.subject)
    seg.finish()
    scope.recent = Part(part.start, part.start, {"NAME": (name,)})
    return draft


def _ahead(micros: int, scope: Scope) -> str:
    """A horizon as people say it: up to three days in hours."""
    if micros <= 3 * DAY and micros % HOUR == 0:
        return f"{micros // HOUR}小时" if scope.lang == "zh" else f"{micros // HOUR} hours"
    return duration(micros, scope.lang)


def _only_numbers(seg: Segment, about: Part, unit: str | None) -> list[tuple[Part, list[tuple[Op, float]]]]:
    scope = seg.scope
    if literal := seg.take("CMPV"):
        scope.invalid([literal], f"“{scope.said(about)}”是数值", f"{scope.said(about)!r} is a number")
    part = seg.take("CMPQ")
    if part is None:
        bare = seg.free("QTY")
        scope.invalid(
            bare or [about],
            f"“{scope.said(about)}”缺少比较",
            f"{scope.said(about)!r} is not compared with anything",
            Text(f"例如“{scope.said(about)}超过85%”", f"For example “{scope.said(about)} above 85%”"),
        )
    return [(part, number_tests(part.get("CMPQ"), unit, part, scope))]


def _one_test(seg: Segment, tests: list[tuple[Part, list[tuple[Op, float]]]]) -> tuple[Op, float]:
    if len(tests[0][1]) != 1:
        seg.scope.refuse(
            [tests[0][0]],
            "这里请用一个比较，范围请拆成两个条件",
            "use one comparison here; split a range into two conditions",
        )
    return tests[0][1][0]


def _relation(seg: Segment, owner: str) -> str | None:
    """The relation named to reach `owner`. A verb such as "holds" that leads elsewhere is a mere "has" beside what is
    the owner's own."""
    relations = seg.scope.catalog.relations
    leading = [(p, [n for n in names if relations[n.id].target == owner]) for p, names in seg.names("relation")]
    found = choose([(p, names) for p, names in leading if names], seg.scope)
    if found is None:
        objects = {n.id for p in seg.parts for n in p.named("object")}
        for part, names in seg.names("relation"):
            if any(relations[n.id].source == owner and relations[n.id].target not in objects for n in names):
                seg.use(part)
        return None
    seg.use(found[0])
    return found[1].id


def metric_leaf(seg: Segment) -> LeafDraft:
    """微信消息打开率低于10%, over a window where one is said."""
    scope = seg.scope
    part, name = cast(tuple[Part, Name], choose(seg.names("metric"), scope))
    seg.use(part)
    metric = scope.catalog.metrics[name.id]
    window = Window()
    said = seg.take("WINDOW")
    if said is not None:
        span: Span = said.get("WINDOW")
        if span.over == 0:
            scope.invalid([said], "时间窗应大于0", "a time window must be longer than zero")
        window = Window(over=span.over, last=span.last)
        if span.form == "for":
            words = scope.said(said)
            scope.warn(
                f"“{words}”按时间窗理解，不是持续这么久", f"{words!r} was read as a window, not as lasting so long"
            )
    if (
        metric.unit == "percent"
        and (average := seg.take("FUNCTION"))
        and average.get("FUNCTION") not in ("avg", "last")
    ):
        complain(average, scope)
    share = metric.unit or "ratio"  # events per events: 0.2 and 20% are the same
    tests = _only_numbers(seg, part, share)
    check_possible(tests[0][1], 0, None, tests[0][0], scope)
    op, value = _one_test(seg, tests)
    draft = LeafDraft(MetricIs(metric=name.id, window=window, op=op, value=value), metric.subject, "state", seg.parts)
    draft.windowless = said is None
    if draft.windowless:
        scope.warn(
            f"“{scope.said(part)}”没有时间窗，按全部历史计算",
            f"{scope.said(part)!r} has no time window; all history is counted",
        )
    seg.finish()
    scope.recent = Part(part.start, part.start, {"NAME": (name,)})
    return draft


def attribute_leaf(seg: Segment, part: Part, name: Name) -> LeafDraft:
    """等级是大客户 · 停留不足15秒 · 已认证 · 合同到期前30天."""
    scope = seg.scope
    attribute = scope.attribute(name)
    seg.use(part)
    relation = _relation(seg, name.owner)
    if attribute.type == "date" and (dated := date_condition(seg, part, name)) is not None:
        seg.finish()
        stretch = any(p.has("WINDOW") or (p.has("CMPQ") and p.get("CMPQ").op in ("<", "<=")) for p in seg.parts)
        return LeafDraft(dated, name.owner, "state", seg.parts, relation=relation, stretch=stretch)
    seg.take("BOTH")
    if (function := seg.take("FUNCTION")) and function.get("FUNCTION") != "last":
        scope.refuse(
            [function],
            f"“{scope.said(part)}”是属性，没有{scope.said(function)}",
            f"{scope.said(part)!r} is an attribute: it has a current value only",
        )
    if window := seg.take("WINDOW"):
        scope.refuse(
            [window],
            f"“{scope.said(part)}”是属性，只有当前值，没有时间窗",
            f"{scope.said(part)!r} is an attribute: it has a current value only, no window",
        )
    op, value = attribute_tests(seg, part, name, attribute)[0]
    condition = AttributeIs(name=name.id, op=cast(FilterOp, op.removeprefix(NOT)), value=value)
    scope.recent = Part(part.start, part.start, {"NAME": (name,)})
    seg.finish()
    return LeafDraft(condition, name.owner, "state", seg.parts, relation=relation, negated=op.startswith(NOT))


def attribute_tests(seg: Segment, part: Part, name: Name, attribute: Attribute) -> Tests:
    """The tests a segment makes of one attribute.

    Raises:
        InvalidInput, UnknownName: it is not said with what it is compared, or with something it cannot be.
    """
    scope = seg.scope
    if attribute.type == "boolean" and not seg.has("CMPQ", "CMPV"):
        return [("==", seg.take("NEG", "COPNEG", "NEVER") is None)]
    if attribute.type in ("text", "date") and not seg.has("CMPQ", "CMPV"):
        if seg.take("NEG", "WITHOUT"):
            return [("missing", None)]
        if any(p.has("EXISTS") for p in seg.parts[: seg.index(part)]):
            return [("present", None)]
    negative = seg.take("NEG", "COPNEG")
    found = seg.take("CMPQ", "CMPV")
    tests: Tests
    if found is not None:
        tests = tests_of(attribute, name, found, scope)
    elif attribute.type == "enum" and (value := seg.take("VALUE", "STRING")):
        tests = [("==", enum_value(attribute, name, value, scope))]
    elif unknown := seg.free("UNKNOWN"):
        scope.unknown(unknown[0], known=[lab for v in attribute.values.values() for lab in v.all()])
    else:
        label = describe(name, scope)
        scope.invalid(
            seg.free("QTY") or [part],
            f"“{label.zh}”没有说与什么比较",
            f"{label.en!r} is not compared with anything",
            Text(f"例如“{label.zh}大于…”或“{label.zh}是…”", f"For example “{label.en} above …” or “{label.en} is …”"),
        )
    if negative is not None:
        if len(tests) != 1:
            complain(negative, scope)
        op, value_ = tests[0]
        turned = {"in": "not_in", "not_in": "in", "missing": "present", "present": "missing", **OPPOSITE}
        if op not in turned:
            complain(negative, scope)
        tests = [(cast(FilterOp, turned[op]), value_)]
    return tests


def is_change(part: Part, parts: Sequence[Part]) -> bool:
    """ "falls" may be an event of the catalog; by a share, or against another time, it is a change."""
    if not part.has("RISE", "DROP", "DOUBLE", "HALVE"):
        return False
    share = any(p.has("PERCENT", "FOLD", "REFERENCE") or _share(p) for p in parts)
    return share or not part.names


def _share(part: Part) -> bool:
    return part.has("CMPQ") and part.get("CMPQ").quantity.unit == "percent"


def change_leaf(seg: Segment) -> LeafDraft:
    """7天内订单量比上周下降50%: an aggregate over a window against the window before it."""
    scope = seg.scope
    mark = cast(Part, next((p for p in seg.free("RISE", "DROP", "DOUBLE", "HALVE") if is_change(p, seg.parts)), None))
    seg.use(mark)
    direction: Literal["rise", "drop"] = "rise" if mark.has("RISE", "DOUBLE") else "drop"
    percent = _percent(seg, mark)
    reference = seg.take("REFERENCE")
    said = gather(seg)
    period = reference.get("REFERENCE") if reference else None
    over = said.window.over if said.window else None
    if said.window is not None and (over is None or said.window.form == "bare"):
        complain(cast(Part, said.window_part), scope)
    if over is not None and period is not None and over != period:
        scope.refuse(
            [cast(Part, said.window_part), cast(Part, reference)],
            "比较的两段时间应一样长",
            "the two periods compared must be equally long",
            Text("例如“7天内…比前7天…”", "For example “in the last 7 days … against the previous 7 days”"),
        )
    window = over or period
    if not window:
        scope.invalid(
            [reference or mark],
            "与哪段时间比？",
            "compared with which period?",
            Text("例如“比上周下降50%”“较前7天突增50%”", "For example “down 50% on the previous week”"),
        )
    function: Literal["count", "sum", "avg"] = "count"
    fields = [n for _, n in said.plain_fields(scope) if scope.attribute(n).type == "number"]
    if said.function not in (None, "sum", "avg") or said.count or said.run or said.negation or said.loose:
        scope.refuse(list(seg.parts), "变化只能比次数、合计或平均", "a change compares counts, sums or averages only")
    if fields:
        unit = scope.attribute(fields[0]).unit
        if said.function is None and (unit is None or canonical(unit) in _WEIGHED):
            _ask_function(fields[0], scope, mark)
        function = said.function or ("sum" if adds_up(scope.attribute(fields[0]).unit) else "avg")
        if said.function is None:
            how = Text("合计", "total") if function == "sum" else Text("平均值", "average")
            scope.warn(f"按{how.zh}比较", f"compared by the {how.en}")
    elif said.function is None and not said.counted and _sums(said.event, scope):
        scope.warn("按发生次数比较", "compared by how often it happens")
    elif said.function is not None and not said.counted:
        numeric = [
            Name("field", n, said.event)
            for n, f in scope.catalog.events[said.event].fields.items()
            if f.type == "number"
        ]
        if said.function == "avg" or len(numeric) == 1:
            fields, function = numeric[:1], said.function
    said.fields = [(p, n) for p, n in said.fields if n not in fields]
    filters = [*said.bracket, *(f for t in said.tests for f in t.filters())]
    filters += [Filter(field=n.id, op="==", value=True) for _, n in said.booleans(scope)]
    condition = Change(
        event=said.event,
        where=tuple(filters),
        function=function,
        field=fields[0].id if fields else None,
        window=window,
        direction=direction,
        percent=percent,
    )
    while seg.take("BEFORE", "PREVIOUS", "VERSUS"):
        pass
    seg.finish()
    return LeafDraft(condition, scope.catalog.events[said.event].subject, "state", seg.parts)


def _fold(fold: Part, mark: Part, seg: Segment) -> float:
    """上涨一倍 is by 100%, 上涨到两倍 too; what falls cannot fall by as much as there was."""
    scope, number = seg.scope, float(fold.get("FOLD"))
    if mark.has("DROP") or seg.index(fold) < seg.index(mark):
        scope.refuse([mark, fold] if mark.start < fold.start else [fold, mark], "请用百分比说", "say it in percent")
    number -= seg.take("TO") is not None
    if number <= 0:
        complain(fold, scope)
    return 100 * number


_WEIGHED = ("g", "kg", "t")
"""What is weighed may be a body, whose readings are averaged, or goods, which add up."""


def _sums(event: str, scope: Scope) -> bool:
    """The event has an amount, which could be compared instead of how often it happens."""
    return any(f.type == "number" and adds_up(f.unit) for f in scope.catalog.events[event].fields.values())


def _ask_function(field: Name, scope: Scope, mark: Part) -> None:
    """A field without a unit may be a score, which is averaged, or an amount, which adds up."""
    zh, en = (scope.label("field", field.id, lang, field.owner) for lang in ("zh", "en"))
    scope.ask(
        [mark],
        f"“{zh}”比的是平均值还是合计？",
        f"is the average or the total of {en!r} compared?",
        [Text(f"平均{zh}", f"average {en}"), Text(f"总{zh}", f"total {en}")],
    )


def _percent(seg: Segment, mark: Part) -> float:
    scope = seg.scope
    if mark.has("DOUBLE", "HALVE"):
        return 100.0 if mark.has("DOUBLE") else 50.0
    if fold := seg.take("FOLD"):
        return _fold(fold, mark, seg)
    for part in seg.free("CMPQ", "QTY"):
        comparison: Comparison = part.get("CMPQ") or Comparison(">=", part.get("QTY"))
        if comparison.quantity.unit in ("percent", "ratio") and not comparison.high:
            seg.use(part)
            if comparison.op not in (">", ">=", "=="):
                complain(part, scope)
            percent = in_unit(comparison.quantity, "percent", part, scope)
            if comparison.op == ">":
                scope.warn(
                    f"“{scope.said(part)}”按“至少 {percent:g}%”理解",
                    f"{scope.said(part)!r} was read as “at least {percent:g}%”",
                )
            if percent <= 0 or (percent > 100 and mark.has("DROP")):
                scope.refuse([part], "幅度应在 0 与 100% 之间", "the change must lie between 0 and 100%")
            return percent
    return scope.invalid(
        [mark],
        f"“{scope.said(mark)}”多少？",
        f"{scope.said(mark)!r} by how much?",
        Text("例如“下降50%”", "For example “drops by 50%”"),
    )
