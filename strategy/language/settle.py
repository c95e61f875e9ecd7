"""Drafts → the document's condition: the strategy's subject, relations to other objects, windows said once for several
conditions, and what an act or a reading means beside its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from core.text import Text
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Condition,
    DateIs,
    ForecastIs,
    Happens,
    MetricIs,
    Not,
    Sequence as Ordered,
    Step,
    Streak,
    Window,
)
from strategy.language.clauses import sequence_draft
from strategy.language.draft import Draft, Group, LeafDraft, Opening, leaves, parts_of
from strategy.language.lexicon import Name
from strategy.language.scope import Scope
from strategy.language.segment import describe


def subject_of(drafts: Sequence[Draft], scope: Scope) -> str:
    """The object type the strategy fires for: the one that all conditions speak about, or from which one relation
    leads to each of the others.

    Raises:
        Refused: the conditions speak about things that no relation ties.
    """
    found = [leaf for d in drafts for leaf in leaves(d)]
    owners = list(dict.fromkeys(leaf.owner for leaf in found))
    named = [scope.catalog.relations[leaf.relation].source for leaf in found if leaf.relation]
    fixed = list(dict.fromkeys(leaf.owner for leaf in found if not _related(leaf)))
    mentioned = [o for o in scope.objects if o in scope.catalog.objects]
    for candidate in [*fixed, *named, *_leading(mentioned, owners), *owners, *mentioned]:
        if all(leaf.owner == candidate or (_related(leaf) and _relations(candidate, leaf, scope)) for leaf in found):
            return candidate
    culprit = next((leaf for leaf in found if leaf.owner != found[0].owner), found[0])
    one, other = (Text(scope.label("object", o, "zh"), scope.label("object", o, "en")) for o in (found[0].owner, culprit.owner))
    scope.refuse(
        culprit.parts,
        f"条件分别说的是“{one.zh}”和“{other.zh}”,目录里没有把它们连起来的关系",
        f"these conditions speak about {one.en!r} and {other.en!r}, which no relation of the catalog ties together",
    )


def _leading(mentioned: Sequence[str], owners: Sequence[str]) -> list[str]:
    """"客户的设备…": an object mentioned before those spoken about."""
    return list(mentioned[:1]) if mentioned and mentioned[0] not in owners else []


def _related(leaf: LeafDraft) -> bool:
    return isinstance(leaf.condition, AttributeIs | ForecastIs | DateIs)


def _relations(source: str, leaf: LeafDraft, scope: Scope) -> list[str]:
    relations = scope.catalog.relations
    if leaf.relation:
        r = relations[leaf.relation]
        return [leaf.relation] if (r.source, r.target) == (source, leaf.owner) else []
    return [n for n, r in relations.items() if (r.source, r.target) == (source, leaf.owner)]


def settle(draft: Draft, subject: str, scope: Scope) -> Condition:
    """The document's condition for a draft, for strategies that fire for `subject`."""
    if isinstance(draft, Opening):
        scope.invalid(
            draft.parts, "“…后”之后要发生什么?", "what has to happen after that?",
            Text("例如“投诉后2小时内未解决”", "For example “a complaint is not resolved within 2 hours”"),
        )  # fmt: skip
    if isinstance(draft, LeafDraft):
        return _alone(draft, subject, scope)
    if draft.kind == "not":
        return Not(of=settle(draft.of[0], subject, scope))
    if draft.kind == "any":
        _share_windows(draft, scope)
        members = _merge_values([settle(d, subject, scope) for d in draft.of], draft)
        return members[0] if len(members) == 1 and len(draft.of) > 1 else Any_(of=tuple(members))
    return _settle_all(draft, subject, scope)


def _alone(leaf: LeafDraft, subject: str, scope: Scope) -> Condition:
    if leaf.without is not None:
        event = leaf.without.event
        zh, en = scope.label("event", event, "zh"), scope.label("event", event, "en")
        scope.ask(
            leaf.parts, f"多久没有“{zh}”?", f"no {en!r} for how long?",
            [Text(f"7天内没有{zh}", f"no {en} in the last 7 days"), Text(f"从未{zh}", f"never {en}")],
        )  # fmt: skip
    condition = leaf.condition
    if leaf.owner != subject and isinstance(condition, AttributeIs | ForecastIs | DateIs):
        relations = _relations(subject, leaf, scope)
        if len(relations) > 1:
            scope.ask(
                leaf.parts, "通过哪种关系?", "through which relation?",
                [describe(Name("relation", r), scope) for r in relations],
            )  # fmt: skip
        condition = condition.model_copy(update={"via": relations[0]})
    return Not(of=condition) if leaf.negated else condition


def _merge_values(conditions: list[Condition], group: Group) -> list[Condition]:
    """"等级是金卡或银卡" is one test on two values."""
    if group.bracketed or not all(isinstance(c, AttributeIs) and c.op == "==" and isinstance(c.value, str) for c in conditions):
        return conditions
    first = conditions[0]
    assert isinstance(first, AttributeIs)
    if len({(c.name, c.via) for c in conditions if isinstance(c, AttributeIs)}) != 1:
        return conditions
    values = [str(c.value) for c in conditions if isinstance(c, AttributeIs)]
    return [AttributeIs(name=first.name, op="in", value=list(dict.fromkeys(values)), via=first.via)]


# ---- all ---------------------------------------------------------------------------------------------------------------


def _settle_all(group: Group, subject: str, scope: Scope) -> Condition:
    members = list(group.of)
    members = _follow_up(members, group.marks, scope)
    _attach_breakers(members, scope)
    _share_windows(Group("all", members, group.bracketed), scope)
    _merge_acts(members, scope)
    _check_acts(members, scope)
    _newest_readings(members, scope)
    conditions = [settle(d, subject, scope) for d in members]
    if len(conditions) == 1 and len(group.of) > 1:
        return conditions[0]
    return All(of=tuple(conditions))


def _follow_up(members: list[Draft], marks: Sequence[str], scope: Scope) -> list[Draft]:
    """"投诉后,2小时内未解决" and "加购,1小时内未下单": an act, then what is bound to it by a time."""
    result: list[Draft] = []
    for i, member in enumerate(members):
        mark = marks[i - 1] if 0 < i <= len(marks) else "AND"
        last = result[-1] if result else None
        if isinstance(last, Opening):
            step = _as_step(member, scope)
            if step is None:
                settle(last, "", scope)
            result[-1] = sequence_draft([*last.steps, step], last.owner, (*last.parts, *parts_of(member)), scope)  # type: ignore[list-item] # settle raised if None
        elif last is not None and _bound_act(last, member):
            assert isinstance(member, LeafDraft) and isinstance(last, LeafDraft)
            result[-1] = _bound(last, member, mark, scope)
        else:
            result.append(member)
    return result


def _is_act(draft: Draft) -> bool:
    return isinstance(draft, LeafDraft) and isinstance(draft.condition, Happens) and draft.style == "act"


def _bound_act(last: Draft, member: Draft) -> bool:
    return (
        isinstance(member, LeafDraft)
        and isinstance(last, LeafDraft)
        and isinstance(member.condition, Aggregate)
        and member.within is not None
        and _occurs(member.condition) is not None
        and isinstance(last.condition, Happens | Ordered)
        and (last.style == "act" or isinstance(last.condition, Ordered))
        and member.owner == last.owner
        and not (isinstance(last.condition, Happens) and last.condition.event == member.condition.event)
    )


def _occurs(condition: Aggregate) -> bool | None:
    """True for "at least one", False for "none", None for other counts."""
    if condition.function != "count":
        return None
    return {(">=", 1.0): True, ("==", 0.0): False}.get((condition.op, condition.value))  # type: ignore[arg-type] # a count's value is a float


def _bound(last: LeafDraft, member: LeafDraft, mark: str, scope: Scope) -> LeafDraft:
    said = scope.said(*member.parts)
    forward = any(p.has("WINDOW") and p.get("WINDOW").form == "within" for p in member.parts)
    between = scope.normal.text[last.parts[-1].end : member.parts[0].start]
    contrast = any(word in between for word in ("但", "却", "but", "yet"))
    if mark in ("AND", "COMMAAND") and not forward and not contrast:
        first = scope.said(*last.parts)
        scope.ask(
            member.parts, f"“{said}”是指这之后,还是到这时为止?", f"is {said!r} meant after that, or up to that moment?",
            [Text(f"{first}后{said}", f"{first}, then {said}"), Text(f"{first},且过去{said}", f"{first} and, in the time before, {said}")],
        )  # fmt: skip
    step = _as_step(member, scope)
    assert step is not None
    scope.warn(f"“{said}”从前一个事件发生时起算", f"{said!r} counts from the event before it")
    condition = last.condition
    before = condition.steps if isinstance(condition, Ordered) else (_step(condition),)
    return sequence_draft([*before, step], last.owner, (*last.parts, *member.parts), scope)


def _step(condition: object) -> Step:
    assert isinstance(condition, Happens)
    return Step(event=condition.event, where=condition.where)


def _as_step(draft: Draft, scope: Scope) -> Step | None:
    if not isinstance(draft, LeafDraft):
        return None
    condition = draft.condition
    if isinstance(condition, Happens):
        return _step(condition)
    if isinstance(condition, Aggregate) and (occurs := _occurs(condition)) is not None and condition.window.last is None:
        within = condition.window.over
        return Step(event=condition.event, where=condition.where, within=within, absent=not occurs)
    return None


def _attach_breakers(members: list[Draft], scope: Scope) -> None:
    """"连续滑动5屏,且未下单": the bare negation breaks the run before it."""
    for i, member in enumerate(members):
        if not (isinstance(member, LeafDraft) and member.without is not None):
            continue
        run = next(
            (m for m in members[:i] if isinstance(m, LeafDraft) and isinstance(m.condition, Streak) and m.owner == member.owner),
            None,
        )
        if run is None:
            continue
        assert isinstance(run.condition, Streak)
        run.condition = run.condition.model_copy(update={"without": (*run.condition.without, member.without)})
        said = scope.said(*member.parts)
        scope.warn(f"“{said}”按“期间{said}”理解:一旦发生,连续中断", f"{said!r} was read as breaking the run when it happens")
        members[i] = Group("all", [], False)
    members[:] = [m for m in members if not (isinstance(m, Group) and not m.of)]


def _share_windows(group: Group, scope: Scope) -> None:
    """A window said once holds for the counts after it that say none."""
    window: Window | None = None
    for member in group.of:
        if not isinstance(member, LeafDraft) or not isinstance(member.condition, Aggregate | MetricIs):
            continue
        condition = member.condition
        if isinstance(condition, Aggregate) and condition.function == "last":
            continue
        if not member.windowless:
            window = condition.window if condition.window.over is not None else window
        elif window is not None:
            member.condition = condition.model_copy(update={"window": window})
            said = scope.said(*member.parts)
            scope.warnings[:] = [w for w in scope.warnings if said not in w.zh or "没有时间窗" not in w.zh]
            scope.warn(f"“{said}”沿用前面的时间窗", f"{said!r} takes the time window said before it")


def _merge_acts(members: list[Draft], scope: Scope) -> None:
    """Tests on one event type in one "and" are tests on the same event."""
    for i, member in enumerate(members):
        if not (isinstance(member, LeafDraft) and isinstance(member.condition, Happens) and member.style != "fixed"):
            continue
        for j in range(i + 1, len(members)):
            other = members[j]
            if (
                isinstance(other, LeafDraft)
                and isinstance(other.condition, Happens)
                and other.style != "fixed"
                and other.condition.event == member.condition.event
            ):
                where = (*member.condition.where, *other.condition.where)
                member.condition = Happens(event=member.condition.event, where=where)
                member.style = "act" if "act" in (member.style, other.style) else "reading"
                member.parts = (*member.parts, *other.parts)
                members[j] = Group("all", [], False)
    members[:] = [m for m in members if not (isinstance(m, Group) and not m.of)]


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
        f"“{a}”和“{b}”是两个瞬间的事件,不会同时发生。是先后发生,还是在一段时间内都发生?",
        f"{a!r} and {b!r} are two moments and never coincide. One after the other, or both within some time?",
        [
            Text(f"{a}后7天内{b}", f"{a}, then {b} within 7 days"),
            Text(f"7天内{a}至少1次,且7天内{b}至少1次", f"{a} at least once in the last 7 days and {b} at least once in the last 7 days"),
        ],
    )


def _newest_readings(members: Sequence[Draft], scope: Scope) -> None:
    """A numeric field named alone, beside conditions on other events, is the newest value."""
    for member in members:
        if not (isinstance(member, LeafDraft) and member.style == "reading" and isinstance(member.condition, Happens)):
            continue
        event = member.condition.event
        others = {e for d in members if d is not member for leaf in leaves(d) for e in _events(leaf)}
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


def _events(leaf: LeafDraft) -> set[str]:
    condition = leaf.condition
    if isinstance(condition, Ordered):
        return {s.event for s in condition.steps}
    event = getattr(condition, "event", None)
    return {event} if isinstance(event, str) else set()


def _ask_same_event(member: LeafDraft, members: Sequence[Draft], scope: Scope) -> None:
    said = scope.said(*member.parts)
    other = next(
        (d for d in members if d is not member and isinstance(d, LeafDraft) and isinstance(d.condition, Streak | Aggregate)), None
    )
    if other is None or not (_events(other) & _events(member)):
        return
    name = next(iter(_events(member)))
    zh, en = scope.label("event", name, "zh"), scope.label("event", name, "en")
    scope.ask(
        member.parts, f"“{said}”指每一次{zh},还是最新一次?", f"does {said!r} hold for each {en}, or for the newest one?",
        [Text(f"每一次:{zh}({said})", f"each: {en} ({said})"), Text(f"最新一次{said}", f"latest {said}")],
    )  # fmt: skip
