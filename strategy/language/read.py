"""A sentence → a strategy: what stands before "then" is the trigger (and whom it is for), what stands after it the
actions; limits, rollout and verification are taken from wherever they stand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from pydantic import ValidationError

from core.errors import InvalidInput, NeedsAnswer, TooLarge, UnknownName, ZhongshuError
from core.telemetry import span
from core.text import Lang, Text, guess_lang
from knowledge.catalog import Catalog
from knowledge.catalog.units import canonical
from strategy.document import All, Condition, Happens, Strategy
from strategy.language.actions import done_by_customer, missing_action, read_actions
from strategy.language.answers import Answered, Phrases
from strategy.language.clauses import read_node, receivers
from strategy.language.colloquial import settled
from strategy.language.draft import Draft, LeafDraft, leaves
from strategy.language.guards import Extras, take_extras
from strategy.language.lexer import Part, lex
from strategy.language.lexicon import NameKind, lexicon_of
from strategy.language.marks import headed, unbracketed
from strategy.language.normalise import normalise
from strategy.language.outline import parse_conditions
from strategy.language.paths import linked
from strategy.language.quantities import quantities
from strategy.language.ratios import divided
from strategy.language.scope import CONDITION_KINDS, Scope
from strategy.language.settle import never_contradicted, no_stray_objects, settle, subject_of
from strategy.language.together import closed

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
    text: str, catalog: Catalog, *, name: str | None = None, lang: Lang | None = None, phrases: Phrases = NO_PHRASES
) -> Reading:
    """Read one sentence, Chinese or English, over a catalog. `phrases` answer what would be a question or an unknown
    name; what is read without them stays as it is.

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
                reading = _read(said.text, catalog, name, lang)
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


def _read(text: str, catalog: Catalog, name: str, lang: Lang) -> Reading:
    normal = normalise(text)
    lexicon = lexicon_of(catalog)
    scope = Scope(catalog, lexicon, normal, lang)
    parts = quantities(settled(lex(normal, lexicon), normal))
    try:
        document = _strategy(parts, name, scope)
        never_contradicted(document, scope)
    except ValidationError as problem:  # a part that no check above foresaw must not reach the user as a traceback
        message = problem.errors()[0]["msg"]
        raise InvalidInput(Text(message, message), where={"offset": 0, "length": len(text)}) from problem
    return Reading(document, scope.lang, tuple(scope.warnings))


def short_name(text: str) -> str:
    """A stable name: the sentence's beginning and six digits of its digest."""
    words = re.sub(r"[^\w]+", " ", text).strip()
    digest = hashlib.sha256(text.strip().encode()).hexdigest()[:6]
    return f"{words[:24].strip()} {digest}".strip()


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
            _missing_condition(parts, scope)
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


def _missing_condition(parts: Sequence[Part], scope: Scope) -> NoReturn:
    scope.invalid(
        list(parts),
        "没有说什么时候触发",
        "it is not said when to act",
        Text(
            "在前面加上条件，例如“客户7天内登录少于2次，就…”",
            "Put a condition first, such as “when a customer logs in fewer than 2 times in 7 days, …”",
        ),
    )


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


# ---- zones -----------------------------------------------------------------------------------------------------------

_CONDITION_NAMES = ("relation", "event", "field", "attribute", "metric", "forecast", "place")


def split_zones(parts: Sequence[Part], scope: Scope) -> tuple[list[Part], list[Part], list[Part]]:
    """Parts of the audience ("对大客户,…"), of the trigger, and of the actions."""
    parts = _trim(parts)
    first = next((i for i, p in enumerate(parts) if not p.has("FILLER")), 0)
    if _starts_action(parts, first) and (cut := _english_cut(parts, first)) is not None:
        conditions, actions = parts[cut:], parts[:cut]
    else:
        cut_, skip = _boundary(parts)
        if cut_ is None:
            lead = next((i for i, p in enumerate(parts) if not p.has("NEXT", "COMMA")), 0)
            if _starts_action(parts, lead) and not _condition_ahead(parts, 0):
                _missing_condition(parts, scope)
            missing_action(parts, scope)
            raise AssertionError
        conditions, actions = parts[:cut_], parts[cut_ + skip :]
        conditions, actions = _trailing_if(conditions, actions)
    audience, conditions = _audience(_trim(conditions))
    return audience, conditions, _trim(actions)


def _trim(parts: Sequence[Part]) -> list[Part]:
    rest = list(parts)
    while rest and rest[0].has("COMMA", "STOP", "LIST", "COLON"):
        rest.pop(0)
    while rest and rest[-1].has("COMMA", "STOP", "LIST", "COLON"):
        rest.pop()
    return rest


def _skip_weightless(parts: Sequence[Part], i: int) -> int:
    while (
        i < len(parts)
        and parts[i].has("FILLER", "GIVE", "OBJECT", "COMMA", "DE", "THEN", "FOR", "EACHONE", "STOP", "A", "ATONCE")
        and not parts[i].has("VERB")
    ):
        given = parts[i].has("GIVE", "FOR")
        i += 1
        while given and i < len(parts) and parts[i].has("VALUE", "NOTW") and not parts[i].named("action", "event"):
            i += 1
    return i


def _starts_action(parts: Sequence[Part], i: int) -> bool:
    """From part i on (after words such as 给客户) something is to be done."""
    i = _skip_weightless(parts, i)
    if i >= len(parts):
        return False
    part = parts[i]
    if part.named("action") and not part.named("event"):
        return True
    if part.has("TASK") and i + 1 < len(parts) and parts[i + 1].has("STRING"):
        return True
    if not part.has("VERB") or (i + 1 < len(parts) and parts[i + 1].has("NEG")):
        return False
    if done_by_customer(parts[i:]):
        return False
    if part.named(*_CONDITION_NAMES):
        following = next((p for p in parts[i + 1 :] if p.names), None)
        owners = {n.owner for n in part.named("field")}
        return not part.named("event") and not (following and any(n.id in owners for n in following.named("event")))
    return True


def _english_cut(parts: Sequence[Part], first: int) -> int | None:
    """ "Send X when …", "Send X to customers who …": where the condition begins."""
    depth = 0
    for i in range(first + 1, len(parts)):
        part = parts[i]
        depth += part.has("LPAR") - part.has("RPAR")
        if depth:
            continue
        if part.has("IF"):
            receiver = _receiver(parts, first, i)
            return receiver if receiver is not None else i
        if (
            part.has("FOR", "GIVE")
            and any(p.has("WHO", "NEG", "DE") for p in parts[i + 1 : i + 5])
            and _noun_follows(parts, i + 1)
        ):
            return i
        if part.has("WHO") and not part.has("IF", "FOR"):
            begin = i - 1 if parts[i - 1].has("OBJECT", "VALUE") else i
            while begin > first + 1 and begin < i and parts[begin - 1].has("VALUE"):  # of | grade 9 students who
                begin -= 1
            return begin
        if part.has("AFTER") and any(p.named("event") for p in parts[i + 1 : i + 4]):
            return i
    return None


def _noun_follows(parts: Sequence[Part], i: int) -> bool:
    while i < len(parts) and parts[i].has("FILLER", "A"):
        i += 1
    return i < len(parts) and parts[i].has("OBJECT", "VALUE")


def _receiver(parts: Sequence[Part], first: int, stop: int) -> int | None:
    """ "… to high-value customers | when": the receiver says for whom, so it belongs to the condition."""
    for i in range(stop - 1, first, -1):
        if parts[i].has("FOR", "GIVE") and any(p.has("VALUE") for p in parts[i + 1 : stop]):
            return i
        if not parts[i].has("OBJECT", "VALUE", "FILLER", "COMMA", "A"):
            return None
    return None


def _boundary(parts: Sequence[Part]) -> tuple[int | None, int]:
    """Where the trigger ends, and how many parts only mark that."""
    depth = 0
    for i, part in enumerate(parts):
        depth += part.has("LPAR") - part.has("RPAR")
        if not depth and i and part.has("THEN") and not part.names:
            return i, 1
    inline: int | None = None
    for i, part in enumerate(parts):
        depth += part.has("LPAR") - part.has("RPAR")
        if depth or i == 0:
            continue
        ends = _starts_action(parts, i + 1) or not _condition_ahead(parts, i + 1)
        if part.has("NEXT") and not part.names and inline is None and ends:
            return i, 1
        if part.has("WHENEND") and _after_when(parts, i + 1):
            inline = i + 1 if inline is None else inline
        if inline is None and part.has("COMMA", "STOP", "AND", "COLON") and _starts_action(parts, i + 1):
            inline = i
        if inline is None and part.has("VERB", "NAME") and _inline_action(parts, i):
            inline = i
    return inline, 0


def _after_when(parts: Sequence[Part], i: int) -> bool:
    """After "…时": an action, or anything after a comma that is no condition."""
    if _starts_action(parts, i):
        return True
    return i < len(parts) and parts[i].has("COMMA") and not _condition_ahead(parts, i + 1)


def _condition_ahead(parts: Sequence[Part], i: int) -> bool:
    """The stretch up to the next comma or arrow names an event, attribute or the like, or compares something."""
    for part in parts[i:]:
        if part.has("COMMA", "NEXT", "STOP", "THEN") and not part.names:
            return False
        if part.named(*_CONDITION_NAMES) and not part.named("action"):
            return True
        if part.has("CMPQ", "WINDOW", "STREAK"):
            return True
    return False


def _inline_action(parts: Sequence[Part], i: int) -> bool:
    """ "7天未登录安排外呼": a verb or action in the middle, with a whole condition before it."""
    part = parts[i]
    if part.named("action") and not part.named("event"):
        named = True
    elif part.has("VERB") and not part.names and not part.has("FILLER", "NEG", "AND"):
        ahead = next(
            (p for p in parts[i + 1 :] if not p.has("FILLER", "GIVE", "OBJECT", "A", "QTY", "COUNT", "VERB")), None
        )
        named = ahead is not None and (
            bool(ahead.named("action")) or (ahead.has("UNKNOWN", "STRING") and not _condition_ahead(parts, i + 1))
        )
    else:
        return False
    return named and any(p.named(*_CONDITION_NAMES, "value") or p.has("UNKNOWN") for p in parts[:i])


def _trailing_if(conditions: list[Part], actions: list[Part]) -> tuple[list[Part], list[Part]]:
    """ "…就外呼,如果等级是大客户": a condition said last."""
    for i, part in enumerate(actions):
        if part.has("IF") and not part.has("FILLER") and i and _condition_ahead(actions, i + 1):
            glue = Part(part.start, part.start, {"COMMA": None})
            return [*conditions, glue, *actions[i:]], actions[:i]
    return conditions, actions


def _audience(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """ "对大客户,…", "for customers who …, …": whom the rest is for."""
    i = next((j for j, p in enumerate(parts) if not p.has("FILLER") or p.has("FOR", "EXCEPT")), 0)
    if i >= len(parts) or not parts[i].has("FOR", "GIVE", "EXCEPT"):
        return [], parts
    excluded = parts[i].has("EXCEPT")
    depth = 0
    for j in range(i + 1, len(parts)):
        depth += parts[j].has("LPAR") - parts[j].has("RPAR")
        begins = parts[j].has("IF") and not parts[j].has("ONCE", "FILLER") and not parts[j - 1].has("COMMA")
        if depth == 0 and (parts[j].has("COMMA") or begins):
            inner = [p for p in parts[i + 1 : j] if not p.has("EXCEPTEND")]
            if not any(p.names or p.has("CMPQ", "CMPV", "TESTS", "LPAR") for p in inner):
                return [], parts
            if all(p.has("OBJECT", "FILLER", "DE", "ANY", "EACHONE", "A") for p in inner):
                return [], [*inner, *parts[j + 1 :]]
            if excluded:
                at = parts[i]
                inner = [
                    Part(at.start, at.start, {"NOTW": None}),
                    Part(at.start, at.start, {"LPAR": None}),
                    *inner,
                    Part(at.end, at.end, {"RPAR": None}),
                ]
            return inner, parts[j + 1 :]
    return [], parts[i + 1 :] if not excluded else parts
