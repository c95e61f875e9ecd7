"""One stretch of a clause that speaks about one event or one property: its parts, which of them have been understood,
and which catalog names they mean here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from core.text import Lang, Text
from knowledge.catalog import name_of
from strategy.language.amounts import NOT
from strategy.language.lexer import Part
from strategy.language.lexicon import Name, NameKind
from strategy.language.scope import Scope

_WEIGHTLESS = frozenset(
    [
        "FILLER",
        "PERFECT",
        "IF",
        "WHO",
        "EXISTS",
        "HAPPEN",
        "COP",
        "BOTH",
        "GE",
        "FIT",
        "WHENEND",
        "PASSIVE",
        "A",
        "DE",
        "ANY",
        "FOR",
        "RELATED",
        "OBJECT",
        "IN",
        "LIGHT",
        "FILLERDAY",
        "EACHONE",
        "THEN",
        "BOTHAND",
        "GIVE",
    ]
)


_BEFORE_ACT = ("FILLER", "FOR", "A", "ANY", "ANOTHER", "LIGHT", "VERB", "INTENT")


@dataclass(slots=True)
class Segment:
    parts: tuple[Part, ...]
    scope: Scope
    used: set[int] = field(default_factory=set)

    def use(self, *parts: Part) -> None:
        self.used.update(id(p) for p in parts)

    def free(self, *kinds: str) -> list[Part]:
        """Parts of these kinds that nothing has claimed yet."""
        return [p for p in self.parts if id(p) not in self.used and p.has(*kinds)]

    def take(self, *kinds: str) -> Part | None:
        """Claim the first free part of these kinds."""
        found = self.free(*kinds)
        if found:
            self.use(found[0])
        return found[0] if found else None

    def has(self, *kinds: str) -> bool:
        return bool(self.free(*kinds))

    def index(self, part: Part) -> int:
        return next(i for i, p in enumerate(self.parts) if p is part)

    def names(self, *kinds: NameKind) -> list[tuple[Part, list[Name]]]:
        """Parts that may name a thing of these kinds, with those names."""
        return [(p, found) for p in self.parts if id(p) not in self.used and (found := p.named(*kinds))]

    def finish(self) -> None:
        """Everything must have been understood.

        Raises:
            UnknownName: a name the catalog does not have.
            InvalidInput: a word that has no place here.
        """
        rest = [p for p in self.parts if id(p) not in self.used and not (_WEIGHTLESS & p.senses.keys())]
        for part in rest:
            if part.has("UNKNOWN"):
                self.scope.unknown(part)
        for part in rest:
            complain(part, self.scope)
        if meant := next((p for i, p in enumerate(self.parts) if p.has("INTENT") and self._of_an_act(i)), None):
            complain(meant, self.scope)

    def _of_an_act(self, i: int) -> bool:
        """ "客户想退费", "a customer will leave": what may come is said of an event, and has not happened."""
        after = next((p for p in self.parts[i + 1 :] if p.named("event") or not p.has(*_BEFORE_ACT)), None)
        return after is not None and bool(after.named("event"))


def complain(part: Part, scope: Scope) -> NoReturn:
    """Say why a known word cannot stand where it does."""
    said = scope.said(part)
    if part.has("VAGUE"):
        scope.invalid(
            [part],
            f"“{said}”不够明确",
            f"{said!r} is not precise enough",
            Text(
                "请给出次数、时长或数值，例如“7天内至少3次”",
                "Give a count, a time or a value, such as “at least 3 times in 7 days”",
            ),
        )
    if part.has("INTENT"):
        scope.invalid(
            [part],
            f"“{said}”说的是还没有发生的事；策略只看已经发生的",
            f"{said!r} speaks of what has not happened; a strategy looks at what has",
            Text("请直接说发生的事，或用目录里的预测", "Say the event itself, or use a forecast of the catalog"),
        )
    if part.has("EACH"):
        scope.ask(
            [part],
            "“每…”有两种读法：任何一段这么长的时间，还是每个自然周期？",
            "“every …” can mean any stretch that long, or each calendar period",
            [
                Text(
                    "用滑动时间窗，例如“7天内登录少于2次”",
                    "A sliding window, such as “fewer than 2 logins in the last 7 days”",
                ),
                Text("连续几天都有，例如“连续3天登录”", "Days in a row, such as “logs in on 3 consecutive days”"),
            ],
        )
    if part.has("ALWAYS"):
        scope.invalid(
            [part],
            f"“{said}”要说清楚是连续几次或几天",
            f"{said!r}: for how many times or days in a row?",
            Text("例如“连续3次”“连续3天”", "For example “3 times in a row”, “on 3 consecutive days”"),
        )
    if part.has("ATONCE"):
        scope.invalid(
            [part],
            f"“{said}”在条件里要说清楚是多久之内",
            f"{said!r}: within what time, in a condition?",
            Text("例如“登录后10分钟内下单”", "For example “logs in and orders within 10 minutes”"),
        )
    if part.has("FIRST"):
        scope.invalid(
            [part],
            f"没有看懂这里的“{said}”",
            f"{said!r} was not understood here",
            Text(
                "“首次登录”指历史上第一次；先后顺序请说“先A再B”",
                "Say “logs in for the first time”, or “first A, then B” for an order",
            ),
        )
    if part.has("BEFORE"):
        scope.invalid(
            [part],
            f"没有看懂这里的“{said}”",
            f"{said!r} was not understood here",
            Text("先后顺序请说“A后…B”或“A → B”", "Say an order as “A then B” or “A → B”"),
        )
    if part.has("CALENDAR", "OFYEAR"):
        refuse_calendar(part, scope)
    if part.has("CLASH"):
        scope.invalid(
            [part],
            f"“{said}”有两种读法：是否包含这个数？",
            f"{said!r}: is the number itself included?",
            Text("例如“超过3次”或“3次及以上”", "For example “more than 3” or “3 or more”"),
        )
    if part.has("CMPV"):
        op, literal = part.get("CMPV")
        if op.startswith(NOT):
            scope.refuse(
                [part],
                f"事件的字段条件还不能说“{said}”",
                f"{said!r} cannot be said of an event's field",
                Text(
                    "可以写成列表以外的值，例如“不属于[“A”]”", 'Name the values instead, such as “is not one of ["A"]”'
                ),
            )
        if isinstance(literal, Part) and literal.has("UNKNOWN"):
            scope.unknown(literal, known=scope.lexicon.labels(["value"]))
        scope.invalid([part], f"“{said}”前面缺少被比较的属性", f"{said!r} does not say what is compared")
    if part.has("CMPQ", "QTY"):
        scope.invalid(
            [part],
            f"“{said}”不知道指什么：缺少对应的属性、指标或事件",
            f"{said!r} does not say what it belongs to",
            Text(
                "请写明属性或事件，例如“收缩压大于160”“登录少于2次”",
                "Name the attribute or event, such as “systolic above 160” or “logs in fewer than 2 times”",
            ),
        )
    if part.names:
        scope.invalid(
            [part],
            f"“{said}”与这半句的其余部分连不起来，可能缺少“且”或逗号",
            f"{said!r} does not connect with the rest of this clause; an “and” or a comma may be missing",
        )
    scope.invalid([part], f"没有看懂这里的“{said}”", f"{said!r} was not understood here")


def refuse_calendar(part: Part, scope: Scope) -> NoReturn:
    said = scope.said(part)
    scope.invalid(
        [part],
        f"还不支持“{said}”这样的自然周期",
        f"calendar periods such as {said!r} are not supported",
        Text("请改用滑动时间窗，例如“最近7天”", "Say a sliding window instead, such as “in the last 7 days”"),
    )


def choose(
    found: Sequence[tuple[Part, Sequence[Name]]], scope: Scope, prefer_owner: Iterable[str] = ()
) -> tuple[Part, Name] | None:
    """The one name meant by the first part; several candidates left make it a question.

    Raises:
        NeedsAnswer: the word names several things of the catalog.
    """
    if not found:
        return None
    part, names = found[0][0], list(dict.fromkeys(found[0][1]))
    if len(names) > 1:
        preferred = [n for n in names if n.owner in set(prefer_owner)]
        names = preferred or names
    if len(names) > 1:
        which_of(part, names, scope)
    if part.weak:
        label = describe(names[0], scope)
        said = scope.said(part)
        scope.warn(f"“{said}”按“{label.zh}”理解", f"{said!r} was read as {label.en!r}")
    return part, names[0]


def which_of(part: Part, names: Sequence[Name], scope: Scope) -> NoReturn:
    said = scope.said(part)
    scope.ask(
        [part],
        f"“{said}”指哪一个？",
        f"which one does {said!r} mean?",
        [describe(n, scope) for n in names[:6]],
        [f"`{n.exact}`" for n in names[:6]],
    )


def _value_of(name: Name, lang: Lang, scope: Scope) -> str:
    attribute = scope.attribute(Name("field" if name.of == "field" else "attribute", name.item, name.owner))
    labels = attribute.values.get(name.id)
    value = name.id if labels is None else name_of(labels, name.id, lang)
    return f"{name_of(attribute, name.item, lang)}{'是' if lang == 'zh' else ' '}{value}"


def describe(name: Name, scope: Scope) -> Text:
    """A name with its owner, as a person would say it."""
    texts = []
    for lang in ("zh", "en"):
        if name.kind == "value":
            texts.append(_value_of(name, lang, scope))
            continue
        label = scope.label(name.kind, name.id, lang, name.owner)
        if name.kind == "field":
            label = f"{scope.label('event', name.owner, lang)}{'的' if lang == 'zh' else ' '}{label}"
        elif name.kind == "attribute":
            label = f"{scope.label('object', name.owner, lang)}{'的' if lang == 'zh' else ' '}{label}"
        texts.append(label)
    return Text(*texts)
