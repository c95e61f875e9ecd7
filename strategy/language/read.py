"""A sentence → a strategy: what stands before "then" is the trigger (and whom it is for), what stands after it the
actions; limits, rollout and verification are taken from wherever they stand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ValidationError

from core.errors import InvalidInput, NeedsAnswer, TooLarge, UnknownName, ZhongshuError
from core.telemetry import span
from core.text import Lang, Text, guess_lang
from knowledge.catalog import Catalog
from knowledge.catalog.units import canonical
from strategy.document import All, Condition, Happens, Strategy
from strategy.language.actions import read_actions
from strategy.language.answers import Answered, Phrases
from strategy.language.clauses import read_node
from strategy.language.colloquial import settled
from strategy.language.draft import Draft, LeafDraft, leaves
from strategy.language.faithful import unheard
from strategy.language.guards import Extras, take_extras
from strategy.language.lexer import Part, lex
from strategy.language.lexicon import NameKind, lexicon_of
from strategy.language.marks import headed, unbracketed
from strategy.language.nearest import Likeness
from strategy.language.normalise import normalise
from strategy.language.outline import parse_conditions
from strategy.language.paths import linked
from strategy.language.quantities import quantities
from strategy.language.ratios import divided
from strategy.language.receivers import receivers
from strategy.language.scope import CONDITION_KINDS, Scope
from strategy.language.settle import never_contradicted, no_stray_objects, settle, subject_of
from strategy.language.together import closed
from strategy.language.zones import missing_condition, split_zones

LONGEST = 2000
"""Characters a sentence may have."""
ReadBy = Literal["grammar", "model"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sentence was read as. `warnings` say what was taken for granted; show them with the readback."""

    document: Strategy
    lang: Lang
    warnings: tuple[Text, ...]
    read_by: ReadBy = "grammar"


MOST_ANSWERS = 8
"""Questions about one sentence that phrases may answer."""
NO_PHRASES: Phrases = {}


def read_sentence(
    text: str,
    catalog: Catalog,
    *,
    name: str | None = None,
    lang: Lang | None = None,
    phrases: Phrases = NO_PHRASES,
    likeness: Likeness | None = None,
) -> Reading:
    """Read one sentence, Chinese or English, over a catalog. `phrases` answer what would be a question or an unknown
    name; what is read without them stays as it is. `likeness` helps to rank the names nearest to an unknown one.

    Raises:
        InvalidInput: empty, without trigger or action, or a part that was not understood; `where` has offset and length
            in `text`.
        TooLarge: longer than 2,000 characters.
        UnknownName: a name that the catalog does not know, with the nearest ones.
        NeedsAnswer: two readings that differ; `choices` are ways to say each.
        Refused: understood, but it can never be true, or cannot be expressed.
    """
    if not text.strip():
        raise InvalidInput(
            Text("句子是空的", "the sentence is empty"),
            where={"offset": 0, "length": len(text)},
            hint=Text(
                "例如“客户7天内登录少于2次，就安排外呼”",
                "For example “when a customer logs in fewer than 2 times in 7 days, schedule a call”",
            ),
        )
    if len(text) > LONGEST:
        raise TooLarge(
            Text(
                f"句子有 {len(text)} 个字符，最多 {LONGEST} 个",
                f"the sentence has {len(text)} characters; {LONGEST} are allowed",
            ),
            where={"offset": LONGEST, "length": len(text) - LONGEST},
        )
    name, lang = name or short_name(text), lang or guess_lang(text)
    with span("language.read", characters=len(text)):
        said = Answered.of(text)
        for _ in range(MOST_ANSWERS):
            try:
                reading = _read(said.text, catalog, name, lang, likeness)
            except (NeedsAnswer, UnknownName) as question:
                answered = said.answer(question, phrases)
                if answered is None:
                    question.where = said.place(question.where)
                    raise
                said = answered
            except ZhongshuError as problem:
                problem.where = said.place(problem.where)
                raise
            else:
                return replace(reading, warnings=(*said.warnings, *reading.warnings))
    raise InvalidInput(
        Text("记住的词语互相指来指去", "the learned phrases lead in a circle"),
        where={"offset": 0, "length": len(text)},
    )


def _read(text: str, catalog: Catalog, name: str, lang: Lang, likeness: Likeness | None) -> Reading:
    normal = normalise(text)
    lexicon = lexicon_of(catalog)
    scope = Scope(catalog, lexicon, normal, lang, likeness=likeness)
    words = lex(normal, lexicon)
    parts = quantities(settled(words, normal))
    try:
        document = _strategy(parts, name, scope)
        never_contradicted(document, scope)
    except ValidationError as problem:  # a part that no check above foresaw must not reach the user as a traceback
        first = problem.errors()[0]
        place, value = ".".join(str(step) for step in first["loc"]), first["input"]
        raise InvalidInput(
            Text(f"“{place}”的值 {value} 超出了允许的范围", f"{value!r} is out of the range allowed for {place!r}"),
            where={"offset": 0, "length": len(text)},
        ) from problem
    for missed in unheard(scope, words, parts, document):
        raise InvalidInput(
            Text(f"没有看懂“{missed.said}”：{missed.text.zh}", f"{missed.said!r} was not understood: {missed.text.en}"),
            where=missed.where,
        )
    return Reading(document, scope.lang, tuple(scope.warnings))


_NAME = 24
"""Characters of a sentence that its strategy is called by."""


def short_name(text: str) -> str:
    """A stable name: whole words (in Chinese, clauses) from the sentence's beginning, and six digits of its digest."""
    words = re.sub(r"[^\w]+", " ", text).strip()
    digest = hashlib.sha256(text.strip().encode()).hexdigest()[:6]
    begin = words if len(words) <= _NAME else words[: _NAME + 1].rpartition(" ")[0] or words[:_NAME]
    return f"{begin} {digest}".strip()


def _strategy(parts: Sequence[Part], name: str, scope: Scope) -> Strategy:
    extras = Extras()
    rest = take_extras(linked(divided(headed(unbracketed(parts))), scope), extras, scope, loose=False)
    audience_parts, condition_parts, action_parts = split_zones(rest, scope)
    action_parts = take_extras(action_parts, extras, scope, loose=True)
    for zone in (audience_parts, condition_parts):
        for i, part in enumerate(zone):
            if part.has("UNKNOWN"):
                scope.unknown(part, _kinds_fitting(zone, i))
    audience = read_node(parse_conditions(audience_parts, scope), scope) if audience_parts else None
    if not any(not p.has("FILLER", "COMMA", "STOP", "IF") for p in condition_parts):
        if audience is None:
            missing_condition(parts, scope)
        trigger, audience = audience, None
    else:
        trigger = read_node(parse_conditions(condition_parts, scope), scope)
    calls = read_actions(receivers(action_parts, scope), scope)
    subject, trigger_condition, audience_condition = _settled(trigger, audience, scope)
    told = [trigger, *([audience] if audience else []), *scope.audience]
    no_stray_objects([*audience_parts, *condition_parts], told, subject, scope)
    return Strategy(
        name=name,
        subject=subject,
        audience=audience_condition,
        trigger=trigger_condition,
        actions=calls,
        **extras.documents(),
    )


def _kinds_fitting(parts: Sequence[Part], i: int) -> tuple[NameKind, ...]:
    """What an unknown name at part i could stand for, by what is said around it; for the nearest known names."""
    before = [p for p in parts[max(i - 4, 0) : i] if p.has("NEAR", "DISTANCE") or not p.has("FILLER", "A")]
    after = [p for p in parts[i + 1 : i + 4] if p.has("NEAR", "DISTANCE") or not p.has("FILLER", "A")]
    ahead, behind = after[0] if after else None, before[-1] if before else None
    measured = [p.get("CMPQ").quantity for p in (*after[:1], *before[-2:]) if p.has("CMPQ")]
    metres = any(canonical(q.unit or "") in ("m", "km") for q in measured)
    if metres or any(p is not None and p.has("NEAR") for p in (ahead, behind)):
        return ("place",)
    if ahead is not None and ahead.has("CMPQ", "STREAK"):
        return ("event",) if ahead.has("CMPQ") and measured[0].times else ("field", "attribute", "metric", "forecast")
    if behind is not None and behind.has("NEG", "NEVER") and not behind.has("COPNEG"):
        return ("event", "field", "attribute")
    if behind is not None and behind.has("OBJECT"):
        return tuple(k for k in CONDITION_KINDS if k != "object")
    return CONDITION_KINDS


def _settled(trigger: Draft, audience: Draft | None, scope: Scope) -> tuple[str, Condition, Condition | None]:
    nouns = list(dict.fromkeys(scope.audience))
    trigger = closed(trigger, scope)
    drafts = [trigger, *([audience] if audience else []), *nouns]
    subject = subject_of(drafts, scope)
    for leaf in (leaf for d in drafts for leaf in leaves(d)):
        if leaf.stretch:
            _check_stretch(leaf, leaf is trigger, scope)
    condition = settle(trigger, subject, scope)
    who: list[Condition] = [settle(audience, subject, scope)] if audience else []
    for noun in nouns:
        told = settle(noun, subject, scope)
        if told not in who:
            who.append(told)
    for leaf in (leaf for d in (audience, *nouns) if d is not None for leaf in leaves(d)):
        if isinstance(leaf.condition, Happens) and leaf.style != "fixed":
            _refuse_moment(leaf, scope)
    if not who:
        return subject, condition, None
    return subject, condition, who[0] if len(who) == 1 else All(of=tuple(who))


def _check_stretch(leaf: LeafDraft, alone: bool, scope: Scope) -> None:
    """ "合同30天内到期" begins on one day, and there it fires; beside other conditions all of it would count."""
    said = scope.said(*leaf.parts)
    if not alone:
        scope.refuse(
            leaf.parts,
            f"“{said}”是一段时间，与其他条件合用时还不支持",
            f"{said!r} is a stretch of time, which is not supported beside other conditions",
            Text(
                "可以用其中一天，例如“合同到期前30天”",
                "One day of it can be used: “30 days before contract end”",
            ),
        )
    scope.warn(f"“{said}”在这段时间的第一天触发", f"{said!r} fires on the first day of that stretch")


def _refuse_moment(leaf: LeafDraft, scope: Scope) -> None:
    said = scope.said(*leaf.parts)
    scope.refuse(
        leaf.parts,
        f"“{said}”是一个瞬间，不能用来说明是哪些客户",
        f"{said!r} is a moment and cannot say for whom",
        Text(
            "请说成一段时间里的状态，例如“过去30天下单至少1次的客户”",
            "Say it as a state, such as “customers who ordered at least once in the last 30 days”",
        ),
    )
