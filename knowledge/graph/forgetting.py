"""What the customer graph forgets without a customer leaving it: what is old enough, and who is named in the records of
others. What is about a customer goes through `erase`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from core.context import RequestContext
from core.telemetry import span
from knowledge.graph.answers import CustomerGraph
from knowledge.graph.backend import FactWriter
from knowledge.graph.model import Merge, Naming, Outdated, Retraction

Change = Callable[[Any], Any]
Row = TypeVar("Row")


class ForgetfulGraph(CustomerGraph):
    """`GraphStore` over a `FactLog`, whole."""

    def let_go(self, ctx: RequestContext, old: Sequence[Outdated], dry_run: bool = False) -> list[int]:
        def work(turn: FactWriter) -> list[int]:
            gone = [turn.drop_outdated(each, dry_run) for each in old]
            if any(gone) and not dry_run:
                detail = {each.name: count for each, count in zip(old, gone, strict=True) if count}
                turn.audit("graph.let_go", f"{sum(gone)} records", detail)
            return gone

        with span("graph.let_go"):
            return self._write(ctx, work)

    def redact(
        self,
        ctx: RequestContext,
        words: Collection[str],
        change: Change,
        but: Collection[str] = (),
        dry_run: bool = False,
    ) -> int:
        def work(turn: FactWriter) -> int:
            told = _changed(turn.naming(words), change, frozenset(but))
            if not dry_run:
                turn.retell(told)
            return sum(map(len, told))

        with span("graph.redact"):
            return self._write(ctx, work)


def _changed(named: Naming, change: Change, but: frozenset[str]) -> Naming:
    """The rows that the change makes say something else, as they are after it."""
    facts = [f for f in named.facts if not but & {f.subject, f.object}]
    events = [e for e in named.events if e.subject not in but]
    merges = [m for m in named.merges if not but & {m.claim.kept, m.claim.gone}]
    gone = {fact: (r, _reworded(r, change)) for fact, r in named.retractions.items()}
    return Naming(
        _differing(facts, [replace(f, value=change(f.value)) for f in facts]),
        _differing(events, [replace(e, data=change(dict(e.data))) for e in events]),
        _differing(merges, [_without(m, change) for m in merges]),
        {fact: after for fact, (before, after) in gone.items() if before != after},
    )


def _differing(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    return [new for old, new in zip(before, after, strict=True) if new != old]


def _without(merge: Merge, change: Change) -> Merge:
    claim = replace(merge.claim, reason=change(merge.claim.reason), evidence=change(dict(merge.claim.evidence)))
    return replace(merge, claim=claim, undone=merge.undone and _reworded(merge.undone, change))


def _reworded(retraction: Retraction, change: Change) -> Retraction:
    return replace(retraction, reason=change(retraction.reason))
