"""Group subjects: an event happens to a customer, and counts for the store, region or product its fields name too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.events import Event
from knowledge.catalog.model import Catalog

Groups = dict[str, tuple[tuple[str, str], ...]]
"""Event type → (object type, field with its key) of each further subject."""

WHOLE = 1_000_000_000_000_000
"""Whole numbers from here on are no keys: a float may not hold them exactly."""


def groups_of(catalog: Catalog) -> Groups:
    return {name: tuple(event.groups.items()) for name, event in catalog.events.items() if event.groups}


def key_of(value: Any) -> str | None:
    """The key that a field's value is: text as it is, a whole number in digits; None for anything else."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < WHOLE and value == int(value):
        return str(int(value))
    return None


def subjects_of(event: Event, groups: Groups) -> list[str]:
    """Whom an event counts for: its own subject first."""
    return counted_for(event.subject, event.data, groups.get(event.type, ()))


def counted_for(subject: str, data: Mapping[str, Any], groups: tuple[tuple[str, str], ...]) -> list[str]:
    """As `subjects_of`, from an event's parts and the groups of its type."""
    found = [subject]
    for kind, field in groups:
        key = key_of(data.get(field))
        if key is not None:
            found.append(f"{kind}/{key}")
    return found
