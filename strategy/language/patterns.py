"""Patterns over parts: "n:NUM u:UNIT HALF?" names a run of parts by the kinds they may be. A word without weight of its
own (FILLER) may stand between any two."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from strategy.language.lexer import Part

Bindings = dict[str, Part]


class _Item(NamedTuple):
    kinds: frozenset[str]
    name: str | None
    optional: bool
    group: tuple[_Item, ...] | None = None


_ITEM = re.compile(r"(?:(\w+):)?([A-Z|]+)(\?)?$")


def _compile(words: list[str]) -> tuple[_Item, ...]:
    items: list[_Item] = []
    while words:
        word = words.pop(0)
        if word == "(":
            depth, inner = 1, []
            while depth:
                nxt = words.pop(0)
                depth += (nxt == "(") - nxt.startswith(")")
                if depth:
                    inner.append(nxt)
            items.append(_Item(frozenset(), None, nxt.endswith("?"), _compile(inner)))
            continue
        match = _ITEM.match(word)
        if match is None:
            raise ValueError(f"bad pattern item {word!r}")
        items.append(_Item(frozenset(match.group(2).split("|")), match.group(1), match.group(3) is not None))
    return tuple(items)


class Found(NamedTuple):
    stop: int
    bound: Bindings


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; `match` gives the longest match that begins at a part."""

    items: tuple[_Item, ...]
    first: frozenset[str]

    def match(self, parts: Sequence[Part], at: int) -> Found | None:
        if at >= len(parts) or self.first.isdisjoint(parts[at].senses):
            return None
        found = max(_walk(self.items, parts, at, {}, begun=False), key=lambda f: f.stop, default=None)
        return found if found and found.stop > at else None


def pattern(text: str) -> Pattern:
    items = _compile(text.split())
    return Pattern(items, _firsts(items))


def _firsts(items: tuple[_Item, ...]) -> frozenset[str]:
    kinds: frozenset[str] = frozenset()
    for item in items:
        kinds |= _firsts(item.group) if item.group else item.kinds
        if not item.optional:
            break
    return kinds


def _walk(items: tuple[_Item, ...], parts: Sequence[Part], at: int, bound: Bindings, *, begun: bool) -> Iterator[Found]:
    if not items:
        yield Found(at, bound)
        return
    item, rest = items[0], items[1:]
    if item.group is not None:
        yield from _walk((*item.group, *rest), parts, at, bound, begun=begun)
        if item.optional:
            yield from _walk(rest, parts, at, bound, begun=begun)
        return
    stop = at
    while stop < len(parts):
        part = parts[stop]
        if item.kinds & part.senses.keys():
            now = {**bound, item.name: part} if item.name else bound
            yield from _walk(rest, parts, stop + 1, now, begun=True)
        if not begun or not part.has("FILLER"):
            break
        stop += 1
    if item.optional:
        yield from _walk(rest, parts, at, bound, begun=begun)


class Rule(NamedTuple):
    """A pattern and what a match becomes; the maker may decline with None."""

    pattern: Pattern
    make: Callable[[Bindings, Part], dict[str, object] | None]


def rule(text: str, make: Callable[[Bindings, Part], dict[str, object] | None]) -> Rule:
    return Rule(pattern(text), make)


class Patterned(Protocol):
    @property
    def pattern(self) -> Pattern: ...


P = TypeVar("P", bound=Patterned)


class Index(Generic[P]):
    """Things with a pattern, looked up by the part at which it may begin."""

    def __init__(self, *entries: P) -> None:
        self._entries = entries
        self._numbers: dict[str, set[int]] = defaultdict(set)
        for number, entry in enumerate(entries):
            for kind in entry.pattern.first:
                self._numbers[kind].add(number)

    def at(self, part: Part) -> list[P]:
        """In the order in which they were given."""
        found = [self._numbers[kind] for kind in part.senses if kind in self._numbers]
        return [self._entries[number] for number in sorted(set().union(*found))] if found else []


def rewrite(parts: Sequence[Part], rules: Index[Rule]) -> list[Part]:
    """One pass from left to right; at each part the longest match (the earlier rule at equal length) is replaced by one
    part with the senses the rule makes."""
    result: list[Part] = []
    at = 0
    while at < len(parts):
        best: tuple[int, dict[str, object]] | None = None
        for pattern_, make in rules.at(parts[at]):
            found = pattern_.match(parts, at)
            if found and (best is None or found.stop > best[0]):
                senses = make(found.bound, parts[at])
                if senses is not None:
                    best = (found.stop, senses)
        if best is None:
            result.append(parts[at])
            at += 1
        else:
            stop, senses = best
            result.append(Part(parts[at].start, parts[stop - 1].end, senses, children=tuple(parts[at:stop])))
            at = stop
    return result
