"""How alike two standard values are: for each kind a ladder of levels, best first, and the function that says on which
level a pair stands. The batch (inside DuckDB) and the single record call these same functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from core.text import Text, has_chinese
from knowledge.identity.standard import Kind
from knowledge.identity.words import nicknames, pinyin, sounds_chinese, words

LEVELS: dict[Kind, tuple[str, ...]] = {
    "name": ("same", "near", "crossed", "alike", "different"),
    "full_name": ("same", "near", "alike", "family", "different"),
    "company": ("same", "near", "alike", "different"),
    "date": ("same", "near", "alike", "different"),
    "phone": ("same", "masked", "near", "different"),
    "email": ("same", "near", "different"),
    "identifier": ("same", "near", "different"),
    "code": ("same", "near", "different"),
    "place": ("same", "near", "different"),
    "address": ("same", "near", "crossed", "alike", "different"),
    "text": ("same", "near", "crossed", "alike", "different"),
}
SAYS = {
    "same": Text("相同", "same"),
    "near": Text("几乎相同（错字、同音、简写）", "almost the same (typo, sound, short form)"),
    "crossed": Text("填在了相邻的字段", "stands in the neighbouring field"),
    "alike": Text("部分相同", "partly the same"),
    "masked": Text("可见的数字一致", "the visible digits agree"),
    "family": Text("只有姓相同", "only the family name is the same"),
    "different": Text("不同", "different"),
}
Level = Callable[[str, str], int]


def level(kind: Kind, a: str, b: str, beside_a: str | None = None, beside_b: str | None = None) -> int:
    """The place in `LEVELS[kind]`. `beside` is what stands in the neighbouring field of the same kind (the other
    part of a name, the other address line), for values that were written in the wrong one."""
    if a == b:
        return 0
    found = _NEARNESS[kind](a, b)
    if (
        found > 1
        and "crossed" in LEVELS[kind]
        and ((beside_b and _close(kind, a, beside_b)) or (beside_a and _close(kind, b, beside_a)))
    ):
        return LEVELS[kind].index("crossed")
    return found


def _close(kind: Kind, a: str, b: str) -> bool:
    return a == b or _NEARNESS[kind](a, b) == 1


@lru_cache(maxsize=200_000)
def _edits(a: str, b: str) -> int:
    """Insertions, deletions, replacements and transpositions, up to 3."""
    return DamerauLevenshtein.distance(a, b, score_cutoff=2)


@lru_cache(maxsize=200_000)
def _name(a: str, b: str) -> int:
    shorter = min(len(a), len(b))
    if has_chinese(a) or has_chinese(b):
        return 1 if pinyin(a) == pinyin(b) else 3 if set(a) & set(b) else 4
    if nicknames().get(a, frozenset()) & nicknames().get(b, frozenset()):
        return 1
    edits, jaro = _edits(a, b), JaroWinkler.similarity(a, b)
    if (edits <= 1 and shorter >= 3) or (edits <= 2 and shorter >= 6) or jaro >= 0.92:
        return 1
    if jaro >= 0.8 or (shorter == 1 and a[0] == b[0]):
        return 3
    return 4


@lru_cache(maxsize=200_000)
def _full_name(a: str, b: str) -> int:
    if has_chinese(a) and has_chinese(b):
        return _chinese_name(a, b)
    if has_chinese(a) or has_chinese(b):
        sounds = [sorted(pinyin(x).split()) if has_chinese(x) else x for x in (a, b)]
        chinese, latin = sounds if isinstance(sounds[0], list) else reversed(sounds)
        joined = sorted("".join(chinese))
        return 1 if joined == sorted(str(latin).replace(" ", "")) else 4
    if _edits(a.replace(" ", ""), b.replace(" ", "")) <= 1:
        return 1
    left, right = a.split(), b.split()
    if sounds_chinese(a) and sounds_chinese(b):  # a letter apart is another name; only the family name is the same
        return 3 if set(left) & set(right) else 4
    if len(left) > len(right):
        left, right = right, left
    rest, scores = list(right), []
    for word in left:
        best = min(rest, key=lambda other: _word(word, other))
        scores.append(_word(word, best))
        rest.remove(best)
    if max(scores) == 0 and not rest:
        return 1
    if len(scores) > 1 and max(scores) <= 1 and max(map(len, rest), default=0) <= 1:
        return 2
    return 3 if min(scores) == 0 else 4


def _word(a: str, b: str) -> int:
    """0: one word or nearly; 1: alike or its initial; 2: another."""
    found = 0 if a == b else _name(a, b)
    part = found == 3 and (min(len(a), len(b)) == 1 or JaroWinkler.similarity(a, b) >= 0.86)
    return 0 if found <= 1 else 1 if part else 2


def _chinese_name(a: str, b: str) -> int:
    sound_a, sound_b = pinyin(a).split(), pinyin(b).split()
    if sound_a == sound_b or sorted(a) == sorted(b):
        return 1
    family = _family(a) == _family(b) or sound_a[0] == sound_b[0]
    if len(a) == len(b) >= 3:
        apart = [i for i, (x, y) in enumerate(zip(sound_a, sound_b, strict=True)) if x != y]
        if len(apart) == 1 and _looks_alike(a[apart[0]], b[apart[0]]):
            return 2
    elif family and (1 in (len(a), len(b)) or (abs(len(a) - len(b)) == 1 and (set(a) < set(b) or set(b) < set(a)))):
        return 2
    return 3 if family else 4


def _looks_alike(a: str, b: str) -> bool:
    """Sounds that are easily taken for each other (zh/z, n/l, -ng/-n)."""
    return _blurred(pinyin(a)) == _blurred(pinyin(b))


def _blurred(sound: str) -> str:
    return re.sub(r"^([zcs])h", r"\1", re.sub(r"^[nlr]", "l", re.sub(r"ng$", "n", re.sub(r"^hu", "fu", sound))))


def _family(name: str) -> str:
    return name[:2] if name[:2] in words()["compound_surnames"] else name[:1]


@lru_cache(maxsize=200_000)
def _company(a: str, b: str) -> int:
    """By the names without legal form and place. `alike`: the one may be short for the other."""
    left, right = a.replace(" ", ""), b.replace(" ", "")
    if pinyin(left) == pinyin(right) or (_edits(left, right) <= 1 and min(len(left), len(right)) >= 6):
        return 1
    short, long = sorted((left, right), key=len)
    if len(short) >= 2 and (long.startswith(short) or (len(short) >= 4 and short in long)):
        return 2
    return 2 if not has_chinese(a) and fuzz.token_sort_ratio(a, b) >= 85 else 3


@lru_cache(maxsize=200_000)
def _date(a: str, b: str) -> int:
    if _edits(a, b) <= 1 or (a[:4] == b[:4] and a[4:6] == b[6:8] and a[6:8] == b[4:6]):
        return 1
    same = (a[:4] == b[:4]) + (a[4:6] == b[4:6]) + (a[6:] == b[6:])
    return 2 if same >= 2 else 3


@lru_cache(maxsize=200_000)
def _phone(a: str, b: str) -> int:
    return min(_number(x, y) for x in a.split() for y in b.split())


def _number(a: str, b: str) -> int:
    main_a, _, extension_a = a.partition("x")
    main_b, _, extension_b = b.partition("x")
    if main_a == main_b and "*" not in main_a:
        return 0 if extension_a == extension_b else 1 if not (extension_a and extension_b) else 2
    if "*" in main_a or "*" in main_b:
        seen = [(x, y) for x, y in zip(main_a, main_b, strict=False) if "*" not in (x, y)]
        return 1 if len(main_a) == len(main_b) and len(seen) >= 6 and all(x == y for x, y in seen) else 3
    shorter = min(len(main_a), len(main_b))
    if shorter >= 7 and main_a[-shorter:] == main_b[-shorter:]:
        return 1
    return 2 if shorter >= 7 and _edits(main_a, main_b) <= 1 else 3


@lru_cache(maxsize=100_000)
def _email(a: str, b: str) -> int:
    return 1 if _edits(a, b) <= 1 or a.split("@")[0] == b.split("@")[0] else 2


@lru_cache(maxsize=100_000)
def _identifier(a: str, b: str) -> int:
    if "*" in a or "*" in b:
        seen = [(x, y) for x, y in zip(a, b, strict=False) if "*" not in (x, y)]
        return 1 if len(a) == len(b) and len(seen) >= 6 and all(x == y for x, y in seen) else 2
    return 1 if _edits(a, b) <= 1 else 2


def _code(a: str, b: str) -> int:
    return 1 if _edits(a, b) <= 1 else 2


@lru_cache(maxsize=100_000)
def _place(a: str, b: str) -> int:
    shorter = min(len(a), len(b))
    if has_chinese(a):
        return 1 if pinyin(a) == pinyin(b) or a in b or b in a else 2
    near = (_edits(a, b) <= 1 and shorter >= 3) or (_edits(a, b) <= 2 and shorter >= 6)
    return 1 if near or JaroWinkler.similarity(a, b) >= 0.92 else 2


@lru_cache(maxsize=50_000)
def _numbers(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", text))


@lru_cache(maxsize=200_000)
def _address(a: str, b: str) -> int:
    """Numbers weigh more than letters: 502 next door to 503 is another home."""
    numbers_a, numbers_b = _numbers(a), _numbers(b)
    agree = numbers_a == numbers_b
    if numbers_a and numbers_b and not agree:
        short, long = sorted((numbers_a, numbers_b), key=len)
        if len(short) == len(long) or any(n not in long for n in short):
            return 4
    left, right = a.replace(" ", ""), b.replace(" ", "")
    if left == right:
        return 1
    ratio = fuzz.ratio(left, right)
    if agree and (ratio >= 85 or (has_chinese(a) and pinyin(left) == pinyin(right))):
        return 1
    if ratio >= 65 or (min(len(left), len(right)) >= 6 and fuzz.partial_ratio(left, right) >= 90):
        return 3
    ends = min(len(numbers_a), len(numbers_b))
    inside = ends >= 2 and numbers_a[-ends:] == numbers_b[-ends:] and a[:2] == b[:2]
    return 3 if has_chinese(a) and (inside or (agree and numbers_a and ratio >= 50)) else 4


_NEARNESS: dict[Kind, Level] = {
    "name": _name,
    "full_name": _full_name,
    "company": _company,
    "date": _date,
    "phone": _phone,
    "email": _email,
    "identifier": _identifier,
    "code": _code,
    "place": _place,
    "address": _address,
    "text": _address,
}
