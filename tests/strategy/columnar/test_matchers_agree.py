"""The columnar matcher against the Python one: the same firings, in the same order, explained by the same observations,
and the same answer to "why not" after every batch. Random strategies and streams; the oracle holds the Python one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput, Refused
from core.times import HOUR
from strategy.columnar.engine import ColumnarEngine
from strategy.engine.python import PythonEngine

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from worlds import Restart, catalogs, documents, inputs, operations

CAMPAIGN = os.environ.get("ENGINE_EXAMPLES")
several = settings(
    max_examples=int(CAMPAIGN or 60),
    derandomize=CAMPAIGN is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@several
@given(st.data())
def test_both_matchers_do_and_see_the_same(data: st.DataObject) -> None:
    catalog = data.draw(catalogs())
    lateness = data.draw(st.sampled_from([0, HOUR, 6 * HOUR]))
    shards = data.draw(st.sampled_from([1, 2]))
    one, two = PythonEngine(catalog, lateness), ColumnarEngine(catalog, lateness, shards=shards)
    running = {}
    for name in data.draw(st.sampled_from([["s"], ["s", "t"], ["s", "t", "u"]])):
        strategy = data.draw(documents(name))
        try:
            one.deploy(strategy, 1)
        except (Refused, InvalidInput):
            continue
        two.deploy(strategy, 1)
        running[name] = strategy
    assume(running)
    for op in data.draw(operations(data.draw(inputs(lateness)))):
        if isinstance(op, Restart):
            kept = two.snapshot()
            two = ColumnarEngine(catalog, lateness, shards=shards)
            two.restore(kept)
            assert two.snapshot() == kept
            continue
        left, right = (one.advance(op), two.advance(op)) if isinstance(op, int) else (one.ingest(op), two.ingest(op))
        assert left == right
        assert one.watermark == two.watermark
        for name, strategy in running.items():
            for number in (1, 2):
                subject = f"{strategy.subject}/{number}"
                assert one.look(name, subject) == two.look(name, subject)
