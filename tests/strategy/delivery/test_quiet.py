"""Quiet hours on local clocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import DAY, format_time, parse_time, to_datetime
from strategy.delivery.quiet import quiet_until
from strategy.document import QuietHours

ZONE = "Asia/Shanghai"


def until(at: str, start: str, end: str, zone: str = ZONE) -> str | None:
    found = quiet_until(parse_time(at), QuietHours(start=start, end=end), zone)
    return None if found is None else format_time(found, zone)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-05-13T21:59:59.999999+08:00", None),
        ("2026-05-13T22:00:00+08:00", "2026-05-14T08:00:00+08:00"),
        ("2026-05-13T23:59:59+08:00", "2026-05-14T08:00:00+08:00"),
        ("2026-05-14T00:00:00+08:00", "2026-05-14T08:00:00+08:00"),
        ("2026-05-14T07:59:59.999999+08:00", "2026-05-14T08:00:00+08:00"),
        ("2026-05-14T08:00:00+08:00", None),
        ("2026-05-13T14:00:00Z", "2026-05-14T08:00:00+08:00"),
        ("2026-12-31T22:30:00+08:00", "2027-01-01T08:00:00+08:00"),
    ],
)
def test_over_midnight_they_end_the_next_morning_half_open(at: str, expected: str | None) -> None:
    assert until(at, "22:00", "08:00") == expected


def test_within_one_day_they_end_the_same_day() -> None:
    assert until("2026-05-13T12:30:00+08:00", "12:00", "14:00") == "2026-05-13T14:00:00+08:00"
    assert until("2026-05-13T14:00:00+08:00", "12:00", "14:00") is None


def test_equal_ends_make_them_empty() -> None:
    assert until("2026-05-13T12:00:00+08:00", "12:00", "12:00") is None


def test_an_end_that_the_clock_skips_in_spring_comes_right_after_the_gap() -> None:
    assert until("2026-03-29T01:30:00+01:00", "22:00", "02:30", "Europe/Berlin") == "2026-03-29T03:30:00+02:00"


def test_when_the_hour_comes_twice_in_autumn_the_end_after_the_moment_is_meant() -> None:
    zone = "Europe/Berlin"
    assert until("2026-10-25T02:10:00+02:00", "22:00", "02:30", zone) == "2026-10-25T02:30:00+02:00"
    assert until("2026-10-25T02:10:00+01:00", "22:00", "02:30", zone) == "2026-10-25T02:30:00+01:00"


_CLOCK = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))


@given(
    st.integers(parse_time("2024-01-01T00:00:00Z"), parse_time("2028-01-01T00:00:00Z")),
    _CLOCK,
    _CLOCK,
    st.sampled_from([ZONE, "Europe/Berlin", "America/New_York", "UTC"]),
)
def test_the_end_is_after_the_moment_within_a_day_and_not_quiet_itself(
    at: int, start: str, end: str, zone: str
) -> None:
    quiet = QuietHours(start=start, end=end)
    found = quiet_until(at, quiet, zone)
    if found is None:
        return
    assert at < found <= at + DAY + DAY // 24
    if to_datetime(found, zone).strftime("%H:%M") == end:  # else the clock skipped the end
        assert quiet_until(found, quiet, zone) is None
