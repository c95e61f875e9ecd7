"""The strategy document: what a sentence becomes, what a file holds, what is read back, versioned and approved.
Its meaning is written in docs/strategy-semantics.md. Durations are `7d` in files and microseconds inside; values
stand in the unit the catalog gives the attribute or field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.times import Duration

Op = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not_in"]
FilterOp = Literal[
    "==", "!=", "<", "<=", ">", ">=", "in", "not_in",
    "between", "contains", "starts_with", "ends_with", "missing", "present",
]  # fmt: skip
"""Comparisons of one value: `between` [lowest, highest], both inclusive; the three of text are case-sensitive;
`missing` and `present` take no value and are never unknown."""
Value = float | bool | str | list[float | str]
SUBJECT = "@subject"
"""A pseudo field of every event: whom it happened to."""
Function = Literal["count", "sum", "avg", "min", "max", "distinct", "last"]
Per = Literal["event", "day", "night", "week", "month"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _check_value(op: FilterOp, value: Value | None) -> None:
    if (op in ("missing", "present")) != (value is None):
        raise ValueError(f"`{op}` takes {'no' if op in ('missing', 'present') else 'a'} value")
    if op == "between" and not (isinstance(value, list) and len(value) == 2):
        raise ValueError("`between` takes [lowest, highest]")


class Filter(_Part):
    """A comparison on a field of an event. A missing field makes it unknown."""

    field: str
    op: FilterOp
    value: Value | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _check_value(self.op, self.value)
        return self


class EventFilter(_Part):
    """Events of one type that pass every filter."""

    event: str
    where: tuple[Filter, ...] = ()


class Window(_Part):
    """`over`: the half-open (t-over, t]; `last`: the newest N events; neither: all history."""

    over: Duration | None = None
    last: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one(self) -> Window:
        if self.over is not None and self.last is not None:
            raise ValueError("a window has `over` or `last`, not both")
        if self.over == 0:
            raise ValueError("a window must be longer than zero")
        return self


class AttributeIs(_Part):
    """A comparison on the subject's attribute. With `via`, on the attribute of any object it has that relation to."""

    kind: Literal["attribute"] = "attribute"
    name: str
    op: FilterOp
    value: Value | None = None
    via: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _check_value(self.op, self.value)
        return self


class Happens(EventFilter):
    """True only at the instants at which such an event occurs: every such event fires anew."""

    kind: Literal["event"] = "event"


class Aggregate(EventFilter):
    """A function over the subject's matching events in a window, compared with a value."""

    kind: Literal["aggregate"] = "aggregate"
    function: Function
    field: str | None = Field(default=None, description="`distinct` may count `@subject`: to whom the events happened")
    window: Window = Window()
    op: Op
    value: Value


class MetricIs(_Part):
    """A catalog metric over a window, compared with a value in the metric's unit."""

    kind: Literal["metric"] = "metric"
    metric: str
    window: Window = Window()
    op: Op
    value: float


class Ratio(_Part):
    """Events that pass `of` per events that pass `per`, in a window, compared with a number; `percent`: times 100."""

    kind: Literal["ratio"] = "ratio"
    of: EventFilter
    per: EventFilter
    window: Window = Window()
    op: Op
    value: float
    percent: bool = False


class Streak(EventFilter):
    """The last `times` events of the type in a row pass the filters and no `without` event came between or after.
    With `per` other than event: that many consecutive local days (nights, weeks, months) each with a passing event."""

    kind: Literal["streak"] = "streak"
    times: int = Field(ge=1)
    per: Per = "event"
    without: tuple[EventFilter, ...] = ()


class Step(EventFilter):
    """A step of a sequence. `within`: at most so long after the previous present step. `absent`: it must not occur."""

    within: Duration | None = None
    absent: bool = False


class Sequence(_Part):
    """Steps in order of time. True at the instant the last step completes; when the last step is absent, at the
    deadline `within` after the last present step ("nothing for T after A")."""

    kind: Literal["sequence"] = "sequence"
    steps: tuple[Step, ...] = Field(min_length=2)


class Change(EventFilter):
    """An aggregate over the last `window` against the window of the same length just before it: up or down by at least
    `percent`."""

    kind: Literal["change"] = "change"
    function: Literal["count", "sum", "avg"]
    field: str | None = None
    window: Duration = Field(gt=0)
    direction: Literal["rise", "drop"]
    percent: float = Field(gt=0)


class Near(_Part):
    """The subject's geo attribute lies within `metres` (geodesic) of any point of a place."""

    kind: Literal["near"] = "near"
    place: str
    metres: float = Field(gt=0)
    attribute: str = "location"


class ForecastIs(_Part):
    """A model's newest score for the subject, or (via) for any object it has that relation to."""

    kind: Literal["forecast"] = "forecast"
    forecast: str
    op: Op
    value: float
    via: str | None = None


class DateIs(_Part):
    """A date attribute against the calendar, in the catalog's time zone: with `part`, the current month (or day) is the
    date's, in any year; else today is the day `days_before` days before the date (`yearly`: before its anniversary),
    from its midnight to the next."""

    kind: Literal["date"] = "date"
    attribute: str
    days_before: int | None = Field(default=None, ge=0)
    yearly: bool = False
    part: Literal["month", "day"] | None = None
    via: str | None = None

    @model_validator(mode="after")
    def _one(self) -> DateIs:
        if (self.days_before is None) == (self.part is None):
            raise ValueError("a date condition has either `days_before` or `part`")
        if self.yearly and (self.days_before is None or self.days_before > 365):
            raise ValueError("`yearly` goes with `days_before` of at most 365")
        return self


class PathStep(_Part):
    """To the objects one relation leads to (`reverse`: from the object to the subjects of the relation) whose
    attributes pass every filter. `absent`: there must be none."""

    relation: str
    reverse: bool = False
    where: tuple[Filter, ...] = ()
    absent: bool = False


class Path(_Part):
    """From the subject along relations, as they stand now: true when some chain of objects passes every step and, when
    the last one is absent, leads no further. A relation nobody has told of does not exist."""

    kind: Literal["path"] = "path"
    steps: tuple[PathStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends(self) -> Path:
        if any(step.absent for step in self.steps[:-1]):
            raise ValueError("only the last step of a path may be absent")
        return self


class All(_Part):
    kind: Literal["all"] = "all"
    of: tuple[Condition, ...] = Field(min_length=1)


class Any_(_Part):
    kind: Literal["any"] = "any"
    of: tuple[Condition, ...] = Field(min_length=1)


class Not(_Part):
    kind: Literal["not"] = "not"
    of: Condition


Leaf = (
    AttributeIs
    | Happens
    | Aggregate
    | MetricIs
    | Ratio
    | Streak
    | Sequence
    | Change
    | Near
    | ForecastIs
    | DateIs
    | Path
)
Condition = Annotated[
    AttributeIs
    | Happens
    | Aggregate
    | MetricIs
    | Ratio
    | Streak
    | Sequence
    | Change
    | Near
    | ForecastIs
    | DateIs
    | Path
    | All
    | Any_
    | Not,
    Field(discriminator="kind"),
]


def leaves(condition: Condition | None, path: str) -> Iterator[tuple[str, Leaf]]:
    """The conditions at the ends of a tree, with their places in the document."""
    if isinstance(condition, All | Any_):
        for i, part in enumerate(condition.of):
            yield from leaves(part, f"{path}.of.{i}")
    elif isinstance(condition, Not):
        yield from leaves(condition.of, f"{path}.of")
    elif condition is not None:
        yield path, condition


def texts_of(part: Any) -> set[str]:
    """Every text in a dumped document, or in a part of one: among them are all names it reads."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return set().union(*map(texts_of, part))
    return {part} if isinstance(part, str) else set()


class ActionCall(_Part):
    """A catalog action, or (when the catalog has no such action) a free-text task for a person."""

    action: str | None = None
    task: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> ActionCall:
        if (self.action is None) == (self.task is None):
            raise ValueError("an action names either a catalog `action` or a free-text `task`")
        return self

    @property
    def label(self) -> str:
        return self.action or self.task or ""


class Verify(_Part):
    """How success is judged: the event (or metric) looked at within a time after the firing."""

    event: str | None = None
    metric: str | None = None
    within: Duration


class Cap(_Part):
    """At most `times` deliveries a subject in any window of `per`."""

    times: int = Field(ge=1)
    per: Duration = Field(gt=0)


class QuietHours(_Part):
    """Local times `HH:MM` between which nothing goes out: it is deferred to the end, or dropped."""

    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    mode: Literal["defer", "drop"] = "defer"


class Guards(_Part):
    consent: str | None = Field(default=None, description="purpose the customer must have consented to")
    cap: Cap | None = None
    quiet_hours: QuietHours | None = None
    cooldown: Duration | None = Field(default=None, description="no second firing of the subject within this time")
    budget: int | None = Field(default=None, ge=1, description="deliveries in all")


class Variant(_Part):
    name: str
    weight: float = Field(gt=0)
    params: dict[str, Any] = Field(default_factory=dict)


class Rollout(_Part):
    percent: float = Field(default=1.0, ge=0, le=100, description="share of subjects it runs for, in percent")
    holdout: float = Field(default=0.0, ge=0, le=100, description="share of those kept without action, in percent")
    variants: tuple[Variant, ...] = ()


class Strategy(_Part):
    """One strategy. `subject` is the object type it fires for."""

    strategy: Literal[1] = Field(default=1, description="version of this format")
    name: str = Field(min_length=1)
    subject: str = "customer"
    audience: Condition | None = None
    trigger: Condition
    actions: tuple[ActionCall, ...] = Field(min_length=1)
    verify: Verify | None = None
    guards: Guards = Guards()
    rollout: Rollout = Rollout()

    @model_validator(mode="after")
    def _is_json(self) -> Strategy:
        """Parameters may be anything that JSON holds; NaN, infinity and halves of characters it does not."""
        try:
            json.dumps(self.model_dump(), ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as cause:
            raise ValueError(f"JSON cannot hold it: {cause}") from cause
        return self


for _model in (All, Any_, Not, Strategy):
    _model.model_rebuild()


def strategy_schema() -> dict[str, Any]:
    """The JSON Schema of a strategy file, made from these models."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Strategy.model_json_schema()}
