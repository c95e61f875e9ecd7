"""Spans over request → agent → tool → engine → delivery. Rooms call `span`; app/ decides whether they are exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span

_tracer = trace.get_tracer("zhongshu")
_mask: list[Callable[[str], str]] = []


def mask_with(mask: Callable[[str], str]) -> None:
    """What texts of attributes go through before they are kept; app/ sets it once."""
    _mask[:] = [mask]


def masked(value: str | int | float | bool) -> str | int | float | bool:
    return _mask[0](value) if _mask and isinstance(value, str) else value


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[Span]:
    """A span named `room.step` (such as `engine.ingest`); attributes carry ids and counts, never customer text."""
    with _tracer.start_as_current_span(name) as current:
        current.set_attributes({f"zhongshu.{k}": masked(v) for k, v in attributes.items()})
        yield current
