"""Who is in, who is held out, and what the difference between them says."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.times import Micros
from strategy.document import Rollout, Variant
from strategy.experiment import Arm, Exposure, assign, bucket, compare, effect, wilson

SUBJECTS = [f"customer/c{i}" for i in range(20_000)]


def chosen(rollout: Rollout, name: str = "winback", salt: str = "") -> set[str]:
    return {s for s in SUBJECTS[:5_000] if assign("default", name, s, rollout, salt=salt).in_rollout}


@given(st.floats(0, 100), st.floats(0, 100), st.text(max_size=20), st.text(max_size=20))
def test_raising_the_percentage_only_ever_adds_subjects(a: float, b: float, name: str, subject: str) -> None:
    low, high = sorted((a, b))
    inside = [assign("t", name, subject, Rollout(percent=p)).in_rollout for p in (low, high)]
    assert inside in ([False, False], [False, True], [True, True])


def test_one_percent_is_inside_five_percent_and_five_inside_all() -> None:
    one, five, everyone = (chosen(Rollout(percent=p)) for p in (1, 5, 100))
    assert 0 < len(one) < len(five)
    assert one < five < everyone == set(SUBJECTS[:5_000])
    assert chosen(Rollout(percent=0)) == set()


def test_buckets_are_uniform() -> None:
    """Chi-square over 20 equal cells; 19 degrees of freedom exceed 43.8 once in a thousand draws."""
    cells = [0] * 20
    for subject in SUBJECTS:
        cells[int(bucket("default", "winback", "", subject, "rollout") // 5)] += 1
    expected = len(SUBJECTS) / 20
    assert sum((c - expected) ** 2 / expected for c in cells) < 43.8


def test_holdout_rollout_and_variant_are_independent_of_each_other() -> None:
    rollout = Rollout(percent=30, holdout=20, variants=(Variant(name="a", weight=1), Variant(name="b", weight=3)))
    got = [assign("default", "winback", s, rollout) for s in SUBJECTS]

    def share(of: list[bool]) -> float:
        return sum(of) / len(of)

    for inside in (True, False):
        some = [a for a in got if a.in_rollout is inside]
        spread = 4 * sqrt(0.25 / len(some))
        assert abs(share([a.holdout for a in some]) - 0.2) < spread
        assert abs(share([a.variant == "b" for a in some]) - 0.75) < spread
    held = [a for a in got if a.holdout]
    assert abs(share([a.variant == "b" for a in held]) - 0.75) < 4 * sqrt(0.25 / len(held))


def test_the_same_subject_gets_the_same_answer_and_another_strategy_or_salt_draws_anew() -> None:
    rollout = Rollout(percent=50)
    assert chosen(rollout) == chosen(rollout)
    for other in (chosen(rollout, name="upsell"), chosen(rollout, salt="2")):
        shared = len(chosen(rollout) & other)
        assert 1_100 < shared < 1_400


def test_without_variants_there_is_none() -> None:
    assert assign("default", "winback", "customer/c1", Rollout()).variant is None


# ---- effect


def test_wilsons_interval_matches_published_figures() -> None:
    low, high = wilson(Arm(263, 81))  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson(Arm(20, 0))
    assert (low, round(high, 4)) == (0.0, 0.1611)


def test_newcombes_interval_matches_published_figures() -> None:
    found = compare(Arm(70, 56), Arm(80, 48))  # Newcombe 1998, table II, method 10
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert round(found.difference, 4) == 0.2


def test_an_empty_holdout_is_refused_with_the_reason() -> None:
    with pytest.raises(Refused) as caught:
        compare(Arm(10, 1), Arm(0, 0))
    assert "holdout has no customers" in caught.value.say("en")
    assert "对照组" in caught.value.say("zh")


def test_conversions_count_after_the_exposure_up_to_and_including_the_end_of_the_time() -> None:
    at, within = 1_000_000, 100
    exposed = [Exposure(f"t{i}", Micros(at), False) for i in range(5)] + [Exposure("h", Micros(at), True)]
    seen = [("t0", at), ("t1", at + 1), ("t2", at + within), ("t3", at + within + 1), ("t1", at + 2), ("h", at - 5)]
    found = effect(exposed, seen, within, now=at + within)
    assert (found.treated, found.holdout) == (Arm(5, 2), Arm(1, 0))


def test_a_subject_counts_once_by_its_first_exposure_and_only_when_its_time_is_over() -> None:
    exposed = [
        Exposure("a", Micros(50), False),
        Exposure("a", Micros(10), False),
        Exposure("h", Micros(10), True),
        Exposure("late", Micros(95), False),
    ]
    found = effect(exposed, [("a", 55), ("late", 96)], within=20, now=100)
    assert (found.treated, found.waiting) == (Arm(1, 0), 1)
    assert found.as_dict()["waiting"] == 1


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    """2,000 simulated experiments with known rates: 95% ± four standard errors of a share."""
    draw = Random(5)
    covered = 0
    for _ in range(2_000):
        treated = Arm(120, sum(draw.random() < 0.25 for _ in range(120)))
        held = Arm(40, sum(draw.random() < 0.10 for _ in range(40)))
        found = compare(treated, held)
        covered += found.low <= 0.15 <= found.high
    assert abs(covered / 2_000 - 0.95) < 4 * sqrt(0.95 * 0.05 / 2_000)
