"""The words and characters that identity looks through: forms of companies, abbreviations, pet names, traditional
characters, and how Chinese sounds. Data only; what is done with them is in standard.py and compare.py."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.text import has_chinese

DATA = Path(__file__).parent / "data"


@cache
def words() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DATA / "words.yaml").read_text(encoding="utf-8"))
    return content


@cache
def _simplify() -> dict[int, str]:
    pairs = words()["traditional"]
    return {ord(pairs[i]): pairs[i + 1] for i in range(0, len(pairs), 2)}


@cache
def nicknames() -> dict[str, frozenset[int]]:
    """Name → the groups of names that stand for each other it is in."""
    groups: dict[str, set[int]] = {}
    for number, names in enumerate(words()["nicknames"]):
        for name in names:
            groups.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in groups.items()}


@cache
def company_forms() -> re.Pattern[str]:
    """Legal forms: Chinese ones anywhere, Latin ones as words of their own."""
    forms = sorted(words()["company_forms"], key=len, reverse=True)
    chinese = "|".join(re.escape(f) for f in forms if has_chinese(f))
    latin = "|".join(re.escape(f) for f in forms if not has_chinese(f))
    return re.compile(f"{chinese}|(?<![a-z])(?:{latin})(?![a-z])\\.?")


def plain(text: object) -> str:
    """Width, case, accents, traditional characters and runs of space evened out."""
    folded = unicodedata.normalize("NFKC", str(text)).casefold()
    folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return " ".join(folded.translate(_simplify()).split())


@lru_cache(maxsize=100_000)
def pinyin(text: str) -> str:
    """How Chinese text sounds, a syllable a character, without tones; other characters stand as they are."""
    if not has_chinese(text):
        return text
    from pypinyin import Style, lazy_pinyin

    return " ".join(lazy_pinyin(text, style=Style.NORMAL))


@lru_cache(maxsize=100_000)
def skeleton(text: str) -> str:
    """A key for how a Latin word sounds: its first letter and its consonants, alike ones as one; Chinese as pinyin."""
    if has_chinese(text):
        return pinyin(text).replace(" ", "")
    letters = re.sub(r"[^a-z]", "", text)
    for sound, sign in (("ph", "f"), ("ck", "k"), ("gh", "g"), ("wr", "r"), ("kn", "n"), ("sch", "s"), ("sh", "s")):
        letters = letters.replace(sound, sign)
    head, tail = letters[:1], letters[1:].translate(str.maketrans("cqzjdvm", "kksgtfn", "aeiouyhw"))
    head = head.translate(str.maketrans("ckq", "kkk"))
    return head + re.sub(r"(.)\1+", r"\1", tail)


_SYLLABLE = (
    r"(?:[bpmfdtnlgkhjqxrzcsyw]|[zcs]h)?"
    r"(?:iong|iang|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ue|ui|un|uo|[aeiouv])"
)
_GIVEN = re.compile(rf"(?:{_SYLLABLE}){{1,3}}")


@cache
def _known_names() -> tuple[frozenset[str], frozenset[str]]:
    """Given names, and Chinese family names as they sound."""
    given = {*nicknames(), *words()["given_names"]}
    family = {pinyin(name).replace(" ", "") for name in (*words()["surnames"], *words()["compound_surnames"])}
    return frozenset(given), frozenset(family)


def person_name(text: str) -> bool:
    """Does it read as a person's whole name: in Chinese by the family name, in Latin letters by a known given name or
    as Chinese names sound? `text` is plain."""
    if has_chinese(text):
        return bool(re.fullmatch(r"[\u3400-\u9fff]{2,4}", text)) and text[0] in words()["surnames"]
    parts = re.findall(r"[^\W\d_]+", text)
    if not 2 <= len(parts) <= 4 or re.search(r"\d|@", text):
        return False
    return not _known_names()[0].isdisjoint(parts) or sounds_chinese(text)


@lru_cache(maxsize=100_000)
def sounds_chinese(text: str) -> bool:
    """Is it a Chinese person's name in pinyin, the family name first or last?"""
    parts, family = re.findall(r"[a-z]+", text), _known_names()[1]
    return len(parts) > 1 and any(parts[end] in family and _GIVEN.fullmatch("".join(rest))
               for end, rest in ((0, parts[1:]), (-1, parts[:-1])))  # fmt: skip
