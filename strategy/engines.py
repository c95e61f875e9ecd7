"""Which matcher the hub or a replay runs on. They give the same firings; the columnar one is for many events, and
compiles itself when it is used for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.port import EngineFactory
from strategy.engine.python import PythonEngine
from strategy.replay import Replay


class EngineName(StrEnum):
    PYTHON = "python"
    COLUMNAR = "columnar"


def backend_of(engine: EngineName, memory: int | None = None, folder: Path | None = None) -> EngineFactory:
    """What makes engines of that name. `memory`: bytes of the columnar one's state beyond which it goes to files in
    `folder`; None: never."""
    if engine is EngineName.PYTHON:
        return PythonEngine
    from strategy.columnar.engine import ColumnarEngine

    return lambda catalog, lateness: ColumnarEngine(catalog, lateness, memory=memory, folder=folder)


def replay_on(engine: EngineName, catalog: Catalog, strategies: Sequence[Strategy], **options: Any) -> Replay:
    """A replay on the engine of that name; arguments and errors as of `Replay`."""
    if engine is EngineName.PYTHON:
        return Replay(catalog, strategies, **options)
    from strategy.columnar.replay import ColumnarReplay

    return ColumnarReplay(catalog, strategies, **options)
