"""How fast a counter grows, over the last seconds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from core.clock import Clock
from core.times import SECOND

_SPAN = 10 * SECOND


class Pace:
    """Looks at the counter whenever it is asked and compares with what it saw up to ten seconds before; the first look
    in ten seconds has nothing to compare with and gives 0."""

    def __init__(self, clock: Clock, read: Callable[[], int]) -> None:
        self._clock = clock
        self._read = read
        self._lock = threading.Lock()
        self._seen = deque([(clock.now(), read())])

    def per_second(self) -> float:
        with self._lock:
            now, count = self._clock.now(), self._read()
            self._seen.append((now, count))
            while self._seen[0][0] < now - _SPAN:
                self._seen.popleft()
            then, before = self._seen[0]
            return (count - before) * SECOND / max(now - then, SECOND)
