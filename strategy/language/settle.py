"""Drafts → the document's condition: the strategy's subject, relations to other objects, windows said once for several
conditions, and what an act or a reading means beside its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ZhongshuError
from core.text import Text
from strategy.document import (
    SUBJECT,
    All,
    Any_,
    AttributeIs,
    Condition,
    DateIs,
    ForecastIs,
    Not,
    Path,
    Strategy,
)
from strategy.engine.check import check_strategy
from strategy.language.draft import Draft, Group, LeafDraft, Opening, leaves
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.order import untimed
from strategy.language.scope import Scope
from strategy.language.segment import describe
from strategy.language.shared import check_shared, events_of
from strategy.language.together import combined, share_windows, unfinished


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
    heads = [o for o in scope.heads if o in scope.catalog.objects]
    if not heads and (group := _group(found, mentioned, scope)) is not None:
        return group
    for candidate in [*scope.heads, *fixed, *named, *_leading(mentioned, owners), *owners, *mentioned]:
        if all(
            leaf.owner == candidate
            or _counts_for(leaf, candidate, scope)
            or (_related(leaf) and _relations(candidate, leaf, scope))
            for leaf in found
        ):
            return candidate
    culprit = next((leaf for leaf in found if leaf.owner != found[0].owner), found[0])
    one, other = (
        Text(scope.label("object", o, "zh"), scope.label("object", o, "en")) for o in (found[0].owner, culprit.owner)
    )
    return scope.refuse(
        culprit.parts,
        f"条件分别说的是“{one.zh}”和“{other.zh}”，目录里没有把它们连起来的关系",
        f"these conditions speak about {one.en!r} and {other.en!r}, which no relation of the catalog ties together",
    )


def no_stray_objects(parts: Sequence[Part], drafts: Sequence[Draft], subject: str, scope: Scope) -> None:
    """ "门店登录少于2次" where logins are not told by store: a thing named must have a part in the strategy.

    Raises:
        Refused: what is named is neither what the strategy is about nor tied to it.
    """
    found = [leaf for d in drafts for leaf in leaves(d)]
    told = {subject, *(leaf.owner for leaf in found)}
    stray = [h for h in scope.heads if h != subject and not _described(h, found, scope)]
    steps = [s.relation for leaf in found if isinstance(leaf.condition, Path) for s in leaf.condition.steps]
    for name, relation in scope.catalog.relations.items():
        if name in steps:
            told |= {relation.source, relation.target}
    owners = {r.source for r in scope.catalog.relations.values() if r.target in told}
    for i, part in enumerate(parts):
        if (
            part.has("OBJECT")
            and i + 1 < len(parts)
            and (parts[i + 1].has("DE", "OBJECT") or scope.said(parts[i + 1]) == "'s")
        ):
            told |= owners & {n.id for n in part.named("object")}  # a customer's device
        objects = part.named("object") if part.has("OBJECT") else []
        if objects and (not told & {n.id for n in objects} or {n.id for n in objects} & set(stray)):
            one = Text(*(scope.label("object", objects[0].id, lang) for lang in ("zh", "en")))
            other = Text(*(scope.label("object", subject, lang) for lang in ("zh", "en")))
            scope.refuse(
                [part],
                f"这里说的事按“{other.zh}”记，没有按“{one.zh}”记",
                f"what is said here is told of each {other.en}, not of each {one.en}",
            )


def _described(head: str, found: Sequence[LeafDraft], scope: Scope) -> bool:
    """What is said of it, such as "…的设备" at the end of a chain, is said by the strategy."""
    return any(isinstance(leaf.condition, Path) or leaf.owner == head for leaf in found)


def _group(found: Sequence[LeafDraft], mentioned: Sequence[str], scope: Scope) -> str | None:
    """ "门店1小时内…": what is mentioned first, where every condition can be counted for it.

    Raises:
        NeedsAnswer: those whom the events happen to are mentioned as well.
    """
    members = any(getattr(leaf.condition, "field", None) == SUBJECT for leaf in found)
    fitting = [o for o in mentioned if all(leaf.owner == o or _counts_for(leaf, o, scope) for leaf in found)]
    if members:
        return next((o for o in fitting if any(leaf.owner != o for leaf in found)), None)
    first = mentioned[0] if mentioned else ""
    counted = [leaf for leaf in found if leaf.owner != first]
    if first not in fitting or not counted:
        return None
    if counted[0].owner in mentioned:
        names = [Text(*(scope.label("object", o, lang) for lang in ("zh", "en"))) for o in (first, counted[0].owner)]
        scope.ask(
            counted[0].parts,
            f"说的是每个{names[0].zh}，还是每个{names[1].zh}？",
            f"is it counted for each {names[0].en}, or for each {names[1].en}?",
            names,
        )
    return first


def _counts_for(leaf: LeafDraft, kind: str, scope: Scope) -> bool:
    events = events_of(leaf)
    return bool(events) and all(kind in scope.catalog.events[e].groups for e in events)


def _leading(mentioned: Sequence[str], owners: Sequence[str]) -> list[str]:
    """ "客户的设备…": an object mentioned before those spoken about."""
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
        unfinished(draft, scope)
    if isinstance(draft, LeafDraft):
        return _alone(draft, subject, scope)
    if draft.kind == "not":
        return Not(of=settle(draft.of[0], subject, scope))
    if draft.kind == "any":
        check_shared(draft, scope)
        share_windows(draft, scope)
        members = _merge_values([settle(d, subject, scope) for d in draft.of], draft)
        return members[0] if len(members) == 1 and len(draft.of) > 1 else Any_(of=tuple(members))
    conditions = [settle(d, subject, scope) for d in combined(draft, scope)]
    return conditions[0] if len(conditions) == 1 and len(draft.of) > 1 else All(of=tuple(conditions))


def _alone(leaf: LeafDraft, subject: str, scope: Scope) -> Condition:
    if leaf.without is not None and not _experienced(leaf, scope):
        event = leaf.without.event
        zh, en = scope.label("event", event, "zh"), scope.label("event", event, "en")
        scope.ask(
            leaf.parts,
            f"多久没有“{zh}”？",
            f"no {en!r} for how long?",
            [Text(f"7天内没有{zh}", f"no {en} in the last 7 days"), Text(f"从未{zh}", f"never {en}")],
        )
    if leaf.carries_on:
        untimed(leaf.parts, scope)
    condition = leaf.condition
    if (leaf.relation or leaf.owner != subject) and _related(leaf):
        relations = _relations(subject, leaf, scope)
        if not relations:
            label = describe(Name("relation", leaf.relation or ""), scope)
            scope.refuse(
                leaf.parts, f"“{label.zh}”不通向这里说的对象", f"{label.en!r} does not lead to what is said here"
            )
        if len(relations) > 1:
            scope.ask(
                leaf.parts,
                "通过哪种关系？",
                "through which relation?",
                [describe(Name("relation", r), scope) for r in relations],
            )
        condition = condition.model_copy(update={"via": relations[0]})
    return Not(of=condition) if leaf.negated else condition


def _experienced(leaf: LeafDraft, scope: Scope) -> bool:
    """ "没下过单": 过 makes it never."""
    if not any("过" in scope.plain(p) for p in leaf.parts if p.has("PERFECT") or p.named("event")):
        return False
    said = scope.said(*leaf.parts)
    scope.warn(f"“{said}”按“从未”理解", f"{said!r} was read as never")
    return True


def _merge_values(conditions: list[Condition], group: Group) -> list[Condition]:
    """ "等级是金卡或银卡" is one test on two values."""
    if group.bracketed or not all(
        isinstance(c, AttributeIs) and c.op == "==" and isinstance(c.value, str) for c in conditions
    ):
        return conditions
    first = conditions[0]
    assert isinstance(first, AttributeIs)
    if len({(c.name, c.via) for c in conditions if isinstance(c, AttributeIs)}) != 1:
        return conditions
    values = [str(c.value) for c in conditions if isinstance(c, AttributeIs)]
    return [AttributeIs(name=first.name, op="in", value=list(dict.fromkeys(values)), via=first.via)]


def never_contradicted(document: Strategy, scope: Scope) -> None:
    """Refuse what the engine would, such as conditions that contradict each other. Its warnings come with the draft."""
    try:
        check_strategy(document, scope.catalog)
    except ZhongshuError as problem:
        problem.where = {"offset": 0, "length": len(scope.normal.original), **problem.where}
        raise
