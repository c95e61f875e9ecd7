"""Whom an action is for, said within it ("给黑卡会员打个外呼", "send a coupon to gold members"): it says for whom."""

from __future__ import annotations

from collections.abc import Sequence

from strategy.document import AttributeIs
from strategy.language.clauses import value_noun
from strategy.language.draft import LeafDraft
from strategy.language.lexer import Part
from strategy.language.scope import Scope


def receivers(parts: Sequence[Part], scope: Scope) -> list[Part]:
    """ "给黑卡会员打个外呼", "send a coupon to gold members": who gets it says for whom; the rest is the action."""
    for i, part in enumerate(parts):
        spared = parts[i - 2 : i] if i > 1 and parts[i - 1].has("OBJECT") else parts[i - 1 : i]
        if part.has("OUTTAKEN") and spared and _pure_value(spared[0]):  # 黑卡除外
            values = [n for n in spared[0].named("value") if n.of == "attribute"]
            scope.audience.append(value_noun(spared[0], values, "!=", scope))
            return receivers([*parts[: i - len(spared)], *parts[i + 1 :]], scope)
        told = part.named("action") and _valued_noun(parts[i + 1 :])
        verb = part.has("VERB") and not part.names and not part.has("GIVE", "FOR", "TO")
        if not told and not verb and (not part.has("GIVE", "FOR", "TO") or part.has("NAME")):
            continue
        stop = i + 1
        while stop < len(parts) and (
            parts[stop].has("OBJECT", "NOTW")
            or _pure_value(parts[stop])
            or _small(parts[stop])
            or _yes_no(parts[stop], scope)
            or (parts[stop].has("NEG") and _yes_no(parts[min(stop + 1, len(parts) - 1)], scope))
            or (parts[stop].named("attribute") and _pure_value(parts[stop - 1]))
            or (parts[stop].has("MINUS") and parts[stop - 1].has("NOTW"))  # non-smoker
        ):
            stop += 1
        if verb and not (
            any(p.has("OBJECT") for p in parts[i + 1 : stop]) and parts[stop : stop + 1] and _done(parts[stop])
        ):
            continue
        valued = [p for p in parts[i + 1 : stop] if p.has("VALUE")]
        values = [n for n in valued[0].named("value") if n.of == "attribute"] if len(valued) == 1 else []
        if values:
            but = i > 0 and parts[i - 1].has("EXCEPT", "NEG", "NOTW")
            denied = but or any(p.has("NOTW") for p in parts[i + 1 : stop])
            scope.audience.append(value_noun(valued[0], values, "!=" if denied else "==", scope))
            kept = parts[: i + 1] if told or verb else parts[: i - but]
            return [*kept, *(p for p in parts[i + 1 : stop] if p.has("OBJECT")), *parts[stop:]]
        flags = [p for p in parts[i + 1 : stop] if _yes_no(p, scope)]
        if len(flags) == 1 and len(flags[0].named("attribute")) == 1 and not told:
            flag = flags[0].named("attribute")[0]
            yes = not any(p.has("NEG", "NOTW") for p in parts[i + 1 : stop])
            who = LeafDraft(AttributeIs(name=flag.id, op="==", value=yes), flag.owner, "state", (flags[0],))
            scope.audience.append(who)
            return [*parts[: i + verb], *(p for p in parts[i + 1 : stop] if p.has("OBJECT")), *parts[stop:]]
    return list(parts)


def _done(part: Part) -> bool:
    """ "give non-smoker customers | a birthday gift": what they get is an action."""
    return bool(part.named("action"))


def _yes_no(part: Part, scope: Scope) -> bool:
    named = part.named("attribute")
    return bool(named) and len(named) == len(part.names) and all(scope.attribute(n).type == "boolean" for n in named)


def _valued_noun(parts: Sequence[Part]) -> bool:
    """What is left of the action is a noun with its value: 短信通知|绿电住户."""
    rest = [p for p in parts if not _small(p)]
    return len(rest) == 2 and _pure_value(rest[0]) and rest[1].has("OBJECT")


def _pure_value(part: Part) -> bool:
    return part.has("VALUE") and all(n.kind == "value" for n in part.names)


def _small(part: Part) -> bool:
    return part.senses.keys() <= {"FILLER", "A", "DE", "EACHONE", "ANY", "BOTH", "ON"}
