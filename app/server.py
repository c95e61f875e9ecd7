"""The HTTP server around a hub: in the foreground for `serve`, in a thread for commands and tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from app.api.application import create_app
from app.hub import Hub
from app.settings import Settings
from core.errors import Conflict, Unavailable
from core.text import Text

GRACE_SECONDS = 15
"""How long requests in flight may take to finish once a stop was asked for."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: connections wait in it until the hub is open.

    Raises:
        Conflict: the address is taken, or is not this machine's.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as cause:
        place = f"{host}:{port}"
        raise Conflict(
            Text(f"{place} 不能监听：{cause.strerror}", f"cannot listen on {place}: {cause.strerror}"),
            hint=Text("换一个 ZHONGSHU_PORT（或 --port）", "Set another ZHONGSHU_PORT (or --port)"),
        ) from cause


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Uvicorn for one hub; calls back when it answers. The hub closes after the last request."""

    def __init__(self, hub: Hub, on_answering: Callable[[], None]) -> None:
        self._on_answering = on_answering
        super().__init__(
            uvicorn.Config(
                create_app(hub, hub.settings.lang),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_answering()


@contextmanager
def in_background(settings: Settings) -> Iterator[tuple[str, Hub]]:
    """A hub and its service on loopback in a thread, for as long as the block lasts; gives its address and the hub."""
    answering = threading.Event()
    with listen("127.0.0.1", 0) as listener, Hub.open(settings) as hub:
        server = Server(hub, answering.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="http")
        thread.start()
        try:
            if not answering.wait(60):
                raise Unavailable(Text("服务没有启动", "the service did not start"))
            address = address_of(listener)
            hub.lock.tell(address)
            yield address, hub
        finally:
            server.should_exit = True
            thread.join()
