"""Words for what conditions name: events with their filters, windows, comparisons, values with units, moments. Used to
explain in plain sentences; the readback of sentences has its own grammar."""

from __future__ import annotations

from typing import Any

from core.text import Lang, Text
from core.times import DAY, HOUR, MINUTE, SECOND, WEEK, to_datetime
from knowledge.catalog import Catalog, name_of
from knowledge.catalog.model import Attribute
from knowledge.catalog.units import canonical
from strategy.document import EventFilter, Filter, FilterOp, Path
from strategy.engine.paths import reached
from strategy.engine.port import Observation

COUNTS: dict[FilterOp, Text] = {
    "<": Text("少于 ", "fewer than "),
    "<=": Text("不多于 ", "at most "),
    ">": Text("多于 ", "more than "),
    ">=": Text("至少 ", "at least "),
    "==": Text("正好 ", "exactly "),
    "!=": Text("不是 ", "not "),
    "in": Text("是其中之一：", "one of "),
    "not_in": Text("不是其中任何一个：", "none of "),
    "between": Text("介于 ", "between "),
    "contains": Text("包含 ", "containing "),
    "starts_with": Text("开头是 ", "starting with "),
    "ends_with": Text("结尾是 ", "ending with "),
    "missing": Text("没有值", "missing"),
    "present": Text("有值", "present"),
}
NUMBERS: dict[FilterOp, Text] = {
    **COUNTS,
    "<": Text("低于 ", "below "),
    "<=": Text("不高于 ", "at most "),
    ">": Text("高于 ", "above "),
    ">=": Text("不低于 ", "at least "),
}
WORDS: dict[FilterOp, Text] = {
    **NUMBERS,
    "==": Text("是", "is "),
    "!=": Text("不是 ", "is not "),
    "in": Text("是其中之一：", "is one of "),
    "not_in": Text("不在其中：", "is none of "),
}
_UNITS = {
    "ms": Text("毫秒", "ms"),
    "s": Text("秒", "s"),
    "min": Text("分钟", "min"),
    "h": Text("小时", "h"),
    "d": Text("天", "days"),
    "m": Text("米", "m"),
    "km": Text("公里", "km"),
    "CNY": Text("元", "CNY"),
}
_SPANS = (
    (WEEK, Text("周", "week")),
    (DAY, Text("天", "day")),
    (HOUR, Text("小时", "hour")),
    (MINUTE, Text("分钟", "minute")),
    (SECOND, Text("秒", "second")),
)


class Words:
    """Puts things of one catalog into words of one language."""

    def __init__(self, catalog: Catalog, lang: Lang, subject: str) -> None:
        self.catalog = catalog
        self.lang: Lang = lang
        self.subject = subject

    def say(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def moment(self, at: int) -> str:
        """Local time to the second, without seconds when they are zero."""
        rounded = (at + SECOND // 2) // SECOND * SECOND
        text = to_datetime(rounded, self.catalog.timezone).strftime("%Y-%m-%d %H:%M:%S")
        return text.removesuffix(":00")

    def span(self, micros: int) -> str:
        for size, unit in _SPANS:
            if micros % size == 0 and (size != WEEK or micros > DAY * 30):
                count = micros // size
                return self.say(f"{count} {unit.zh}", f"{count} {unit.en}{'' if count == 1 else 's'}")
        return self.say(f"{micros / SECOND:g} 秒", f"{micros / SECOND:g} seconds")

    def event(self, found: EventFilter) -> str:
        """An event with its filters: 未打开营销邮件; blood pressure (systolic above 160 mmHg)."""
        name = name_of(self.catalog.events[found.event], found.event, self.lang)
        said = []
        for each in found.where:
            field = self.catalog.field(found.event, each.field)
            label = name_of(field, each.field, self.lang) if field else each.field
            if field is not None and field.type == "boolean" and isinstance(each.value, bool):
                positive = each.value == (each.op == "==")
                name = self.say(
                    f"{'' if positive else '未'}{label}{name}", f"{name} {'' if positive else 'not '}{label}"
                )
                continue
            said.append(self._test(field, each))
        return name + (self.say(f"（{'，'.join(said)}）", f" ({', '.join(said)})") if said else "")

    def chain(self, path: Path) -> str:
        """Each step of a path: the relation and what it leads to, with its tests."""
        said = []
        for step in path.steps:
            kind = reached(step, self.catalog)
            along = name_of(self.catalog.relations[step.relation], step.relation, self.lang)
            tests = [self._test(self.catalog.attribute(kind, each.field), each) for each in step.where]
            object_ = name_of(self.catalog.objects[kind], kind, self.lang)
            object_ += self.say(f"（{'，'.join(tests)}）", f" ({', '.join(tests)})") if tests else ""
            way = self.say("逆着" if step.reverse else "沿", "back along" if step.reverse else "along")
            said.append(
                self.say(
                    f"{way}“{along}”{'没有' if step.absent else '到'}{object_}",
                    f"{way} “{along}” to {'no' if step.absent else 'a'} {object_}",
                )
            )
        return self.say("，再", ", then ").join(said)

    def _test(self, attribute: Attribute | None, test: Filter) -> str:
        label = name_of(attribute, test.field, self.lang) if attribute else test.field
        number = attribute is not None and attribute.type == "number"
        return label + self.say("", " ") + self.asked(NUMBERS if number else WORDS, test.op, test.value, attribute)

    def window(self, over: int | None, last: int | None, seen: Observation) -> str:
        if last is not None:
            return self.say(f"最近 {last} 次中", f"among the last {last}")
        if over is None or seen.window is None:
            return self.say("迄今", "so far")
        span, start, end = self.span(over), self.moment(seen.window[0]), self.moment(seen.window[1])
        return self.say(f"过去 {span}（{start} 至 {end}）", f"in the last {span} ({start} to {end})")

    def asked(
        self,
        table: dict[FilterOp, Text],
        op: FilterOp,
        value: Any,
        attribute: Attribute | None = None,
        unit: str | None = None,
    ) -> str:
        values = value if isinstance(value, list) else [] if value is None else [value]
        joint = self.say(" 与 ", " and ") if op == "between" else self.say("、", ", ")
        shown = joint.join(self.value(v, attribute, unit) for v in values)
        return table[op].say(self.lang) + shown + self.say(" 之间" if op == "between" else "", "")

    def value(self, value: Any, attribute: Attribute | None = None, unit: str | None = None) -> str:
        if value is None:
            return self.say("未知", "unknown")
        if isinstance(value, bool):
            return self.say("是" if value else "否", "yes" if value else "no")
        if isinstance(value, dict) and {"lat", "lon"} <= set(value):
            return f"{value['lat']}, {value['lon']}"
        if isinstance(value, int | float):
            return f"{_number(value)}{self.unit(attribute.unit if attribute else unit)}"
        if attribute is not None and value in attribute.values:
            return name_of(attribute.values[value], value, self.lang)
        return str(value)

    def unit(self, unit: str | None) -> str:
        if unit is None:
            return ""
        name = canonical(unit)
        if name == "percent":
            return "%"
        return f" {_UNITS[name].say(self.lang) if name in _UNITS else unit}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"
