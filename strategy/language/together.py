"""What conditions mean beside each other: acts that follow, shared windows, runs that break, readings that last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from core.text import Text
from strategy.document import Aggregate, Happens, MetricIs, Ratio, Step, Streak, Window
from strategy.document import Sequence as Ordered
from strategy.language.draft import Draft, Group, LeafDraft, Opening, leaves, parts_of
from strategy.language.order import sequence_draft, warn_broken
from strategy.language.scope import Scope
from strategy.language.shared import check_shared, events_of, occurs, once_ever, only_after


def combined(group: Group, scope: Scope) -> list[Draft]:
    """The members of an "and" after they have been read beside each other; what was merged is gone."""
    check_shared(group, scope)
    members = _follow_up(once_ever(_neither(list(group.of), scope), scope), group.marks, scope)
    _attach_breakers(members, scope)
    share_windows(Group("all", members, group.bracketed), scope)
    _ask_each_of_counted(members, scope)
    _merge_acts(members, scope)
    _check_acts(members, scope)
    _newest_readings(members, scope)
    return members


def _neither(members: list[Draft], scope: Scope) -> list[Draft]:
    """ "neither orders nor adds to cart within 3 days": the time said last bounds both."""
    for one, two in zip(members[-2::-1], members[:0:-1], strict=True):
        if not (isinstance(one, LeafDraft) and isinstance(two, LeafDraft) and one.without is not None):
            continue
        if any(p.has("NOR") for p in two.parts) and isinstance(two.condition, Aggregate) and two.within is not None:
            _bounded(one, two.condition.window, two.within)
            one.parts = (*one.parts, *(p for p in two.parts if p.has("WINDOW")))
    return members


def _bounded(bare: LeafDraft, window: Window, within: int | None) -> None:
    """A bare "did not X" over a window."""
    assert isinstance(bare.condition, Aggregate)
    bare.condition = bare.condition.model_copy(update={"window": window})
    bare.without, bare.within, bare.windowless = None, within, False


def closed(draft: Draft, scope: Scope) -> Draft:
    """ "客户登录后,就…": where nothing more has to happen, the act itself is the moment."""
    if isinstance(draft, Group) and draft.of and draft.kind == "all":
        return replace(draft, of=[*draft.of[:-1], closed(draft.of[-1], scope)])
    return _happened(draft, scope) if isinstance(draft, Opening) else draft


def _happened(opening: Opening, scope: Scope) -> LeafDraft:
    if any(not p.has("AFTER", "FILLER") and p.has("WINDOW", "DUR") for p in opening.parts):
        unfinished(opening, scope)
    if len(opening.steps) > 1:
        return sequence_draft(list(opening.steps), opening.owner, opening.parts, scope)
    step = opening.steps[0]
    if step.absent or step.within is not None:
        unfinished(opening, scope)
    return LeafDraft(Happens(event=step.event, where=step.where), opening.owner, "act", opening.parts)


def unfinished(opening: Opening, scope: Scope) -> NoReturn:
    """ "投诉后" with nothing after it."""
    scope.invalid(
        opening.parts,
        "“…后”之后要发生什么？",
        "what has to happen after that?",
        Text("例如“投诉后2小时内未解决”", "For example “a complaint is not resolved within 2 hours”"),
    )


def _follow_up(members: list[Draft], marks: Sequence[str], scope: Scope) -> list[Draft]:
    """ "投诉后,2小时内未解决" and "加购,1小时内未下单": an act, then what is bound to it by a time."""
    result: list[Draft] = []
    for i, member in enumerate(members):
        mark = marks[i - 1] if 0 < i <= len(marks) else "AND"
        last = result[-1] if result else None
        if isinstance(last, Opening):
            step = _as_step(member, scope)
            if step is None:
                unfinished(last, scope)
            result[-1] = sequence_draft([*last.steps, step], last.owner, (*last.parts, *parts_of(member)), scope)
        elif isinstance(last, LeafDraft) and (absent := _absent_too(last, member)) is not None:
            result[-1] = sequence_draft(absent, last.owner, (*last.parts, *parts_of(member)), scope)
        elif isinstance(last, LeafDraft) and (opened := _said_again(last, member)) is not None:
            result[-1] = opened
        elif isinstance(last, LeafDraft) and (carried := _carried_on(last, member)) is not None:
            result[-1] = carried
        elif last is not None and _one_event(last, member):
            assert isinstance(member, LeafDraft) and isinstance(last, LeafDraft)
            result[-1] = _merged(last, member)
        elif last is not None and _bound_act(last, member):
            assert isinstance(member, LeafDraft) and isinstance(last, LeafDraft)
            bound = _bound(last, member, mark, scope)
            if bound is None:
                result.append(member)
            else:
                result[-1] = bound
        else:
            result.append(member)
    return result


def _absent_too(last: LeafDraft, member: Draft) -> list[Step] | None:
    """ "登录后3天内没下单，也没加购": what else must not happen, within the same time after the same act."""
    if not (isinstance(last.condition, Ordered) and isinstance(member, LeafDraft) and member.without is not None):
        return None
    end = last.condition.steps[-1]
    if not end.absent:
        return None
    also = Step(event=member.without.event, where=member.without.where, within=end.within, absent=True)
    return [*last.condition.steps, also]


def _said_again(last: LeafDraft, member: Draft) -> LeafDraft | None:
    """ "complains and the complaint isn't closed within 2 days": the sequence begins with the act just said."""
    if not (_is_act(last) and isinstance(member, LeafDraft) and isinstance(member.condition, Ordered)):
        return None
    first, act = member.condition.steps[0], _step(last.condition)
    if first.event != act.event or (first.where and act.where and first.where != act.where):
        return None
    steps = (first if first.where else act, *member.condition.steps[1:])
    return replace(member, condition=Ordered(steps=steps), parts=(*last.parts, *member.parts))


def _carried_on(last: LeafDraft, member: Draft) -> LeafDraft | None:
    """ "visits the page, opens a ticket within 2 days, and then …": the steps go on from the act just said."""
    if not (_is_act(last) and isinstance(member, LeafDraft) and member.carries_on and member.owner == last.owner):
        return None
    assert isinstance(member.condition, Ordered)
    steps = (_step(last.condition), *member.condition.steps)
    return replace(member, condition=Ordered(steps=steps), parts=(*last.parts, *member.parts), carries_on=False)


def _is_act(draft: Draft) -> bool:
    return isinstance(draft, LeafDraft) and isinstance(draft.condition, Happens) and draft.style == "act"


def _bound_act(last: Draft, member: Draft) -> bool:
    return (
        isinstance(member, LeafDraft)
        and isinstance(last, LeafDraft)
        and isinstance(member.condition, Aggregate)
        and member.within is not None
        and occurs(member.condition) is not None
        and isinstance(last.condition, Happens | Ordered)
        and (last.style == "act" or isinstance(last.condition, Ordered))
        and member.owner == last.owner
        and (
            _again(member)
            or only_after(last, member)
            or not (isinstance(last.condition, Happens) and last.condition.event == member.condition.event)
        )
    )


def _again(member: LeafDraft) -> bool:
    """ "10分钟内再次报警": of the same kind as the one before it."""
    return any(p.has("ANOTHER") for p in member.parts)


_AWAITED = (
    "还没",
    "还没有",
    "还未",
    "仍未",
    "仍没有",
    "尚未",
    "迟迟未",
    "迟迟没有",
    "has still not",
    "is still not",
    "still not",
    "still no",
)
"""What "still" has not happened was awaited since the act before it."""


def _bound(last: LeafDraft, member: LeafDraft, mark: str, scope: Scope) -> LeafDraft | None:
    """The sequence that an act and a bound "(not) within T" make; None where the bound reaches back from now.

    Raises:
        NeedsAnswer: where both are natural.
    """
    said, first = scope.said(*member.parts), scope.said(*last.parts)
    form = next((p.get("WINDOW").form for p in member.parts if p.has("WINDOW")), "bare")
    between = scope.normal.text[last.parts[-1].end : member.parts[0].start]
    contrast = any(word in between for word in ("但", "却", "but", "yet"))
    joined = mark in ("AND", "COMMAAND") and not contrast
    awaited = (
        _again(member)
        or only_after(last, member)
        or any(scope.plain(p) in _AWAITED for p in member.parts if p.has("NEG"))
    )
    if form == "bare" and not awaited:
        related = _related_events(last, member)
        if not related and not contrast:
            scope.warn(f"“{said}”看的是到这时为止", f"{said!r} looks back from that moment")
            return None
        doubtful = joined or not related
    else:
        doubtful = joined and form != "within" and not awaited
    if doubtful:
        scope.ask(
            member.parts,
            f"“{said}”是指这之后，还是到这时为止？",
            f"is {said!r} meant after that, or up to that moment?",
            [
                Text(f"{first}后{said}", f"{first}, then {said}"),
                Text(f"{first}，且过去{said}", f"{first} and, in the time before, {said}"),
            ],
        )
    step = _as_step(member, scope)
    assert step is not None
    scope.warn(f"“{said}”从前一个事件发生时起算", f"{said!r} counts from the event before it")
    condition = last.condition
    before = condition.steps if isinstance(condition, Ordered) else (_step(condition),)
    return sequence_draft([*before, step], last.owner, (*last.parts, *member.parts), scope)


def _related_events(last: LeafDraft, member: LeafDraft) -> bool:
    """Events of one family, by id: complaint.filed and complaint.resolved."""
    families = [{re.split(r"[._-]", e)[0] for e in events_of(d)} for d in (last, member)]
    return bool(families[0] & families[1])


def _step(condition: object) -> Step:
    assert isinstance(condition, Happens)
    return Step(event=condition.event, where=condition.where)


def _as_step(draft: Draft, scope: Scope) -> Step | None:
    if not isinstance(draft, LeafDraft):
        return None
    condition = draft.condition
    if isinstance(condition, Happens):
        return _step(condition)
    if (
        isinstance(condition, Aggregate)
        and (happens := occurs(condition)) is not None
        and condition.window.last is None
    ):
        within = condition.window.over
        return Step(event=condition.event, where=condition.where, within=within, absent=not happens)
    return None


def _attach_breakers(members: list[Draft], scope: Scope) -> None:
    """ "连续滑动5屏,且未下单": the bare negation breaks the run before it."""
    for i, member in enumerate(members):
        if not (isinstance(member, LeafDraft) and member.without is not None):
            continue
        run = next(
            (
                m
                for m in members[:i]
                if isinstance(m, LeafDraft) and isinstance(m.condition, Streak) and m.owner == member.owner
            ),
            None,
        )
        if run is None:
            continue
        assert isinstance(run.condition, Streak)
        run.condition = run.condition.model_copy(update={"without": (*run.condition.without, member.without)})
        warn_broken(member.parts, scope)
        members[i] = Group("all", [], False)
    members[:] = [m for m in members if not (isinstance(m, Group) and not m.of)]


def share_windows(group: Group, scope: Scope) -> None:
    """A window said once holds for the counts after it that say none."""
    window: Window | None = None
    _share_back(group, scope)
    for member in group.of:
        if not isinstance(member, LeafDraft) or not isinstance(member.condition, Aggregate | MetricIs | Ratio):
            continue
        condition = member.condition
        if isinstance(condition, Aggregate) and condition.function == "last":
            continue
        if member.without is not None and window is not None:
            _bounded(member, window, window.over)
            said = scope.said(*member.parts)
            scope.warn(f"“{said}”沿用前面的时间窗", f"{said!r} takes the time window said before it")
        elif not member.windowless:
            window = condition.window if condition.window.over is not None else window
        elif window is not None:
            member.condition = condition.model_copy(update={"window": window})
            said = scope.said(*member.parts)
            scope.warnings[:] = [w for w in scope.warnings if said not in w.zh or "没有时间窗" not in w.zh]
            scope.warn(f"“{said}”沿用前面的时间窗", f"{said!r} takes the time window said before it")


def _share_back(group: Group, scope: Scope) -> None:
    """ "at least 3 times but fewer than 10 times in 7 days": the window said last holds for the same count before it.
    Before another event's count it may or may not."""
    for one, two in zip(group.of, group.of[1:], strict=False):
        if not (isinstance(one, LeafDraft) and isinstance(two, LeafDraft) and one.windowless and not two.windowless):
            continue
        if not (isinstance(one.condition, Aggregate) and isinstance(two.condition, Aggregate)):
            continue
        if two.condition.window.over is None or any(
            p.has("WINDOW") for m in group.of[: group.of.index(one)] for p in parts_of(m)
        ):
            continue
        a, b = scope.said(*one.parts), scope.said(*two.parts)
        if one.condition.event == two.condition.event and two.parts[0].start == two.parts[0].end:
            one.condition = one.condition.model_copy(update={"window": two.condition.window})
            one.windowless = False
            scope.warnings[:] = [w for w in scope.warnings if a not in w.zh or "没有时间窗" not in w.zh]
            scope.warn(f"“{a}”用后面的时间窗", f"{a!r} takes the time window said after it")
        elif occurs(two.condition) is False and any(scope.said(p).lower() == "no" for p in two.parts[:1]):
            one.condition = one.condition.model_copy(update={"window": two.condition.window})
            one.windowless = False
            scope.warn(f"“{a}”用后面的时间窗", f"{a!r} takes the time window said after it")
        elif scope.lang == "en" and "," not in scope.normal.text[one.parts[-1].end : two.parts[0].start]:
            scope.ask(
                one.parts,
                f"“{a}”的时间窗也是后面说的那个吗？",
                f"does the time window said later hold for {a!r} too?",
                [
                    Text(f"用同一个时间窗，例如“7天内{a}”", f"the same window: say “{a} in the last 7 days, and {b}”"),
                    Text(f"全部历史：“{a}”前加“累计”", f"all history: say “{a} in all history, and {b}”"),
                ],
            )


def _merge_acts(members: list[Draft], scope: Scope) -> None:
    """Tests on one event type in one "and" are tests on the same event."""
    for i in range(len(members)):
        for j in range(i + 1, len(members)):
            one, other = members[i], members[j]
            if _one_event(one, other):
                assert isinstance(one, LeafDraft) and isinstance(other, LeafDraft)
                members[i] = _merged(one, other)
                members[j] = Group("all", [], False)
    members[:] = [m for m in members if not (isinstance(m, Group) and not m.of)]


def _one_event(one: Draft, other: Draft) -> bool:
    return (
        isinstance(one, LeafDraft)
        and isinstance(other, LeafDraft)
        and isinstance(one.condition, Happens)
        and isinstance(other.condition, Happens)
        and "fixed" not in (one.style, other.style)
        and one.condition.event == other.condition.event
    )


def _merged(one: LeafDraft, other: LeafDraft) -> LeafDraft:
    assert isinstance(one.condition, Happens) and isinstance(other.condition, Happens)
    where = (*one.condition.where, *other.condition.where)
    return replace(
        one,
        condition=Happens(event=one.condition.event, where=where),
        style="act" if "act" in (one.style, other.style) else "reading",
        parts=(*one.parts, *other.parts),
    )


def _ask_each_of_counted(members: Sequence[Draft], scope: Scope) -> None:
    """ "转账超过5次且每次超过1万元": are only those counted, or must one of that kind come as well?"""
    for one in members:
        for two in members:
            if not (isinstance(one, LeafDraft) and isinstance(two, LeafDraft) and events_of(one) & events_of(two)):
                continue
            counted = isinstance(one.condition, Aggregate) and one.condition.function == "count"
            each = [p for p in two.parts if p.has("SINGLE") and scope.said(p).lower()[:1] in ("每", "e")]
            if counted and each and isinstance(two.condition, Happens):
                a, b = scope.said(*one.parts), scope.said(*two.parts)
                scope.ask(
                    (*one.parts, *two.parts),
                    f"“{b}”：只数这样的，还是每一次都要这样？",
                    f"{b!r}: are only those counted, or must each one be so?",
                    [Text(f"{a}（{b}）", f"{a} ({b})"), Text(f"连续几次都{b}", f"{b} so many times in a row")],
                )


def _check_acts(members: Sequence[Draft], scope: Scope) -> None:
    """Two acts cannot happen at the same instant: which order, or within which time?"""
    acts = [m for m in members if _is_act(m)]
    if len(acts) < 2:
        return
    one, two = acts[0], acts[1]
    assert isinstance(one, LeafDraft) and isinstance(two, LeafDraft)
    a, b = scope.said(*one.parts), scope.said(*two.parts)
    scope.ask(
        (*one.parts, *two.parts),
        f"“{a}”和“{b}”是两个瞬间的事件，不会同时发生。是先后发生，还是在一段时间内都发生？",
        f"{a!r} and {b!r} are two moments and never coincide. One after the other, or both within some time?",
        [
            Text(f"{a}后7天内{b}", f"{a}, then {b} within 7 days"),
            Text(
                f"7天内{a}至少1次，且7天内{b}至少1次",
                f"{a} at least once in the last 7 days and {b} at least once in the last 7 days",
            ),
        ],
    )


def _newest_readings(members: Sequence[Draft], scope: Scope) -> None:
    """A numeric field named alone, beside conditions on other events, is the newest value."""
    for member in members:
        if not (isinstance(member, LeafDraft) and member.style == "reading" and isinstance(member.condition, Happens)):
            continue
        event = member.condition.event
        others = {e for d in members if d is not member for leaf in leaves(d) for e in events_of(leaf)}
        if event in others:
            _ask_same_event(member, members, scope)
        if not others:
            continue
        if len(member.condition.where) != 1:
            member.style = "act"
            continue
        test = member.condition.where[0]
        member.condition = Aggregate(event=event, function="last", field=test.field, op=test.op, value=test.value)
        member.style = "fixed"
        said = scope.said(*member.parts)
        scope.warn(f"“{said}”看最新一次的值", f"{said!r} looks at the newest value")


def _ask_same_event(member: LeafDraft, members: Sequence[Draft], scope: Scope) -> None:
    said = scope.said(*member.parts)
    other = next(
        (
            d
            for d in members
            if d is not member and isinstance(d, LeafDraft) and isinstance(d.condition, Streak | Aggregate)
        ),
        None,
    )
    if other is None or not (events_of(other) & events_of(member)):
        return
    name = next(iter(events_of(member)))
    zh, en = scope.label("event", name, "zh"), scope.label("event", name, "en")
    scope.ask(
        member.parts,
        f"“{said}”指每一次{zh}，还是最新一次？",
        f"does {said!r} hold for each {en}, or for the newest one?",
        [Text(f"每一次：{zh}({said})", f"each: {en} ({said})"), Text(f"最新一次{said}", f"latest {said}")],
    )
