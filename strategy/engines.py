"""Which matcher a replay runs on. They give the same firings; the columnar one is for large files, and compiles itself
when it is used for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.replay import Replay


class EngineName(StrEnum):
    PYTHON = "python"
    COLUMNAR = "columnar"


def replay_on(engine: EngineName, catalog: Catalog, strategies: Sequence[Strategy], **options: Any) -> Replay:
    """A replay on the engine of that name; arguments and errors as of `Replay`."""
    if engine is EngineName.PYTHON:
        return Replay(catalog, strategies, **options)
    from strategy.columnar.replay import ColumnarReplay

    return ColumnarReplay(catalog, strategies, **options)
