"""The names a reader knows: products by their catalog labels, customers by name. Finding them is one pass over the
text, however many names there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from knowledge.catalog import Catalog
from knowledge.packs.retail import catalog as retail_catalog
from knowledge.parse.model import Entity, EntityKind
from knowledge.parse.width import fold

PRODUCTS = ("device.model", "contract.plan", "order.placed.item")
"""Enumerations of the catalog whose values are things one can buy: `object.attribute` or `event.field`."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a word names. `value` None: several things have this name."""

    kind: EntityKind
    value: str | None


class Vocabulary:
    """Known names → what they name. `machines` are the products that can break down."""

    def __init__(self) -> None:
        self.machines: set[str] = set()
        self._names: dict[str, Name] = {}
        self._by_start: dict[str, list[str]] = {}

    def add(self, word: str, kind: EntityKind, value: str) -> None:
        """Learn a name. One that already means something else becomes ambiguous."""
        key = fold(word.strip())
        if len(key) < 2:
            return
        known = self._names.get(key)
        if known is None:
            start = self._by_start.setdefault(key[:2], [])
            start.append(key)
            start.sort(key=len, reverse=True)
            self._names[key] = Name(kind, value)
        elif known.value != value:
            self._names[key] = Name(known.kind, None)

    def with_customers(self, customers: Iterable[tuple[str, str]]) -> Vocabulary:
        """This vocabulary and these customers, as (subject, name)."""
        grown = Vocabulary()
        grown.machines = set(self.machines)
        grown._names = dict(self._names)
        grown._by_start = {start: list(words) for start, words in self._by_start.items()}
        for subject, name in customers:
            grown.add(name, "customer", subject)
        return grown

    def find(self, text: str, folded: str) -> Iterator[Entity]:
        """Every known name in the text, the longest at each place. `folded` is `fold(text)`."""
        at, end = 0, len(folded) - 1
        while at < end:
            for word in self._by_start.get(folded[at : at + 2], ()):
                stop = at + len(word)
                if folded.startswith(word, at) and _whole(folded, at, stop):
                    name = self._names[word]
                    yield Entity(name.kind, text[at:stop], at, stop, name.value)
                    at = stop - 1
                    break
            at += 1


def _whole(folded: str, start: int, end: int) -> bool:
    """No ASCII word goes on beyond the name (a plural `s` may); Chinese needs no boundary."""
    before = start > 0 and _latin(folded[start - 1]) and _latin(folded[start])
    rest = folded[end : end + 2]
    plural = rest[:1] == "s" and not _latin(rest[1:2])
    after = _latin(rest[:1]) and _latin(folded[end - 1]) and not plural
    return not before and not after


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def products_of(catalog: Catalog, places: Iterable[str] = PRODUCTS) -> Vocabulary:
    """A vocabulary of a catalog's products, each label naming its value's id; places it lacks are passed over."""
    vocabulary = Vocabulary()
    for place in places:
        owner, _, name = place.rpartition(".")
        attribute = catalog.attribute(owner, name) or catalog.field(owner, name)
        for value, labels in attribute.values.items() if attribute else ():
            for word in labels.all():
                vocabulary.add(word, "product", value)
            if owner == "device":
                vocabulary.machines.add(value)
    return vocabulary


@cache
def retail_vocabulary() -> Vocabulary:
    """The retail pack's products; customers are added by who knows them."""
    return products_of(retail_catalog().catalog)
