"""What a marketer types over the retail pack, read as the pack's own words allow."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, NeedsAnswer, Refused
from core.times import DAY
from knowledge.packs import retail
from strategy.document import AttributeIs, Condition, Sequence
from strategy.language import read_sentence

CATALOG = retail.catalog().catalog
VIP = AttributeIs(name="tier", op="==", value="vip")


def read(text: str) -> tuple[Condition | None, Condition, list[str | None], list[str]]:
    reading = read_sentence(text, CATALOG)
    strategy = reading.document
    return strategy.audience, strategy.trigger, [a.action for a in strategy.actions], [w.en for w in reading.warnings]


def test_a_kind_of_customer_at_the_end_of_a_relative_clause_says_for_whom() -> None:
    said = read("7天内登录少于3次的大客户，发短信提醒")
    assert said == (VIP, *read("对大客户：7天内登录少于3次，就发短信提醒")[1:])
    assert said[0] == VIP and said[2] == ["sms_reminder"]


def test_parts_of_one_label_that_stand_together_are_one_action() -> None:
    audience, _, actions, _ = read("大客户下单，就发第二杯的半价")
    assert audience == VIP and actions == ["half_price_second_cup"]


def test_a_number_in_a_label_is_no_name_by_itself() -> None:
    said = read("When a complaint isn't resolved within two days, escalate to the director")
    assert said == read("When a complaint isn't resolved within 2 days, escalate to the director")


def test_a_word_that_an_event_and_a_value_share_is_not_taken_for_the_value() -> None:
    with pytest.raises(NeedsAnswer) as asked:
        read("优惠券到期前3天还没使用，发短信提醒")
    assert [choice.zh for choice in asked.value.choices] == ["7天内没有使用优惠券", "从未使用优惠券"]


def test_a_repurchase_verifies_and_a_share_is_tried_on() -> None:
    strategy = read_sentence("客户一周没登录就外呼，先给2%的人试，看7天复购", CATALOG).document
    assert strategy.rollout.percent == 2 and strategy.verify is not None
    assert (strategy.verify.event, strategy.actions[0].action) == ("order.placed", "outbound_call")


@pytest.mark.parametrize(
    "text",
    [
        "客户下单且30天内没下单，就发短信提醒",
        "For customers who placed an order but did not place another within 30 days, send an SMS reminder",
        "When a customer places an order and doesn't place another one within 30 days, send an SMS reminder",
    ],
)
def test_none_of_what_happens_now_can_only_be_meant_after_it(text: str) -> None:
    _, trigger, _, warnings = read(text)
    assert isinstance(trigger, Sequence)
    assert [(step.event, step.absent, step.within) for step in trigger.steps] == [
        ("order.placed", False, None),
        ("order.placed", True, 30 * DAY),
    ]
    assert any("from the event before it" in warning for warning in warnings)


@pytest.mark.parametrize(
    "text",
    [
        "客户下单，且过去30天内没有下单，就发短信提醒",
        "When a customer places an order and has no orders in the last 30 days, send an SMS reminder",
    ],
)
def test_none_up_to_now_of_what_happens_now_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="contradict"):
        read(text)


def test_a_verb_inside_an_events_label_leaves_it_the_event() -> None:
    said = read("If a coupon is used and no order follows within 7 days, send an SMS reminder")[1]
    assert isinstance(said, Sequence) and said.steps[0].event == "coupon.used"


@pytest.mark.parametrize("whom", ["customers", "VIPs"])
def test_what_receivers_have_more_of_is_the_condition(whom: str) -> None:
    said = read(f"Pause marketing for {whom} with more than 2 complaints in the last 30 days")
    assert said[1:3] == read("When a customer has more than 2 complaints in the last 30 days, pause marketing")[1:3]
    assert said[0] == (VIP if whom == "VIPs" else None)


@pytest.mark.parametrize("last", ["每年最多一次", "每年一次"])
def test_once_a_year_said_last_is_a_limit(last: str) -> None:
    reading = read_sentence(f"客户投诉就外呼，{last}", CATALOG)
    cap = reading.document.guards.cap
    assert cap is not None and (cap.times, cap.per) == (1, 365 * DAY)
    assert bool(reading.warnings) == (last == "每年一次")


@pytest.mark.parametrize("text", ["客户登录，每周一次，就外呼", "客户登录，就外呼，每周两次"])
def test_how_often_said_elsewhere_may_be_how_often_they_do_it(text: str) -> None:
    with pytest.raises(InvalidInput):
        read(text)


@pytest.mark.parametrize("text", ["合同还有30天到期，外呼", "合同30天后到期，外呼", "合同再过三十天就到期，外呼"])
def test_a_time_left_inside_the_label_of_a_day_is_so_long_before_it(text: str) -> None:
    assert read(text)[:3] == read("合同到期前30天，外呼")[:3]


@pytest.mark.parametrize("text", ["合同还有不到30天到期，外呼", "合同30天到期，外呼"])
def test_another_time_inside_the_label_of_a_day_is_not_guessed(text: str) -> None:
    with pytest.raises((InvalidInput, Refused)):
        read(text)
