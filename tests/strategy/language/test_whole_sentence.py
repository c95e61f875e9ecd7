"""For whom, when, what, how it is rolled out, how often, at which hours and how it is judged: said in one sentence."""

from __future__ import annotations

import pytest

from core.times import DAY, WEEK
from knowledge.catalog import read_catalog
from strategy.document import Aggregate, AttributeIs, Cap, QuietHours, Rollout, Verify, Window
from strategy.language import read_sentence

SHOP = read_catalog(
    """
catalog: 1
objects:
  customer:
    labels: {zh: [客户], en: [customer, person]}
    attributes: {tier: {type: enum, labels: {zh: [等级], en: [tier]}, values: {vip: {zh: [大客户], en: [high-value]}}}}
events:
  login: {subject: customer, labels: {zh: [登录], en: [log in, login]}}
  repurchase: {subject: customer, labels: {zh: [复购], en: [repurchase]}}
actions:
  coupon: {labels: {zh: [优惠券], en: [coupon]}, channel: wechat}
  call: {labels: {zh: [外呼], en: [outbound call]}, channel: voice}
"""
).catalog


@pytest.mark.parametrize(
    "text",
    [
        "对大客户：7天内登录少于2次，就发优惠券并安排外呼，先灰度5%，每人每周最多一次，22点后不发，看7天复购",
        "對大客戶，7天內登錄少於2次就發優惠券、安排外呼；先灰度5%；每人每週最多一次；22點後不發；看7天復購",
        "For high-value customers, when they log in fewer than 2 times in 7 days, send a coupon and schedule an "
        "outbound call, start with 5%, at most once a week per customer, no messages after 10 pm, verify by repurchase "
        "within 7 days",
        "When high-value customers log in fewer than 2 times in 7 days, send a coupon and make an outbound "
        "call; roll out to 5% first, at most once a week per person, nothing after 10 pm, and measure repurchase "
        "within 7 days",
    ],
)
def test_every_part_of_a_long_sentence_reaches_the_strategy(text: str) -> None:
    document = read_sentence(text, SHOP).document
    assert document.audience == AttributeIs(name="tier", op="==", value="vip")
    assert document.trigger == Aggregate(
        event="login", function="count", window=Window(over=7 * DAY), op="<", value=2.0
    )
    assert [call.action for call in document.actions] == ["coupon", "call"]
    assert document.rollout == Rollout(percent=5.0)
    assert document.guards.cap == Cap(times=1, per=WEEK)
    assert document.guards.quiet_hours == QuietHours(start="22:00", end="08:00")
    assert document.verify == Verify(event="repurchase", within=7 * DAY)
