"""Short commands in conversations."""

from __future__ import annotations

from typing import Any

import pytest

from agents.generality import gives_a_rule, speaks_generally
from agents.wording import read_steps, says_yes_or_no

FOCUS = {"sentence": "客户7天内登录少于2次,就安排外呼"}
OPEN = {"open": {"sentence": "S", "choices": ["第一种", "第二种"]}}


@pytest.mark.parametrize("text", ["批准", "同意。", "yes", "Approve!", "OK", "go ahead"])
def test_a_plain_yes_approves(text: str) -> None:
    assert says_yes_or_no(text) == "approve"


@pytest.mark.parametrize("text", ["拒绝", "不同意", "No.", "reject"])
def test_a_plain_no_rejects(text: str) -> None:
    assert says_yes_or_no(text) == "reject"


@pytest.mark.parametrize(
    "text", ["yes, but only 5%", "同意改成5次", "不批准的话怎么办", "approve everything", "", "可以再便宜吗"]
)
def test_anything_longer_is_no_answer(text: str) -> None:
    assert says_yes_or_no(text) is None


@pytest.mark.parametrize(
    "text", ["启动", "上线吧", "请启动这条策略", "start it", "go live", "Start it on 1% of customers."]
)
def test_a_wish_to_start_is_read(text: str) -> None:
    assert read_steps(text, FOCUS) == {"start": True}


@pytest.mark.parametrize(
    "text", ["启动后7天内没有下单就发短信提醒", "start date is within 3 days", "上线活动后客户投诉就升级给总监"]
)
def test_a_sentence_that_begins_like_a_command_is_still_a_sentence(text: str) -> None:
    assert read_steps(text, FOCUS)["draft"] is True


@pytest.mark.parametrize(
    "text", ["把外呼改成关怀回访", "改成5次", "only VIPs", "cooldown 3 days, and remove the quiet hours"]
)
def test_a_change_goes_on_in_its_own_words(text: str) -> None:
    assert read_steps(text, {**FOCUS, "name": "s"}) == {"refine": True, "words": text, "answers": []}


def test_the_answer_to_which_part_repeats_the_change_with_it() -> None:
    asked = {"words": "改成5天", "answers": ["甲"], "choices": ["乙", "丙"]}
    assert read_steps("2", {"name": "s", "open": asked}) == {
        "refine": True,
        "words": "改成5天",
        "answers": ["甲", "丙"],
    }


@pytest.mark.parametrize(
    ("text", "step"),
    [("改了什么？", "compare"), ("what has changed?", "compare"), ("演练一下", "rehearse"), ("replay it", "rehearse"),
     ("效果怎么样？", "results"), ("how is it doing?", "results")],
)  # fmt: skip
def test_what_is_asked_about_the_strategy_in_focus(text: str, step: str) -> None:
    assert read_steps(text, {"name": "s"}) == {step: True}


def test_without_a_draft_in_focus_a_change_is_a_sentence() -> None:
    assert read_steps("把外呼改成关怀回访", {})["draft"] is True


@pytest.mark.parametrize("text", ["2", "第二种", "第二种。"])
def test_a_question_is_answered_by_number_or_words(text: str) -> None:
    assert read_steps(text, OPEN) == {"draft": True, "sentence": "S", "choice": "第二种"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("帮我建一条策略:客户下单,就发短信提醒", "客户下单,就发短信提醒"),
        ("Create a strategy: when a customer orders, send an SMS", "when a customer orders, send an SMS"),
        ("客户在10:00到12:00下单,就发短信提醒", "客户在10:00到12:00下单,就发短信提醒"),
    ],
)
def test_an_introduction_is_left_out_of_the_sentence(text: str, sentence: str) -> None:
    found: dict[str, Any] = read_steps(text, {})
    assert found["sentence"] == sentence


@pytest.mark.parametrize(
    "text",
    [
        "客户15天内没有下单，就外呼",
        "15天内没有下单的客户,外呼",
        "如果用户加购后一天没付款就提醒他",
        "给最近30天没有登录的会员发优惠券",
        "血糖连续三次偏高的会员，自动转给营养师",
        "If a customer has not ordered in 15 days, call them",
        "Send a coupon to members who have not logged in for 30 days.",
        "Customers with fewer than 2 logins in 7 days get a call",
    ],
)
def test_a_condition_on_customers_and_what_to_do_about_it_is_general(text: str) -> None:
    assert speaks_generally(text) and read_steps(text, {})["general"]


@pytest.mark.parametrize(
    "text",
    [
        "我15天没有收到货了,再不处理就投诉",
        "你们的客户服务太差了,就没人管吗?",
        "如果今天还修不好,就退货",
        "这边的会员不需要了，请销掉",
        "When I log in, the app says my order was delivered. Please call me.",
        "If nobody comes today, I want a refund.",
        "Our machine is broken, please send someone when you can.",
    ],
)
def test_somebodys_own_case_is_not_general(text: str) -> None:
    assert not speaks_generally(text) and not gives_a_rule(text)


@pytest.mark.parametrize("text", ["登录少于2次就外呼", "if systolic is above 160, send a work order"])
def test_a_rule_may_leave_out_whom_it_is_about(text: str) -> None:
    assert gives_a_rule(text) and not speaks_generally(text)


@pytest.mark.parametrize("text", ["批准", "approve", "不同意"])
def test_a_yes_or_no_where_nothing_is_asked_is_no_sentence(text: str) -> None:
    assert read_steps(text, {}) == {"answer": True}
