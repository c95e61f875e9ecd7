"""The report at the end of a replay: what fired, how often a day, for how many, what the guards stopped, a sample of
why, and for strategies that never fired, why not. It is filled while the replay runs and read when it has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from core.text import Lang
from core.times import Micros, format_time, to_datetime
from knowledge.catalog import Catalog
from strategy.delivery.decide import REASONS, Reason
from strategy.document import Strategy
from strategy.nearest_miss import Miss, miss_as_dict
from strategy.replay import Dropped, Fired, Item, Replay, record_of
from strategy.stream import Line
from strategy.withheld import withhold, withhold_firing

SAMPLE = 5


@dataclass(slots=True)
class Tally:
    """One strategy. `days`: firings by local day, as its ordinal. `sample`: a uniform sample of its firings."""

    strategy: Strategy
    firings: int = 0
    subjects: set[str] = field(default_factory=set)
    first: Micros | None = None
    last: Micros | None = None
    days: Counter[int] = field(default_factory=Counter)
    dropped: Counter[Reason] = field(default_factory=Counter)
    sample: list[Fired] = field(default_factory=list)
    known: int = 0
    miss: Miss | None = None


class Report:
    """Give it every item of a replay, then `finish` it. The same replay, sample size and seed give the same report.
    What the replay runs besides these strategies is left out.

    Args:
        kept: it is stored for whoever asks later, for whatever purpose: nothing that is limited to purposes is shown.
    """

    def __init__(
        self,
        catalog: Catalog,
        strategies: Sequence[Strategy],
        sample: int = SAMPLE,
        seed: int = 0,
        *,
        kept: bool = False,
    ) -> None:
        self.tallies = {strategy.name: Tally(strategy) for strategy in strategies}
        self._catalog = catalog
        self._size, self._seed, self._kept = sample, seed, kept
        self._chances = {name: Random(f"{seed}/{name}") for name in self.tallies}
        self._replay: Replay | None = None

    def follow(self, replay: Replay, facts: Iterable[Line], events: Iterable[Line]) -> Iterator[Item]:
        """Run the replay to its end, item by item."""
        for item in replay.run(facts, events):
            self.add(item)
            yield item
        self.finish(replay)

    def add(self, item: Item) -> None:
        if isinstance(item, Dropped) and item.firing.strategy in self.tallies:
            self.tallies[item.firing.strategy].dropped[item.reason] += 1
        elif isinstance(item, Fired) and item.strategy.name in self.tallies:
            tally, at = self.tallies[item.strategy.name], item.firing.at
            tally.firings += 1
            tally.subjects.add(item.firing.subject)
            tally.first = at if tally.first is None else tally.first
            tally.last = at
            tally.days[self._day(at).toordinal()] += 1
            self._keep(tally, item)

    def _keep(self, tally: Tally, item: Fired) -> None:
        """Reservoir sampling (Vitter's algorithm R)."""
        if self._kept:
            item = replace(item, firing=withhold_firing(item.firing, item.strategy, self._catalog, None))
        if len(tally.sample) < self._size:
            tally.sample.append(item)
        elif (place := self._chances[item.strategy.name].randrange(tally.firings)) < self._size:
            tally.sample[place] = item

    def finish(self, replay: Replay) -> None:
        """The replay has ended: what can be known only then."""
        self._replay = replay
        for name, tally in self.tallies.items():
            tally.known = len(replay.known(tally.strategy.subject))
            if name not in replay.fired:
                miss = replay.nearest_miss(name, self._chances[name])
                tally.miss = self._without_limited(miss, tally.strategy) if self._kept else miss

    def _without_limited(self, miss: Miss, strategy: Strategy) -> Miss:
        if miss.seen is None:
            return miss
        trigger, audience = miss.seen
        audience = audience and withhold(audience, strategy.audience, self._catalog, None)
        return replace(miss, seen=(withhold(trigger, strategy.trigger, self._catalog, None), audience))

    def sample(self) -> list[Fired]:
        """At most so many firings in all, spread over the strategies that fired, in order of time."""
        samples = [list(tally.sample) for tally in self.tallies.values() if tally.sample]
        Random(self._seed).shuffle(samples)
        chosen: list[Fired] = []
        while any(samples) and len(chosen) < self._size:
            for one in samples:
                if one and len(chosen) < self._size:
                    chosen.append(one.pop(0))
        return sorted(chosen, key=lambda fired: (fired.firing.at, fired.firing.key))

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        """As JSON; moments in UTC, days in the catalog's time zone, words in one language."""
        assert self._replay is not None
        summary = self._replay.summary
        first, last = self._period()
        days = self._days()
        return {
            "from": None if first is None else format_time(first),
            "until": None if last is None else format_time(last),
            "first_day": days[0].isoformat() if days else None,
            "last_day": days[-1].isoformat() if days else None,
            "days": len(days),
            "events": summary.events,
            "facts": summary.facts,
            "set_aside": {"bad": summary.bad, "late": summary.late, "duplicates": summary.duplicates},
            "left_out": {
                "after_until": summary.after_until,
                "not_reached": summary.not_reached,
                "firings_before_from": summary.before_since,
            },
            "firings": sum(tally.firings for tally in self.tallies.values()),
            "dropped": sum(tally.dropped.total() for tally in self.tallies.values()),
            "strategies": [self._told(tally, lang) for tally in self.tallies.values()],
            "sample": [record_of(fired, self._catalog, lang) for fired in self.sample()],
        }

    def _told(self, tally: Tally, lang: Lang) -> dict[str, Any]:
        days = self._days()
        reached = len(tally.subjects)
        return {
            "name": tally.strategy.name,
            "firings": tally.firings,
            "per_day": round(tally.firings / len(days), 4) if days else 0.0,
            "by_day": [{"day": day.isoformat(), "firings": tally.days[day.toordinal()]} for day in days],
            "subjects": reached,
            "known_subjects": tally.known,
            "share": round(reached / tally.known, 6) if tally.known else 0.0,
            "first": None if tally.first is None else format_time(tally.first),
            "last": None if tally.last is None else format_time(tally.last),
            "dropped": [
                {"reason": reason.value, "said": REASONS[reason].say(lang), "firings": count}
                for reason, count in tally.dropped.most_common()
            ],
            "why_not": None if tally.miss is None else miss_as_dict(tally.miss, tally.strategy, self._catalog, lang),
        }

    @property
    def days(self) -> int:
        """Local days that the report covers."""
        return len(self._days())

    def _period(self) -> tuple[Micros | None, Micros | None]:
        """What the report covers: from --from or the earliest event to the last moment of event time."""
        assert self._replay is not None
        summary, since = self._replay.summary, self._replay.since
        first = summary.began if since is None else max(since, summary.began or since)
        starts = [moment for moment in (first, *(tally.first for tally in self.tallies.values())) if moment is not None]
        return min(starts, default=None), summary.ended

    def _days(self) -> list[date]:
        first, last = self._period()
        if first is None or last is None or last < first:
            return []
        begin, end = self._day(first), self._day(last)
        return [begin + timedelta(days=n) for n in range((end - begin).days + 1)]

    def _day(self, at: Micros) -> date:
        return to_datetime(at, self._catalog.timezone).date()
