"""Everyday turns of phrase, settled before numbers and conditions are read: "their first order", "neither … nor …",
"订单里", "同一条产线". Each pass only says more exactly what a part is here; none drops a word that carries meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from strategy.language.lexer import Part
from strategy.language.normalise import Normal

_DETERMINERS = ("the", "their", "his", "her", "its", "a", "an", "'s", "on")
_CONTAINERS = ("里", "中", "当中", "之中", "里面")
_STOPS = ("COMMA", "STOP", "COLON", "THEN")


def settled(parts: Sequence[Part], normal: Normal) -> list[Part]:
    """All passes, in the order in which they build on one another."""
    parts = [Part(p.start, p.end, {"COMMA": None}) if _dash(parts, i, normal) else p for i, p in enumerate(parts)]
    parts = _another(_between(parts), normal)
    parts = _at_once(_all_denied(list(parts), normal), normal)
    result = _numbered(_inside_things(_once(_only_whom(list(parts))), normal), normal)
    return _split_or(_neither(_denied_too(_paired(_same(result)))), normal)


def _dash(parts: Sequence[Part], i: int, normal: Normal) -> bool:
    """ "send a coupon - at most twice a month": set off by blanks, it is no minus."""
    part = parts[i]
    if not part.has("MINUS") or not 0 < i < len(parts) - 1 or parts[i - 1].has("NUM") or parts[i + 1].has("NUM"):
        return False
    return normal.text[part.start - 1].isspace() and normal.text[part.end : part.end + 1].isspace()


def _text(part: Part, normal: Normal) -> str:
    return normal.text[part.start : part.end]


def _next(parts: Sequence[Part], i: int) -> int | None:
    """The next part that is more than a small word."""
    return next((j for j in range(i + 1, len(parts)) if parts[j].senses.keys() - {"FILLER", "A", "DE"}), None)


def _another(parts: list[Part], normal: Normal) -> list[Part]:
    """ "placed an order but did not place another (one) within 30 days": one more of what was named last."""
    parts = list(parts)
    for i, part in enumerate(parts):
        if not part.has("ANOTHER") or part.names:
            continue
        before = next((j for j in range(i - 1, -1, -1) if not parts[j].has("LIGHT")), None)
        if before is None or not parts[before].has("NEG", "COPNEG"):
            continue
        one = i + 1 < len(parts) and _text(parts[i + 1], normal) == "one"
        after = parts[i + 1 + one] if i + 1 + one < len(parts) else None
        named = next((p for p in reversed(parts[:before]) if p.named("event")), None)
        if named is None or not (after is None or after.has("WITHIN", "IN", "LAST", "FORTIME", *_STOPS)):
            continue
        parts[i] = replace(part, senses={**named.senses, "ANOTHER": None})
        for idle in (*range(before + 1, i), *([i + 1] if one else [])):
            parts[idle] = replace(parts[idle], senses={"FILLER": None})
    return parts


def _only_whom(parts: list[Part]) -> list[Part]:
    """ "只有金卡会员下单才…", "only for gold members": whom it is for is never for others anyway."""
    for i, part in enumerate(parts[:-1]):
        if part.has("ONLY") and (i == 0 or parts[i - 1].has("COMMA")) and parts[i + 1].has("FOR", "OBJECT", "VALUE"):
            parts[i] = replace(part, senses={"FILLER": None})
    return parts


def _between(parts: list[Part]) -> list[Part]:
    """ "without a payment in between": said after "without", it says nothing of its own."""
    for i, part in enumerate(parts):
        if part.has("DURING") and any(p.has("WITHOUT") for p in parts[:i]):
            after = parts[i + 1] if i + 1 < len(parts) else None
            if after is None or after.has(*_STOPS, "NEXT"):
                parts[i] = replace(part, senses={"FILLER": None})
    return parts


def _at_once(parts: list[Part], normal: Normal) -> list[Part]:
    """ "客户一下单就…": as soon as it happens, no number."""
    for i, part in enumerate(parts[:-1]):
        if part.has("NUM") and _text(part, normal) == "一" and parts[i + 1].named("event"):
            parts[i] = replace(part, senses={"FILLER": None})
    return parts


def _once(parts: list[Part]) -> list[Part]:
    """ "Once a member has ordered, …": at the beginning of a clause it is no number of times."""
    for i, part in enumerate(parts[:-1]):
        if not part.has("ONCE"):
            continue
        done = i > 0 and bool(parts[i - 1].named("action")) and not parts[i + 1].has(*_STOPS, "AND")
        begins = i == 0 or parts[i - 1].has("COMMA") or done
        often = parts[i + 1].has("EACH") or (
            parts[i + 1].has("A", "IN") and any(p.has("UNIT") for p in parts[i + 2 : i + 3])
        )
        if begins and not often:
            parts[i] = replace(part, senses={"IF": None})
    return parts


def _inside_things(parts: list[Part], normal: Normal) -> list[Part]:
    """ "订单里", "评价中", "运行中": after a name the word is no window."""
    for i in range(1, len(parts)):
        if parts[i].has("INSIDE") and parts[i - 1].names and _text(parts[i], normal) in _CONTAINERS:
            parts[i] = replace(parts[i], senses={"FILLER": None, "AMONG": None})
    return parts


def _numbered(parts: list[Part], normal: Normal) -> list[Part]:
    """ "their first order", "the second order": which occurrence, not an order of steps or a unit of time."""
    for i in range(1, len(parts)):
        said = _text(parts[i], normal)
        if said not in ("first", "second") or _text(parts[i - 1], normal) not in _DETERMINERS:
            continue
        j = _next(parts, i)
        if j is not None and parts[j].named("event"):
            parts[i] = replace(parts[i], senses={"FIRSTTIME": None} if said == "first" else {"NTH": 2.0})
    return parts


def _same(parts: list[Part]) -> list[Part]:
    """ "同一条产线", "the same production line": of each such thing by itself."""
    result: list[Part] = []
    for part in parts:
        last = result[-1] if result else None
        if last is not None and last.has("SAMEONE") and part.has("OBJECT"):
            result[-1] = replace(part, start=last.start, senses={**part.senses, "EACHONE": None})
        else:
            result.append(part)
    return result


def _paired(parts: list[Part]) -> list[Part]:
    """ "既…也…", "既…又…": the second word joins, the first says nothing of its own."""
    for i, part in enumerate(parts):
        if not part.has("BOTHAND"):
            continue
        for j in range(i + 1, len(parts)):
            if parts[j].has("THEN", "STOP"):
                break
            if parts[j].has("ALSOW", "AND"):
                joined = parts[j - 1].has("COMMA")
                parts[j] = replace(parts[j], senses={"FILLER": None} if joined else {"AND": "zh"})
                parts[i] = replace(part, senses={"FILLER": None, "BOTHAND": None})
                break
    return parts


def _denied_too(parts: list[Part]) -> list[Part]:
    """ "7天没登录也没下单": 也 joins what is denied too."""
    for i in range(1, len(parts) - 1):
        also = parts[i].has("ALSOW") and parts[i + 1].has("NEG") and not parts[i - 1].has("COMMA", "AND")
        if also and any(p.has("NEG") for p in parts[:i]):
            parts[i] = replace(parts[i], senses={"AND": "zh"})
    return parts


_ALL_DENIED = ("都没有", "都没", "都未", "均没有", "均未", "都没有过", "都没有发生")


def _all_denied(parts: list[Part], normal: Normal) -> list[Part]:
    """ "登录和上课都没有": said after them, it denies each."""
    for i, part in enumerate(parts):
        ends = i + 1 == len(parts) or parts[i + 1].has("COMMA", "THEN", "WHENEND", "DE", "STOP")
        if not (part.has("NEG") and _text(part, normal) in _ALL_DENIED and ends):
            continue
        begin = i
        while begin and not parts[begin - 1].has("COMMA", "STOP", "IF", "THEN"):
            begin -= 1
        named = [j for j in range(begin, i) if parts[j].named("event")]
        if len(named) > 1:
            result = parts[:begin]
            for j in range(begin, i):
                if j in named:
                    result.append(Part(parts[j].start, parts[j].start, {"NEG": "zh"}))
                result.append(parts[j])
            return [*result, *_all_denied(parts[i + 1 :], normal)]
    return parts


def _neither(parts: list[Part]) -> list[Part]:
    """ "neither orders nor adds to cart": both are denied. Values keep the words, for one comparison with both."""
    result: list[Part] = []
    for i, part in enumerate(parts):
        if part.has("NEITHER", "NOR") and (j := _next(parts, i)) is not None and not parts[j].has("VALUE", "STRING"):
            if part.has("NOR"):
                result.append(Part(part.start, part.start, {"AND": "en"}))
            result.append(replace(part, senses={"NEG": "en", **part.senses}))
        else:
            result.append(part)
    return result


def _split_or(parts: list[Part], normal: Normal) -> list[Part]:
    """ "at most 3.9 or above 16.7": before a number the words are "or" and a comparison of its own."""
    result: list[Part] = []
    for i, part in enumerate(parts):
        said = _text(part, normal)
        words = said.split()
        number = i + 1 < len(parts) and parts[i + 1].has("NUM")
        if part.has("POSTCMP") and len(words) == 2 and words[0] == "or" and number and words[1] in _ALONE:
            cut = part.start + said.index(words[1])
            result.append(Part(part.start, cut - 1, {"OR": "en"}))
            result.append(Part(cut, part.end, {"CMP": _ALONE[words[1]]}))
        else:
            result.append(part)
    return result


_ALONE = {"above": ">", "over": ">", "below": "<", "under": "<"}
