"""Moments and durations at the borders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.times import DAY, HOUR, MINUTE, SECOND, format_duration, format_time, parse_duration, parse_time


def test_an_offset_is_converted_to_utc() -> None:
    assert parse_time("2026-05-01T08:00:00+08:00") == parse_time("2026-05-01T00:00:00Z")


def test_a_naive_time_is_refused_with_a_cure_in_both_languages() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_time("2026-05-01T08:00:00")
    assert "+08:00" in caught.value.say("zh")
    assert "offset" in caught.value.say("en")


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_an_absurd_clock_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be right"):
        parse_time(text)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "", None, 17, "2026-05-01"]
)
def test_what_is_not_a_time_is_refused(text: object) -> None:
    with pytest.raises(InvalidInput):
        parse_time(text)


def test_a_leap_second_is_refused_rather_than_moved() -> None:
    with pytest.raises(InvalidInput):
        parse_time("2026-06-30T23:59:60Z")


@given(st.integers(0, 4_102_444_800 * SECOND - 1))
def test_a_moment_survives_being_written(moment: int) -> None:
    assert parse_time(format_time(moment)) == moment


@given(st.integers(0, 1000 * DAY))
def test_a_duration_survives_being_written(micros: int) -> None:
    assert parse_duration(format_duration(micros)) == micros


def test_durations_combine_units() -> None:
    assert parse_duration("1h30m") == HOUR + 30 * MINUTE


@pytest.mark.parametrize(
    "text", ["", "7", "7 d", "-1h", "d", "1x", True, None, "1001000d", "9" * 400 + "d", 10**30, -1]
)
def test_what_is_not_a_duration_is_refused(text: object) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)
