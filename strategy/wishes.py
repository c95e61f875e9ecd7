"""What a change to a strategy is asked for in: "改成5天", "only VIPs", "不要发短信改成外呼". Here the words are taken
apart, by the patterns of wishes.yaml; what they mean for a document is refine.py's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

Verb = Literal["set", "remove", "add", "only", "exclude", "everyone", "either", "both"]


class Wish(NamedTuple):
    """`new`: what is to be set, added, kept or left out; `old`: what it takes the place of, if that was said."""

    verb: Verb
    new: str = ""
    old: str = ""


_IT = re.compile(r"^(?:它|这|这个|这条|那个|it|this|that|the|them)?\s*$", re.I)
_BARE = 40
"""A text longer than this many characters that holds no wish is no change but something new."""


def trimmed(words: str) -> str:
    """Without polite words around it and marks after it."""
    before = ""
    while before != words:
        before = words
        words = _pattern("lead").sub("", _pattern("end").sub("", words).strip())
    return words


def wishes(words: str) -> Iterator[Wish]:
    """Every way to take the words apart, the likeliest first."""
    said = trimmed(words)
    for verb, form in _forms():
        match = form.fullmatch(said)
        if match is None:
            continue
        found = {key: trimmed(value or "") for key, value in match.groupdict().items()}
        new, old = found.get("new") or found.get("tail") or "", found.get("old", "")
        if new or verb in ("everyone", "either", "both"):
            yield Wish(verb, new, "" if _IT.match(old) else old)


def clauses(words: str) -> list[str]:
    """Several changes in one message: each by itself; what is not to be done and what is done instead are one."""
    parts: list[str] = []
    for part in map(trimmed, _pattern("clause").split(words)):
        if parts and part and _pattern("not_this").match(parts[-1]) and _pattern("but_that").search(part):
            parts[-1] = f"{parts[-1]}, {part}"
        elif part:
            parts.append(part)
    return parts


def is_several(words: str) -> bool:
    """The words hold more than one clause, so no single name or number says all of them."""
    return re.search(r"[,，;；。]", words) is not None


def is_undo(words: str) -> bool:
    """The newest change is to be taken back."""
    return _pattern("undo").fullmatch(trimmed(words)) is not None


def is_change(words: str) -> bool:
    """It speaks of a strategy that is there, rather than being a whole one."""
    said = trimmed(words)
    if is_undo(said):
        return True
    whole = _pattern("sentence").search(said) is not None
    if any(next(wishes(part), None) for part in (said, *clauses(said))):
        return not whole or len(said) <= _BARE // 2
    return not whole and len(said) <= _BARE


@lru_cache(maxsize=1)
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return content


@lru_cache(maxsize=1)
def _forms() -> list[tuple[Verb, re.Pattern[str]]]:
    return [(verb, re.compile(form, re.I)) for each in _content()["forms"] for verb, form in each.items()]


@lru_cache(maxsize=16)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_content()[name], re.I)
