"""Streaks and sequences: in a row, in order, in time, and what must not come between."""

from __future__ import annotations

from typing import Any

from stage import ME, Stage, happens, strategy

from core.times import parse_time
from strategy.engine.port import Truth

UNOPENED = {"field": "opened", "op": "==", "value": False}


def streak(event: str, times: int, *where: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "streak", "event": event, "times": times, "where": list(where), **more}


def sequence(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "sequence", "steps": list(steps)}


def step(event: str, within: str | None = None, absent: bool = False, **more: Any) -> dict[str, Any]:
    return {"event": event, "within": within, "absent": absent, **more}


# streaks


def test_three_in_a_row_fire_at_the_third_and_only_there() -> None:
    stage = Stage(streak("mail", 3, UNOPENED))
    for at in range(5):
        stage.event("mail", at, opened=False)
    assert stage.until(5) == [(ME, 2)]


def test_one_that_fails_the_filter_breaks_the_streak() -> None:
    stage = Stage(streak("mail", 3, UNOPENED))
    for at, opened in enumerate((False, False, True, False, False, False)):
        stage.event("mail", at, opened=opened)
    assert stage.until(6) == [(ME, 5)]


def test_one_that_misses_the_field_breaks_the_streak() -> None:
    stage = Stage(streak("mail", 2, UNOPENED))
    stage.event("mail", 0, opened=False)
    stage.event("mail", 1)
    stage.event("mail", 2, opened=False)
    assert stage.until(3) == []


def test_events_of_other_types_do_not_break_a_streak() -> None:
    stage = Stage(streak("swipe", 3))
    for at, kind in enumerate(("swipe", "login", "swipe", "order", "swipe")):
        stage.event(kind, at)
    assert stage.until(5) == [(ME, 4)]


def test_a_without_event_breaks_a_streak() -> None:
    stage = Stage(streak("swipe", 3, without=[{"event": "order"}]))
    for at, kind in enumerate(("swipe", "swipe", "order", "swipe", "swipe", "swipe")):
        stage.event(kind, at)
    assert stage.until(6) == [(ME, 5)]


def test_a_without_event_that_fails_its_own_filter_does_not_break_it() -> None:
    big = {"event": "order", "where": [{"field": "amount", "op": ">", "value": 100}]}
    stage = Stage(streak("swipe", 2, without=[big]))
    stage.event("swipe", 0)
    stage.event("order", 1, amount=5)
    stage.event("swipe", 2)
    assert stage.until(3) == [(ME, 2)]


def test_at_equal_time_the_id_says_whether_the_without_event_came_first() -> None:
    for order_id, expected in (("a", [(ME, 2)]), ("z", [])):
        stage = Stage(streak("swipe", 2, without=[{"event": "order"}]))
        stage.event("swipe", 1, id="m")
        stage.event("order", 1, id=order_id)
        stage.event("swipe", 2, id="n")
        assert stage.until(3) == expected


def test_a_broken_streak_may_fire_again() -> None:
    stage = Stage(streak("swipe", 2, without=[{"event": "order"}]))
    for at, kind in enumerate(("swipe", "swipe", "order", "swipe", "swipe")):
        stage.event(kind, at)
    assert stage.until(5) == [(ME, 1), (ME, 4)]


def test_two_nights_running_count_one_event_a_night_from_noon_to_noon() -> None:
    above = {"field": "apnea", "op": ">", "value": 15}
    stage = Stage(streak("sleep", 2, above, per="night"))
    for at in (14, 17, 27.9):  # 22:00, 01:00 and 11:54: one night
        stage.event("sleep", at, apnea=20)
    assert stage.until(27.95) == []
    stage.event("sleep", 28, apnea=20)  # 12:00: the next
    assert stage.until(28) == [(ME, 28)]


def test_a_night_that_fails_breaks_and_a_skipped_night_restarts() -> None:
    above = {"field": "apnea", "op": ">", "value": 15}
    failed = Stage(streak("sleep", 2, above, per="night"))
    for night, apnea in enumerate((20, 10, 20)):
        failed.event("sleep", 14 + 24 * night, apnea=apnea)
    assert failed.until(100) == []
    skipped = Stage(streak("sleep", 2, above, per="night"))
    for night in (0, 2, 3):
        skipped.event("sleep", 14 + 24 * night, apnea=20)
    assert skipped.until(100) == [(ME, 14 + 72)]


def test_days_are_days_of_the_catalogs_time_zone() -> None:
    stage = Stage(streak("login", 2, per="day"))
    stage.event("login", 15.9)  # 23:54 in Shanghai
    stage.event("login", 16)  # midnight
    assert stage.until(16) == [(ME, 16)]


def test_weeks_begin_on_monday_and_months_follow_over_the_year() -> None:
    weeks = Stage(streak("login", 2, per="week"))
    weeks.event("login", 2 * 24)  # Sunday 3 May
    weeks.event("login", 3 * 24)  # Monday
    assert weeks.until(80) == [(ME, 72)]
    months = Stage(streak("login", 2, per="month"))
    december, january = (
        (parse_time(t) - parse_time("2026-05-01T08:00:00+08:00")) / 3.6e9
        for t in ("2026-12-31T10:00:00+08:00", "2027-01-01T10:00:00+08:00")
    )
    months.event("login", december)
    months.event("login", january)
    assert months.until(january) == [(ME, january)]


# sequences


def test_steps_in_order_fire_at_the_last() -> None:
    stage = Stage(sequence(step("mail"), step("login"), step("order")))
    for at, kind in enumerate(("order", "mail", "order", "login", "order", "order")):
        stage.event(kind, at)
    assert stage.until(6) == [(ME, 4)]


def test_an_event_exactly_within_is_in_time_and_one_a_microsecond_later_is_not() -> None:
    exact = Stage(sequence(step("mail"), step("login", "2h")))
    exact.event("mail", 0)
    exact.event("login", 2)
    assert exact.until(3) == [(ME, 2)]
    late = Stage(sequence(step("mail"), step("login", "2h")))
    late.event("mail", 0)
    late.event("login", 2 + 1e-9)
    assert late.until(3) == []


def test_within_counts_from_the_previous_present_step() -> None:
    stage = Stage(sequence(step("mail"), step("login", "2h"), step("order", "2h")))
    for kind, at in (("mail", 0), ("login", 2), ("order", 4)):
        stage.event(kind, at)
    assert stage.until(5) == [(ME, 4)]


def test_an_absent_step_in_the_middle_ends_the_run() -> None:
    stage = Stage(sequence(step("mail"), step("login", absent=True), step("order")))
    for at, kind in enumerate(("mail", "login", "order", "mail", "order")):
        stage.event(kind, at)
    assert stage.until(5) == [(ME, 4)]


def test_nothing_after_fires_exactly_at_the_deadline() -> None:
    stage = Stage(sequence(step("complaint"), step("answer", "2h", absent=True)))
    stage.event("complaint", 0)
    assert stage.until(1.999) == []
    assert stage.until(2) == [(ME, 2)]


def test_an_answer_exactly_at_the_deadline_is_in_time() -> None:
    stage = Stage(sequence(step("complaint"), step("answer", "2h", absent=True)))
    stage.event("complaint", 0)
    stage.event("answer", 2)
    assert stage.until(9) == []


def test_runs_are_independent_and_each_deadline_fires() -> None:
    stage = Stage(sequence(step("complaint"), step("answer", "2h", absent=True)))
    for at in (0, 1):
        stage.event("complaint", at)
    assert stage.until(9) == [(ME, 2), (ME, 3)]


def test_several_runs_completing_at_one_instant_fire_once() -> None:
    stage = Stage(sequence(step("mail"), step("order")))
    for kind, at in (("mail", 0), ("mail", 1), ("order", 2)):
        stage.event(kind, at)
    assert stage.until(3) == [(ME, 2)]


def test_one_event_moves_a_run_by_one_step_at_most() -> None:
    stage = Stage(sequence(step("swipe"), step("swipe"), step("swipe")))
    for at in range(3):
        stage.event("swipe", at)
    assert stage.until(3) == [(ME, 2)]


def test_at_equal_time_steps_follow_the_order_of_ids() -> None:
    for mail_id, expected in (("a", [(ME, 1)]), ("z", [])):
        stage = Stage(sequence(step("mail"), step("order")))
        stage.event("order", 1, id="m")
        stage.event("mail", 1, id=mail_id)
        assert stage.until(2) == expected


def test_an_absent_step_with_its_own_within_is_forbidden_only_so_long() -> None:
    stage = Stage(sequence(step("mail"), step("login", "1h", absent=True), step("order")))
    stage.event("mail", 0)
    stage.event("login", 1.5)
    stage.event("order", 2)
    stage.event("mail", 10)
    stage.event("login", 11)
    stage.event("order", 12)
    assert stage.until(13) == [(ME, 2)]


def test_an_older_run_survives_what_ends_a_newer_one() -> None:
    stage = Stage(sequence(step("mail"), step("login", "1h", absent=True), step("order", "3h")))
    stage.event("mail", 0)
    stage.event("mail", 1.2)
    stage.event("login", 1.5)
    stage.event("order", 2)
    assert stage.until(3) == [(ME, 2)]
    assert stage.firings[0].trigger.evidence == ("e001", "e004")


def test_a_sequence_is_true_only_at_its_instant() -> None:
    stage = Stage(sequence(step("mail"), step("order")), lateness=1)
    stage.event("mail", 0)
    stage.event("order", 1)
    stage.until(2)
    seen = stage.look()
    assert seen.truth is Truth.FALSE
    assert stage.firings[0].trigger.truth is Truth.TRUE


def test_a_waiting_run_survives_a_restart_at_any_point() -> None:
    stage = Stage(sequence(step("mail"), step("login", "2h"), step("order", "2h", absent=True)))
    for kind, at in (("mail", 0), ("login", 1)):
        stage.restart()
        stage.event(kind, at)
    stage.restart()
    assert stage.until(9) == [(ME, 3)]


def test_an_edit_lets_sequences_in_flight_finish_on_their_version() -> None:
    old = strategy(sequence(step("complaint"), step("answer", "2h", absent=True)))
    new = strategy(sequence(step("complaint"), step("answer", "4h", absent=True)))
    stage = Stage(old)
    stage.event("complaint", 0)
    stage.until(1)
    stage.engine.deploy(new, 2)
    stage.event("complaint", 1.5)
    stage.restart()
    assert stage.until(9) == [(ME, 2), (ME, 5.5)]
    assert [f.version for f in stage.firings] == [1, 2]


def test_an_old_version_without_runs_in_flight_is_gone() -> None:
    old = strategy(happens("order"))
    stage = Stage(old)
    stage.event("order", 0)
    stage.until(1)
    stage.engine.deploy(strategy(happens("mail")), 2)
    stage.event("order", 2)
    stage.event("mail", 3)
    assert stage.until(4) == [(ME, 0), (ME, 3)]


def test_a_run_of_an_old_version_is_ended_by_what_it_forbids() -> None:
    old = strategy(sequence(step("complaint"), step("answer", "2h", absent=True)))
    stage = Stage(old)
    stage.event("complaint", 0)
    stage.until(1)
    stage.engine.deploy(strategy(happens("order")), 2)
    stage.event("answer", 1.5)
    assert stage.until(9) == []
