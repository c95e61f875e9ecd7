"""A plan and its preview as one answer, by kind, for the command line and the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from knowledge.sources.plan import Plan
from knowledge.sources.preview import Preview


def as_report(plan: Plan, seen: Preview) -> dict[str, Any]:
    """Plan and preview as one answer: by kind, then the plan itself."""
    objects = plan.catalog.objects
    return {
        "entities": [
            {
                "type": name,
                "labels": {"zh": item.labels.zh, "en": item.labels.en},
                "keys": [f"{n}.{k}" for n, told in plan.tables.items() if told.entity == name for k in told.key],
                "count": seen.entities.get(name, 0),
            }
            for name, item in objects.items()
        ],
        "relations": [{**found.model_dump(), "count": seen.relations.get(found.name, 0)} for found in plan.relations],
        "properties": list(_properties(plan)),
        "events": [
            {"type": name, "subject": event.subject, "count": seen.events.get(name, 0)}
            for name, event in plan.catalog.events.items()
        ],
        "identities": [identity.model_dump() for identity in plan.identities],
        "preview": seen.as_dict(),
        "plan": plan.as_dict(),
    }


def _properties(plan: Plan) -> Iterator[dict[str, Any]]:
    for name, told in plan.tables.items():
        if told.mapping is None:
            continue
        groups = [(told.mapping.subject, told.mapping.facts)]
        groups += [(rule.object, rule.facts) for rule in told.mapping.relations]
        for template, cells in groups:
            entity = template.split("/", 1)[0]
            for prop, cell in cells.items():
                attribute = plan.catalog.attribute(entity, prop)
                yield {
                    "table": name,
                    "column": cell.column,
                    "entity": entity,
                    "property": prop,
                    "type": attribute.type if attribute else cell.type,
                    "unit": attribute.unit if attribute else cell.unit,
                    "labels": attribute.labels.model_dump() if attribute else {},
                }
