"""What changed from one version of a strategy to the next, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from core.text import Lang, Text
from knowledge.catalog import Catalog, name_of
from strategy.document import ActionCall, Condition, Strategy, leaves
from strategy.language import condition_in_words, part_in_words

_PARTS = {
    "audience": Text("人群", "audience"),
    "trigger": Text("触发条件", "trigger"),
    "consent": Text("所需授权", "consent asked for"),
    "cap": Text("频次上限", "cap"),
    "quiet_hours": Text("免打扰时段", "quiet hours"),
    "cooldown": Text("冷却时间", "cooldown"),
    "budget": Text("预算", "budget"),
    "percent": Text("投放比例", "share"),
    "holdout": Text("对照组", "holdout"),
    "variants": Text("分组", "variants"),
    "verify": Text("成效判断", "verification"),
    "subject": Text("对象", "subject"),
}
_COMPARED = {"op", "value", "times", "percent", "window", "metres", "days_before"}


def differences(before: Strategy, after: Strategy, catalog: Catalog) -> list[Text]:
    """One sentence a change, in the order of the document; the name does not count. Empty: the same strategy."""
    found = _Differences(before, after, catalog)
    return [
        *found.values("subject", before.subject, after.subject),
        *found.conditions("audience", before.audience, after.audience),
        *found.conditions("trigger", before.trigger, after.trigger),
        *found.actions(),
        *found.values("verify", before.verify, after.verify),
        *(
            text
            for part in ("consent", "cap", "quiet_hours", "cooldown", "budget")
            for text in found.values(part, getattr(before.guards, part), getattr(after.guards, part))
        ),
        *(
            text
            for part in ("percent", "holdout", "variants")
            for text in found.values(part, getattr(before.rollout, part), getattr(after.rollout, part))
        ),
    ]


class _Differences:
    def __init__(self, before: Strategy, after: Strategy, catalog: Catalog) -> None:
        self._before, self._after, self._catalog = before, after, catalog

    def conditions(self, part: str, before: Condition | None, after: Condition | None) -> Iterator[Text]:
        """Leaf by leaf: those that compare the same are taken for one that changed. When all leaves are the same, they
        are joined otherwise."""
        if before == after:
            return
        old, new = ([leaf for _, leaf in leaves(root, part)] for root in (before, after))
        gone = [leaf for leaf in old if leaf not in new]
        come = [leaf for leaf in new if leaf not in old]
        if not gone and not come and before is not None and after is not None:
            yield self._changed(part, self._words(before, self._before), self._words(after, self._after))
            return
        for leaf in gone:
            same = next((each for each in come if _about(each) == _about(leaf)), None)
            if same is not None:
                come.remove(same)
                yield self._changed(part, self._words(leaf, self._before), self._words(same, self._after))
            else:
                yield self._lost(part, self._words(leaf, self._before))
        for leaf in come:
            yield self._won(part, self._words(leaf, self._after))

    def actions(self) -> Iterator[Text]:
        what = Text("动作", "action")
        for call in self._before.actions:
            if call not in self._after.actions:
                yield _say(Text(f"{what.zh}：去掉 ", f"{what.en}: no longer "), self._called(call))
        for call in self._after.actions:
            if call not in self._before.actions:
                yield _say(Text(f"{what.zh}：新增 ", f"{what.en}: added "), self._called(call))

    def values(self, part: str, before: Any, after: Any) -> Iterator[Text]:
        """A part of the document that is no condition."""
        if before == after or (not before and not after):
            return
        if not before:
            yield self._won(part, self._said(part, self._after))
        elif not after:
            yield self._lost(part, self._said(part, self._before))
        else:
            yield self._changed(part, self._said(part, self._before), self._said(part, self._after))

    def _words(self, condition: Condition, strategy: Strategy) -> Text:
        return _both(lambda lang: condition_in_words(condition, strategy, self._catalog, lang))

    def _called(self, call: ActionCall) -> Text:
        action = self._catalog.actions.get(call.action or "")
        said = _both(lambda lang: name_of(action, call.label, lang) if action is not None else call.label)
        params = ", ".join(f"{name}={value}" for name, value in call.params.items())
        return said if not params else Text(f"{said.zh}（{params}）", f"{said.en} ({params})")

    def _said(self, part: str, strategy: Strategy) -> Text:
        return _both(lambda lang: part_in_words(part, strategy, self._catalog, lang))

    def _changed(self, part: str, before: Text, after: Text) -> Text:
        name = _PARTS[part]
        return Text(f"{name.zh}：原为 {before.zh}，现为 {after.zh}", f"{name.en}: was {before.en}, is now {after.en}")

    def _won(self, part: str, now: Text) -> Text:
        return Text(f"{_PARTS[part].zh}：新增 {now.zh}", f"{_PARTS[part].en}: added {now.en}")

    def _lost(self, part: str, once: Text) -> Text:
        return Text(f"{_PARTS[part].zh}：去掉 {once.zh}", f"{_PARTS[part].en}: no longer {once.en}")


def _about(leaf: Condition) -> str:
    """What a condition looks at, whatever it compares it with."""
    return leaf.model_dump_json(exclude=_COMPARED)


def _both(say: Callable[[Lang], str]) -> Text:
    return Text(say("zh"), say("en"))


def _say(lead: Text, what: Text) -> Text:
    return Text(lead.zh + what.zh, lead.en + what.en)
