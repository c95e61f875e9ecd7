"""Events that were taken in and wait until their instant is closed, and their way into order."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategy.columnar.columns import Columns
from strategy.columnar.prepare import in_order

_SPANS = ("id_at", "subject_at", "source_at")
_ROWS = tuple(f.name for f in fields(Columns) if f.name != "text")


class Queue:
    """Rows in order of arrival, with the codes of their subjects."""

    def __init__(self) -> None:
        self.rows: Columns | None = None
        self.subject = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.subject)

    def first(self) -> int | None:
        return int(self.rows.time.min()) if self.rows is not None and len(self) else None

    def put(self, rows: Columns, subject: NDArray[np.int64], taken: NDArray[np.bool_]) -> None:
        """Add those rows of a batch that were taken."""
        if not taken.all():
            rows, subject = _picked(rows, np.flatnonzero(taken)), subject[taken]
        if self.rows is None or not len(self):
            self.rows, self.subject = rows, subject
        else:
            self.rows, self.subject = _joined(self.rows, rows), np.concatenate([self.subject, subject])

    def take(self, closed: int) -> tuple[Columns, NDArray[np.int64], NDArray[np.int64]] | None:
        """The rows up to an instant, which leave the queue: all rows, the subjects of all, and which ones, by time."""
        if self.rows is None or not len(self):
            return None
        rows, subject = self.rows, self.subject
        ready = rows.time <= closed
        if not ready.any():
            return None
        order = np.flatnonzero(ready)
        times = rows.time[order]
        if not in_order(times):
            order = order[np.argsort(times, kind="stable")]
        if ready.all():
            self.rows, self.subject = None, np.zeros(0, np.int64)
        else:
            rest = np.flatnonzero(~ready)
            self.rows, self.subject = _own_text(_picked(rows, rest)), subject[rest]
        return rows, subject, order

    def dump(self) -> dict[str, NDArray[Any]]:
        if self.rows is None:
            return {}
        mine = _own_text(self.rows)
        return {"text": mine.text, "subject": self.subject, **{name: getattr(mine, name) for name in _ROWS}}

    def load(self, kept: dict[str, NDArray[Any]]) -> None:
        if kept:
            self.subject = kept["subject"].copy()
            self.rows = Columns(**{f.name: kept[f.name].copy() for f in fields(Columns)})


def _picked(rows: Columns, which: NDArray[np.int64]) -> Columns:
    return Columns(rows.text, **{name: getattr(rows, name)[which] for name in _ROWS})


def _joined(a: Columns, b: Columns) -> Columns:
    both = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in _ROWS}
    first, shift = len(a.time), len(a.text)
    for name in _SPANS:
        both[name][first:] += shift
    both["at"][first:] += shift
    return Columns(np.concatenate([a.text, b.text]), **both)


def _own_text(rows: Columns) -> Columns:
    """The rows with a buffer that holds nothing but their own texts."""
    parts: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (rows.id_at, rows.id_len), (rows.subject_at, rows.subject_len), (rows.source_at, rows.source_len),
        (rows.at.reshape(-1), rows.len.reshape(-1)),
    ]  # fmt: skip
    starts = np.concatenate([at for at, _ in parts])
    sizes = np.concatenate([size for _, size in parts]).astype(np.int64)
    ends = np.cumsum(sizes)
    fresh = ends - sizes
    total = int(ends[-1]) if len(ends) else 0
    text = rows.text[np.repeat(starts - fresh, sizes) + np.arange(total)]
    n = len(rows.time)
    moved = {name: getattr(rows, name) for name in _ROWS}
    for k, name in enumerate(_SPANS):
        moved[name] = fresh[k * n : (k + 1) * n]
    moved["at"] = fresh[3 * n :].reshape(rows.at.shape)
    return Columns(text, **moved)
