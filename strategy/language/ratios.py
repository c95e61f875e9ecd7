"""Events per events: the share of one kind in another over a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from core.text import Text
from strategy.document import EventFilter, Op, Ratio, Window
from strategy.language.amounts import Comparison, Span
from strategy.language.draft import LeafDraft
from strategy.language.fields import filters_of, no_loose, take_loose
from strategy.language.lexer import Part
from strategy.language.said import gather
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain


def divided(parts: Sequence[Part]) -> list[Part]:
    """ "A与B之比", "the ratio of A to B": the word between the two is no "and" of conditions."""
    result = list(parts)
    for i, part in enumerate(parts):
        if not part.has("RATIO") or part.has("OUTOF") or part.names:
            continue
        clause = _clause_around(result, i)
        if any(result[j].has("OUTOF") for j in clause):
            continue
        backward = part.get("RATIO") == "zh"
        beside = [j for j in clause if (j < i) == backward and result[j].has("AND", "VERSUS", "TO")]
        if beside:
            at = beside[-1] if backward else beside[0]
            result[at] = replace(result[at], senses={"OUTOF": None})
    return result


def _clause_around(parts: Sequence[Part], i: int) -> list[int]:
    """Places outside brackets between the commas around part i."""
    found: list[int] = []
    for step in (-1, 1):
        j, depth = i + step, 0
        while 0 <= j < len(parts) and not (depth == 0 and parts[j].has("COMMA", "STOP", "OR")):
            depth += step * (parts[j].has("LPAR") - parts[j].has("RPAR"))
            if depth < 0:
                break
            if depth == 0:
                found.append(j)
            j += step
    return sorted(found)


def is_ratio(parts: Sequence[Part]) -> bool:
    shares = any(p.has("RATIO") for p in parts)
    return shares and (any(p.has("OUTOF") for p in parts) or _own_share(parts) is not None)


def _own_share(parts: Sequence[Part]) -> tuple[list[Part], list[Part]] | None:
    """ "低于3星的评价占比", "the share of reviews below 3 stars": those of one kind that pass a test, per all of it."""
    events = [(i, n) for i, p in enumerate(parts) for n in p.named("event")]
    if not events or len({n.id for _, n in events}) != 1 or any(p.has("RATIO") and p.names for p in parts):
        return None
    last = parts[events[-1][0]]
    tests = [p for p in parts if p.has("CMPQ", "CMPV", "TESTS") and not _in_percent(p)]
    flags = [p for p in parts if p.named("field") and not p.named("event")]
    if not (tests or flags):
        return None
    of = [p for p in parts if not any(p is parts[i] for i, _ in events[:-1])]
    return of, [last]


def _in_percent(part: Part) -> bool:
    return part.has("CMPQ") and part.get("CMPQ").quantity.unit == "percent"


def ratio_leaf(parts: Sequence[Part], scope: Scope) -> LeafDraft:
    """7天内投诉与下单之比超过10% · the ratio of complaints to orders in the last 7 days is above 10%."""
    whole = Segment(tuple(parts), scope)
    window_part, compared = whole.take("WINDOW"), whole.free("CMPQ")
    shares = [p for p in compared if p.get("CMPQ").quantity.unit == "percent"]
    test = next(iter(shares or compared), None)
    if test is None:
        scope.invalid(
            list(parts),
            "没有说比例与多少比较",
            "it is not said what the ratio is compared with",
            Text("例如“超过10%”", "For example “is above 10%”"),
        )
    comparison: Comparison = test.get("CMPQ")
    quantity = comparison.quantity
    if comparison.high is not None or quantity.times or quantity.unit not in (None, "percent"):
        complain(test, scope)
    taken = [window_part, test, *(p for p in parts if p.has("RATIO") and not p.has("OUTOF") and not p.names)]
    rest = [p for p in parts if not any(p is t for t in taken)]
    if (own := _own_share(rest)) is not None and not any(p.has("OUTOF") for p in rest):
        sides = own
    else:
        at = next(i for i, p in enumerate(rest) if p.has("OUTOF"))
        sides = rest[:at], rest[at + 1 :]
    of, per = (_events(side, scope) for side in sides)
    owner, other = (scope.catalog.events[e.event].subject for e in (of, per))
    if owner != other:
        scope.refuse(
            list(parts), "相除的两种事件属于不同对象", "the two kinds of events of the ratio happen to different things"
        )
    span: Span | None = window_part.get("WINDOW") if window_part else None
    draft = LeafDraft(
        Ratio(
            of=of,
            per=per,
            window=Window(over=span.over, last=span.last) if span else Window(),
            op=cast(Op, comparison.op),
            value=quantity.number,
            percent=quantity.unit == "percent",
        ),
        owner,
        "state",
        tuple(parts),
        windowless=span is None,
    )
    if draft.windowless:
        said = scope.said(*parts)
        scope.warn(f"“{said}”没有时间窗，按全部历史计算", f"{said!r} has no time window; all history is counted")
    return draft


def _events(parts: Sequence[Part], scope: Scope) -> EventFilter:
    seg = Segment(tuple(parts), scope)
    said = gather(seg)
    if said.count is not None and (measured := said.count[2]).has("CMPQ") and measured.get("CMPQ").quantity.measure:
        said.count = None  # 低于3星的评价
        said.loose.append(measured)
    if said.loose:
        take_loose(seg, said)
    for wrong in (said.count and said.count[2], said.window_part, said.run_part):
        if wrong is not None:
            complain(wrong, scope)
    if said.negation is not None and not said.booleans(scope):
        complain(said.negation, scope)
    found = EventFilter(event=said.event, where=filters_of(seg, said))
    no_loose(seg, said)
    seg.finish()
    return found
