"""A sentence cut into whom it is for, what triggers it and what is done, before any of the three is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from core.text import Text
from strategy.language.actions import done_by_customer, missing_action
from strategy.language.lexer import Part
from strategy.language.scope import Scope

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
                missing_condition(parts, scope)
            missing_action(parts, scope)
            raise AssertionError
        conditions, actions = parts[:cut_], parts[cut_ + skip :]
        conditions, actions = _trailing_if(conditions, actions)
    audience, conditions = _audience(_trim(conditions), scope)
    whom, actions = _said_last(_trim(actions))
    if whom and audience:
        audience = [*audience, Part(whom[0].start, whom[0].start, {"AND": scope.lang})]
    return [*audience, *whom], conditions, _trim(actions)


def _said_last(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """ "…, only for customers whose agent is Wang": for whom, said after the action."""
    for i, part in enumerate(parts):
        begin = i
        while begin and parts[begin - 1].has("ONLY", "FILLER") and not parts[begin - 1].names:
            begin -= 1
        who = any(p.has("WHO") for p in parts[i + 1 :])
        before = parts[begin - 1] if begin else part
        set_off = before.has("COMMA", "STOP") or (who and bool(before.named("action")))
        if not (part.has("FOR", "GIVE") and set_off):
            continue
        stop = next((j for j in range(i, len(parts)) if parts[j].has("COMMA", "STOP")), len(parts))
        whom = parts[i + 1 : stop]
        told = any(p.named("attribute", "event", "metric", "forecast", "relation") for p in whom)
        done = any(p.named("action") or (p.has("VERB") and not p.names) for p in whom)
        if told and not done and any(p.has("OBJECT") for p in whom):
            return whom, [*parts[: begin - before.has("COMMA", "STOP")], *parts[stop:]]
    return [], parts


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
        and parts[i].has(
            "FILLER", "GIVE", "OBJECT", "COMMA", "DE", "THEN", "FOR", "EACHONE", "STOP", "A", "ATONCE", "FIRST"
        )
        and not parts[i].has("VERB")
    ):
        given = parts[i].has("GIVE", "FOR")
        i += 1
        while given and i < len(parts) and _of_whom(parts[i]):
            i += 1
    return i


def _of_whom(part: Part) -> bool:
    """ "给|不吸烟|的客户", "to|gold|members": what may be said of a receiver in a word."""
    if part.named("action", "event", "field", "metric", "forecast", "relation"):
        return False
    return part.has("VALUE", "NOTW", "NEG") or bool(part.named("attribute"))


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
        if (part.has("WHO") and not part.has("IF", "FOR")) or _with_much(parts, i):
            begin = i - 1 if parts[i - 1].has("OBJECT", "VALUE") else i
            while begin > first + 1 and begin < i and parts[begin - 1].has("VALUE"):  # of | grade 9 students who
                begin -= 1
            return begin
        if part.has("AFTER") and any(p.named("event") for p in parts[i + 1 : i + 4]):
            return i
        if part.has("DUR") and parts[i + 1 :] and parts[i + 1].has("BEFORE"):  # 30 days before their policy expires
            return i
    return None


def _with_much(parts: Sequence[Part], i: int) -> bool:
    """ "to customers | with more than 2 complaints": what they have is compared, so it is no part of the action."""
    told = parts[i].has("WITH") and parts[i - 1].has("OBJECT", "VALUE")
    return (
        told and any(p.has("CMPQ") for p in parts[i + 1 :]) and any(p.named(*_CONDITION_NAMES) for p in parts[i + 1 :])
    )


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
        given = part.has("GIVE") and not part.names and any(p.named(*_CONDITION_NAMES) for p in parts[:i])
        if inline is None and given and _starts_action(parts, i):
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


def _audience(parts: list[Part], scope: Scope) -> tuple[list[Part], list[Part]]:
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
                _ask_besides(parts, i, j, scope)
                at = parts[i]
                inner = [
                    Part(at.start, at.start, {"NOTW": None}),
                    Part(at.start, at.start, {"LPAR": None}),
                    *inner,
                    Part(at.end, at.end, {"RPAR": None}),
                ]
            return inner, parts[j + 1 :]
    return [], parts[i + 1 :] if not excluded else parts


def _ask_besides(parts: Sequence[Part], i: int, j: int, scope: Scope) -> None:
    """ "除了金卡，银卡会员下单也…": besides gold, not except gold."""
    also = next((p for p in parts[j:] if p.has("ALSOW") and not p.has("BOTHAND")), None)
    if also is None:
        return
    scope.ask(
        [*parts[i : j + 1], also],
        f"“{scope.said(*parts[i:j])}…{scope.said(also)}”：是不包括他们，还是连他们一起？",
        f"{scope.said(*parts[i:j])!r} … {scope.said(also)!r}: without them, or with them as well?",
        [
            Text("不包括：去掉“也”", "without them: leave out “also”"),
            Text("一起：用“和”连起来", "with them: join them with “and”"),
        ],
    )


def missing_condition(parts: Sequence[Part], scope: Scope) -> NoReturn:
    scope.invalid(
        list(parts),
        "没有说什么时候触发",
        "it is not said when to act",
        Text(
            "在前面加上条件，例如“客户7天内登录少于2次，就…”",
            "Put a condition first, such as “when a customer logs in fewer than 2 times in 7 days, …”",
        ),
    )
