"""The first step: check the message, mask personal data, find its language and machine reading, and make the case that
router and specialists see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agents.schemas import MAX_TEXT
from agents.state import HubState, Turn
from agents.wording import read_steps
from core.errors import InvalidInput, TooLarge
from core.telemetry import span
from core.text import Lang, Text, guess_lang
from knowledge.governance import mask_pii
from knowledge.parse.intents import WINDOW, excerpt
from knowledge.parse.route import ABSTAIN_BELOW, ABSTAIN_MARGIN, TARGETS

if TYPE_CHECKING:
    from knowledge.parse import TextMeaning

REMEMBERED = 8
"""Messages of the conversation's past that a case shows."""


def check_text(text: str) -> str:
    """The text without outer blanks.

    Raises:
        InvalidInput: it is empty, or holds characters that are no text.
        TooLarge: it is longer than `MAX_TEXT` characters.
    """
    try:
        text.encode()
    except UnicodeEncodeError as cause:
        raise InvalidInput(
            Text("内容里有不成文字的半个字符", "the text holds half a character"),
            where={"field": "text", "offset": cause.start},
            hint=Text("请以 UTF-8 发送，表情等用成对的转义", "Send UTF-8, or escape emoji and the like in pairs"),
        ) from cause
    if len(text) > MAX_TEXT:
        raise TooLarge(
            Text(
                f"内容有 {len(text)} 个字符，上限 {MAX_TEXT}",
                f"the text has {len(text)} characters, at most {MAX_TEXT}",
            ),
            where={"field": "text"},
            hint=Text("请精简，或作为附件文档导入", "Shorten it, or import it as a document"),
        )
    stripped = text.replace("\x00", "").strip()
    if not stripped:
        raise InvalidInput(Text("内容为空", "the text is empty"), where={"field": "text"})
    return stripped


def new_turn(kind: str, turn_id: str, number: int, text: str, subject: str | None, lang: Lang = "en") -> Turn:
    """The masked message. The raw text goes no further than here. `lang`: of a message without words, such as "2"."""
    return {
        "kind": kind,
        "id": turn_id,
        "number": number,
        "text": mask_pii(check_text(text)),
        "lang": guess_lang(text) if any(c.isalpha() for c in text) else lang,
        "subject": subject,
    }


def make_case(state: HubState, read_text: Callable[[str], TextMeaning], today: str) -> dict[str, Any]:
    """What router and specialist are shown of the message."""
    turn = state["turn"]
    with span("agent.intake", lang=turn["lang"], length=len(turn["text"])):
        meaning = as_data(read_text(turn["text"]))
    return {
        "kind": turn["kind"],
        "id": turn["id"],
        "lang": turn["lang"],
        "text": turn["text"],
        "gist": excerpt(turn["text"], WINDOW),
        "has_customer": turn["subject"] is not None,
        "today": today,
        "meaning": meaning,
        "steps": read_steps(turn["text"], state.get("focus") or {}),
        "focus": state.get("focus") or {},
        "last_route": state.get("route", "") if turn["number"] else "",
        "history": (state.get("history") or [])[-REMEMBERED:],
    }


def as_data(meaning: TextMeaning) -> dict[str, Any]:
    """The machine reading as plain data; discounts asked for are summed up by the largest."""
    discounts = [e.value for e in meaning.of_kind("discount") if isinstance(e.value, float | int)]
    return {
        "intent": meaning.intent,
        "intents": {name: round(score, 3) for name, score in meaning.intents.items()},
        "sentiment": round(meaning.sentiment, 2),
        "urgency": round(meaning.urgency, 2),
        "flags": dict.fromkeys(sorted(meaning.flags), True),
        "entities": [{"kind": e.kind, "text": e.text, "value": e.value, "unit": e.unit} for e in meaning.entities],
        "kinds": {e.kind: e.text for e in reversed(meaning.entities)},
        "asked_discount": max(discounts, default=None),
        "routes": _routes(meaning),
        "promises": [{"by": p.by, "what": p.what, "when": p.when} for p in meaning.promises],
        "next_actions": [a.action for a in meaning.next_actions],
    }


def _routes(meaning: TextMeaning) -> dict[str, Any]:
    """The machine reading's own opinion of where to go: the best target, and whether it is sure enough."""
    shares: dict[str, float] = {}
    for intent, share in meaning.intents.items():
        shares[TARGETS[intent]] = shares.get(TARGETS[intent], 0.0) + share
    (best, first), (_, second) = sorted(shares.items(), key=lambda pair: -pair[1])[:2]
    sure = first >= ABSTAIN_BELOW and first - second >= ABSTAIN_MARGIN
    return {"best": best, "share": round(first, 3), "sure": sure}


def lang_of(state: HubState) -> Lang:
    return "zh" if state["turn"]["lang"] == "zh" else "en"
