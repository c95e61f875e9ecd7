"""The engine's matchers as the benchmark drives them: bytes in, decisions out. Here alone it is said what there is to
measure and how bytes become what a matcher takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from benchmarks.engine.generator import Rule
from benchmarks.engine.mixed import event_filter, strategy
from benchmarks.engine.world import catalog
from core.events import Fact
from strategy.columnar.columns import Columns
from strategy.columnar.decode import Decoded, Decoder
from strategy.columnar.engine import ColumnarEngine
from strategy.columnar.matching import Matcher as ColumnarFilters
from strategy.document import EventFilter, Strategy
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
        self.engine = ColumnarEngine(catalog(), lateness)
        self._decoder = Decoder(self.engine.layout, catalog())

    def read(self, chunk: bytes) -> Any:
        return _all(self._decoder.decode(chunk))

    def take(self, batch: Any) -> Outcome:
        return Outcome(self.engine.ingest_columns(batch)[0])

    def decide(self, chunk: bytes) -> Outcome:
        return self.take(self.read(chunk))


def _all(decoded: Decoded) -> Columns:
    if decoded.leftovers:
        raise ValueError(f"{len(decoded.leftovers)} lines were left to the slow path, such as {decoded.leftovers[0]}")
    return decoded.columns


def matchers() -> dict[str, Callable[[], Matcher]]:
    """Every matcher that is there, the fastest last."""
    return {"python": PythonMatcher, "columnar": ColumnarMatcher}


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


class ColumnarIndex:
    """The columnar matcher's filters alone, on both cores."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        filters = [EventFilter.model_validate(event_filter(rule.event, rule.where)) for rule in rules]
        self._matcher = ColumnarFilters(catalog(), filters, threads=2)
        self._decoder = Decoder(self._matcher.layout, catalog())

    def read(self, chunk: bytes) -> Any:
        return self._matcher.prepare(_all(self._decoder.decode(chunk)))

    def match(self, batch: Any) -> int:
        return len(self._matcher.match_prepared(batch)[1])


def index(name: str, rules: Sequence[Rule]) -> Index:
    """The fastest way a matcher has to only match. Of the columnar one the cells of values are found in `read`."""
    return ColumnarIndex(rules) if name == "columnar" else EngineIndex(matchers()[name], rules)
