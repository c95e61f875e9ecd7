"""The hub's parts, opened in order and closed in the opposite one. Nothing else constructs services; what takes long to
load (embeddings, agents) is a `Room` that is warmed up behind the start."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import structlog

from app.auth import Keys
from app.lock import DataLock
from app.metrics import Metrics
from app.migrations import migrate
from app.rooms import Room
from app.settings import Settings
from app.telemetry import start_tracing
from core.clock import Clock, SystemClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from knowledge.catalog import Catalog, load_catalog
from knowledge.governance import Policy, audit_refusals

_log = structlog.get_logger("hub")


class Hub:
    """One running hub on one data folder. Use as a context manager, or call `close`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.started = clock.now()
        self.metrics = Metrics()
        self.page_secret = secrets.token_bytes(32)
        self._exit = ExitStack()

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Hub:
        """Open everything that answers at once; heavy rooms load when they are first asked for (or by `warm_up`).

        Raises:
            Conflict: another hub uses the data folder. Refused: the store is from a newer version. InvalidInput: the
            catalog cannot be used.
        """
        hub = cls(settings, clock or SystemClock())
        try:
            hub._open()
        except BaseException:
            hub.close()
            raise
        return hub

    def _open(self) -> None:
        settings, closing = self.settings, self._exit
        lock = DataLock(settings.data_dir)
        closing.callback(lock.release)
        closing.callback(start_tracing(settings))
        self.database = Database(settings.url)
        closing.callback(self.database.close)
        if applied := migrate(self.database):
            _log.info("migrated", revisions=applied)
        self.keys = Keys(self.database, self.clock)
        self.policy = Policy(audit_refusals(self.database, self.clock))
        self.catalog = self._load_catalog()

    def _load_catalog(self) -> Catalog:
        if self.settings.catalog:
            loaded = load_catalog(self.settings.catalog)
            for warning in loaded.warnings:
                _log.warning("catalog", said=warning.say(self.settings.lang))
            return loaded.catalog
        from knowledge.packs import retail

        return retail.catalog()

    @property
    def rooms(self) -> list[Room[Any]]:
        """The heavy parts, in the order in which they are warmed up."""
        return []

    def context(self, purpose: Purpose = Purpose.OPERATIONS) -> RequestContext:
        """The hub itself acting for this install's tenant."""
        return RequestContext(self.settings.tenant_id, "system", Role.ADMIN, purpose, self.settings.lang)

    def warm_up(self) -> None:
        """Load the heavy rooms in a thread of its own; requests that need one meanwhile wait for it."""
        threading.Thread(target=self._warm, name="warm-up", daemon=True).start()

    def _warm(self) -> None:
        for room in self.rooms:
            try:
                room.get()
            except Exception:
                _log.warning("warm-up", room=room.name)

    def first_admin_key(self) -> str | None:
        """On the first start a new admin key, also left in `admin.key` (readable by this user only); else None."""
        text = self.keys.first_admin(self.context())
        if text:
            path = self.settings.admin_key_file
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text + "\n")
        return text

    def at_close(self, step: Callable[[], None]) -> None:
        """Do `step` when the hub closes, before what was opened earlier is closed."""
        self._exit.callback(step)

    def close(self) -> None:
        """Stop in the order opposite to opening: no new work, drain, snapshot, then the stores."""
        self._exit.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *exc: tuple[type[BaseException] | None, BaseException | None, TracebackType | None]) -> None:
        self.close()
