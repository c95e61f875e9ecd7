"""What the purpose of a request may not see of an observation: values and events of conditions that read something the
catalog limits to other purposes. That the condition held stays: it is what was decided, not what was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from core.context import Purpose, may_use
from knowledge.catalog import Catalog
from strategy.document import All, Any_, Condition, Leaf, Not, Strategy, texts_of
from strategy.engine.port import Firing, Observation


def withhold(seen: Observation, condition: Condition | None, catalog: Catalog, purpose: Purpose | None) -> Observation:
    """The observation as `purpose` may see it; None: as everybody may, whatever they come for. Without a condition
    (acts of agents) it is as it was: their observations hold nothing but ids."""
    if isinstance(condition, All | Any_):
        pairs = zip(seen.children, condition.of, strict=True)
        return replace(seen, children=tuple(withhold(child, part, catalog, purpose) for child, part in pairs))
    if isinstance(condition, Not):
        return replace(seen, children=(withhold(seen.children[0], condition.of, catalog, purpose),))
    if condition is None or _open(condition, catalog, purpose):
        return seen
    return replace(seen, observed=None, evidence=(), children=(), note="withheld")


def withhold_firing(firing: Firing, strategy: Strategy, catalog: Catalog, purpose: Purpose | None) -> Firing:
    """A firing with both of its observations as `withhold` leaves them."""
    audience = firing.audience and withhold(firing.audience, strategy.audience, catalog, purpose)
    return replace(firing, trigger=withhold(firing.trigger, strategy.trigger, catalog, purpose), audience=audience)


def _open(condition: Leaf, catalog: Catalog, purpose: Purpose | None) -> bool:
    limits = [limit for limit in _limits(texts_of(condition.model_dump(mode="json")), catalog) if limit]
    return not limits if purpose is None else may_use(purpose, *limits)


def _limits(names: set[str], catalog: Catalog) -> Iterator[Collection[str]]:
    """The purposes of everything in the catalog that goes by one of these names. A text that only looks like a name
    withholds too much, never too little."""
    metrics = [catalog.metrics[name] for name in names & catalog.metrics.keys()]
    names = names | {event for metric in metrics for event in (metric.ratio.of, metric.ratio.per)}
    yield from (metric.purposes for metric in metrics)
    yield from (catalog.forecasts[name].purposes for name in names & catalog.forecasts.keys())
    yield from (catalog.relations[name].purposes for name in names & catalog.relations.keys())
    for thing in catalog.objects.values():
        yield from (thing.attributes[name].purposes for name in names & thing.attributes.keys())
    for event in (catalog.events[name] for name in names & catalog.events.keys()):
        yield event.purposes
        yield from (event.fields[name].purposes for name in names & event.fields.keys())
