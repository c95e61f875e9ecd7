"""Changes in everyday words: what each does to a document, that it asks where several parts fit, and that nothing else
moves. Scenarios in both languages, and properties over random strategies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput, NeedsAnswer, Refused, UnknownName
from core.times import DAY
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.language import read_sentence
from strategy.refine import Refined, refine
from strategy.wishes import is_change, is_undo
from tests.agentworld import retail_catalog
from tests.strategy.language.documents import Documents
from tests.strategy.language.test_sentences import CATALOGS

CATALOG = retail_catalog()
ZH = "客户7天内登录少于2次，就发短信提醒，22点到8点不打扰"
EN = "When a customer logs in fewer than 2 times in 7 days, send an SMS reminder, no messages from 10 pm to 8 am"


def strategy(sentence: str) -> Strategy:
    return read_sentence(sentence, CATALOG, name="s").document


def body(document: Strategy) -> dict[str, Any]:
    return document.model_dump(mode="json", exclude_none=True)


def after(sentence: str, *words: str) -> Refined:
    """The strategy of the sentence after these changes, one message each."""
    found = Refined(strategy(sentence), ())
    for each in words:
        found = refine(found.document, each, CATALOG)
    return found


def changed_parts(before: Strategy, now: Strategy) -> set[str]:
    old, new = _flat(before), _flat(now)
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _flat(document: Strategy) -> dict[str, Any]:
    found = body(document)
    inner = {**found.pop("guards"), **found.pop("rollout")}
    return {**found, **inner}


@pytest.mark.parametrize("sentence", [ZH, EN])
@pytest.mark.parametrize(
    ("words", "same_as", "part"),
    [
        ("改成5天", "客户5天内登录少于2次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("make it 5 days", "客户5天内登录少于2次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("把7天改成5天吧", "客户5天内登录少于2次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("change 2 times to 4 times", "客户7天内登录少于4次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("登录不超过3次", "客户7天内登录不超过3次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("at least 3 times", "客户7天内登录至少3次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("把登录改成下单", "客户7天内下单少于2次，就发短信提醒，22点到8点不打扰", "trigger"),
        ("再加一个条件：积分超过500", "客户7天内登录少于2次，且积分超过500，就发短信提醒，22点到8点不打扰", "trigger"),
        (
            "also require points over 500",
            "客户7天内登录少于2次，且积分超过500，就发短信提醒，22点到8点不打扰",
            "trigger",
        ),
        ("只给大客户", "对大客户，7天内登录少于2次，就发短信提醒，22点到8点不打扰", "audience"),
        ("only VIPs", "对大客户，7天内登录少于2次，就发短信提醒，22点到8点不打扰", "audience"),
        (
            "limit it to customers in Shanghai",
            "对城市是上海的客户，7天内登录少于2次，就发短信提醒，22点到8点不打扰",
            "audience",
        ),
        ("排除最近7天投诉过的", "对最近7天没有投诉的客户，7天内登录少于2次，就发短信提醒，22点到8点不打扰", "audience"),
        ("exclude VIPs", "对等级不是大客户的客户，7天内登录少于2次，就发短信提醒，22点到8点不打扰", "audience"),
        ("不要发短信改成外呼", "客户7天内登录少于2次，就外呼，22点到8点不打扰", "actions"),
        ("don't send SMS, call instead", "客户7天内登录少于2次，就外呼，22点到8点不打扰", "actions"),
        ("换成专属优惠", "客户7天内登录少于2次，就发专属优惠，22点到8点不打扰", "actions"),
        ("an outbound call instead of the SMS", "客户7天内登录少于2次，就外呼，22点到8点不打扰", "actions"),
        ("也发专属优惠", "客户7天内登录少于2次，就发短信提醒并发专属优惠，22点到8点不打扰", "actions"),
        ("去掉安静时间", "客户7天内登录少于2次，就发短信提醒", "quiet_hours"),
        ("remove the quiet hours", "客户7天内登录少于2次，就发短信提醒", "quiet_hours"),
        ("改成23点到7点不打扰", "客户7天内登录少于2次，就发短信提醒，23点到7点不打扰", "quiet_hours"),
        ("每人每周最多一次", "客户7天内登录少于2次，就发短信提醒，22点到8点不打扰，每人每周最多一次", "cap"),
        ("cool down 3 days", "客户7天内登录少于2次，就发短信提醒，22点到8点不打扰，冷却3天", "cooldown"),
        ("change it to 5%", "客户7天内登录少于2次，就发短信提醒，22点到8点不打扰，先灰度5%", "percent"),
        ("hold out 10%", "客户7天内登录少于2次，就发短信提醒，22点到8点不打扰，留10%对照", "holdout"),
        ("看7天下单", "客户7天内登录少于2次，就发短信提醒，22点到8点不打扰，看7天下单", "verify"),
    ],
)
def test_a_change_changes_what_it_names_and_nothing_else(sentence: str, words: str, same_as: str, part: str) -> None:
    before = strategy(sentence)
    found = refine(before, words, CATALOG)
    assert body(found.document) == body(strategy(same_as))
    assert changed_parts(before, found.document) == {part}
    assert found.changes and all(c.zh and c.en for c in found.changes)


@pytest.mark.parametrize(
    ("words", "choices", "answer", "part"),
    [
        ("改成5天", 3, "冷却时间：原为 3天，现为 5天", "cooldown"),
        ("change it to 5 days", 3, "cooldown: was 3 days, is now 5 days", "cooldown"),
        ("改成3次", 2, "频次上限：原为 每人每7天最多1次，现为 每人每7天最多3次", "cap"),
    ],
)
def test_where_several_parts_fit_one_question_is_asked(words: str, choices: int, answer: str, part: str) -> None:
    before = strategy(f"{ZH}，每人每周最多一次，冷却3天")
    with pytest.raises(NeedsAnswer) as asked:
        refine(before, words, CATALOG)
    assert len(asked.value.choices) == choices
    found = refine(before, words, CATALOG, answers=[answer])
    assert changed_parts(before, found.document) == {part}


@pytest.mark.parametrize("words", ["冷却改成5天", "change the cooldown to 5 days", "把3天改成5天"])
def test_a_part_that_is_named_is_not_asked_about(words: str) -> None:
    found = after(f"{ZH}，每人每周最多一次，冷却3天", words).document
    assert found.guards.cooldown == 5 * DAY and found.guards.cap and found.guards.cap.per == 7 * DAY


def test_percentages_of_a_forecast_and_of_the_share_are_asked_about() -> None:
    with pytest.raises(NeedsAnswer) as asked:
        after("客户流失风险超过70%，就外呼，先灰度10%", "改成80%")
    assert ["70%" in asked.value.choices[0].zh, "10" in asked.value.choices[1].zh] == [True, True]


def test_a_conversation_of_changes_ends_where_the_whole_sentence_would() -> None:
    found = after(
        ZH,
        "改成5天",
        "只给大客户",
        "排除上周投诉过的",
        "不要发短信改成外呼",
        "去掉安静时间",
        "先灰度5%",
        "每人每周最多一次",
    )
    whole = "对大客户且最近7天没有投诉的客户，5天内登录少于2次，就外呼，先灰度5%，每人每周最多一次"
    assert body(found.document) == body(strategy(whole))
    found = after(EN, "make it 5 days", "only VIPs", "exclude those who complained last week", "call instead of SMS")
    assert found.document.actions[0].action == "outbound_call" and found.document.guards.quiet_hours is not None


def test_calendar_words_are_taken_as_a_stretch_of_time_and_said_so() -> None:
    found = after(ZH, "排除上周投诉过的")
    assert [w.zh for w in found.warnings] == ["“上周”按“最近7天”理解"]


def test_several_changes_in_one_message_are_all_made_or_none() -> None:
    found = after(f"{ZH}，冷却3天", "取消冷却，并且只给新客户；先灰度5%").document
    assert changed_parts(strategy(f"{ZH}，冷却3天"), found) == {"cooldown", "audience", "percent"}
    with pytest.raises(InvalidInput):
        after(f"{ZH}，冷却3天", "取消冷却，并且只给zorgle")


def test_either_and_both() -> None:
    two = "客户7天内登录少于2次，且积分超过500，就外呼"
    assert after(two, "两个条件满足一个就行").document.trigger.kind == "any"
    assert after(two, "either is enough", "都要满足").document.trigger.kind == "all"


def test_only_replaces_a_test_of_the_same_attribute() -> None:
    assert after(ZH, "只给大客户", "只给新客户").document == after(ZH, "只给新客户").document
    assert after(ZH, "only VIPs", "for everyone").document == strategy(ZH)


@pytest.mark.parametrize(
    ("sentence", "words", "error"),
    [
        (ZH, "去掉短信", Refused),
        (ZH, "去掉登录的条件", Refused),
        (f"对大客户，{ZH.removeprefix('客户')}", "排除大客户", Refused),
        (ZH, "去掉冷却", InvalidInput),
        (ZH, "去掉下单的条件", InvalidInput),
        (ZH, "改成7天", InvalidInput),
        (ZH, "改成300公斤", InvalidInput),
        (ZH, "只给铂金会员", UnknownName),
        (ZH, "remove the zorgle", InvalidInput),
        (ZH, "", InvalidInput),
    ],
)
def test_what_cannot_be_done_is_said(sentence: str, words: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        after(sentence, words)


@pytest.mark.parametrize(
    "words",
    [
        "改成5天",
        "only VIPs",
        "排除上周投诉过的",
        "change it to 5%",
        "不要发短信改成外呼",
        "去掉安静时间",
        "5天吧",
        "undo",
    ],
)
def test_a_change_is_told_from_a_new_strategy(words: str) -> None:
    assert is_change(words)


@pytest.mark.parametrize("words", [ZH, EN, "客户投诉后2小时内未解决，就升级给总监", "If tier is gold, send a coupon"])
def test_a_whole_sentence_is_no_change(words: str) -> None:
    assert not is_change(words)


@pytest.mark.parametrize("words", ["撤销", "撤销刚才的修改", "undo that", "改回去吧", "go back"])
def test_undoing_is_understood(words: str) -> None:
    assert is_undo(words) and not is_undo("改成5天")


RICH = CATALOGS["rich"]


def can_fire(document: Strategy) -> bool:
    """A strategy that is refused as it stands is refused after any change as well."""
    try:
        check_strategy(document, RICH)
    except Refused:
        return False
    return True


RANDOM = Documents(RICH).strategies().filter(can_fire)
FEW = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
_LIMITS = {
    "先灰度37%": "percent",
    "hold out 13%": "holdout",
    "每人每11天最多4次": "cap",
    "cool down 17 days": "cooldown",
    "budget 12345": "budget",
    "21:05到6:40不打扰": "quiet_hours",
}


@FEW
@given(RANDOM, st.sampled_from(sorted(_LIMITS)))
def test_setting_a_limit_leaves_every_other_part_as_it_is(document: Strategy, words: str) -> None:
    found = refine(document, words, RICH).document
    assert changed_parts(document, found) == {_LIMITS[words]}


@FEW
@given(RANDOM, st.sampled_from(["只给金卡会员", "排除城市是“上海”的", "only gold members"]))
def test_changing_the_audience_leaves_every_other_part_as_it_is(document: Strategy, words: str) -> None:
    try:
        found = refine(document, words, RICH).document
    except (Refused, InvalidInput):
        return
    assert changed_parts(document, found) == {"audience"}


@FEW
@given(RANDOM, st.integers(401, 999))
def test_a_number_changes_in_one_place_only(document: Strategy, days: int) -> None:
    try:
        refine(document, f"改成{days}天", RICH)
    except NeedsAnswer as asked:
        choices = [choice.zh for choice in asked.choices]
    except InvalidInput:
        return
    else:
        return
    for choice in choices:
        found = refine(document, f"改成{days}天", RICH, answers=[choice]).document
        assert len(changed_parts(document, found)) == 1
