"""Weights that decay: how much a customer's interactions count at a moment, recent ones more than old ones. A weight is
computed at read time from sums that are stored decayed to a moment; profiles are data of the catalog."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.events import Event
from core.text import Text
from core.times import EARLIEST, Micros, format_duration
from knowledge.catalog.model import WeightProfile, WeightTerm


@dataclass(frozen=True, slots=True)
class Channel:
    """What a sum adds up: events of a type, or a number they carry, each halved every `half_life`."""

    event: str
    value: str | None
    half_life: int

    def amount(self, event: Event) -> float:
        if self.value is None:
            return 1.0
        seen = event.data.get(self.value)
        return float(seen) if isinstance(seen, int | float) and not isinstance(seen, bool) else 0.0


@dataclass(frozen=True, slots=True)
class DecayedSum:
    """The sum of a record's channel as it was at the time of its newest event."""

    total: float = 0.0
    at: Micros = EARLIEST

    def decayed(self, to: Micros, half_life: int) -> float:
        """The sum at a moment that is not earlier."""
        return self.total * math.exp2(-(to - self.at) / half_life)

    def joined(self, others: Iterable[DecayedSum], half_life: int) -> DecayedSum:
        """One sum of those of several records."""
        each = [self, *others]
        at = max(s.at for s in each)
        return DecayedSum(sum(s.decayed(at, half_life) for s in each), at)

    def plus(self, events: Iterable[Event], channel: Channel) -> DecayedSum:
        """With further events, of whatever time."""
        added = [(e.time, channel.amount(e)) for e in events]
        at = max([self.at, *(t for t, _ in added)])
        sums = [self, *(DecayedSum(value, time) for time, value in added)]
        return DecayedSum(sum(s.decayed(at, channel.half_life) for s in sums), at)


@dataclass(frozen=True, slots=True)
class WeightPart:
    """What one term of the profile gives: the decayed sum, times its points, at most its cap."""

    term: WeightTerm
    decayed: float

    @property
    def points(self) -> float:
        found = self.decayed * self.term.points
        return found if self.term.cap is None else min(found, self.term.cap)

    def says(self) -> Text:
        what = self.term.event if self.term.value is None else f"{self.term.event}.{self.term.value}"
        life, capped = format_duration(self.term.half_life), self.points < self.decayed * self.term.points
        zh = f"{what} 半衰期 {life}：{self.decayed:.3g} × {self.term.points:g} = {self.points:.3g}"
        en = f"{what}, half-life {life}: {self.decayed:.3g} × {self.term.points:g} = {self.points:.3g}"
        return Text(zh + ("（已封顶）" if capped else ""), en + (" (capped)" if capped else ""))


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight at a moment, and what it is made of. `withheld` counts terms whose events the purpose may not see."""

    subject: str
    profile: str
    at: Micros
    parts: tuple[WeightPart, ...]
    cap: float | None = None
    withheld: int = 0

    @property
    def value(self) -> float:
        found = sum(part.points for part in self.parts)
        return found if self.cap is None else min(found, self.cap)

    def says(self) -> Text:
        parts = [part.says() for part in self.parts]
        return Text(
            f"{self.subject} 的 {self.profile} 为 {self.value:.3g}：" + "；".join(p.zh for p in parts),
            f"{self.subject}'s {self.profile} is {self.value:.3g}: " + "; ".join(p.en for p in parts),
        )


def channel_of(term: WeightTerm) -> Channel:
    return Channel(term.event, term.value, term.half_life)


def channels_of(profiles: Mapping[str, WeightProfile]) -> dict[str, set[Channel]]:
    """Event type → the channels that some profile adds it to."""
    found: dict[str, set[Channel]] = {}
    for profile in profiles.values():
        for term in profile.terms:
            found.setdefault(term.event, set()).add(channel_of(term))
    return found


def next_step(profile: WeightProfile, sums: Mapping[Channel, DecayedSum], at: Micros) -> Micros | None:
    """The first microsecond after `at` at which the weight, in whole steps, is another: weights only fall by
    themselves. None when it is below one step for good."""

    def steps(moment: int) -> int:
        return _whole_steps(profile, sums, Micros(moment))

    now = steps(at)
    if now <= 0:
        return None
    far = max(term.half_life for term in profile.terms)
    low, high = int(at), int(at) + far
    while steps(high) >= now:
        low, high = high, high + (high - at)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if steps(middle) >= now else (low, middle)
    return Micros(high)


def stepped(profile: WeightProfile, sums: Mapping[Channel, DecayedSum], at: Micros) -> float:
    """The weight as strategies see it: in whole steps, rounded down."""
    return round(_whole_steps(profile, sums, at) * profile.step, 9)


def _whole_steps(profile: WeightProfile, sums: Mapping[Channel, DecayedSum], at: Micros) -> int:
    parts = tuple(WeightPart(t, sums[channel_of(t)].decayed(at, t.half_life)) for t in profile.terms)
    # A weight that should be a whole step must not fall below it by a rounding error.
    return int(Weight("", "", at, parts, profile.cap).value / profile.step + 1e-9)
