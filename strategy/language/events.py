"""What a segment says about an event → the kind of condition it makes; and a step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import cast

from core.text import Text
from strategy.document import Aggregate, EventFilter, Happens, Step, Streak
from strategy.language.aggregates import aggregate_leaf, count_leaf, windowed_leaf
from strategy.language.draft import LeafDraft, Style
from strategy.language.fields import draft_of, filters_of, no_loose, take_loose
from strategy.language.lexer import Part
from strategy.language.lexicon import Name
from strategy.language.runs import absence, nth_leaf, run_leaf
from strategy.language.said import Said, gather
from strategy.language.segment import Segment, complain


def event_leaf(seg: Segment, breakers: Seq[Segment] = ()) -> LeafDraft:
    """The condition a segment about one event makes; `breakers` are the "without …" of a run."""
    said = gather(seg)
    scope = seg.scope
    if said.nth is not None:
        draft = nth_leaf(seg, said)
    elif said.run is not None:
        draft = run_leaf(seg, said, breakers)
    elif said.function is not None:
        draft = aggregate_leaf(seg, said)
    elif said.count is not None:
        draft = count_leaf(seg, said)
    elif said.negation is not None:
        draft = _negated(seg, said)
    elif said.window is not None:
        draft = windowed_leaf(seg, said)
    else:
        draft = _act(seg, said)
    no_loose(seg, said)
    seg.finish()
    numeric = [t for t in said.tests if scope.attribute(t.name).type == "number"]
    if numeric:
        scope.recent = Part(numeric[-1].part.start, numeric[-1].part.start, {"NAME": (numeric[-1].name,)})
    elif said.count is not None:
        scope.recent = Part(said.count[2].start, said.count[2].start, {"NAME": (Name("event", said.event),)})
    return draft


def _negated(seg: Segment, said: Said) -> LeafDraft:
    scope = seg.scope
    if said.never:
        if said.window is not None and said.window.over is not None:
            return absence(seg, said, said.window.over)
        return absence(seg, said, None)
    if said.window is not None:
        if said.window.last is not None and said.booleans(scope):
            return draft_of(seg, said, Streak(event=said.event, where=filters_of(seg, said), times=said.window.last))
        if said.window.last is not None:
            complain(cast(Part, said.window_part), scope)
        return absence(seg, said, said.window.over)
    if said.booleans(scope):
        condition = Happens(event=said.event, where=filters_of(seg, said))
        return draft_of(seg, said, condition, "fixed" if said.explicit else "act")
    filters = filters_of(seg, said)
    condition_ = Aggregate(event=said.event, where=filters, function="count", op="==", value=0.0)
    draft = draft_of(seg, said, condition_)
    draft.without = EventFilter(event=said.event, where=filters)
    return draft


def _act(seg: Segment, said: Said) -> LeafDraft:
    scope = seg.scope
    if said.loose:
        take_loose(seg, said)
    if said.every and said.single and any(p.has("SINGLE") and scope.plain(p)[:1] in ("每", "e") for p in seg.parts):
        scope.ask(  # 每次测验正确率都低于60%: no single one makes that so
            list(seg.parts),
            f"“{scope.said(*seg.parts)}”：看连续几次，还是每发生一次就触发？",
            f"{scope.said(*seg.parts)!r}: over how many in a row, or each time one is so?",
            [Text("连续3次如此", "3 times in a row"), Text("每发生一次：去掉“都”", "each time: leave out “all”")],
        )
    condition = Happens(event=said.event, where=filters_of(seg, said))
    style: Style = "act"
    if said.explicit:
        style = "fixed"
    elif not said.named and not said.bracket and all(scope.attribute(t.name).type == "number" for t in said.tests):
        style = "reading" if said.tests and not said.booleans(scope) else "act"
    return draft_of(seg, said, condition, style)


def step_of(seg: Segment, *, first: bool, absent: bool = False) -> Step:
    """A segment as a step of a sequence: an event, its filters, "within" and "not".

    Raises:
        Refused: counts, runs and sums cannot be steps.
    """
    said = gather(seg)
    scope = seg.scope
    latest = said.function == "last" and first and not said.tests and not said.loose
    if said.count or said.run or (said.function and not latest) or said.nth:
        scope.refuse(
            list(seg.parts),
            "先后顺序里的每一步只能是一个事件",
            "each step of a sequence can only be one event",
            Text("把计数条件放到“且”后面", "Put the count after an “and”"),
        )
    negative = said.negation is not None
    if said.loose:
        take_loose(seg, said)
    if first and negative and said.booleans(scope):
        step = Step(event=said.event, where=filters_of(seg, said, positive=False))
    else:
        absent = absent or negative
        step = Step(event=said.event, where=filters_of(seg, said, positive=True), absent=absent)
    if said.window is not None:
        unbound = (
            said.window.form == "bare" and not step.absent and not first
        )  # B 3 days after A is not B within 3 days
        if said.window.over is None or said.window.form == "past" or unbound:
            complain(cast(Part, said.window_part), scope)
        step = step.model_copy(update={"within": said.window.over})
    no_loose(seg, said)
    seg.finish()
    return step
