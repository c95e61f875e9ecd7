"""A batch of events as arrays. Whoever reads bytes fills it (decode.py, arrow.py); the matcher reads nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.events import Event

MISSING, NUMBER, TEXT, TRUE, FALSE, OTHER = range(6)
"""What a cell holds. MISSING: no value, or null. OTHER: any other JSON, and numbers that a float64 with 15 digits
cannot hold exactly; the cell's span is its raw JSON. NUMBER: `number` has the value. TEXT: the span is the text."""
EXACT = 1_000_000_000_000_000
"""Whole numbers below this, and decimals of at most 15 digits, are exactly one float64."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which fields of which events a batch has cells for: column w of an event of type `types[t]` is `fields[t][w]`."""

    types: tuple[str, ...]
    fields: tuple[tuple[str, ...], ...]

    @property
    def width(self) -> int:
        return max((len(names) for names in self.fields), default=0)


@dataclass(slots=True)
class Columns:
    """Events in order of arrival. Strings are spans (`*_at`, `*_len`, in bytes) of the UTF-8 buffer `text`; `time` is
    microseconds; `type` is the place in `Layout.types`; cells are row-major, n × width."""

    text: NDArray[np.uint8]
    time: NDArray[np.int64]
    type: NDArray[np.int32]
    id_at: NDArray[np.int64]
    id_len: NDArray[np.int32]
    subject_at: NDArray[np.int64]
    subject_len: NDArray[np.int32]
    source_at: NDArray[np.int64]
    source_len: NDArray[np.int32]
    kind: NDArray[np.uint8]
    number: NDArray[np.float64]
    at: NDArray[np.int64]
    len: NDArray[np.int32]

    @property
    def rows(self) -> int:
        return len(self.time)

    @classmethod
    def empty(cls, rows: int, width: int, text: NDArray[np.uint8]) -> Columns:
        """Columns of so many rows, to be filled."""
        longs = [np.zeros(rows, np.int64) for _ in range(4)]
        shorts = [np.zeros(rows, np.int32) for _ in range(4)]
        return cls(
            text,
            longs[0],
            shorts[0],
            longs[1],
            shorts[1],
            longs[2],
            shorts[2],
            longs[3],
            shorts[3],
            np.zeros((rows, width), np.uint8),
            np.zeros((rows, width), np.float64),
            np.zeros((rows, width), np.int64),
            np.zeros((rows, width), np.int32),
        )

    def string(self, at: int, length: int) -> str:
        return self.text[at : at + length].tobytes().decode()


def columns_of(events: Sequence[Event], layout: Layout) -> Columns:
    """Events that are objects already → columns. The slow way in; decode.py reads bytes without making objects."""
    texts = bytearray()
    places = {name: place for place, name in enumerate(layout.types)}
    rows = Columns.empty(len(events), layout.width, np.zeros(0, np.uint8))

    def keep(text: str | bytes) -> tuple[int, int]:
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        texts.extend(raw)
        return len(texts) - len(raw), len(raw)

    for i, event in enumerate(events):
        rows.time[i] = event.time
        rows.type[i] = place = places[event.type]
        rows.id_at[i], rows.id_len[i] = keep(event.id)
        rows.subject_at[i], rows.subject_len[i] = keep(event.subject)
        rows.source_at[i], rows.source_len[i] = keep(event.source)
        data = event.data
        for w, name in enumerate(layout.fields[place]):
            value = data.get(name)
            if value is None:
                continue
            rows.kind[i, w] = kind = kind_of(value)
            if kind == NUMBER:
                rows.number[i, w] = value
            elif kind == TEXT:
                rows.at[i, w], rows.len[i, w] = keep(value)
            elif kind == OTHER:
                rows.at[i, w], rows.len[i, w] = keep(raw_json(value))
    rows.text = np.frombuffer(texts, np.uint8)
    return rows


def kind_of(value: Any) -> int:
    """The kind of cell that holds a JSON value."""
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    if isinstance(value, str):
        return TEXT
    if isinstance(value, int):
        return NUMBER if -EXACT < value < EXACT else OTHER
    if isinstance(value, float) and value - value == 0 and abs(value) < EXACT:
        return NUMBER if len(repr(value).replace("-", "").replace(".", "").split("e")[0].strip("0")) <= 15 else OTHER
    return OTHER


def raw_json(value: Any) -> bytes:
    """A value as the JSON that a cell of kind OTHER holds."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def value_of(kind: int, number: float, raw: bytes) -> Any:
    """The value of a cell, as `Event.data` would hold it."""
    if kind == MISSING:
        return None
    if kind == NUMBER:
        return int(number) if number.is_integer() else number
    if kind == TEXT:
        return raw.decode("utf-8", "surrogatepass")
    if kind == OTHER:
        return json.loads(raw)
    return kind == TRUE
