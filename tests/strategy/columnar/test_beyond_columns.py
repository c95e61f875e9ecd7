"""What columns cannot hold: values that the Python matcher takes over, in a hub that goes on as if it always had, and
state that is larger than the memory it may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.events import Event
from core.times import MINUTE, SECOND, Micros, format_time
from knowledge.catalog import read_catalog
from strategy.columnar.engine import ColumnarEngine
from strategy.document import Strategy
from strategy.engine.port import BeyondColumns, EngineFactory
from strategy.engine.python import PythonEngine
from tests.strategy.livehub import CTX, NOW, LiveHub

CATALOG = read_catalog("""
catalog: 1
objects: {customer: {labels: {zh: [客户], en: [customer]}}}
events: {order: {subject: customer, labels: {zh: [订单], en: [order]}, fields: {amount: {type: number, min: 0}}}}
actions: {call: {labels: {zh: [外呼], en: [call]}, channel: voice}}
""").catalog
SPENT: dict[str, Any] = {
    "kind": "aggregate", "event": "order", "function": "sum", "field": "amount", "window": {"over": "1h"}, "op": ">=",
    "value": 0.3,
}  # fmt: skip
FINE = 0.1000000000000001
"""More decimals than a millionth has: three of them are more than 0.3, by what would be lost."""


def document(trigger: dict[str, Any]) -> dict[str, Any]:
    return {"name": "spent", "trigger": trigger, "actions": [{"action": "call"}]}


def orders(folder: Path, backend: EngineFactory, amounts: list[float], restart_at: int) -> list[tuple[str, int]]:
    """Play orders a minute apart into a hub, which is stopped and started again before one of them."""
    folder.mkdir()
    hub = LiveHub(folder, catalog=CATALOG, backend=backend)
    hub.run(document(SPENT))
    for n, amount in enumerate(amounts):
        if n == restart_at:
            hub.live.stop()
            hub.close()
            hub = LiveHub(folder, catalog=CATALOG, backend=backend, clock=hub.clock)
        at = NOW + n * MINUTE
        item = {"id": f"o{n}", "type": "order", "time": format_time(at), "subject": "customer/1"}
        hub.live.accept_events(CTX, [{**item, "data": {"amount": amount}}])
        hub.move(at + 30 * SECOND)
    fired = hub.fired()
    hub.close()
    return fired


@pytest.mark.parametrize("restart_at", [1, 2, 3, 4])
def test_a_hub_goes_on_with_the_python_matcher_when_a_value_does_not_fit(tmp_path: Path, restart_at: int) -> None:
    amounts = [0.1, FINE, 0.1, 0.1, 0.5]
    expected = orders(tmp_path / "python", PythonEngine, amounts, restart_at)
    assert len(expected) == 1
    assert orders(tmp_path / "columnar", ColumnarEngine, amounts, restart_at) == expected


def test_the_matcher_says_whose_value_it_cannot_keep() -> None:
    engine = ColumnarEngine(CATALOG, shards=1)
    engine.deploy(Strategy.model_validate(document(SPENT)), 1)
    events = [Event(f"o{n}", "order", Micros(NOW + n), "customer/1", {"amount": FINE}) for n in range(2)]
    with pytest.raises(BeyondColumns, match="spent"):
        engine.ingest(events)


def test_state_beyond_its_memory_goes_to_files_and_fires_the_same(tmp_path: Path) -> None:
    counted = {
        "kind": "aggregate", "event": "order", "function": "count", "window": {"over": "1h"}, "op": ">=", "value": 2,
    }  # fmt: skip
    customers = np.random.default_rng(3).integers(0, 40_000, 60_000).tolist()
    events = [Event(f"o{n}", "order", Micros(NOW + n), f"customer/{who}", {}) for n, who in enumerate(customers)]
    told = []
    for memory in (None, 0):
        engine = ColumnarEngine(CATALOG, shards=1, memory=memory, folder=tmp_path)
        engine.deploy(Strategy.model_validate(document(counted)), 1)
        told.append(
            [f for start in range(0, 60_000, 10_000) for f in engine.ingest(events[start : start + 10_000]).firings]
        )
        assert (engine.memory.spilled > 0) == (memory == 0)
    assert told[0] == told[1] != []
    assert list(tmp_path.iterdir()) == []
