"""A clause → its draft: nouns that name the audience are set apart, several events become a sequence, the rest is one
condition, told by what it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.text import Text, has_chinese
from strategy.document import AttributeIs, Sequence as Ordered, Step
from strategy.language.draft import Draft, Group, LeafDraft, Opening
from strategy.language.events import event_leaf, step_of
from strategy.language.leaves import attribute_leaf, change_leaf, forecast_leaf, metric_leaf, near_leaf
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.outline import Clause, Joined, Node
from strategy.language.quantities import Comparison
from strategy.language.scope import Scope
from strategy.language.segment import Segment, choose, complain, which_of

_NOUNLIKE = ("OBJECT", "FILLER", "DE", "FIT", "FOR", "IF", "ANY", "WHO", "EACHONE", "COP", "EXISTS", "BOTH", "A")


def read_node(node: Node, scope: Scope) -> Draft:
    """The draft of a condition tree."""
    if isinstance(node, Joined):
        return Group(node.kind, [read_node(n, scope) for n in node.of], node.bracketed, node.marks)
    return read_clause(node.parts, scope)


def read_clause(parts: Sequence[Part], scope: Scope) -> Draft:
    if inner := _only_bracket(parts, scope):
        return read_node(inner, scope)
    parts = _adjective(_relative(list(parts), scope), scope)
    parts = _set_audience_apart(parts, scope)
    for part in parts:
        if part.has("OBJECT"):
            scope.mention(part.named("object"))
    if ranged := _split_range(parts):
        low, high = (read_clause(p, scope) for p in ranged)
        return Group("all", [low, high], False, ("AND",))
    pieces = _pieces(parts, scope)
    if len(pieces) > 1 or pieces[0].open:
        return _ordered(pieces, parts, scope)
    return _leaf(pieces[0].parts, scope)


def _only_bracket(parts: Sequence[Part], scope: Scope) -> Node | None:
    """"客户满足(…)": the clause is just its bracket."""
    tests = [p for p in parts if p.has("TESTS")]
    if len(tests) != 1 or not all(p.has(*_NOUNLIKE) for p in parts if p is not tests[0]):
        return None
    for part in parts:
        scope.mention(part.named("object"))
    found: Node = tests[0].get("TESTS")
    return Joined(found.kind, found.of, True, found.marks) if isinstance(found, Joined) else found


def _relative(parts: list[Part], scope: Scope) -> list[Part]:
    """"等级是大客户的客户7天内…": what stands before 的客户 describes who, so it is the audience."""
    for i in range(1, len(parts) - 2):
        before, after = parts[:i], parts[i + 2 :]
        if (
            parts[i].has("DE")
            and parts[i + 1].has("OBJECT")
            and any(p.has("CMPV", "CMPQ") or p.named("event", "field", "attribute", "metric", "forecast") for p in before)
            and any(p.names or p.has("CMPQ", "UNKNOWN") for p in after)
        ):
            draft = read_clause([*before, parts[i + 1]], scope)
            if not isinstance(draft, LeafDraft):
                scope.invalid(before, "这样的修饰语请改成“对…的客户,…”", "please say “for customers who …, …” instead")
            scope.audience.append(draft)
            return after
    return parts


def _adjective(parts: list[Part], scope: Scope) -> list[Part]:
    """"a verified customer has not …", "未认证客户7天…": a yes/no attribute right before the noun says for whom."""
    for i in range(len(parts) - 2):
        flags = [n for n in parts[i].named("attribute") if scope.attribute(n).type == "boolean"]
        if not flags or not parts[i + 1].has("OBJECT") or not any(p.names or p.has("CMPQ", "UNKNOWN") for p in parts[i + 2 :]):
            continue
        negated = i > 0 and parts[i - 1].has("NEG", "NOTW")
        flag = which_of(parts[i], flags, scope) if len(flags) > 1 else flags[0]
        scope.mention(parts[i + 1].named("object"))
        scope.audience.append(
            LeafDraft(AttributeIs(name=flag.id, op="==", value=not negated), flag.owner, "state", (parts[i],))
        )
        return [*parts[: i - 1 if negated else i], *parts[i + 1 :]]
    return parts


def _set_audience_apart(parts: list[Part], scope: Scope) -> list[Part]:
    """"大客户7天内…": a value used as a noun says for whom. Beside nothing else it is the condition itself."""
    rest: list[Part] = []
    content = [p for p in parts if not p.has(*_NOUNLIKE, "VALUE", "NEG", "NOTW", "COPNEG")]
    for i, part in enumerate(parts):
        values = [n for n in part.named("value") if n.of == "attribute"]
        owned = any(
            (n.kind == "attribute" and any(v.item == n.id and v.owner == n.owner for v in values))
            or (n.kind == "field" and any(v.item == n.id and v.owner == n.owner for v in part.named("value")))
            for p in parts[:i]
            for n in p.names
        )
        field_value = [n for n in part.named("value") if n.of == "field"]
        event_here = any(n.kind == "event" and any(v.owner == n.id for v in field_value) for p in parts for n in p.names)
        if not values or owned or not content or event_here or part.has("CMPV"):
            rest.append(part)
            continue
        if any(p.has("CMPV") for p in parts[i + 1 : i + 2]):
            rest.append(part)
            continue
        op = "=="
        if rest and rest[-1].has("NOTW", "NEG", "COPNEG"):
            rest.pop()
            op = "!="
        scope.audience.append(_noun(part, values, op, scope))
    return rest


def _noun(part: Part, values: Sequence[Name], op: str, scope: Scope) -> LeafDraft:
    """The condition that a noun such as "大客户" or "gold or silver customers" stands for."""
    said = part.get("VALUES") or [part]
    names = [_value_name(p, p.named("value") if len(said) > 1 else values, scope) for p in said]
    scope.mention([Name("object", names[0].owner)])
    condition = AttributeIs(name=names[0].item, op=op, value=names[0].id)  # type: ignore[arg-type] # one of two operators
    if len(names) > 1:
        condition = AttributeIs(
            name=names[0].item, op="in" if op == "==" else "not_in", value=[n.id for n in names]
        )
    return LeafDraft(condition, names[0].owner, "state", (part,))


def _value_name(part: Part, values: Sequence[Name], scope: Scope) -> Name:
    if len(values) > 1:
        which_of(part, values, scope)
    if part.weak:
        scope.warn(
            f"“{scope.said(part)}”按“{values[0].id}”理解", f"{scope.said(part)!r} was read as {values[0].id!r}"
        )
    return values[0]


def _split_range(parts: Sequence[Part]) -> tuple[list[Part], list[Part]] | None:
    """"打开率介于10%和20%之间" is two conditions; a range on an event's field stays one (the same event meets both)."""
    for i, part in enumerate(parts):
        comparison: Comparison | None = part.get("CMPQ")
        if comparison is None or comparison.high is None:
            continue
        eventlike = any(p.named("event", "field") for p in parts) and not any(p.named("attribute", "metric", "forecast") for p in parts)
        if eventlike and not comparison.high.times and not any(p.has("FUNCTION", "COUNTWORD") for p in parts):
            continue
        low = replace(part, senses={"CMPQ": Comparison(">=", comparison.quantity)})
        high = replace(part, senses={"CMPQ": Comparison("<=", comparison.high)})
        return ([*parts[:i], low, *parts[i + 1 :]], [*parts[:i], high, *parts[i + 1 :]])
    return None


# ---- order of events ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Piece:
    parts: list[Part] = field(default_factory=list)
    absent: bool = False
    breaker: bool = False
    between: bool = False
    """Must not occur before the step that was said before it: "期间没有…" after a sequence."""
    open: bool = False
    """"…后" with nothing after it yet."""
    anchor: bool = False
    """Said after, happens first: "… after a complaint"."""

    def events(self) -> set[str]:
        return {n.id for p in self.parts for n in p.named("event")}


def _pieces(parts: Sequence[Part], scope: Scope) -> list[_Piece]:
    """Cut a clause where one event follows another."""
    pieces = [_Piece()]
    i = 0
    while i < len(parts):
        part, cur = parts[i], pieces[-1]
        if part.has("NEXT") and not part.names:
            if cur.parts:
                pieces.append(_Piece())
        elif part.has("AFTER") and not part.names and _date_named(parts):
            cur.parts.append(part)
        elif part.has("AFTER") and not part.names and has_chinese(scope.said(part)):
            cur.open = True
            pieces.append(_Piece())
        elif part.has("AFTER") and not part.names:
            i = _english_after(parts, i, pieces)
            continue
        elif part.has("UNFOLLOWED"):
            pieces.append(_Piece(absent=True))
        elif part.has("WITHOUT", "DURING") and (cur.events() or any(p.has("STREAK") for p in cur.parts)):
            if part.has("DURING") and not any(p.has("NEG", "WITHOUT") for p in parts[i:]):
                complain(part, scope)
            run = any(p.has("STREAK") for p in pieces[0].parts)
            after_sequence = len(pieces) > 1 and not run
            pieces.append(_Piece(absent=True, breaker=run, between=after_sequence))
        elif part.has("NEG", "NEVER", "COPNEG") and cur.events() and _other_event(parts[i + 1 :], cur):
            run = any(p.has("STREAK") for p in pieces[0].parts)
            moved = [] if run else _trailing_time(cur)
            pieces.append(_Piece([*moved, part], breaker=run))
        elif cur.events() and part.named("event") and not (cur.events() & {n.id for n in part.named("event")}) and not _fits(part, cur):
            if (moved := _trailing_time(cur)) or any(p.has("FIRST") for p in parts):
                pieces.append(_Piece([*moved, part]))
            else:
                complain(part, scope)
        else:
            cur.parts.append(part)
        i += 1
    return _merge_timeless(pieces)


def _date_named(parts: Sequence[Part]) -> bool:
    return not any(p.named("event", "field") for p in parts)


def _english_after(parts: Sequence[Part], i: int, pieces: list[_Piece]) -> int:
    """"after A …": A (up to its event and bracket) happens first, whatever stands around it follows."""
    stop = i + 1
    while stop < len(parts) and not parts[stop].named("event"):
        stop += 1
    while stop < len(parts) and (parts[stop].named("event", "field") or parts[stop].has("TESTS")) and not parts[stop].has("NEG"):
        stop += 1
    anchor = _Piece(list(parts[i + 1 : stop]), anchor=True)
    pieces.insert(len(pieces) - 1, anchor)
    return stop


def _other_event(rest: Sequence[Part], cur: _Piece) -> bool:
    """Another event is named before the clause moves on."""
    for part in rest:
        if part.has("NEXT", "AFTER", "UNFOLLOWED") and not part.names:
            return False
        events = {n.id for n in part.named("event")}
        if events:
            return not (events & cur.events()) and not _fits(part, cur)
        if any(n.kind == "field" and n.owner in cur.events() for n in part.names):
            return False
    return False


def _fits(part: Part, cur: _Piece) -> bool:
    return any(n.kind == "field" and n.owner in cur.events() for n in part.names)


def _trailing_time(piece: _Piece) -> list[Part]:
    """Take the time said at the end of a piece: it belongs to what follows ("投诉超过2小时|未处理")."""
    moved: list[Part] = []
    while piece.parts:
        part = piece.parts[-1]
        timed = part.has("WINDOW", "DUR") or (part.has("CMPQ") and part.get("CMPQ").quantity.micros is not None)
        if not timed and not part.has("FILLER", "PERFECT", "DE", "IF", "WHENEND", "BOTH", "COP", "FORTIME", "IN", "AND"):
            break
        moved.insert(0, piece.parts.pop())
    if not any(p.has("WINDOW", "DUR", "CMPQ") for p in moved):
        piece.parts += moved
        return []
    return moved


def _merge_timeless(pieces: list[_Piece]) -> list[_Piece]:
    """A piece without an event only carries time or a subject for its neighbour ("2 hours | after a complaint | …")."""
    result: list[_Piece] = []
    carried: list[Part] = []
    for n, piece in enumerate(pieces):
        named = any(p.named("event", "field", "value") or p.has("UNKNOWN", "TESTS", "CMPV") for p in piece.parts)
        if not named and not piece.breaker and (n + 1 < len(pieces) or result):
            carried += piece.parts
            if n + 1 == len(pieces) and not piece.parts and result:
                continue
            if n + 1 == len(pieces) and result:
                result[-1].parts += carried
                carried = []
            continue
        if piece.anchor and carried:
            result.append(piece)
            continue
        piece.parts = [*carried, *piece.parts]
        carried = []
        result.append(piece)
    return result or [_Piece()]


def _ordered(pieces: list[_Piece], parts: Sequence[Part], scope: Scope) -> Draft:
    if any(p.has("STREAK") for p in pieces[0].parts) and all(p.breaker for p in pieces[1:]) and len(pieces) > 1:
        return event_leaf(Segment(tuple(pieces[0].parts), scope), [Segment(tuple(p.parts), scope) for p in pieces[1:]])
    if pieces[0].open and _date_like(pieces[0].parts):
        return _leaf(parts, scope)
    steps: list[Step] = []
    owner = ""
    for n, piece in enumerate(pieces):
        step = step_of(Segment(tuple(piece.parts), scope), first=n == 0, absent=piece.absent)
        owner = _same_owner(owner, scope.catalog.events[step.event].subject, piece.parts, scope)
        if piece.between:
            steps.insert(len(steps) - 1, step)
        else:
            steps.append(step)
    if pieces[-1].open:
        return Opening(steps, owner, tuple(parts))
    return sequence_draft(steps, owner, tuple(parts), scope)


def _date_like(parts: Sequence[Part]) -> bool:
    return not any(p.named("event", "field") for p in parts)


def _same_owner(owner: str, other: str, parts: Sequence[Part], scope: Scope) -> str:
    if owner and owner != other:
        scope.refuse(parts, "先后顺序里的事件属于不同对象", "the events of this sequence happen to different things")
    return other


def sequence_draft(steps: list[Step], owner: str, parts: tuple[Part, ...], scope: Scope) -> LeafDraft:
    """Steps in order, checked: something must happen first, and what must not happen last needs a time."""
    if steps[0].absent:
        scope.refuse(parts, "先后顺序不能以“没有发生”开头", "a sequence cannot begin with something that did not happen")
    if steps[-1].absent and steps[-1].within is None:
        scope.invalid(
            parts, "要等多久才算没有发生?", "how long must it not happen for?",
            Text("例如“投诉后2小时内未解决”", "For example “a complaint is not resolved within 2 hours”"),
        )  # fmt: skip
    return LeafDraft(Ordered(steps=tuple(steps)), owner, "fixed", parts)


# ---- one condition -----------------------------------------------------------------------------------------------------

_EVENT_SIGNS = ("STREAK", "WINDOW", "FUNCTION", "COUNT", "TESTS", "HAPPEN")


def _leaf(parts: Sequence[Part], scope: Scope) -> Draft:
    parts = tuple(parts)
    if not any(p.named("event", "field", "attribute", "metric", "forecast", "place", "value") for p in parts):
        if not any(p.has("UNKNOWN") for p in parts) and scope.recent and any(p.has("CMPQ", "CMPV", "COUNT") for p in parts):
            return _leaf((scope.recent, *parts), scope)
    seg = Segment(parts, scope)
    if seg.names("place"):
        return near_leaf(seg)
    if seg.names("forecast") and not seg.names("event"):
        return forecast_leaf(seg)
    if seg.names("metric") and not seg.names("event") or _metric_covers(seg):
        return metric_leaf(seg)
    if seg.has("RISE", "DROP", "DOUBLE", "HALVE"):
        return change_leaf(seg)
    if found := _attribute(seg):
        return attribute_leaf(seg, *found)
    if not seg.names("event", "field") and (value := _value_alone(seg)):
        return value
    return event_leaf(seg)


def _metric_covers(seg: Segment) -> bool:
    return bool(seg.names("metric")) and seg.names("metric")[0][0] is seg.names("event")[0][0]


def _attribute(seg: Segment) -> tuple[Part, Name] | None:
    """The attribute a segment speaks about; an event named beside it, or counting, speaks for a field instead."""
    scope = seg.scope
    found = seg.names("attribute")
    if not found:
        return None
    part, names = found[0]
    if part.named("event"):
        return None
    if part.named("field") and (
        any(p.named("event") for p in seg.parts) or seg.has(*_EVENT_SIGNS)
    ):
        return None
    if (events := seg.names("event")) and not part.named("field"):
        complain(events[0][0] if events[0][0].start > part.start else part, scope)
    owners = [n for n in names if n.owner in scope.objects]
    if part.named("field") and not owners:
        which_of(part, [*names, *part.named("field")], scope)
    mains = owners or [n for n in names if n.owner == "customer"]
    return choose([(part, mains or names)], scope, scope.objects)


def _value_alone(seg: Segment) -> LeafDraft | None:
    """"客户是大客户", "大客户": the value names its attribute."""
    scope = seg.scope
    part = next((p for p in seg.parts if p.has("CMPV", "VALUE")), None)
    if part is None:
        return None
    op, literal = part.get("CMPV") if part.has("CMPV") else ("==", part)
    if isinstance(literal, list):
        if not literal or not literal[0].named("value"):
            return None
        op = "==" if op == "in" else "!="
        literal = Part(part.start, part.end, {"VALUE": None, "VALUES": literal, "NAME": literal[0].names})
    if not literal.named("value"):
        return None
    values = [n for n in literal.named("value") if n.of == "attribute"]
    if not values:
        return None
    if op == "==" and seg.take("NEG", "NOTW", "COPNEG"):
        op = "!="
    seg.use(part)
    seg.finish()
    draft = _noun(literal, values, op, scope)
    return replace(draft, parts=seg.parts)
