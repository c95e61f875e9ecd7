"""A strategy → sentences that say exactly it, in Chinese or English. What is said here the grammar reads back as the same
document; where labels could be misread, names are given by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.errors import ZhongshuError
from core.telemetry import span
from core.text import Lang
from core.times import DAY
from knowledge.catalog import Catalog
from strategy.document import (
    ActionCall,
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    EventFilter,
    Filter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Sequence as Ordered,
    Step,
    Strategy,
    Streak,
    Window,
)
from strategy.language.lexicon import Name, lexicon_of
from strategy.language.read import read_sentence
from strategy.language.speech import Speech, duration, number, params, quoted


def readback(strategy: Strategy, catalog: Catalog, lang: Lang) -> str:
    """The strategy in plain sentences with defaults spelled out, such that `read_sentence(readback(s)).document == s`
    (name aside)."""
    with span("language.readback"):
        spoken = _voice(strategy, catalog, lang, exact=False).all()
        if _reads_back(spoken, strategy, catalog, lang):
            return spoken
        return _voice(strategy, catalog, lang, exact=True).all()


def _voice(strategy: Strategy, catalog: Catalog, lang: Lang, *, exact: bool) -> Voice:
    voice = Chinese if lang == "zh" else English
    return voice(strategy, Speech(catalog, lexicon_of(catalog), lang, exact=exact))


def _reads_back(spoken: str, strategy: Strategy, catalog: Catalog, lang: Lang) -> bool:
    try:
        return read_sentence(spoken, catalog, name=strategy.name, lang=lang).document == strategy
    except ZhongshuError:
        return False


class Voice:
    """What both languages share: the walk over the document."""

    comparisons: dict[str, str]
    equals: dict[str, str]
    joints: dict[Literal["all", "any"], str]
    brackets: tuple[str, str]

    def __init__(self, strategy: Strategy, speech: Speech) -> None:
        self.strategy = strategy
        self.speech = speech
        self.catalog = speech.catalog
        self.lang: Lang = speech.lang

    def all(self) -> str:
        raise NotImplementedError

    # ---- conditions --------------------------------------------------------------------------------------------------

    def condition(self, condition: Condition, *, nested: bool = False) -> str:
        """A condition; `nested` ones are bracketed where they join several."""
        if isinstance(condition, All | Any_):
            kind: Literal["all", "any"] = condition.kind
            inner = self.joints[kind].join(self.condition(c, nested=True) for c in condition.of)
            if len(condition.of) == 1 or (kind == "any" and _alternatives(condition)):
                return self.explicit(kind, inner)
            return self.bracket(inner) if nested else inner
        if isinstance(condition, Not):
            return self.negation(self.condition(condition.of))
        return self.leaf(condition, alone=not nested)

    def bracket(self, inner: str) -> str:
        return f"{self.brackets[0]}{inner}{self.brackets[1]}"

    def explicit(self, kind: Literal["all", "any"], inner: str) -> str:
        raise NotImplementedError

    def negation(self, inner: str) -> str:
        raise NotImplementedError

    def leaf(self, condition: Condition, *, alone: bool) -> str:
        match condition:
            case AttributeIs():
                return self.attribute(condition)
            case Happens():
                return self.happens(condition, alone=alone)
            case Aggregate():
                return self.count(condition) if condition.function == "count" else self.aggregate(condition)
            case MetricIs():
                return self.metric(condition)
            case Streak():
                return self.streak(condition)
            case Ordered():
                return self.sequence(condition)
            case Change():
                return self.change(condition)
            case Near():
                return self.near(condition)
            case ForecastIs():
                return self.forecast(condition)
            case DateIs():
                return self.date(condition)
        raise AssertionError(condition)

    def attribute(self, c: AttributeIs) -> str:
        raise NotImplementedError

    def happens(self, c: Happens, *, alone: bool) -> str:
        raise NotImplementedError

    def count(self, c: Aggregate) -> str:
        raise NotImplementedError

    def aggregate(self, c: Aggregate) -> str:
        raise NotImplementedError

    def metric(self, c: MetricIs) -> str:
        raise NotImplementedError

    def streak(self, c: Streak) -> str:
        raise NotImplementedError

    def sequence(self, c: Ordered) -> str:
        raise NotImplementedError

    def change(self, c: Change) -> str:
        raise NotImplementedError

    def near(self, c: Near) -> str:
        raise NotImplementedError

    def forecast(self, c: ForecastIs) -> str:
        raise NotImplementedError

    def date(self, c: DateIs) -> str:
        raise NotImplementedError

    # ---- shared words ------------------------------------------------------------------------------------------------

    def span(self, micros: int) -> str:
        return duration(micros, self.lang)

    def compared(self, op: str, value: object, name: Name) -> str:
        """A comparison with a value, as the type of what is compared wants it."""
        raise NotImplementedError

    def event(self, e: EventFilter) -> str:
        """An event with its filters in brackets."""
        name = self.speech.name("event", e.event)
        return name + (self.filters(e.event, e.where) if e.where else "")

    def filters(self, event: str, where: Sequence[Filter]) -> str:
        tests = [self.test(Name("field", f.field, event), f) for f in where]
        return self.bracket(self.joints["all"].join(tests))

    def test(self, name: Name, f: Filter) -> str:
        raise NotImplementedError

    def flag(self, e: EventFilter) -> tuple[str, str, bool] | None:
        """Event, field and polarity where the only filter is a yes/no field: 打开营销邮件."""
        if self.speech.exact or len(e.where) != 1:
            return None
        f = e.where[0]
        attribute = self.catalog.field(e.event, f.field)
        if attribute is None or attribute.type != "boolean" or f.op != "==" or not isinstance(f.value, bool):
            return None
        return self.speech.name("event", e.event), self.speech.name("field", f.field, e.event), f.value

    def owner_of(self, relation: str | None) -> str:
        """The object type a condition speaks about: the subject, or what the relation leads to."""
        return self.catalog.relations[relation].target if relation else self.strategy.subject

    def zero(self, c: Aggregate) -> bool:
        return c.op == "==" and c.value == 0 and c.window.last is None and not c.where


def _alternatives(condition: Any_) -> bool:
    """Alternatives that unbracketed would be read as one test on several values."""
    return all(isinstance(c, AttributeIs) for c in condition.of)


class Chinese(Voice):
    comparisons = {"<": "小于", "<=": "不超过", ">": "超过", ">=": "不低于", "==": "等于", "!=": "不等于"}
    counts = {"<": "少于", "<=": "不超过", ">": "超过", ">=": "至少", "==": "恰好", "!=": "不等于"}
    equals = {"==": "是", "!=": "不是", "in": "属于", "not_in": "不属于"}
    joints = {"all": "，且", "any": "，或"}
    brackets = ("（", "）")
    functions = {"sum": "合计", "avg": "平均值", "min": "最小值", "max": "最大值", "distinct": "不同值", "last": "最新值"}
    periods = {"day": "天", "night": "晚", "week": "周", "month": "个月"}

    def all(self) -> str:
        s = self.strategy
        subject = self.speech.name("object", s.subject)
        who = f"对于满足（{self.condition(s.audience)}）的{subject}，" if s.audience else ""
        actions = "，并".join(self.action(a) for a in s.actions)
        how = "；".join(self.how(subject))
        return f"{who}当{subject}{self.condition(s.trigger)}时，就{actions}。{how}。"

    def action(self, a: ActionCall) -> str:
        if a.action:
            return f"执行{self.speech.name('action', a.action)}{params(a.params, 'zh')}"
        return f"安排人工任务{quoted(a.task or '', 'zh')}{params(a.params, 'zh')}"

    def how(self, subject: str) -> list[str]:
        s, g, r = self.strategy, self.strategy.guards, self.strategy.rollout
        said = [f"先对{number(r.percent)}%的{subject}执行", f"留{number(r.holdout)}%对照" if r.holdout else "不留对照"]
        said += [f"分组{quoted(v.name, 'zh')}权重{number(v.weight)}{params(v.params, 'zh')}" for v in r.variants]
        if g.consent is not None:
            said.append(f"需同意{quoted(g.consent, 'zh')}")
        if g.cap:
            said.append(f"每人每{self.span(g.cap.per)}最多{g.cap.times}次")
        if g.quiet_hours:
            mode = "推迟到结束后" if g.quiet_hours.mode == "defer" else "直接丢弃"
            said.append(f"{g.quiet_hours.start}到{g.quiet_hours.end}不发送（{mode}）")
        if g.cooldown is not None:
            said.append(f"冷却{self.span(g.cooldown)}")
        if g.budget is not None:
            said.append(f"预算{g.budget}次")
        if s.verify and (s.verify.event or s.verify.metric):
            goal = (
                f"发生{self.speech.name('event', s.verify.event)}"
                if s.verify.event
                else self.speech.name("metric", s.verify.metric or "")
            )
            said.append(f"验证：{self.span(s.verify.within)}内{goal}")
        return said

    def explicit(self, kind: Literal["all", "any"], inner: str) -> str:
        return f"{'全部满足' if kind == 'all' else '任一满足'}（{inner}）"

    def negation(self, inner: str) -> str:
        return f"并非（{inner}）"

    def via(self, relation: str | None) -> str:
        if relation is None:
            return ""
        target = self.speech.name("object", self.catalog.relations[relation].target)
        return f"{self.speech.name('relation', relation)}的任一{target}的"

    def compared(self, op: str, value: object, name: Name) -> str:
        attribute = self.speech.attribute(name)
        said = self.speech.value(value, attribute, name)  # type: ignore[arg-type] # a document's value
        numeric = isinstance(value, float | int) and not isinstance(value, bool)
        if isinstance(value, bool):
            return f"{'为' if op == '==' else '不为'}{said}"
        return f"{self.comparisons[op] if numeric or op not in self.equals else self.equals[op]}{said}"

    def test(self, name: Name, f: Filter) -> str:
        return f"{self.speech.name('field', f.field, name.owner)}{self.compared(f.op, f.value, name)}"

    def attribute(self, c: AttributeIs) -> str:
        name = Name("attribute", c.name, self.owner_of(c.via))
        return f"{self.via(c.via)}{self.speech.name('attribute', c.name, name.owner)}{self.compared(c.op, c.value, name)}"

    def happens(self, c: Happens, *, alone: bool) -> str:
        if alone and (flag := self.flag(c)):
            event, field, positive = flag
            return f"{'' if positive else '未'}{field}{event}"
        return f"发生{self.event(c)}"

    def window(self, w: Window) -> str:
        if w.over is not None:
            return f"过去{self.span(w.over)}内"
        return f"最近{w.last}次" if w.last else "历史上"

    def count(self, c: Aggregate) -> str:
        if self.zero(c):
            return f"{self.window(c.window)}没有{self.event(c)}" if c.window.over is not None else f"从未{self.event(c)}"
        return f"{self.window(c.window)}{self.event(c)}{self.counts[c.op]}{number(float(c.value))}次"  # type: ignore[arg-type] # a count's value is a float

    def aggregate(self, c: Aggregate) -> str:
        name = Name("field", c.field or "", c.event)
        window = "" if c.function == "last" and c.window == Window() else self.window(c.window)
        field = self.speech.name("field", c.field or "", c.event)
        function = self.functions[c.function]
        if c.function == "distinct":
            return f"{window}{self.event(c)}的{field}{function}{self.comparisons[c.op]}{number(float(c.value))}"  # type: ignore[arg-type] # a number of values
        return f"{window}{self.event(c)}的{field}{function}{self.compared(c.op, c.value, name)}"

    def metric(self, c: MetricIs) -> str:
        unit = self.catalog.metrics[c.metric].unit
        value = self.speech.amount(c.value, unit)
        return f"{self.window(c.window)}{self.speech.name('metric', c.metric)}{self.comparisons[c.op]}{value}"

    def streak(self, c: Streak) -> str:
        without = "".join(f"期间没有{self.event(e)}" for e in c.without)
        if c.per != "event":
            return f"连续{c.times}{self.periods[c.per]}都有{self.event(c)}{without}"
        if (flag := self.flag(c)) and not without:
            event, field, positive = flag
            return f"连续{c.times}次{'' if positive else '未'}{field}{event}"
        return f"连续{c.times}次{self.event(c)}{without}"

    def sequence(self, c: Ordered) -> str:
        if len(c.steps) == 2 and not c.steps[0].absent and c.steps[0].within is None:
            return f"发生{self.event(c.steps[0])}后{self.step(c.steps[1])}"
        return "先" + " → ".join(self.step(s) for s in c.steps)

    def step(self, s: Step) -> str:
        within = f"{self.span(s.within)}内" if s.within is not None else ""
        return f"{within}{'未' if s.absent else ''}发生{self.event(s)}"

    def change(self, c: Change) -> str:
        what = "次数" if c.function == "count" else f"{self.speech.name('field', c.field or '', c.event)}{self.functions[c.function]}"
        span_ = self.span(c.window)
        direction = "上升" if c.direction == "rise" else "下降"
        return f"过去{span_}内{self.event(c)}的{what}比此前{span_}{direction}至少{number(c.percent)}%"

    def near(self, c: Near) -> str:
        attribute = self.speech.name("attribute", c.attribute, self.strategy.subject)
        return f"{attribute}距{self.speech.name('place', c.place)}不超过{number(c.metres)}米"

    def forecast(self, c: ForecastIs) -> str:
        f = self.catalog.forecasts[c.forecast]
        value = self.speech.amount(c.value, f.unit)
        name = self.speech.name("forecast", c.forecast)
        return f"{self.via(c.via)}未来{self.span(f.horizon)}内{name}{self.comparisons[c.op]}{value}"

    def date(self, c: DateIs) -> str:
        name = f"{self.via(c.via)}{self.speech.name('attribute', c.attribute, self.owner_of(c.via))}"
        if c.part:
            return f"{name}{'当月' if c.part == 'month' else '当天'}"
        return f"{name}前{duration((c.days_before or 0) * DAY, 'zh') if c.days_before else '0天'}起至当天"


class English(Voice):
    comparisons = {
        "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least", "==": "is equal to", "!=": "is not equal to",
    }  # fmt: skip
    counts = {"<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least", "==": "exactly", "!=": "not equal to"}
    equals = {"==": "is", "!=": "is not", "in": "is one of", "not_in": "is not one of"}
    joints = {"all": ", and ", "any": ", or "}
    brackets = ("(", ")")
    functions = {"sum": "total", "avg": "average", "min": "lowest", "max": "highest", "distinct": "distinct", "last": "latest"}

    def all(self) -> str:
        s = self.strategy
        subject = self.speech.name("object", s.subject)
        who = f"For any {subject} that satisfies ({self.condition(s.audience)}), " if s.audience else ""
        when = "when" if who else "When"
        actions = ", and ".join(self.action(a) for a in s.actions)
        how = "; ".join(self.how(subject))
        return f"{who}{when}, for a {subject}, {self.condition(s.trigger)}, the hub will {actions}. {how[0].upper()}{how[1:]}."

    def action(self, a: ActionCall) -> str:
        if a.action:
            return f"run {self.speech.name('action', a.action)}{params(a.params, 'en')}"
        return f"do the task {quoted(a.task or '', 'en')}{params(a.params, 'en')}"

    def how(self, subject: str) -> list[str]:
        s, g, r = self.strategy, self.strategy.guards, self.strategy.rollout
        said = [f"run it for {number(r.percent)}% of {subject}", f"hold out {number(r.holdout)}%" if r.holdout else "with no holdout"]
        said += [f"variant {quoted(v.name, 'en')} weight {number(v.weight)}{params(v.params, 'en')}" for v in r.variants]
        if g.consent is not None:
            said.append(f"with consent for {quoted(g.consent, 'en')}")
        if g.cap:
            times = "time" if g.cap.times == 1 else "times"
            said.append(f"at most {g.cap.times} {times} per {self.span(g.cap.per)} per subject")
        if g.quiet_hours:
            mode = "deferred until after" if g.quiet_hours.mode == "defer" else "dropped"
            said.append(f"no messages from {g.quiet_hours.start} to {g.quiet_hours.end} ({mode})")
        if g.cooldown is not None:
            said.append(f"cooldown of {self.span(g.cooldown)}")
        if g.budget is not None:
            said.append(f"budget of {g.budget} deliveries")
        if s.verify and (s.verify.event or s.verify.metric):
            goal = (
                self.speech.name("event", s.verify.event) if s.verify.event else self.speech.name("metric", s.verify.metric or "")
            )
            said.append(f"verify by {goal} within {self.span(s.verify.within)}")
        return said

    def explicit(self, kind: Literal["all", "any"], inner: str) -> str:
        return f"{'all of' if kind == 'all' else 'any of'} ({inner})"

    def negation(self, inner: str) -> str:
        return f"not ({inner})"

    def via(self, relation: str | None) -> str:
        if relation is None:
            return ""
        target = self.speech.name("object", self.catalog.relations[relation].target)
        return f" of any {target} linked by {self.speech.name('relation', relation)}"

    def compared(self, op: str, value: object, name: Name) -> str:
        attribute = self.speech.attribute(name)
        said = self.speech.value(value, attribute, name)  # type: ignore[arg-type] # a document's value
        numeric = isinstance(value, float | int) and not isinstance(value, bool)
        return f"{self.comparisons[op] if numeric or op not in self.equals else self.equals[op]} {said}"

    def test(self, name: Name, f: Filter) -> str:
        return f"{self.speech.name('field', f.field, name.owner)} {self.compared(f.op, f.value, name)}"

    def event(self, e: EventFilter) -> str:
        name = self.speech.name("event", e.event)
        return name + (f" {self.filters(e.event, e.where)}" if e.where else "")

    def attribute(self, c: AttributeIs) -> str:
        name = Name("attribute", c.name, self.owner_of(c.via))
        return f"{self.speech.name('attribute', c.name, name.owner)}{self.via(c.via)} {self.compared(c.op, c.value, name)}"

    def happens(self, c: Happens, *, alone: bool) -> str:
        if alone and (flag := self.flag(c)):
            event, field, positive = flag
            return f"{event} is {'' if positive else 'not '}{field}"
        return f"{self.event(c)} happens"

    def window(self, w: Window) -> str:
        if w.over is not None:
            return f"in the last {self.span(w.over)}"
        return f"in the last {w.last} times" if w.last else "in all history"

    def count(self, c: Aggregate) -> str:
        if self.zero(c):
            return f"no {self.event(c)} {self.window(c.window)}" if c.window.over is not None else f"never {self.event(c)}"
        times = "time" if c.value == 1 else "times"
        return f"{self.event(c)} happens {self.counts[c.op]} {number(float(c.value))} {times} {self.window(c.window)}"  # type: ignore[arg-type] # a count's value is a float

    def aggregate(self, c: Aggregate) -> str:
        name = Name("field", c.field or "", c.event)
        window = "" if c.function == "last" and c.window == Window() else f" {self.window(c.window)}"
        field = self.speech.name("field", c.field or "", c.event)
        said = f"the {self.functions[c.function]} {field} of {self.event(c)}{window}"
        if c.function == "distinct":
            return f"{said} {self.comparisons[c.op]} {number(float(c.value))}"  # type: ignore[arg-type] # a number of values
        return f"{said} {self.compared(c.op, c.value, name)}"

    def metric(self, c: MetricIs) -> str:
        value = self.speech.amount(c.value, self.catalog.metrics[c.metric].unit)
        return f"{self.speech.name('metric', c.metric)} {self.window(c.window)} {self.comparisons[c.op]} {value}"

    def streak(self, c: Streak) -> str:
        without = "".join(f" without {self.event(e)}" for e in c.without)
        if c.per != "event":
            return f"{self.event(c)} on each of {c.times} consecutive {c.per}s{without}"
        times = f"{c.times} time{'' if c.times == 1 else 's'} in a row"
        if (flag := self.flag(c)) and not without:
            event, field, positive = flag
            return f"{event} is {'' if positive else 'not '}{field} {times}"
        return f"{self.event(c)} {times}{without}"

    def sequence(self, c: Ordered) -> str:
        if len(c.steps) == 2 and not c.steps[0].absent and c.steps[0].within is None:
            second = c.steps[1]
            within = f" within {self.span(second.within)}" if second.within is not None else ""
            followed = "is not followed by" if second.absent else "is followed by"
            return f"{self.event(c.steps[0])} {followed} {self.event(second)}{within}"
        return "first " + " → ".join(self.step(s) for s in c.steps)

    def step(self, s: Step) -> str:
        within = f" within {self.span(s.within)}" if s.within is not None else ""
        return f"{'no ' if s.absent else ''}{self.event(s)}{within}"

    def change(self, c: Change) -> str:
        what = "number of" if c.function == "count" else f"{self.functions[c.function]} {self.speech.name('field', c.field or '', c.event)} of"
        verb = "rises" if c.direction == "rise" else "drops"
        span_ = self.span(c.window)
        return (
            f"the {what} {self.event(c)} in the last {span_} {verb} by at least {number(c.percent)}%"
            f" compared with the previous {span_}"
        )

    def near(self, c: Near) -> str:
        attribute = self.speech.name("attribute", c.attribute, self.strategy.subject)
        return f"{attribute} is within {number(c.metres)} m of {self.speech.name('place', c.place)}"

    def forecast(self, c: ForecastIs) -> str:
        f = self.catalog.forecasts[c.forecast]
        name = self.speech.name("forecast", c.forecast)
        return (
            f"{name}{self.via(c.via)} within {self.span(f.horizon)} {self.comparisons[c.op]} {self.speech.amount(c.value, f.unit)}"
        )

    def date(self, c: DateIs) -> str:
        name = f"{self.speech.name('attribute', c.attribute, self.owner_of(c.via))}{self.via(c.via)}"
        if c.part:
            return f"it is {'the month of' if c.part == 'month' else 'the day of'} {name}"
        days = c.days_before or 0
        return f"from {days} day{'' if days == 1 else 's'} before {name} until that day"
