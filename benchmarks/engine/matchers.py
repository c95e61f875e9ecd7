"""The engine's matchers as the benchmark drives them: bytes in, decisions out. Here alone it is said what there is to
measure and how bytes become what a matcher takes."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from benchmarks.engine.generator import Rule
from benchmarks.engine.mixed import strategy
from benchmarks.engine.world import catalog
from core.events import Fact
from strategy.document import Strategy
from strategy.engine.port import EngineBackend, Outcome
from strategy.engine.python import PythonEngine
from strategy.stream import input_of, read_json


class Matcher(Protocol):
    """An engine and the way bytes come to it. `decide` takes NDJSON; `take` what `read` has made of it, so that reading
    can be timed apart from matching."""

    engine: EngineBackend

    def read(self, chunk: bytes) -> Any: ...

    def take(self, batch: Any) -> Outcome: ...

    def decide(self, chunk: bytes) -> Outcome: ...


class PythonMatcher:
    """The pure Python matcher, fed as `simulate` feeds it."""

    def __init__(self, lateness: int = 0) -> None:
        self.engine: EngineBackend = PythonEngine(catalog(), lateness)

    def read(self, chunk: bytes) -> Any:
        known = catalog()
        return [input_of(read_json(line), known) for line in chunk.splitlines()]

    def take(self, batch: Any) -> Outcome:
        return self.engine.ingest(batch)

    def decide(self, chunk: bytes) -> Outcome:
        return self.take(self.read(chunk))


class ColumnarMatcher:
    """The Numba matcher, fed with columns that are decoded from the bytes."""

    def __init__(self, lateness: int = 0) -> None:
        self._decoding = importlib.import_module("strategy.columnar.decode")
        self.engine: Any = importlib.import_module("strategy.columnar.engine").ColumnarEngine(catalog(), lateness)
        self._layout: Any = None
        self._decoder: Any = None

    def read(self, chunk: bytes) -> Any:
        if (layout := self.engine.layout()) != self._layout:
            self._layout, self._decoder = layout, self._decoding.Decoder(layout, catalog())
        decoded = self._decoder.decode(chunk)
        if decoded.leftovers:
            raise ValueError(
                f"{len(decoded.leftovers)} lines were left to the slow path, such as {decoded.leftovers[0]}"
            )
        return decoded.columns

    def take(self, batch: Any) -> Outcome:
        outcome: Outcome = self.engine.ingest_columns(batch)
        return outcome

    def decide(self, chunk: bytes) -> Outcome:
        return self.take(self.read(chunk))


def matchers() -> dict[str, Callable[[], Matcher]]:
    """Every matcher that is there, the fastest last."""
    found: dict[str, Callable[[], Matcher]] = {"python": PythonMatcher}
    if importlib.util.find_spec("strategy.columnar.engine") is not None:
        found["columnar"] = ColumnarMatcher
    return found


def started(made: Callable[[], Matcher], strategies: Sequence[Strategy], facts: Iterable[Fact] = ()) -> Matcher:
    """A matcher with strategies running, which knows some facts."""
    matcher = made()
    for each in strategies:
        matcher.engine.deploy(each, 1)
    matcher.engine.ingest(list(facts))
    return matcher


class Index(Protocol):
    """Filters alone, without state: `read` makes of NDJSON what `match` looks at, which says how many filters passed in
    all. No batch may be matched twice."""

    def read(self, chunk: bytes) -> Any: ...

    def match(self, batch: Any) -> int: ...


class EngineIndex:
    """Filters as strategies of their own in a matcher: what is matched alone where nothing else is offered."""

    def __init__(self, made: Callable[[], Matcher], rules: Sequence[Rule]) -> None:
        self._matcher = started(made, [strategy(rule) for rule in rules])

    def read(self, chunk: bytes) -> Any:
        return self._matcher.read(chunk)

    def match(self, batch: Any) -> int:
        return len(self._matcher.take(batch).firings)


def index(name: str, rules: Sequence[Rule]) -> Index:
    """The fastest way a matcher has to only match."""
    return EngineIndex(matchers()[name], rules)
