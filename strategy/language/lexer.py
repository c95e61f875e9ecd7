"""A normalised sentence → parts with all their senses. The cheapest cover by vocabulary entries wins: least unknown
text, then fewest parts, so the longest names. What no vocabulary covers stays as an UNKNOWN part with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from strategy.language.atoms import Atom, atoms_of
from strategy.language.inside import is_number, whole_labels
from strategy.language.lexicon import Lexicon, Name
from strategy.language.normalise import Normal
from strategy.language.numerals import CHINESE_NUMBER, SCALE, chinese_number, english_number

_QUOTES = {"“": "”", "「": "」", "『": "』", '"': '"', "`": "`"}
_UNKNOWN_COST, _PART_COST, _WEAK_COST = 100, 10, 6
_OBJECT_FILLERS = frozenset(["to", "into", "the", "our", "on", "in", "a", "an", "了", "过", "我", "们", "的"])


@dataclass(slots=True, eq=False)
class Part:
    """A stretch of the sentence and what it may be: kind → value. NAME's value is a tuple of Name."""

    start: int
    end: int
    senses: dict[str, Any] = field(default_factory=dict)
    weak: bool = False
    children: tuple[Part, ...] = ()

    def has(self, *kinds: str) -> bool:
        return not self.senses.keys().isdisjoint(kinds)

    def get(self, kind: str) -> Any:
        return self.senses.get(kind)

    @property
    def names(self) -> tuple[Name, ...]:
        names: tuple[Name, ...] = self.senses.get("NAME", ())
        return names

    def named(self, *kinds: str) -> list[Name]:
        return [n for n in self.names if n.kind in kinds]


def lex(normal: Normal, lexicon: Lexicon) -> list[Part]:
    """All parts of the sentence in order; every non-blank character lies in exactly one of them."""
    parts: list[Part] = []
    at = 0
    for quoted in _quoted(normal, lexicon):
        parts += _cover(normal.text, at, quoted.start, lexicon)
        parts.append(quoted)
        at = quoted.end
    parts += _cover(normal.text, at, len(normal.text), lexicon)
    parts = _denied_inside(_join_unknown(_bridge(parts, normal), normal), normal, lexicon)
    return _absorb_objects(parts, normal, lexicon)


def _quoted(normal: Normal, lexicon: Lexicon) -> Iterator[Part]:
    """Quoted texts and JSON objects, read from the original so that case and characters stay."""
    text, at = normal.text, 0
    original_at = {offset: i for i, offset in reversed(list(enumerate(normal.starts)))}
    while at < len(text):
        char = text[at]
        stop = None
        senses: dict[str, Any] = {}
        if char in ('"', "{"):
            try:
                value, end = json.JSONDecoder().raw_decode(normal.original, normal.starts[at])
                stop = original_at.get(end)
                senses = {"STRING": value} if isinstance(value, str) else {"JSON": value}
            except ValueError:
                pass
        if stop is None and char in _QUOTES and (close := text.find(_QUOTES[char], at + 1)) > at:
            stop = close + 1
            senses = {"STRING": normal.said(at + 1, close)}
        if stop is None:
            at += 1
            continue
        if char == "`":
            senses = _exact(senses["STRING"], lexicon)
        elif "STRING" in senses and (names := _named_exactly(text[at + 1 : stop - 1], lexicon)):
            senses["NAME"] = names
            if any(n.kind == "value" for n in names):
                senses["VALUE"] = None
        yield Part(at, stop, senses)
        at = stop


def _exact(text: str, lexicon: Lexicon) -> dict[str, Any]:
    """`event:app.login`, `field:order.placed/amount`: a name by kind and id, as readback writes it in doubt."""
    name = lexicon.exact.get(text)
    if name is None:
        return {"UNKNOWN": text}
    extra = {"value": {"VALUE": None}, "object": {"OBJECT": None}}.get(name.kind, {})
    return {"NAME": (name,), **extra}


def _named_exactly(text: str, lexicon: Lexicon) -> tuple[Name, ...]:
    atoms = atoms_of(text)
    for match in lexicon.match(atoms, 0):
        if match.stop == len(atoms) and match.names and not match.weak:
            return match.names
    return ()


@dataclass(slots=True)
class _Choice:
    cost: float
    stop: int
    senses: dict[str, Any]
    weak: bool = False


def _cover(text: str, start: int, end: int, lexicon: Lexicon) -> list[Part]:
    atoms = [_shifted(a, start) for a in whole_labels(text[start:end], lexicon)]
    best: list[_Choice] = [_Choice(0, len(atoms), {})] * (len(atoms) + 1)
    for i in range(len(atoms) - 1, -1, -1):
        choice = _Choice(_UNKNOWN_COST + best[i + 1].cost, i + 1, {"UNKNOWN": atoms[i].text})
        for stop, senses, weak in _options(atoms, i, text, lexicon):
            cost = _PART_COST + best[stop].cost + (_WEAK_COST if weak else 0) - (1 if "NAME" in senses else 0)
            if cost < choice.cost:
                choice = _Choice(cost, stop, senses, weak)
        best[i] = choice
    parts, i = [], 0
    while i < len(atoms):
        choice = best[i]
        parts.append(Part(atoms[i].start, atoms[choice.stop - 1].end, choice.senses, choice.weak))
        i = choice.stop
    return parts


def _shifted(atom: Atom, by: int) -> Atom:
    return Atom(atom.kind, atom.text, atom.key, atom.start + by, atom.end + by) if by else atom


def _options(atoms: list[Atom], i: int, text: str, lexicon: Lexicon) -> Iterator[tuple[int, dict[str, Any], bool]]:
    for match in lexicon.match(atoms, i):
        senses: dict[str, Any] = {}
        for word in match.words:
            if (
                word.kind == "UNIT"
                and atoms[i].kind == "word"
                and match.stop == i + 1
                and atoms[i].end - atoms[i].start <= 2
            ) and (i == 0 or not is_number(atoms[i - 1])):
                continue
            if word.kind == "AFTER" and atoms[i].text in ("follow", "follows", "followed"):
                senses.setdefault("HAPPEN", "en")  # only "following" is after; "no quiz follows" is that none happens
                continue
            if word.kind in _NEWEST and atoms[i].text in ("lasts", "lasted", "lasting"):
                senses.setdefault("FILLER", None)  # what lasts 15 minutes is not the last one
                continue
            if word.kind in ("MEASURE", "GRADE") and (i == 0 or not is_number(atoms[i - 1])):
                continue
            senses.setdefault(word.kind, word.value)
        if match.weak and atoms[i].kind == "number" and _compared(atoms, i, lexicon):
            continue
        if match.names:
            senses["NAME"] = match.names
            if any(n.kind == "value" for n in match.names):
                senses["VALUE"] = None
            if all(n.kind == "object" for n in match.names):
                senses["OBJECT"] = None
        if senses:
            yield match.stop, senses, match.weak
    yield from _numbers(atoms, i, text)


def _compared(atoms: list[Atom], i: int, lexicon: Lexicon) -> bool:
    """ "less than | 1 GB of data": a number that something is compared with begins no name."""
    before = (match for j in range(max(i - 4, 0), i) for match in lexicon.match(atoms, j) if match.stop == i)
    return any(word.kind == "CMP" for match in before for word in match.words)


_NEWEST = ("LAST", "LASTALONE", "FUNCTION", "PREVIOUS", "SINCE")


def _numbers(atoms: list[Atom], i: int, text: str) -> Iterator[tuple[int, dict[str, Any], bool]]:
    atom = atoms[i]
    if atom.kind == "date":
        yield i + 1, {"DATE": atom.text.upper()}, False
    elif atom.kind == "day":  # 2026年5月1日, 2026/5/1
        year, month, day = (int(number) for number in re.findall(r"\d+", atom.text))
        yield i + 1, {"DATE": f"{year:04d}-{month:02d}-{day:02d}"}, False
    elif atom.kind == "clock":
        yield i + 1, {"CLOCK": atom.text}, False
    elif atom.kind == "number":
        value = float(atom.text.replace(",", ""))
        if i + 1 < len(atoms) and atoms[i + 1].text in ("st", "nd", "rd", "th") and atoms[i + 1].start == atom.end:
            yield i + 2, {"NTH": value}, False
        yield i + 1, {"NUM": value}, False
        if scale := SCALE.match(text, atom.end):
            stop = next((j for j in range(i + 1, len(atoms)) if atoms[j].end == scale.end()), None)
            times = 1000.0 if scale.group() == "k" else chinese_number("一" + scale.group())
            if stop is not None and times:
                yield stop + 1, {"NUM": value * times}, False
    elif atom.kind == "word":
        if found := english_number([a.text for a in atoms[i : i + 8]]):
            yield i + found[1], {"NUM": found[0]}, False
    elif run := CHINESE_NUMBER.match(text, atom.start):
        for stop in range(i + 1, len(atoms) + 1):
            if atoms[stop - 1].end > run.end():
                break
            value_or_none = chinese_number(text[atom.start : atoms[stop - 1].end])
            if value_or_none is not None:
                yield stop, {"NUM": value_or_none}, False


_NEVER_BRIDGED = (
    "NAME",
    "AND",
    "OR",
    "LIST",
    "COMMA",
    "STOP",
    "NEG",
    "CMP",
    "COP",
    "DE",
    "THEN",
    "LPAR",
    "RPAR",
    "NEXT",
    "PLUS",
)


def _bridge(parts: list[Part], normal: Normal) -> list[Part]:
    """One Chinese character of the vocabulary between two unknown ones is a part of their name (舒·张·压)."""
    for i in range(1, len(parts) - 1):
        part = parts[i]
        around = parts[i - 1].has("UNKNOWN") and parts[i + 1].has("UNKNOWN")
        chinese = "\u3400" <= normal.text[part.start] <= "\u9fff" and part.end - part.start == 1
        if around and chinese and not part.has(*_NEVER_BRIDGED):
            parts[i] = Part(part.start, part.end, {"UNKNOWN": normal.said(part.start, part.end)})
    for i in range(len(parts) - 1):
        beside = parts[i + 1].has("UNKNOWN") and parts[i].end == parts[i + 1].start
        if beside and normal.text[parts[i].start : parts[i].end] == "上" and not parts[i].has(*_NEVER_BRIDGED):  # 上|海
            parts[i] = Part(parts[i].start, parts[i].end, {"UNKNOWN": "上"})
    for i in range(1, len(parts)):
        code = parts[i - 1].has("UNKNOWN") and parts[i].has("NUM") and parts[i - 1].end == parts[i].start
        if code and normal.text[parts[i].start - 1].isascii():  # X|100
            parts[i] = Part(parts[i].start, parts[i].end, {"UNKNOWN": normal.said(parts[i].start, parts[i].end)})
    for i in range(1, len(parts) - 1):
        part = parts[i]
        short = part.end - part.start == 1 and not normal.text[part.start].isascii() and not part.has(*_NEVER_BRIDGED)
        if short and parts[i - 1].has("COP", "COPNEG") and parts[i + 1].has("UNKNOWN"):  # 城市是|上|海
            parts[i] = Part(part.start, part.end, {"UNKNOWN": normal.said(part.start, part.end)})
    return parts


def _join_unknown(parts: list[Part], normal: Normal) -> list[Part]:
    """Unknown neighbours become one unknown name; a mere part of a known name beside one goes with it."""
    result: list[Part] = []
    for part in parts:
        last = result[-1] if result else None
        if last and _open(last) and _open(part) and (last.has("UNKNOWN") or part.has("UNKNOWN")):
            gap = normal.text[last.end : part.start]
            if not gap.strip():
                senses = {"UNKNOWN": normal.said(last.start, part.end)}
                result[-1] = Part(last.start, part.end, senses)
                continue
        if part.has("UNKNOWN") and not part.has("STRING"):
            part = Part(part.start, part.end, {"UNKNOWN": normal.said(part.start, part.end)})
        result.append(part)
    return result


def _open(part: Part) -> bool:
    return (part.has("UNKNOWN") or part.weak) and not part.has("STRING", "JSON")


def _absorb_objects(parts: list[Part], normal: Normal, lexicon: Lexicon) -> list[Part]:
    """ "logs in to the app": a word that belongs to another label of the event beside it goes with that event. So
    does the first half of a name whose second half follows in the clause: "合同30天内到期"."""
    result = list(parts)
    for i, part in enumerate(parts):
        if part.has("VERB") and not part.names and i + 1 < len(parts):
            _absorb_verb(result, i, normal, lexicon)
            continue
        stray_value = part.has("VALUE") and all(n.kind == "value" and n.of == "field" for n in part.names)
        if not part.has("UNKNOWN") and not stray_value:
            continue
        keys = tuple(a.key for a in atoms_of(normal.text[part.start : part.end]))
        for j in _neighbours(parts, i, normal):
            owners = tuple(n for n in parts[j].named("event") if set(keys) <= lexicon.object_words[n])
            if owners and not any(v.owner == n.id for v in part.names for n in owners):
                result[i] = Part(part.start, part.end, {"FILLER": None})
                result[j] = replace(result[j], senses={**parts[j].senses, "NAME": owners})
                break
        else:
            for j in range(i + 1, len(parts)):
                if parts[j].has("COMMA", "AND", "OR", "STOP"):
                    break
                rest = tuple(a.key for a in atoms_of(normal.text[parts[j].start : parts[j].end]))
                owners = lexicon.labelled((*keys, *rest)) if parts[j].weak else ()
                if owners:
                    result[i] = Part(part.start, part.end, {"FILLER": None})
                    result[j] = Part(parts[j].start, parts[j].end, {"NAME": owners})
                    break
    return result


def _absorb_verb(result: list[Part], i: int, normal: Normal, lexicon: Lexicon) -> None:
    """ "places exactly 2 orders": the verb of "place an order" stands apart from its noun."""
    keys = {a.key for a in atoms_of(normal.text[result[i].start : result[i].end])}
    for step in (1, -1):
        j = i + step
        while 0 <= j < len(result) and not result[j].has("COMMA", "AND", "OR", "STOP", "IF", "NEXT"):
            if any(keys <= lexicon.object_words[n] for n in result[j].named("event")):
                result[i] = replace(result[i], senses={"FILLER": None})
                return
            j += step


def _denied_inside(parts: list[Part], normal: Normal, lexicon: Lexicon) -> list[Part]:
    """ "投诉没有办结" denies "投诉办结": the denial stands inside the label."""
    for i in range(1, len(parts) - 1):
        if not parts[i].has("NEG") or parts[i].names or not (parts[i + 1].weak or parts[i + 1].has("UNKNOWN")):
            continue
        keys = [a.key for p in (parts[i - 1], parts[i + 1]) for a in atoms_of(normal.text[p.start : p.end])]
        if named := tuple(n for n in lexicon.labelled(tuple(keys)) if n.kind == "event"):
            whole = Part(parts[i - 1].start, parts[i + 1].end, {"NAME": named})
            denied = replace(parts[i], start=parts[i - 1].start, end=parts[i - 1].start)
            return [*parts[: i - 1], denied, whole, *_denied_inside(parts[i + 2 :], normal, lexicon)]
    return parts


def _neighbours(parts: list[Part], i: int, normal: Normal) -> Iterator[int]:
    for step in (-1, 1):
        j = i + step
        while 0 <= j < len(parts) and normal.text[parts[j].start : parts[j].end] in _OBJECT_FILLERS:
            j += step
        if 0 <= j < len(parts):
            yield j
