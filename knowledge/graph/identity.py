"""Which records are one customer: a pure function of the merges that stand, so that withdrawing one restores exactly
what was; and which value survives where the records disagree. How merges are concluded is not here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from core.text import Text
from core.times import Micros
from knowledge.graph.curve import current, cut, steps
from knowledge.graph.model import Conflict, GraphFact, Identity, Merge, Step


def identities(merges: Iterable[Merge], subjects: Collection[str]) -> dict[str, Identity]:
    """The identity of each of `subjects`. Merges count in the order in which they were recorded: each joins the group
    of the record it gives up to the group of the one it keeps, and the latter's canonical id stays."""
    groups: dict[str, Identity] = {}
    for merge in sorted(merges, key=lambda m: m.seq):
        kept, gone = (groups.get(s) or Identity(s, (s,)) for s in (merge.claim.kept, merge.claim.gone))
        members = tuple(sorted({*kept.members, *gone.members}))
        told = {m.seq: m for m in (*kept.merges, *gone.merges, merge)}
        joined = Identity(kept.canonical, members, tuple(told[seq] for seq in sorted(told)))
        groups.update((member, joined) for member in members)
    return {s: groups.get(s) or Identity(s, (s,)) for s in subjects}


class Survivorship:
    """Of the values that the records of one customer give at a moment, the one that survives: the one whose source is
    trusted most for that property, then the one that began last, was recorded last, is later in the log. A record that
    has no value does not compete.

    Args:
        trusted: property → its sources, the most trusted first; one that is not named comes after all that are.
    """

    def __init__(self, trusted: Callable[[str, str], Sequence[str]]) -> None:
        self._trusted = trusted

    def key(self, fact: GraphFact) -> tuple[int, tuple[int, int, int]]:
        sources = list(self._trusted(fact.subject.split("/", 1)[0], fact.name))
        place = sources.index(fact.source) if fact.source in sources else len(sources)
        return (-place, fact.rank)

    def choose(self, candidates: Iterable[GraphFact]) -> tuple[GraphFact | None, Conflict | None]:
        """The fact that counts of one from each record, and the conflict there was."""
        ordered = sorted(candidates, key=lambda f: (f.value is not None, self.key(f)), reverse=True)
        if not ordered:
            return None, None
        kept = ordered[0]
        others = tuple(f for f in ordered[1:] if f.value is not None and f.value != kept.value)
        return kept, Conflict(kept, others, self._why(kept, others[0])) if others else None

    def _why(self, kept: GraphFact, other: GraphFact) -> Text:
        if self.key(kept)[0] != self.key(other)[0]:
            return Text(
                f"来源 {kept.source or '?'} 对 {kept.name} 比 {other.source or '?'} 更可信",
                f"for {kept.name}, source {kept.source or '?'} is trusted over {other.source or '?'}",
            )
        if kept.valid_from != other.valid_from:
            return Text("生效时间最晚的值有效", "the value that began last counts")
        return Text("生效时间相同，最后记录的值有效", "they began together; the value recorded last counts")

    def curve(self, records: Sequence[Sequence[GraphFact]], since: Micros | None, until: Micros | None) -> list[Step]:
        """The curve that `choose` draws over the facts of several records."""
        if len(records) == 1:
            return steps(records[0], since, until)
        bounds = sorted({b for facts in records for f in facts for b in (f.valid_from, f.valid_to) if b is not None})
        found: list[Step] = []
        for i, start in enumerate(bounds):
            fact, _ = self.choose(f for facts in records if (f := current(facts, start)) is not None)
            if fact is None:
                continue
            stop = bounds[i + 1] if i + 1 < len(bounds) else None
            if found and found[-1].fact is fact and found[-1].end == start:
                found[-1] = Step(found[-1].start, stop, fact)
            else:
                found.append(Step(start, stop, fact))
        return cut(found, since, until)


def canonical(fact: GraphFact, whom: Mapping[str, Identity]) -> GraphFact:
    """The fact with the canonical ids of its ends; the same fact when nothing was merged."""
    obj = fact.object or ""
    subject, obj = whom[fact.subject].canonical, whom[obj].canonical
    return fact if subject == fact.subject and obj == fact.object else replace(fact, subject=subject, object=obj)
