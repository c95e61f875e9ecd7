"""Wall time enters the program here and nowhere else, so that every test can own it."""

from __future__ import annotations

import time
from typing import Protocol

from core.times import Micros


class Clock(Protocol):
    def now(self) -> Micros: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Micros:
        return Micros(time.time_ns() // 1_000)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int) -> None:
        self._now = Micros(now)

    def now(self) -> Micros:
        return self._now

    def set(self, now: int) -> None:
        self._now = Micros(now)

    def advance(self, micros: int) -> None:
        self._now = Micros(self._now + micros)
