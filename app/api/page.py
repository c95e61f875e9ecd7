"""The start page and the API reference: plain files, no build step, nothing from other hosts. On loopback the start
page gets a cookie with which it may read `/v1/stats` (counts only) for an hour; everything else needs a key."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from app.hub import Hub
from core.errors import NotFound
from core.text import Text
from core.times import HOUR, SECOND

COOKIE = "zhongshu_page"
_WEB = Path(__file__).parent.parent / "web"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".html": "text/html"}
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

router = APIRouter(include_in_schema=False)


@router.get("/")
def start_page(request: Request) -> Response:
    response = _file("index.html")
    hub: Hub = request.app.state.hub
    if _is_local(request, hub):
        response.set_cookie(
            COOKIE, _ticket(hub), max_age=HOUR // SECOND, path="/v1/stats", httponly=True, samesite="strict"
        )
    return response


@router.get("/docs")
def reference() -> Response:
    return _file("docs.html")


@router.get("/assets/{name}")
def asset(name: str) -> Response:
    return _file(name)


def may_see_counts(request: Request, hub: Hub) -> bool:
    """True for the start page of a hub that listens on loopback, asked for on this machine under a loopback name (so
    that no other site's name can be pointed here), within an hour of loading it."""
    given = request.cookies.get(COOKIE, "")
    expiry, _, seal = given.partition(".")
    if not _is_local(request, hub) or not expiry.isdecimal() or int(expiry) < hub.clock.now():
        return False
    return hmac.compare_digest(seal.encode(), _seal(hub, expiry).encode())


def _is_local(request: Request, hub: Hub) -> bool:
    client = request.client.host if request.client else ""
    return hub.settings.on_loopback and client in _LOOPBACK and request.url.hostname in _LOOPBACK


def _ticket(hub: Hub) -> str:
    expiry = str(hub.clock.now() + HOUR)
    return f"{expiry}.{_seal(hub, expiry)}"


def _seal(hub: Hub, expiry: str) -> str:
    return hmac.new(hub.page_secret, expiry.encode(), hashlib.sha256).hexdigest()


def _file(name: str) -> Response:
    path = _WEB / name
    if path.suffix not in _TYPES or path not in _WEB.iterdir():
        raise NotFound(Text(f"没有文件 {name!r}", f"there is no file {name!r}"))
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=_SAFE)
