"""What the graph answers beyond facts and relations: whether a path pattern holds, how much a customer weighs, and the
values of derived attributes as of a moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from core.clock import Clock
from core.context import RequestContext, may_use
from core.events import Event, Fact
from core.telemetry import span
from core.times import Micros
from knowledge.graph.backend import ALWAYS, FactLog, FactReader
from knowledge.graph.curve import current, standing
from knowledge.graph.derived import PATTERN, WEIGHT, Derivations, sums_until
from knowledge.graph.identity import canonical
from knowledge.graph.matching import Matcher
from knowledge.graph.model import GraphFact, Identity, PathAnswer, PathMatch, Profile, Reminder
from knowledge.graph.pattern import PathPattern
from knowledge.graph.port import PurposeLimits
from knowledge.graph.store import TemporalGraph
from knowledge.graph.weight import Weight, WeightPart, channel_of, next_step, stepped

_PAGE = 500


class CustomerGraph(TemporalGraph):
    """`GraphStore` over a `FactLog`, with what the catalog derives."""

    def __init__(
        self,
        log: FactLog,
        clock: Clock,
        limits: PurposeLimits | None = None,
        derived: Derivations | None = None,
    ) -> None:
        super().__init__(log, clock, limits, derived)

    def match(
        self,
        ctx: RequestContext,
        pattern: PathPattern,
        subject: str,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
    ) -> PathAnswer:
        at, known = self._clock.now() if as_of is None else as_of, ALWAYS if known_at is None else known_at
        with span("graph.match"), self._log.reading(ctx) as reader:
            return self._answer(ctx, reader, pattern, self._who(reader, [subject], known), subject, at, known)

    def matches(
        self,
        ctx: RequestContext,
        pattern: PathPattern,
        as_of: Micros | None = None,
        known_at: Micros | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[PathMatch]:
        at, known = self._clock.now() if as_of is None else as_of, ALWAYS if known_at is None else known_at
        found: list[PathMatch] = []
        with span("graph.matches"), self._log.reading(ctx) as reader:
            while len(found) < limit and (page := reader.subjects_of(pattern.subject, after, _PAGE)):
                whom = self._who(reader, page, known)
                for subject in page:
                    if len(found) < limit and whom[subject].canonical == subject:
                        answer = self._answer(ctx, reader, pattern, whom, subject, at, known)
                        found += [answer.found] if answer.found else []
                after = page[-1]
        return found

    def weight(self, ctx: RequestContext, subject: str, profile: str, at: Micros | None = None) -> Weight:
        moment, wanted = self._clock.now() if at is None else at, self._derived.weight(profile)
        with span("graph.weight"), self._log.reading(ctx) as reader:
            who = self._who(reader, [subject], ALWAYS)[subject]
            each = [sums_until(reader, member, wanted, moment) for member in who.members]
        seen = [t for t in wanted.terms if self._may_add_up(ctx, t.event, t.value)]
        parts = (WeightPart(t, sum(sums[channel_of(t)].decayed(moment, t.half_life) for sums in each)) for t in seen)
        return Weight(who.canonical, profile, moment, tuple(parts), wanted.cap, len(wanted.terms) - len(seen))

    # --- derived attributes ---

    def reminders(self, ctx: RequestContext, until: Micros, limit: int) -> list[Reminder]:
        with self._log.reading(ctx) as reader:
            return reader.reminders(until, limit)

    def settle(self, ctx: RequestContext, done: Sequence[Reminder], later: Sequence[Reminder]) -> None:
        def work(turn: Any) -> None:
            turn.drop_reminders(done)
            turn.add_reminders(later)

        self._log.write(ctx, work)

    def look(self, ctx: RequestContext, reminder: Reminder) -> tuple[Fact | None, Reminder | None]:
        at, item = reminder.at, reminder.item
        items = self._derived.items
        with span("graph.look"), self._log.reading(ctx) as reader:
            who = self._who(reader, [reminder.subject], ALWAYS)[reminder.subject]
            value: bool | float
            if (pattern := items.patterns.get(item.removeprefix(PATTERN))) and item.startswith(PATTERN):
                answer = self._answer(ctx, reader, pattern, {who.canonical: who}, who.canonical, at, ALWAYS)
                value, changes = answer.found is not None, answer.next_change
            elif (weight := items.weights.get(item.removeprefix(WEIGHT))) and item.startswith(WEIGHT):
                each = [sums_until(reader, member, weight, at) for member in who.members]
                sums = {c: each[0][c].joined([e[c] for e in each[1:]], c.half_life) for c in each[0]}
                value, changes = stepped(weight, sums, at), next_step(weight, sums, at)
            else:
                return None, None
            own = reader.facts_of(who.canonical, item, None, ALWAYS)
        held = current(own, at)
        # What was derived for later moments may have another past now.
        changes = min((t for t in (*(f.valid_from for f in own), changes) if t is not None and t > at), default=None)
        fact = Fact(who.canonical, item, value, at) if value != ((held and held.value) or 0) else None
        return fact, None if changes is None else Reminder(changes, item, who.canonical)

    # --- parts ---

    def _answer(
        self,
        ctx: RequestContext,
        reader: FactReader,
        pattern: PathPattern,
        whom: dict[str, Identity],
        subject: str,
        at: Micros,
        known: Micros,
    ) -> PathAnswer:
        """`whom` says who the subject is; who else is met on the way is added to it."""

        def get_to_know(subjects: Collection[str]) -> None:
            if new := [s for s in subjects if s not in whom]:
                whom.update(self._who(reader, new, known))

        def who(subject: str) -> Identity:
            get_to_know([subject])
            return whom[subject]

        def profile(node: str) -> Profile:
            return self._profile_of(ctx, reader, who(node), at, known)

        def events(node: str) -> list[Event]:
            each = (e for m in who(node).members for e in reader.events_before(m, at, pattern.events))
            seen = (self._for_purpose(ctx, e) for e in each if may_use(ctx.purpose, self._limits.of_event(e.type)))
            return sorted(seen, key=lambda e: e.order)

        def ends(node: str, relation: str, reverse: bool) -> list[tuple[str, GraphFact]]:
            rows = [f for m in who(node).members for f in reader.edges_along(m, relation, reverse, at, known)]
            get_to_know({end for f in rows for end in (f.subject, f.object or "")})
            told = standing((canonical(f, whom) for f in rows), at)
            return [(f.subject if reverse else f.object or "", f) for f in told if self._may_see(ctx, f)]

        matcher = Matcher(pattern, at, profile, events, ends)
        return PathAnswer(matcher.match(who(subject).canonical), matcher.next_change)

    def _may_add_up(self, ctx: RequestContext, event: str, value: str | None) -> bool:
        field = self._limits.of_field(event, value) if value else ()
        return may_use(ctx.purpose, self._limits.of_event(event), field)
