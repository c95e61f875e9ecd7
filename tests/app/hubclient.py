"""A small HTTP client for tests of the service, and the service as tests see it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from app.settings import Settings
from core.context import Role

if TYPE_CHECKING:
    from app.hub import Hub

CATALOG = Path(__file__).parents[1] / "data" / "catalog.yaml"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Client:
    """Talks to the service as any client would. `key` None: without a key."""

    address: str
    key: str | None
    lang: str = "en"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """JSON bodies are dumped, bytes and text sent as they are. Header names are given with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Accept-Language": self.lang, **({"Authorization": f"Bearer {self.key}"} if self.key else {}), **given}
        if body is not None and not isinstance(body, bytes | str):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
            response = connection.getresponse()
            raw = response.read()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        is_json = "json" in found.get("content-type", "")
        return Answer(response.status, found, json.loads(raw) if is_json and raw else raw.decode())

    def speaking(self, lang: str) -> Client:
        return Client(self.address, self.key, lang)


@dataclass(frozen=True)
class Service:
    """The running service: its address, its hub, and a client a role."""

    address: str
    hub: Hub
    keys: dict[Role, str]

    def as_role(self, role: Role) -> Client:
        return Client(self.address, self.keys[role])

    @property
    def admin(self) -> Client:
        return self.as_role(Role.ADMIN)

    @property
    def nobody(self) -> Client:
        return Client(self.address, None)


def settings_for(folder: Path, **given: Any) -> Settings:
    """Settings that no environment variable or `.env` file of the machine can change."""
    values = {"data_dir": folder, "catalog": CATALOG, "lang": "en", "log_level": "warning", **given}
    return Settings(_env_file=None, **values)  # type: ignore[call-arg]  # pydantic-settings' own argument
