"""Promises in a letter or a call: what was said would be done, by whom, until when."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.parse.lexicon import lexicon
from knowledge.parse.model import Promise
from knowledge.parse.width import narrow

MOST = 50
"""No text is read for more promises than this."""

_SENTENCE = re.compile(r"[^。!?\n;]{1,600}?(?:[。!?\n;]|(?<=[a-z0-9])\.(?=\s|$))|[^。!?\n;]{1,600}")
_SPEAKER = re.compile(r"\s*(坐席|客服|agent|support|客户|用户|customer|caller)\s*:\s*", re.IGNORECASE)
_OURS = {"坐席", "客服", "agent", "support"}


def find_promises(text: str) -> tuple[Promise, ...]:
    """Promises in order of place. In a call each turn's speaker is known by its label; in a letter `I will` is the
    writer's own promise and `you promised`, `was told` is the company's."""
    found: list[Promise] = []
    for promise in _promises(text):
        found.append(promise)
        if len(found) == MOST:
            break
    return tuple(found)


def _promises(text: str) -> Iterator[Promise]:
    words = lexicon()
    speaker: str | None = None
    plain = narrow(text)
    for match in _SENTENCE.finditer(plain):
        start, end = match.span()
        if label := _SPEAKER.match(plain, start, end):
            speaker = label.group(1).lower()
            start = label.end()
        sentence = plain[start:end]
        own = words.own.search(sentence)
        reported = words.reported.search(sentence)
        if _asks_or_supposes(sentence) or not (own or reported):
            continue
        ours = speaker in _OURS if speaker else not own or (reported is not None and reported.start() <= own.start())
        if speaker and not own:
            ours = True
        # The longest wording is the most exact: "before ten tomorrow" tells more than "right away".
        when = max((m.group() for m in words.when.finditer(sentence)), key=len, default=None)
        begin = start + len(sentence) - len(sentence.lstrip())
        stop = start + len(sentence.rstrip())
        yield Promise("company" if ours else "customer", text[begin:stop], when, begin, stop)


_QUESTION = re.compile(r"[?]\s*$")
_SUPPOSE = re.compile(r"^\s*(?:if|when|unless|如果|要是|当|假如)|我会不会|能不能|会自动", re.IGNORECASE)


def _asks_or_supposes(sentence: str) -> bool:
    return bool(_QUESTION.search(sentence) or _SUPPOSE.match(sentence))
