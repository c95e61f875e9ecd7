"""A customer leaves or asks for a copy: what each store of the hub does about it. The stores themselves implement
`Erasable`; app.privacy calls them in order, proves that nothing is left, and writes the certificate."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from core.context import RequestContext
from core.text import Text
from knowledge.governance.pii import find_pii

SHORTEST = 5
"""Characters from which a key (`c10293`) is looked for by itself; shorter ones only as part of the subject."""
_UNIQUE = frozenset({"mobile", "phone", "email", "id_card", "bank_card", "plate"})


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data it is. `subjects`: all their records; `words`: what names them in anybody's text (numbers, addresses,
    ids of what they wrote); `events`: ids of what happened to them; `alias`: what stands for them where a row stays."""

    subjects: frozenset[str]
    words: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    alias: str = "customer/erased"

    def knowing(self, words: Iterable[str] = (), events: Iterable[str] = ()) -> Person:
        return replace(self, words=self.words | {w for w in words if w}, events=self.events | {e for e in events if e})

    @property
    def named(self) -> list[str]:
        """Everything that is looked for in text, longest first, also as JSON writes it in ASCII."""
        keys = {s.split("/", 1)[1] for s in self.subjects}
        long = {k for k in keys if len(k) >= SHORTEST and any(c.isdigit() for c in k)}
        found = {*self.subjects, *self.words, *long, *(f"customers/{k}" for k in keys)}
        return sorted(found | {json.dumps(word)[1:-1] for word in found}, key=lambda w: (-len(w), w))

    def pattern(self, more: Iterable[str] = ()) -> re.Pattern[str]:
        """Matches what is looked for: no part of a longer word or number (`customer/c1` is not in `customer/c10`)."""
        words = sorted({*self.named, *more}, key=len, reverse=True)
        return re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(map(re.escape, words)) + r")(?![A-Za-z0-9])")


class Traces(NamedTuple):
    """What one store had of a person: records erased (or, with a dry run, that would be), records that stay under an
    alias, records of others in which they were named and no longer are. `why`: why some stay."""

    store: str
    erased: int = 0
    kept: int = 0
    redacted: int = 0
    why: Text | None = None

    @property
    def any(self) -> bool:
        return bool(self.erased or self.kept or self.redacted)


class Found(NamedTuple):
    """What a store learns about a person beyond what is known: words that name them, ids of their events."""

    words: Collection[str] = ()
    events: Collection[str] = ()


class Erasable(Protocol):
    """A store that can tell, give out and forget what it has of a person."""

    @property
    def name(self) -> str: ...

    @property
    def holds(self) -> frozenset[str]:
        """The columns that it looks into: `table.column` of the relational store, `file:table.column` of a file of its
        own, where `*` stands for anything."""
        ...

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        """What else names the person: numbers in their facts, ids of their tickets and conversations."""
        ...

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        """Forget them; with `dry_run` only count. Doing it again finds nothing."""
        ...

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        """Their records as JSON objects."""
        ...


def telling(value: object) -> set[str]:
    """The parts of a value that name a person wherever they stand: phone numbers, cards, addresses of mail, plates."""
    if isinstance(value, str):
        return {value[p.start : p.end] for p in find_pii(value) if p.kind in _UNIQUE}
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return set().union(*(telling(part) for part in inner)) if inner else set()
    return set()


def redact(value: Any, pattern: re.Pattern[str], alias: str) -> Any:
    """The value with everything that is looked for replaced, at any depth."""
    if isinstance(value, str):
        return pattern.sub(alias, value)
    if isinstance(value, int) and pattern.fullmatch(str(value)):
        return alias
    if isinstance(value, dict):
        return {redact(k, pattern, alias): redact(v, pattern, alias) for k, v in value.items()}
    return [redact(part, pattern, alias) for part in value] if isinstance(value, list) else value
