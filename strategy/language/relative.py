"""What is said of a noun inside a clause: who, whose, with, without, except. It says for whom, and the rest of the
clause is read without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.errors import ZhongshuError
from strategy.document import Happens
from strategy.language.draft import Draft, Group, LeafDraft, leaves
from strategy.language.lexer import Part
from strategy.language.scope import Scope
from strategy.language.shared import events_of

Read = Callable[[Sequence[Part], Scope], Draft]
_SMALL = frozenset(["FILLER", "A", "DE", "COP"])
_MAIN = ("event", "field", "attribute", "metric", "forecast", "place", "relation")


def told_of(parts: Sequence[Part], scope: Scope, read: Read, *kinds: str) -> list[Part] | None:
    """The clause without what one of these words (WHO, WITH, …) begins after a noun, where both make sense by
    themselves: "a customer | who has never ordered | views a product". What is cut off says for whom. The longest such
    part is taken, as people attach a word to what stands next to it."""
    for i, part in enumerate(parts[:-2]):
        marked = part.has("OBJECT") and parts[i + 1].has(*kinds)
        if not marked or any(p.has("OBJECT") for p in parts[:i]):
            continue
        main_before = any(p.named(*_MAIN) for p in parts[:i])  # the birthday of customers | who are not smokers
        for stop in range(len(parts) - (not main_before), i + 2, -1):
            if parts[stop - 1].has("NEG", "NEVER", "WITHOUT", "COPNEG"):
                continue
            begins = stop == len(parts) or parts[stop].has("VERB", "LIGHT", "NEG", "NEVER", "COP")
            if not begins and not parts[stop].named(*_MAIN):
                continue
            trial = scope.trial()
            try:
                who = read([part, *parts[i + 1 : stop]], trial)
                rest = [*parts[: i + 1], *parts[stop:]]
                main = read(rest, trial.trial())
            except ZhongshuError:
                continue
            if lasts(who) and leaves(main) and not _events(who) & _events(main):
                scope.keep(trial)
                scope.audience.append(who)
                return rest
    return None


def _events(draft: Draft) -> set[str]:
    return {e for leaf in leaves(draft) for e in events_of(leaf)}


def lasts(draft: Draft) -> bool:
    """It holds over time, so that it can say for whom."""
    found = leaves(draft)
    return bool(found) and all(
        leaf.without is None and not (isinstance(leaf.condition, Happens) and leaf.style != "fixed") for leaf in found
    )


def excepted(parts: Sequence[Part], scope: Scope, read: Read) -> tuple[list[Part], Draft] | None:
    """ "all customers except black card members", "黑卡会员除外": the clause without those left out, and who they are
    not."""
    for i, part in enumerate(parts):
        if part.has("OUTTAKEN") and i:
            begin = i
            while begin and (parts[begin - 1].has("VALUE", "OBJECT") or parts[begin - 1].senses.keys() <= _SMALL):
                begin -= 1
            return _without(parts, begin, i, i + 1, scope, read)
        if part.has("EXCEPT") and not part.has("CMP"):
            end = next((j for j in range(i + 1, len(parts)) if parts[j].has("EXCEPTEND")), None)
            stop = len(parts) if end is None else end + 1
            return _without(parts, i + 1, end or len(parts), stop, scope, read, begin=i)
    return None


def _without(
    parts: Sequence[Part], at: int, stop: int, after: int, scope: Scope, read: Read, begin: int | None = None
) -> tuple[list[Part], Draft] | None:
    inner = list(parts[at:stop])
    if not any(p.names or p.has("CMPQ", "CMPV", "UNKNOWN") for p in inner):
        return None
    left_out = read(inner, scope)
    if isinstance(left_out, LeafDraft) and not lasts(left_out):
        return None
    return [*parts[: at if begin is None else begin], *parts[after:]], Group("not", [left_out], True)
