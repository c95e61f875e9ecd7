"""Spans over request → agent → tool → engine → delivery. Rooms call `span`; app/ decides whether they are exported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span

_tracer = trace.get_tracer("zhongshu")


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[Span]:
    """A span named `room.step` (such as `engine.ingest`); attributes carry ids and counts, never customer text."""
    with _tracer.start_as_current_span(name) as current:
        current.set_attributes({f"zhongshu.{k}": v for k, v in attributes.items()})
        yield current
