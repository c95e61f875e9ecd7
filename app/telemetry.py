"""Where spans go: to an OTLP/HTTP collector when one is set, else nowhere."""

from __future__ import annotations

from collections.abc import Callable

from app.settings import Settings
from core.telemetry import mask_with
from knowledge.governance.pii import mask_pii


def start_tracing(settings: Settings) -> Callable[[], None]:
    """Begin to export spans if `otlp_endpoint` is set; returns what flushes and stops it. Texts are masked."""
    mask_with(mask_pii)
    if settings.otlp_endpoint is None:
        return lambda: None
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "zhongshu"}))
    endpoint = str(settings.otlp_endpoint).rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    return provider.shutdown
