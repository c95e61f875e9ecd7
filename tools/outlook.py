"""Where the one customer of the scope is heading: a property over time with its change and trend, and the steps that
the catalog's patterns find missing, as the graph has them for this purpose."""

from __future__ import annotations

from pydantic import Field

from core.text import Text
from core.times import DAY, Micros
from knowledge.catalog import name_of, nearest
from knowledge.nextbest import next_actions
from tools.base import AnyTool, Args, NoArgs, Scope, ToolResult, ToolRetry, local, tool

_STEPS = 50
"""Newest steps of a curve that are told."""


class Property(Args):
    name: str = Field(min_length=1, description="the property's id in the catalog, such as churn_risk")
    days: int = Field(default=90, ge=1, le=730)


def _property_over_time(scope: Scope, args: Property) -> ToolResult:
    catalog = scope.deps.catalog(scope.ctx)
    kind = scope.customer.split("/", 1)[0]
    named = catalog.attribute(kind, args.name) or catalog.forecasts.get(args.name)
    if named is None:
        known = [*(catalog.objects[kind].attributes if kind in catalog.objects else ()), *catalog.forecasts]
        raise ToolRetry(
            Text(f"目录里没有属性 {args.name!r}", f"the catalog has no property {args.name!r}"),
            nearest=nearest(args.name, known) or known[:5],
            where={"field": "name"},
        )
    since = Micros(scope.deps.clock.now() - args.days * DAY)
    found = scope.deps.graph.series(scope.ctx, scope.customer, args.name, since=since)
    steps = [
        {
            "from": local(scope, step.start),
            "until": None if step.end is None else local(scope, step.end),
            "value": step.value,
            "evidence": step.fact.id,
        }
        for step in found.steps[-_STEPS:]
    ]
    data = {
        "name": args.name,
        "label": name_of(named, args.name, scope.ctx.lang),
        "unit": named.unit,
        "days": args.days,
        "steps": steps,
        "count": len(found.steps),
        "change": found.change,
        "trend_per_day": found.trend,
        "withheld": found.withheld,
    }
    return ToolResult(data, tuple(str(step["evidence"]) for step in steps))


def _next_actions(scope: Scope, _args: NoArgs) -> ToolResult:
    catalog, lang = scope.deps.catalog(scope.ctx), scope.ctx.lang
    found = next_actions(scope.deps.graph, scope.ctx, catalog, subject=scope.customer)
    missing = [
        {
            "pattern": each.pattern,
            "label": each.label.say(lang),
            "missing": each.what.say(lang),
            "because": each.because.say(lang),
            "action": each.action,
            "action_label": each.action_label.say(lang) if each.action_label else None,
            "evidence": list(each.evidence),
        }
        for each in found
    ]
    return ToolResult({"missing": missing, "count": len(missing)}, tuple(i for each in found for i in each.evidence))


TOOLS: tuple[AnyTool, ...] = (
    tool("property_over_time", "read", Property, _property_over_time),
    tool("next_actions", "read", NoArgs, _next_actions),
)
