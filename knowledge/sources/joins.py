"""Which columns are keys, and which refer to them: by uniqueness, overlap of values, and names that speak of the same.
The overlap is the share of a column's distinct values that the key has (inclusion dependency)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from knowledge.sources.columns import Column
from knowledge.sources.vocabulary import Vocabulary, looks_like_id, stem_of, words_of

_REFERS = 0.6
"""Overlap from which a column that is named like a key refers to it."""
_REFERS_UNNAMED = 0.9
"""Overlap from which one does that is not, when its values are no plain numbers."""
_SAME = 0.3
"""Overlap of two tables' keys from which they number the same things."""


class Reference(NamedTuple):
    """`column` holds keys of `table`. `overlap` is the share of its values that are there; `cardinality` reads from the
    column's table: `n:1` means that several rows may share one."""

    column: Column
    table: str
    key: str
    overlap: float
    cardinality: str


def find_key(columns: Sequence[Column], table: str, words: Vocabulary) -> Column | None:
    """The column that numbers a table's rows, or None when no single one does."""
    scored = [(_key_score(column, table, words), -column.place, column) for column in columns]
    best = max(scored, key=lambda item: item[:2], default=None)
    return best[2] if best is not None and best[0] >= 2 else None


def _key_score(column: Column, table: str, words: Vocabulary) -> float:
    if not (column.unique and column.full) or column.type in ("date", "geo", "boolean") or column.kind in ("email",):
        return 0
    if column.type == "number" and (not column.whole or column.unit):
        return 0
    long = max(map(len, column.values)) > 64
    named = looks_like_id(column.name)
    score = (3.0 if named else 0.0) + (1 if column.place == 0 else 0) - (3 if long else 0)
    score -= 2 if column.kind in ("mobile", "phone", "id_card", "bank_card", "plate") else 0
    stem = stem_of(column.name)
    if named and (not stem or speaks_of(stem, table, words)):
        score += 2
    if (
        not named
        and column.place == 0
        and column.type == "text"
        and any(c.isdigit() for c in next(iter(column.values)))
    ):
        score += 1.5  # the first column, of codes
    return score


def speaks_of(stem: str, table: str, words: Vocabulary) -> bool:
    """Whether the name of an id column speaks of what a table holds."""
    said, about = words_of(stem), words_of(table)
    if not said:
        return False
    if said in about or about in said:
        return True
    mine, its = words.type_of(stem), words.type_of(table)
    return mine is not None and its is not None and mine.id == its.id


def find_references(columns: Sequence[Column], keys: dict[str, Column], words: Vocabulary) -> list[Reference]:
    """For each column that refers to another table's key, the key it refers to best."""
    found = []
    for column in columns:
        own = keys.get(column.table)
        if (
            (own is not None and own.name == column.name)
            or not column.values
            or column.type in ("date", "geo", "boolean")
        ):
            continue
        rated = [
            (share + (0.5 if named else 0), key, share)
            for key in keys.values()
            if key.table != column.table
            for share in [overlap(column, key)]
            for named in [_named_like(column, key, words)]
            if share >= (_REFERS if named else _REFERS_UNNAMED) and (named or _tells(column, key))
        ]
        if rated:
            _, key, share = max(rated, key=lambda item: item[0])
            found.append(Reference(column, key.table, key.name, round(share, 4), "1:1" if column.unique else "n:1"))
    return found


def overlap(column: Column, key: Column) -> float:
    """The share of the column's distinct values that the key has."""
    return len(column.values & key.values) / len(column.values) if column.values else 0.0


def same_things(one: Column, other: Column) -> float:
    """How much two keys overlap, seen from the smaller one; 0 when by chance at best."""
    if not one.values or not other.values or (one.plain_number != other.plain_number):
        return 0.0
    share = len(one.values & other.values) / min(len(one.values), len(other.values))
    return share if share >= _SAME else 0.0


def _named_like(column: Column, key: Column, words: Vocabulary) -> bool:
    stem = stem_of(column.name) if looks_like_id(column.name) else words_of(column.name)
    if words_of(column.name) == words_of(key.name) and stem_of(key.name):
        return True
    key_stem = stem_of(key.name)
    return (
        speaks_of(stem, key_stem, words)
        if key_stem and not speaks_of(stem, key.table, words)
        else speaks_of(stem, key.table, words)
    )


def _tells(column: Column, key: Column) -> bool:
    """Whether an overlap can be no accident: enough values, not plain numbers, not words of a short list."""
    return not column.plain_number and not key.plain_number and len(column.values) >= 5 and column.type != "number"
