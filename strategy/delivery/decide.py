"""The decision itself, as a pure function that live running and replay share: what is known goes in, a verdict with
every step taken comes out. The order is written once, here: consent → audience → holdout and variant → cap → quiet
hours → budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.context import Purpose
from core.errors import InvalidInput
from core.text import Text
from core.times import Micros, format_duration, format_time
from knowledge.catalog import nearest
from strategy.delivery.quiet import quiet_until
from strategy.document import Cap, Guards, QuietHours, Strategy
from strategy.engine.port import Observation, Truth
from strategy.experiment import Assignment

CUSTOMER_CHANNELS = frozenset({"wechat", "wecom", "sms", "email", "push", "voice", "ads"})
"""Channels that reach the customer: without a word in the strategy, what goes out on them is taken for marketing."""


class Outcome(StrEnum):
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    DROPPED = "dropped"
    HOLDOUT = "holdout"


class Reason(StrEnum):
    """Why nothing went out, or not yet."""

    NO_CONSENT = "no_consent"
    OUTSIDE_AUDIENCE = "outside_audience"
    AUDIENCE_UNKNOWN = "audience_unknown"
    NOT_IN_ROLLOUT = "not_in_rollout"
    HOLDOUT = "holdout"
    CAP = "cap"
    QUIET_HOURS = "quiet_hours"
    BUDGET = "budget"


REASONS = {
    Reason.NO_CONSENT: Text("客户没有同意", "the customer has not consented"),
    Reason.OUTSIDE_AUDIENCE: Text("客户不在策略人群内", "the customer is not in the audience"),
    Reason.AUDIENCE_UNKNOWN: Text(
        "是否在人群内未知（没有数据）", "whether the customer is in the audience is unknown (no data)"
    ),
    Reason.NOT_IN_ROLLOUT: Text("客户不在当前放量范围内", "the customer is outside the current rollout"),
    Reason.HOLDOUT: Text("客户在对照组，只观察不触达", "the customer is held out for comparison"),
    Reason.CAP: Text("已达频次上限", "the frequency cap is reached"),
    Reason.QUIET_HOURS: Text("处于免打扰时段", "it is within quiet hours"),
    Reason.BUDGET: Text("预算已用完", "the budget is used up"),
}


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """Everything a decision depends on.

    `channels` and `consent` run parallel to the strategy's actions: the channel each wants (None: an inner task) and
    whether the customer's consent covers it. `recent`: deliveries of this strategy to the subject in (at − cap.per, at]
    and any already promised for later. `spent`: deliveries of this strategy to anyone. `zone`: where quiet hours are.
    """

    strategy: Strategy
    at: Micros
    assignment: Assignment
    audience: Observation | None = None
    channels: tuple[str | None, ...] = ()
    consent: tuple[bool, ...] = ()
    recent: int = 0
    spent: int = 0
    zone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of the written order: its name, what was found in words and numbers, and the reason if it objects."""

    guard: str
    said: Text
    reason: Reason | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`actions`: indexes of the actions that go out. `not_before`: when (delivered: at once). `layers`: the steps
    taken, in order; the last one decided when nothing goes out."""

    outcome: Outcome
    reason: Reason | None
    not_before: Micros
    variant: str | None
    actions: tuple[int, ...]
    layers: tuple[Layer, ...]


def needed_consent(guards: Guards, channel: str | None) -> Purpose | None:
    """The purpose a customer must have consented to before this strategy uses this channel, or None.

    What the strategy says (`guards.consent`) holds for all its actions. If it says nothing, customer channels count as
    marketing, and inner tasks, the in-app inbox and webhooks need no consent.

    Raises:
        InvalidInput: `guards.consent` is not a purpose.
    """
    if guards.consent is None:
        return Purpose.MARKETING if channel in CUSTOMER_CHANNELS else None
    try:
        return Purpose(guards.consent)
    except ValueError as cause:
        raise InvalidInput(
            Text(f"没有目的 {guards.consent!r}", f"there is no purpose {guards.consent!r}"),
            where={"field": "guards.consent"},
            nearest=nearest(guards.consent, list(Purpose)) or list(Purpose),
        ) from cause


def decide(given: DecisionInput) -> Verdict:
    """Take the steps in the written order until one stops the decision."""
    layers: list[Layer] = []
    due = given.at
    variant: str | None = None
    for layer in _steps(given):
        layers.append(layer)
        if layer.reason is Reason.QUIET_HOURS and "until" in layer.detail:
            due = Micros(layer.detail["until"])
        elif layer.reason is not None:
            outcome = Outcome.HOLDOUT if layer.reason is Reason.HOLDOUT else Outcome.DROPPED
            return Verdict(outcome, layer.reason, given.at, variant, (), tuple(layers))
        elif layer.guard == "holdout":
            variant = given.assignment.variant
    allowed = tuple(i for i, ok in enumerate(given.consent) if ok)
    deferred = due > given.at
    outcome, reason = (Outcome.DEFERRED, Reason.QUIET_HOURS) if deferred else (Outcome.DELIVERED, None)
    return Verdict(outcome, reason, due, variant, allowed, tuple(layers))


def _steps(given: DecisionInput) -> Iterator[Layer]:
    guards = given.strategy.guards
    yield _consent(given)
    if given.strategy.audience is not None:
        yield _audience(given.audience)
    yield _rollout(given.assignment)
    yield _holdout(given.assignment)
    if guards.cap:
        yield _cap(guards.cap, given.recent)
    if guards.quiet_hours:
        yield _quiet(guards.quiet_hours, given)
    if guards.budget is not None:
        yield _budget(guards.budget, given.spent)


def _consent(given: DecisionInput) -> Layer:
    purposes = sorted({str(p) for c in given.channels if (p := needed_consent(given.strategy.guards, c))})
    missing = [i for i, ok in enumerate(given.consent) if not ok]
    detail = {"purposes": purposes, "missing": missing}
    if missing and len(missing) == len(given.consent):
        return Layer("consent", REASONS[Reason.NO_CONSENT], Reason.NO_CONSENT, detail)
    if missing:
        said = Text(
            f"{len(missing)} 个动作没有获得同意，其余照常",
            f"{len(missing)} of the actions lack consent; the rest go on",
        )
    elif purposes:
        said = Text("客户已同意", "the customer has consented")
    else:
        said = Text("不需要同意", "no consent is needed")
    return Layer("consent", said, None, detail)


def _audience(seen: Observation | None) -> Layer:
    truth = seen.truth if seen else Truth.UNKNOWN
    if truth is Truth.TRUE:
        return Layer("audience", Text("客户在策略人群内", "the customer is in the audience"))
    reason = Reason.OUTSIDE_AUDIENCE if truth is Truth.FALSE else Reason.AUDIENCE_UNKNOWN
    return Layer("audience", REASONS[reason], reason)


def _rollout(assignment: Assignment) -> Layer:
    detail = {"bucket": assignment.bucket}
    if not assignment.in_rollout:
        return Layer("rollout", REASONS[Reason.NOT_IN_ROLLOUT], Reason.NOT_IN_ROLLOUT, detail)
    return Layer("rollout", Text("客户在当前放量范围内", "the customer is inside the current rollout"), None, detail)


def _holdout(assignment: Assignment) -> Layer:
    if assignment.holdout:
        return Layer("holdout", REASONS[Reason.HOLDOUT], Reason.HOLDOUT)
    variant = assignment.variant
    said = Text("不在对照组", "the customer is not held out")
    if variant:
        said = Text(f"不在对照组，分到方案“{variant}”", f"the customer is not held out and gets variant {variant!r}")
    return Layer("holdout", said, None, {"variant": variant})


def _cap(cap: Cap, recent: int) -> Layer:
    per = format_duration(cap.per)
    said = Text(
        f"过去 {per} 内已触达 {recent} 次，上限 {cap.times} 次",
        f"reached {recent} times within {per}, of at most {cap.times}",
    )
    return Layer("cap", said, Reason.CAP if recent >= cap.times else None, {"recent": recent, "times": cap.times})


def _quiet(quiet: QuietHours, given: DecisionInput) -> Layer:
    until = quiet_until(given.at, quiet, given.zone)
    span = f"{quiet.start}–{quiet.end}"
    if until is None:
        return Layer("quiet_hours", Text(f"不在免打扰时段 {span}", f"outside quiet hours {span}"))
    if quiet.mode == "drop":
        said = Text(f"处于免打扰时段 {span}，不再发送", f"within quiet hours {span}; it is dropped")
        return Layer("quiet_hours", said, Reason.QUIET_HOURS)
    when = format_time(until, given.zone)
    said = Text(f"处于免打扰时段 {span}，推迟到 {when}", f"within quiet hours {span}; put off until {when}")
    return Layer("quiet_hours", said, Reason.QUIET_HOURS, {"until": until})


def _budget(budget: int, spent: int) -> Layer:
    said = Text(f"已用 {spent} 次，共 {budget} 次", f"{spent} of {budget} deliveries used")
    return Layer("budget", said, Reason.BUDGET if spent >= budget else None, {"spent": spent, "budget": budget})
