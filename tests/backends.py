"""Every engine there is. A new one is added here and is held by the conformance suite and by the specification."""

from __future__ import annotations

from collections.abc import Callable

from knowledge.catalog import Catalog
from strategy.columnar.engine import ColumnarEngine
from strategy.engine.port import EngineBackend
from strategy.engine.python import PythonEngine

Backend = Callable[[Catalog, int], EngineBackend]


def two_shards(catalog: Catalog, lateness: int = 0) -> ColumnarEngine:
    return ColumnarEngine(catalog, lateness, shards=2)


BACKENDS: dict[str, Backend] = {"python": PythonEngine, "columnar": two_shards}
