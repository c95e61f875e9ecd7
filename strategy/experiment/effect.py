"""What a strategy changed: conversion of those treated against those held out, with an interval."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

from core.errors import Refused
from core.text import Text
from core.times import Micros

FIXED_LOOK = Text(
    "该区间只在事先定好的一次查看时有效；反复查看并择机停止会高估把握",
    "The interval is valid for one look planned in advance; looking often and stopping early overstates certainty",
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A subject's first passage of the holdout gate, and on which side. Later drops (cap, budget) stay where they were
    assigned: otherwise the two sides would no longer be alike."""

    subject: str
    at: Micros
    holdout: bool


@dataclass(frozen=True, slots=True)
class Arm:
    """`n` subjects whose time to convert is over, of which `converted` did."""

    n: int
    converted: int

    @property
    def rate(self) -> float:
        return self.converted / self.n if self.n else float("nan")


@dataclass(frozen=True, slots=True)
class Effect:
    """`difference` = treated rate − holdout rate, in shares of one; `low` and `high` bound it at `confidence`.
    `waiting`: subjects not yet counted because their time to convert is not over."""

    treated: Arm
    holdout: Arm
    difference: float
    low: float
    high: float
    confidence: float
    waiting: int
    note: Text = FIXED_LOOK

    def as_dict(self) -> dict[str, Any]:
        rates = {"treated_rate": self.treated.rate, "holdout_rate": self.holdout.rate}
        return {**asdict(self), **rates, "note": self.note._asdict()}


def wilson(arm: Arm, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (E. B. Wilson, 1927)."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    n, p = arm.n, arm.rate
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def compare(treated: Arm, holdout: Arm, confidence: float = 0.95, waiting: int = 0) -> Effect:
    """The difference of two shares with Newcombe's hybrid score interval (R. G. Newcombe, 1998, method 10).

    Raises:
        Refused: a side is empty, so there is nothing to compare with.
    """
    for arm, name in ((holdout, Text("对照组", "holdout")), (treated, Text("处理组", "treated group"))):
        if arm.n == 0:
            raise Refused(
                Text(
                    f"{name.zh}还没有满观察期的客户，效果无从比较",
                    f"the {name.en} has no customers whose time to convert is over, so there is no effect to state",
                ),
                hint=Text(
                    f"仍在观察期内的客户：{waiting}；对照组由 rollout.holdout 设定",
                    f"Customers still within their time: {waiting}; rollout.holdout sets the share held out",
                ),
            )
    (low_t, high_t), (low_h, high_h) = wilson(treated, confidence), wilson(holdout, confidence)
    difference = treated.rate - holdout.rate
    return Effect(
        treated=treated,
        holdout=holdout,
        difference=difference,
        low=difference - sqrt((treated.rate - low_t) ** 2 + (high_h - holdout.rate) ** 2),
        high=difference + sqrt((high_t - treated.rate) ** 2 + (holdout.rate - low_h) ** 2),
        confidence=confidence,
        waiting=waiting,
    )


def effect(
    exposures: Iterable[Exposure],
    conversions: Iterable[tuple[str, int]],
    within: int,
    now: int,
    confidence: float = 0.95,
) -> Effect:
    """Conversion of treated and held-out subjects.

    Args:
        exposures: in any order; a subject's earliest counts.
        conversions: (subject, time) of every verifying event; one in (exposure, exposure + within] is a conversion.
        within: the time to convert, in microseconds; a subject is counted once it is over.
        now: the moment up to which conversions are complete.

    Raises:
        Refused: nobody is held out, or nobody is treated, yet.
    """
    times: dict[str, list[int]] = defaultdict(list)
    for subject, time in conversions:
        times[subject].append(time)
    for seen in times.values():
        seen.sort()
    first: dict[str, Exposure] = {}
    for exposure in exposures:
        if exposure.subject not in first or exposure.at < first[exposure.subject].at:
            first[exposure.subject] = exposure
    counts = {True: [0, 0], False: [0, 0]}
    waiting = 0
    for exposure in first.values():
        if exposure.at + within > now:
            waiting += 1
            continue
        seen = times.get(exposure.subject, [])
        after = bisect_right(seen, exposure.at)
        counts[exposure.holdout][0] += 1
        counts[exposure.holdout][1] += after < len(seen) and seen[after] <= exposure.at + within
    return compare(Arm(*counts[False]), Arm(*counts[True]), confidence, waiting)
