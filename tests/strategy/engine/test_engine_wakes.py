"""Which conditions need timers: a table of the plain cases, and the oracle's word that no turn is missed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import F, Oracle, T
from pydantic import TypeAdapter
from worlds import catalogs, documents, inputs

from core.times import DAY, Micros
from strategy.document import Aggregate, Change, Condition, MetricIs
from strategy.engine.wakes import BOTH, LEAVING, NEVER, Wake, may_turn_true, parts, turns

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def aggregate(function: str, op: str, **more: Any) -> dict[str, Any]:
    made = {"kind": "aggregate", "event": "a", "function": function, "op": op, "value": 3}
    return {**made, "window": {"over": "1d"}, **({} if function == "count" else {"field": "x"}), **more}


def not_(part: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "not", "of": part}


FOLLOWED = {"kind": "sequence", "steps": [{"event": "a"}, {"event": "b"}]}
UNANSWERED = {"kind": "sequence", "steps": [{"event": "a"}, {"event": "b", "absent": True, "within": "1h"}]}


@pytest.mark.parametrize(
    ("trigger", "wake"),
    [
        (aggregate("count", ">="), NEVER),
        (aggregate("count", "<"), BOTH),
        (aggregate("count", "=="), BOTH),
        (not_(aggregate("count", ">=")), BOTH),
        (not_(aggregate("count", "<")), NEVER),
        (not_(not_(aggregate("count", ">="))), NEVER),
        (aggregate("count", "<", window={"last": 5}), NEVER),
        (aggregate("count", "<", window={}), NEVER),
        (aggregate("sum", ">="), BOTH),
        (aggregate("avg", ">="), BOTH),
        (aggregate("max", ">="), NEVER),
        (aggregate("min", ">="), BOTH),
        (aggregate("min", "<"), NEVER),
        (aggregate("last", "=="), NEVER),
        (FOLLOWED, NEVER),
        (UNANSWERED, LEAVING),
        (not_(UNANSWERED), NEVER),
        ({"kind": "event", "event": "a"}, NEVER),
        ({"kind": "streak", "event": "a", "times": 3}, NEVER),
        ({"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}, NEVER),
        ({"kind": "date", "attribute": "birthday", "part": "day"}, LEAVING),
    ],
)
def test_only_what_time_can_turn_the_way_that_matters_needs_a_timer(trigger: dict[str, Any], wake: Wake) -> None:
    found = may_turn_true(CONDITION.validate_python(trigger))
    assert [each for _, each in found] == ([] if wake == NEVER else [wake])


def test_a_sum_without_negative_values_in_the_window_only_falls() -> None:
    spent = CONDITION.validate_python(aggregate("sum", ">="))
    assert isinstance(spent, Aggregate)
    assert turns(spent, holds=True, negatives=False) == NEVER
    assert turns(spent, holds=False, negatives=False) == BOTH


def test_each_condition_is_named_by_its_place_in_the_document() -> None:
    few = aggregate("count", "<")
    trigger = {"kind": "any", "of": [aggregate("count", ">="), {"kind": "all", "of": [few, not_(few)]}]}
    assert [part.path for part, _ in may_turn_true(CONDITION.validate_python(trigger))] == ["trigger.of.1.of.0"]


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_turn_by_time_alone_is_missed(data: st.DataObject) -> None:
    oracle = Oracle(data.draw(catalogs()), [data.draw(documents(str(i))) for i in range(8)])
    oracle.ingest(sorted(data.draw(inputs(0)), key=lambda item: item.time))
    oracle.advance(max(item.time for _, item in oracle.taken) + 4 * DAY)
    who = oracle.taken[0][1].subject
    busy = {at for at, _ in oracle.taken}
    moments = [at for at in oracle.instants() if at <= (oracle.closed() or 0)]
    quiet = [(before, at) for before, at in pairwise(moments) if at not in busy]
    for strategy in oracle.strategies:
        for part in parts(strategy.trigger):
            wanted, wake = T if part.holds else F, turns(part.leaf, part.holds)
            for before, at in quiet:
                if before < oracle.known_since(who) or oracle.truth(part.leaf, strategy, who, at) != wanted:
                    continue
                if oracle.truth(part.leaf, strategy, who, before, after=True) != wanted:
                    assert wake.filling if at == _full(part.leaf, oracle) else wake.leaving, (part, at)


def _full(leaf: Condition, oracle: Oracle) -> Micros | None:
    """When history becomes as long as the condition's window, unless that moment may also be one of leaving."""
    begin, over = oracle.begin(), None
    if isinstance(leaf, Aggregate | MetricIs):
        over = leaf.window.over
    elif isinstance(leaf, Change):
        over = 2 * leaf.window
    return None if begin is None or over is None else Micros(begin + over)
