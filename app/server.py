"""The HTTP server around the application: in the foreground for `serve`, in a thread for commands and tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from app.api.application import create_app
from app.hub import Hub
from core.errors import Unavailable
from core.text import Lang, Text

GRACE_SECONDS = 15
"""How long requests in flight may take to finish once a stop was asked for."""


class Server(uvicorn.Server):
    """Uvicorn that calls back with its address when it listens."""

    def __init__(
        self, open_hub: Callable[[], Hub], host: str, port: int, lang: Lang, on_listening: Callable[[str], None]
    ) -> None:
        self.app = create_app(open_hub, lang)
        self._on_listening = on_listening
        super().__init__(
            uvicorn.Config(
                self.app,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_listening(self._address())

    def _address(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def in_background(open_hub: Callable[[], Hub], lang: Lang, port: int = 0) -> Iterator[tuple[str, Hub]]:
    """The service on loopback in a thread, for as long as the block lasts; gives its address and its hub."""
    listening = threading.Event()
    found: list[str] = []

    def heard(address: str) -> None:
        found.append(address)
        listening.set()

    failed: list[BaseException] = []

    def opened() -> Hub:
        try:
            return open_hub()
        except BaseException as cause:
            failed.append(cause)
            raise

    def run() -> None:
        try:
            server.run()
        except SystemExit:
            pass  # uvicorn's way of saying that start-up failed; `failed` has the cause
        finally:
            listening.set()

    server = Server(opened, "127.0.0.1", port, lang, heard)
    thread = threading.Thread(target=run, name="http")
    thread.start()
    try:
        listening.wait(60)
        if failed:
            raise failed[0]
        if not found:
            raise Unavailable(Text("服务没有启动", "the service did not start"))
        yield found[0], server.app.state.hub
    finally:
        server.should_exit = True
        thread.join()
