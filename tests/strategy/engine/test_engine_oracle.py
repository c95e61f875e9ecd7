"""Both matchers against the brute-force oracle and each other: random strategies, random streams, the same firings for
the same reasons, the same truth. `python -m tests.strategy.campaign` tries many more of these worlds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracle import Oracle
from versions import Versions
from worlds import START, Restart, catalogs, documents, inputs, operations, pools, relatives, squeezed

from core.errors import InvalidInput, Refused
from core.times import DAY, HOUR, Micros
from strategy.columnar.engine import ColumnarEngine
from strategy.document import All, Any_, Condition, Not
from strategy.engine.port import EngineBackend, Firing, Observation
from strategy.engine.python import PythonEngine
from tests.backends import BACKENDS, Backend

Engine = TypeVar("Engine", bound=EngineBackend)
several = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def short(firings: list[Firing]) -> list[tuple[str, str, int]]:
    return [(f.strategy, f.subject, f.at) for f in firings]


def restarted(engine: Engine, fresh: Engine) -> Engine:
    """A fresh engine with what the other had kept."""
    fresh.restore(engine.snapshot())
    return fresh


def nodes(condition: Condition, seen: Observation) -> Iterator[tuple[Condition, Observation]]:
    yield condition, seen
    parts = condition.of if isinstance(condition, All | Any_) else (condition.of,) if isinstance(condition, Not) else ()
    for part, child in zip(parts, seen.children, strict=False):
        yield from nodes(part, child)


@several
@given(st.data())
def test_oracle_and_both_matchers_fire_and_see_the_same(data: st.DataObject) -> None:
    catalog = data.draw(catalogs())
    lateness = data.draw(st.sampled_from([0, HOUR, 6 * HOUR]))
    shards = data.draw(st.sampled_from([1, 2]))
    plain, columnar = PythonEngine(catalog, lateness), ColumnarEngine(catalog, lateness, shards=shards)
    strategies = []
    for name in data.draw(st.sampled_from([["s"], ["s", "t"], ["s", "t", "u"]])):
        strategy = data.draw(documents(name))
        try:
            plain.deploy(strategy, 1)
        except (Refused, InvalidInput):
            continue
        columnar.deploy(strategy, 1)
        strategies.append(strategy)
    assume(strategies)
    oracle = Oracle(catalog, strategies, lateness)
    fired: list[Firing] = []
    aside = []
    for op in data.draw(operations(data.draw(inputs(lateness)))):
        if isinstance(op, Restart):
            kept = plain.snapshot(), columnar.snapshot()
            plain = restarted(plain, PythonEngine(catalog, lateness))
            columnar = restarted(columnar, ColumnarEngine(catalog, lateness, shards=shards))
            assert (plain.snapshot(), columnar.snapshot()) == kept
            continue
        if isinstance(op, int):
            outcome, other = plain.advance(op), columnar.advance(op)
            oracle.advance(op)
        else:
            outcome, other = plain.ingest(op), columnar.ingest(op)
            oracle.ingest(op)
        assert outcome == other
        assert plain.watermark == columnar.watermark
        for strategy in strategies:
            for number in (1, 2):
                subject = f"{strategy.subject}/{number}"
                assert plain.look(strategy.name, subject) == columnar.look(strategy.name, subject)
        fired += outcome.firings
        aside += [(s.input, s.reason) for s in outcome.set_aside]
    assert aside == oracle.aside
    assert short(fired) == oracle.firings()
    closed = oracle.closed()
    assert closed is not None
    for strategy in strategies:
        for subject in oracle.subjects(strategy.subject):
            trigger, _ = plain.look(strategy.name, subject)
            for condition, seen in nodes(strategy.trigger, trigger):
                expected = oracle.truth(condition, strategy, subject, closed, after=True)
                assert seen.truth.value == expected, (seen, expected)


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS.keys())
@several
@given(st.data())
def test_deployed_edited_and_retired_while_the_stream_runs_it_fires_as_the_oracle_says(
    backend: Backend, data: st.DataObject
) -> None:
    catalog = data.draw(catalogs())
    engine, oracle = backend(catalog, 0), Versions(catalog)
    numbers = {"s": 0, "t": 0}
    fired: list[Firing] = []
    stream = data.draw(inputs(0))
    while stream:
        happens = data.draw(st.sampled_from(["take", "take", "deploy", "deploy", "retire", "restart"]))
        name = data.draw(st.sampled_from(["s", "s", "t"]))
        if happens == "take":
            size = data.draw(st.integers(1, 5))
            fired += engine.ingest(stream[:size]).firings
            oracle.ingest(stream[:size])
            stream = stream[size:]
        elif happens == "deploy":
            strategy = data.draw(documents(name, flying=data.draw(st.integers(0, 2)) > 0))
            cold = data.draw(st.integers(0, 3)) == 0
            closed = oracle.closed()
            past = [] if cold or closed is None else [item for at, item in oracle.taken if at <= closed]
            try:
                engine.deploy(strategy, numbers[name] + 1, past)
            except (Refused, InvalidInput):
                continue
            numbers[name] += 1
            oracle.deploy(strategy, numbers[name], cold)
        elif happens == "retire":
            engine.retire(name)
            oracle.retire(name)
        else:
            engine = restarted(engine, backend(catalog, 0))
    fired += engine.advance(Micros(START + 6 * DAY)).firings
    oracle.advance(START + 6 * DAY)
    assert [(f.at, f.strategy, f.subject, f.version) for f in fired] == oracle.fired()


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS.keys())
@several
@given(st.data())
def test_strategies_that_share_conditions_come_change_and_go_as_the_oracle_says(
    backend: Backend, data: st.DataObject
) -> None:
    catalog, pool = data.draw(catalogs()), data.draw(pools())
    lateness = data.draw(st.sampled_from([0, HOUR, 6 * HOUR]))
    engine, oracle = backend(catalog, lateness), Versions(catalog, lateness)
    fired: list[Firing] = []
    numbers: Counter[str] = Counter()

    def deploy(name: str) -> None:
        strategy, cold, closed = data.draw(relatives(name, pool)), data.draw(st.booleans()), oracle.closed()
        past = [item for at, item in oracle.taken if closed is not None and at <= closed]
        with suppress(Refused, InvalidInput):
            engine.deploy(strategy, numbers[name] + 1, [] if cold else past)
            numbers[name] += 1
            oracle.deploy(strategy, numbers[name], cold)

    for name in "stuv"[: data.draw(st.integers(1, 4))]:
        deploy(name)
    for op in data.draw(operations(data.draw(inputs(lateness)))):
        if isinstance(op, Restart):
            engine = restarted(engine, backend(catalog, lateness))
        elif isinstance(op, int):
            fired += engine.advance(op).firings
            oracle.advance(op)
        else:
            fired += engine.ingest(op).firings
            oracle.ingest(op)
        change = data.draw(st.sampled_from(["", "", "", "deploy", "deploy", "retire"]))
        if change == "deploy":
            deploy(data.draw(st.sampled_from("stuv")))
        elif change == "retire":
            name = data.draw(st.sampled_from("stuv"))
            engine.retire(name)
            oracle.retire(name)
    assert [(f.at, f.strategy, f.subject, f.version) for f in fired] == oracle.fired()
    if oracle.closed() is None:
        return
    for version in oracle.running():
        for subject in oracle.subjects(version.strategy.subject):
            trigger, _ = engine.look(version.strategy.name, subject)
            for condition, seen in nodes(version.strategy.trigger, trigger):
                assert seen.truth.value == oracle.stands(version.strategy.name, subject, condition), seen


@several
@given(st.data())
def test_a_strategy_refused_as_never_firing_would_not_have_fired(data: st.DataObject) -> None:
    catalog = data.draw(catalogs())
    strategy = data.draw(squeezed())
    try:
        PythonEngine(catalog, 0).deploy(strategy, 1)
    except Refused:
        oracle = Oracle(catalog, [strategy])
        oracle.ingest(data.draw(inputs(0)))
        oracle.advance(START + 10 * DAY)
        assert oracle.firings() == []
