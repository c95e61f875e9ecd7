"""What `/metrics` tells Prometheus. One registry a hub, so that two hubs in one process do not add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class _Read(Collector):
    """A counter kept by someone else, with a value for each value of a label."""

    def __init__(self, name: str, help_text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._help, self._label, self._read = name, help_text, label, read

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._help, labels=[self._label])
        for value, count in self._read().items():
            family.add_metric([value], count)
        yield family

    def describe(self) -> Iterable[Metric]:
        """Told to the registry at registration, so that it need not read."""
        return [CounterMetricFamily(self._name, self._help, labels=[self._label])]


class Metrics:
    """Counters and histograms of one hub; names follow Prometheus' conventions (seconds, `_total`)."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "zhongshu_http_requests", "HTTP requests", ["method", "route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "zhongshu_http_request_seconds", "time to answer", ["route"], buckets=_SECONDS, registry=registry
        )
        self.tickets = Histogram(
            "zhongshu_ticket_seconds", "ticket to outcome", ["specialist"], buckets=_SECONDS, registry=registry
        )

    def watch(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when Prometheus asks."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def count(self, name: str, help_text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """A counter (`_total`) whose values, by a label, live elsewhere and are read when Prometheus asks."""
        self.registry.register(_Read(name, help_text, label, read))

    def page(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
