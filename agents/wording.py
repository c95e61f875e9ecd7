"""Short commands in conversations, in both languages: a plain yes or no to an approval, and what a colleague wants done
with a strategy (start, list, change a piece, choose a reading). Anything else is a sentence to be drafted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

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
_CHANGE = re.compile(
    r"(?:请|帮我)?(?:把|将)(?P<zh_old>.+?)(?:改成|改为|换成|换为)(?P<zh_new>.+)"
    r"|(?:please\s+)?change\s+(?P<en_old>.+?)\s+to\s+(?P<en_new>.+)"
    r"|(?:please\s+)?replace\s+(?P<re_old>.+?)\s+with\s+(?P<re_new>.+)",
    re.I,
)
_MAKE_IT = re.compile(r"(?:改成|改为|make\s+it)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[^\s\d]+)", re.I)
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
    """What is wanted of the strategist: one of start, show, refine (with find and replace), draft (with sentence,
    and choice when it answers the question that is open)."""
    said = _TAIL.sub("", text.strip())
    if chosen := _choice(said, focus.get("open") or {}):
        return {"draft": True, "sentence": focus["open"]["sentence"], "choice": chosen}
    if _START.fullmatch(said):
        return {"start": True}
    if _SHOW.fullmatch(said):
        return {"show": True}
    if change := _change(said, str(focus.get("sentence") or "")):
        return {"refine": True, "find": change[0], "replace": change[1]}
    return {"draft": True, "sentence": _LEAD.sub("", text.strip())}


def _choice(said: str, question: Mapping[str, Any]) -> str | None:
    choices = question.get("choices") or []
    if said.isdigit() and 1 <= int(said) <= len(choices):
        return str(choices[int(said) - 1])
    return next((c for c in choices if said == _TAIL.sub("", c)), None)


def _change(said: str, sentence: str) -> tuple[str, str] | None:
    """What to find in the sentence and what to put there; None when no draft is in focus or nothing is to change."""
    if not sentence:
        return None
    if match := _CHANGE.fullmatch(said):
        parts = match.groupdict()
        old = parts["zh_old"] or parts["en_old"] or parts["re_old"]
        new = parts["zh_new"] or parts["en_new"] or parts["re_new"]
        return old.strip(" “”\"'"), new.strip(" “”\"'")
    if match := _MAKE_IT.fullmatch(said):
        unit = re.escape(match["unit"])
        if found := re.search(rf"\d+(?:\.\d+)?(\s*){unit}", sentence):
            return found.group(0), f"{match['number']}{found.group(1)}{match['unit']}"
    return None
