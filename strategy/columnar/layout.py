"""Growable flat arrays that compiled code reads: tables of numbers, and pools of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strategy.columnar.strings import grown


class Table:
    """A growing table of numbers."""

    def __init__(self, width: int, dtype: Any = np.int64) -> None:
        self.rows = np.zeros((64, width) if width else 64, dtype)
        self.count = 0

    def add(self, *values: float) -> int:
        self.rows = grown(self.rows, self.count + 1)
        self.rows[self.count] = values if self.rows.ndim == 2 else values[0]
        self.count += 1
        return self.count - 1

    def extend(self, values: Sequence[float]) -> int:
        """Add single numbers; where the first is."""
        start = self.count
        self.rows = grown(self.rows, start + len(values))
        self.rows[start : start + len(values)] = values
        self.count += len(values)
        return start


class Pool:
    """Regions of one flat array. What has outgrown its region gets a new one; the old one is not used again."""

    def __init__(self, dtype: Any, empty: int) -> None:
        self.array = np.full(1024, empty, dtype)
        self.used = 0
        self._empty = empty

    def take(self, size: int) -> int:
        start = self.used
        self.used += size
        if self.used > len(self.array):
            larger = np.full(max(self.used, 2 * len(self.array)), self._empty, self.array.dtype)
            larger[:start] = self.array[:start]
            self.array = larger
        self.array[start : self.used] = self._empty
        return start


@dataclass(frozen=True, slots=True)
class Region:
    """Where a field's table and bounds begin in the flat arrays, and how many rows and bounds they have room for."""

    table: int
    rows: int
    bounds: int
    room: int
