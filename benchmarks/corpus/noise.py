"""Sentences as hurried people type them, made from the corpus with a seed: each kind of noise changes a sentence and
not what a reader understands by it. Numbers, names in quotes and negations are left alone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache

from pypinyin import Style, pinyin

from benchmarks.corpus.cases import Case
from core.text import Lang
from strategy.language.normalise import plain

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|`[^`]*`")
_WORD = re.compile(r"[A-Za-z]{5,}")
_KEPT = frozenset("不没未无非沒無一二三四五六七八九十两百千万亿半")
_PARTICLES: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(r"的话|的|了|就(?!诊)|(?<!申)请|那么|则|一下|如果|要是"),
    "en": re.compile(r"\b(?:a|an|the|please)\b ", re.IGNORECASE),
}
_NOT_A_CLAUSE = re.compile(r"(?:除|对|對|针对|針對|给).*|.*(?:的|外|会员|客户|顾客|患者|学员|设备)")
_WIDTHS = str.maketrans("，。：；（）！,.:;()!", ",.:;()!，。：；（）！")
Change = Callable[[str, Lang, random.Random], str]


def noisy(cases: Iterable[Case], kind: str, seed: int) -> Iterator[Case]:
    """One variant a sentence that is to be read or refused, where the kind changes anything."""
    for case in cases:
        if case.meaning.wanted != "asked":
            chance = random.Random(f"{seed} {kind} {case.text}")
            text = KINDS[kind](case.text, case.lang, chance)
            if text != case.text:
                yield replace(case, text=text)


def _typo(text: str, lang: Lang, chance: random.Random) -> str:
    """English: two letters swapped or one lost in a word. Chinese: a character typed twice or lost."""
    if lang == "en":
        place = _pick(text, [match.span() for match in _WORD.finditer(text)], chance)
        if place is None:
            return text
        i = chance.randrange(place[0] + 1, place[1] - 1)
        swapped = text[i + 1] + text[i] if chance.random() < 0.5 else text[i]
        return text[:i] + swapped + text[i + 2 :]
    place = _pick(text, _characters(text), chance)
    return text if place is None else text[: place[0]] + text[place[0]] * chance.choice((0, 2)) + text[place[1] :]


def _homophone(text: str, lang: Lang, chance: random.Random) -> str:
    """A character for another of the same sound and tone, as an input method offers it."""
    spots = [span for span in _characters(text) if _sounds_like(text[span[0]])]
    place = _pick(text, spots, chance)
    if place is None:
        return text
    return text[: place[0]] + chance.choice(_sounds_like(text[place[0]])) + text[place[1] :]


def _particles(text: str, lang: Lang, chance: random.Random) -> str:
    """Small words that carry no meaning are left out, all but one in three."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]

    def drop(match: re.Match[str]) -> str:
        keep = any(a <= match.start() < b for a, b in quoted) or chance.random() < 1 / 3
        return match[0] if keep else ""

    return _PARTICLES[lang].sub(drop, text)


def _reordered(text: str, lang: Lang, chance: random.Random) -> str:
    """English: "When C, A" → "A when C". Chinese: "C，就A" → "A，如果C"."""
    if lang == "en":
        found = re.fullmatch(r"(When|If|Whenever) ([^,:;]+), (?:then )?([^,:;]+)", text)
        return f"{found[3][0].upper()}{found[3][1:]} {found[1].lower()} {found[2]}" if found else text
    found = re.fullmatch(r"(?:如果|要是|当)?([^，。：；→]+)，(?:就|则)?([^，。：；→]+)", text)
    return f"{found[2]}，如果{found[1]}" if found and not _NOT_A_CLAUSE.fullmatch(found[1]) else text


def _punctuation(text: str, lang: Lang, chance: random.Random) -> str:
    """Full-width marks for half-width ones and the reverse, outside of numbers and quotes."""
    kept = [*(m.span() for m in _QUOTED.finditer(text)), *(m.span() for m in re.finditer(r"\d[.,:]\d", text))]
    return "".join(c if any(a <= i < b for a, b in kept) else c.translate(_WIDTHS) for i, c in enumerate(text))


def _traditional(text: str, lang: Lang, chance: random.Random) -> str:
    """Traditional characters, where the language knows them."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    return "".join(c if any(a <= i < b for a, b in quoted) else _forms().get(c, c) for i, c in enumerate(text))


KINDS: dict[str, Change] = {
    "typo": _typo,
    "homophone": _homophone,
    "dropped particles": _particles,
    "reordered": _reordered,
    "punctuation": _punctuation,
    "traditional": _traditional,
}


def _pick(text: str, spans: list[tuple[int, int]], chance: random.Random) -> tuple[int, int] | None:
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    free = [span for span in spans if not any(a <= span[0] < b for a, b in quoted)]
    return chance.choice(free) if free else None


def _characters(text: str) -> list[tuple[int, int]]:
    """Where a character stands that is no number, no negation and no unit right after a number."""
    before = [" ", *text]
    return [
        (i, i + 1)
        for i, c in enumerate(text)
        if "\u4e00" <= c <= "\u9fff" and c not in _KEPT and not (before[i].isdigit() or before[i] in _KEPT)
    ]


@cache
def _by_sound() -> dict[str, str]:
    """The 3,755 common characters of GB 2312 by sound and tone."""
    found: dict[str, str] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                char = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:  # the last five places of the last row are empty
                continue
            sound = pinyin(char, style=Style.TONE3)[0][0]
            found[sound] = found.get(sound, "") + char
    return found


@cache
def _sounds_like(char: str) -> str:
    return "".join(
        c for c in _by_sound().get(pinyin(char, style=Style.TONE3)[0][0], "") if c != char and c not in _KEPT
    )


@cache
def _forms() -> dict[str, str]:
    """Simplified → traditional, the reverse of what the language itself makes uniform."""
    return {plain(c): c for c in map(chr, range(0x4E00, 0xA000)) if plain(c) != c}
