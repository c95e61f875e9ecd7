"""Findings in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from core.events import Event, Fact, Input, Relation
from core.text import Lang, Text
from knowledge.catalog import Catalog, name_of
from strategy.document import Cap, Condition, Strategy
from strategy.language import condition_in_words
from strategy.language.lexicon import Name, lexicon_of
from strategy.language.speech import Speech, duration

_CHANNELS = {
    "wechat": Text("微信", "WeChat"),
    "wecom": Text("企业微信", "WeCom"),
    "sms": Text("短信", "SMS"),
    "email": Text("邮件", "e-mail"),
    "push": Text("APP 推送", "app push"),
    "voice": Text("电话", "phone"),
    "ads": Text("广告", "ads"),
    "inbox": Text("站内待办", "inbox"),
    "work_order": Text("工单", "work order"),
    "calendar": Text("日程", "calendar"),
    "webhook": Text("接口", "webhook"),
}
"""What people call the channels; a catalog may name others, which are said as they are."""


def action_name(action: str, catalog: Catalog, lang: Lang) -> str:
    found = catalog.actions.get(action)
    return action if found is None else name_of(found, action, lang)


def both(say: Callable[[Lang], str]) -> Text:
    return Text(say("zh"), say("en"))


def contrary(one: Strategy, other: Strategy, actions: Sequence[str], catalog: Catalog, opposite: bool) -> Text:
    first, second = (Text(*(action_name(a, catalog, lang) for lang in ("zh", "en"))) for a in actions)
    how = Text("相反", "the opposite of") if opposite else Text("互斥", "not to go together with")
    return Text(
        f"同一客户会同时触发“{one.name}”（{first.zh}）与“{other.name}”（{second.zh}），两个动作{how.zh}",
        f"one customer can set off both “{one.name}” ({first.en}) and “{other.name}” ({second.en}), and the one is"
        f" {how.en} the other",
    )


def piled(one: Strategy, other: Strategy, channel: str, capped: str, cap: Cap) -> Text:
    zh, en = (duration(cap.per, lang) for lang in ("zh", "en"))
    on = _CHANNELS.get(channel, Text(channel, channel))
    return Text(
        f"“{one.name}”与“{other.name}”会通过{on.zh}先后触达同一客户，"
        f"超过“{capped}”每{zh}最多 {cap.times} 次的上限（上限按策略各自计算）",
        f"“{one.name}” and “{other.name}” can both reach one customer by {on.en}, more than the {cap.times} per {en}"
        f" that “{capped}” allows (a cap counts one strategy's deliveries)",
    )


def swallowed(narrow: Strategy, wide: Strategy, same: bool) -> Text:
    if same:
        return Text(
            f"“{narrow.name}”与“{wide.name}”的条件等价，动作也相同：其中一个多余",
            f"“{narrow.name}” and “{wide.name}” hold in the same cases and do the same: one of them is not needed",
        )
    return Text(
        f"“{narrow.name}”成立时“{wide.name}”必然成立，且后者已做同样的事：前者多余",
        f"whenever “{narrow.name}” holds, “{wide.name}” does too, and it does the same: the first adds nothing",
    )


def circling(cycle: Sequence[Strategy], events: Sequence[str], catalog: Catalog) -> Text:
    def say(lang: Lang) -> str:
        names = [name_of(catalog.events[event], event, lang) for event in events]
        steps = [f"“{s.name}” → {name}" for s, name in zip(cycle, names, strict=True)]
        return " → ".join([*steps, f"“{cycle[0].name}”"])

    return Text(
        f"动作引发的事件又触发策略，循环往复：{say('zh')}", f"actions cause events that fire again: {say('en')}"
    )


def dead(strategy: Strategy, why: Text) -> Text:
    return Text(f"“{strategy.name}”永远不会触发：{why.zh}", f"“{strategy.name}” can never fire: {why.en}")


def contradiction(parts: Sequence[Condition], strategy: Strategy, catalog: Catalog) -> Text:
    def say(lang: Lang) -> list[str]:
        return [condition_in_words(part, strategy, catalog, lang) for part in parts]

    return Text(f"这些条件不能同时成立：{'；'.join(say('zh'))}", f"these never hold together: {'; '.join(say('en'))}")


def undecided(said: Text) -> Text:
    return Text(f"未能判定：{said.zh}", f"not decided: {said.en}")


def example(past: Sequence[Input], catalog: Catalog) -> Text:
    """What holds of a subject, and what happened to it how often."""
    return both(lambda lang: ("；" if lang == "zh" else "; ").join(dict.fromkeys(_told(past, catalog, lang))))


def _told(past: Sequence[Input], catalog: Catalog, lang: Lang) -> Iterator[str]:
    speech = Speech(catalog, lexicon_of(catalog), lang, exact=False)
    for item in past:
        if isinstance(item, Fact):
            yield _fact(item, speech)
        elif isinstance(item, Relation):
            kind = item.object.split("/", 1)[0]
            relation = name_of(catalog.relations[item.relation], item.relation, lang)
            yield f"{relation} {name_of(catalog.objects[kind], kind, lang)}"
    counts = Counter(item.type for item in past if isinstance(item, Event))
    for event, count in counts.items():
        name = name_of(catalog.events[event], event, lang)
        yield name if count == 1 else f"{name} × {count}"


def _fact(fact: Fact, speech: Speech) -> str:
    kind, catalog, lang = fact.subject.split("/", 1)[0], speech.catalog, speech.lang
    attribute, forecast = catalog.attribute(kind, fact.property), catalog.forecasts.get(fact.property)
    named = attribute or forecast
    name = fact.property if named is None else name_of(named, fact.property, lang)
    if forecast is not None and isinstance(fact.value, int | float):
        value = speech.amount(fact.value, forecast.unit)
    elif isinstance(fact.value, dict):
        value = ", ".join(f"{key} {each}" for key, each in fact.value.items())
    else:
        value = speech.value(fact.value, attribute, Name("attribute", fact.property, kind))
    return f"{name} {'是' if lang == 'zh' else 'is'} {value}"
