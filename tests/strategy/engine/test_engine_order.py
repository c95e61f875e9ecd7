"""The order of things: watermark, late and duplicate inputs, ties, disorder, restarts."""

from __future__ import annotations

import json
import random

import pytest
from stage import CATALOG, ME, START, VIP, Stage, count, happens, hour, reduced

from core.errors import InvalidInput
from core.events import Event, Fact, Input, Relation
from core.times import DAY, HOUR, Micros
from strategy.engine.port import Truth
from strategy.engine.python import PythonEngine


def test_nothing_fires_before_the_watermark_has_passed() -> None:
    stage = Stage(happens("order"), lateness=1)
    stage.event("order", 0)
    stage.event("login", 1)
    assert stage.fired == []
    stage.event("login", 1 + 1e-9)
    assert stage.fired == [(ME, 0)]


def test_the_watermark_is_the_largest_event_time_minus_lateness() -> None:
    stage = Stage(happens("order"), lateness=1)
    assert stage.engine.watermark is None
    stage.event("login", 5)
    stage.event("login", 4.5)
    assert stage.engine.watermark == hour(4)


def test_facts_and_relations_do_not_move_the_watermark() -> None:
    stage = Stage(VIP)
    stage.fact("tier", "vip", 5)
    stage.owns("device/1", 9)
    assert stage.engine.watermark is None
    assert stage.fired == []


def test_an_event_before_the_watermark_is_late_and_without_effect() -> None:
    stage = Stage(count("login", "9h", ">=", 2), lateness=1)
    stage.event("order", 5)
    stage.event("login", 3.9)
    stage.event("login", 4.5)
    assert [(s.input.subject, s.reason) for s in stage.aside] == [(ME, "late")]
    stage.until(6)
    assert stage.look().observed == 1


def test_an_event_at_the_watermark_is_in_time() -> None:
    stage = Stage(happens("login"), lateness=1)
    stage.event("order", 5)
    stage.event("login", 4)
    assert stage.until(5) == [(ME, 4)]
    assert stage.aside == []


def test_what_was_advanced_to_is_closed() -> None:
    stage = Stage(happens("login"))
    stage.until(4)
    stage.event("login", 4)
    assert [s.reason for s in stage.aside] == ["late"]


def test_the_same_source_and_id_again_is_a_duplicate_whatever_its_time() -> None:
    stage = Stage(happens("order"), lateness=3)
    stage.event("order", 0, id="x")
    stage.event("order", 2, id="x")
    assert [s.reason for s in stage.aside] == ["duplicate"]
    assert stage.until(4) == [(ME, 0)]


def test_the_same_id_of_another_source_is_another_event() -> None:
    stage = Stage(happens("order"))
    stage.event("order", 0, id="x", source="shop")
    stage.event("order", 1, id="x", source="app")
    assert stage.until(2) == [(ME, 0), (ME, 1)]


def test_a_late_event_and_a_duplicate_do_not_move_the_watermark() -> None:
    stage = Stage(happens("order"))
    stage.event("order", 0, id="x")
    stage.event("order", 7, id="x")
    assert stage.engine.watermark == hour(0)


def test_an_identity_is_remembered_for_thirty_days_of_event_time() -> None:
    stage = Stage(happens("order"))
    stage.event("order", 0, id="x")
    stage.event("login", 30 * 24 - 1)
    stage.event("order", 30 * 24 - 0.5, id="x")
    assert [s.reason for s in stage.aside] == ["duplicate"]
    stage.event("login", 30 * 24 + 1)
    stage.event("order", 30 * 24 + 2, id="x")
    assert len(stage.aside) == 1


def test_a_duplicate_is_known_after_a_restart() -> None:
    stage = Stage(happens("order"))
    stage.event("order", 0, id="x")
    stage.restart()
    stage.event("order", 3, id="x")
    assert [s.reason for s in stage.aside] == ["duplicate"]


def stream(seed: int, size: int = 60) -> list[Input]:
    dice = random.Random(seed)
    found: list[Input] = []
    for i in range(size):
        who, at = f"customer/{dice.randrange(3)}", hour(dice.randrange(40) / 2)
        kind = dice.choice(["login", "order", "mail"])
        data = {"amount": dice.choice([0.1, 0.2, 30])} if kind == "order" else {"opened": dice.random() < 0.5}
        found.append(Event(f"e{i}", kind, at, who, data))
    found += [Fact(f"customer/{i}", "tier", "vip", hour(3 * i)) for i in range(3)]
    found.append(Relation(ME, "owns", "device/1", hour(5)))
    return sorted(found, key=lambda item: item.time)


TRIGGERS = (
    count("login", "2h", "<", 1),
    reduced("sum", ">=", 0.3),
    {"kind": "streak", "event": "mail", "times": 2, "where": [{"field": "opened", "op": "==", "value": False}]},
    {"kind": "sequence", "steps": [{"event": "mail"}, {"event": "login", "absent": True, "within": "2h"}]},
    {"kind": "all", "of": [VIP, happens("order")]},
)


def run(inputs: list[Input], lateness: float, restart_at: int | None = None) -> Stage:
    stage = Stage(*TRIGGERS, lateness=lateness)
    for i, each in enumerate(inputs):
        if i == restart_at:
            stage.restart()
        stage.take(each)
    stage.until(30)
    return stage


@pytest.mark.parametrize("seed", range(5))
def test_disorder_within_lateness_gives_the_same_firings(seed: int) -> None:
    ordered = stream(seed)
    dice = random.Random(seed)
    shuffled = sorted(ordered, key=lambda item: item.time + dice.randrange(2 * HOUR))
    plain = run(ordered, 0)
    assert run(shuffled, 2).firings == plain.firings
    assert len(plain.firings) > 10


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_ties_on_arrival_does_not_matter(seed: int) -> None:
    ordered = stream(seed)
    dice = random.Random(seed)
    tied = sorted(ordered, key=lambda item: (item.time, dice.random()))
    assert run(tied, 0).firings == run(ordered, 0).firings


def test_a_restart_at_any_point_gives_the_same_firings() -> None:
    ordered = stream(9)
    whole = run(ordered, 1).firings
    for point in range(0, len(ordered), 3):
        assert run(ordered, 1, restart_at=point).firings == whole


def test_one_batch_gives_what_single_inputs_give() -> None:
    ordered = stream(4)
    stage = Stage(*TRIGGERS, lateness=1)
    stage.take(*ordered)
    stage.until(30)
    assert stage.firings == run(ordered, 1).firings


def test_firings_of_one_instant_are_ordered_by_deployment_then_subject() -> None:
    stage = Stage(happens("order"), happens("order"))
    for who in ("customer/b", "customer/a"):
        stage.event("order", 1, who=who)
    stage.until(1)
    assert [(f.strategy, f.subject) for f in stage.firings] == [
        ("s", "customer/a"),
        ("s", "customer/b"),
        ("s1", "customer/a"),
        ("s1", "customer/b"),
    ]


def test_next_due_names_the_earliest_waiting_input_or_timer() -> None:
    stage = Stage(count("login", "2h", "<", 1), lateness=1)
    assert stage.engine.next_due() is None
    stage.event("login", 1)
    assert stage.engine.next_due() == hour(1)
    stage.until(1.5)
    assert stage.engine.next_due() == hour(3)


def test_advancing_backwards_changes_nothing() -> None:
    stage = Stage(happens("order"))
    stage.until(5)
    stage.until(1)
    assert stage.engine.watermark == hour(5)


def test_what_no_strategy_needs_any_more_is_dropped() -> None:
    stage = Stage(count("login", "2h", ">=", 2), happens("order"))
    for i in range(50):
        stage.event("login", i / 100, who=f"customer/{i}")
        stage.event("order", i / 100, who=f"customer/{i}")
    stage.until(9)
    kept = json.loads(stage.engine.snapshot())
    assert [running["states"] for running in kept["running"]] == [[], []]


def test_a_snapshot_of_another_format_or_broken_is_refused() -> None:
    for body in (b"", b"{}", b"[]", b'{"format": 99}'):
        with pytest.raises(InvalidInput):
            PythonEngine(CATALOG, 0).restore(body)


def test_a_year_of_silence_between_events_costs_no_polling() -> None:
    stage = Stage(count("login", "2h", "<", 1))
    stage.event("login", 0)
    stage.take(Event("far", "login", Micros(START + 365 * DAY), ME))
    assert stage.hours == [2]
    assert stage.look().truth is Truth.TRUE
