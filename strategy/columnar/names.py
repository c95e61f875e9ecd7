"""What the scanner has to know of a catalog and a layout, as arrays: the names it may meet, each looked up within its
owner (the line, an event type, an enum), and what each field's values must be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute
from strategy.columnar.columns import Layout
from strategy.columnar.memory import inlined, item, long, word
from strategy.columnar.scan import PAD, head

ID, TYPE, TIME, SUBJECT, SOURCE, DATA, SPEC = range(7)
"""The attributes of a CloudEvent that the scanner reads, in the order of `_ATTRIBUTES`."""
_ATTRIBUTES = ("id", "type", "time", "subject", "source", "data", "specversion")
LINE, TYPES = np.int64(0), np.int64(1)
"""Owners of names: a line's attributes, and the event types. Each type's fields and each enum's values have one too."""
ANY, NUMERIC, BOOLEAN, ENUM, GEO, DATE, WORDS = range(7)
"""What a field's values must be; ANY: the catalog does not declare it."""
RULES = {"number": NUMERIC, "boolean": BOOLEAN, "enum": ENUM, "geo": GEO, "date": DATE, "text": WORDS}
_KIND = re.compile(r"[A-Za-z][\w.-]*")

KIND, FIELD = 4, 5
"""Numbers a row in the tables of types and of fields."""
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
_HALF = np.uint64(32)
_OWN = 1 << 32


@dataclass(frozen=True, slots=True)
class Tables:
    """`names`: a hash table, its rows (owner × 2³² + length, first and last eight bytes, address, what it stands for);
    `types`: the place in the layout (-1: not for the fast path), the owner of its fields, and address and length of the
    `kind/` that its subjects begin with; `fields`: the column of its cells (-1: checked, but not kept), its rule, the
    owner of its enum's values, and the bits of its lowest and highest number. `text` is where addresses lead."""

    names: NDArray[np.int64]
    types: NDArray[np.int64]
    fields: NDArray[np.int64]
    text: NDArray[np.uint8]


@inlined
def ends(at: Any, length: Any) -> Any:
    """The first and the last eight bytes of a name (of a short one: all of it, and nothing)."""
    return np.int64(head(at, length)), np.int64(word(at + length - 8)) if length > 8 else np.int64(0)


@inlined
def slot_of(owner: Any, first: Any, last: Any, size: Any) -> Any:
    """Where in a table of `size` rows (a power of two) to begin looking."""
    mixed = (np.uint64(first) * _MIX[0]) ^ (np.uint64(last) * _MIX[1]) ^ (np.uint64(owner) * _MIX[2])
    mixed = (mixed ^ (mixed >> _HALF)) * _MIX[0]
    return np.int64((mixed >> _HALF) & np.uint64(size - 1))


@inlined
def same(at: Any, other: Any, length: Any) -> Any:
    """Are two spans the same bytes?"""
    while length > 8:
        if word(at) != word(other):
            return False
        at, other, length = at + 8, other + 8, length - 8
    return head(at, length) == head(other, length)


@inlined
def find(names: Any, size: Any, owner: Any, at: Any, length: Any) -> Any:
    """What a span stands for within its owner, or -1; `names` is the address of a table of `size` rows."""
    own = owner * _OWN + length
    first, last = ends(at, length)
    slot = slot_of(own, first, last, size)
    while True:
        row = names + 40 * slot
        found = long(row)
        if found == 0:
            return -1
        ended = found == own and item(row, 1) == first and item(row, 2) == last
        if ended and (length <= 16 or same(at, item(row, 3), length)):
            return item(row, 4)
        slot = (slot + 1) & (size - 1)


def padded(raw: bytes) -> NDArray[np.uint8]:
    """Bytes as a buffer that the scanner may read past."""
    text = np.empty(len(raw) + PAD, np.uint8)
    text[: len(raw)] = np.frombuffer(raw, np.uint8)
    text[len(raw) :] = ord("\n")
    return text


def tables(layout: Layout, catalog: Catalog) -> Tables:
    """Every type, field and value that the catalog declares or the layout asks for."""
    book = _Book()
    for what, name in enumerate(_ATTRIBUTES):
        book.add(int(LINE), name, what)
    fields: list[tuple[int, ...]] = []
    places: list[tuple[int, int]] = []
    kinds = []
    for place, name in enumerate(layout.types):
        kind = catalog.events.get(name)
        # Of a subject type that no subject can have, no event is good.
        fit = kind is not None and _KIND.fullmatch(kind.subject) is not None
        owner = book.owner()
        places.append((place if fit else -1, owner))
        kinds.append(f"{kind.subject if kind else ''}/".encode())
        book.add(int(TYPES), name, place)
        declared: dict[str, Attribute] = kind.fields if kind else {}
        columns = {used: w for w, used in enumerate(layout.fields[place])}
        for used in dict.fromkeys(chain(columns, declared)):
            book.add(owner, used, len(fields))
            fields.append((columns.get(used, -1), *_rule(book, declared.get(used))))
    text, spans = _texts([*(raw for _, raw, _ in book.entries), *kinds])
    heads = [(*places[n], *spans[len(book.entries) + n]) for n in range(len(kinds))]
    return Tables(
        book.table(spans),
        np.array(heads, np.int64).reshape(-1, KIND),
        np.array(fields, np.int64).reshape(-1, FIELD),
        text,
    )


def _rule(book: _Book, declared: Attribute | None) -> tuple[int, int, int, int]:
    if declared is None:
        return ANY, -1, 0, 0
    values = -1
    if declared.type == "enum":
        values = book.owner()
        for value in declared.values:
            book.add(values, value, 0)
    low = -np.inf if declared.min is None else declared.min
    high = np.inf if declared.max is None else declared.max
    bits = np.array([low, high]).view(np.int64)
    return RULES[declared.type], values, int(bits[0]), int(bits[1])


def _texts(parts: list[bytes]) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """Texts in one buffer, with the address and length of each."""
    text = padded(b"".join(parts))
    spans, at = [], text.ctypes.data
    for part in parts:
        spans.append((at, len(part)))
        at += len(part)
    return text, spans


@dataclass(slots=True)
class _Book:
    """Collects names while the tables are made: owner, name, and what it stands for."""

    entries: list[tuple[int, bytes, int]] = field(default_factory=list)
    owners: int = 2

    def owner(self) -> int:
        self.owners += 1
        return self.owners - 1

    def add(self, owner: int, name: str, meaning: int) -> None:
        self.entries.append((owner, name.encode("utf-8", "surrogatepass"), meaning))

    def table(self, spans: list[tuple[int, int]]) -> NDArray[np.int64]:
        rows = np.zeros((1 << (2 * len(self.entries)).bit_length(), 5), np.int64)
        for (owner, _, meaning), (at, length) in zip(self.entries, spans, strict=False):
            own = owner * _OWN + length
            first, last = ends(at, length)
            slot = slot_of(own, first, last, len(rows))
            while rows[slot, 0]:
                slot = (slot + 1) % len(rows)
            rows[slot] = own, first, last, at, meaning
        return rows
