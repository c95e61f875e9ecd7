"""Memory that goes to disk when there is too much of it: arrays beyond a budget live in files that the system pages out
when it needs the room, and that vanish with the process."""

from __future__ import annotations

import mmap
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST = 1 << 20
"""Smaller arrays stay in memory: a file each would cost more than it saves."""


def zeros(shape: int | tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """A zeroed array. A large one is a mapping of its own: what is outgrown goes back to the system at once and leaves
    no holes (a quarter to half of the memory of a growing engine, measured)."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size < _LEAST:
        return np.zeros(shape, dtype)
    mapped = mmap.mmap(-1, size)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        mapped.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(mapped, dtype).reshape(shape)


class Memory:
    """Gives out zeroed arrays, in memory up to `budget` bytes (None: always) and in files under `folder` beyond.

    Files are unlinked as soon as they are mapped, so that nothing is left behind however the process ends; the state is
    kept by snapshots and the journal, not by them.
    """

    def __init__(self, budget: int | None = None, folder: Path | None = None) -> None:
        self.budget = budget
        self.folder = folder
        self.held = 0
        self.spilled = 0

    def zeros(self, shape: int | tuple[int, ...], dtype: Any) -> NDArray[Any]:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.budget is not None and size >= _LEAST and self.held + size > self.budget:
            return self._in_file(shape, dtype, size)
        made = zeros(shape, dtype)
        self.held += size
        weakref.finalize(made, self._give_back, size)
        return made

    def _in_file(self, shape: int | tuple[int, ...], dtype: Any, size: int) -> NDArray[Any]:
        with tempfile.TemporaryFile(dir=self.folder, prefix="engine-") as file:
            file.truncate(size)
            mapped = mmap.mmap(file.fileno(), size)
        made = np.frombuffer(mapped, dtype).reshape(shape)
        self.spilled += size
        weakref.finalize(made, self._unspill, size)
        return made

    def _give_back(self, size: int) -> None:
        self.held -= size

    def _unspill(self, size: int) -> None:
        self.spilled -= size

    def grown(self, array: NDArray[Any], rows: int) -> NDArray[Any]:
        """The array with room for at least so many rows, what it held kept; at least doubled when it must grow."""
        if rows <= len(array):
            return array
        larger = self.zeros((max(rows, 2 * len(array)), *array.shape[1:]), array.dtype)
        larger[: len(array)] = array
        return larger
