"""Reading a letter, mail, note or transcript in milliseconds: the parts of this room put together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from core.errors import InvalidInput, TooLarge
from core.telemetry import span
from core.text import Lang, Text
from core.times import Micros, to_datetime
from knowledge.parse import tone
from knowledge.parse.entities import find_entities
from knowledge.parse.intents import LONGEST, excerpt, intent_model
from knowledge.parse.lexicon import load
from knowledge.parse.model import Entity, Flag, Intent, NextAction, Promise, TextMeaning
from knowledge.parse.promises import find_promises
from knowledge.parse.vocabulary import Vocabulary, retail_vocabulary
from knowledge.parse.width import narrow

MAX_BYTES = 256 * 1024
"""Longest text that is read, in UTF-8 bytes."""

_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def read_text(
    text: str,
    *,
    vocabulary: Vocabulary | None = None,
    now: Micros | None = None,
    zone: str = "Asia/Shanghai",
) -> TextMeaning:
    """What a text means, without a language model: milliseconds for a letter; the first call also loads and trains.

    Args:
        vocabulary: the products and customers known by name; default: the retail pack's products.
        now: when it was written, so that `tomorrow` becomes a day; None leaves such dates relative.
        zone: the time zone of the writer's days.

    Raises:
        InvalidInput: there is no text.
        TooLarge: more than MAX_BYTES.
    """
    check_size(text)
    with span("parse.read", characters=len(text)):
        lang = language(text)
        today = to_datetime(now, zone).date() if now is not None else None
        weighed = narrow(excerpt(text, LONGEST, 1.0))
        intents = intent_model().scores(text)
        known = vocabulary or retail_vocabulary()
        entities = find_entities(text, known, today)
        machine = any(e.kind == "product" and e.value in known.machines for e in entities)
        flags = tone.flags(narrow(text))
        sentiment = tone.sentiment(weighed, lang, intents)
        promises = find_promises(text)
        let_down = sentiment < 0 and any(p.by == "company" for p in promises)
        urgency = tone.urgency(weighed, lang, flags, let_down)
        actions = next_actions(intents, entities, promises, sentiment, urgency, flags, machine)
        return TextMeaning(
            lang=lang,
            intents=intents,
            entities=entities,
            sentiment=sentiment,
            urgency=urgency,
            flags=flags,
            promises=promises,
            next_actions=actions,
            excerpted=len(weighed) < len(text),
        )


def check_size(text: str) -> None:
    """Refuse nothing and too much."""
    if not text.strip():
        raise InvalidInput(
            Text("文本是空的", "the text is empty"),
            where={"field": "text"},
            hint=Text("请给出来信或记录的正文", "Send the body of the letter or record"),
        )
    size = len(text.encode("utf-8", errors="replace"))
    if size > MAX_BYTES:
        raise TooLarge(
            Text(
                f"文本有 {size} 字节，超过 {MAX_BYTES} 字节", f"the text has {size} bytes; at most {MAX_BYTES} are read"
            ),
            where={"field": "text"},
            hint=Text("请分段发送", "Send it in parts"),
        )


def language(text: str) -> Lang:
    """Chinese when the beginning has at least as many ideographs as Latin words."""
    start = text[:2_000]
    ideographs = sum("\u3400" <= c <= "\u9fff" for c in start)
    return "zh" if ideographs and ideographs >= len(_LATIN_WORD.findall(start)) else "en"


_FLOOR = 0.25
"""Intents below this share propose nothing."""


@cache
def _rules() -> tuple[dict[str, Any], ...]:
    return tuple(load("next_actions.yaml"))


def next_actions(
    intents: Mapping[Intent, float],
    entities: Sequence[Entity],
    promises: Sequence[Promise],
    sentiment: float,
    urgency: float,
    flags: frozenset[Flag],
    machine: bool,
) -> tuple[NextAction, ...]:
    """Proposals by the table of data/next_actions.yaml, surest first. A text that must go to a person proposes that
    and nothing else. `machine`: a product that can break down is named."""
    if flags:
        reason = {
            "instructs_reader": Text(
                "来文试图给系统下指令，只能由人处理", "It tries to give the system orders; a person must handle it"
            ),
            "injury": Text("涉及人身伤害，必须由人处理", "Somebody was hurt; a person must handle it"),
            "legal": Text("提到法律或曝光，必须由人处理", "It mentions law or press; a person must handle it"),
            "asks_for_person": Text("对方要求与人联系", "The writer asks for a person"),
        }
        first = next(reason[flag] for flag in reason if flag in flags)
        return (NextAction("hand_to_person", first, 1.0),)
    kinds = {e.kind for e in entities}

    def holds(when: Mapping[str, Any]) -> bool:
        return (
            (not when.get("entities") or bool(kinds & set(when["entities"])))
            and (not when.get("machine") or machine)
            and urgency >= when.get("urgency", 0)
            and (not when.get("promises") or any(p.by == "company" for p in promises))
            and -sentiment >= when.get("unhappy", -1)
        )

    found = [
        NextAction(rule["action"], Text(rule["zh"], rule["en"]), round(intents[rule["intent"]], 3))
        for rule in _rules()
        if intents[rule["intent"]] >= _FLOOR and holds(rule.get("when", {}))
    ]
    return tuple(sorted(found, key=lambda a: -a.score))
