"""The pure decision against a plain list of what objects, over all kinds of inputs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.times import DAY, Micros
from strategy.delivery.decide import DecisionInput, Outcome, Reason, decide, needed_consent
from strategy.delivery.quiet import quiet_until
from strategy.engine.port import Truth
from strategy.experiment import Assignment
from tests.strategy.delivery.delivery_world import NOON, seen, strategy

_AUDIENCE = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}


@st.composite
def inputs(draw: st.DrawFn) -> DecisionInput:
    guards: dict[str, Any] = {}
    if draw(st.booleans()):
        guards["cap"] = {"times": draw(st.integers(1, 3)), "per": "7d"}
    if draw(st.booleans()):
        mode = draw(st.sampled_from(["defer", "drop"]))
        guards["quiet_hours"] = {"start": "22:00", "end": "08:00", "mode": mode}
    if draw(st.booleans()):
        guards["budget"] = draw(st.integers(1, 3))
    audience = draw(st.sampled_from([None, *Truth]))
    consent = tuple(draw(st.lists(st.booleans(), min_size=1, max_size=3)))
    return DecisionInput(
        strategy=strategy(
            guards=guards,
            actions=[{"action": "send_coupon"}] * len(consent),
            **({"audience": _AUDIENCE} if audience else {}),
        ),
        at=Micros(NOON + draw(st.integers(0, DAY))),
        assignment=Assignment(draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from([None, "a"])), 1.0),
        audience=seen("audience", audience) if audience else None,
        channels=("wechat",) * len(consent),
        consent=consent,
        recent=draw(st.integers(0, 3)),
        spent=draw(st.integers(0, 3)),
    )


def objections(given: DecisionInput) -> list[Reason]:
    """Everything that stops it, in the written order; putting off is no objection."""
    guards = given.strategy.guards
    quiet = guards.quiet_hours
    held = [
        (not any(given.consent), Reason.NO_CONSENT),
        (given.audience is not None and given.audience.truth is Truth.FALSE, Reason.OUTSIDE_AUDIENCE),
        (given.audience is not None and given.audience.truth is Truth.UNKNOWN, Reason.AUDIENCE_UNKNOWN),
        (not given.assignment.in_rollout, Reason.NOT_IN_ROLLOUT),
        (given.assignment.holdout, Reason.HOLDOUT),
        (guards.cap is not None and given.recent >= guards.cap.times, Reason.CAP),
        (
            quiet is not None and quiet.mode == "drop" and bool(quiet_until(given.at, quiet, given.zone)),
            Reason.QUIET_HOURS,
        ),
        (guards.budget is not None and given.spent >= guards.budget, Reason.BUDGET),
    ]
    return [reason for objects, reason in held if objects]


@given(inputs())
def test_the_first_objection_decides_and_without_one_it_goes_out(given: DecisionInput) -> None:
    """spec: D1"""
    verdict, held = decide(given), objections(given)
    if held:
        assert verdict.reason is held[0]
        assert verdict.outcome is (Outcome.HOLDOUT if held[0] is Reason.HOLDOUT else Outcome.DROPPED)
        assert verdict.actions == ()
        return
    quiet = given.strategy.guards.quiet_hours
    until = quiet_until(given.at, quiet, given.zone) if quiet else None
    assert verdict.outcome is (Outcome.DEFERRED if until else Outcome.DELIVERED)
    assert verdict.not_before == (until or given.at)
    assert verdict.actions == tuple(i for i, ok in enumerate(given.consent) if ok)
    assert verdict.variant == given.assignment.variant


@given(inputs())
def test_the_steps_taken_end_with_the_one_that_decided(given: DecisionInput) -> None:
    verdict = decide(given)
    stopped = [layer for layer in verdict.layers if layer.reason and "until" not in layer.detail]
    if verdict.outcome in (Outcome.DROPPED, Outcome.HOLDOUT):
        assert stopped == [verdict.layers[-1]]
        assert verdict.layers[-1].reason is verdict.reason
    else:
        assert stopped == []
    assert all(layer.said.zh and layer.said.en for layer in verdict.layers)


def test_customer_channels_count_as_marketing_and_inner_ones_do_not() -> None:
    guards = strategy().guards
    asked = {
        c: needed_consent(guards, c) for c in ("wechat", "sms", "email", "push", "voice", "inbox", "webhook", None)
    }
    assert {c for c, purpose in asked.items() if purpose} == {"wechat", "sms", "email", "push", "voice"}
    assert {str(p) for p in asked.values() if p} == {"marketing"}
