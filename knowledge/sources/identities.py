"""Columns that tell whether two records are one person or company: the same kind of number or address in several tables
of one type. What becomes of them is for identity resolution; here they are found and compared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from knowledge.sources.columns import Column
from knowledge.sources.plan import IdentityPlan
from knowledge.sources.vocabulary import Vocabulary

if TYPE_CHECKING:
    from knowledge.sources.propose import Looked

TELLING = ("phone", "email", "id_card", "wechat", "bank_card", "plate", "vin", "serial")
"""Properties of which two different people or things seldom share a value."""
_OF_KIND = {
    "mobile": "phone",
    "phone": "phone",
    "email": "email",
    "id_card": "id_card",
    "bank_card": "bank_card",
    "plate": "plate",
}


def telling(column: Column, words: Vocabulary) -> str:
    """The telling property that a column is, by its values first, then by its name; "" for none."""
    if found := _OF_KIND.get(column.kind):
        return found
    meaning = words.property_of(column.name)
    return meaning.id if meaning.id in TELLING and meaning.sure >= 0.8 and column.type == "text" else ""


def normal(value: str, prop: str) -> str:
    """The form in which two systems' values are compared."""
    folded = "".join(c for c in value.casefold() if c.isalnum() or (prop == "email" and c in "@.+-_"))
    return folded[-11:] if prop == "phone" and len(folded) > 11 else folded


def find_identities(looked: Sequence[Looked], words: Vocabulary) -> list[IdentityPlan]:
    """Telling properties that tables of one type have; those that share most come first."""
    held: dict[tuple[str, str], list[tuple[str, set[str]]]] = {}
    for seen in looked:
        for column in seen.columns if seen.key is not None and seen.type is not None else ():
            if prop := telling(column, words):
                values = {normal(value, prop) for value in column.values}
                assert seen.type is not None
                held.setdefault((seen.type.id, prop), []).append((f"{seen.table.name}.{column.name}", values))
    plans = []
    for (entity, prop), columns in held.items():
        shared = set().union(*(a & b for (_, a), (_, b) in combinations(columns, 2)))
        plans.append(
            IdentityPlan(entity=entity, property=prop, columns=[name for name, _ in columns], shared=len(shared))
        )
    return sorted(plans, key=lambda p: (-p.shared, p.entity, p.property))


def agreeing(one: Looked, other: Looked, words: Vocabulary) -> float | None:
    """Of the keys that two tables share, the part for which a telling property (or the name) agrees; None when they
    have none in common to compare."""
    assert one.key is not None and other.key is not None
    mine, its = _comparable(one, words), _comparable(other, words)
    common = [(prop, column, its[prop]) for prop, column in mine.items() if prop in its]
    if not common:
        return None
    rows = {str(row.get(other.key.name)): row for row in other.rows}
    compared = agreed = 0
    for row in one.rows:
        match = rows.get(str(row.get(one.key.name)))
        if match is None:
            continue
        pairs = [
            (normal(str(row[a.name]), prop), normal(str(match[b.name]), prop))
            for prop, a, b in common
            if row.get(a.name) and match.get(b.name)
        ]
        compared += bool(pairs)
        agreed += any(a == b for a, b in pairs)
    return agreed / compared if compared else None


def _comparable(seen: Looked, words: Vocabulary) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in seen.columns:
        prop = telling(column, words) or ("name" if words.property_of(column.name).id == "name" else "")
        if prop and column is not seen.key:
            found.setdefault(prop, column)
    return found
