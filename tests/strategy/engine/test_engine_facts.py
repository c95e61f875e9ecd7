"""Conditions on facts: attributes, related objects, forecasts, places and dates."""

from __future__ import annotations

from typing import Any

import pytest
from stage import CATALOG, ME, START, VIP, Stage, attribute

from core.times import HOUR, parse_time
from strategy.engine.facts import distance
from strategy.engine.port import Truth

HOT = attribute("heat", ">", 80, via="owns")


def hours(text: str) -> float:
    return (parse_time(text) - START) / HOUR


def date(**more: Any) -> dict[str, Any]:
    return {"kind": "date", "attribute": "birthday", **more}


def test_a_fact_can_fire_a_strategy() -> None:
    stage = Stage(VIP)
    stage.fact("tier", "vip", 1)
    assert stage.until(2) == [(ME, 1)]


def test_no_fact_is_unknown_and_a_null_ends_one() -> None:
    stage = Stage(VIP)
    assert stage.look().truth is Truth.UNKNOWN
    stage.fact("tier", "vip", 1)
    stage.fact("tier", None, 2)
    stage.until(3)
    assert stage.look().truth is Truth.UNKNOWN
    stage.fact("tier", "vip", 4)
    assert stage.until(5) == [(ME, 1), (ME, 4)]


def test_a_value_of_another_kind_is_unknown() -> None:
    stage = Stage(attribute("dwell", "<", 15))
    stage.fact("dwell", "short", 0)
    stage.fact("dwell", True, 1)
    stage.until(2)
    assert stage.look().truth is Truth.UNKNOWN
    assert stage.fired == []


def test_two_values_at_one_instant_give_the_same_whatever_came_first() -> None:
    for values in (("plain", "vip"), ("vip", "plain")):
        stage = Stage(VIP)
        for value in values:
            stage.fact("tier", value, 1)
        assert stage.until(2) == [(ME, 1)]


def test_a_late_fact_takes_effect_at_the_first_open_instant() -> None:
    stage = Stage(VIP)
    stage.event("login", 5)
    stage.until(5)
    stage.fact("tier", "vip", 1)
    stage.until(6)
    assert [f.at for f in stage.firings] == [START + 5 * HOUR + 1]
    assert stage.aside == []


def test_a_late_fact_does_not_undo_a_newer_one() -> None:
    stage = Stage(VIP)
    stage.fact("tier", "plain", 3)
    stage.until(5)
    stage.fact("tier", "vip", 1)
    assert stage.until(6) == []


def test_via_is_true_when_true_for_any_related_object() -> None:
    stage = Stage(HOT)
    for device, heat in (("device/1", 20), ("device/2", 90)):
        stage.owns(device, 0)
        stage.fact("heat", heat, 1, who=device)
    assert stage.until(1) == [(ME, 1)]
    seen = stage.firings[0].trigger
    assert [c.path for c in seen.children] == ["trigger.via.device/2", "trigger.via.device/1"]
    assert seen.observed == 90


def test_via_is_false_only_when_false_for_all_and_unknown_without_objects() -> None:
    stage = Stage(HOT)
    assert stage.look().truth is Truth.UNKNOWN
    stage.owns("device/1", 0)
    stage.owns("device/2", 0)
    stage.fact("heat", 20, 0, who="device/1")
    stage.until(0)
    assert stage.look().truth is Truth.UNKNOWN
    stage.fact("heat", 20, 1, who="device/2")
    stage.until(1)
    assert stage.look().truth is Truth.FALSE


def test_a_new_relation_to_a_hot_device_fires_and_its_end_re_arms() -> None:
    stage = Stage(HOT)
    stage.fact("heat", 90, 0, who="device/1")
    stage.owns("device/1", 1)
    stage.owns("device/1", 2, ended=True)
    stage.owns("device/1", 3)
    assert stage.until(4) == [(ME, 1), (ME, 3)]


def test_a_fact_on_a_related_object_reaches_everyone_who_relates_to_it_after_a_restart() -> None:
    stage = Stage(HOT)
    stage.owns("device/1", 0)
    stage.until(0)
    stage.restart()
    stage.fact("heat", 90, 1, who="device/1")
    assert stage.until(1) == [(ME, 1)]


def test_a_forecast_is_a_fact_under_its_id() -> None:
    stage = Stage(
        {"kind": "forecast", "forecast": "churn", "op": ">", "value": 85},
        {"kind": "forecast", "forecast": "failure", "op": ">", "value": 85, "via": "owns"},
    )
    stage.owns("device/1", 0)
    stage.fact("churn", 90, 1)
    stage.fact("failure", 86, 2, who="device/1")
    assert stage.until(3) == [(ME, 1), (ME, 2)]


def test_near_measures_the_great_circle() -> None:
    near = {"kind": "near", "place": "rival", "metres": 500}
    stage = Stage(near)
    stage.fact("location", {"lat": 31.2346, "lon": 121.47}, 0)  # 511 m to the north
    stage.fact("location", {"lat": 31.2344, "lon": 121.47}, 1)  # 489 m
    assert stage.until(2) == [(ME, 1)]
    assert stage.firings[0].trigger.observed == pytest.approx(489.3, abs=0.2)


def test_distance_agrees_with_known_ones() -> None:
    assert distance(0, 0, 0, 0) == 0
    assert distance(0, 0, 0, 180) == pytest.approx(20_015_114.4, abs=1)
    assert distance(52.52, 13.405, 48.8566, 2.3522) == pytest.approx(877_464, rel=1e-3)
    assert distance(0, 179.9, 0, -179.9) == pytest.approx(22_239, abs=1)


def test_days_before_a_date_is_true_from_local_midnight_by_timer() -> None:
    stage = Stage(date(days_before=3))
    stage.fact("birthday", "2026-05-20", 0)
    stage.event("login", 1)
    midnight = hours("2026-05-17T00:00:00+08:00")
    assert stage.until(midnight - 0.001) == []
    assert stage.until(midnight + 23.9) == [(ME, midnight)]
    assert stage.look().truth is Truth.TRUE
    stage.until(midnight + 24)
    assert stage.look().truth is Truth.FALSE


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1969-12-31", "2100-01-01"])
def test_a_date_beyond_all_time_never_comes(day: str) -> None:
    stage = Stage(date(days_before=3))
    stage.fact("birthday", day, 0)
    stage.event("login", 1)
    assert stage.until(1_000) == []
    assert stage.look().truth is Truth.FALSE


def test_the_month_of_a_birthday_fires_at_its_first_midnight_every_year() -> None:
    stage = Stage(date(part="month"))
    stage.fact("birthday", "1990-06-15", 0)
    stage.until(hours("2027-12-01T00:00:00+08:00"))
    assert stage.hours == [hours("2026-06-01T00:00:00+08:00"), hours("2027-06-01T00:00:00+08:00")]


def test_a_birthday_today_fires_when_the_fact_comes() -> None:
    stage = Stage(date(part="day"))
    stage.fact("birthday", "1990-05-01", 1)
    assert stage.until(2) == [(ME, 1)]


def test_a_leap_day_counts_as_28_february_in_common_years() -> None:
    stage = Stage(date(part="day"))
    stage.fact("birthday", "2000-02-29", 0)
    stage.until(hours("2028-12-01T00:00:00+08:00"))
    days = ("2027-02-28", "2028-02-29")
    assert stage.hours == [hours(f"{day}T00:00:00+08:00") for day in days]


def test_midnight_follows_the_zones_summer_time() -> None:
    catalog = CATALOG.model_copy(update={"timezone": "Europe/Berlin"})
    stage = Stage(date(days_before=0), catalog=catalog)
    stage.fact("birthday", "2026-10-26", 0)
    stage.until(hours("2026-10-27T00:00:00+01:00"))
    assert stage.hours == [hours("2026-10-26T00:00:00+01:00")]


def test_a_date_of_a_related_object_fires_by_timer() -> None:
    stage = Stage({"kind": "date", "attribute": "warranty", "days_before": 1, "via": "owns"})
    stage.owns("device/1", 0)
    stage.fact("warranty", "2026-05-10", 0, who="device/1")
    stage.restart()
    midnight = hours("2026-05-09T00:00:00+08:00")
    assert stage.until(midnight) == [(ME, midnight)]
