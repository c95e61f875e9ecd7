"""What every request passes: a request id, the limit on its body, one log line, the HTTP metrics."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.metrics import Metrics
from core.clock import SystemClock
from core.errors import TooLarge
from core.ids import new_id
from core.text import Lang, Text, negotiate_lang

MEGABYTE = 1024 * 1024
EVENT_LIMIT = 32 * MEGABYTE
HISTORY_LIMIT = 256 * MEGABYTE
LIMIT = MEGABYTE
DRAIN = 64 * MEGABYTE
_LIMITS = {
    "/v1/events": EVENT_LIMIT,
    "/v1/facts": EVENT_LIMIT,
    "/v1/histories/": HISTORY_LIMIT,
    "/v1/sources/": HISTORY_LIMIT,
}
_POLLED = ("/healthz", "/readyz", "/metrics", "/v1/stats", "/assets/{name}")
_GIVEN_ID = re.compile(r"[\w.:-]{1,80}")
_log = structlog.get_logger("http")


class Gate:
    """ASGI middleware. `X-Request-Id` is taken over when it is well-formed, else made, and always answered."""

    def __init__(self, app: ASGIApp, metrics: Callable[[], Metrics], lang: Lang) -> None:
        self.app = app
        self._metrics = metrics
        self._lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else new_id("req", SystemClock())
        scope.setdefault("state", {})["request_id"] = request_id
        limit = next((most for path, most in _LIMITS.items() if scope["path"].startswith(path)), LIMIT)
        began, status, taken = time.perf_counter(), 0, 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                await _drain(receive, message)
                raise _too_large(limit)
            return message

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            if int(headers.get("content-length") or 0) > limit:
                await _drain(receive)
                await self._refuse(scope, marked, limit, headers, request_id)
            else:
                await self.app(scope, counted, marked)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    async def _refuse(self, scope: Scope, send: Send, limit: int, headers: Headers, request_id: str) -> None:
        lang = negotiate_lang(headers.get("accept-language"), self._lang)
        body = orjson.dumps(problems.problem(_too_large(limit), lang, scope["path"], request_id))
        head = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 413, "headers": [*head, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        metrics = self._metrics()
        metrics.requests.labels(scope["method"], route, str(status)).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        say = _log.debug if route in _POLLED and status < 400 else _log.info
        say("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


async def _drain(receive: Receive, message: Message | None = None) -> None:
    """Let the sender finish, within bounds: one that is cut off while it sends sees a broken pipe, not the answer."""
    drained = 0
    while drained < DRAIN and (message is None or message.get("more_body")):
        message = await receive()
        drained += len(message.get("body", b""))


def _too_large(limit: int) -> TooLarge:
    size = f"{limit // MEGABYTE} MB"
    return TooLarge(
        Text(f"请求体超过 {size}", f"the body is larger than {size}"),
        hint=Text("请拆成几次发送", "Send it in several parts"),
    )
