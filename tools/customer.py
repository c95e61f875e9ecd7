"""Reading the one customer of the scope: attributes, contracts, relations, events and open complaints, as the graph has
them for this purpose. Every value comes with the id of the fact or event that gives it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from pydantic import Field

from core.events import Event
from core.times import DAY, HOUR, to_datetime
from knowledge.catalog import Catalog, name_of
from knowledge.graph.model import GraphFact, Profile
from tools.base import AnyTool, Args, NoArgs, Scope, ToolResult, local, tool

_HIDDEN_TYPES = {"geo"}
_OPENED, _RESOLVED = ".opened", ".resolved"


class RecentEvents(Args):
    days: int = Field(default=30, ge=1, le=365)
    limit: int = Field(default=40, ge=1, le=100)


def _customer_profile(scope: Scope, _args: NoArgs) -> ToolResult:
    profile = scope.deps.graph.profile(scope.ctx, scope.customer)
    shown = _attributes(scope, profile)
    data = {"subject": scope.customer, "known": bool(shown), "attributes": shown, "withheld": profile.withheld}
    return ToolResult(data, _ids(shown))


def _contracts(scope: Scope, _args: NoArgs) -> ToolResult:
    graph, ctx = scope.deps.graph, scope.ctx
    near = graph.neighbourhood(ctx, scope.customer, hops=2)
    found: list[dict[str, Any]] = []
    for edge in near.edges:
        if edge.subject == scope.customer and edge.object and edge.object.startswith("contract/"):
            covers = [e for e in near.edges if e.subject == edge.object and e.object]
            found.append(_contract(scope, edge, covers))
    found.sort(key=lambda c: (c["days_left"] is None, c["days_left"] or 0))
    running = [c for c in found if c["active"]]
    data = {
        "contracts": found,
        "count": len(running),
        "current": running[0] if running else None,
        "withheld": near.withheld,
    }
    return ToolResult(data, tuple(i for c in found for i in c["ids"]))


def _contract(scope: Scope, edge: GraphFact, covers: list[GraphFact]) -> dict[str, Any]:
    assert edge.object is not None
    shown = _attributes(scope, scope.deps.graph.profile(scope.ctx, edge.object))
    left = _days_left(scope, shown.get("end_date"))
    status = (shown.get("contract_status") or {}).get("value")
    return {
        "subject": edge.object,
        "number": edge.object.split("/", 1)[1],
        "attributes": shown,
        "days_left": left,
        "active": status != "ended" and (left is None or left >= 0),
        "covers": [e.object for e in covers],
        "ids": [edge.id, *_ids(shown), *(e.id for e in covers)],
    }


def _days_left(scope: Scope, end: dict[str, Any] | None) -> int | None:
    """Whole local days from today to the date; 0 on the day itself."""
    if end is None or not isinstance(end["value"], str):
        return None
    today = to_datetime(scope.deps.clock.now(), scope.deps.catalog(scope.ctx).timezone).date()
    try:
        return (type(today).fromisoformat(end["value"]) - today).days
    except ValueError:
        return None


def _neighbourhood(scope: Scope, _args: NoArgs) -> ToolResult:
    near = scope.deps.graph.neighbourhood(scope.ctx, scope.customer)
    catalog = scope.deps.catalog(scope.ctx)
    related = []
    for edge in near.edges:
        relation = catalog.relations.get(edge.name)
        other = edge.object if edge.subject == scope.customer else edge.subject
        related.append(
            {
                "relation": edge.name,
                "label": name_of(relation, edge.name, scope.ctx.lang) if relation else edge.name,
                "other": other,
                "evidence": edge.id,
            }
        )
    data = {"related": related, "truncated": near.truncated, "withheld": near.withheld}
    return ToolResult(data, tuple(e.id for e in near.edges))


def _recent_events(scope: Scope, args: RecentEvents) -> ToolResult:
    timeline = scope.deps.graph.timeline(scope.ctx, scope.customer, limit=args.limit)
    since = scope.deps.clock.now() - args.days * DAY
    events = [e for e in timeline.events if e.time >= since]
    catalog = scope.deps.catalog(scope.ctx)
    counts = Counter(e.type for e in events)
    newest = {kind: next(e for e in events if e.type == kind) for kind in counts}
    data = {
        "days": args.days,
        "events": [_event(scope, catalog, e) for e in events],
        "counts": {kind.replace(".", "_"): n for kind, n in counts.items()},
        "newest": {kind.replace(".", "_"): _event(scope, catalog, e) for kind, e in newest.items()},
        "withheld": timeline.withheld,
    }
    return ToolResult(data, tuple(e.id for e in events))


def _open_complaints(scope: Scope, _args: NoArgs) -> ToolResult:
    """An event type `x.opened` whose counterpart `x.resolved` is in the catalog is a complaint; one is open until a
    later resolution carries the same number."""
    catalog = scope.deps.catalog(scope.ctx)
    stems = [t.removesuffix(_OPENED) for t in catalog.events if t.endswith(_OPENED)]
    stems = [s for s in stems if s + _RESOLVED in catalog.events]
    types = [s + end for s in stems for end in (_OPENED, _RESOLVED)]
    timeline = scope.deps.graph.timeline(scope.ctx, scope.customer, limit=100, types=types) if types else None
    events = timeline.events if timeline else ()
    contract = contracts(scope)["current"]
    promised = ((contract or {}).get("attributes", {}).get("response_time") or {}).get("value")
    opened = [e for e in events if e.type.endswith(_OPENED) and not _is_resolved(e, events)]
    cases = [_complaint(scope, catalog, e, promised) for e in reversed(opened)]
    breached = [c for c in cases if c["breached"]]
    data = {
        "open": cases,
        "count": len(cases),
        "total": sum(e.type.endswith(_OPENED) for e in events),
        "oldest": cases[0] if cases else None,
        "breached": breached[0] if breached else None,
        "promised_hours": promised,
    }
    return ToolResult(data, tuple(e.id for e in opened))


def _is_resolved(opened: Event, events: tuple[Event, ...]) -> bool:
    stem = opened.type.removesuffix(_OPENED)
    number = opened.data.get(stem.split(".")[-1])
    return any(
        e.type == stem + _RESOLVED and e.time >= opened.time and (number is None or number in e.data.values())
        for e in events
    )


def _complaint(scope: Scope, catalog: Catalog, event: Event, promised: float | None) -> dict[str, Any]:
    now = scope.deps.clock.now()
    waited = (now - event.time) / HOUR
    due = None if promised is None else event.time + round(promised * HOUR)
    return {
        **_event(scope, catalog, event),
        "waited_hours": round(waited, 1),
        "promised_hours": promised,
        "due": None if due is None else local(scope, due),
        "breached": due is not None and now > due,
        "overdue_hours": None if due is None else max(0.0, round((now - due) / HOUR, 1)),
    }


def _event(scope: Scope, catalog: Catalog, event: Event) -> dict[str, Any]:
    kind = catalog.events.get(event.type)
    fields = {}
    for name, value in event.data.items():
        field = kind.fields.get(name) if kind else None
        labels = field.values.get(str(value)) if field else None
        fields[name] = name_of(labels, str(value), scope.ctx.lang) if labels else value
    return {
        "type": event.type,
        "label": name_of(kind, event.type, scope.ctx.lang) if kind else event.type,
        "at": local(scope, event.time),
        "fields": fields,
        "evidence": event.id,
    }


def _attributes(scope: Scope, profile: Profile) -> dict[str, dict[str, Any]]:
    """Attribute → value, label, shown text, unit and evidence id, for what the catalog (or a forecast) names."""
    catalog, lang = scope.deps.catalog(scope.ctx), scope.ctx.lang
    kind = profile.subject.split("/", 1)[0]
    shown: dict[str, dict[str, Any]] = {}
    for name, fact in profile.values.items():
        item = catalog.attribute(kind, name)
        if item is not None and item.type in _HIDDEN_TYPES:
            continue
        named = item or catalog.forecasts.get(name)
        if named is None:
            continue
        labels = item.values.get(str(fact.value)) if item else None
        shown[name] = {
            "label": name_of(named, name, lang),
            "value": fact.value,
            "shown": name_of(labels, str(fact.value), lang) if labels else fact.value,
            "unit": named.unit,
            "evidence": fact.id,
        }
    return shown


def contracts(scope: Scope) -> dict[str, Any]:
    """The data of the tool of that name, for other tools."""
    return _once(scope, "contracts", _contracts)


def open_complaints(scope: Scope) -> dict[str, Any]:
    """The data of the tool of that name, for other tools."""
    return _once(scope, "open_complaints", _open_complaints)


def _once(scope: Scope, name: str, read: Callable[[Scope, NoArgs], ToolResult]) -> dict[str, Any]:
    """Tools of one round run side by side: at worst two of them read the same."""
    if name not in scope.seen:
        scope.seen[name] = read(scope, NoArgs()).data
    data: dict[str, Any] = scope.seen[name]
    return data


def contract_value(scope: Scope, name: str) -> tuple[float | None, str | None]:
    """A number of the current contract and the id of the fact that gives it; what limits are checked against."""
    current = contracts(scope)["current"]
    found = (current or {}).get("attributes", {}).get(name)
    if found is None or not isinstance(found["value"], int | float):
        return None, None
    return float(found["value"]), str(found["evidence"])


def _ids(shown: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    return tuple(str(a["evidence"]) for a in shown.values())


TOOLS: tuple[AnyTool, ...] = (
    tool("customer_profile", "read", NoArgs, _customer_profile),
    tool("contracts", "read", NoArgs, _contracts),
    tool("neighbourhood", "read", NoArgs, _neighbourhood),
    tool("recent_events", "read", RecentEvents, _recent_events),
    tool("open_complaints", "read", NoArgs, _open_complaints),
)
