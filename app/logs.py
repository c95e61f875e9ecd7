"""Structured logs: one line an event, as JSON or for a terminal, with the request's id; never a customer's words."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

from knowledge.governance.pii import mask_pii

_CUSTOMER_TEXT = frozenset({"text", "body", "message", "sentence", "content", "transcript", "api_key", "authorization"})
_LONG_NUMBER = re.compile(r"(?<!\d)\d{7,19}[\dXx]?(?!\d)")
_KEY = re.compile(r"zs_[0-9a-f]{12}_[\w-]+")


def set_up_logs(level: str, style: Literal["auto", "json", "console"]) -> None:
    """Send everything that logs (ours, uvicorn's, libraries') to standard error in one form."""
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    render: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx", "chromadb", "opentelemetry", "llama_index", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # A young Neo4j warns, at each question, of every property that no node has yet.
    logging.getLogger("neo4j.notifications").setLevel(logging.ERROR)


def mask(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop fields that carry people's words; mask personal data of every kind, other long numbers, and keys."""
    for name, value in event.items():
        if name in _CUSTOMER_TEXT:
            event[name] = "[left out]"
        elif isinstance(value, str) and name not in ("timestamp", "request_id"):
            event[name] = _LONG_NUMBER.sub("[number]", mask_pii(_KEY.sub("[key]", value)))
    return event
