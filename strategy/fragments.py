"""Pieces of a sentence read beside a strategy that is there: a condition without its action, a group of customers, a
limit alone, a number with what it counts. The grammar reads them in the place of a whole sentence made for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import ValidationError

from core.errors import InvalidInput, NeedsAnswer, ZhongshuError
from core.text import Lang, Text
from core.times import DAY
from knowledge.catalog import Catalog
from knowledge.catalog.units import WrongUnit, convert
from strategy.document import (
    ActionCall,
    AttributeIs,
    Condition,
    Guards,
    Happens,
    Rollout,
    Strategy,
    Variant,
)
from strategy.edits import conjoined, put, with_number
from strategy.language import read_sentence, readback
from strategy.language.amounts import POINTS
from strategy.language.faithful import Heard, numbers_in
from strategy.language.guards import Extras, take_extras
from strategy.language.lexer import Part, lex
from strategy.language.lexicon import Name, lexicon_of
from strategy.language.mentions import NumberUsed, mentions
from strategy.language.normalise import normalise, plain
from strategy.language.quantities import quantities
from strategy.language.scope import Scope
from strategy.wishes import is_several

_CALENDAR = {
    r"上周|上个?星期|上个?礼拜": "最近7天",
    r"上个?月": "最近30天",
    r"昨天|昨日": "最近1天",
    r"(?:in |during )?last week": "in the last 7 days",
    r"(?:in |during )?last month": "in the last 30 days",
    r"yesterday": "in the last 1 day",
}
"""Calendar words, which the grammar refuses; in passing people mean the stretch of time, and are told so."""
_WHO = re.compile(
    r"^(?:the\s+)?(?:those|people|anyone|anybody|the\s+ones)\s+(?:who|that|with)\s+|的(?:那些)?(?:客户|用户|人|会员|顾客)?(?:以外|之外)?$",
    re.I,
)
_LEADS = re.compile(
    r"^(?:发送?|推送?|送|安排|做|打|给他们|发一[张条个封]|send(?:ing)?|arrange|make|do(?:ing)?|the|an?|any|use|using)\s*",
    re.I,
)
_PARTS: dict[str, re.Pattern[str]] = {
    place: re.compile(words, re.I)
    for place, words in {
        "guards.quiet_hours": r"安静|免打扰|勿扰|静默|夜间|时段|quiet|night|do.not.disturb",
        "guards.cap": r"频次|频率|次数(?:上限|限制)|上限|最多|\bcaps?\b|frequency|at most|limit",
        "guards.cooldown": r"冷却|间隔|cool",
        "guards.budget": r"预算|总量|budget",
        "guards.consent": r"同意|授权要求|consent",
        "rollout.holdout": r"对照|holdout|hold-out|control",
        "rollout.variants": r"分组|变体|variants?|a/b",
        "rollout.percent": r"灰度|放量|比例|流量|rollout|roll.?out|canary|share|start(?:ing)? with",
        "verify": r"验证|成效|效果|观察期|verif|measur|success|evaluat",
    }.items()
}
"""What the parts of a document are called that are no conditions."""
_TIMES = re.compile(r"时间窗|窗口|时间|期限|window|period|time ?frame", re.I)
_WEIGHTLESS = ("FILLER", "COMMA", "STOP", "AND", "ALSO", "VERB", "GIVE", "DE", "A", "THEN", "TO", "FOR", "EACHONE")


class Fragments:
    """What words mean beside one strategy. `warnings` gather what was taken for granted."""

    def __init__(self, strategy: Strategy, catalog: Catalog, lang: Lang) -> None:
        self._strategy, self._catalog, self._lang = strategy, catalog, lang
        self._lexicon = lexicon_of(catalog)
        self.warnings: list[Text] = []

    # names and numbers

    def names(self, text: str, kind: str | None = None) -> list[Name]:
        """The catalog's names in the text, in order; each part of it may name several."""
        found = [n for part in self._lexed(text) for n in part.names]
        return [n for n in dict.fromkeys(found) if kind is None or n.kind == kind]

    def measures(self, text: str) -> bool:
        return bool(self._numbers(text))

    def numbers(self, new: str, old: str) -> list[Strategy] | None:
        """The strategy with the number of `new` in each place that it fits: places that `old` or `new` name before
        others. None where `new` is more than one number."""
        heard = self._numbers(new)
        if len(heard) != 1 or is_several(new) or any(p.has("UNKNOWN", "STRING") for p in self._lexed(new)):
            return None
        former = self._numbers(old)
        found: list[tuple[int, Strategy]] = []
        used = mentions(self._strategy, self._catalog)
        for slot in used.numbers:
            setting = self._setting(heard[0], slot)
            if setting is None or (former and not any(h.is_(slot) for h in former)):
                continue
            rank = self._rank(slot, f"{old} {new}")
            if slot.field == "rollout.holdout" and not slot.value and not rank:
                continue
            try:
                found.append((rank, with_number(self._strategy, slot.field, **setting)))
            except ValidationError:  # a share of 300%, half a time
                continue
        best = max((rank for rank, _ in found), default=0)
        fitting = [document for rank, document in found if rank == best]
        if not fitting and not self.names(new):
            raise InvalidInput(
                Text(f"没有与“{new}”同类的数可改", f"there is no number of the kind of {new!r} to change"),
                where={"field": "words"},
            )
        return fitting or None

    def _setting(self, heard: Heard, slot: NumberUsed) -> dict[str, object] | None:
        """The field of the part and what to put there; None where the number is of another kind."""
        key = slot.field.rsplit(".", 1)[-1]
        quantity = heard.quantity
        if quantity is None:
            if key == "times" and heard.times is not None:
                return {"times": heard.times}
            if slot.micros is not None and heard.micros is not None and heard.times is None:
                return self._span(key, heard.micros)
            return {"last": heard.times} if key == "last" and heard.times else None
        compared = {"op": heard.op} if heard.op and key == "value" and slot.op else {}
        if slot.micros is not None:
            return self._span(key, quantity.micros) if quantity.micros else None
        if slot.period is not None and quantity.period == slot.period:
            return {key: int(quantity.number)}
        if slot.counted:
            whole = quantity.unit is None and quantity.number == int(quantity.number)
            return {key: int(quantity.number) if key != "value" else quantity.number, **compared} if whole else None
        if quantity.times and not quantity.measure:
            return None
        if quantity.unit is None or (quantity.unit in POINTS and slot.unit is None):
            return {key: quantity.number, **compared}
        try:
            return {key: convert(quantity.number, quantity.unit, slot.unit), **compared}
        except WrongUnit:
            return None

    def _span(self, key: str, micros: int) -> dict[str, object] | None:
        if key == "days_before":
            return {key: micros // DAY} if micros % DAY == 0 else None
        return {key: micros}

    def _rank(self, slot: NumberUsed, text: str) -> int:
        """How much the text says that this place is meant."""
        named = sum(1 for place, words in _PARTS.items() if slot.field.startswith(place) and words.search(text))
        if slot.field.startswith(("audience", "trigger")):
            said = set(self.names(text))
            leaf = next((leaf for place, leaf in self._places() if (slot.field + ".").startswith(place + ".")), None)
            if leaf is not None and said & self._names_of(leaf):
                named += 1
            if slot.micros is not None and _TIMES.search(text):
                named += 1
        return named

    def speaks_of(self, leaf: Condition, text: str) -> bool:
        """The text names something of the condition, and no number that it has not."""
        said, numbers = set(self.names(text)), self._numbers(text)
        used = mentions(put(self._strategy, audience=None, trigger=leaf), self._catalog)
        fitting = all(any(h.is_(n) for n in used.numbers if n.field.startswith("trigger")) for h in numbers)
        return fitting and not is_several(text) and bool(said & self._names_of(leaf) or (numbers and not said))

    def _names_of(self, leaf: Condition) -> set[Name]:
        used = mentions(put(self._strategy, audience=None, trigger=leaf, verify=None), self._catalog)
        found = {n for u in used.names if u.field.startswith("trigger") for n in (u.name, *u.implied_by)}
        return {n for n in found if n.kind != "action"}

    def _places(self) -> Iterator[tuple[str, Condition]]:
        from strategy.document import leaves

        yield from leaves(self._strategy.trigger, "trigger")
        yield from leaves(self._strategy.audience, "audience")

    # how it runs

    def running(self, text: str) -> Strategy | None:
        """The strategy with what the text says about how it runs; None where the text says anything else too."""
        scope = self._scope(text)
        extras = Extras()
        try:
            rest = take_extras(quantities(lex(scope.normal, scope.lexicon)), extras, scope, loose=True)
        except ZhongshuError:
            return None
        said = bool(extras.guards or extras.rollout or extras.variants or extras.verify)
        if not said or any(not p.has(*_WEIGHTLESS) for p in rest):
            return None
        self.warnings += scope.warnings
        guards = {**dict(self._strategy.guards), **extras.guards}
        rollout = {**dict(self._strategy.rollout), **extras.rollout}
        if extras.variants:
            rollout["variants"] = tuple(Variant.model_validate(v) for v in extras.variants)
        changes = {"guards": Guards(**guards), "rollout": Rollout(**rollout)}
        return put(self._strategy, **changes, verify=extras.verify or self._strategy.verify)

    def cleared(self, text: str) -> Strategy | None:
        """The strategy without the guard, holdout, verification or audience that the text names; None: it names none.

        Raises:
            InvalidInput: it names one that the strategy has not.
        """
        if is_several(text):
            return None
        if re.search(r"人群|受众|对象(?:限制|条件)|audience|segment", text, re.I):
            if self._strategy.audience is None:
                raise self._absent(text)
            return put(self._strategy, audience=None)
        place = next((place for place, words in _PARTS.items() if words.search(text)), None)
        if place is None or place == "rollout.percent" or self.names(text, "event") or self.names(text, "action"):
            return None
        part, _, key = place.partition(".")
        now = getattr(getattr(self._strategy, part), key) if key else self._strategy.verify
        if not now:
            raise self._absent(text)
        if not key:
            return put(self._strategy, verify=None)
        bare = {"holdout": 0.0, "variants": ()}.get(key)
        return put(self._strategy, **{part: getattr(self._strategy, part).model_copy(update={key: bare})})

    def _absent(self, text: str) -> InvalidInput:
        return InvalidInput(
            Text(f"策略里没有“{text}”可去掉", f"the strategy has no {text!r} to take away"), where={"field": "words"}
        )

    # actions

    def actions(self, text: str) -> tuple[ActionCall, ...]:
        """What is to be done, as the grammar reads it after "then"; a part of the name of one action is that action.

        Raises:
            NeedsAnswer: a part of the names of several.
        """
        text = self._whole_action(text)
        lead, mark, _ = self._skeleton().partition("就执行：" if self._lang == "zh" else "then do: ")
        joint = "就" if self._lang == "zh" else "then "
        return self._read(f"{lead if mark else ''}{joint}{text}").actions

    def _whole_action(self, text: str) -> str:
        core = _core(text)
        if self.names(text, "action") or not core:
            return text
        holding = {
            action_id: self._lexicon.label(Name("action", action_id), self._lang)
            for action_id, action in self._catalog.actions.items()
            if any(_holds(plain(label), core) for label in action.labels.all())
        }
        if len(holding) > 1:
            names = [Name("action", action_id) for action_id in holding]
            raise NeedsAnswer(
                Text(f"“{text}”指哪个动作？", f"which action does {text!r} mean?"),
                choices=[Text(self._lexicon.label(n, "zh"), self._lexicon.label(n, "en")) for n in names],
            )
        for label in holding.values():
            self.warnings.append(Text(f"“{text}”按动作“{label}”理解", f"{text!r} was taken as the action {label!r}"))
            return label
        return text

    def is_action(self, call: ActionCall, text: str) -> bool:
        """The text means this action of the strategy: by its name, or by a part of it (短信 of 短信提醒)."""
        core = _core(text)
        if not core or is_several(text):
            return False
        if call.action and any(n.id == call.action for n in self.names(text, "action")):
            return True
        action = self._catalog.actions.get(call.action or "")
        labels = action.labels.all() if action else [call.label]
        return any(core in plain(label) or plain(label) in core for label in labels)

    def begins_as_action(self, text: str) -> bool:
        parts = self._lexed(text)
        return bool(parts) and parts[0].has("VERB", "TASK")

    # conditions

    def condition(self, text: str) -> Condition:
        """The text as a condition, which may be a moment."""
        text = self._without_calendar(text)
        subject = self._lexicon.label(Name("object", self._strategy.subject), self._lang)
        whole = f"当{subject}{text}时，就人工任务“-”" if self._lang == "zh" else f'When {text}, do the task "-"'
        try:
            return self._read(whole).trigger
        except InvalidInput:
            return self.who(text)

    def who(self, text: str) -> Condition:
        """The text as whom it is for: a state, or values such as "VIPs in Shanghai".

        Raises:
            As `read_sentence`; where an offset is given it is that of the text.
        """
        text = _WHO.sub("", self._without_calendar(text)).strip()
        subject = self._lexicon.label(Name("object", self._strategy.subject), self._lang)
        spoken = self._skeleton()
        if self._lang == "zh":
            whole = f"对于满足（{text}）的{subject}，{spoken}"
        else:
            whole = f"For any {subject} that satisfies ({text}), {spoken[0].lower()}{spoken[1:]}"
        try:
            found = self._read(whole).audience
            assert found is not None
            return found
        except InvalidInput as error:
            if valued := self._values(text):
                return valued
            error.where = {"field": "words"}
            raise

    def swapped(self, old: str, new: str) -> list[Strategy]:
        """ "登录改成下单": another event in the place of one, wherever that is all a condition says of it."""
        before, after = self.names(old, "event"), self.names(new, "event")
        if not before or len(after) != 1 or self.measures(new):
            return []
        from strategy.edits import replaced

        found = []
        for place, leaf in self._places():
            root = place.split(".")[0]
            event = getattr(leaf, "event", None)
            plain_event = not getattr(leaf, "where", ()) and not getattr(leaf, "field", None)
            if plain_event and any(n.id == event for n in before):
                changed = leaf.model_copy(update={"event": after[0].id})
                found.append(
                    put(self._strategy, **{root: replaced(getattr(self._strategy, root), root, place, changed)})
                )
        return found

    def _values(self, text: str) -> Condition | None:
        """Nothing but values of attributes: each attribute is one of those that were said."""
        parts = [
            p for p in self._lexed(text) if not p.has("FILLER", "OBJECT", "DE", "AND", "OR", "LIST", "IN", "COMMA")
        ]
        owned = [
            [n for n in p.named("value") if n.of == "attribute" and n.owner == self._strategy.subject] for p in parts
        ]
        if not owned or not all(owned):
            return None
        by_item: dict[str, list[float | str]] = {}
        for name, *_ in owned:
            by_item.setdefault(name.item, []).append(name.id)
        return conjoined(
            *(
                AttributeIs(name=item, op="==" if len(ids) == 1 else "in", value=ids[0] if len(ids) == 1 else ids)
                for item, ids in by_item.items()
            )
        )

    def _without_calendar(self, text: str) -> str:
        for words, plainly in _CALENDAR.items():
            if match := re.search(words, text, re.I):
                told = match.group().strip()
                note = Text(f"“{told}”按“{plainly}”理解", f"{told!r} was taken as {plainly!r}")
                if note not in self.warnings:
                    self.warnings.append(note)
                text = text.replace(match.group(), plainly)
        return text

    def _skeleton(self) -> str:
        """A sentence with nothing but a trigger, in which pieces are read."""
        subject = self._strategy.subject
        event = next((e for e, kind in self._catalog.events.items() if kind.subject == subject), None)
        trigger = Happens(event=event) if event else self._strategy.trigger
        bare = Strategy(name="-", subject=subject, trigger=trigger, actions=(ActionCall(task="-"),))
        return readback(bare, self._catalog, self._lang)

    def _read(self, whole: str) -> Strategy:
        reading = read_sentence(whole, self._catalog, name="-", lang=self._lang)
        self.warnings += [w for w in reading.warnings if w not in self.warnings]
        return reading.document

    def _scope(self, text: str) -> Scope:
        return Scope(self._catalog, self._lexicon, normalise(text), self._lang)

    def _lexed(self, text: str) -> list[Part]:
        return lex(normalise(text), self._lexicon)

    def _numbers(self, text: str) -> list[Heard]:
        return [h for h in numbers_in(quantities(self._lexed(text))) if not h.bare]


def _core(text: str) -> str:
    """What is done, without the verb that only carries it: 发短信 → 短信, send an SMS → sms."""
    core = plain(text)
    while core != (core := _LEADS.sub("", core).strip()):
        pass
    return core


def _holds(label: str, core: str) -> bool:
    """The core is a part of the label: whole words where it is written with spaces."""
    return core in label if not core.isascii() else bool(re.search(rf"\b{re.escape(core)}s?\b", label))
