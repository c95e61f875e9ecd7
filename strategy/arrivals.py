"""Batches that are being taken in at this moment, and what that means for the clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.clock import Clock
from core.ids import TenantId
from core.times import Micros


class Arrivals:
    """While a batch is being taken, its tenant's clock stands still at its arrival: what was in time when it came does
    not become late because reading it takes a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: list[tuple[TenantId, Micros]] = []

    @contextmanager
    def batch(self, tenant: TenantId, since: Micros | None = None) -> Iterator[None]:
        """A batch arrives now, or is of the past `since` then, and is taken when the block ends."""
        arrived = (tenant, self._clock.now() if since is None else since)
        with self._lock:
            self._open.append(arrived)
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(arrived)

    def now(self, tenant: TenantId) -> Micros:
        """The clock, or the arrival of the oldest batch that is still being taken."""
        with self._lock:
            return min([self._clock.now(), *(at for whose, at in self._open if whose == tenant)])
