"""Whether a text says what is to be done about customers in general ("客户15天内没有下单，就外呼"), as colleagues do
who want a strategy, and not about somebody's own case. What it means is strategy.language's to find out."""

from __future__ import annotations

import re

_PERSONAL = re.compile(
    r"我|你|您|咱|俺|本人|本公司|贵(?:司|公司|方)|[?\uff1f]|吗[。!\uff01]?$"
    r"|\b(?:i|i'm|i've|me|my|mine|we|we're|we've|us|you|your|yours|this|these)\b|\bour\b(?!\s+(?:\w+\s+)?(?:customer|client|user|member)s)",
    re.I,
)
"""Who speaks of themselves, or asks, speaks of a case."""
_WHO_ZH = r"(?:客户|用户|会员|顾客|消费者|买家|粉丝|学员|患者|老客|新客)(?!卡|日|号|价|积分|中心|服务|经理|端)"
_WHO_EN = r"(?:customers?|clients?|users?|members?|shoppers?|buyers?|subscribers?|visitors?|students?|patients?)\b"
_DO_ZH = (
    r"(?:发(?!现|生|货晚)|推(?:送|荐)|送|赠|给|外呼|打电话|致电|安排|通知|提醒|升级|派|创建|建(?:工单|任务)|转(?:给|人工)|邀请|暂停|标记"
    r"|分配|回访|投放|预约|联系|加入|调整)"
)
_DO_EN = (
    r"(?:send|call|arrange|schedule|push|notify|offer|give|escalate|open|create|dispatch|book|assign|alert|remind|text|sms"
    r"|e-?mail|message|pause|invite|tag|add|an?\s+(?:outbound\s+)?call|outbound\s+call|they\s+get)"
)
_THEN_EN = rf"(?:[,;:\u2192]|->|\bthen\b)\s*(?:then\s+)?(?:please\s+|automatically\s+)?{_DO_EN}\b"


def _compiled(*forms: str) -> list[re.Pattern[str]]:
    return [re.compile(form, re.I | re.S) for form in forms]


_FORMS = _compiled(
    # a condition on customers, then what is to be done
    rf"{_WHO_ZH}.{{2,}}?(?:[,\uff0c;\uff1b:\uff1a\u2192]|->|[时后])\s*(?:就|则|便|自动)\s*\S",
    rf"{_WHO_ZH}.{{2,}}?(?:[,\uff0c;\uff1b:\uff1a\u2192]|->|就|则|自动)\s*(?:请|要|应|先|立即|马上)?{_DO_ZH}",
    rf"\b(?:when|whenever|if|once|as soon as|every time|after)\b.*\b{_WHO_EN}.*{_THEN_EN}",
    rf"\b{_WHO_EN}\s+(?:who|that|whose|with)\b.*\b(?:gets?|receives?|should\s+(?:get|receive|be))\b",
    # the other way round
    rf".{{2,}}的{_WHO_ZH}[,\uff0c:\uff1a]?\s*(?:就|则|自动|请|要|应)?{_DO_ZH}",
    rf"^(?:请|帮忙|自动)?(?:给|对|向|为).{{2,}}的{_WHO_ZH}.*{_DO_ZH}",
    rf"^(?:please\s+)?{_DO_EN}\b.*\b(?:when|whenever|if|once|after)\b.*\b{_WHO_EN}",
    rf"^(?:please\s+)?{_DO_EN}\b.*\b{_WHO_EN}\s+(?:who|that|whose|with|when|if)\b",
)


_RULES = _compiled(
    rf".{{3,}}(?:就|则|自动)(?:请|要|应|先|立即|马上|给\S{{1,6}})?{_DO_ZH}",
    rf"^(?:when|whenever|if|once|as soon as|every time|after)\b.+{_THEN_EN}",
    rf"^(?:please\s+)?{_DO_EN}\b.+\b(?:when|whenever|if|once|as soon as)\b",
)
"""The same without the customers, which go without saying among colleagues."""


def gives_a_rule(text: str) -> bool:
    """It has a condition and something to be done about it, whoever it is about, and nobody in it says "I"."""
    return _PERSONAL.search(text) is None and any(form.search(text) for form in (*_RULES, *_FORMS))


def speaks_generally(text: str) -> bool:
    """It has a condition on customers in general and something to be done about it, and nobody in it says "I"."""
    return _PERSONAL.search(text) is None and any(form.search(text) for form in _FORMS)
