"""Parts of the hub that take long to load: each is loaded once, by whoever asks first or by the warm-up behind the
start, and says meanwhile how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

import structlog

from core.errors import Unavailable, ZhongshuError
from core.text import Text

T = TypeVar("T")
State = Literal["warming", "ready", "failed", "off"]
_log = structlog.get_logger("hub")


class Room(Generic[T]):
    """One part. `get` gives it, loading it in the caller's thread if nobody has begun."""

    def __init__(self, name: str, label: Text, load: Callable[[], T]) -> None:
        self.name = name
        self.label = label
        self.state: State = "warming"
        self.detail: Text | None = None
        self._load = load
        self._lock = threading.Lock()
        self._value: T | None = None

    @property
    def loaded(self) -> T | None:
        """The part if it is ready, else None; never waits."""
        return self._value

    def get(self, patience: float = 60.0) -> T:
        """The part, waiting at most `patience` seconds for a loading that is under way.

        Raises:
            Unavailable: it failed to load, or is still loading.
        """
        if self._value is not None:
            return self._value
        if not self._lock.acquire(timeout=patience):
            raise Unavailable(Text(f"{self.label.zh}还在准备", f"{self.label.en} is still warming up"))
        try:
            if self._value is None:
                self._value = self._try()
            return self._value
        finally:
            self._lock.release()

    def _try(self) -> T:
        try:
            value = self._load()
        except Exception as cause:
            said = cause.text if isinstance(cause, ZhongshuError) else Text(repr(cause), repr(cause))
            self.state, self.detail = "failed", said
            _log.error("room.failed", room=self.name, exc_info=cause)
            raise Unavailable(
                Text(f"{self.label.zh}不可用：{said.zh}", f"{self.label.en} is not available: {said.en}")
            ) from cause
        self.state, self.detail = "ready", None
        return value
