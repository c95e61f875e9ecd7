"""What conditions joined by "or" or "and" share: is a denial, a time, a count or a run meant for both, and of whom?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.text import Text
from strategy.document import Aggregate, AttributeIs, Happens, Ratio, Streak
from strategy.document import Sequence as Ordered
from strategy.engine.quantities import includes
from strategy.language.draft import Draft, Group, LeafDraft, parts_of
from strategy.language.lexer import Part
from strategy.language.scope import Scope


def check_shared(group: Group, scope: Scope) -> None:
    """ "7天内没有登录或下单", "7天内登录或下单少于2次": does the negation, or the count, hold for both?"""
    if group.bracketed:
        return
    for one, two in zip(group.of, group.of[1:], strict=False):
        if not (isinstance(one, LeafDraft) and isinstance(two, LeafDraft)):
            continue
        between = scope.normal.text[one.parts[-1].end : two.parts[0].start].strip()
        a, b = scope.said(*one.parts), scope.said(*two.parts)
        _ask_shared_run(one, two, group, between, scope)
        _ask_shared_flag(one, two, between, scope)
        _ask_when(one, two, group, between, scope)
        _ask_window_of_both(one, two, between, scope)
        if group.kind == "all" and between not in ("和", "与", "及", "以及", "、", "and"):
            continue
        negative = isinstance(one.condition, Aggregate) and occurs(one.condition) is False
        negative = negative or (isinstance(one.condition, Ordered) and one.condition.steps[-1].absent)
        bare = isinstance(two.condition, Happens) and two.style == "act" and not two.condition.where
        seen = isinstance(two.condition, Aggregate) and occurs(two.condition) is True
        if negative and (bare or seen) and "," not in between:
            scope.ask(
                (*one.parts, *two.parts),
                f"“{a}{between}{b}”：否定的是两者，还是只有前者？",
                f"“{a} {between} {b}”: are both denied, or only the first?",
                [Text(f"{a}，且没有{b}", f"{a}, and no {b}"), Text(f"（{a}），或（{b}）", f"({a}), or ({b})")],
            )
        if bare and isinstance(one.condition, Ordered) and "," not in between:
            scope.ask(
                (*one.parts, *two.parts),
                f"“{a}{between}{b}”：“{b}”也要在那之后吗？",
                f"“{a} {between} {b}”: must {b!r} come after that as well?",
                [
                    Text(f"也在之后：请写成两个“…后{b}”", "after it as well: write “then” for each"),
                    Text(f"（{a}）{between}{b}", f"({a}) {between} {b}"),
                ],
            )
        if (bare or seen) and "," not in between and _number_first(one):
            scope.ask(
                (*one.parts, *two.parts),
                f"“{a}{between}{b}”：次数说的是两者，还是只有前者？",
                f"“{a} {between} {b}”: does the number hold for both, or for the first only?",
                [Text("两者各自：请分开写", "each: write them apart"), Text("两者合计", "both together")],
            )
        counted = isinstance(two.condition, Aggregate) and (two.windowless or _trailing_window(two, between, scope))
        counted = counted or _amount_only(two, events_of(one))
        implied = isinstance(one.condition, Happens) and one.style == "act" and not one.condition.where
        implied = implied or (
            isinstance(one.condition, Aggregate) and occurs(one.condition) is True and one.within is not None
        )
        if counted and implied and "," not in between:
            scope.ask(
                (*one.parts, *two.parts),
                f"“{a}{between}{b}”：后面的数说的是两者各自、合计，还是只有后者？",
                f"“{a} {between} {b}”: does the number hold for each, for both together, or only for the second?",
                [
                    Text(
                        "请分开写，例如“7天内登录少于2次，且7天内下单少于2次”",
                        "Write them apart, such as “logs in fewer than 2 times in the last 7 days, "
                        "and orders fewer than 2 times in the last 7 days”",
                    )
                ],
            )


def _ask_shared_run(one: LeafDraft, two: LeafDraft, group: Group, between: str, scope: Scope) -> None:
    """ "systolic over 160 or diastolic over 100 twice in a row": twice in a row for the one, or for both?"""
    styles = ("act", "reading") if group.kind == "any" else ("act",)
    single = [d for d in (one, two) if isinstance(d.condition, Happens) and d.style in styles]
    many = [d for d in (one, two) if isinstance(d.condition, Streak) or _counts_some(d)]
    shared = _run_outside(one, two) or (group.kind == "any" and bool(events_of(one) & events_of(two)))
    if "," in between or not (single and many and shared):
        return
    a, b = scope.said(*one.parts), scope.said(*two.parts)
    how = Text("连续几次", "times in a row") if isinstance(many[0].condition, Streak) else Text("次数", "count")
    scope.ask(
        (*one.parts, *two.parts),
        f"“{a}{between}{b}”：“{how.zh}”说的是两者，还是只有一个？",
        f"“{a} {between} {b}”: does the {how.en} hold for both, or for one of them?",
        [
            Text("两者都要：请分开写，各自写上次数", "both: write them apart, each with its number"),
            Text("只有一个：用括号分开", "one of them: put each in brackets"),
        ],
    )


def ask_whom(parts: Sequence[Part], other: Sequence[Part], whom: bool, scope: Scope) -> None:
    """ "金卡会员和积分超过1000的会员下单": both kinds of customers, or those who are both? `whom`: the second part says
    for whom, besides what happens."""
    ends = [p for p in parts if not p.senses.keys() <= {"FILLER", "DE", "A"}]
    if not ends or any(p.named("event", "metric", "forecast") for p in parts):
        return
    values = whom and all(p.has("VALUE") for p in ends)  # 免费版或管理员用户
    same = [p for p in other if {n.id for n in p.named("object")} & {n.id for n in ends[-1].named("object")}]
    if not values and not (ends[-1].has("OBJECT") and same and (whom or same[-1] is other[-1])):
        return
    a, b = scope.said(*parts), scope.said(*other)
    scope.ask(
        (*parts, *other),
        f"“{a}”和“{b}”：两种都算，还是同时满足？",
        f"{a!r}, {b!r}: either kind, or those who are both?",
        [
            Text("两种都算：请写成“对A或B的客户，…”", "either: say “for customers who are A or B, …”"),
            Text("同时满足：请写成“对A且B的客户，…”", "both: say “for customers who are A and B, …”"),
        ],
    )


def _amount_only(leaf: LeafDraft, others: set[str]) -> bool:
    """ "取现超过5万元": a comparison that names no field of its own may be meant for what stands before as well."""
    own = [p for p in leaf.parts if p.named("field") and not any(n.owner in others for n in p.named("field"))]
    compared = any(p.has("CMPQ") for p in leaf.parts) and not own
    return compared and isinstance(leaf.condition, Happens) and bool(leaf.condition.where)


def _ask_shared_flag(one: LeafDraft, two: LeafDraft, between: str, scope: Scope) -> None:
    """ "没有邮箱或绑定手机号": is the second missing as well?"""
    if not isinstance(one.condition, AttributeIs):
        return
    no = one.condition.op == "missing" or one.condition.value is False
    if isinstance(two.condition, AttributeIs):
        yes = two.condition.op == "present" or two.condition.value is True
    else:
        yes = isinstance(two.condition, Happens) and two.style == "act" and between in ("或", "或者", "or")
    denied = any(p.has("NEG", "WITHOUT") for p in one.parts)
    own = any(p.has("EXISTS", "COP", "CMPV", "NEG") for p in two.parts)
    if no and yes and denied and not own and "," not in between and one.owner == two.owner:
        a, b = scope.said(*one.parts), scope.said(*two.parts)
        scope.ask(
            (*one.parts, *two.parts),
            f"“{a}{between}{b}”：否定的是两者，还是只有前者？",
            f"“{a} {between} {b}”: are both denied, or only the first?",
            [
                Text(f"{a}，{between}没有{b}", f"{a}, {between} no {b}"),
                Text(f"{a}，{between}是{b}", f"{a}, {between} is {b}"),
            ],
        )


def _ask_when(one: LeafDraft, two: LeafDraft, group: Group, between: str, scope: Scope) -> None:
    """ "7天内没有上课且提交作业": does the second happen now, or did it in that time; and is it denied, too?"""
    none = isinstance(one.condition, Aggregate) and occurs(one.condition) is False and one.within is not None
    act = isinstance(two.condition, Happens) and two.style == "act" and not two.condition.where
    own = any(p.has("OBJECT") for p in two.parts)
    if group.kind == "all" and none and act and not own and between in _ALSO:
        a, b = scope.said(*one.parts), scope.said(*two.parts)
        scope.ask(
            (*one.parts, *two.parts),
            f"“{a}{between}{b}”：“{b}”是此刻发生，这段时间里发生过，还是也没有发生？",
            f"“{a} {between} {b}”: does {b!r} happen now, did it happen in that time, or did it not happen either?",
            [
                Text(f"此刻发生：{b}时，{a}", f"now: {b}, and {a}"),
                Text(f"这段时间里发生过：{b}至少1次", f"in that time: {b} at least once"),
                Text(f"也没有：没有{b}", f"not either: no {b}"),
            ],
            _answers(one, a, b, scope),
        )


def _answers(one: LeafDraft, a: str, b: str, scope: Scope) -> list[str]:
    """What the choices of `_ask_when` stand for, as sentences to be read in place of the one asked about."""
    span = next((scope.said(p) for p in one.parts if p.has("WINDOW")), "")
    if scope.lang != "zh" or not span:
        return []
    return [f"{a.replace(span, f'过去{span}')}，且{b}", f"{a}，且{span}{b}至少1次", f"{a}，且{span}没有{b}"]


def _ask_window_of_both(one: LeafDraft, two: LeafDraft, between: str, scope: Scope) -> None:
    """ "orders in-store but not in-app in 30 days": is it the same time for both?"""
    if not (isinstance(one.condition, Happens) and isinstance(two.condition, Aggregate) and between == "but"):
        return
    same = one.style == "act" and one.condition.event == two.condition.event and not only_after(one, two)
    if same and occurs(two.condition) is False and two.condition.window.over is not None:
        a, b = scope.said(*one.parts), scope.said(*two.parts)
        scope.ask(
            (*one.parts, *two.parts),
            f"“{a} {between} {b}”：“{a}”是此刻发生，还是也在这段时间里？",
            f"“{a} {between} {b}”: does {a!r} happen now, or is it meant of that time as well?",
            [Text(f"此刻发生：{a}", f"now: {a}"), Text("也在这段时间里：至少1次", "in that time: at least once")],
        )


_ALSO = ("且", "并", "并且", "而且", "同时", "又", "但", "但是", "而", "却", "but")


def _run_outside(one: LeafDraft, two: LeafDraft) -> bool:
    """ "连续3次缺课或迟交", "late or absent 3 times in a row": the run stands outside of both."""
    for leaf, first in ((one, True), (two, False)):
        run = next((i for i, p in enumerate(leaf.parts) if p.has("STREAK")), None)
        named = next((i for i, p in enumerate(leaf.parts) if p.named("event", "field")), None)
        if isinstance(leaf.condition, Streak) and run is not None and named is not None and (run < named) == first:
            return True
    return False


def _number_first(leaf: LeafDraft) -> bool:
    """ "fewer than 2 logins": the number stands before what is counted, so that another noun may belong to it too."""
    condition = leaf.condition
    if not isinstance(condition, Aggregate) or condition.function != "count" or occurs(condition) is not None:
        return False
    number = next((i for i, p in enumerate(leaf.parts) if p.has("COUNT", "CMPQ")), None)
    event = next((i for i, p in enumerate(leaf.parts) if p.named("event")), None)
    return number is not None and event is not None and number < event


def _counts_some(draft: LeafDraft) -> bool:
    return (
        isinstance(draft.condition, Aggregate) and draft.condition.function == "count" and bool(draft.condition.where)
    )


def _trailing_window(leaf: LeafDraft, between: str, scope: Scope) -> bool:
    """English says the window last, so it may be meant for what stands before "or" too; its own subject settles it."""
    if scope.lang == "zh" or any(p.has("EXISTS", "OBJECT") for p in leaf.parts):
        return False
    condition = leaf.condition
    return isinstance(condition, Aggregate) and occurs(condition) is None and between in ("or", "and")


def occurs(condition: Aggregate) -> bool | None:
    """True for "at least one", False for "none", None for other counts."""
    if condition.function != "count":
        return None
    if condition.op == ">=" and condition.value == 1:
        return True
    return False if condition.op == "==" and condition.value == 0 else None


def only_after(last: LeafDraft, member: LeafDraft) -> bool:
    """An order happens now, so that "no order within 30 days" cannot look back from it."""
    now, none = last.condition, member.condition
    if not (isinstance(now, Happens) and isinstance(none, Aggregate)):
        return False
    return occurs(none) is False and includes(none, now)


def events_of(leaf: LeafDraft) -> set[str]:
    """The types of the events a condition looks at."""
    condition = leaf.condition
    if isinstance(condition, Ratio):
        return {condition.of.event, condition.per.event}
    if isinstance(condition, Ordered):
        return {s.event for s in condition.steps}
    event = getattr(condition, "event", None)
    return {event} if isinstance(event, str) else set()


def once_ever(members: list[Draft], scope: Scope) -> list[Draft]:
    """ "投诉过且30天没下单的会员": said of a customer, 过 is at some time, and no moment."""
    last = parts_of(members[-1])
    if not last or not last[-1].has("OBJECT"):
        return members
    for i, member in enumerate(members):
        past = isinstance(member, LeafDraft) and any(p.has("PERFECT") and scope.plain(p) == "过" for p in member.parts)
        if past and isinstance(member, LeafDraft) and isinstance(member.condition, Happens) and member.style == "act":
            act, said = member.condition, scope.said(*member.parts)
            ever = Aggregate(event=act.event, where=act.where, function="count", op=">=", value=1.0)
            members[i] = replace(member, condition=ever, style="state")
            scope.warn(f"“{said}”按“至少1次”理解", f"{said!r} was read as at least once")
    return members
