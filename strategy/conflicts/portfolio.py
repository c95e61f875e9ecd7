"""Strategies that are to run together, indexed so that one more is compared only with those its actions touch: by what
they do, on which channel, which events they bring about. What clashes is claimed with a witness, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.errors import ZhongshuError
from core.events import Input
from core.text import Text
from knowledge.catalog import Catalog
from strategy.conflicts import words
from strategy.conflicts.cycles import cycles_through, events_read, goes_round
from strategy.conflicts.joining import FIRST_KEY, Alone, Pasts, apart, as_they_are, joined, renamed, spread
from strategy.conflicts.layout import moment_of
from strategy.conflicts.model import TOGETHER, Clash, Kind, Witness
from strategy.conflicts.proof import always, implies, never, never_together, obviously_apart
from strategy.conflicts.spoken import Names, conjuncts_of, names_in
from strategy.conflicts.witness import Trial, witness_of
from strategy.document import Cap, Condition, Strategy
from strategy.engine.check import check_strategy

TRIED = 4
"""Strategies that share an engine when pairs are tried: it judges each of them on the past of every pair."""

_Pair = tuple[Strategy, Strategy]
_Way = Callable[[Alone, Alone], Pasts]


@dataclass
class _Known:
    """What is found out about one strategy, once, when it is first asked."""

    strategy: Strategy
    catalog: Catalog

    @cached_property
    def misfit(self) -> Text | None:
        """Why it does not fit the catalog, or contradicts itself at a look."""
        try:
            check_strategy(self.strategy, self.catalog)
        except ZhongshuError as error:
            return error.text
        return None

    @cached_property
    def fires_on(self) -> Witness | None:
        return witness_of([self.strategy], self.catalog)

    @cached_property
    def dead(self) -> tuple[Condition, ...] | None:
        """Conditions that cannot hold together, where it never fires. The proof comes first: it is the cheaper one, and
        most strategies need no witness until another comes near them."""
        parts = never(self.strategy, self.catalog)
        return None if parts is None or self.fires_on is not None else parts

    @cached_property
    def alone(self) -> Alone | None:
        return None if self.fires_on is None else Alone.of(self.strategy, self.fires_on, self.catalog)

    @cached_property
    def names(self) -> Names:
        return Names(name for part in conjuncts_of(self.strategy) for name in names_in(part))

    @cached_property
    def asks(self) -> list[Names]:
        """What each of its conditions speaks of, those apart that hold of everybody."""
        parts = conjuncts_of(self.strategy)
        return [names_in(part) for part in parts if not always(part, self.strategy, self.catalog)]


class Portfolio:
    """Build it once; `add` and `remove` keep it up to date; `clashes_of` asks about one strategy that need not be in it
    (one of the same name in it is taken for its older version)."""

    def __init__(self, strategies: Iterable[Strategy], catalog: Catalog) -> None:
        self._catalog = catalog
        self._strategies: dict[str, Strategy] = {}
        self._by_action: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._by_channel: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._by_event: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._found_out: dict[str, _Known] = {}
        self._contrary = _contrary(catalog)
        for strategy in strategies:
            self.add(strategy)

    def __len__(self) -> int:
        return len(self._strategies)

    def __iter__(self) -> Iterator[Strategy]:
        return iter(list(self._strategies.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._strategies

    def __getitem__(self, name: str) -> Strategy:
        return self._strategies[name]

    def add(self, strategy: Strategy) -> None:
        """One that does not fit the catalog (which has changed since) is dead, and clashes with nothing."""
        self.remove(strategy.name)
        self._strategies[strategy.name] = strategy
        if self._about(strategy).misfit is not None:
            return
        for action in _actions(strategy):
            self._by_action[strategy.subject, action][strategy.name] = None
        for channel in self._channels(strategy):
            self._by_channel[strategy.subject, channel][strategy.name] = None
        for event in events_read(strategy):
            self._by_event[strategy.subject, event][strategy.name] = None

    def remove(self, name: str) -> None:
        old = self._strategies.pop(name, None)
        for index in (self._by_action, self._by_channel, self._by_event):
            for key in list(index) if old is not None else ():
                index[key].pop(name, None)

    def warm(self) -> None:
        """Find out about every strategy now what `clashes_of` would else find out when it is first asked."""
        for known in map(self._about, self._strategies.values()):
            if known.misfit is None:
                _ = known.dead, known.fires_on, known.asks

    def clashes(self) -> list[Clash]:
        """Everything that is wrong among the strategies, each pair once."""
        found: list[Clash] = []
        for place, name in enumerate(list(self._strategies)):
            before = set(list(self._strategies)[:place])
            found += [c for c in self.clashes_of(self._strategies[name]) if not before & set(c.strategies)]
        return found

    def clashes_of(self, strategy: Strategy) -> list[Clash]:
        """What is wrong with a strategy beside those in here; first what is certain."""
        if (dead := self._dead(strategy)) is not None:
            return [dead]
        touched = self._touched(strategy)
        found = [*self._meetings(strategy, touched), *self._swallowed(strategy), *self._cycles(strategy)]
        return sorted(found, key=lambda clash: not clash.decided)

    # one strategy by itself

    def _dead(self, strategy: Strategy) -> Clash | None:
        known = self._about(strategy)
        if known.misfit is not None:
            return Clash(Kind.DEAD, (strategy.name,), words.dead(strategy, known.misfit))
        parts = known.dead
        if parts is not None:
            why = words.contradiction(parts, strategy, self._catalog)
            return Clash(Kind.DEAD, (strategy.name,), words.dead(strategy, why))
        return None

    def _about(self, strategy: Strategy) -> _Known:
        known = self._found_out.get(strategy.name)
        if known is None or (known.strategy is not strategy and known.strategy != strategy):
            known = self._found_out[strategy.name] = _Known(strategy, self._catalog)
        return known

    def _fires_on(self, strategy: Strategy) -> Witness | None:
        return self._about(strategy).fires_on

    def _apart(self, one: Strategy, other: Strategy) -> bool:
        return not self._about(one).names.isdisjoint(self._about(other).names) and obviously_apart(
            one, other, self._catalog
        )

    # pairs whose actions touch

    def _touched(self, strategy: Strategy) -> dict[str, list[Clash]]:
        """Other strategies → what would clash if both fired."""
        found: dict[str, list[Clash]] = defaultdict(list)
        kind = strategy.subject
        for action in _actions(strategy):
            for counter, what in self._contrary.get(action, {}).items():
                for name in self._by_action.get((kind, counter), ()):
                    if name != strategy.name:
                        other = self._strategies[name]
                        said = words.contrary(strategy, other, (action, counter), self._catalog, what is Kind.OPPOSITE)
                        found[name].append(Clash(what, (strategy.name, name), said, (action, counter)))
        for channel in self._channels(strategy):
            for name in self._by_channel.get((kind, channel), ()):
                capped = _exceeded(strategy, self._strategies[name]) if name != strategy.name else None
                if capped is not None:
                    other = self._strategies[name]
                    said = words.piled(strategy, other, channel, *capped)
                    found[name].append(Clash(Kind.PILE_UP, (strategy.name, name), said, (channel,)))
        return found

    def _meetings(self, strategy: Strategy, touched: dict[str, list[Clash]]) -> Iterator[Clash]:
        near = [self._strategies[name] for name in touched if not self._apart(strategy, self._strategies[name])]
        witnesses: dict[str, Witness] = {}
        for way in (as_they_are, apart):
            witnesses |= self._at_once(strategy, [each for each in near if each.name not in witnesses], way)
        near = [each for each in near if each.name in witnesses or self._may_meet(strategy, each)]
        witnesses |= self._at_once(strategy, [each for each in near if each.name not in witnesses], spread)
        for other in near:
            witness = witnesses.get(other.name)
            if witness is None and all(self._fires_on(each) is not None for each in (strategy, other)):
                witness = witness_of([strategy, other], self._catalog)
            for clash in touched[other.name]:
                if witness is not None:
                    yield Clash(clash.kind, clash.strategies, clash.said, clash.actions, True, witness)
                else:
                    yield Clash(clash.kind, clash.strategies, words.undecided(clash.said), clash.actions, False)

    def _may_meet(self, strategy: Strategy, other: Strategy) -> bool:
        return not self._about(other).dead and not never_together(strategy, other, self._catalog)

    def _at_once(self, strategy: Strategy, others: Sequence[Strategy], way: _Way) -> dict[str, Witness]:
        """Meetings found by putting together what each fires on by itself: no solver, one engine for some at a time."""
        found: dict[str, Witness] = {}
        if not others or (mine := self._about(strategy).alone) is None:
            return found
        for start in range(0, len(others), TRIED):
            found |= self._put_together(strategy, mine, others[start : start + TRIED], way)
        return found

    def _put_together(
        self, strategy: Strategy, mine: Alone, others: Sequence[Strategy], way: _Way
    ) -> dict[str, Witness]:
        pasts: dict[str, list[Input]] = {}
        pairs: dict[str, tuple[str, str]] = {}
        for number, other in enumerate(others, start=FIRST_KEY):
            yours = self._about(other).alone
            together = {} if yours is None else joined(way(mine, yours), number, self._catalog)
            pasts |= together
            pairs |= dict.fromkeys(together, (strategy.name, other.name))
        trial = Trial([strategy, *others], self._catalog, mine.witness.until)
        return {pairs[key][1]: witness for key, witness in trial.run(pasts, pairs).items()}

    # one that another swallows

    def _swallowed(self, strategy: Strategy) -> Iterator[Clash]:
        candidates = [
            (narrow, wide)
            for other in self._same_doers(strategy)
            for narrow, wide in ((strategy, other), (other, strategy))
            if _does_all(wide, narrow) and self._may_imply(narrow, wide) and not self._apart(narrow, wide)
        ]
        held = [found for found in self._unrefuted(candidates) if implies(*found[0], self._catalog)]
        pairs = [pair for pair, _ in held]
        for (narrow, wide), seen in held:
            same = (wide, narrow) in pairs
            if same and narrow is not strategy:
                continue
            witness = seen or witness_of([narrow, wide], self._catalog)
            said = words.swallowed(narrow, wide, same)
            yield Clash(
                Kind.SWALLOWED,
                (narrow.name, wide.name),
                said if witness is not None else words.undecided(said),
                tuple(dict.fromkeys(_actions(narrow))),
                witness is not None,
                witness,
            )

    def _same_doers(self, strategy: Strategy) -> list[Strategy]:
        names: dict[str, None] = {}
        for action in _actions(strategy):
            names |= self._by_action.get((strategy.subject, action), {})
        return [self._strategies[name] for name in names if name != strategy.name]

    def _may_imply(self, narrow: Strategy, wide: Strategy) -> bool:
        """Whether the narrow one, which does fire, speaks of whatever the wide one asks: of what it does not, it tells
        nothing."""
        names = self._about(narrow).names
        return not any(names.isdisjoint(asked) for asked in self._about(wide).asks)

    def _unrefuted(self, pairs: Sequence[_Pair]) -> list[tuple[_Pair, Witness | None]]:
        """Pairs of which the wide one fires on what the narrow one fires on, and that (None: it was not tried). That it
        does not is proof against it, and one engine tells it of some at a time."""
        parts = (pairs[start : start + TRIED] for start in range(0, len(pairs), TRIED))
        return [found for part in parts for found in self._firing_both(part)]

    def _firing_both(self, pairs: Sequence[_Pair]) -> list[tuple[_Pair, Witness | None]]:
        usual = moment_of([], self._catalog)
        kept, pasts = list[tuple[_Pair, Witness | None]](), dict[str, list[Input]]()
        for number, pair in enumerate(pairs, start=FIRST_KEY):
            alone = self._fires_on(pair[0])
            if alone is not None and alone.until == usual:
                pasts[str(number)] = renamed(alone, str(number), "a", self._catalog)
            elif alone is not None:
                kept.append((pair, None))
        wanted = {key: [each.name for each in pairs[int(key) - FIRST_KEY]] for key in pasts}
        strategies = {each.name: each for key in pasts for each in pairs[int(key) - FIRST_KEY]}
        if pasts:
            trial = Trial(list(strategies.values()), self._catalog, usual)
            kept += [(pairs[int(key) - FIRST_KEY], found) for key, found in trial.run(pasts, wanted).items()]
        return kept

    # circles

    def _cycles(self, strategy: Strategy) -> Iterator[Clash]:
        own = events_read(strategy)

        def readers(event: str) -> Iterator[Strategy]:
            if event in own:
                yield strategy
            names = self._by_event.get((strategy.subject, event), ())
            yield from (self._strategies[name] for name in names if name != strategy.name)

        for cycle in cycles_through(strategy, readers, self._catalog):
            alone = [self._fires_on(each) for each in cycle.strategies]
            if any(each is None for each in alone):
                continue
            witness = goes_round(cycle, [each for each in alone if each is not None], self._catalog)
            if witness is None:
                continue
            said = words.circling(cycle.strategies, cycle.events, self._catalog)
            yield Clash(Kind.CYCLE, tuple(s.name for s in cycle.strategies), said, cycle.events, True, witness)

    def _channels(self, strategy: Strategy) -> list[str]:
        found = (self._catalog.actions.get(action) for action in _actions(strategy))
        return list(dict.fromkeys(action.channel for action in found if action is not None and action.channel))


def _actions(strategy: Strategy) -> list[str]:
    return [call.action for call in strategy.actions if call.action is not None]


def _contrary(catalog: Catalog) -> dict[str, dict[str, Kind]]:
    """Action → those it clashes with, and how; both ways."""
    found: dict[str, dict[str, Kind]] = defaultdict(dict)
    for name, action in catalog.actions.items():
        for other in action.excludes:
            found[name].setdefault(other, Kind.EXCLUSIVE)
            found[other].setdefault(name, Kind.EXCLUSIVE)
    for name, action in catalog.actions.items():
        if action.opposite is not None:
            found[name][action.opposite] = Kind.OPPOSITE
            found[action.opposite][name] = Kind.OPPOSITE
    return found


def _exceeded(one: Strategy, other: Strategy) -> tuple[str, Cap] | None:
    """The cap that one delivery of each breaks, and whose it is."""
    for strategy in (one, other):
        cap = strategy.guards.cap
        if cap is not None and cap.times < 2 and cap.per >= TOGETHER:
            return strategy.name, cap
    return None


def _does_all(wide: Strategy, narrow: Strategy) -> bool:
    """Everything the narrow one does, the wide one does as well."""
    return all(call in wide.actions for call in narrow.actions)
