"""Reading sentences: normalising, offsets, names, warnings, and the limits of what is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput, NeedsAnswer, Refused, TooLarge, UnknownName
from knowledge.catalog import load_catalog, read_catalog
from strategy.document import Aggregate, All, AttributeIs, Happens, Sequence, Streak
from strategy.language import read_sentence, readback
from strategy.language.numerals import chinese_number, english_number

SAMPLE = load_catalog(Path("tests/data/catalog.yaml")).catalog
RICH = load_catalog(Path("tests/data/sentences_catalog.yaml")).catalog
STORY = "客户连续3次没打开营销邮件,且官网停留不足15秒,就发专属优惠并安排外呼"


def test_the_sentence_of_the_design_becomes_its_strategy() -> None:
    reading = read_sentence(STORY, SAMPLE)
    document = reading.document
    assert isinstance(document.trigger, All)
    streak, dwell = document.trigger.of
    assert isinstance(streak, Streak)
    assert (streak.event, streak.times, streak.where[0].value) == ("email.marketing", 3, False)
    assert dwell == AttributeIs(name="dwell", op="<", value=15.0)
    assert [(a.action, a.task) for a in document.actions] == [(None, "专属优惠"), ("outbound_call", None)]
    assert any("专属优惠" in w.zh for w in reading.warnings), (
        "an action that the catalog lacks is said to be kept as a task"
    )
    assert (reading.lang, reading.read_by) == ("zh", "grammar")


def test_full_width_traditional_and_half_width_forms_mean_the_same() -> None:
    forms = [
        "客户连续3次没打开营销邮件,就外呼",
        "客户连续３次没打开营销邮件，就外呼",
        "客戶連續三次沒打開營銷郵件，就外呼",
        "客户连续 3 次 没打开 营销邮件 ，就外呼",
    ]
    documents = {read_sentence(form, SAMPLE, name="one").document.model_dump_json() for form in forms}
    assert len(documents) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [("十五", 15), ("一百二", 120), ("一百零二", 102), ("两万", 2e4), ("三点五", 3.5), ("一万二", 12000)],
)  # fmt: skip
def test_chinese_numbers(text: str, number: float) -> None:
    assert chinese_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("twenty five", 25), ("three hundred and five", 305), ("two thousand", 2000), ("seven", 7)],
)
def test_english_numbers(text: str, number: float) -> None:
    assert english_number(text.split()) == (number, len(text.split()))


def test_offsets_point_into_the_original_text() -> None:
    text = "７天内登录少于２次，且㎏舒张压＞100，就外呼"  # ㎏ becomes two characters when normalised
    with pytest.raises(UnknownName) as caught:
        read_sentence(text, SAMPLE)
    where = caught.value.where
    assert "舒张压" in text[where["offset"] : where["offset"] + where["length"]]


def test_an_unknown_name_is_never_guessed_and_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        read_sentence("7天内登陆少于2次就外呼", SAMPLE)
    assert caught.value.nearest[0] == "登录"
    assert caught.value.where == {"offset": 3, "length": 2}
    assert "登陆" in caught.value.say("zh")
    assert "登陆" in caught.value.say("en")


def test_a_shortened_name_is_accepted_with_a_warning_when_only_one_thing_fits() -> None:
    reading = read_sentence("停留不足15秒就外呼", SAMPLE)
    assert reading.document.trigger == AttributeIs(name="dwell", op="<", value=15.0)
    assert any("官网停留时长" in w.zh for w in reading.warnings)


def test_a_name_of_several_things_is_a_question() -> None:
    catalog = read_catalog(
        "catalog: 1\n"
        "objects: {customer: {labels: {zh: [客户]}}}\n"
        "events:\n"
        "  sms: {subject: customer, labels: {zh: [短信]}, fields: {opened: {type: boolean, labels: {zh: [打开]}}}}\n"
        "  mail: {subject: customer, labels: {zh: [邮件]}, fields: {opened: {type: boolean, labels: {zh: [打开]}}}}\n"
        "actions: {call: {labels: {zh: [外呼]}}}\n"
    ).catalog
    with pytest.raises(NeedsAnswer) as caught:
        read_sentence("连续3次没打开就外呼", catalog)
    assert [c.zh for c in caught.value.choices] == ["短信的打开", "邮件的打开"]
    trigger = read_sentence("连续3次没打开短信就外呼", catalog).document.trigger
    assert isinstance(trigger, Streak)
    assert trigger.event == "sms"


def test_the_choices_of_a_question_are_understood_when_chosen() -> None:
    with pytest.raises(NeedsAnswer) as caught:
        read_sentence("加购且下单,就外呼", RICH)
    for choice in caught.value.choices:
        assert read_sentence(f"{choice.zh},就外呼", RICH)
    with pytest.raises(NeedsAnswer) as caught:
        read_sentence("投诉且2小时内未解决,就外呼", RICH)
    after, before = (read_sentence(f"{c.zh},就外呼", RICH).document.trigger for c in caught.value.choices)
    assert isinstance(after, Sequence)
    assert isinstance(before, All)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_sentence_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_sentence(text, SAMPLE)


def test_a_sentence_over_two_thousand_characters_is_too_large() -> None:
    with pytest.raises(TooLarge):
        read_sentence("登录" * 1001, SAMPLE)


@pytest.mark.parametrize(
    "text", ["🙂🙂🙂", "((((", "))))", "就就就就", "且且且,或或", "12345", "“未闭合", "`event:none`就外呼", "{"]
)
def test_noise_is_an_error_with_a_place_never_a_crash(text: str) -> None:
    with pytest.raises((InvalidInput, NeedsAnswer, Refused)) as caught:
        read_sentence(text, SAMPLE)
    assert 0 <= caught.value.where["offset"] <= len(text)


def test_names_default_to_the_beginning_of_the_sentence_and_differ_between_sentences() -> None:
    one = read_sentence("7天内登录少于2次,就外呼", SAMPLE).document.name
    two = read_sentence("7天内登录少于3次,就外呼", SAMPLE).document.name
    assert one.startswith("7天内登录少于2次")
    assert one != two
    assert one == read_sentence("7天内登录少于2次,就外呼", SAMPLE).document.name
    assert read_sentence("7天内登录少于2次,就外呼", SAMPLE, name="mine").document.name == "mine"


def test_guards_stand_wherever_they_are_said() -> None:
    first = read_sentence("每人每周最多一次,7天未登录就外呼,22点到8点不打扰", SAMPLE, name="x").document
    last = read_sentence("7天未登录就外呼,每人每周最多一次,22点到8点不打扰", SAMPLE, name="x").document
    assert first == last
    assert first.guards.cap is not None
    assert first.guards.quiet_hours is not None
    assert (first.guards.quiet_hours.start, first.guards.quiet_hours.end) == ("22:00", "08:00")


def test_a_limit_that_is_not_understood_is_never_taken_for_a_task() -> None:
    with pytest.raises(InvalidInput):
        read_sentence("7天未登录就外呼,每周大概一两次", SAMPLE)
    with pytest.raises(InvalidInput):
        read_sentence("When systolic is above 160, schedule an outbound call 3 times a week", SAMPLE)


def test_a_reading_beside_other_events_is_the_newest_value_and_alone_an_event() -> None:
    alone = read_sentence("收缩压>160就外呼", SAMPLE).document.trigger
    assert isinstance(alone, Happens)
    beside = read_sentence("收缩压>160且7天内登录少于2次就外呼", SAMPLE).document.trigger
    assert isinstance(beside, All)
    newest = beside.of[0]
    assert isinstance(newest, Aggregate)
    assert (newest.function, newest.field, newest.window.over) == ("last", "systolic", None)


def test_a_label_that_could_be_misread_is_read_back_by_its_id() -> None:
    catalog = read_catalog(
        "catalog: 1\n"
        "objects: {customer: {labels: {zh: [客户]}}}\n"
        "events:\n"
        "  a: {subject: customer, labels: {zh: [访问]}}\n"
        "  b: {subject: customer, labels: {zh: [访问]}}\n"
        "actions: {call: {labels: {zh: [外呼]}}}\n"
    ).catalog
    strategy = read_sentence("发生`event:b`,就外呼", catalog, name="x").document
    spoken = readback(strategy, catalog, "zh")
    assert "`event:b`" in spoken
    assert read_sentence(spoken, catalog, name="x").document == strategy


def test_defaults_are_spelled_out_when_read_back() -> None:
    strategy = read_sentence("7天未登录就外呼", SAMPLE).document
    assert "1%" in readback(strategy, SAMPLE, "zh")
    assert "不留对照" in readback(strategy, SAMPLE, "zh")
    assert "1%" in readback(strategy, SAMPLE, "en")
    assert "no holdout" in readback(strategy, SAMPLE, "en")
    assert "每人不限次数；夜间照常发送；条件重新成立就再次触发。" in readback(strategy, SAMPLE, "zh")
    assert "no limit on how often; send at night too; fire again each time it becomes true." in readback(
        strategy, SAMPLE, "en"
    )


def test_a_moment_is_read_back_as_firing_each_time() -> None:
    strategy = read_sentence("客户登录就外呼", SAMPLE).document
    assert "每次发生都触发" in readback(strategy, SAMPLE, "zh")
    assert "fire again each time it happens" in readback(strategy, SAMPLE, "en")


def test_defaults_may_be_said_and_contradict_what_was_said_before() -> None:
    plain = read_sentence("7天未登录就外呼", SAMPLE, name="x").document
    assert read_sentence("7天未登录就外呼，不限次数，夜间也发，无冷却期", SAMPLE, name="x").document == plain
    with pytest.raises(InvalidInput):
        read_sentence("7天未登录就外呼，冷却3天，无冷却期", SAMPLE)


@pytest.mark.parametrize(
    "text",
    [
        "客户:7天内登录<2次,外呼",
        "客户登录少于2次(7天内),就外呼;22点到8点不打扰",
        "客户登录APP后,就外呼!",
        "收缩压>=160且7天内登录少于2次,外呼,先灰度5%",
    ],
)
def test_full_width_and_half_width_marks_are_read_alike(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if c in ",:;()!<>=%0123456789" else c for c in text)
    assert wide != text
    assert read_sentence(wide, SAMPLE, name="x").document == read_sentence(text, SAMPLE, name="x").document


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_conditions_that_contradict_each_other_are_refused_when_read(lang: str) -> None:
    text = {
        "zh": "等级是大客户并且等级不是大客户，就安排外呼",
        "en": "When an order is over 500 yuan and order amount is below 100 yuan, schedule an outbound call",
    }[lang]
    with pytest.raises(Refused):
        read_sentence(text, {"zh": SAMPLE, "en": RICH}[lang])


def test_a_mistyped_word_of_a_limit_is_refused_with_the_nearest_words_and_is_no_task() -> None:
    with pytest.raises(InvalidInput) as problem:
        read_sentence("When systolic is above 160, schedule an outbound call, verfy by logins", RICH)
    assert "verify" in problem.value.nearest
