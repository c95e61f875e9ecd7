"""Why did it fire now, and why not: observations of the engine → plain sentences, one a layer, in the user's language.
Sentences say what was seen, what was asked, over which time in the catalog's time zone, and from which events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.text import Lang, Text
from core.times import Micros
from knowledge.catalog import Catalog, name_of
from knowledge.catalog.model import Attribute
from strategy.document import (
    SUBJECT,
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    DateIs,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Sequence,
    Strategy,
    Streak,
)
from strategy.document import Leaf as LeafCondition
from strategy.engine.port import Firing, Observation, Truth
from strategy.wording import COUNTS, NUMBERS, WORDS, Words

_SHOWN = 5


def explain(firing: Firing, strategy: Strategy, catalog: Catalog, lang: Lang) -> list[str]:
    """A firing in layers: what fired and when, each condition with what was seen, the audience, the cooldown."""
    voice = _Voice(catalog, lang, strategy.subject)
    at = voice.moment(firing.at)
    layers = [
        voice.say(
            f"{at}，策略“{strategy.name}”（第 {firing.version} 版）对 {firing.subject} 触发。",
            f"At {at}, strategy “{strategy.name}” (version {firing.version}) fired for {firing.subject}.",
        )
    ]
    layers += [voice.sentence(leaf) for leaf in _leaves(firing.trigger, strategy.trigger) if leaf.holds]
    if firing.audience is not None and strategy.audience is not None:
        inside = [voice.sentence(leaf) for leaf in _leaves(firing.audience, strategy.audience) if leaf.holds]
        layers += [voice.say(f"在目标人群内：{each}", f"In the audience: {each}") for each in inside]
    if (cooldown := strategy.guards.cooldown) is not None:
        until = voice.moment(Micros(firing.at + cooldown))
        span = voice.span(cooldown)
        layers.append(
            voice.say(
                f"冷却期 {span}：{until} 之前不会对同一对象再次触发。",
                f"Cooldown of {span}: it does not fire again for the same subject before {until}.",
            )
        )
    return layers


def explain_observation(
    observation: Observation, condition: Condition, catalog: Catalog, lang: Lang, *, subject: str = "customer"
) -> list[str]:
    """One look at a trigger or audience. Where it does not hold, first what stands in the way ("未触发,因为…"), then
    what holds already."""
    voice = _Voice(catalog, lang, subject)
    leaves = list(_leaves(observation, condition))
    held = [voice.sentence(leaf) for leaf in leaves if leaf.holds]
    if observation.truth is Truth.TRUE:
        return held
    missing = [voice.sentence(leaf) for leaf in leaves if not leaf.holds]
    first = voice.say("未触发，因为", "It did not fire, because ")
    other = voice.say("并且", "and ")
    met = voice.say("已满足：", "Met already: ")
    return [
        *(f"{first if i == 0 else other}{each}" for i, each in enumerate(missing)),
        *(f"{met}{each}" for each in held),
    ]


def say_leaf(
    seen: Observation, condition: LeafCondition, catalog: Catalog, lang: Lang, *, subject: str, wanted: bool = True
) -> str:
    """One condition as seen; `wanted` False: the strategy asks for its failing."""
    return _Voice(catalog, lang, subject).sentence(_Leaf(seen, condition, wanted))


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf as seen. `wanted` is False under an odd number of `not`s: then the condition's failing is what counts."""

    seen: Observation
    condition: LeafCondition
    wanted: bool

    @property
    def holds(self) -> bool:
        return self.seen.truth is (Truth.TRUE if self.wanted else Truth.FALSE)


def _leaves(seen: Observation, condition: Condition, wanted: bool = True) -> Iterator[_Leaf]:
    if isinstance(condition, All | Any_):
        for child, part in zip(seen.children, condition.of, strict=True):
            yield from _leaves(child, part, wanted)
    elif isinstance(condition, Not):
        yield from _leaves(seen.children[0], condition.of, not wanted)
    else:
        yield _Leaf(seen, condition, wanted)


_FUNCTIONS = {
    "sum": Text("合计", "in total"),
    "avg": Text("平均", "on average"),
    "min": Text("最低", "at the lowest"),
    "max": Text("最高", "at the highest"),
    "last": Text("最近一次", "most recently"),
}
_PERIODS = {
    "event": Text("次", "times"),
    "day": Text("天", "days"),
    "night": Text("晚", "nights"),
    "week": Text("周", "weeks"),
    "month": Text("个月", "months"),
}


class _Voice(Words):
    """Puts observations into sentences."""

    def sentence(self, leaf: _Leaf) -> str:
        condition, seen = leaf.condition, leaf.seen
        if seen.note == "withheld":
            return self._withheld(leaf)
        if isinstance(condition, Happens):
            said = self._happens(condition, leaf)
        elif isinstance(condition, Sequence):
            said = self._sequence(condition, leaf)
        elif seen.truth is Truth.UNKNOWN:
            said = self._unknown(condition, seen)
        else:
            said = self._judged(condition, leaf)
        return said + self._evidence(seen) + self.say("。", ".")

    def _withheld(self, leaf: _Leaf) -> str:
        stood = self.say("成立", "holds") if leaf.holds else self.say("不成立", "does not hold")
        return self.say(
            f"一项条件{stood}；它所依据的数据不可用于当前用途，不予显示。",
            f"one condition {stood}; what it looked at may not be used for this purpose, and is not shown.",
        )

    def _judged(self, condition: LeafCondition, leaf: _Leaf) -> str:
        what, asked = self._parts(condition, leaf.seen)
        if leaf.seen.truth is Truth.TRUE:
            opposite = self.say("，而条件要求相反", ", and the condition asks for the opposite")
            said = f"{what}{self.say('，', ', ')}{asked}" if asked else what
            return said if leaf.wanted else said + opposite
        if not leaf.wanted:
            return f"{what}{self.say('，并非', ', not ')}{asked}"
        return f"{what}{self.say('，而条件要求', '; the condition asks for ')}{asked}"

    def _unknown(self, condition: LeafCondition, seen: Observation) -> str:
        what, asked = self._parts(condition, seen)
        if seen.note == "short_history":
            return self.say(
                f"历史还不够长，目前看到{what}，无法判断是否{asked}",
                f"history is too short to tell: so far {what}, asked for {asked}",
            )
        if seen.note == "nothing_to_divide":
            return self.say(
                f"{what}：没有可以比较的基数，无法判断是否{asked}",
                f"{what}: there is nothing to compare with, asked for {asked}",
            )
        return self.say(f"{what}，无法判断是否{asked}", f"{what}, asked for {asked}")

    def _evidence(self, seen: Observation) -> str:
        if not seen.evidence:
            return ""
        ids = self.say("、", ", ").join(seen.evidence[-_SHOWN:])
        more = len(seen.evidence) > _SHOWN
        return self.say(
            f"（依据事件 {ids}{f' 等 {len(seen.evidence)} 个' if more else ''}）",
            f" (events {ids}{f' and {len(seen.evidence) - _SHOWN} before' if more else ''})",
        )

    # what was seen, and what was asked

    def _parts(self, condition: LeafCondition, seen: Observation) -> tuple[str, str]:
        if isinstance(condition, Aggregate):
            return self._aggregate(condition, seen)
        if isinstance(condition, MetricIs):
            metric = self.catalog.metrics[condition.metric]
            name = name_of(metric, condition.metric, self.lang)
            unit = metric.unit
            window = self.window(condition.window.over, condition.window.last, seen)
            value = self.value(seen.observed, None, unit)
            asked = self.asked(NUMBERS, condition.op, condition.value, None, unit)
            return self.say(f"{window}{name}为 {value}", f"{name} was {value} {window}".rstrip()), asked
        if isinstance(condition, Ratio):
            return self._ratio(condition, seen)
        if isinstance(condition, Path):
            return self._path(condition, seen)
        if isinstance(condition, Streak):
            return self._streak(condition, seen)
        if isinstance(condition, Change):
            return self._change(condition, seen)
        if isinstance(condition, Near):
            return self._near(condition, seen)
        if isinstance(condition, DateIs):
            return self._date(condition, seen)
        assert isinstance(condition, AttributeIs | ForecastIs)
        return self._property(condition, seen)

    def _aggregate(self, condition: Aggregate, seen: Observation) -> tuple[str, str]:
        event = self.event(condition)
        window = self.window(condition.window.over, condition.window.last, seen)
        attribute = self.catalog.field(condition.event, condition.field) if condition.field else None
        field = name_of(attribute, condition.field or "", self.lang) if attribute else condition.field or ""
        if condition.field == SUBJECT:
            kind = self.catalog.events[condition.event].subject
            field = name_of(self.catalog.objects[kind], kind, self.lang)
        if condition.function == "count":
            asked = self.asked(COUNTS, condition.op, condition.value) + self.say(" 次", "")
            return self.say(f"{window}{event} {seen.observed} 次", f"{event}: {seen.observed} {window}".rstrip()), asked
        if condition.function == "distinct":
            asked = self.asked(COUNTS, condition.op, condition.value) + self.say(" 个", "")
            zh, en = (
                f"{window}{event}有 {seen.observed} 个不同的{field}",
                f"{event}: {seen.observed} distinct {field} {window}",
            )
            return self.say(zh, en.rstrip()), asked
        value = self.value(seen.observed, attribute)
        how = _FUNCTIONS[condition.function].say(self.lang)
        table = NUMBERS if attribute is not None and attribute.type == "number" else WORDS
        asked = self.asked(table, condition.op, condition.value, attribute)
        return self.say(
            f"{window}{event}的{field}{how} {value}", f"{field} of {event} was {value} {how} {window}".rstrip()
        ), asked

    def _ratio(self, condition: Ratio, seen: Observation) -> tuple[str, str]:
        of, per, unit = self.event(condition.of), self.event(condition.per), "percent" if condition.percent else None
        window = self.window(condition.window.over, condition.window.last, seen)
        value = self.value(seen.observed, None, unit)
        return self.say(
            f"{window}{of}与{per}之比为 {value}", f"{of} per {per} was {value} {window}".rstrip()
        ), self.asked(NUMBERS, condition.op, condition.value, None, unit)

    def _path(self, condition: Path, seen: Observation) -> tuple[str, str]:
        chain = " → ".join(seen.observed)
        if seen.truth is Truth.FALSE:
            what = self.say("没有这样的关系链", "there is no such chain of relations")
        elif chain:
            what = self.say(f"关系链到 {chain}", f"the chain of relations leads to {chain}")
        elif seen.truth is Truth.TRUE:
            what = self.say("没有这样的关系", "there is no such relation")
        else:
            what = self.say("相关对象缺少数据", "data of the related objects is missing")
        return what, self.chain(condition)

    def _streak(self, condition: Streak, seen: Observation) -> tuple[str, str]:
        unit = _PERIODS[condition.per].say(self.lang)
        many = unit if seen.observed != 1 else unit.removesuffix("s")
        event = self.event(condition)
        between = ""
        if condition.without:
            names = self.say("、", " or ").join(self.event(w) for w in condition.without)
            between = self.say(f"，其间没有{names}", f" without {names}")
        return (
            self.say(
                f"{event}连续 {seen.observed} {unit}{between}", f"{event}: {seen.observed} {many} in a row{between}"
            ),
            self.say(f"达到 {condition.times} {unit}", f"at least {condition.times}"),
        )

    def _change(self, condition: Change, seen: Observation) -> tuple[str, str]:
        event, span = self.event(condition), self.span(condition.window)
        attribute = self.catalog.field(condition.event, condition.field) if condition.field else None
        current, previous = (self.value(seen.observed.get(k), attribute) for k in ("current", "previous"))
        percent = seen.observed.get("percent")
        moved = "" if percent is None else f" ({percent:+.4g}%)"
        field = name_of(attribute, condition.field or "", self.lang) if attribute else ""
        what = self.say(
            f"{event}{field and '的' + field}最近 {span}为 {current}，此前 {span}为 {previous}{moved}",
            f"{event}{field and ' ' + field}: {current} in the last {span}, {previous} in the {span} before{moved}",
        )
        word = Text("上升", "rise") if condition.direction == "rise" else Text("下降", "drop")
        return what, self.say(
            f"{word.zh}至少 {condition.percent:g}%", f"a {word.en} of at least {condition.percent:g}%"
        )

    def _near(self, condition: Near, seen: Observation) -> tuple[str, str]:
        place = name_of(self.catalog.places[condition.place], condition.place, self.lang)
        metres = f"{condition.metres:g}"
        if seen.observed is None:
            return self.say(f"位置未知（相对{place}）", f"the position relative to {place}"), self.say(
                f"在 {metres} 米以内", f"at most {metres} m"
            )
        what = self.say(f"距最近的{place} {seen.observed:.0f} 米", f"{seen.observed:.0f} m from the nearest {place}")
        return what, self.say(f"在 {metres} 米以内", f"at most {metres} m")

    def _date(self, condition: DateIs, seen: Observation) -> tuple[str, str]:
        owner, _, name = self._owned(condition.attribute, condition.via, seen)
        what = self.say(f"{owner}{name}是 {seen.observed}", f"{owner}{name} is {seen.observed}")
        if seen.observed is None:
            what = self.say(f"没有{owner}{name}的数据", f"there is no {owner}{name} yet")
        if condition.days_before is not None:
            days = condition.days_before
            it = self.say("它的周年" if condition.yearly else "它", "its anniversary" if condition.yearly else "it")
            return what, self.say(
                f"今天距{it}正好 {days} 天", f"today is {days} day{'' if days == 1 else 's'} before {it}"
            )
        if condition.part == "month":
            return what, self.say("本月正是它的月份", "this month is its month")
        return what, self.say("今天正是这一天", "today is its day")

    def _property(self, condition: AttributeIs | ForecastIs, seen: Observation) -> tuple[str, str]:
        if isinstance(condition, ForecastIs):
            forecast = self.catalog.forecasts[condition.forecast]
            attribute: Attribute | None = Attribute(type="number", unit=forecast.unit, labels=forecast.labels)
            owner, _, name = self._owned(condition.forecast, condition.via, seen)
            name = name_of(forecast, condition.forecast, self.lang)
        else:
            owner, attribute, name = self._owned(condition.name, condition.via, seen)
        value = self.value(seen.observed, attribute)
        number = attribute is not None and attribute.type == "number"
        if seen.observed is None:
            what = self.say(f"没有{owner}{name}的数据", f"there is no {owner}{name} yet")
            if seen.truth is Truth.TRUE:
                return what, ""
            return what, self.asked(NUMBERS if number else WORDS, condition.op, condition.value, attribute)
        what = self.say(f"{owner}{name}{'为 ' if number else '是'}{value}", f"{owner}{name} is {value}")
        if seen.truth is Truth.TRUE and (condition.op == "present" or (not number and condition.op == "==")):
            return what, ""
        return what, self.asked(NUMBERS if number else WORDS, condition.op, condition.value, attribute)

    def _owned(self, name: str, via: str | None, seen: Observation) -> tuple[str, Attribute | None, str]:
        """Whose property it is when a relation was followed, the property, and its name."""
        kind = self.subject if via is None else self.catalog.relations[via].target
        attribute = self.catalog.attribute(kind, name)
        owner = ""
        if via is not None:
            object_ = seen.children[0].path.split(".via.", 1)[1] if seen.children else kind
            relation = name_of(self.catalog.relations[via], via, self.lang)
            owner = self.say(f"（{relation}）{object_} 的", f"({relation}) {object_} ")
        return owner, attribute, name_of(attribute, name, self.lang) if attribute else name

    # happenings

    def _happens(self, condition: Happens, leaf: _Leaf) -> str:
        event = self.event(condition)
        if leaf.seen.truth is Truth.TRUE:
            return self.say(f"刚刚发生：{event}", f"it just happened: {event}")
        return self.say(f"此刻没有发生：{event}", f"it is not happening now: {event}")

    def _sequence(self, condition: Sequence, leaf: _Leaf) -> str:
        steps = []
        for i, step in enumerate(condition.steps):
            event = self.event(step)
            within = "" if step.within is None else self.span(step.within)
            if step.absent:
                event = self.say(
                    f"{within and within + '内'}没有{event}", f"no {event}{within and ' within ' + within}"
                )
            elif within and i:
                event = self.say(f"{within}内{event}", f"{event} within {within}")
            steps.append(event)
        order = self.say(" → ", " → ").join(steps)
        seen = leaf.seen
        if seen.truth is Truth.TRUE and seen.window is not None:
            began, ended = self.moment(seen.window[0]), self.moment(seen.window[1])
            return self.say(f"依次为：{order}（{began} 至 {ended}）", f"in this order: {order} ({began} to {ended})")
        return self.say(
            f"序列“{order}”此刻没有完成（已走 {seen.observed}/{seen.threshold} 步）",
            f"the sequence “{order}” is not complete at this moment ({seen.observed} of {seen.threshold} steps)",
        )
