"""Everyday turns of phrase over the corpus's catalogs: what they mean, and that nothing said is dropped."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from core.errors import InvalidInput, NeedsAnswer, Refused, UnknownName, ZhongshuError
from knowledge.catalog import Catalog, load_catalog
from strategy.language import read_sentence
from strategy.language.answers import phrase_key


@cache
def catalog(industry: str) -> Catalog:
    return load_catalog(Path(f"tests/data/corpus/catalogs/{industry}.yaml")).catalog


def told(industry: str, text: str) -> str:
    """Audience and trigger, short: without kinds, defaults and quotes."""
    document = read_sentence(text, catalog(industry)).document
    shown = document.model_dump(mode="json", include={"audience", "trigger"}, exclude_defaults=True)
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace('"', "")


NEVER_ORDERED = "{audience:{event:order,function:count,op:==,value:0.0},trigger:{event:view}}"
GOLD = "{audience:{name:tier,op:==,value:gold},trigger:{event:order}}"
NO_LOAN = "{audience:{steps:[{relation:holds,absent:true}]},trigger:{event:login}}"
NOT_BLACK = (
    "{audience:{of:{name:tier,op:==,value:black}},"
    "trigger:{event:order,function:count,window:{over:30d},op:==,value:0.0}}"
)
SAID = [
    ("retail", "When a customer who has never ordered views a product, send a coupon", NEVER_ORDERED),
    ("retail", "从未下单的顾客浏览商品时，发优惠券", NEVER_ORDERED),
    ("retail", "When a customer orders, send a coupon to gold members", GOLD),
    ("retail", "只有金卡会员下单才发优惠券", GOLD),
    ("finance", "没有贷款的客户登录时，短信提醒", NO_LOAN),
    ("retail", "下单后给没绑定手机号的会员发短信", "{audience:{name:bound,op:==,value:false},trigger:{event:order}}"),
    ("insurance", "年龄超过60岁，短信", "{trigger:{name:age,op:>,value:60.0}}"),
    (
        "finance",
        "身份证到期日早于2026年5月1日，短信提醒",
        "{trigger:{name:id_expiry,op:<,value:2026-05-01}}",
    ),
    ("finance", "When a client who has no loan logs in, send a text message", NO_LOAN),
    ("retail", "除黑卡会员外，30天没下单的顾客发优惠券", NOT_BLACK),
    (
        "retail",
        "When an order is over 100 yuan but not in-store, send a coupon",
        "{trigger:{event:order,where:[{field:amount,op:>,value:100.0},{field:channel,op:!=,value:shop}]}}",
    ),
    (
        "education",
        "7天内登录和上课都没有，联系家长",
        "{trigger:{of:[{event:login,function:count,window:{over:7d},op:==,value:0.0},"
        "{event:lesson,function:count,window:{over:7d},op:==,value:0.0}]}}",
    ),
    (
        "education",
        "数学或英语作业迟交，联系家长",
        "{trigger:{event:homework,where:[{field:topic,op:in,value:[math,english]},{field:late,op:==,value:true}]}}",
    ),
    (
        "education",
        "When a student misses more than 3 classes in 30 days, contact the parents",
        "{trigger:{event:absent,function:count,window:{over:30d},op:>,value:3.0}}",
    ),
    (
        "finance",
        "贷款逾期超过30天的客户，短信提醒",
        "{trigger:{name:overdue,op:>,value:30.0,via:holds}}",
    ),
    (
        "healthcare",
        "65岁以上的患者跌倒，护士上门",
        "{audience:{name:age,op:>=,value:65.0},trigger:{event:fall}}",
    ),
    (
        "manufacturing",
        "停机率30天内高于20%，客户经理拜访",
        "{trigger:{metric:stop_rate,window:{over:30d},op:>,value:0.2}}",
    ),
    (
        "healthcare",
        "Adherence rate under 80% over 30 days: pharmacist call",
        "{trigger:{metric:adherence,window:{over:30d},op:<,value:80.0}}",
    ),
]


@pytest.mark.parametrize(("industry", "text", "meaning"), SAID, ids=lambda value: str(value)[:60])
def test_an_everyday_sentence_means_what_people_mean(industry: str, text: str, meaning: str) -> None:
    assert told(industry, text) == meaning


def test_what_a_customer_gets_or_asks_for_is_no_action() -> None:
    text = "When a customer complains and gets a refund within 7 days, notify the store manager"
    document = read_sentence(text, catalog("retail")).document
    assert [call.action for call in document.actions] == ["manager"]
    assert told("retail", text) == "{trigger:{steps:[{event:complaint},{event:refund,within:7d}]}}"


NOT_TO_BE_DROPPED: list[tuple[str, str, type[ZhongshuError], str]] = [
    ("retail", "门店登录少于2次就外呼", Refused, "门店"),
    ("retail", "When a store has more than 3 refunds in 7 days, notify the store manager", Refused, "store"),
    ("retail", "投诉后停止发优惠券", Refused, "停止发优惠券"),
    ("retail", "7天没下单就发优惠券，一人一次", InvalidInput, "一人一次"),
    ("retail", "7天没下单就发优惠券，最多发1000张", InvalidInput, "最多发1000张"),
    ("retail", "7天没下单的话，给上海的顾客发优惠券", UnknownName, "上海"),
    ("education", "7天内学习时长超过300分钟，发勋章", NeedsAnswer, "7天内学习时长超过300分钟"),
    ("education", "连续3次缺课或迟交作业，联系家长", NeedsAnswer, "连续3次缺课或迟交作业"),
    ("retail", "晚上下单的会员发优惠券", InvalidInput, "晚上"),
    ("retail", "When a customer orders at night, send a coupon", InvalidInput, "night"),
    ("retail", "周末下单就发优惠券", UnknownName, "末"),
    ("retail", "下单后立即加购就发优惠券", InvalidInput, "立即"),
    ("retail", "7天内浏览同一商品3次就发优惠券", InvalidInput, "同一"),
    ("healthcare", "过去7天收缩压都超过160，通知医生", NeedsAnswer, "过去7天收缩压都超过160"),
    ("education", "When a student has fewer than 2 logins or quizzes in 7 days, contact the parents", NeedsAnswer, ""),
    ("education", "每次测验正确率都低于60%，降低难度", NeedsAnswer, "每次测验正确率都低于60%"),
    ("education", "登录后上课或测验，发勋章", NeedsAnswer, "登录后上课或测验"),
    ("finance", "When cross-border transfers exceed 3 in 30 days, manual review", NeedsAnswer, "exceed 3"),
    ("education", "14天内没交作业3次，联系家长", NeedsAnswer, "没交作业3次"),
    ("education", "3次没上课，联系家长", Refused, "没"),
    ("education", "学员想退费，辅导老师跟进", InvalidInput, "想"),
    ("education", "连续7天上课并提交作业，发勋章", NeedsAnswer, "连续7天上课并提交作业"),
    ("retail", "两个顾客下单，发优惠券", Refused, "两个顾客"),
    ("retail", "金卡会员和积分超过1000的会员下单，发优惠券", NeedsAnswer, "金卡会员和积分超过1000的会员下单"),
    ("retail", "30天内没有超过100元的订单，发优惠券", NeedsAnswer, "没有超过100元的订单"),
    ("retail", "When a customer orders more than 7 days after a complaint, send a coupon", InvalidInput, "7 days"),
    ("retail", "When a customer's first order was more than 30 days ago, send a coupon", InvalidInput, "30 days"),
    ("saas", "免费版或管理员用户7天没登录，发引导邮件", NeedsAnswer, "免费版或管理员用户7天没登录"),
    ("insurance", "理赔到账或缴费金额超过1万元，短信", NeedsAnswer, "理赔到账或缴费金额超过1万元"),
    ("retail", "2026年下单超过5次，发优惠券", InvalidInput, "2026年"),
    ("retail", "20000年没下单，发优惠券", InvalidInput, ""),
]


@pytest.mark.parametrize(("industry", "text", "error", "there"), NOT_TO_BE_DROPPED, ids=lambda value: str(value)[:60])
def test_what_cannot_be_said_is_named_and_not_dropped(
    industry: str, text: str, error: type[ZhongshuError], there: str
) -> None:
    with pytest.raises(error) as caught:
        read_sentence(text, catalog(industry))
    where = caught.value.where
    assert there in text[where["offset"] : where["offset"] + where["length"]]
    assert caught.value.text.zh != caught.value.text.en


ANSWERED = [
    (
        "14天内没交作业3次，联系家长",
        "没交作业3次",
        0,
        "trigger:{event:homework,function:count,window:{over:14d},op:<,value:3.0}",
    ),
    ("7天内没有上课且提交作业，联系家长", "7天内没有上课且提交作业", 0, "value:0.0},{event:homework}]"),
    (
        "7天内没有上课且提交作业，联系家长",
        "7天内没有上课且提交作业",
        1,
        "{event:homework,function:count,window:{over:7d},op:>=,value:1.0}",
    ),
    (
        "7天内没有上课且提交作业，联系家长",
        "7天内没有上课且提交作业",
        2,
        "{event:homework,function:count,window:{over:7d},op:==,value:0.0}",
    ),
]


@pytest.mark.parametrize(("text", "asked", "choice", "means"), ANSWERED)
def test_a_choice_answers_the_question_about_a_denial(text: str, asked: str, choice: int, means: str) -> None:
    with pytest.raises(NeedsAnswer) as question:
        read_sentence(text, catalog("education"))
    chosen = question.value.choices[choice].zh
    document = read_sentence(text, catalog("education"), phrases={phrase_key(asked): chosen}).document
    shown = document.model_dump(mode="json", include={"trigger"}, exclude_defaults=True)
    assert means in json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace('"', "")
