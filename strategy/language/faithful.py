"""Does a document say what a sentence says? Every number and name of the one is looked for in the other, units
converted, and what is denied or compared the other way round is noticed. Readings that did not come from the grammar
are looked at from both sides; the grammar's own, for words of the sentence that came to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.text import Text
from core.times import DAY
from knowledge.catalog import Catalog
from knowledge.catalog.units import WrongUnit, convert
from strategy.document import Strategy
from strategy.language.amounts import POINTS, Comparison, Quantity
from strategy.language.lexer import Part, lex
from strategy.language.lexicon import Name, lexicon_of
from strategy.language.mentions import Mentions, NameUsed, NumberUsed, mentions
from strategy.language.normalise import Normal, normalise, plain
from strategy.language.quantities import quantities
from strategy.language.scope import Scope

_NEGATIONS = ("NEG", "NEVER", "WITHOUT", "COPNEG", "NOTONEOF", "NOTW", "UNLESS", "EXCEPT", "UNFOLLOWED")
_SIDES = {"<": "low", "<=": "low", ">": "high", ">=": "high", "==": "same", "!=": "other"}
_OFTEN = frozenset({"object"})
"""Kinds of names that a sentence may use for what the document does not name itself: whom or what it is about."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that one side says and the other does not. `where`: offset and length in the sentence, or the field of
    the document. `word`: what no vocabulary knows, which the document may or may not have understood."""

    kind: Literal["number", "name", "word", "text", "negation", "comparison"]
    missing_in: Literal["document", "sentence"]
    said: str
    where: dict[str, Any]
    text: Text


@dataclass(frozen=True, slots=True)
class Heard:
    """A number of a text with what it may be; `micros` and `times` of windows and runs."""

    start: int
    end: int
    quantity: Quantity | None = None
    micros: int | None = None
    times: int | None = None
    op: str | None = None

    bare: bool = False
    """A unit without a number (每周, per month): one of it, if anything."""

    @property
    def slight(self) -> bool:
        """One or none: as often an article as a number."""
        plain = self.quantity is not None and self.op is None and self.quantity.micros is None
        return self.bare or (plain and self.quantity is not None and self.quantity.number in (0, 1))

    def is_(self, used: NumberUsed) -> bool:
        if used.micros is not None:
            said = self.quantity.micros if self.quantity else None
            nearest = said - DAY if said is not None and self.op == "<" else None  # a date fewer than 30 days ahead
            return used.micros in (self.micros, said, nearest)
        if self.times is not None and self.times == used.value:
            return True
        quantity = self.quantity
        if quantity is None:
            return False
        if quantity.unit == "percent" and used.unit is None and not used.counted:  # a rate without a unit: 0.2 is 20%
            return quantity.number in (used.value, 100 * used.value)
        if quantity.unit is None or used.unit is None or quantity.unit in (*POINTS, "岁"):
            return quantity.number == used.value and (used.unit is None or not quantity.times)
        try:
            return abs(convert(quantity.number, quantity.unit, used.unit) - used.value) <= 1e-9 * abs(used.value)
        except WrongUnit:
            return False


def mismatches(text: str, strategy: Strategy, catalog: Catalog) -> list[Mismatch]:
    """Where sentence and document differ, in the order of the sentence, then of the document. Empty: they agree."""
    normal = normalise(text)
    parts = lex(normal, lexicon_of(catalog))
    return _Comparison(normal, parts, quantities(parts), strategy, catalog).all()


def unheard(scope: Scope, parts: Sequence[Part], measured: Sequence[Part], strategy: Strategy) -> list[Mismatch]:
    """What the grammar's sentence says and the document does not, but for how it runs, of which every word is read.
    `parts`: as lexed; `measured`: with numbers put together."""
    ends = [(part.start, part.end) for part in scope.running]
    parts, measured = ([p for p in said if not _within(p, ends)] for said in (parts, measured))
    return _Comparison(scope.normal, parts, measured, strategy, scope.catalog).in_sentence()


def _within(part: Part, ends: Sequence[tuple[int, int]]) -> bool:
    return any(start <= part.start and part.end <= end for start, end in ends)


class _Comparison:
    def __init__(
        self, normal: Normal, parts: Sequence[Part], measured: Sequence[Part], strategy: Strategy, catalog: Catalog
    ) -> None:
        self._catalog = catalog
        self._normal = normal
        self._parts = parts
        self._measured = measured
        self._heard = list(numbers_in(measured))
        self._used: Mentions = mentions(strategy, catalog)
        self._texts = [plain(text) for text, _ in self._used.texts]
        self._named = {n for p in self._parts for n in p.names}

    def in_sentence(self) -> list[Mismatch]:
        found = [*self._unheard_numbers(), *self._unused_parts(), *self._unheard_negation()]
        return sorted(found, key=lambda m: int(m.where.get("offset", 0)))

    def all(self) -> list[Mismatch]:
        return [*self.in_sentence(), *self._invented_numbers(), *self._invented_names(), *self._invented_texts()]

    # said, but not in the document

    def _unheard_numbers(self) -> Iterator[Mismatch]:
        for heard in self._heard:
            fitting = [n for n in self._used.numbers if heard.is_(n)]
            if not fitting and not heard.slight and not self._in_a_text(heard.start, heard.end):
                yield self._of_sentence("number", heard.start, heard.end, "数字", "the number")
            ops = {n.op for n in fitting}
            compared = heard.op is not None and fitting and None not in ops and not self._used.negative
            if compared and _SIDES[heard.op or "=="] not in {_SIDES.get(op or "", "") for op in ops}:
                said = self._normal.said(heard.start, heard.end)
                told = Text(f"“{said}”的比较方向与文档不同", f"{said!r} compares the other way than the document")
                yield Mismatch("comparison", "document", said, self._normal.where(heard.start, heard.end), told)

    def _unused_parts(self) -> Iterator[Mismatch]:
        used = {u.name for u in self._used.names} | {n for u in self._used.names for n in u.implied_by}
        owners = {Name("object", n.owner) for n in used if n.kind == "attribute"}
        for part in self._parts:
            if self._in_a_text(part.start, part.end) or self._merely_has(part):
                continue
            if part.has("UNKNOWN") and not part.has("STRING"):
                yield self._of_sentence("word", part.start, part.end, "词", "the word")
            elif part.has("STRING") and not part.names and plain(str(part.get("STRING"))) not in self._texts:
                yield self._of_sentence("text", part.start, part.end, "文字", "the text")
            elif part.names and not _incidental(part) and not set(part.names) & (used | owners):
                yield self._of_sentence("name", part.start, part.end, "名称", "the name")

    def _in_a_text(self, start: int, end: int) -> bool:
        said = self._normal.text[start:end].strip()
        return bool(said) and any(said in text for text in self._texts)

    def _merely_has(self, part: Part) -> bool:
        """ "holds a balance": a relation's verb where nothing that the relation leads to is spoken of."""
        targets = [Name("object", self._catalog.relations[n.id].target) for n in part.named("relation")]
        return bool(targets) and self._named.isdisjoint(targets)

    def _unheard_negation(self) -> Iterator[Mismatch]:
        turned = max((i for i, p in enumerate(self._measured) if p.has("CMPQ", "CMPV", "COUNT")), default=-1)
        denied = [p for p in self._measured[turned + 1 :] if p.has(*_NEGATIONS) and not p.names]
        if denied and not self._used.negative:
            yield self._of_sentence("negation", denied[0].start, denied[0].end, "否定", "the negation")

    # in the document, but not said

    def _invented_numbers(self) -> Iterator[Mismatch]:
        for used in self._used.numbers:
            if not used.unsaid and not any(heard.is_(used) for heard in self._heard):
                shown = f"{used.value:g}{'' if used.unit is None else ' ' + used.unit}"
                yield _of_document("number", shown, used.field, "数字", "the number")

    def _invented_names(self) -> Iterator[Mismatch]:
        for used in self._used.names:
            if not (({used.name} | used.implied_by) & self._named or self._implied_by_number(used)):
                yield _of_document("name", used.name.id, used.field, "名称", "the name")

    def _implied_by_number(self, used: NameUsed) -> bool:
        """ "Over 60 years old": a unit that nothing else of the event or object has names the attribute."""
        own = [n for n in self._used.numbers if n.of == used]
        return any(
            h.quantity is not None and h.quantity.unit and (n.unit is not None or h.quantity.unit == "岁") and h.is_(n)
            for n in own
            for h in self._heard
        )

    def _invented_texts(self) -> Iterator[Mismatch]:
        for text, place in self._used.texts:
            if plain(text) not in self._normal.text:
                yield _of_document("text", text, place, "文字", "the text")

    def _of_sentence(
        self, kind: Literal["number", "name", "word", "text", "negation"], start: int, end: int, zh: str, en: str
    ) -> Mismatch:
        said = self._normal.said(start, end).strip()
        told = Text(f"句中的{zh}“{said}”不在文档里", f"{en} {said!r} of the sentence is not in the document")
        return Mismatch(kind, "document", said, self._normal.where(start, end), told)


def _of_document(kind: Literal["number", "name", "text"], said: str, place: str, zh: str, en: str) -> Mismatch:
    told = Text(f"文档 {place} 处的{zh}“{said}”句中没有说", f"{en} {said!r} at {place} is not said in the sentence")
    return Mismatch(kind, "sentence", said, {"field": place}, told)


def _incidental(part: Part) -> bool:
    """A word of the language that happens to be, or to be part of, a name; or a noun for whom it is about."""
    return (
        part.weak
        or any(k not in ("NAME", "VALUE", "OBJECT") for k in part.senses)
        or {n.kind for n in part.names} <= _OFTEN
    )


_NUMBERED = (
    "CMPQ", "STREAK", "WINDOW", "REFERENCE", "CMPV", "QTY", "NTH", "AHEAD", "UNIT", "DOUBLE", "HALVE",
)  # fmt: skip


def numbers_in(parts: Sequence[Part]) -> Iterator[Heard]:
    """Every number among the parts of a text, after `quantities`."""
    for part in parts:
        if not part.has(*_NUMBERED) or part.has("STRING", "JSON") or part.names:
            continue
        at = (part.start, part.end)
        if part.has("CMPQ"):
            comparison: Comparison = part.get("CMPQ")
            yield Heard(*at, comparison.quantity, op=comparison.op if comparison.high is None else None)
            if comparison.high is not None:
                yield Heard(*at, comparison.high)
        elif part.has("STREAK"):
            run = part.get("STREAK")
            if run.times is not None or run.micros is not None:
                yield Heard(*at, micros=run.micros, times=run.times)
        elif part.has("WINDOW"):
            span = part.get("WINDOW")
            if span.over is not None or span.last is not None:
                yield Heard(*at, micros=span.over, times=span.last)
        elif part.has("REFERENCE") and part.get("REFERENCE") is not None:
            yield Heard(*at, micros=part.get("REFERENCE"))
        elif part.has("CMPV"):
            values = part.get("CMPV")[1]
            yield from numbers_in(values if isinstance(values, list) else [])
        elif part.has("QTY"):
            yield Heard(*at, part.get("QTY"))
        elif part.has("NTH"):
            yield Heard(*at, times=int(part.get("NTH")))
        elif part.has("AHEAD"):
            yield Heard(*at, part.get("AHEAD"))
        elif part.has("UNIT"):
            yield Heard(*at, Quantity(1, part.get("UNIT")), bare=True)
        elif part.has("DOUBLE", "HALVE"):
            yield Heard(*at, Quantity(100 if part.has("DOUBLE") else 50, "percent"))
