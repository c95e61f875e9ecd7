"""The oracle for strategies that are deployed, edited and retired while the stream runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.events import Event
from knowledge.catalog import Catalog
from strategy import document as d
from tests.strategy.engine.oracle import Oracle, T


@dataclass
class Version:
    """`since`, `until`, `retired`: what was closed when it was deployed, when a newer one took its place, and when its
    name was stopped. `cold`: it was given no history. `edit`: it followed an older version. `life`: how often its name
    had been stopped."""

    strategy: d.Strategy
    number: int
    since: int | None
    cold: bool
    edit: bool
    life: int
    until: int | None = None
    retired: int | None = None


class Versions(Oracle):
    """`fired` is (instant, strategy, subject, version), in the order of report."""

    def __init__(self, catalog: Catalog, lateness: int = 0) -> None:
        super().__init__(catalog, [], lateness)
        self.versions: list[Version] = []
        self.lives: dict[str, int] = {}
        self._judged: Version | None = None

    def deploy(self, strategy: d.Strategy, number: int, cold: bool) -> None:
        name, closed = strategy.name, self.closed()
        old = self._current(name)
        if old is not None:
            old.until = closed or 0
        lives = self.lives.get(name, 0)
        self.versions.append(Version(strategy, number, closed, cold, old is not None, lives))
        self.strategies.append(strategy)

    def retire(self, name: str) -> None:
        self.lives[name] = self.lives.get(name, 0) + 1
        for version in self.versions:
            if version.strategy.name == name and version.retired is None:
                version.retired = self.closed() or 0

    def _current(self, name: str) -> Version | None:
        return next((v for v in reversed(self.versions) if v.strategy.name == name and v.retired is None), None)

    def running(self) -> list[Version]:
        """The newest version of every strategy that is not retired."""
        return [v for v in self.versions if v is self._current(v.strategy.name)]

    def stands(self, name: str, subject: str, condition: d.Condition | None = None) -> str:
        """The truth of a strategy's trigger, or of a part of it, just after the last closed instant."""
        version, at = self._current(name), self.closed()
        assert version is not None and at is not None
        self._judged = version
        return self.truth(condition or version.strategy.trigger, version.strategy, subject, at, after=True)

    def fired(self) -> list[tuple[int, str, str, int]]:
        turns = sorted(turn for order in range(len(self.versions)) for turn in self._of(order))
        last: dict[tuple[str, int, str], int] = {}
        found = []
        for at, order, subject in turns:
            version = self.versions[order]
            name, cool = version.strategy.name, version.strategy.guards.cooldown
            if cool is not None:
                mine = (name, version.life, subject)
                if at - last.get(mine, at - cool) < cool:
                    continue
                last[mine] = at
            found.append((at, name, subject, version.number))
        return found

    def _of(self, order: int) -> Iterator[tuple[int, int, str]]:
        """A version's turns to true inside its audience, cooldown aside."""
        version, end = self.versions[order], self.closed()
        self._judged = version
        strategy, since = version.strategy, version.since
        for subject in self.subjects(strategy.subject) if end is not None else []:
            known, before = self.known_since(subject), False
            if since is not None and since >= known:
                before = self.truth(strategy.trigger, strategy, subject, since, after=True) == T
            for at in self.instants():
                if at < known or at > (end or 0) or (since is not None and at <= since):
                    continue
                now = self.truth(strategy.trigger, strategy, subject, at) == T
                if now and not before and self._lives(version, subject, at):
                    audience = strategy.audience
                    if audience is None or self.truth(audience, strategy, subject, at) == T:
                        yield at, order, subject
                before = self.truth(strategy.trigger, strategy, subject, at, after=True) == T

    def _lives(self, version: Version, subject: str, at: int) -> bool:
        """Replaced, a version fires by what was in flight alone; retired, not even by that."""
        if version.retired is not None and at > version.retired:
            return False
        return (
            version.until is None
            or at <= version.until
            or any(at in self._completions(part, subject, at) for part in _sequences(version.strategy.trigger))
        )

    # what a version sees

    def begin(self) -> int | None:
        version, begin = self._judged, super().begin()
        if version is not None and version.since is not None and self._unseen(version):
            return max(version.since + 1, self.catalog.history_from or 0)
        return begin

    def _unseen(self, version: Version) -> bool:
        """Events came before it that it was not given."""
        return version.cold and any(isinstance(i, Event) and e <= (version.since or 0) for e, i in self.taken)

    def events(self, subject: str, at: int, *types: str) -> list[Event]:
        version = self._judged
        found = super().events(subject, at, *types)
        if version is None or version.since is None or not version.cold:
            return found
        return [e for e in found if e.time > version.since]

    def opens(self, event: Event, c: d.Sequence) -> bool:
        version = self._judged
        assert version is not None
        early = version.edit and version.since is not None and event.time <= version.since
        late = version.until is not None and event.time > version.until
        return super().opens(event, c) and not early and not late


def _sequences(c: d.Condition) -> list[d.Sequence]:
    if isinstance(c, d.All | d.Any_):
        return [found for part in c.of for found in _sequences(part)]
    if isinstance(c, d.Not):
        return _sequences(c.of)
    return [c] if isinstance(c, d.Sequence) else []
