"""A strategy said in Chinese."""

from __future__ import annotations

from typing import ClassVar, Literal

from core.times import DAY
from strategy.document import (
    SUBJECT,
    ActionCall,
    Aggregate,
    AttributeIs,
    Cap,
    Change,
    DateIs,
    Filter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Path,
    QuietHours,
    Ratio,
    Step,
    Streak,
    Variant,
    Verify,
    Window,
)
from strategy.document import Sequence as Ordered
from strategy.language.lexicon import Name
from strategy.language.speech import duration, number, params, quoted
from strategy.language.voice import Voice


class Chinese(Voice):
    comparisons: ClassVar[dict[str, str]] = {
        "<": "小于",
        "<=": "不超过",
        ">": "超过",
        ">=": "不低于",
        "==": "等于",
        "!=": "不等于",
    }
    counts: ClassVar[dict[str, str]] = {
        "<": "少于",
        "<=": "不超过",
        ">": "超过",
        ">=": "至少",
        "==": "恰好",
        "!=": "不等于",
    }
    equals: ClassVar[dict[str, str]] = {"==": "是", "!=": "不是", "in": "属于", "not_in": "不属于"}
    others: ClassVar[dict[str, str]] = {
        "between": "在{}到{}之间（含两端）",
        "contains": "包含{}",
        "starts_with": "以{}开头",
        "ends_with": "以{}结尾",
        "missing": "为空",
        "present": "不为空",
    }
    joints: ClassVar[dict[Literal["all", "any"], str]] = {"all": "，且", "any": "，或"}
    brackets: ClassVar[tuple[str, str]] = ("（", "）")
    functions: ClassVar[dict[str, str]] = {
        "sum": "合计",
        "avg": "平均值",
        "min": "最小值",
        "max": "最大值",
        "distinct": "不同值",
        "last": "最新值",
    }
    periods: ClassVar[dict[str, str]] = {"day": "天", "night": "晚", "week": "周", "month": "个月"}

    def all(self) -> str:
        s = self.strategy
        subject = self.speech.name("object", s.subject)
        who = f"对于满足（{self.condition(s.audience, plain=False)}）的{subject}，" if s.audience else ""
        actions = "、".join(self.action(a) for a in s.actions)
        how = "；".join(self.how(subject))
        return f"{who}当{subject}{self.condition(s.trigger)}时，就执行：{actions}。{how}。"

    def action(self, a: ActionCall) -> str:
        if a.action:
            return f"{self.speech.name('action', a.action)}{params(a.params, 'zh')}"
        return f"人工任务{quoted(a.task or '', 'zh')}{params(a.params, 'zh')}"

    def how(self, subject: str) -> list[str]:
        s, g, r = self.strategy, self.strategy.guards, self.strategy.rollout
        said = [f"先对{number(r.percent)}%的{subject}执行", f"留{number(r.holdout)}%对照" if r.holdout else "不留对照"]
        said += [self.variant(v) for v in r.variants]
        if g.consent is not None:
            said.append(f"需同意{quoted(g.consent, 'zh')}")
        said.append(self.cap(g.cap) if g.cap else "每人不限次数")
        said.append(self.quiet(g.quiet_hours) if g.quiet_hours else "夜间照常发送")
        if g.cooldown is not None:
            said.append(f"冷却{self.span(g.cooldown)}")
        else:
            said.append("每次发生都触发" if self.moment(s.trigger) else "条件重新成立就再次触发")
        if g.budget is not None:
            said.append(f"预算{g.budget}次")
        if s.verify and (goal := self.goal(s.verify)):
            said.append(f"验证：{goal}")
        return said

    def variant(self, variant: Variant) -> str:
        return f"分组{quoted(variant.name, 'zh')}权重{number(variant.weight)}{params(variant.params, 'zh')}"

    def cap(self, cap: Cap) -> str:
        return f"每人每{self.span(cap.per)}最多{cap.times}次"

    def quiet(self, hours: QuietHours) -> str:
        mode = "推迟到结束后" if hours.mode == "defer" else "直接丢弃"
        return f"{hours.start}到{hours.end}不发送（{mode}）"

    def goal(self, verify: Verify) -> str:
        if verify.event:
            return f"{self.span(verify.within)}内发生{self.speech.name('event', verify.event)}"
        return f"{self.span(verify.within)}内{self.speech.name('metric', verify.metric)}" if verify.metric else ""

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
        said = "" if value is None else self.speech.value(value, attribute, name)  # type: ignore[arg-type] # a document's value
        numeric = isinstance(value, float | int) and not isinstance(value, bool)
        if isinstance(value, bool):
            return f"{'为' if op == '==' else '不为'}{said}"
        if op in self.others:
            low, high = (
                [self.speech.value(v, attribute, name) for v in value] if isinstance(value, list) else [said, ""]
            )
            return self.others[op].format(low, high)
        return f"{self.comparisons[op] if numeric or op not in self.equals else self.equals[op]}{said}"

    def test(self, name: Name, f: Filter) -> str:
        return f"{self.speech.name(name.kind, f.field, name.owner)}{self.compared(f.op, f.value, name)}"

    def attribute(self, c: AttributeIs) -> str:
        name = Name("attribute", c.name, self.owner_of(c.via))
        return (
            f"{self.via(c.via)}{self.speech.name('attribute', c.name, name.owner)}{self.compared(c.op, c.value, name)}"
        )

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
            return (
                f"{self.window(c.window)}没有{self.event(c)}" if c.window.over is not None else f"从未{self.event(c)}"
            )
        return f"{self.window(c.window)}{self.event(c)}{self.counts[c.op]}{number(float(c.value))}次"  # type: ignore[arg-type] # a count's value is a float

    def aggregate(self, c: Aggregate) -> str:
        name = Name("field", c.field or "", c.event)
        window = "" if c.function == "last" and c.window == Window() else self.window(c.window)
        field = self.speech.name("field", c.field or "", c.event)
        function = self.functions[c.function]
        if c.field == SUBJECT:
            whom = self.speech.name("object", self.catalog.events[c.event].subject)
            return f"{window}{self.event(c)}的不同{whom}数{self.comparisons[c.op]}{number(float(c.value))}"  # type: ignore[arg-type] # a number of subjects
        if c.function == "distinct":
            return f"{window}{self.event(c)}的{field}{function}{self.comparisons[c.op]}{number(float(c.value))}"  # type: ignore[arg-type] # a number of values
        return f"{window}{self.event(c)}的{field}{function}{self.compared(c.op, c.value, name)}"

    def metric(self, c: MetricIs) -> str:
        unit = self.catalog.metrics[c.metric].unit
        value = self.speech.amount(c.value, unit)
        return f"{self.window(c.window)}{self.speech.name('metric', c.metric)}{self.comparisons[c.op]}{value}"

    def ratio(self, c: Ratio) -> str:
        value = self.speech.amount(c.value, "percent" if c.percent else None)
        return f"{self.window(c.window)}{self.event(c.of)}与{self.event(c.per)}之比{self.comparisons[c.op]}{value}"

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
        what = (
            "次数"
            if c.function == "count"
            else f"{self.speech.name('field', c.field or '', c.event)}{self.functions[c.function]}"
        )
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
        if c.yearly:
            return f"每年{name}{f'前{c.days_before}天' if c.days_before else ''}那一整天"
        return f"{name}前{duration((c.days_before or 0) * DAY, 'zh') if c.days_before else '0天'}那一整天"

    def path(self, c: Path) -> str:
        said, it = [], ""
        for step in c.steps:
            along, object_ = self.along(step), self.reached(step)
            if step.reverse:
                said.append(f"{it}{'未被任何' if step.absent else '被'}{object_}{along}")
            else:
                said.append(f"{it}{'没有' if step.absent else '有'}{along}的{object_}")
            it = f"该{self.kind(step)}"
        return "，且".join(said)
