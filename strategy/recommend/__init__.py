"""What strategies to add: from those of the pack that are not covered yet, from those that run, and from what recorded
history shows; each with its evidence and a sentence that is ready to be drafted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ZhongshuError
from core.events import Input
from core.text import Lang, Text
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.conflicts.proof import implies
from strategy.document import AttributeIs, Strategy, leaves
from strategy.language import read_sentence, readback
from strategy.recommend.patterns import Found, found_in
from strategy.recommend.records import Records
from strategy.replay import Fired, Replay
from strategy.stream import GoodLine

SHOWN = 20
"""Subjects named as evidence."""


@dataclass(frozen=True, slots=True)
class Template:
    """A strategy that a pack proposes, as people say it."""

    name: str
    sentence: Text


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`kind`: template, sibling, group, moment or missing_step. `sentence` reads as `strategy`, in both languages.
    `counts` are the numbers in `why`; `subjects` some of those it concerns."""

    kind: str
    strategy: Strategy
    sentence: Text
    why: Text
    counts: dict[str, float]
    subjects: tuple[str, ...]

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.strategy.name,
            "sentence": {"zh": self.sentence.zh, "en": self.sentence.en},
            "why": self.why.say(lang),
            "evidence": {"counts": self.counts, "subjects": list(self.subjects)},
            "document": self.strategy.model_dump(mode="json", exclude_none=True),
        }


def recommendations(
    catalog: Catalog, existing: Sequence[Strategy], templates: Sequence[Template], inputs: Iterable[Input]
) -> list[Recommendation]:
    """What to add to existing strategies, those that concern most first.

    Args:
        inputs: recorded history, in order of time.
    """
    history = list(inputs)
    records = Records(history)
    candidates = {t.name: (t, read) for t in templates if (read := _read(t, catalog)) is not None}
    siblings = {made.name: made for strategy in existing for made in _siblings(strategy, catalog)}
    tried = [read for _, read in candidates.values()] + list(siblings.values())
    fired = _fired([*existing, *tried], catalog, history, records.end)
    handled: dict[str, set[str]] = {}
    for strategy in existing:
        handled.setdefault(strategy.subject, set()).update(fired.get(strategy.name, {}))
    found: list[Recommendation] = []
    for template, read in candidates.values():
        found.append(_measured("template", read, template.sentence, fired.get(read.name, {}), records))
    for strategy in siblings.values():
        sentence = _sentence(strategy, catalog)
        if fired.get(strategy.name):
            found.append(_measured("sibling", strategy, sentence, fired[strategy.name], records))
    for each in found_in(records, catalog, handled):
        found.append(_shown(each, _sentence(each.strategy, catalog)))
    fresh = [each for each in found if not _covered(each.strategy, existing, catalog)]
    return sorted(_distinct(fresh), key=lambda each: -each.counts.get("subjects", 0))


def _read(template: Template, catalog: Catalog) -> Strategy | None:
    """A template whose sentence this catalog understands."""
    try:
        return read_sentence(template.sentence.en, catalog, name=template.name).document
    except ZhongshuError:
        return None


def _siblings(strategy: Strategy, catalog: Catalog) -> Iterator[Strategy]:
    """The same for those whom an audience of one value of an attribute leaves out."""
    parts = [leaf for _, leaf in leaves(strategy.audience, "audience")]
    if len(parts) != 1 or parts[0] != strategy.audience:
        return
    (part,) = parts
    if isinstance(part, AttributeIs) and part.op == "==" and part.via is None:
        attribute = catalog.attribute(strategy.subject, part.name)
        if attribute is not None and attribute.type == "enum":
            rest = part.model_copy(update={"op": "!="})
            yield strategy.model_copy(update={"name": f"{strategy.name}-others", "audience": rest})


def _fired(
    strategies: Sequence[Strategy], catalog: Catalog, history: Sequence[Input], end: Micros
) -> dict[str, dict[str, int]]:
    """Strategy → subject → how often it would have fired over history."""
    counts: dict[str, dict[str, int]] = {}
    unique = {strategy.name: strategy for strategy in strategies}
    if not unique:
        return counts
    replay = Replay(catalog, list(unique.values()), lateness=0, until=end or None)
    for item in replay.run((), (GoodLine(n, each, "row") for n, each in enumerate(history, 1))):
        if isinstance(item, Fired):
            mine = counts.setdefault(item.strategy.name, {})
            mine[item.firing.subject] = mine.get(item.firing.subject, 0) + 1
    return counts


def _measured(kind: str, strategy: Strategy, sentence: Text, fired: dict[str, int], records: Records) -> Recommendation:
    times, subjects = sum(fired.values()), len(fired)
    known = len(records.subjects[strategy.subject])
    lead = {
        "template": Text("行业包推荐，尚无策略覆盖", "the pack proposes it, and no strategy covers it"),
        "sibling": Text("已有策略只照顾一部分人", "a strategy does this for some only"),
    }[kind]
    did = Text(
        f"按记录会触发 {times} 次，涉及 {known} 个对象里的 {subjects} 个",
        f"on record it would have fired {times} times, for {subjects} of {known}",
    )
    never = Text("按记录一次也不会触发", "on record it would never have fired")
    why = Text(f"{lead.zh}：{(did if times else never).zh}", f"{lead.en}: {(did if times else never).en}")
    counts = {"firings": float(times), "subjects": float(subjects), "known": float(known)}
    return Recommendation(kind, strategy, sentence, why, counts, tuple(sorted(fired))[:SHOWN])


def _shown(found: Found, sentence: Text) -> Recommendation:
    counts = {**found.counts, "subjects": float(len(found.subjects))}
    return Recommendation(found.kind, found.strategy, sentence, found.why, counts, found.subjects[:SHOWN])


def _sentence(strategy: Strategy, catalog: Catalog) -> Text:
    return Text(readback(strategy, catalog, "zh"), readback(strategy, catalog, "en"))


def _covered(strategy: Strategy, existing: Sequence[Strategy], catalog: Catalog) -> bool:
    """Some strategy fires whenever it would, whatever it does then."""
    return any(each.subject == strategy.subject and implies(strategy, each, catalog) for each in existing)


def _distinct(found: Iterable[Recommendation]) -> Iterator[Recommendation]:
    seen: list[tuple[object, object]] = []
    for each in found:
        key = (each.strategy.trigger, each.strategy.audience)
        if key not in seen:
            seen.append(key)
            yield each
