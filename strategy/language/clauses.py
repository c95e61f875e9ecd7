"""A clause → its draft: nouns that name the audience are set apart, several events become a sequence, the rest is one
condition, told by what it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.errors import InvalidInput, Refused
from core.text import Text
from strategy.document import AttributeIs, Op
from strategy.language.amounts import OUTSIDE, Comparison, Quantity, Span
from strategy.language.dates import dated_apart
from strategy.language.draft import Draft, Group, LeafDraft
from strategy.language.events import event_leaf
from strategy.language.leaves import attribute_leaf, change_leaf, forecast_leaf, is_change, metric_leaf, near_leaf
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.order import counted_without, ordered, pieces_of
from strategy.language.outline import Clause, Joined, Node
from strategy.language.paths import is_path, path_leaf
from strategy.language.ratios import is_ratio, ratio_leaf
from strategy.language.relative import excepted, told_of
from strategy.language.scope import Scope
from strategy.language.segment import Segment, choose, complain, describe, which_of
from strategy.language.shared import ask_whom
from strategy.language.values import refuse_outside

_NOUNLIKE = ("OBJECT", "FILLER", "DE", "FIT", "FOR", "IF", "ANY", "WHO", "EACHONE", "COP", "EXISTS", "BOTH", "A")


def read_node(node: Node, scope: Scope) -> Draft:
    """The draft of a condition tree."""
    if isinstance(node, Joined):
        _ask_shared_denial(node, scope)
        return Group(node.kind, _read_members(node, scope), node.bracketed, node.marks)
    return read_clause(node.parts, scope)


def _read_members(node: Joined, scope: Scope) -> list[Draft]:
    members = _distributed(node.of, scope)
    drafts: list[Draft] = []
    for i, member in enumerate(members):
        told = len(scope.audience)
        drafts.append(read_node(member, scope))
        last = members[i - 1] if i else None
        mark = node.marks[i - 1] if 0 < i <= len(node.marks) else ""
        if isinstance(last, Clause) and isinstance(member, Clause) and mark in ("AND", "OR"):
            whom = len(scope.audience) > told
            if node.kind == "all" or whom:
                ask_whom(last.parts, member.parts, whom, scope)
    return drafts


def _ask_shared_denial(node: Joined, scope: Scope) -> None:
    """ "has not logged in or made a transfer for 30 days": only together with the denial does the time make sense."""
    for one, two in zip(node.of, node.of[1:], strict=False):
        if not (isinstance(one, Clause) and isinstance(two, Clause)):
            continue
        denied = any(p.has("NEG", "NEVER") for p in one.parts) and not any(p.has("WINDOW", "DUR") for p in one.parts)
        spanned = any(p.has("WINDOW") and p.get("WINDOW").form == "for" for p in two.parts)
        if denied and spanned and not any(p.has("NEG", "NEVER", "CMPQ", "COUNT", "STREAK") for p in two.parts):
            a, b = scope.said(*one.parts), scope.said(*two.parts)
            scope.ask(
                (*one.parts, *two.parts),
                f"“{a}”和“{b}”：两者都没有，还是至少一个没有？",
                f"{a!r}, {b!r}: neither of them, or at least one of them missing?",
                [Text("两者都没有", "neither of them"), Text("至少一个没有", "at least one of them missing")],
            )


def read_clause(parts: Sequence[Part], scope: Scope) -> Draft:
    """The draft of one clause; what it says of a noun is set apart as the audience."""
    if len(parts) > 2 and parts[-2].has("DE") and parts[-1].has("OBJECT"):
        scope.heads += [n.id for n in parts[-1].named("object") if n.id not in scope.heads]
    if found := excepted(parts, scope, read_clause):
        parts, who = found
        if all(p.has(*_NOUNLIKE) for p in parts):
            return who
        scope.audience.append(who)
    if rest := told_of(parts, scope, _read_clause, "WHO"):
        return read_clause(rest, scope)
    trial = scope.trial()
    try:
        draft = _read_clause(parts, trial)
    except (InvalidInput, Refused):
        if (rest := told_of(parts, scope, _read_clause, "WITH", "WITHOUT", "AGE")) is None:
            raise
        return read_clause(rest, scope)
    scope.keep(trial)
    return draft


def _read_clause(parts: Sequence[Part], scope: Scope) -> Draft:
    if inner := _only_bracket(parts, scope):
        return read_node(inner, scope)
    if is_path(parts):
        return path_leaf(parts, scope)
    parts = _adjective(_relative(list(parts), scope), scope)
    if is_path(parts):
        return path_leaf(parts, scope)
    parts = _set_audience_apart(parts, scope)
    for part in parts:
        if part.has("OBJECT"):
            scope.mention(part.named("object"))
    if is_ratio(parts):
        return ratio_leaf(parts, scope)
    if outside := _split_outside(parts, scope):
        return Group("any", [read_clause(p, scope) for p in outside], True)
    if ranged := _split_range(parts):
        low, high = (read_clause(p, scope) for p in ranged)
        return Group("all", [low, high], False, ("AND",))
    if dated := dated_apart(parts, scope):
        return Group("all", [read_clause(p, scope) for p in dated], False, ("AND",))
    if none := counted_without(parts):
        return Group("all", [read_clause(p, scope) for p in none], False, ("AND",))
    pieces = pieces_of(parts, scope)
    if len(pieces) > 1 or pieces[0].open:
        return ordered(pieces, parts, scope)
    return _leaf(pieces[0].parts, scope)


def _distributed(nodes: Sequence[Node], scope: Scope) -> list[Node]:
    """ "收缩压和舒张压都超过160": a property without a comparison takes that of the next one."""
    result = list(nodes)
    for i in range(len(result) - 2, -1, -1):
        here, after = result[i], result[i + 1]
        if not (isinstance(here, Clause) and isinstance(after, Clause)):
            continue
        named = [p for p in here.parts if not p.has(*_NOUNLIKE)]
        compared = any(p.has("CMPQ", "CMPV") for p in after.parts)
        position = next(
            (j for j, p in enumerate(after.parts) if p.named("field", "attribute") and not p.named("event")), None
        )
        if len(named) == 1 and _measure(named[0], scope) and compared and position is not None:
            result[i] = Clause((*after.parts[:position], named[0], *after.parts[position + 1 :]))
    return result


def _measure(part: Part, scope: Scope) -> bool:
    """Something that is compared, and not true or false by itself."""
    named = part.named("field", "attribute")
    return any(scope.attribute(n).type != "boolean" for n in named) and not part.named("event", "value")


def _only_bracket(parts: Sequence[Part], scope: Scope) -> Node | None:
    """ "客户满足(…)": the clause is just its bracket."""
    tests = [p for p in parts if p.has("TESTS")]
    if len(tests) != 1 or not all(p.has(*_NOUNLIKE) for p in parts if p is not tests[0]):
        return None
    for part in parts:
        scope.mention(part.named("object"))
    found: Node = tests[0].get("TESTS")
    return Joined(found.kind, found.of, True, found.marks) if isinstance(found, Joined) else found


def _relative(parts: list[Part], scope: Scope) -> list[Part]:
    """ "等级是大客户的客户7天内…": what stands before 的客户 describes who, so it is the audience."""
    for i in range(1, len(parts) - 2):
        before, after = parts[:i], parts[i + 2 :]
        if (
            parts[i].has("DE")
            and parts[i + 1].has("OBJECT")
            and (
                any(
                    p.has("CMPV", "CMPQ") or p.named("event", "field", "attribute", "metric", "forecast", "relation")
                    for p in before
                )
                or (any(p.has("EXISTS", "NEG") for p in before) and any(p.has("OBJECT") for p in before))
            )
            and not before[-1].named("relation")
            and any(p.names or p.has("CMPQ", "UNKNOWN") for p in after)
        ):
            draft = read_clause([*before, parts[i], parts[i + 1]], scope)
            if not isinstance(draft, LeafDraft):
                scope.invalid(before, "这样的修饰语请改成“对…的客户，…”", "please say “for customers who …, …” instead")
            scope.audience.append(draft)
            return after
    return parts


def _adjective(parts: list[Part], scope: Scope) -> list[Part]:
    """ "a verified customer has not …", "未认证客户7天…": a yes/no attribute right before the noun says for whom."""
    for i in range(len(parts) - 2):
        flags = [n for n in parts[i].named("attribute") if scope.attribute(n).type == "boolean"]
        if (
            not flags
            or not parts[i + 1].has("OBJECT")
            or not any(p.names or p.has("CMPQ", "UNKNOWN") for p in parts[i + 2 :])
        ):
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
    """ "大客户7天内…": a value used as a noun says for whom. Beside nothing else it is the condition itself."""
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
        event_here = any(
            n.kind == "event" and any(v.owner == n.id for v in field_value) for p in parts for n in p.names
        )
        if not values or owned or not content or event_here or part.has("CMPV"):
            rest.append(part)
            continue
        if part.has("VERB", "LIGHT") and i and parts[i - 1].has("OBJECT") and _event_next(parts[i + 1 :]):
            rest.append(replace(part, senses={"FILLER": None}))  # a customer | opens | a complaint
            continue
        if part.weak and any(n.kind not in ("value", "action") for n in part.names):  # not only a value is called so
            rest.append(part)
            continue
        heads = i == len(parts) - 1 and parts[i - 1].has("DE")  # 7天内登录少于3次|的|大客户
        trails = (
            not heads
            and any(p.named("event") for p in parts[:i])
            and not any(p.has("OBJECT") for p in parts[i + 1 : i + 2])
        )
        if trails or any(p.has("CMPV") for p in parts[i + 1 : i + 2]):
            rest.append(part)
            continue
        op: Op = "=="
        if rest and rest[-1].has("NOTW", "NEG", "COPNEG"):
            rest.pop()
            op = "!="
        scope.audience.append(value_noun(part, values, op, scope))
    return rest


def _event_next(parts: Sequence[Part]) -> bool:
    after = next((p for p in parts if not p.senses.keys() <= {"FILLER", "A", "ANY", "ANOTHER"}), None)
    return after is not None and bool(after.named("event"))


def value_noun(part: Part, values: Sequence[Name], op: Op, scope: Scope) -> LeafDraft:
    """The condition that a noun such as "大客户" or "gold or silver customers" stands for."""
    said = part.get("VALUES") or [part]
    names = [_value_name(p, p.named("value") if len(said) > 1 else values, scope) for p in said]
    scope.mention([Name("object", names[0].owner)])
    condition = AttributeIs(name=names[0].item, op=op, value=names[0].id)
    if len(names) > 1:
        condition = AttributeIs(name=names[0].item, op="in" if op == "==" else "not_in", value=[n.id for n in names])
    return LeafDraft(condition, names[0].owner, "state", (part,))


def _value_name(part: Part, values: Sequence[Name], scope: Scope) -> Name:
    if len(values) > 1:
        which_of(part, values, scope)
    if part.weak:
        label = describe(values[0], scope)
        scope.warn(f"“{scope.said(part)}”按“{label.zh}”理解", f"{scope.said(part)!r} was read as {label.en!r}")
    return values[0]


def _split_outside(parts: Sequence[Part], scope: Scope) -> tuple[list[Part], list[Part]] | None:
    """ "收缩压不在90到160之间": below the one or above the other. A run or count of both is neither."""
    for i, part in enumerate(parts):
        comparison: Comparison | None = part.get("CMPQ")
        if comparison is None or comparison.op != OUTSIDE or comparison.high is None:
            continue
        if any(p.has("STREAK", "WINDOW", "COUNT", "NEG", "NEVER", "NEXT", "AFTER", "FUNCTION") for p in parts):
            refuse_outside(part, scope)
        low = replace(part, senses={"CMPQ": Comparison("<", comparison.quantity)})
        high = replace(part, senses={"CMPQ": Comparison(">", comparison.high)})
        return ([*parts[:i], low, *parts[i + 1 :]], [*parts[:i], high, *parts[i + 1 :]])
    return None


def _split_range(parts: Sequence[Part]) -> tuple[list[Part], list[Part]] | None:
    """ "打开率介于10%和20%之间" is two conditions; a range on an event's field stays one test."""
    for i, part in enumerate(parts):
        comparison: Comparison | None = part.get("CMPQ")
        if comparison is None or comparison.high is None:
            continue
        if comparison.inclusive and any(p.named("attribute") for p in parts):
            continue
        eventlike = any(p.named("event", "field") for p in parts) and not any(
            p.named("attribute", "metric", "forecast") for p in parts
        )
        if eventlike and not comparison.high.times and not any(p.has("FUNCTION", "COUNTWORD") for p in parts):
            continue
        low = replace(part, senses={"CMPQ": Comparison(">=", comparison.quantity)})
        high = replace(part, senses={"CMPQ": Comparison("<=", comparison.high)})
        return ([*parts[:i], low, *parts[i + 1 :]], [*parts[:i], high, *parts[i + 1 :]])
    return None


# ---- one condition ---------------------------------------------------------------------------------------------------

_EVENT_SIGNS = ("STREAK", "WINDOW", "FUNCTION", "COUNT", "TESTS", "HAPPEN")


def _leaf(parts: Sequence[Part], scope: Scope) -> Draft:
    parts = tuple(_field_values(_aged(over_a_time(parts, scope), scope), scope))
    if (
        not any(p.named("event", "field", "attribute", "metric", "forecast", "place", "value") for p in parts)
        and (
            not any(p.has("UNKNOWN") for p in parts)
            and scope.recent
            and any(p.has("CMPQ", "CMPV", "COUNT") for p in parts)
        )
        and not any(_names_its_attribute(p) for p in parts)
    ):
        return _leaf((scope.recent, *parts), scope)
    _refuse_mere_having(parts, scope)
    seg = Segment(parts, scope)
    if seg.names("place"):
        return near_leaf(seg)
    if seg.names("forecast") and not seg.names("event"):
        return forecast_leaf(seg)
    if (seg.names("metric") and not seg.names("event")) or _metric_covers(seg):
        return metric_leaf(seg)
    if any(is_change(p, seg.parts) for p in seg.free("RISE", "DROP", "DOUBLE", "HALVE")):
        return change_leaf(seg)
    if found := _attribute(seg):
        return attribute_leaf(seg, *found)
    if not seg.names("event", "field") and (value := _value_alone(seg)):
        return value
    return event_leaf(seg)


def _refuse_mere_having(parts: Sequence[Part], scope: Scope) -> None:
    """ "a customer with a loan logs in": to have something is a condition, and no small words before an event."""
    if sum(p.has("OBJECT") for p in parts) < 2:
        return
    for i, part in enumerate(parts):
        before = next((p for p in reversed(parts[:i]) if not p.senses.keys() <= {"FILLER", "A", "ANY", "DE"}), None)
        if part.has("OBJECT") and before is not None and before.has("EXISTS", "WITH", "WITHOUT", "NEG"):
            complain(part, scope)


def _names_its_attribute(part: Part) -> bool:
    literal = part.get("CMPV")[1] if part.has("CMPV") else None
    first = literal[0] if isinstance(literal, list) and literal else literal
    return isinstance(first, Part) and any(n.of == "attribute" for n in first.named("value"))


def _field_values(parts: list[Part], scope: Scope) -> list[Part]:
    """ "金额超过100元，但不是门店渠道": a value alone speaks of its field, of the event spoken of before."""
    if any(p.named("event", "field", "attribute", "metric", "forecast", "place") for p in parts):
        return parts
    rest = [p for p in parts if not p.has(*_NOUNLIKE)]
    denied = len(rest) == 2 and rest[0].has("NEG", "NOTW") and rest[1].has("VALUE")
    literal = rest[-1].get("CMPV")[1] if rest and rest[-1].has("CMPV") else rest[-1] if denied else None
    first = literal[0] if isinstance(literal, list) and literal else literal
    names = [n for n in first.named("value") if n.of == "field"] if isinstance(first, Part) else []
    if len(rest) > 2 or len(names) != 1 or names[0].owner != scope.event:
        return parts
    at = rest[-1].start
    test = rest[-1] if not denied else replace(rest[-1], senses={"CMPV": ("!=", rest[1])})
    return [Part(at, at, {"NAME": (Name("field", names[0].item, names[0].owner),)}), test]


def _aged(parts: list[Part], scope: Scope) -> list[Part]:
    """ "65岁以上": years of age name their attribute."""
    for i, part in enumerate(parts):
        aged = part.has("CMPQ") and part.get("CMPQ").quantity.unit == "岁"
        if aged and scope.lexicon.ages and not any(p.named("attribute", "field") for p in parts):
            return [*parts[:i], Part(part.start, part.start, {"NAME": tuple(scope.lexicon.ages)}), *parts[i:]]
    return parts


def over_a_time(parts: Sequence[Part], scope: Scope) -> list[Part]:
    """ "adherence rate under 80% over 30 days", "30天拒付率高于20%": the time is a window where something else is
    compared, counted or changes, and what stands before it is not itself a time."""
    result = list(parts)
    if any(p.has("WINDOW", "STREAK", "NEG", "NEVER", "WITHOUT", "SINCE", "AFTER") for p in parts):
        return result
    measured = any(p.named("metric") or p.has("FUNCTION", "OUTOF") or is_change(p, parts) for p in parts)
    for i, part in enumerate(parts):
        comparison: Comparison | None = part.get("CMPQ")
        quantity: Quantity | None = comparison.quantity if comparison else part.get("DUR")
        spanned = measured if comparison is None else scope.said(part).lower().startswith("over ")
        if quantity is None or quantity.micros is None or not spanned:
            continue
        owner = next((n for p in reversed(parts[:i]) for n in p.named("attribute", "field")), None)
        timed = owner is not None and Quantity(1, scope.attribute(owner).unit).micros is not None
        if not timed and any(p is not part and (p.has("CMPQ", "COUNT") or is_change(p, parts)) for p in parts):
            result[i] = replace(part, senses={"WINDOW": Span("in", over=quantity.micros, said=quantity)})
            return result
    return result


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
    if part.named("field") and (any(p.named("event") for p in seg.parts) or seg.has(*_EVENT_SIGNS)):
        return None
    if (events := seg.names("event")) and not part.named("field"):
        complain(events[0][0] if events[0][0].start > part.start else part, scope)
    owners = [n for n in names if n.owner in scope.objects]
    if not owners and any(n.owner == scope.event for n in part.named("field")):
        return None
    if part.named("field") and not owners:
        which_of(part, [*names, *part.named("field")], scope)
    mains = owners or [n for n in names if n.owner == "customer"]
    return choose([(part, mains or names)], scope, scope.objects)


def _value_alone(seg: Segment) -> LeafDraft | None:
    """ "客户是大客户", "大客户": the value names its attribute."""
    scope = seg.scope
    part = next((p for p in seg.parts if p.has("CMPV", "VALUE")), None)
    if part is None:
        return None
    op: Op
    op, literal = part.get("CMPV") if part.has("CMPV") else ("==", part)
    if literal is None:
        return None
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
    draft = value_noun(literal, values, op, scope)
    return replace(draft, parts=seg.parts)
