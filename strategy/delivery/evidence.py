"""The events that a decision rests on, as they were: ids from what was recorded, contents from the journal, as far as
the request's purpose may see them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from core.context import RequestContext, may_use
from core.errors import NotFound
from core.events import Event
from core.text import Text
from core.times import Micros
from knowledge.catalog import Catalog
from knowledge.graph import CatalogLimits
from strategy.asof import SCANNED
from strategy.delivery import repository
from strategy.engine.groups import groups_of, subjects_of
from strategy.journal import input_from
from strategy.repository import JournalRepository


@dataclass(frozen=True, slots=True)
class Evidence:
    """Events by time. `withheld`: events the purpose may not see; `missing`: ids that the journal does not have."""

    events: tuple[Event, ...]
    withheld: int
    missing: tuple[str, ...]


def evidence(session: Session, ctx: RequestContext, decision_id: str, catalog: Catalog) -> Evidence:
    """The content of every event that a decision's trigger and audience name.

    Raises:
        NotFound: the tenant has no such decision.
    """
    row = repository.decision(session, ctx, decision_id)
    if row is None:
        raise NotFound(Text(f"没有决策 {decision_id!r}", f"there is no decision {decision_id!r}"))
    ids = dict.fromkeys([*_ids(row.why["trigger"]), *_ids(row.why["audience"] or {})])
    found = _events(JournalRepository(session, ctx.tenant), catalog, row.subject, list(ids), Micros(row.at))
    limits = CatalogLimits(lambda: catalog)
    seen = [event for event in found if may_use(ctx.purpose, limits.of_event(event.type))]
    return Evidence(
        tuple(_for_purpose(ctx, event, limits) for event in seen),
        len(found) - len(seen),
        tuple(id_ for id_ in ids if id_ not in {event.id for event in found}),
    )


def _events(
    journal: JournalRepository, catalog: Catalog, subject: str, ids: Collection[str], at: Micros
) -> list[Event]:
    """The subject's events of these ids, or, of a group (a store, a region), those that count for it."""
    found = [event for row in journal.by_ids(subject, ids, at) if isinstance(event := input_from(row), Event)]
    groups = {name: kind for name, kind in groups_of(catalog).items() if subject.partition("/")[0] in dict(kind)}
    missing = set(ids) - {event.id for event in found}
    if not groups or not missing:
        return found
    scanned = 0
    for page in journal.events_back(groups, None, at):
        for row in page:
            event = input_from(row)
            if row.id in missing and isinstance(event, Event) and subject in subjects_of(event, groups):
                found.append(event)
        scanned += len(page)
        if scanned > SCANNED or missing <= {event.id for event in found}:
            break
    return sorted(found, key=lambda event: event.order)


def _ids(seen: Mapping[str, Any]) -> Iterator[str]:
    yield from seen.get("evidence", ())
    for child in seen.get("children", ()):
        yield from _ids(child)


def _for_purpose(ctx: RequestContext, event: Event, limits: CatalogLimits) -> Event:
    data = {k: v for k, v in event.data.items() if may_use(ctx.purpose, limits.of_field(event.type, k))}
    return Event(event.id, event.type, event.time, event.subject, data, event.source)
