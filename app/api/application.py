"""The FastAPI application around a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from app import VERSION
from app.api import (
    approvals,
    audit,
    cards,
    catalog,
    chat,
    conflicts,
    consents,
    curves,
    customers,
    decisions,
    events,
    gate,
    graph,
    health,
    histories,
    identity,
    inbox,
    keys,
    nextactions,
    outbox,
    page,
    phrases,
    privacy,
    problems,
    recommendations,
    replays,
    search,
    setaside,
    sources,
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
    cards,
    conflicts,
    recommendations,
    strategies,
    phrases,
    replays,
    histories,
    sources,
    decisions,
    outbox,
    inbox,
    tickets,
    chat,
    approvals,
    customers,
    nextactions,
    identity,
    graph,
    consents,
    curves,
    privacy,
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


def create_app(hub: Hub | None, lang: Lang) -> FastAPI:
    """The application around an open hub, which it closes after the last request. Without a hub it can only describe
    itself."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if hub is not None:
            await to_thread.run_sync(hub.close)

    app = FastAPI(
        title="Zhongshu 中枢",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"logs": False, "metrics": False, "operation_spans": False},
    )
    app.state.hub = hub
    problems.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    app.add_middleware(gate.Gate, metrics=lambda: app.state.hub.metrics, lang=lang)
    return app
