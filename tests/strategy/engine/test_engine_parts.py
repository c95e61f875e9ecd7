"""What the Python engine keeps and computes inside, which no timeline of the specification can show."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest
from stage import CATALOG, Stage, count, happens, hour, reduced, strategy

from core.errors import Refused
from core.events import Event
from strategy.engine.compile import compile_strategy
from strategy.engine.facts import distance
from strategy.engine.state import Partition, Running
from strategy.engine.step import advance


def test_what_no_strategy_needs_any_more_is_dropped() -> None:
    """spec: M1"""
    stage = Stage(count("login", "2h", ">=", 2), happens("order"))
    for i in range(50):
        stage.event("login", i / 100, who=f"customer/{i}")
        stage.event("order", i / 100, who=f"customer/{i}")
    stage.until(9)
    kept = json.loads(stage.engine.snapshot())
    assert [cells for *_, cells in kept["memories"]] == [[], []]


def test_a_memory_of_subjects_that_fell_silent_does_not_grow_without_end() -> None:
    """spec: M1"""
    part, counting = Partition(CATALOG), strategy(count("login", "2h", ">=", 2))
    running = Running(counting, 1, 1, compile_strategy(counting, CATALOG))
    part.add(running, part.remember(running), None)
    for i in range(5_000):
        part.put(Event(f"e{i}", "login", hour(i), f"customer/{i}"), hour(i))
    advance(part, hour(5_000))
    (memory,) = running.memories
    assert len(memory.cells) < 1_500


def memories(stage: Stage) -> list[list[Any]]:
    kept: list[list[Any]] = json.loads(stage.engine.snapshot())["memories"]
    return kept


def test_strategies_that_look_at_the_same_thing_share_one_memory() -> None:
    few, many = count("login", "2h", "<", 2), count("login", "2h", ">=", 5)
    stage = Stage(few, many, {"kind": "all", "of": [many, {"kind": "not", "of": few}]})
    stage.event("login", 0)
    stage.until(0)
    assert [len(cells) for *_, cells in memories(stage)] == [1]
    stage.engine.retire("s")
    stage.engine.retire("s1")
    assert [len(cells) for *_, cells in memories(stage)] == [1]
    stage.engine.retire("s2")
    assert memories(stage) == []
    assert stage.engine.next_due() is None


def test_a_count_that_may_not_fall_to_what_somebody_waits_for_has_no_timer() -> None:
    stage = Stage(count("login", "2h", ">=", 2), count("login", "3h", "<", 2), catalog=CATALOG)
    for at in (0, 1, 2, 2.5):
        stage.event("login", at)
    stage.until(2.5)
    assert stage.engine.next_due() == hour(3)  # history is 3h long
    stage.until(3)
    assert stage.engine.next_due() == hour(5)  # the third but last leaves, one is left


@pytest.mark.parametrize("function", ["count", "sum", "max", "min", "avg", "distinct"])
@pytest.mark.parametrize("over", ["2h", "9h", None])
def test_many_comparisons_of_one_value_fire_as_each_does_alone(function: str, over: str | None) -> None:
    dice = random.Random(f"{function} {over}")
    triggers: list[dict[str, Any]] = []
    stages: list[Stage] = []
    while len(stages) < 24:
        op = dice.choice(["<", "<=", ">", ">=", "==", "!=", "in", "not_in"])
        value: Any = [dice.randrange(6), dice.choice([1.5, 2])] if "in" in op else dice.choice([0, 1, 2, 2.5, 3, 4])
        made = count("order", over, op, value) if function == "count" else reduced(function, op, value)
        made = {**made, "window": {"over": over} if over else {}}
        trigger = made if dice.random() < 0.7 else {"kind": "not", "of": made}
        with suppress(Refused):
            stages.append(Stage(trigger))
            triggers.append(trigger)
    together = Stage(*triggers)
    at = 0.0
    for _ in range(60):
        at += dice.choice([0.25, 0.5, 1, 4])
        amount = dice.choice([0, 1, 2, 2.5])
        for stage in (together, *stages):
            stage.event("order", at, amount=amount)
    for stage in (together, *stages):
        stage.until(at + 30)
    names = ["s", *(f"s{i}" for i in range(1, 24))]
    mine = {name: [f.at for f in together.firings if f.strategy == name] for name in names}
    assert mine == {name: [f.at for f in stage.firings] for name, stage in zip(names, stages, strict=True)}


def test_distance_agrees_with_known_ones() -> None:
    assert distance(0, 0, 0, 0) == 0
    assert distance(0, 0, 0, 180) == pytest.approx(20_015_114.4, abs=1)
    assert distance(52.52, 13.405, 48.8566, 2.3522) == pytest.approx(877_464, rel=1e-3)
    assert distance(0, 179.9, 0, -179.9) == pytest.approx(22_239, abs=1)
