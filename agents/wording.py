"""Short commands in conversations, in both languages: a plain yes or no to an approval, and what a colleague wants done
with a strategy (start, list, compare, replay, change, choose a reading). Anything else is a sentence to be drafted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from agents.generality import gives_a_rule, speaks_generally
from strategy.wishes import is_change

_YES = {
    *("批准", "同意", "可以", "确认", "通过", "好", "好的", "行"),
    *("yes", "approve", "approved", "ok", "okay", "confirm", "go ahead", "do it", "y"),
}
_NO = {
    *("拒绝", "不同意", "不行", "取消", "不批准", "否", "不要", "算了"),
    *("no", "reject", "rejected", "cancel", "decline", "don't", "n"),
}
_TAIL = re.compile(r"[\s。.!\uff01,\uff0c~?\uff1f]+$")
_START = re.compile(
    r"(?:请|帮我|那就|现在|先|就)*(?:启动|上线|发布|开始)(?:它|这条|这个|该|策略|运行|灰度|1%|吧|了)*"
    r"|(?:please\s+|now\s+)*(?:start|launch|activate|run|put)(?:\s+(?:it|this|the|strategy|live|now|on|1%|of|customers))*"
    r"|go\s+live",
    re.I,
)
_SHOW = re.compile(r"(?:有哪些|查看|列出|看看|显示).{0,6}策略.{0,4}|(?:show|list)\b.{0,20}\bstrateg(?:y|ies)", re.I)
_COMPARE = re.compile(
    r".{0,8}(?:比较|对比|改了什么|改了哪些|有什么变化|有什么不同|有何不同|差别|区别).{0,12}"
    r"|(?:compare|diff)\b.{0,40}|what(?:'s|\s+has|\s+is|\s+did)?.{0,12}\b(?:chang|differ).{0,30}",
    re.I,
)
_REHEARSE = re.compile(
    r".{0,8}(?:回放|演练|试算|跑一遍|模拟一下|会触发多少|会影响多少).{0,16}"
    r"|(?:please\s+)?(?:rehearse|replay|simulate|dry[\s-]?run)\b.{0,40}|how\s+(?:often|many).{0,20}\bwould\b.{0,40}",
    re.I,
)
_RESULTS = re.compile(
    r".{0,12}(?:效果怎么样|效果如何|表现如何|怎么样了|进展如何|触发了多少|送达了多少|跑得怎么样|有效果吗).{0,8}"
    r"|how\s+(?:is|are|did|does)\b.{0,20}\b(?:doing|going|perform\w*|working)\b.{0,20}|(?:show\s+)?(?:me\s+)?(?:the\s+)?results?\b.{0,20}",
    re.I,
)
_LEAD = re.compile(
    r"^[^:\uff1a,\uff0c。.]{0,40}?(?:策略|规则|需求|自动化|触发|strategy|rule|trigger|automation|campaign|marketing)"
    r"[^:\uff1a,\uff0c。]{0,20}(?:[:\uff1a]|[,\uff0c](?=当|如果|when\b|if\b))\s*",
    re.I,
)
"""`帮我建一条策略:`, `Please set up a rule:`, `… a trigger, when …`: who asks, not what for."""


def says_yes_or_no(text: str) -> Literal["approve", "reject"] | None:
    """The answer, if the whole text is one."""
    word = _TAIL.sub("", text.strip().lower())
    if word in _YES:
        return "approve"
    return "reject" if word in _NO else None


def read_steps(text: str, focus: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted of the strategist: one of answer (a yes or no, to whatever was asked), start, show, compare,
    rehearse, results, refine (with words, and the answers to what was asked), draft (with sentence, choice when it
    answers the question that is open, rule and general when it gives a rule, for customers in general)."""
    said = _TAIL.sub("", text.strip())
    question = focus.get("open") or {}
    if chosen := _choice(said, question):
        if "words" in question:
            return {"refine": True, "words": question["words"], "answers": [*question.get("answers", []), chosen]}
        return {"draft": True, "sentence": question["sentence"], "choice": chosen}
    if says_yes_or_no(text):
        return {"answer": True}
    if _START.fullmatch(said):
        return {"start": True}
    if _SHOW.fullmatch(said):
        return {"show": True}
    if focus.get("name"):
        for step, form in (("compare", _COMPARE), ("rehearse", _REHEARSE), ("results", _RESULTS)):
            if form.fullmatch(said):
                return {step: True}
        if is_change(text):
            return {"refine": True, "words": text.strip(), "answers": []}
    sentence = _LEAD.sub("", text.strip())
    found = {"general": speaks_generally(sentence), "rule": gives_a_rule(sentence)}
    return {"draft": True, "sentence": sentence, **{name: True for name, so in found.items() if so}}


def _choice(said: str, question: Mapping[str, Any]) -> str | None:
    choices = question.get("choices") or []
    if said.isdigit() and 1 <= int(said) <= len(choices):
        return str(choices[int(said) - 1])
    return next((c for c in choices if said == _TAIL.sub("", c)), None)
