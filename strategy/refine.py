"""Changing a strategy in everyday words: which number, condition, guard, action or audience is meant, and the document
with just that changed. What fits several places is asked about; nothing else of the document moves. Pure: no store, no
clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput, NeedsAnswer, Refused, ZhongshuError
from core.text import Lang, Text, guess_lang
from knowledge.catalog import Catalog
from strategy.differences import differences
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Condition,
    MetricIs,
    Not,
    Strategy,
    Window,
    leaves,
)
from strategy.edits import conjoined, conjuncts, dropped, put, replaced
from strategy.engine.check import check_strategy
from strategy.fragments import Fragments
from strategy.wishes import Wish, clauses, trimmed, wishes

Option = tuple[Strategy, Text | None]
"""A changed document, and how to say the choice when the change itself does not tell it apart."""


@dataclass(frozen=True, slots=True)
class Refined:
    """The changed document, one sentence a change, and what was taken for granted."""

    document: Strategy
    changes: tuple[Text, ...]
    warnings: tuple[Text, ...] = ()


def refine(
    strategy: Strategy, words: str, catalog: Catalog, *, lang: Lang | None = None, answers: Sequence[str] = ()
) -> Refined:
    """Change `strategy` as the words ask. Several changes may stand in one message, each in a clause of its own.

    `answers`: the choices that were made when it was asked before, in either language.

    Raises:
        NeedsAnswer: several parts fit; `choices` say what each would become.
        InvalidInput, UnknownName: the words ask for nothing that can be changed, or name what the catalog lacks.
        Refused: the changed strategy could never fire, or would lack a trigger or an action.
    """
    said = trimmed(words)
    if not said:
        raise InvalidInput(Text("没有说要改什么", "it is not said what to change"), where={"field": "words"})
    lang = lang or guess_lang(words)
    document, warnings = _changed(strategy, said, catalog, lang, answers)
    changes = differences(strategy, document, catalog)
    if not changes:
        raise InvalidInput(
            Text("已经是这样了，没有可改的", "it is so already; there is nothing to change"), where={"field": "words"}
        )
    return Refined(document, tuple(changes), warnings)


def _changed(
    strategy: Strategy, said: str, catalog: Catalog, lang: Lang, answers: Sequence[str]
) -> tuple[Strategy, tuple[Text, ...]]:
    """Clause by clause where each can be taken by itself, else as a whole."""
    parts = clauses(said)
    if len(parts) > 1:
        document = strategy
        warnings: tuple[Text, ...] = ()
        try:
            for part in parts:
                document, more = _Editor(document, catalog, lang, answers).apply(part)
                warnings = (*warnings, *more)
        except (InvalidInput, Refused):
            pass
        else:
            return document, warnings
    return _Editor(strategy, catalog, lang, answers).apply(said)


class _Editor:
    """One change of one strategy."""

    def __init__(self, strategy: Strategy, catalog: Catalog, lang: Lang, answers: Sequence[str]) -> None:
        self._strategy, self._catalog, self._answers = strategy, catalog, answers
        self._words = Fragments(strategy, catalog, lang)

    def apply(self, said: str) -> tuple[Strategy, tuple[Text, ...]]:
        """The changed document and warnings."""
        found = self._wished(said)
        check_strategy(found, self._catalog)
        return found, tuple(self._words.warnings)

    def _wished(self, said: str) -> Strategy:
        if (guarded := self._words.running(said)) is not None:
            return guarded
        last: ZhongshuError | None = None
        tried: dict[str, Callable[[Wish], Strategy]] = {
            "set": self._set,
            "remove": self._remove,
            "add": self._add,
            "only": self._only,
            "exclude": self._exclude,
            "everyone": lambda _: self._with(audience=None),
            "either": lambda _: self._joined(Any_),
            "both": lambda _: self._joined(All),
        }
        for wish in wishes(said):
            try:
                return tried[wish.verb](wish)
            except InvalidInput as error:
                last = last or error
        try:
            return self._set(Wish("set", said), bare=True)
        except InvalidInput as error:
            raise last or error from None

    # what is asked for

    def _set(self, wish: Wish, *, bare: bool = False) -> Strategy:
        """`bare`: no word says that something is to be changed, so it is no action to be done instead."""
        new, old = wish.new, wish.old
        if (guarded := self._words.running(new)) is not None:
            return guarded
        if not bare and (options := self._actions_for(old, new)) is not None:
            return self._pick(options, new)
        if (numbers := self._words.numbers(new, old)) is not None:
            return self._pick([(each, None) for each in numbers], new)
        if (valued := self._values_for(old, new)) is not None:
            return self._pick(valued, new)
        return self._pick(self._conditions_for(old, new), new)

    def _actions_for(self, old: str, new: str) -> list[Option] | None:
        """The action that takes another's place; None where no action is meant."""
        calls = self._strategy.actions
        meant = [i for i, call in enumerate(calls) if old and self._words.is_action(call, old)]
        if not self._words.names(new, "action") and not meant:
            return None
        if old and not meant:
            return None
        fresh = self._words.actions(new)
        return [(self._with(actions=(*calls[:i], *fresh, *calls[i + 1 :])), None) for i in (meant or range(len(calls)))]

    def _values_for(self, old: str, new: str) -> list[Option] | None:
        """ "大客户改成新客户": another value of the same attribute, wherever that is compared."""
        named = self._words.names(new, "value")
        if not named or self._words.measures(new):
            return None
        before = {n.id for n in self._words.names(old, "value")}
        options: list[Option] = []
        for root, place, leaf in self._leaves():
            fitting = [n for n in named if isinstance(leaf, AttributeIs) and n.item == leaf.name]
            if isinstance(leaf, AttributeIs) and fitting and (not before or leaf.value in before):
                values = [n.id for n in fitting]
                value: Any = values[0] if len(values) == 1 else values
                op = ("in" if len(values) > 1 else "==") if leaf.op in ("==", "in") else leaf.op
                options.append((self._put(root, place, leaf.model_copy(update={"value": value, "op": op})), None))
        if not options and not old:
            return [(self._only(Wish("only", new)), None)]
        return options or None

    def _conditions_for(self, old: str, new: str) -> list[Option]:
        """A condition that takes the place of the one that looks at the same, or of the one that was named."""
        if old and (swapped := self._words.swapped(old, new)):
            return [(each, None) for each in swapped]
        condition = self._words.condition(new)
        options: list[Option] = []
        for root, place, leaf in self._leaves():
            named = bool(old) and self._words.speaks_of(leaf, old)
            if named or (not old and _same(leaf, condition)):
                options.append((self._put(root, place, _kept(leaf, condition)), None))
        if not options:
            raise InvalidInput(
                Text(f"没有找到要改的部分：“{old or new}”", f"nothing that fits {old or new!r} was found to change"),
                where={"field": "words"},
                hint=Text("新增条件请说“再加……”", "To add a condition, say “also …”"),
            )
        return options

    def _remove(self, wish: Wish) -> Strategy:
        if (cleared := self._words.cleared(wish.new)) is not None:
            return cleared
        options: list[Option] = []
        calls = self._strategy.actions
        for i, call in enumerate(calls):
            if self._words.is_action(call, wish.new):
                if len(calls) == 1:
                    raise Refused(
                        Text("策略至少要有一个动作", "a strategy needs an action"),
                        hint=Text("可以说“改成……”", "Say what to do instead: “change it to …”"),
                    )
                options.append((self._with(actions=(*calls[:i], *calls[i + 1 :])), None))
        for root, place, leaf in self._leaves():
            if self._words.speaks_of(leaf, wish.new):
                options.append((self._dropped(root, place), None))
        if not options:
            raise InvalidInput(
                Text(f"策略里没有“{wish.new}”", f"the strategy has no {wish.new!r}"), where={"field": "words"}
            )
        return self._pick(options, wish.new)

    def _add(self, wish: Wish) -> Strategy:
        if (guarded := self._words.running(wish.new)) is not None:
            return guarded
        if not (self._words.names(wish.new, "action") or self._words.begins_as_action(wish.new)):
            return self._with(trigger=conjoined(self._strategy.trigger, self._words.condition(wish.new)))
        fresh = tuple(c for c in self._words.actions(wish.new) if c not in self._strategy.actions)
        return self._with(actions=(*self._strategy.actions, *fresh))

    def _only(self, wish: Wish) -> Strategy:
        """Narrow the audience: a test of an attribute that it tests already takes that one's place."""
        who = self._words.who(wish.new)
        kept = [c for c in conjuncts(self._strategy.audience) if not any(_same_test(c, d) for d in conjuncts(who))]
        return self._with(audience=conjoined(*kept, who))

    def _exclude(self, wish: Wish) -> Strategy:
        who = self._words.who(wish.new)
        return self._with(audience=conjoined(*conjuncts(self._strategy.audience), _denied(who)))

    def _joined(self, kind: type[All] | type[Any_]) -> Strategy:
        trigger = self._strategy.trigger
        if not isinstance(trigger, All | Any_) or len(trigger.of) < 2:
            raise InvalidInput(Text("触发条件只有一个", "there is only one condition"), where={"field": "words"})
        return self._with(trigger=kind(of=trigger.of))

    # how it is changed

    def _pick(self, options: list[Option], said: str) -> Strategy:
        """The one option there is, or the one that was chosen; the rest fits the catalog and changes something."""
        fitting: dict[str, tuple[Strategy, Text]] = {}
        refused: ZhongshuError | None = None
        for document, label in options:
            try:
                check_strategy(document, self._catalog)
            except ZhongshuError as error:
                refused = refused or error
                continue
            changes = differences(self._strategy, document, self._catalog)
            if changes:
                told = label or Text("；".join(c.zh for c in changes), "; ".join(c.en for c in changes))
                fitting.setdefault(told.en, (document, told))
        if not fitting and refused is not None:
            raise refused
        if not fitting:
            return self._strategy
        chosen = [d for d, told in fitting.values() if {told.zh, told.en} & set(self._answers)]
        if chosen:
            return chosen[0]
        if len(fitting) > 1:
            raise NeedsAnswer(
                Text(f"“{said}”指哪一处？", f"which part does {said!r} mean?"),
                choices=[told for _, told in fitting.values()],
            )
        return next(iter(fitting.values()))[0]

    def _leaves(self) -> list[tuple[str, str, Condition]]:
        roots = {"audience": self._strategy.audience, "trigger": self._strategy.trigger}
        return [(name, place, leaf) for name, root in roots.items() for place, leaf in leaves(root, name)]

    def _put(self, root: str, place: str, condition: Condition) -> Strategy:
        return self._with(**{root: replaced(getattr(self._strategy, root), root, place, condition)})

    def _dropped(self, root: str, place: str) -> Strategy:
        left = dropped(getattr(self._strategy, root), root, place)
        if left is None and root == "trigger":
            raise Refused(
                Text("这是唯一的触发条件，去掉就没有触发了", "it is the only condition; without it nothing triggers"),
                hint=Text("可以说“改成……”", "Say what to put in its place: “change it to …”"),
            )
        return self._with(**{root: left})

    def _with(self, **changes: Any) -> Strategy:
        return put(self._strategy, **changes)


def _same(leaf: Condition, other: Condition) -> bool:
    """They look at the same, whatever they compare it with and over what time."""
    kept = {"op", "value", "times", "percent", "window", "metres", "days_before", "without", "per"}
    return leaf.kind == other.kind and leaf.model_dump(exclude=kept) == other.model_dump(exclude=kept)


def _same_test(one: Condition, two: Condition) -> bool:
    return isinstance(one, AttributeIs) and isinstance(two, AttributeIs) and (one.name, one.via) == (two.name, two.via)


def _kept(leaf: Condition, new: Condition) -> Condition:
    """The new condition, looking back as long as the old one did when it says no time itself."""
    backwards = Aggregate | MetricIs
    if isinstance(leaf, backwards) and isinstance(new, backwards) and new.window == Window():
        return new.model_copy(update={"window": leaf.window})
    return new


def _denied(condition: Condition) -> Condition:
    """The opposite, said plainly where it can be."""
    if isinstance(condition, AttributeIs) and condition.op in ("==", "in"):
        return condition.model_copy(update={"op": "!=" if condition.op == "==" else "not_in"})
    if isinstance(condition, Aggregate) and (condition.function, condition.op, condition.value) == ("count", ">=", 1):
        return condition.model_copy(update={"op": "==", "value": 0.0})
    return condition.of if isinstance(condition, Not) else Not(of=condition)
