"""Numeric curves: how much they rose, and where they lead."""

from __future__ import annotations

import pytest

from core.times import DAY
from knowledge.graph.curve import change, steps, trend
from knowledge.graph.model import ANY_PURPOSE, GraphFact, Step
from tests.graphs import C1, m


def _curve(*values: object) -> list[Step]:
    facts = [
        GraphFact(f"f{i}", i, C1, "apnea", v, None, False, m(i * DAY), None, m(i), "", 1.0, ANY_PURPOSE)
        for i, v in enumerate(values)
    ]
    return steps(facts)


def test_a_change_is_the_rise_from_the_first_step_to_the_last() -> None:
    assert change(_curve(3, 5, 9)) == 6
    assert change(_curve(3)) == 0
    assert change(_curve(3, None)) is None
    assert change([]) is None


def test_a_trend_is_the_slope_a_day() -> None:
    assert trend(_curve(1, 3, 5)) == pytest.approx(2)
    assert trend(_curve(4, 4, "x", 4)) == pytest.approx(0)
    assert trend(_curve(4)) is None
