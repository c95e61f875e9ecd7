"""Chains of relations whose last step may be missing: "拥有的设备没有维保记录", "owns a device with no contract"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from knowledge.catalog.model import RelationType
from strategy.document import Filter, Path, PathStep
from strategy.language.amounts import NOT
from strategy.language.draft import LeafDraft
from strategy.language.leaves import attribute_tests
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.outline import Joined, Node
from strategy.language.said import parts_in
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain, describe, which_of

_BEYOND = ("event", "field", "metric", "forecast", "place")


def linked(parts: Sequence[Part], scope: Scope) -> list[Part]:
    """ "…设备，且该设备没有…": what speaks of "that device" carries on the chain, so its "and" joins no conditions."""
    result: list[Part] = []
    for i, part in enumerate(parts):
        noun = i and scope.plain(parts[i - 1]) in _THAT and part.has("OBJECT")
        if not noun:
            result.append(part)
            continue
        result.append(replace(part, senses={"THATONE": None}))
        joint = next((j for j in range(len(result) - 1, -1, -1) if result[j].has("COMMA", "AND")), None)
        if joint is None or not any(p.named("relation") for p in result[:joint]):
            result[-1] = part
            continue
        first = joint
        while first and result[first - 1].has("COMMA", "AND"):
            first -= 1
        result[first : joint + 1] = [Part(result[first].start, result[joint].end, {"PATHLINK": None})]
    return result


_THAT = ("该", "这个", "那个", "这台", "那台", "that")


@dataclass(slots=True)
class _Hop:
    relation: Part | None = None
    object: Part | None = None
    tests: Node | None = None
    absent: bool = False
    reverse: bool = False
    filters: list[Filter] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        return self.relation is not None or self.object is not None


def is_path(parts: Sequence[Part]) -> bool:
    """The clause speaks of what its subject is tied to, and of nothing that happens or is measured."""
    if any(p.named(*_BEYOND) and not p.named("relation", "object") for p in parts):
        return False
    if any(p.has("WINDOW", "STREAK", "COUNT", "UNKNOWN") for p in parts):
        return False
    tied = any(p.named("relation") for p in parts)
    denied = any(
        p.has("NEG", "WITHOUT", "NEVER") and any(q.named("relation") or q.has("OBJECT") for q in parts[i + 1 : i + 4])
        for i, p in enumerate(parts)
    )
    if any(_denied_value(parts, i) for i in range(len(parts))) and not any(
        p.named("attribute") or p.has("CMPQ", "CMPV") for p in parts
    ):
        return True
    if any(p.has("VALUE") for p in parts) and _valued_object(parts):
        return True
    if any(p.named("attribute") or p.has("CMPQ", "CMPV", "VALUE") for p in parts):
        return tied and denied and not any(p.has("NEG") and p.named("attribute") for p in parts)
    objects = sum(p.has("OBJECT") for p in parts)
    return tied or (objects > 0 and denied) or (objects > 1 and any(p.has("EXISTS", "WITH") for p in parts))


def _valued_object(parts: Sequence[Part]) -> bool:
    """ "推荐了黑卡会员", "referred a black card member": the relation leads to an object by one of its values."""
    rest = [p for p in parts if not p.senses.keys() <= {"FILLER", "A", "DE", "PERFECT", "WHO", "ANY"}]
    names = [p.named("relation") for p in rest]
    at = next((i for i, found in enumerate(names) if found), None)
    if at is None or any(p.named("attribute") or p.has("CMPQ", "CMPV") for p in rest):
        return False
    after = rest[at + 1 :]
    return len(after) > 1 and after[0].has("VALUE") and after[1].has("OBJECT")


def _denied_value(parts: Sequence[Part], i: int) -> bool:
    """ "没有营养科的门诊记录", "no nutrition visit record": a value of the thing that is missing."""
    rest = [p for p in parts[i + 1 : i + 4] if p.senses.keys() != {"FILLER"} and not p.has("DE")]
    return parts[i].has("NEG", "WITHOUT", "NEVER") and len(rest) > 1 and rest[0].has("VALUE") and rest[1].has("OBJECT")


def path_leaf(parts: Sequence[Part], scope: Scope) -> LeafDraft:
    """The chain that a clause speaks of.

    Raises:
        NeedsAnswer: two relations lead there.
        Refused: no relation leads there, or something is missing before the last step.
    """
    seg = Segment(tuple(parts), scope)
    subject, hops = _hops(seg)
    if not hops:
        complain(parts[0], scope)
    if subject is not None:
        scope.mention([Name("object", subject)])
    owner = here = subject or _origin(hops[0], scope)
    steps, reached = [], []
    for hop in hops:
        name, reverse = _way(here, hop, seg)
        relation = scope.catalog.relations[name]
        here = relation.source if reverse else relation.target
        reached.append(here)
        hop.filters += object_filters(hop.tests, here, scope) if hop.tests is not None else []
        steps.append(PathStep(relation=name, reverse=reverse, absent=hop.absent))
    _loose_tests(seg, hops, reached)
    if any(s.absent for s in steps[:-1]):
        scope.refuse(list(parts), "只有最后一步可以是“没有”", "only the last step of a chain may be missing")
    seg.finish()
    where = tuple(s.model_copy(update={"where": tuple(h.filters)}) for s, h in zip(steps, hops, strict=True))
    return LeafDraft(Path(steps=where), owner, "state", seg.parts)


def _hops(seg: Segment) -> tuple[str | None, list[_Hop]]:
    """The object type the chain begins at, as far as it is said, and its steps."""
    scope, hops, subject = seg.scope, [_Hop()], None
    parts = [p for p in seg.parts if p.senses.keys() != {"FILLER"}]
    for i, part in enumerate(parts):
        cur = hops[-1]
        after = parts[i + 1] if i + 1 < len(parts) else None
        from_ = cur.reverse and part.has("DISTANCE")
        if from_ or part.has("PATHLINK", "THATONE", "RECORD", "LINKBY"):
            if part.has("PATHLINK") and cur.begun:
                hops.append(_Hop())
        elif part.named("relation"):
            if cur.relation is not None:
                hops.append(cur := _Hop())
            cur.relation = part
        elif part.has("NEG", "WITHOUT", "NEVER"):
            owned = cur.object is None and after is not None and after.has("OBJECT")  # owns no device
            if cur.begun and not owned:
                hops.append(cur := _Hop())
            cur.absent = True
        elif scope.said(part) == "被":
            if cur.begun:
                hops.append(cur := _Hop())
            cur.reverse = True
        elif part.has("LINKBACK"):
            cur.reverse = True
        elif part.has("LINKTO"):
            cur.reverse = cur.object is not None
        elif part.has("TESTS"):
            cur.tests = part.get("TESTS")
        elif part.has("OBJECT"):
            first = len(hops) == 1 and not cur.begun and not cur.absent and not cur.reverse
            beside = parts[i - 1] if i else None
            named = part.named("object")[0].id
            leads = first and not (after and after.has("LINKTO")) and not (beside and beside.has("EXISTS"))
            trails = after is None and beside is not None and beside.has("DE") and named == _origin(hops[0], scope)
            if subject is None and (leads or trails):
                subject = named
            else:
                if cur.object is not None:
                    hops.append(cur := _Hop())
                cur.object = part
        else:
            continue
        seg.use(part)
    return subject, [h for h in hops if h.begun]


def _origin(hop: _Hop, scope: Scope) -> str:
    """Where a chain begins that does not say so: at the one end of its first relation that it does not lead to."""
    known = [o for o in scope.objects if o in scope.catalog.objects]
    if hop.relation is not None:
        relation = scope.catalog.relations[hop.relation.named("relation")[0].id]
        to = hop.object.named("object")[0].id if hop.object else None
        if hop.reverse or (to == relation.source and to != relation.target):
            return relation.target
        return relation.source
    others = [o for o in known if hop.object is None or o != hop.object.named("object")[0].id]
    if others:
        return others[0]
    sought = {n.id for n in hop.object.named("object")} if hop.object else set()
    leading = [r.source for r in scope.catalog.relations.values() if r.target in sought]
    return next(iter([*leading, *known, *scope.catalog.objects]))


def _way(here: str, hop: _Hop, seg: Segment) -> tuple[str, bool]:
    """The relation a hop goes along, and whether against its direction."""
    scope = seg.scope
    to = {n.id for n in hop.object.named("object")} if hop.object else None
    wanted = [n.id for n in hop.relation.named("relation")] if hop.relation else list(scope.catalog.relations)
    ways = [(n, r) for n in wanted for r in _directions(scope.catalog.relations[n], here, to)]
    if hop.reverse:
        ways = [w for w in ways if w[1]]
    if len({n for n, _ in ways}) == 1:
        return ways[0]
    part = cast(Part, hop.relation or hop.object)
    if ways:
        which_of(part, [Name("relation", n) for n, _ in ways], scope)
    zh, en = scope.label("object", here, "zh"), scope.label("object", here, "en")
    return scope.refuse(
        [part],
        f"目录里没有从“{zh}”到“{scope.said(part)}”的关系",
        f"no relation of the catalog leads from a {en!r} to {scope.said(part)!r}",
    )


def _directions(relation: RelationType, here: str, to: set[str] | None) -> Iterator[bool]:
    if relation.source == here and (to is None or relation.target in to):
        yield False
    if relation.target == here and (to is None or relation.source in to):
        yield True


def object_filters(node: Node, owner: str, scope: Scope) -> list[Filter]:
    """The tests of a bracket after an object: comparisons of its attributes, joined by "and"."""
    if isinstance(node, Joined):
        if node.kind != "all":
            scope.invalid(
                parts_in(node),
                "括号里的属性条件只能用“且”连接",
                "tests on an object's attributes can only be joined by “and”",
            )
        return [f for n in node.of for f in object_filters(n, owner, scope)]
    seg = Segment(node.parts, scope)
    found = [(p, n) for p, names in seg.names("attribute") for n in names if n.owner == owner]
    if not found:
        complain(node.parts[0], scope)
    filters = _filters(seg, *found[0])
    seg.finish()
    return filters


def _loose_tests(seg: Segment, hops: Sequence[_Hop], reached: Sequence[str]) -> None:
    """ "拥有温度超过80℃的设备…": tests without brackets belong to the step that leads to what has the attribute."""
    for part, names in seg.names("attribute"):
        fitting = [(n, i) for n in names for i, o in enumerate(reached) if n.owner == o]
        if len({i for _, i in fitting}) != 1:
            complain(part, seg.scope)
        name, i = fitting[0]
        at = seg.index(part)
        stop = next((j for j in range(at + 1, len(seg.parts)) if seg.parts[j].has("OBJECT", "PATHLINK")), None)
        hops[i].filters += _filters(Segment(seg.parts[at:stop], seg.scope, seg.used), part, name)
    for part in seg.free("VALUE"):
        values = [(n, i) for n in part.named("value") for i, o in enumerate(reached) if n.owner == o]
        if len(values) != 1:
            complain(part, seg.scope)
        value, i = values[0]
        seg.use(part)
        hops[i].filters.append(Filter(field=value.item, op="==", value=value.id))


def _filters(seg: Segment, part: Part, name: Name) -> list[Filter]:
    seg.use(part)
    found = []
    for op, value in attribute_tests(seg, part, name, seg.scope.attribute(name)):
        if op.startswith(NOT):
            label = describe(name, seg.scope)
            seg.scope.refuse([part], f"“{label.zh}”的比较不能否定", f"a test on {label.en!r} cannot be denied here")
        found.append(Filter(field=name.id, op=op, value=value))
    return found
