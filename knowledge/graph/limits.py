"""What the catalog says of facts: the purposes that properties, relations, events and fields may serve, and which
sources are trusted most."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from knowledge.catalog import Catalog


class CatalogLimits:
    """The limits of the catalog as it is at each read, since it can be edited at run time."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def of_property(self, object_type: str, name: str) -> Collection[str]:
        catalog = self._catalog()
        if attribute := catalog.attribute(object_type, name):
            return attribute.purposes
        forecast = catalog.forecasts.get(name)
        return forecast.purposes if forecast else ()

    def of_relation(self, name: str) -> Collection[str]:
        relation = self._catalog().relations.get(name)
        return relation.purposes if relation else ()

    def of_event(self, event_type: str) -> Collection[str]:
        event = self._catalog().events.get(event_type)
        return event.purposes if event else ()

    def of_field(self, event_type: str, name: str) -> Collection[str]:
        field = self._catalog().field(event_type, name)
        return field.purposes if field else ()

    def trusted(self, object_type: str, name: str) -> Sequence[str]:
        attribute = self._catalog().attribute(object_type, name)
        return attribute.sources if attribute else ()


class NoLimits:
    """No catalog: only the purposes that facts carry themselves count."""

    def of_property(self, object_type: str, name: str) -> Collection[str]:
        return ()

    def of_relation(self, name: str) -> Collection[str]:
        return ()

    def of_event(self, event_type: str) -> Collection[str]:
        return ()

    def of_field(self, event_type: str, name: str) -> Collection[str]:
        return ()

    def trusted(self, object_type: str, name: str) -> Sequence[str]:
        return ()
