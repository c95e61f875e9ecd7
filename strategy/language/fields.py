"""Filters, windows and drafts shared by every kind of condition on an event."""

from __future__ import annotations

from collections.abc import Sequence as Seq

from core.text import Text
from core.times import DAY
from knowledge.catalog.units import WrongUnit, convert
from strategy.document import Aggregate, Filter, Happens, Streak, Window
from strategy.language.amounts import POINTS, Quantity
from strategy.language.draft import LeafDraft, Style
from strategy.language.lexicon import Name
from strategy.language.said import FieldTest, Said
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain, describe
from strategy.language.values import tests_of


def draft_of(
    seg: Segment, said: Said, condition: Happens | Aggregate | Streak, style: Style = "state", windowless: bool = False
) -> LeafDraft:
    owner = seg.scope.catalog.events[said.event].subject
    draft = LeafDraft(condition, owner, style, seg.parts, windowless)
    if said.window is not None and said.window.form in ("inside", "within", "in", "bare"):
        draft.within = said.window.over
    return draft


def filters_of(
    seg: Segment, said: Said, *, positive: bool | None = None, without: Seq[FieldTest] = ()
) -> tuple[Filter, ...]:
    """Every filter in the order said. `positive`: the polarity of boolean fields (default: not negated)."""
    seen = [t for t in said.tests if t not in without]
    polarity = said.negation is None if positive is None else positive
    placed: list[tuple[int, Filter]] = [(seg.index(t.part), f) for t in seen for f in t.filters()]
    for part, name in said.booleans(seg.scope):
        placed.append((seg.index(part), Filter(field=name.id, op="==", value=polarity)))
    if said.plain_fields(seg.scope) and said.function is None:
        part, name = said.plain_fields(seg.scope)[0]
        label = describe(name, seg.scope)
        seg.scope.invalid(
            [part],
            f"“{label.zh}”没有说与什么比较",
            f"{label.en!r} is not compared with anything",
            Text(f"例如“{label.zh}大于…”", f"For example “{label.en} above …”"),
        )
    return (*said.bracket, *(f for _, f in sorted(placed, key=lambda p: p[0])))


def window_of(said: Said) -> Window:
    if said.window is None:
        return Window()
    return Window(over=said.window.over, last=said.window.last)


def fields_for(scope: Scope, event: str, quantity: Quantity) -> list[Name]:
    """The numeric fields of an event that a quantity can be meant for: those of its dimension, else (no unit) all."""
    fields = [Name("field", n, event) for n, f in scope.catalog.events[event].fields.items() if f.type == "number"]
    if quantity.unit is None or (len(fields) <= 1 and (quantity.micros or 0) < DAY):
        return fields
    fitting = []
    for name in fields:
        if quantity.unit in POINTS and scope.attribute(name).unit is None:
            fitting.append(name)
            continue
        try:
            convert(1, quantity.unit, scope.attribute(name).unit)
        except WrongUnit:
            continue
        fitting.append(name)
    if (quantity.micros or 0) >= DAY:  # "not for over 7 days": days are said of time, not of the minutes of one event
        return [n for n in fitting if (Quantity(1, scope.attribute(n).unit).micros or 0) >= DAY]
    return fitting or fields


def take_loose(seg: Segment, said: Said) -> None:
    """A comparison that names no field is a test on the event's one field that it fits."""
    scope = seg.scope
    loose = said.loose.pop(0)
    fields = fields_for(scope, said.event, loose.get("CMPQ").quantity)
    if len(fields) != 1:
        if fields:
            scope.ask([loose], "指哪个字段？", "which field is meant?", [describe(n, scope) for n in fields])
        complain(loose, scope)
    label = describe(fields[0], scope)
    scope.warn(f"“{scope.said(loose)}”按{label.zh}理解", f"{scope.said(loose)!r} was read as {label.en}")
    said.tests.append(FieldTest(fields[0], loose, tests_of(scope.attribute(fields[0]), fields[0], loose, scope)))


def no_loose(seg: Segment, said: Said) -> None:
    if said.loose:
        complain(said.loose[0], seg.scope)
