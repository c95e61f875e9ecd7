"""Where one event follows another inside a clause: the clause is cut into steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NoReturn

from core.text import Text, has_chinese
from strategy.document import Sequence as Ordered
from strategy.document import Step
from strategy.language.draft import Draft, LeafDraft, Opening
from strategy.language.events import event_leaf, step_of
from strategy.language.lexer import Part
from strategy.language.scope import Scope
from strategy.language.segment import Segment, complain


@dataclass(slots=True)
class Piece:
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


def pieces_of(parts: Sequence[Part], scope: Scope) -> list[Piece]:
    """Cut a clause where one event follows another."""
    pieces = [Piece()]
    i = 0
    while i < len(parts):
        part, cur = parts[i], pieces[-1]
        if part.has("NEXT") and not part.names:
            if cur.parts:
                pieces.append(Piece())
        elif part.has("AFTER") and not part.names and _date_named(parts):
            cur.parts.append(part)
        elif part.has("AFTER") and not part.names and has_chinese(scope.said(part)):
            cur.open = True
            pieces.append(Piece())
        elif (part.has("AFTER") and not part.names) or _of_event(parts, i, cur):
            i = _english_after(parts, i, pieces, scope)
            continue
        elif part.has("UNFOLLOWED"):
            pieces.append(Piece(absent=True))
        elif part.has("WITHOUT") and _field_follows(parts, i, cur):
            cur.parts.append(part)
        elif part.has("WITHOUT", "DURING") and (cur.events() or any(p.has("STREAK") for p in cur.parts)):
            if part.has("DURING") and not any(p.has("NEG", "WITHOUT") for p in parts[i:]):
                complain(part, scope)
            run = any(p.has("STREAK") for p in pieces[0].parts)
            after_sequence = len(pieces) > 1 and not run
            pieces.append(Piece(absent=True, breaker=run, between=after_sequence))
        elif part.has("NEG", "NEVER", "COPNEG") and cur.events() and _other_event(parts[i + 1 :], cur):
            run = any(p.has("STREAK") for p in pieces[0].parts)
            moved = [] if run else _trailing_time(cur)
            pieces.append(Piece([*moved, part], breaker=run))
        elif part.has("FIRST") and any(p.has("NEXT") for p in parts[i:]):
            pass
        elif (
            cur.events()
            and part.named("event")
            and not (cur.events() & {n.id for n in part.named("event")})
            and not _fits(part, cur)
        ):
            if (moved := _trailing_time(cur)) or any(p.has("FIRST") for p in parts):
                pieces.append(Piece([*moved, part]))
            else:
                complain(part, scope)
        else:
            cur.parts.append(part)
        i += 1
    return _merge_timeless(pieces)


def counted_without(parts: Sequence[Part]) -> tuple[list[Part], list[Part]] | None:
    """ "7天内登录3次没有下单", "viewed it 3 times in 7 days without ordering": none in the time of the count."""
    for i, part in enumerate(parts):
        before, after = parts[:i], parts[i + 1 :]
        counted = any(p.has("COUNT") or (p.has("CMPQ") and p.get("CMPQ").quantity.times) for p in before)
        timed = any(p.has("WINDOW") and p.get("WINDOW").over for p in before)
        if not (part.has("NEG", "WITHOUT") and not part.names and counted and timed):
            continue
        events = {n.id for p in before for n in p.named("event")}
        others = {n.id for p in after for n in p.named("event")} - events
        if (
            events
            and others
            and not any(p.has("STREAK", "NEXT", "AFTER", "WINDOW", "DURING", "COUNT") for p in parts[i:])
        ):
            return list(before), [Part(part.start, part.end, {"NEG": None}), *after]
    return None


def _of_event(parts: Sequence[Part], i: int, cur: Piece) -> bool:
    """ "no shipment within 3 days of an order": of is after."""
    windowed = i > 0 and parts[i - 1].has("WINDOW") and parts[i].has("DISTANCE")
    several = cur.events() or any(p.named("event") for p in parts[i + 3 :])
    return windowed and bool(several) and any(p.named("event") for p in parts[i + 1 : i + 3])


def _date_named(parts: Sequence[Part]) -> bool:
    return not any(p.named("event", "field") for p in parts)


def _english_after(parts: Sequence[Part], i: int, pieces: list[Piece], scope: Scope) -> int:
    """ "after A …": A (up to its event and bracket) happens first, whatever stands around it follows."""
    stop = i + 1
    while stop < len(parts) and not parts[stop].named("event"):
        stop += 1
    while (
        stop < len(parts)
        and (parts[stop].named("event", "field") or parts[stop].has("TESTS"))
        and not parts[stop].has("NEG")
    ):
        stop += 1
    stop = _measured(parts, stop, scope)
    anchor = Piece(list(parts[i + 1 : stop]), anchor=True)
    pieces.insert(len(pieces) - 1, anchor)
    return stop


def _measured(parts: Sequence[Part], stop: int, scope: Scope) -> int:
    """ "after a video watched to 80% or more, …": the amount up to the comma is still said of the event."""
    at = stop
    while at < len(parts) and parts[at].has("FILLER", "TO", "VERB") and not parts[at].names:
        at += 1
    comparison = parts[at].get("CMPQ") if at < len(parts) else None
    if comparison is None or not comparison.quantity.unit or comparison.quantity.micros is not None:
        return stop
    return at + 1 if "," not in scope.normal.text[parts[stop - 1].end : parts[at].start] else stop


def _other_event(rest: Sequence[Part], cur: Piece) -> bool:
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


def _field_follows(parts: Sequence[Part], i: int, cur: Piece) -> bool:
    """ "an alarm without a fault code": what is missing is a field, no event."""
    named = next((p for p in parts[i + 1 :] if p.names), None)
    return named is not None and not named.named("event") and _fits(named, cur)


def _fits(part: Part, cur: Piece) -> bool:
    return any(n.kind == "field" and n.owner in cur.events() for n in part.names)


def _trailing_time(piece: Piece) -> list[Part]:
    """Take the time said at the end of a piece: it belongs to what follows ("投诉超过2小时|未处理")."""
    moved: list[Part] = []
    while piece.parts:
        part = piece.parts[-1]
        timed = part.has("WINDOW", "DUR") or (part.has("CMPQ") and part.get("CMPQ").quantity.micros is not None)
        if not timed and not part.has(
            "FILLER", "PERFECT", "DE", "IF", "WHENEND", "BOTH", "COP", "FORTIME", "IN", "AND"
        ):
            break
        moved.insert(0, piece.parts.pop())
    if not any(p.has("WINDOW", "DUR", "CMPQ") for p in moved):
        piece.parts += moved
        return []
    return moved


def _merge_timeless(pieces: list[Piece]) -> list[Piece]:
    """A piece without an event only carries time or a subject for its neighbour ("2 hours | after a complaint | …")."""
    result: list[Piece] = []
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
    return result or [Piece()]


def ordered(pieces: list[Piece], parts: Sequence[Part], scope: Scope) -> Draft:
    if any(p.has("STREAK") for p in pieces[0].parts) and all(p.breaker for p in pieces[1:]) and len(pieces) > 1:
        for before, piece in pairwise(pieces):
            apart = scope.normal.text[before.parts[-1].end : piece.parts[0].start].strip()
            if apart and piece.parts[0].has("NEG", "NEVER", "COPNEG"):  # 连续滑动5屏|未下单 is plain
                warn_broken(piece.parts, scope)
        return event_leaf(Segment(tuple(pieces[0].parts), scope), [Segment(tuple(p.parts), scope) for p in pieces[1:]])
    steps: list[Step] = []
    owner = ""
    for piece in pieces[1:]:  # "an alarm, then another alarm"
        piece.parts = [p for p in piece.parts if not p.has("ANOTHER")]
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


def warn_broken(parts: Sequence[Part], scope: Scope) -> None:
    said = scope.said(*parts)
    scope.warn(
        f"“{said}”按“期间{said}”理解：一旦发生，连续中断", f"{said!r} was read as breaking the run when it happens"
    )


def _same_owner(owner: str, other: str, parts: Sequence[Part], scope: Scope) -> str:
    if owner and owner != other:
        scope.refuse(parts, "先后顺序里的事件属于不同对象", "the events of this sequence happen to different things")
    return other


def sequence_draft(steps: list[Step], owner: str, parts: tuple[Part, ...], scope: Scope) -> LeafDraft:
    """Steps in order, checked: something must happen first, and what must not happen last needs a time."""
    if steps[0].absent:
        scope.refuse(
            parts, "先后顺序不能以“没有发生”开头", "a sequence cannot begin with something that did not happen"
        )
    if steps[-1].absent and steps[-1].within is None:
        scope.invalid(
            parts,
            "要等多久才算没有发生？",
            "how long must it not happen for?",
            Text("例如“投诉后2小时内未解决”", "For example “a complaint is not resolved within 2 hours”"),
        )
    timed = steps[0].within is not None and not any(p.has("FIRST") for p in parts)
    return LeafDraft(Ordered(steps=tuple(steps)), owner, "fixed", parts, carries_on=timed)


def untimed(parts: Sequence[Part], scope: Scope) -> NoReturn:
    scope.invalid(
        parts,
        "先后顺序的第一步不能有时限",
        "the first step of a sequence has nothing to be timed from",
        Text(
            "时限写在后一步，例如“投诉后2小时内未解决”",
            "Put the time on the later step: “A, then B within 2 hours”",
        ),
    )
