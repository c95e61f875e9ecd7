"""What is to be done: catalog actions by their names, anything else kept as a task for a person, with a warning. Words
that look like a condition or a limit are never swallowed into a task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rapidfuzz.distance import DamerauLevenshtein

from core.text import Text
from knowledge.catalog import nearest
from strategy.document import ActionCall
from strategy.language.lexer import Part
from strategy.language.normalise import plain
from strategy.language.scope import Scope
from strategy.language.vocabulary import fixed_words

_CUTS = ("COMMA", "STOP", "LIST", "AND", "NEXT", "PLUS")
_LEADS = (
    "FILLER",
    "GIVE",
    "FOR",
    "TO",
    "THEN",
    "A",
    "NEXT",
    "FIRST",
    "AND",
    "EACHONE",
    "ALSO",
    "DE",
    "DISTANCE",
    "IF",
    "PERFECT",
    "WITH",
    "ATONCE",
)
_DELIVERY = frozenset(
    [
        "发",
        "发送",
        "推送",
        "发放",
        "派发",
        "送",
        "送出",
        "推",
        "下发",
        "发出",
        "send",
        "sends",
        "push",
        "sending",
        "deliver",
        "issue",
        "get",
        "receive",
    ]
)
_LIMITLIKE = ("PERCENT", "COOL", "NOREPEAT", "QUIET", "BUDGET", "HOLDOUT", "NOHOLDOUT", "EACHONE", "VERIFY_", "CONSENT")


def read_actions(parts: Sequence[Part], scope: Scope) -> tuple[ActionCall, ...]:
    """The actions in the order said.

    Raises:
        InvalidInput: none is left, or what stands there is a limit or condition that could not be read.
    """
    calls: list[ActionCall] = []
    for piece in _pieces(parts):
        if call := _action(piece, scope):
            calls.append(call)
    if not calls:
        missing_action(list(parts), scope)
    return tuple(calls)


def missing_action(parts: Sequence[Part], scope: Scope) -> None:
    end = len(scope.normal.text)
    known = sorted(scope.lexicon.labels(["action"]), key=lambda k: k.isascii() != (scope.lang == "en"))
    example = next(iter(known), "外呼" if scope.lang == "zh" else "outbound call")
    scope.invalid(
        [Part(end, end)],
        "没有说要做什么",
        "it is not said what to do",
        Text(f"在后面加上动作，例如“就安排{example}”", f"Add an action at the end, such as “then schedule {example}”"),
        known[:3],
    )


def _pieces(parts: Sequence[Part]) -> list[list[Part]]:
    pieces: list[list[Part]] = [[]]
    depth = 0
    lead = next((i for i, p in enumerate(parts) if not p.has("VERB")), 0)
    if lead < len(parts) and parts[lead].has("COLON"):  # 执行:…
        parts = parts[lead + 1 :]
    for part in parts:
        depth += part.has("LPAR") - part.has("RPAR")
        joined = (
            pieces[-1]
            and pieces[-1][-1].named("action")
            and part.senses.keys() == {"VERB"}
            and part.end - part.start == 1
        )
        if (
            part.has(*_CUTS) and depth <= 0 and not part.has("NAME", "STRING", "VERB")
        ) or joined:  # 免配送费|加|第二杯半价
            pieces.append([])
        else:
            pieces[-1].append(part)
    return [p for p in pieces if p]


def _action(piece: list[Part], scope: Scope) -> ActionCall | None:
    piece = list(piece)
    params: dict[str, Any] = {}
    if len(piece) > 2 and piece[-2].has("PARAMS") and piece[-1].has("JSON"):
        params = piece[-1].get("JSON")
        piece = piece[:-2]
    if quoted := _quoted_task(piece):
        return ActionCall(task=quoted, params=params)
    _refuse_unread_receiver(piece, scope)
    bare = _without_leads(piece)
    if not bare:
        return None
    bare = _said_once(bare)
    named = [p for p in bare if p.named("action")]
    if (
        len(named) == 2 and named[0] is bare[0] and named[0].has("VERB")
    ):  # 推送|首充双倍: the one is done with the other
        named = named[1:]
    if named and (stopped := next((p for p in piece if p.has("STOPS") and not p.names), None)):
        scope.refuse(
            [stopped, *bare[-1:]],
            f"“{scope.said(*piece).strip()}”：动作只能是要做的事，不能是停下的事",
            f"{scope.said(*piece).strip()!r}: an action can only be something to do, not something to stop",
        )
    if len(named) > 1 and not any(p.has("OR") for p in bare):
        scope.invalid(
            bare,
            f"“{scope.said(*bare)}”里有几个动作，请用逗号或“并”分开",
            f"{scope.said(*bare)!r} holds several actions; put a comma or “and” between them",
        )
    if len(named) == 1 and not _meaning_beyond(bare, named[0]):
        names = named[0].named("action")
        if len(names) > 1:
            scope.ask(
                [named[0]],
                f"“{scope.said(named[0])}”指哪个动作？",
                f"which action is {scope.said(named[0])!r}?",
                [Text(scope.label("action", n.id, "zh"), scope.label("action", n.id, "en")) for n in names],
            )
        if named[0].weak:
            zh, en = scope.label("action", names[0].id, "zh"), scope.label("action", names[0].id, "en")
            said = scope.said(named[0])
            scope.warn(f"“{said}”按动作“{zh}”理解", f"{said!r} was read as the action {en!r}")
        return ActionCall(action=names[0].id, params=params)
    _refuse_misplaced(bare, scope, counted=bool(named))
    return _task(bare, params, scope)


def _quoted_task(piece: Sequence[Part]) -> str | None:
    for i, part in enumerate(piece[:-1]):
        if part.has("TASK") and piece[i + 1].has("STRING") and i + 2 == len(piece):
            return str(piece[i + 1].get("STRING"))
    return None


def _said_once(bare: Sequence[Part]) -> list[Part]:
    """ "半价|第二杯" of 第二杯半价: parts of one label that stand together name it once."""
    return [
        part
        for before, part in zip([None, *bare], bare, strict=False)
        if not (before is not None and part.weak and part.named("action") and part.names == before.names)
    ]


def _without_leads(piece: Sequence[Part]) -> list[Part]:
    rest = list(piece)
    while (rest and rest[0].has(*_LEADS) and not rest[0].has("VERB", "STRING")) or (rest and rest[0].has("OBJECT")):
        rest.pop(0)
    while rest and (rest[-1].has("FILLER", "STOP", "PERFECT", "ATONCE") and not rest[-1].has("NAME", "STRING")):
        rest.pop()
    return rest


def _meaning_beyond(bare: Sequence[Part], action: Part) -> bool:
    """Something stands beside the action's name that is more than a linking verb or the receiver."""
    return any(
        p is not action
        and not p.has("VERB", "OBJECT", "TIMES", "ONCE", *_LEADS)
        and not (p.has("COUNT") and p.get("COUNT").number == 1)
        and not (p.has("QTY") and p.get("QTY").number == 1)
        for p in bare
    )


def _refuse_unread_receiver(piece: Sequence[Part], scope: Scope) -> None:
    """ "给上海的顾客发优惠券": whom it is for must be understood, or be no part of the action."""
    lead = next((i for i, p in enumerate(piece) if p.has("GIVE", "FOR") and not p.names), None)
    verb = next((i for i, p in enumerate(piece) if p.has("VERB") or p.named("action")), len(piece))
    whom = next((i for i, p in enumerate(piece[:verb]) if p.has("OBJECT")), None)
    if lead is None or whom is None or lead > whom:
        return
    told = [p for p in piece[lead + 1 : whom] if p.has("UNKNOWN", "STRING", "CMPQ", "CMPV", "WINDOW") or p.names]
    if told and told[0].has("UNKNOWN"):
        scope.unknown(told[0])
    if told:
        scope.invalid(
            told,
            f"“{scope.said(*told)}”说的是给谁；请放在“就”之前",
            f"{scope.said(*told)!r} says for whom; put it before “then”",
        )


def done_by_customer(parts: Sequence[Part]) -> bool:
    """ "requests a refund", "makes a transfer": the verb only carries an event of the catalog, so it is no action."""
    if not parts[0].has("LIGHT") or parts[0].names:
        return False
    after = next((p for p in parts[1:] if not p.has("FILLER", "A", "ANY", "ANOTHER", "QTY")), None)
    return after is not None and bool(after.named("event")) and not after.named("action")


def _refuse_misplaced(bare: Sequence[Part], scope: Scope, *, counted: bool) -> None:
    said = scope.said(*bare)
    if any(p.has("ELSE") for p in bare):
        scope.refuse(bare, "一条策略没有“否则”；请写成两条策略", "a strategy has no “otherwise”; write two strategies")
    if any(p.has("OR") for p in bare):
        scope.ask(
            bare,
            f"“{said}”：做哪一个？",
            f"{said!r}: which of them?",
            [Text(scope.said(p), scope.said(p)) for p in bare if p.named("action") or p.has("UNKNOWN")][:4],
        )
    if any(p.has("NEG", "COPNEG", "NEVER") and not p.has("NAME") for p in bare):
        scope.refuse(bare, f"“{said}”：动作只能是要做的事", f"{said!r}: an action can only be something to do")
    verbal = bare[0].has("VERB")
    limits = [p for p in bare if p.has("EACH", *_LIMITLIKE) and not (verbal and p.has("PERCENT"))]
    happening = done_by_customer(bare) or (
        bool(bare[0].named("event"))
        and (any(p.has("WINDOW") for p in bare) or (bare[-1].has("OBJECT") and any(p.has("DE") for p in bare)))
    )
    tests = list(bare) if happening else []
    if any(p.has("OUTTAKEN", "EXCEPT", "UNLESS", "ROLLOUT", "HOLDOUT", "VARIANT") and not p.names for p in bare):
        tests += bare
    judged = bare[0].has("VERIFY") and any(p.has("DUR", "QTY", "WINDOW") or p.named("event", "metric") for p in bare)
    if judged or any(p.has("VALUE") and all(n.kind == "value" and n.of == "attribute" for n in p.names) for p in bare):
        tests += bare
    if not verbal and any(p.has("DUR") for p in bare):
        tests += bare
    if not verbal and (bare[-1].has("COUNT") or bare[0].has("COUNT", "ONCE")) and not counted:
        tests += bare
    if any(p.has("CMP", "INALL") and not p.has("VERB") and not p.names for p in bare):
        tests += bare
    tests += (
        [p for p in bare if p.has("CMPQ", "CMPV", "AT", "ONLY", "WINDOW", "STREAK", "CALENDAR")] if not verbal else []
    )
    if counted:
        tests += [
            p
            for p in bare
            if p.has("DUR", "WINDOW", "CMPQ", "AT", "DATE", "FILLERDAY", "TODAY", "HALF", "PERCENT")
            or p.named("event", "field", "attribute", "relation")
        ]
    if any(p.has("AFTER") for p in bare) and any(p.has("DUR", "AT") for p in bare):
        tests += bare
    if not any(p.has("UNKNOWN", "VERB", "STRING", "NAME") for p in bare):
        tests += bare
    if limits or tests:
        scope.invalid(
            bare,
            f"“{scope.said(*bare)}”像是限制或条件，但没有看懂",
            f"{scope.said(*bare)!r} looks like a limit or condition, but was not understood",
            Text(
                "例如“每人每周最多一次”“冷却3天”“先灰度5%”“22点到8点不打扰”；条件请放在“就”之前",
                "For example “at most once a week per customer”, “cool down 3 days”, “start with 5%”, "
                "“no messages from 10 pm to 8 am”;"
                " put conditions before “then”",
            ),
        )


def _refuse_slip(words: Sequence[Part], scope: Scope) -> None:
    """ "verfy by logins": a mistyped word of a limit is no task."""
    said = scope.said(words[0]).split()
    if not words[0].has("UNKNOWN") or not said or not said[0].isascii():
        return
    if near := [w for w in _limit_words() if 0 < DamerauLevenshtein.distance(said[0].lower(), w) <= len(w) // 4]:
        scope.invalid(words, f"没有看懂“{scope.said(*words)}”", f"{scope.said(*words)!r} was not understood", near=near)


@lru_cache(maxsize=1)
def _limit_words() -> tuple[str, ...]:
    kinds = ("VERIFY", "COOL", "ROLLOUT", "HOLDOUT", "BUDGET", "CONSENT", "QUIET", "NOREPEAT")
    first = (text.split()[0] for text, word in fixed_words() if word.kind in kinds and text.isascii())
    return tuple(sorted({word for word in first if len(word) > 4}))


def _task(bare: list[Part], params: dict[str, Any], scope: Scope) -> ActionCall | None:
    words = bare
    if len(bare) > 1 and bare[0].has("VERB") and plain(scope.said(bare[0])) in _DELIVERY:
        words = _without_leads(bare[1:])
    words = words or bare
    said = scope.said(*words).strip()
    if not said:
        return None
    _refuse_slip(words, scope)
    labels = scope.lexicon.labels(["action"])
    close = nearest(plain(said), labels)
    zh = f"目录里没有动作“{said}”，作为人工任务保留" + (f"；最接近的有：{'、'.join(close)}" if close else "")
    en = f"the catalog has no action {said!r}; kept as a task for a person" + (
        f"; nearest: {', '.join(close)}" if close else ""
    )
    scope.warn(zh, en)
    return ActionCall(task=said, params=params)
