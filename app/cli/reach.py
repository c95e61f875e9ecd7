"""How commands reach the hub: over HTTP where a service runs on this data folder (or at ZHONGSHU_SERVICE_URL), else by
running one on loopback for as long as the command takes. One code path either way: the API."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from app.lock import holder
from app.settings import Settings, load_settings
from core.errors import Unauthorized, Unavailable, ZhongshuError
from core.text import Lang, Text


class Reply(ZhongshuError):
    """A problem document from the service, said again in the service's words."""

    def __init__(self, document: dict[str, Any]) -> None:
        detail = str(document.get("detail", "?"))
        super().__init__(Text(detail, detail))
        self.document = document
        self.exit_code = _EXIT_CODES.get(str(document.get("code")), _BY_STATUS.get(document.get("status", 0), 1))  # type: ignore[misc]  # of this reply, not of the class

    def say(self, lang: Lang) -> str:
        """The detail holds place, choices and hint already."""
        lines = [self.text.say(lang)]
        lines += [f"  {n}. {choice}" for n, choice in enumerate(self.document.get("choices", []), 1)]
        return "\n".join(lines)


def _exit_codes() -> dict[str, int]:
    known: list[type[ZhongshuError]] = [ZhongshuError]
    for kind in known:
        known.extend(kind.__subclasses__())
    return {kind.code: kind.exit_code for kind in known}


_EXIT_CODES = _exit_codes()
_BY_STATUS = {401: 7, 403: 8, 404: 5, 409: 6, 413: 2, 415: 2, 422: 2, 503: 9}


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    data: Any


class Api:
    """The HTTP API as a command sees it. Errors come back as `Reply`."""

    def __init__(self, address: str, key: str, lang: Lang, purpose: str | None = None) -> None:
        self.address = address
        self._purpose = purpose
        self._key = key
        self._lang = lang

    def get(self, *path: str, **query: Any) -> Any:
        return self._json("GET", _join(path, query), None, "")

    def post(self, *path: str, body: Any = None, **query: Any) -> Any:
        sent = json.dumps(body if body is not None else {}).encode()
        return self._json("POST", _join(path, query), sent, "application/json")

    def send(self, *path: str, body: bytes, content_type: str) -> Any:
        return self._json("POST", _join(path), body, content_type)

    def delete(self, *path: str) -> Any:
        return self._json("DELETE", _join(path), None, "")

    def stream(self, *path: str, body: Any) -> Iterator[Event]:
        """POST and yield server-sent events as they come."""
        connection, response = self._open("POST", _join(path), json.dumps(body).encode(), "application/json", 300)
        try:
            if response.status >= 400:
                raise Reply(_document(response.read(), response.status))
            yield from _events(response)
        finally:
            connection.close()

    def _json(self, method: str, path: str, body: bytes | None, content_type: str) -> Any:
        connection, response = self._open(method, path, body, content_type, 120)
        try:
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise Reply(_document(answer, response.status))
        return json.loads(answer) if answer else {}

    def _open(
        self, method: str, path: str, body: bytes | None, content_type: str, timeout: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        parts = urlsplit(self.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {self._key}", "Accept-Language": self._lang}
        if self._purpose:
            headers["X-Purpose"] = self._purpose
        if content_type:
            headers["Content-Type"] = content_type
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, headers)
            return connection, connection.getresponse()
        except OSError as cause:
            connection.close()
            raise Unavailable(
                Text(f"{self.address} 没有应答（{cause}）", f"{self.address} does not answer ({cause})"),
                hint=Text("zhongshu doctor 会告诉您缺什么", "zhongshu doctor tells what is missing"),
            ) from cause


def _join(path: tuple[str, ...], query: dict[str, Any] | None = None) -> str:
    asked = urlencode({k: v for k, v in (query or {}).items() if v is not None})
    return "/v1/" + "/".join(quote(part, safe="") for part in path) + (f"?{asked}" if asked else "")


def _document(answer: bytes, status: int) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(answer)
    except ValueError:
        document = {"detail": answer[:200].decode("utf-8", "replace"), "status": status}
    return document


def _events(response: http.client.HTTPResponse) -> Iterator[Event]:
    name, data = "message", ""
    for raw in response:
        line = raw.decode("utf-8").rstrip("\r\n")
        if not line:
            if data:
                yield Event(name, json.loads(data))
            name, data = "message", ""
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()


def open_api(purpose: str | None = None) -> AbstractContextManager[Api]:
    """As `reach`, with the settings of the environment."""
    return reach(load_settings(), purpose)


@contextmanager
def reach(settings: Settings, purpose: str | None = None) -> Iterator[Api]:
    """The API of the running service, or of one that lives only as long as the block. `purpose`: what requests are for;
    None: what the key's role is usually for.

    Raises:
        Unauthorized: a service runs and there is no key to talk to it with.
    """
    running = str(settings.service_url) if settings.service_url else ""
    if not running and (found := holder(settings.data_dir)):
        running = found.address
        if not running:
            raise Unavailable(Text("服务正在启动或停止", "the service is starting or stopping"))
    if running:
        yield Api(running.rstrip("/"), _key(settings), settings.lang, purpose)
        return
    from app.logs import set_up_logs
    from app.server import in_background

    set_up_logs("warning", "console")
    with in_background(settings) as (address, hub):
        yield Api(address, hub.owner_token, settings.lang, purpose)


def _key(settings: Settings) -> str:
    if settings.api_key:
        return settings.api_key.get_secret_value()
    try:
        return settings.admin_key_file.read_text(encoding="utf-8").strip()
    except OSError as cause:
        raise Unauthorized(
            Text("没有可用的密钥", "there is no key to use"),
            hint=Text(
                f"读不到 {settings.admin_key_file}。设 ZHONGSHU_API_KEY，或停掉服务后运行 zhongshu keys create",
                "Set ZHONGSHU_API_KEY, or stop the service and run zhongshu keys create on the same data folder "
                f"({settings.admin_key_file} cannot be read)",
            ),
        ) from cause
