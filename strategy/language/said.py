"""What a segment says about one event: which event, the tests on its fields, how often, over which window, negated or
not. Deciding what kind of condition that makes is done in events.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from core.text import Text
from knowledge.catalog.model import Attribute
from strategy.document import Filter, FilterOp, Function, Value
from strategy.language.amounts import NOT, POINTS, Comparison, Quantity, Run, Span
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.outline import Clause, Joined, Node
from strategy.language.scope import Scope
from strategy.language.segment import Segment, choose, complain, refuse_calendar, which_of
from strategy.language.values import Tests, enum_value, tests_of


@dataclass(slots=True)
class FieldTest:
    name: Name
    part: Part
    tests: Tests

    def filters(self) -> list[Filter]:
        return [Filter(field=self.name.id, op=op, value=value) for op, value in self.tests]


@dataclass(slots=True)
class Said:
    event: str
    named: bool
    """The event itself was named, not only a field of it."""
    tests: list[FieldTest] = field(default_factory=list)
    bracket: list[Filter] = field(default_factory=list)
    fields: list[tuple[Part, Name]] = field(default_factory=list)
    """Fields named without a comparison of their own (booleans, and the field of an aggregate)."""
    loose: list[Part] = field(default_factory=list)
    """Comparisons that name no field."""
    count: tuple[str | None, float, Part] | None = None
    nth: tuple[float, Part] | None = None
    """首次 and 第3次: the occurrence that makes so many of them."""
    negation: Part | None = None
    never: bool = False
    window: Span | None = None
    window_part: Part | None = None
    run: Run | None = None
    run_part: Part | None = None
    function: Function | None = None
    counted: bool = False
    single: bool = False
    every: bool = False
    explicit: bool = False

    def booleans(self, scope: Scope) -> list[tuple[Part, Name]]:
        return [(p, n) for p, n in self.fields if scope.attribute(n).type == "boolean"]

    def plain_fields(self, scope: Scope) -> list[tuple[Part, Name]]:
        return [(p, n) for p, n in self.fields if scope.attribute(n).type != "boolean"]


def gather(seg: Segment) -> Said:
    """Claim every part of the segment that speaks about its event.

    Raises:
        UnknownName, NeedsAnswer, InvalidInput: as soon as a part cannot be placed.
    """
    scope = seg.scope
    event, named = _event_of(seg)
    said = Said(event, named)
    if part := seg.take("TESTS"):
        said.bracket = bracket_filters(part.get("TESTS"), event, scope)
    _take_time(seg, said)
    if part := seg.take("FUNCTION"):
        said.function = cast(Function, part.get("FUNCTION"))
        if part.has("CUMULATIVE") and said.window is None:
            said.window, said.window_part = Span("all"), part
    said.counted = seg.take("COUNTWORD") is not None
    if part := seg.take("FIRSTTIME", "NTH"):
        said.nth = (part.get("NTH") or 1.0, part)
    said.single = seg.take("SINGLE") is not None
    said.every = seg.has("BOTH")
    said.explicit = seg.take("RIGHTNOW") is not None
    if seg.has("HAPPEN"):
        said.explicit = said.explicit or not seg.has("CMPQ", "COUNT")
    _take_fields(seg, said)
    _take_comparisons(seg, said)
    if said.function is None:
        _take_presence(seg, said)
    if part := seg.take("NEVER"):
        said.negation, said.never = part, True
    elif part := seg.take("NEG", "WITHOUT", "COPNEG"):
        said.negation = part
        if other := seg.take("NEG", "WITHOUT"):
            scope.invalid(
                [part, other], "双重否定有歧义，请改成肯定的说法", "a double negation; please say it positively"
            )
    if said.event == scope.event:
        seg.take("ANOTHER")
    scope.event = said.event
    return said


_BLANKABLE = ("text", "enum", "date")


def _take_presence(seg: Segment, said: Said) -> None:
    """ "without a fault code", "填了更换部件": a field that is compared with nothing, but said to be there or not."""
    for part, name in list(said.fields):
        at = seg.index(part) - 1
        while at >= 0 and seg.parts[at].senses.keys() <= {"FILLER", "A", "ANY", "PERFECT", "DE"}:
            at -= 1
        before = seg.parts[at] if at >= 0 else None
        kind = seg.scope.attribute(name).type
        if before is None or kind not in _BLANKABLE or id(before) in seg.used or before.names:
            continue
        if before.has("NEG", "WITHOUT", "EXISTS"):
            seg.use(before)
            said.fields.remove((part, name))
            op: FilterOp = "missing" if before.has("NEG", "WITHOUT") else "present"
            said.tests.append(FieldTest(name, part, [(op, None)]))


def _event_of(seg: Segment) -> tuple[str, bool]:
    scope = seg.scope
    mentions = seg.names("event")
    fields = seg.names("field", "value")
    if mentions:
        part, names = mentions[0]
        candidates = {n.id for n in names}
        for other, more in mentions[1:]:
            both = candidates & {n.id for n in more}
            if both:
                candidates = both
            elif not _is_field_of(other, candidates):
                complain(other, scope)
        if len(candidates) > 1:
            with_fields = {
                e for e in candidates if all(any(n.owner == e for n in found) for _, found in fields if found)
            }
            candidates = with_fields or candidates
        if len(candidates) > 1:
            which_of(part, [n for n in names if n.id in candidates], scope)
        event = next(iter(candidates))
        chosen = choose([(part, [n for n in names if n.id == event])], scope)
        for other, more in mentions:
            if any(n.id == event for n in more) and not (chosen and other is not part and _is_field_of(other, {event})):
                seg.use(other)
        return event, True
    owners: set[str] | None = None
    for _, names in fields:
        here = {n.owner for n in names if n.kind == "field" or n.of == "field"}
        owners = here if owners is None else (owners & here or owners)
    if not owners:
        if unknown := seg.free("UNKNOWN"):
            scope.unknown(unknown[0])
        scope.invalid(
            list(seg.parts), "这半句没有提到任何事件、属性或指标", "this clause names no event, attribute or metric"
        )
    if len(owners) > 1 and scope.event in owners:
        return scope.event, False
    if len(owners) > 1:
        part, names = fields[0]
        which_of(part, [n for n in names if n.owner in owners], scope)
    return next(iter(owners)), False


def _is_field_of(part: Part, events: set[str]) -> bool:
    return any(n.kind == "field" and n.owner in events for n in part.names)


def _take_time(seg: Segment, said: Said) -> None:
    scope = seg.scope
    if part := seg.take("WINDOW"):
        said.window, said.window_part = part.get("WINDOW"), part
        if said.window and said.window.over == 0:
            scope.invalid([part], "时间窗应大于0", "a time window must be longer than zero")
        if other := seg.take("WINDOW"):
            scope.invalid([part, other], "一个条件里有两个时间窗", "one condition has two time windows")
    if part := seg.take("STREAK"):
        said.run, said.run_part = part.get("STREAK"), part


def _take_fields(seg: Segment, said: Said) -> None:
    for part, names in seg.names("field"):
        mine = [n for n in names if n.owner == said.event]
        if not mine:
            continue
        seg.use(part)
        chosen = choose([(part, mine)], seg.scope)
        if chosen:
            said.fields.append(chosen)


def _take_comparisons(seg: Segment, said: Said) -> None:
    """Give each comparison its field, or make it the count, the duration, or loose."""
    scope = seg.scope
    for part in seg.free("CMPQ", "CMPV", "COUNT", "QTY", "VALUE"):
        if id(part) in seg.used:
            continue
        if part.has("CMPV") or (part.has("VALUE") and not part.has("CMPQ")):
            _take_literal(seg, said, part)
            continue
        comparison: Comparison | None = part.get("CMPQ")
        quantity: Quantity = comparison.quantity if comparison else part.get("QTY")
        target = _field_for(seg, said, part, quantity) if said.function != "distinct" else None
        if comparison is None and not quantity.times and target is not None:
            _missing_comparison(part, scope)
        if target is not None and comparison is not None:
            attribute = scope.attribute(target[1])
            bounded = said.function != "sum"
            said.tests.append(FieldTest(target[1], part, tests_of(attribute, target[1], part, scope, bounded=bounded)))
            seg.use(part)
        elif _counts(seg, said, part, quantity):
            if said.count is not None or (comparison and comparison.high):
                scope.invalid([part], "一个条件里只能有一个次数比较", "one condition can compare only one count")
            op = comparison.op if comparison else _op_before(seg, part)
            said.count = (op, quantity.number, part)
            seg.use(part)
        elif (
            quantity.micros is not None and said.window is None and (comparison is None or comparison.op in (">", ">="))
        ):
            if quantity.micros <= 0:
                scope.invalid([part], "时长应大于0", "a duration must be longer than zero")
            if part.has("OFYEAR"):
                refuse_calendar(part, scope)
            said.window, said.window_part = Span("bare", over=quantity.micros, said=quantity), part
            seg.use(part)
        elif comparison is not None:
            said.loose.append(part)
            seg.use(part)
    compared = {id(t.part) for t in said.tests}
    tested = {(t.name.id) for t in said.tests if id(t.part) in compared}
    said.fields = [(p, n) for p, n in said.fields if n.id not in tested or said.function]


def _op_before(seg: Segment, count: Part) -> str | None:
    """ "至少登录3次": the comparison stands before the verb, its number after it."""
    for part in seg.free("CMP"):
        if seg.index(part) < seg.index(count):
            seg.use(part)
            return str(part.get("CMP"))
    return None


def _field_for(seg: Segment, said: Said, part: Part, quantity: Quantity) -> tuple[Part, Name] | None:
    """The field a comparison speaks about: the nearest named before it, else one right after it."""
    if quantity.times and not quantity.measure:
        return None
    at = seg.index(part)
    before = [(p, n) for p, n in said.fields if seg.index(p) < at]
    numeric = [(p, n) for p, n in before if _comparable(seg.scope.attribute(n), quantity)]
    if numeric:
        return numeric[-1]
    after = [(p, n) for p, n in said.fields if seg.index(p) > at and _comparable(seg.scope.attribute(n), quantity)]
    if after and not quantity.times and (quantity.unit is not None or len(said.fields) == len(after)):
        return after[0]
    if quantity.times or (quantity.micros is not None and quantity.unit is not None):
        return None
    if part.has("CMPQ") and before and seg.index(before[-1][0]) == at - 1:
        return before[-1]
    return None


def _comparable(attribute: Attribute, quantity: Quantity) -> bool:
    """Could a person mean this quantity for the field? Units of another kind still count, so that they are reported."""
    if attribute.type != "number":
        return False
    if quantity.times:
        return attribute.unit is None
    if quantity.unit in POINTS and (attribute.unit is None or attribute.unit in POINTS):
        return True
    if quantity.micros is not None:
        return attribute.unit is not None and Quantity(1, attribute.unit).micros is not None
    return True


def _counts(seg: Segment, said: Said, part: Part, quantity: Quantity) -> bool:
    _refuse_counted_subjects(seg, said, part, quantity)
    if quantity.times:
        return not (quantity.measure and said.function in ("last", "avg", "min", "max"))
    if quantity.unit is not None:
        return False
    if said.function == "distinct":
        return False
    if said.counted:
        return True
    at = seg.index(part)
    following = seg.parts[at + 1] if at + 1 < len(seg.parts) else None
    if following is not None and following.has("A", "ANY", "COUNTWORD", "FUNCTION"):
        following = seg.parts[at + 2] if at + 2 < len(seg.parts) else None
    if following is not None and any(n.kind == "event" and n.id == said.event for n in following.names):
        return True
    of = seg.scope.normal.text[part.end :].lstrip().startswith("of ")
    if of and any(p.has("WINDOW") for p in seg.parts[at + 1 : at + 3]):
        complain(part, seg.scope)  # at least 5 | of the last 7 days: days are counted there, not events
    numbers = [f for f in seg.scope.catalog.events[said.event].fields.values() if f.type == "number"]
    return said.named and not numbers and not said.plain_fields(seg.scope)


def _refuse_counted_subjects(seg: Segment, said: Said, part: Part, quantity: Quantity) -> None:
    """ "两个客户下单", "two customers order" counts customers; "3次客户投诉", "3 customer orders" counts events."""
    noun = next((p for p in seg.parts[seg.index(part) + 1 :] if not p.senses.keys() <= {"FILLER", "A"}), None)
    subject = seg.scope.catalog.events[said.event].subject
    if noun is None or said.function == "distinct" or not any(n.id == subject for n in noun.named("object")):
        return
    words, counted = seg.scope.plain(noun), quantity.measure or (not quantity.times and quantity.unit is None)
    if counted and (not words.isascii() or words.endswith("s")):
        seg.scope.refuse(
            [part, noun],
            f"“{seg.scope.said(part, noun)}”数的是有多少个；一条策略逐个判断，不数有多少个",
            f"{seg.scope.said(part, noun)!r} counts how many there are; a strategy looks at each by itself",
        )


def _missing_comparison(part: Part, scope: Scope) -> None:
    said = scope.said(part)
    scope.invalid(
        [part],
        f"“{said}”前缺少比较词",
        f"a comparison is missing before {said!r}",
        near=["大于", "不低于", "小于", "等于"] if scope.lang == "zh" else ["above", "at least", "below", "equal to"],
    )


def _take_literal(seg: Segment, said: Said, part: Part) -> None:
    scope = seg.scope
    at = seg.index(part)
    before = [(p, n) for p, n in said.fields if seg.index(p) < at]
    literal = part.get("CMPV")[1] if part.has("CMPV") else part
    values = [n for n in (literal.named("value") if isinstance(literal, Part) else []) if n.owner == said.event]
    if values and (not before or scope.attribute(before[-1][1]).type == "boolean"):
        name = Name("field", values[0].item, said.event)
    elif before:
        name = before[-1][1]
    else:
        return
    attribute = scope.attribute(name)
    if part.has("CMPV"):
        if part.get("CMPV")[0].startswith(NOT):
            complain(part, scope)
        tests = tests_of(attribute, name, part, scope)
    elif values and part.has("VALUES"):
        _ask_both_values(seg, part)
        tests = [("in", [enum_value(attribute, name, p, scope) for p in part.get("VALUES")])]
    elif values:
        tests = [("==", cast(Value, values[0].id))]
    else:
        return
    seg.use(part)
    said.tests.append(FieldTest(name, part, tests))


def _ask_both_values(seg: Segment, part: Part) -> None:
    """ "小程序渠道和门店渠道都下过单": one event has one value, so both take two events."""
    words = seg.scope.normal.text[part.start : part.end]
    if not seg.has("BOTH") or not any(word in words for word in ("和", "与", "及", " and ")):
        return
    said = seg.scope.said(part)
    seg.scope.ask(
        [part],
        f"“{said}”：各至少一次，还是任一个？",
        f"{said!r}: each of them at least once, or any of them?",
        [
            Text("各至少一次：请分成两个条件", "each: say it in two conditions"),
            Text("任一个：用“或”", "any of them: say “or”"),
        ],
    )


def bracket_filters(node: Node, event: str, scope: Scope) -> list[Filter]:
    """The tests of a bracket after an event: comparisons on its fields, joined by "and".

    Raises:
        InvalidInput: joined by "or", or no plain test.
    """
    if isinstance(node, Joined):
        if node.kind != "all":
            scope.invalid(
                parts_in(node),
                "括号里的字段条件只能用“且”连接",
                "tests on an event's fields can only be joined by “and”",
            )
        return [f for n in node.of for f in bracket_filters(n, event, scope)]
    event_part = Part(node.parts[0].start, node.parts[0].start, {"NAME": (Name("event", event),)})
    seg = Segment((event_part, *node.parts), scope)
    said = gather(seg)
    filters = [f for t in said.tests for f in t.filters()]
    for part, name in said.booleans(scope):
        filters.append(Filter(field=name.id, op="==", value=said.negation is None))
        seg.use(part)
        said.negation = None
    seg.finish()
    if not filters or said.loose or said.negation or said.count or said.window or said.run or said.function:
        scope.invalid(
            list(node.parts), "括号里应是对事件字段的比较", "the bracket must hold tests on fields of the event"
        )
    return filters


def parts_in(node: Node) -> list[Part]:
    if isinstance(node, Clause):
        return list(node.parts)
    return [p for n in node.of for p in parts_in(n)]
