"""What the Python engine keeps and computes inside, which no timeline of the specification can show."""

from __future__ import annotations

import json

import pytest
from stage import Stage, count, happens

from strategy.engine.facts import distance


def test_what_no_strategy_needs_any_more_is_dropped() -> None:
    """spec: M1"""
    stage = Stage(count("login", "2h", ">=", 2), happens("order"))
    for i in range(50):
        stage.event("login", i / 100, who=f"customer/{i}")
        stage.event("order", i / 100, who=f"customer/{i}")
    stage.until(9)
    kept = json.loads(stage.engine.snapshot())
    assert [running["states"] for running in kept["running"]] == [[], []]


def test_distance_agrees_with_known_ones() -> None:
    assert distance(0, 0, 0, 0) == 0
    assert distance(0, 0, 0, 180) == pytest.approx(20_015_114.4, abs=1)
    assert distance(52.52, 13.405, 48.8566, 2.3522) == pytest.approx(877_464, rel=1e-3)
    assert distance(0, 179.9, 0, -179.9) == pytest.approx(22_239, abs=1)
