"""The FastAPI application around a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import VERSION
from app.api import (
    approvals,
    audit,
    catalog,
    chat,
    consents,
    customers,
    decisions,
    events,
    gate,
    health,
    inbox,
    keys,
    page,
    problems,
    search,
    setaside,
    stats,
    strategies,
    tickets,
)
from app.hub import Hub
from core.text import Lang

RESOURCES = (
    health,
    stats,
    events,
    setaside,
    strategies,
    decisions,
    inbox,
    tickets,
    chat,
    approvals,
    customers,
    consents,
    search,
    catalog,
    audit,
    keys,
    page,
)
DESCRIPTION = (
    "Zhongshu 中枢: say a sentence and it runs; events meet strategies; tickets meet agents. Send the API key as "
    "`Authorization: Bearer zs_…`, the language as `Accept-Language: zh` or `en`, the purpose as `X-Purpose`. Every "
    "error is `application/problem+json`."
)


def create_app(open_hub: Callable[[], Hub], lang: Lang) -> FastAPI:
    """The application; the hub opens when it starts and closes, after the last request, when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_hub() as hub:
            app.state.hub = hub
            yield

    app = FastAPI(
        title="Zhongshu 中枢",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"logs": False, "metrics": False, "operation_spans": False},
    )
    problems.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    app.add_middleware(gate.Gate, metrics=lambda: app.state.hub.metrics, lang=lang)
    return app
