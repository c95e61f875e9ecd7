"""Short commands in conversations."""

from __future__ import annotations

from typing import Any

import pytest

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
    assert found == {"draft": True, "sentence": sentence}
