"""Cutting a text into passages at the ends of sentences, Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_LATIN = 0.4
"""What a non-Chinese character weighs: a word of English takes as many as two or three Chinese characters."""

_CLOSING = "\"'\u201d\u2019\u300d\u300f\u300b\uff09)\\]"
_ABBREVIATED = r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|No|vs|St))(?<!\b(?:Mrs|e\.g|i\.e|etc|Inc|Ltd))"
_END = re.compile(
    rf"[\u3002\uff01\uff1f\uff1b\u2026]+[{_CLOSING}]*\s*"  # Chinese full stop ! ? ; and ellipsis, whatever follows
    rf"|(?<=[\u4e00-\u9fff])[!?;]+[{_CLOSING}]*\s*"  # the plain signs after a Chinese character, likewise
    rf"|(?:[!?;]+|{_ABBREVIATED}\.)[{_CLOSING}]*(?=\s|$)\s*"  # elsewhere before white space only
    r"|\s*\n\s*"
)


class Span(NamedTuple):
    start: int
    end: int


def weight(text: str) -> float:
    """Length as an encoder feels it: one for a Chinese character, less for others."""
    return sum(1.0 if c >= "\u2e80" else _LATIN for c in text)


def sentences(text: str) -> list[Span]:
    """The sentences of a text, without the white space around them; none is empty. Line ends end a sentence."""
    bounds = [0, *(m.end() for m in _END.finditer(text)), len(text)]
    trimmed = (_trim(text, a, b) for a, b in pairwise(bounds))
    return [s for s in trimmed if s.start < s.end]


def passages(text: str, size: float = 200.0) -> list[Span]:
    """Whole sentences gathered up to `size` (in `weight`); a longer sentence is cut. A passage repeats the last
    sentence of the one before when that is short, so that what belongs together is found together."""
    found: list[Span] = []
    gathered: list[Span] = []
    for sentence in _bounded(text, size):
        if gathered and weight(text[gathered[0].start : sentence.end]) > size:
            found.append(Span(gathered[0].start, gathered[-1].end))
            last = gathered[-1]
            fits = weight(text[last.start : sentence.end]) <= size
            gathered = [last] if fits and weight(text[last.start : last.end]) <= size / 4 else []
        gathered.append(sentence)
    if gathered:
        found.append(Span(gathered[0].start, gathered[-1].end))
    return found


def _bounded(text: str, size: float) -> Iterator[Span]:
    """The sentences, those longer than `size` in pieces."""
    for sentence in sentences(text):
        start, total = sentence.start, 0.0
        for i in range(sentence.start, sentence.end):
            total += 1.0 if text[i] >= "\u2e80" else _LATIN
            if total > size:
                yield Span(start, i)
                start, total = i, 1.0 if text[i] >= "\u2e80" else _LATIN
        yield Span(start, sentence.end)


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
