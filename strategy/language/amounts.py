"""What numbers in a sentence are: quantities with units, comparisons, windows and runs."""

from __future__ import annotations

from dataclasses import dataclass

from core.times import DAY, MINUTE, WEEK
from knowledge.catalog.units import WrongUnit, convert
from strategy.document import Per

OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}

_SPECIAL_MICROS = {
    "us": 1,
    "night": DAY,
    "分": MINUTE,
    "fortnight": 2 * WEEK,
    "quarterhour": 15 * MINUTE,
    "month": 30 * DAY,
    "quarter": 90 * DAY,
    "year": 365 * DAY,
}
NOT = "not "
"""Before the operator of a test on a text: it must not hold. No filter of an event has that."""
OUTSIDE = "outside"
"""The operator of a comparison with a range that must not hold."""
POINTS = ("分", "points")
"""分 is a minute, or a point where what is compared has no unit."""

_PERIODS: dict[str, Per] = {"d": "day", "night": "night", "week": "week", "month": "month"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as said, with its unit as said (canonical name) or none; `times`: it counts occurrences."""

    number: float
    unit: str | None = None
    times: bool = False
    measure: bool = False
    """Said with a measure word other than 次, so that it may also be the value of a field without a unit."""

    @property
    def micros(self) -> int | None:
        """As a duration in microseconds; None when it is not one."""
        if self.unit is None:
            return None
        if self.unit in _SPECIAL_MICROS:
            return round(self.number * _SPECIAL_MICROS[self.unit])
        try:
            return round(convert(self.number, self.unit, "s") * 1_000_000)
        except WrongUnit:
            return None

    @property
    def period(self) -> Per | None:
        return _PERIODS.get(self.unit or "")


@dataclass(frozen=True, slots=True)
class Comparison:
    op: str
    quantity: Quantity
    high: Quantity | None = None
    """The upper end of a range; then `op` is ">=" and the range includes both ends."""
    inclusive: bool = False
    """The ends were said to be included, which makes the range one test (`between`)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time or of events that is looked at. `form` is how it was said: past (the last 7 days), inside
    (7天内), within (within 7 days), in, for, all."""

    form: str
    over: int | None = None
    last: int | None = None
    said: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """连续N次 (per event) or N periods; `times` is None when the number stands elsewhere in the clause."""

    times: int | None
    per: Per = "event"
    micros: int | None = None
