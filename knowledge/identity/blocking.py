"""Which records are worth comparing: keys that a pair must share. A key too common to tell anything is narrowed by
another of the record's keys, until it is rare; batch and single record use the same keys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from core.text import has_chinese
from knowledge.identity.fields import Field, Record
from knowledge.identity.words import pinyin, skeleton

COMMON = 16
"""A key that more records than this share is narrowed."""
CROWDED = 4 * COMMON
"""Three common keys together that more records than this share give no pairs."""


def single_keys(record: Record, fields: Sequence[Field]) -> list[str]:
    """The keys of a record's fields one by one, `field:form:value`; fields that can slip into each other share
    theirs."""
    keys: dict[str, None] = {}
    names: list[str] = []
    for field in fields:
        value = record.get(field.name)
        if value is None:
            continue
        group = min(field.name, field.beside) if field.beside else field.name
        for form, key in _forms(field, value):
            keys[f"{group}:{form}:{key}"] = None
        if field.kind == "name":
            names.append(value)
    if len(names) > 1:
        keys["person:whole:" + " ".join(sorted(names))] = None
    return list(keys)


def _forms(field: Field, value: str) -> Iterator[tuple[str, str]]:
    match field.kind:
        case "name":
            yield "is", value
            yield "sound", skeleton(value)
        case "full_name":
            sounds = pinyin(value).split()
            yield "sound", "".join(sorted("".join(sounds))) if has_chinese(value) else "".join(sorted(value)).strip()
            for word in sounds if not has_chinese(value) else ():
                yield "word", skeleton(word)
            if has_chinese(value):
                yield "family", sounds[0]
        case "company":
            sound = pinyin(value).replace(" ", "")
            yield "sound", sound
            yield "head", sound[:6]
        case "date":
            yield "is", value[:4] + "".join(sorted((value[4:6], value[6:8])))
            yield "year", value[:4]
            yield "day", value[4:]
        case "phone":
            for number in value.split():
                main = number.partition("x")[0]
                yield "ends", (main[:3] if len(main) == 11 and main[0] == "1" else "") + main[-4:]
        case "email":
            yield "local", value.split("@")[0]
        case "address" | "text":
            yield "is", re.sub(r"\s", "", value)
            yield "numbers", "-".join(re.findall(r"\d+", value)) or value[:4]
            yield "head", re.sub(r"[\s\d]", "", value)[:6]
        case _:
            yield "is", value


def narrowed(keys: Sequence[str], common: frozenset[str]) -> list[str]:
    """The keys to look under: rare ones alone, common ones together with one or two others that are common."""
    found = [k for k in keys if k not in common]
    wide = sorted(k for k in keys if k in common)
    pairs = {(a, b): f"{a}&{b}" for a, b in combinations(wide, 2) if _field(a) != _field(b)}
    found += [name for name in pairs.values() if name not in common]
    still = {pair for pair, name in pairs.items() if name in common}
    found += [
        f"{a}&{b}&{c}" for a, b, c in combinations(wide, 3) if (a, b) in still and (a, c) in still and (b, c) in still
    ]
    return found


def common_keys(keys: Sequence[Sequence[str]], limit: int = COMMON) -> frozenset[str]:
    """The keys, and pairs of common keys, that more than `limit` records share."""
    counted = Counter(k for record in keys for k in record)
    common = {k for k, n in counted.items() if n > limit}
    pairs: Counter[str] = Counter()
    for record in keys:
        wide = sorted(k for k in record if k in common)
        pairs.update(f"{a}&{b}" for a, b in combinations(wide, 2) if _field(a) != _field(b))
    return frozenset(common | {k for k, n in pairs.items() if n > limit})


def _field(key: str) -> str:
    return key.split(":", 1)[0]
